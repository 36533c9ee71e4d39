//! Why a chain spec describes no chain: what is wrong, and where in the file.

use crate::keys::KeyError;
use runtime_execution::GenesisError;
use std::path::PathBuf;
use thiserror::Error;

/// Why a chain spec describes no chain.
#[derive(Debug, Error)]
pub enum SpecError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no JSON of this shape; the reason names line and column.
    #[error("{}: {source}", path.display())]
    Json {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The name is empty or long.
    #[error("name: {0} bytes; use 1 to {max}", max = super::NAME_BYTES_MAX)]
    Name(usize),
    /// The time is none.
    #[error("genesis_time: {text:?} is no time from 1970 on such as 2026-01-31T00:00:00Z")]
    Time {
        /// In the file.
        text: String,
    },
    /// Blocks would come too fast or too slowly.
    #[error("block_interval_ms: {found}; use {min} to {max}", min = super::INTERVAL_MS_MIN, max = super::INTERVAL_MS_MAX)]
    Interval {
        /// In the file.
        found: u64,
    },
    /// A key is no address.
    #[error("{at}: {source}")]
    Address {
        /// Which field.
        at: String,
        /// What is wrong.
        source: KeyError,
    },
    /// An address is written for another network.
    #[error("{at}: an address of network {found}; this chain's are of network 42")]
    Network {
        /// Which field.
        at: String,
        /// Its network.
        found: u16,
    },
    /// A balance is no whole number.
    #[error("{at}: {text:?} is no whole number of units (10⁻⁷ yuan)")]
    Balance {
        /// Which field.
        at: String,
        /// In the file.
        text: String,
    },
    /// All balances together are more money than can be counted.
    #[error("{at}: the balances up to here exceed 2¹²⁸ units")]
    Issuance {
        /// Which field.
        at: String,
    },
    /// A code is too large.
    #[error("{at}: {found} bytes of code, at most {max} are allowed", max = runtime_primitives::limits::CODE_BYTES_MAX)]
    CodeSize {
        /// Which field.
        at: String,
        /// Its size.
        found: usize,
    },
    /// Hexadecimal digits are expected.
    #[error("{at}: write 0x and an even number of hexadecimal digits (64 for a hash)")]
    Hex {
        /// Which field.
        at: String,
    },
    /// An engine's address is none.
    #[error("engine {text:?}: write host:port, with a port of at least 1")]
    EngineAddress {
        /// As given.
        text: String,
    },
    /// There are more or fewer addresses than validators.
    #[error(
        "{found} engine addresses for {validators} validators: give one for each, or only the first one's, whose port the \
         others' follow"
    )]
    EngineCount {
        /// Given.
        found: usize,
        /// Needed.
        validators: usize,
    },
    /// Ports end at 65535.
    #[error(
        "engine {first}: there are no {validators} ports from this one on; take a lower one, or give each address"
    )]
    EnginePorts {
        /// The first one's address.
        first: String,
        /// How many are needed.
        validators: usize,
    },
    /// Two engines cannot listen at one address.
    #[error("engine {address}: two validators have this address")]
    EngineTwice {
        /// Which.
        address: String,
    },
    /// The parts do not make a chain together.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The spec is of a chain that cannot be told from what is given.
    #[error("{}: no chain spec beside the chain and its name is no scenario's: pass --spec FILE", path.display())]
    Unknown {
        /// The data folder.
        path: PathBuf,
    },
}
