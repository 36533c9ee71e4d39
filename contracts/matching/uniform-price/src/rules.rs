//! The uniform-price algorithm (MARKET section 6).
//!
//! How much each order trades follows from both curves; who trades with whom does not matter to the price.

use crate::curves::Curves;
use alloc::vec::Vec;
use contract_interface::{Book, ClearParams, Clearing, Descriptor, INTERFACE, Pricing, RuleError, flags};
use contract_sdk::auction;
use runtime_primitives::limits;

/// What this rule says of itself.
pub const DESCRIPTOR: Descriptor = Descriptor {
    interface: INTERFACE,
    name: *b"uniform-price\0\0\0",
    version: 1,
    pricing: Pricing::Uniform,
    flags_supported: flags::AUTO_CONFIRM,
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
    auction::total_energy(&orders)?;
    let curves = Curves::new(&orders);
    let mut before = Vec::new();
    let cleared = auction::with_min_energy(&orders, |left| curves.fill(left, &mut before));
    let Some(price) = curves.price(&cleared) else { return Ok(Clearing::default()) };
    let trades = curves.fills().pair(cleared.fills, [price, price]);
    Ok(Clearing { trades, uniform_price: Some(price), ..Clearing::default() })
}
