//! Huang's algorithm (MARKET section 6).
//!
//! Prices come from the orders that the rule excludes: from the last levels that bids and asks above them reach.

use crate::levels::Levels;
use alloc::{vec, vec::Vec};
use contract_interface::{
    Book, ClearParams, Clearing, Descriptor, INTERFACE, Order, Pricing, RuleError, Side, flags,
};
use contract_sdk::{Owners, auction, pairing::Fills};
use runtime_primitives::{Energy, Price};

/// Most orders of a book: 65 runs over the worst of this size stay within the gas of a clearing; over one of the largest
/// slot they would not.
const MAX_ORDERS: u32 = 40_000;

/// What this rule says of itself.
pub const DESCRIPTOR: Descriptor = Descriptor {
    interface: INTERFACE,
    name: *b"huang\0\0\0\0\0\0\0\0\0\0\0",
    version: 1,
    pricing: Pricing::TwoPrice,
    flags_supported: flags::AUTO_CONFIRM,
    min_energy: true,
    continuous: false,
    no_residual_cross: false,
    max_orders: MAX_ORDERS,
};

/// Answers [`DESCRIPTOR`].
///
/// # Errors
/// None.
pub const fn describe() -> Result<Descriptor, RuleError> {
    Ok(DESCRIPTOR)
}

/// Clears a call auction.
///
/// # Errors
/// Any [`auction::Fault`] of the book.
pub fn clear(params: ClearParams, book: Book) -> Result<Clearing, RuleError> {
    let orders = auction::check(&params, book, &DESCRIPTOR)?;
    auction::total_energy(&orders)?;
    let mut market = Market::new(&orders);
    let mut prices = None;
    let cleared = auction::with_min_energy(&orders, |left| prices = market.fill(left));
    let Some(prices) = prices else { return Ok(Clearing::default()) };
    let trades = market.fills().pair(cleared.fills, prices);
    Ok(Clearing { trades, ..Clearing::default() })
}

/// A book under clearing.
struct Market<'a> {
    orders: &'a [Order],
    bids: Levels,
    asks: Levels,
    owners: Owners,
    /// What each order trades in the run under way.
    fills: Vec<Energy>,
}

impl<'a> Market<'a> {
    fn new(orders: &'a [Order]) -> Self {
        let [bids, asks] = [Side::Buy, Side::Sell].map(|side| Levels::new(orders, side));
        Self { orders, bids, asks, owners: Owners::of(orders), fills: vec![Energy::ZERO; orders.len()] }
    }

    /// The book, to be paired.
    fn fills(&self) -> Fills<'_> {
        Fills {
            orders: self.orders,
            bids: self.bids.orders(),
            asks: self.asks.orders(),
            owners: &self.owners,
        }
    }

    /// Takes from `left` what each order trades; what buyers pay and sellers get, if there is a trade.
    fn fill(&mut self, left: &mut [Energy]) -> Option<[Price; 2]> {
        self.bids.add_up(left);
        self.asks.add_up(left);
        let [bid, ask] = self.margin()?;
        let prices = [self.bids.get(bid)?.price, self.asks.get(ask)?.price];
        let traded = self.bids.energy(bid).min(self.asks.energy(ask));
        if traded.is_zero() {
            return None;
        }
        self.fills.fill(Energy::ZERO);
        self.bids.fill(bid, traded, left, &mut self.fills);
        self.asks.fill(ask, traded, left, &mut self.fills);
        let (bids, asks, owners) = (self.bids.orders(), self.asks.orders(), &self.owners);
        Fills { orders: self.orders, bids, asks, owners }.fit(&mut self.fills);
        for (left, fill) in left.iter_mut().zip(&self.fills) {
            *left = left.saturating_sub(*fill);
        }
        Some(prices)
    }

    /// The last levels of bids and asks that trade while bids are above asks.
    fn margin(&self) -> Option<[usize; 2]> {
        let (mut bid, mut ask) = (0, 0);
        let (mut bought, mut sold) = (Energy::ZERO, Energy::ZERO);
        let mut margin = None;
        while let (Some(demand), Some(supply)) = (self.bids.get(bid), self.asks.get(ask)) {
            let (wanted, offered) =
                (demand.energy.saturating_sub(bought), supply.energy.saturating_sub(sold));
            if wanted.is_zero() {
                (bid, bought) = (bid + 1, Energy::ZERO);
            } else if offered.is_zero() {
                (ask, sold) = (ask + 1, Energy::ZERO);
            } else if demand.price <= supply.price {
                break;
            } else {
                margin = Some([bid, ask]);
                let energy = wanted.min(offered);
                (bought, sold) = (bought.saturating_add(energy), sold.saturating_add(energy));
            }
        }
        margin
    }
}
