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
}
