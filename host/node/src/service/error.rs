//! Why a node does not start, or stops.

use crate::agent::JournalError;
use crate::chain_spec::SpecError;
use crate::node::ChainError;
use host_consensus::EngineError;
use host_consensus::network::SocketError;
use host_rpc::RpcError;
use runtime_primitives::AccountId;
use runtime_vm::VmFault;
use std::path::PathBuf;
use thiserror::Error;

/// Why a node does not start, or stops.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// The data folder cannot be made.
    #[error("data folder {}: {source}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The chain cannot go on.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The engine stopped.
    #[error(transparent)]
    Engine(#[from] Box<EngineError<ChainError>>),
    /// The engine of the network stopped.
    #[error(transparent)]
    Network(#[from] Box<SocketError<ChainError>>),
    /// A thread cannot be started.
    #[error("a thread cannot be started: {0}")]
    Thread(#[source] std::io::Error),
    /// The spec cannot be kept.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The second engine could not be made.
    #[error(transparent)]
    Vm(#[from] VmFault),
    /// A vote journal is unusable.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// RPC cannot be served.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// A session key that nobody has registered.
    #[error("{0} is no validator's session key on this chain; see the entities of its spec")]
    NotASession(AccountId),
}
