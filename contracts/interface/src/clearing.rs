//! Books and clearings.

use crate::Order;
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode, MaxEncodedLen};
use runtime_primitives::{Energy, MarketId, Price, Seq, Slot};

/// Parameters of one clearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub struct ClearParams {
    /// Interface version of this input.
    pub interface: u16,
    /// Market.
    pub market: MarketId,
    /// Delivery slot.
    pub slot: Slot,
    /// Batch number within the slot; 0 for an auction.
    pub batch: u32,
    /// Length of the slot.
    pub slot_minutes: u16,
    /// Prices are multiples of this.
    pub tick_size: Price,
    /// Lowest admissible price.
    pub price_min: Price,
    /// Highest admissible price.
    pub price_max: Price,
}

/// One event of a continuous book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Op {
    /// A new order.
    #[codec(index = 0)]
    New(Order),
    /// Withdrawal of the unfilled part.
    #[codec(index = 1)]
    Cancel {
        /// Position of the cancellation itself.
        seq: Seq,
        /// The order withdrawn.
        target: Seq,
    },
}

/// What a matching rule clears.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Book {
    /// A call auction: all orders, ascending by seq.
    #[codec(index = 0)]
    Auction(Vec<Order>),
    /// A continuous book.
    #[codec(index = 1)]
    Continuous {
        /// Resting orders; `energy` is what remains.
        resting: Vec<Order>,
        /// New events, ascending by seq.
        ops: Vec<Op>,
    },
}

/// One match, 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub struct Trade {
    /// Seq of the bid.
    pub buy: Seq,
    /// Seq of the ask.
    pub sell: Seq,
    /// Energy, > 0.
    pub energy: Energy,
    /// What the buyer pays.
    pub buy_price: Price,
    /// What the seller gets.
    pub sell_price: Price,
}

/// Output of a matching rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Clearing {
    /// Matches in clearing order; settlement allocates metered energy in this order.
    pub trades: Vec<Trade>,
    /// Orders the rule withdrew (self-trade prevention of the continuous book).
    pub cancelled: Vec<Seq>,
    /// The price, if pricing is uniform and something traded.
    pub uniform_price: Option<Price>,
}
