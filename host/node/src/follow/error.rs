//! What a source may do wrong, by name.

use crate::checkpoint::CheckpointError;
use host_consensus::network::FinalityFault;
use host_rpc::{ClientError, UNPROVEN_BLOCKS_MAX};
use runtime_primitives::{Hash, Height};
use thiserror::Error;

/// Why a source's answer is of no use.
#[derive(Debug, Error)]
pub enum FollowFault {
    /// It cannot be asked, refuses, or answers something else.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It is a node of another chain.
    #[error("it is a node of chain {found}, not of {wanted}")]
    OtherChain {
        /// Hash of its genesis header.
        found: Hash,
        /// Of the chain that is followed.
        wanted: Hash,
    },
    /// A proof covers some blocks, and not too many.
    #[error("it claims to prove {found} blocks at once; 1 to {UNPROVEN_BLOCKS_MAX} are allowed")]
    Payloads {
        /// How many.
        found: usize,
    },
    /// A proof is one epoch's.
    #[error("it claims to prove blocks {first} to {last} at once, which are of two epochs")]
    TwoEpochs {
        /// First block.
        first: u64,
        /// Last block.
        last: u64,
    },
    /// What should prove a block final does not.
    #[error("block {height}: {fault}")]
    Finality {
        /// The block.
        height: u64,
        /// Why not.
        fault: FinalityFault,
    },
    /// The block is another than the one that is final.
    #[error("block {height}: what it gives hashes to {found}, final is {proven}")]
    OtherBlock {
        /// The block's height.
        height: Height,
        /// Hash of its bytes.
        found: Hash,
        /// Hash of the final block's.
        proven: Hash,
    },
    /// What is proven final is no block at its height.
    #[error("block {height}: what is proven final is no block of that height")]
    NoBlock {
        /// The height.
        height: Height,
    },
    /// It proves blocks that it does not give.
    #[error("it gives no block after {after}")]
    Withheld {
        /// The last block here.
        after: Height,
    },
    /// A certificate of a checkpoint proves nothing.
    #[error("a certificate of a checkpoint proves nothing: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A certificate is none.
    #[error("{bytes} bytes are no certificate of a checkpoint")]
    Certificate {
        /// How many.
        bytes: usize,
    },
}

/// What a fault says of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// It cannot answer now.
    Silent,
    /// Its answer is none: of another version, cut off, or made up.
    Unreadable,
    /// What it says contradicts what is proven by hashes and signatures: no honest node of this chain says so.
    Lie,
}

impl FollowFault {
    /// What it says of the source.
    pub const fn blame(&self) -> Blame {
        use ClientError::{Answer, Endless, Foreign, Refused, Transport, Url};
        match self {
            Self::Client(Transport { .. } | Refused { .. } | Url { .. }) | Self::Withheld { .. } => {
                Blame::Silent
            }
            Self::Client(Answer { .. } | Endless { .. } | Foreign { .. })
            | Self::Payloads { .. }
            | Self::TwoEpochs { .. }
            | Self::Finality { fault: FinalityFault::Malformed { .. }, .. }
            | Self::Certificate { .. } => Blame::Unreadable,
            Self::OtherChain { .. }
            | Self::Finality { .. }
            | Self::OtherBlock { .. }
            | Self::NoBlock { .. }
            | Self::Checkpoint(_) => Blame::Lie,
        }
    }
}
