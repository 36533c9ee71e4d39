//! Why a trade cannot be shown.

use host_storage::StoreError;
use runtime_primitives::{MarketId, Slot};
use thiserror::Error;

/// Why a trade cannot be shown. What is shown and does not check is a fault of the trade, not an error here.
#[derive(Debug, Error)]
pub enum TradeError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The text names no trade.
    #[error("{0:?} names no trade; write market/slot/trade, such as 0/500/0, or slot/trade")]
    Id(String),
    /// The slot's book was never cleared, or not yet.
    #[error("slot {slot} of market {market} has no clearing; see `busbar trade list`")]
    NotCleared {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
    },
    /// The clearing has fewer trades.
    #[error("slot {slot} of market {market} has {trades} trades, numbered from 0; there is no trade {trade}")]
    NoTrade {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// How many there are.
        trades: usize,
        /// Asked for.
        trade: u32,
    },
    /// An archive row is missing or is not what this program writes.
    #[error("the archive has no readable {what} of slot {slot}, market {market}")]
    Unreadable {
        /// What was looked for.
        what: String,
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
    },
}
