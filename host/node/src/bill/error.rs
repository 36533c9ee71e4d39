//! Why there is no bill.

use host_rpc::ClientError;
use host_storage::StoreError;
use runtime_primitives::{Height, MarketId, Slot};
use thiserror::Error;

/// Why there is no bill.
#[derive(Debug, Error)]
pub enum BillError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node did not answer.
    #[error(transparent)]
    Node(#[from] ClientError),
    /// A row is not what this program writes.
    #[error(
        "the archive's {what} at block {height} cannot be read; another version wrote it, or it is damaged"
    )]
    Unreadable {
        /// What was looked for.
        what: &'static str,
        /// The block.
        height: Height,
    },
    /// A row of a slot is not what this program writes.
    #[error(
        "the archive's {what} of slot {slot} of market {market} cannot be read; another version wrote it, or it is damaged"
    )]
    UnreadableOfSlot {
        /// What was looked for.
        what: &'static str,
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
    },
    /// A sum beyond 2¹²⁷ units.
    #[error("the amounts add up to more than there can be")]
    Sum,
}
