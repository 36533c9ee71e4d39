//! Books and clearings.

use crate::Order;
use crate::fixed::{Reader, Writer, fixed_codec};
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode, Error, MaxEncodedLen};
use runtime_primitives::{Energy, MarketId, Price, Seq, Slot};

/// Parameters of one clearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
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
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
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
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
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

impl Trade {
    /// Encoded size.
    pub const BYTES: usize = 24;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        Writer::new()
            .put(self.buy.number().to_le_bytes())
            .put(self.sell.number().to_le_bytes())
            .put(self.energy.wh().to_le_bytes())
            .put(self.buy_price.ticks().to_le_bytes())
            .put(self.sell_price.ticks().to_le_bytes())
            .finish()
    }

    #[allow(clippy::unnecessary_wraps, reason = "the codec's macro asks every struct alike")]
    fn from_bytes(bytes: &[u8; Self::BYTES]) -> Result<Self, Error> {
        let mut fields = Reader::new(bytes);
        Ok(Self {
            buy: Seq::from_number(fields.u32()),
            sell: Seq::from_number(fields.u32()),
            energy: Energy::from_wh(fields.u64()),
            buy_price: Price::from_ticks(fields.u32()),
            sell_price: Price::from_ticks(fields.u32()),
        })
    }
}

fixed_codec!(Trade);

/// Output of a matching rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Clearing {
    /// Matches in clearing order; settlement allocates metered energy in this order.
    pub trades: Vec<Trade>,
    /// Orders the rule withdrew (self-trade prevention of the continuous book).
    pub cancelled: Vec<Seq>,
    /// The price, if pricing is uniform and something traded.
    pub uniform_price: Option<Price>,
}
