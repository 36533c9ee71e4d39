//! How long a settlement's report can be. A rule's output has a limit; a slot whose report is longer could never be
//! settled, so terms that allow one are refused, and a market takes so many meters and no more.
//!
//! ```text
//! a trade   its settled energy, energy to the seller, surplus to the pool, each side's fee to the grid operator
//! a meter   feed-in, retail, deviation as seller, deviation as buyer
//! ```
//! A slot has at most as many trades as orders: the referee counts them, in a continuous book over all batches.

use contract_interface::{CertifiedTrade, Terms};
use runtime_primitives::limits::{MAX_ORDERS_PER_SLOT, METERS_PER_MARKET_MAX, PURE_IO_BYTES_MAX};

/// Length of a list.
const COMPACT: usize = 4;
/// Two `Ok` and the lengths of both lists.
const FRAME: usize = 2 + 2 * COMPACT;
/// An entity as a party; another party has no number.
const ENTITY: usize = 1 + 4;
const OTHER: usize = 1;
/// Amount and kind.
const AMOUNT: usize = 16 + 1;
/// A trade or a meter, and the absence of the other.
const ABOUT: usize = (1 + 4) + 1;

const ENERGY: usize = 2 * ENTITY + AMOUNT + ABOUT;
const TO_OTHER: usize = ENTITY + OTHER + AMOUNT + ABOUT;
const METER: usize = 4 * TO_OTHER;

/// The rule's input for the largest slot fits whatever the terms say: a meter is 25 bytes, rates and the rest below 100.
const _: () = assert!(
    MAX_ORDERS_PER_SLOT as usize * CertifiedTrade::BYTES + METERS_PER_MARKET_MAX as usize * 25 + 100
        <= PURE_IO_BYTES_MAX
);

/// Bytes that a trade takes at most.
fn of_trade(terms: &Terms, two_prices: bool) -> usize {
    let fee = terms.highest_fee();
    let payments = [two_prices, !fee.buyer.is_zero(), !fee.seller.is_zero()];
    size_of::<u64>() + ENERGY + payments.into_iter().filter(|is_due| *is_due).count() * TO_OTHER
}

/// Most orders a slot may have under these terms, so that the report of all their trades and of all meters that a market
/// takes can be given. `two_prices`: whether a rule of the terms may pay the seller less than the buyer pays.
pub fn orders_most(terms: &Terms, two_prices: bool) -> u32 {
    let left = PURE_IO_BYTES_MAX - FRAME - METERS_PER_MARKET_MAX as usize * METER;
    let most = u32::try_from(left / of_trade(terms, two_prices)).unwrap_or(u32::MAX);
    most.min(MAX_ORDERS_PER_SLOT)
}
