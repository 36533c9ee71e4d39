//! What a node is started with.

use crate::keys::Signer;
use host_consensus::network::EngineSecret;
use runtime_execution::GenesisConfig;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a validator orders with.
#[derive(Debug)]
pub struct EngineConfig {
    /// Its secret key.
    pub secret: EngineSecret,
    /// Where to listen for other validators.
    pub listen: SocketAddr,
}

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
    /// Session keys to attest with.
    pub sessions: Vec<Signer>,
}
