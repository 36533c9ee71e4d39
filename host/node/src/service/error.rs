//! Why a node does not start, or stops.

use crate::agent::JournalError;
use crate::chain_spec::SpecError;
use crate::checkpoint::KeeperError;
use crate::follow::NoSource;
use crate::node::ChainError;
use host_consensus::network::SocketError;
use host_rpc::{ClientError, RpcError};
use host_storage::StoreError;
use runtime_primitives::Height;
use runtime_vm::VmFault;
use std::path::{Path, PathBuf};
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
    /// Others order this chain, and cannot reach this node.
    #[error(
        "{engines} validators order this chain: start this node with --listen {own}, where the others look for it, and \
         with its own session key; a node that is given the session keys of all orders alone"
    )]
    NeedsPeers {
        /// How many order.
        engines: usize,
        /// Where this node's engine is looked for, if it has one.
        own: String,
    },
    /// A chain that began with a snapshot was ordered by several.
    #[error(
        "the chain here began with a snapshot of block {0}, which a network ordered: start this node with --listen among its \
         validators, or with --follow"
    )]
    OthersBegan(Height),
    /// What this node's engine voted for is gone.
    #[error(
        "the engine's folder {} is not there, but the chain beside it is at block {height}: what was voted for in this node's \
         name is not known, and a second vote might contradict it; put the folder back, or begin in another data folder with \
         busbar snapshot import, which votes again when that is safe",
        folder.display()
    )]
    VotesLost {
        /// Where they were.
        folder: PathBuf,
        /// The chain's best block.
        height: Height,
    },
    /// The engine stopped.
    #[error(transparent)]
    Engine(#[from] Box<SocketError<ChainError>>),
    /// A thread cannot be started.
    #[error("a thread cannot be started: {0}")]
    Thread(#[source] std::io::Error),
    /// A thread of the node ended where nobody expected it.
    #[error(
        "the node's thread \"{0}\" panicked, and its reason is in the log: report it; the chain is kept, start the node again"
    )]
    Panicked(&'static str),
    /// The spec cannot be kept.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The second engine could not be made.
    #[error(transparent)]
    Vm(#[from] VmFault),
    /// A vote journal is unusable.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file of checkpoints is unusable.
    #[error(transparent)]
    Checkpoints(#[from] KeeperError),
    /// A chain cannot be followed on.
    #[error(transparent)]
    Follow(#[from] Box<NoSource>),
    /// A node to follow has no address.
    #[error(transparent)]
    Source(#[from] ClientError),
    /// RPC cannot be served.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// Less is free than must be.
    #[error("{left_kib} KiB are free, and {least_mib} MiB must be: --min-free-disk-mib says how much")]
    LittleRoom {
        /// What is free, in KiB.
        left_kib: u64,
        /// What must be, in MiB.
        least_mib: u64,
    },
    /// The disk is full.
    #[error(
        "no room is left for {}: make room there and start the node again; it has kept every final block ({reason})",
        folder.display()
    )]
    NoRoom {
        /// The data folder.
        folder: PathBuf,
        /// What could not be done.
        reason: Box<Self>,
    },
}

/// Bytes that a node writes at any time: the engine's library ends without a reason if it cannot.
const ROOM_BYTES: usize = 1 << 20;

impl ServiceError {
    /// This error, or that there is no room in `folder` if that is why.
    pub(super) fn or_no_room(self, folder: &Path) -> Self {
        let store = match &self {
            Self::Chain(ChainError::Store(error)) => Some(error),
            Self::Follow(error) => match &**error {
                NoSource::Chain(ChainError::Store(error)) => Some(error),
                _ => None,
            },
            Self::Engine(error) => match &**error {
                SocketError::Application(ChainError::Store(error)) => Some(error),
                _ => None,
            },
            _ => None,
        };
        if store.is_some_and(StoreError::is_without_room) || is_full(folder) {
            Self::NoRoom { folder: folder.to_owned(), reason: Box::new(self) }
        } else {
            self
        }
    }
}

/// Whether there is no room for a small file.
fn is_full(folder: &Path) -> bool {
    let path = folder.join("room");
    let written = std::fs::write(&path, vec![1; ROOM_BYTES]);
    // What cannot be removed was not written.
    let _ = std::fs::remove_file(&path);
    written.is_err_and(|error| StoreError::from(error).is_without_room())
}
