//! The high-low algorithm (MARKET section 6).
//!
//! A trade exhausts its bid or its ask, so a pair meets at most once and trades are fewer than orders.

use crate::asks::Asks;
use alloc::vec::Vec;
use contract_interface::{
    Book, ClearParams, Clearing, Descriptor, INTERFACE, Order, Pricing, RuleError, Side, Trade, flags,
};
use contract_sdk::auction;
use runtime_primitives::{Energy, limits, midpoint_floor};

/// What this rule says of itself.
pub const DESCRIPTOR: Descriptor = Descriptor {
    interface: INTERFACE,
    name: *b"high-low\0\0\0\0\0\0\0\0",
    version: 1,
    pricing: Pricing::Single,
    flags_supported: flags::ALL,
    min_energy: true,
    continuous: false,
    no_residual_cross: true,
    max_orders: limits::MAX_ORDERS_PER_SLOT,
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
    let bids = auction::merit_order(&orders, Side::Buy);
    let mut asks = Asks::new(&orders);
    let mut trades = Vec::new();
    auction::with_min_energy(&orders, |left| pair(&orders, &bids, &mut asks, left, &mut trades));
    Ok(Clearing { trades, ..Clearing::default() })
}

/// Each bid in merit order takes the asks it likes best until it is filled or none is left within its limit.
fn pair(orders: &[Order], bids: &[u32], asks: &mut Asks, left: &mut [Energy], trades: &mut Vec<Trade>) {
    asks.rewind();
    trades.clear();
    for &bid in bids {
        let bid = bid as usize;
        let buyer = &orders[bid];
        while !left[bid].is_zero()
            && let Some(ask) = asks.best_for(buyer, orders, left)
        {
            let seller = &orders[ask];
            let energy = left[bid].min(left[ask]);
            left[bid] = left[bid].saturating_sub(energy);
            left[ask] = left[ask].saturating_sub(energy);
            let price = midpoint_floor(buyer.price, seller.price);
            trades.push(Trade {
                buy: buyer.seq,
                sell: seller.seq,
                energy,
                buy_price: price,
                sell_price: price,
            });
        }
    }
}
