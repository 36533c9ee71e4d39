//! Why a call did not take effect, in words for who sent it.

use crate::keys::{Ss58, Ss58Prefix};
use host_rpc::ClientError;
use runtime_execution::{DispatchError, Invalid};
use runtime_primitives::{AccountId, EntityId, Hash, Height};
use std::time::Duration;
use thiserror::Error;

/// The method by which a node takes extrinsics.
const SUBMIT: &str = "author_submitExtrinsic";

/// Whether `error` is a refusal: by a rule of the chain, or by the node before a block.
pub fn is_refusal(error: &anyhow::Error) -> bool {
    let by_node = |error: &ClientError| matches!(error, ClientError::Refused { method: SUBMIT, .. });
    error.chain().any(|cause| match cause.downcast_ref::<SessionError>() {
        Some(SessionError::Failed { .. } | SessionError::Skipped { .. }) => true,
        Some(SessionError::Node(error)) => by_node(error),
        _ => cause.downcast_ref::<ClientError>().is_some_and(by_node),
    })
}

/// Why a call did not take effect.
#[derive(Debug, Error)]
pub enum SessionError {
    /// The node does not answer, or refuses the extrinsic.
    #[error(transparent)]
    Node(#[from] ClientError),
    /// The node has no genesis block.
    #[error("the node has no block 0")]
    NoGenesis,
    /// Included, and undone.
    #[error("failed in block {height}: {error}")]
    Failed {
        /// Where.
        height: Height,
        /// Why.
        error: DispatchError,
    },
    /// Ordered, and left out.
    #[error("left out of block {height}: {reason}; nothing changed, so it can be sent again")]
    Skipped {
        /// Where.
        height: Height,
        /// Why.
        reason: Invalid,
    },
    /// No block had it in time.
    #[error(
        "extrinsic {extrinsic} is in no block after {} s; the node has it and may still include it; \
         wait longer with --timeout, or look at the node's log",
        waited.as_secs()
    )]
    Timeout {
        /// Which.
        extrinsic: Hash,
        /// How long.
        waited: Duration,
    },
    /// A key that acts for nobody.
    #[error(
        "{address} is bound to no entity; the registrar admits it: busbar entity register --owner {address}",
        address = Ss58 { prefix: Ss58Prefix::SUBSTRATE, account: *.0 }
    )]
    NoEntity(AccountId),
    /// No such entity.
    #[error("there is no entity {0}; busbar entity list shows them")]
    UnknownEntity(EntityId),
}
