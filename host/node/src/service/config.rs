//! What a node is started with.

use crate::keys::Signer;
use runtime_execution::GenesisConfig;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a node is started with.
#[derive(Debug)]
pub struct ServiceConfig {
    /// Folder of the chain and the vote journals.
    pub data: PathBuf,
    /// What the chain starts with.
    pub genesis: GenesisConfig,
    /// Least time between two blocks, in ms.
    pub interval_ms: u64,
    /// Where to serve RPC, if at all.
    pub rpc: Option<SocketAddr>,
    /// Where to listen for other validators; `None` where this node orders alone.
    pub listen: Option<SocketAddr>,
    /// Session keys to attest with. The engine's key follows from the first.
    pub sessions: Vec<Signer>,
    /// What must stay free where the data folder is, in MiB; the node stops before it is used up.
    pub min_free_disk_mib: u64,
    /// Execute every block on the second engine as well.
    pub paranoid: bool,
}

/// What must stay free unless told otherwise, in MiB: more than an engine and a store write between two looks at the disk.
pub const MIN_FREE_DISK_MIB: u64 = 128;
