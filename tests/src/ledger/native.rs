//! The market rules as ordinary functions: what the accountant clears a book with.
//!
//! A rule that ships gets its line in [`native_rules`]; without it no slot that it cleared can be audited.

use super::{At, Matching};
use crate::artifacts;
use contract_interface::{Book, ClearParams, Clearing, Descriptor, Order, RuleError, Terms, Trade, flags};
use runtime_primitives::Hash;
use std::collections::BTreeMap;

/// The matching rules that ship, by code hash.
pub fn native_rules() -> BTreeMap<Hash, Matching> {
    let named: [(&[u8], Matching); 4] = [
        (artifacts::HIGH_LOW, |terms, at, orders| {
            auction(&contract_high_low::DESCRIPTOR, contract_high_low::clear, terms, at, orders)
        }),
        (artifacts::MIN_SPREAD, |terms, at, orders| {
            auction(&contract_min_spread::DESCRIPTOR, contract_min_spread::clear, terms, at, orders)
        }),
        (artifacts::UNIFORM_PRICE, |terms, at, orders| {
            auction(&contract_uniform_price::DESCRIPTOR, contract_uniform_price::clear, terms, at, orders)
        }),
        (artifacts::HUANG, |terms, at, orders| {
            auction(&contract_huang::DESCRIPTOR, contract_huang::clear, terms, at, orders)
        }),
    ];
    named.into_iter().map(|(code, rule)| (artifacts::hash(code), rule)).collect()
}

/// A matching rule's own function.
type Clear = fn(ClearParams, Book) -> Result<Clearing, RuleError>;

/// A fallback reads a book that was taken for another rule: what binds nobody and it does not know is left out, and an
/// order whose least fill it would not honour does not take part.
fn auction(
    rule: &Descriptor,
    clear: Clear,
    terms: &Terms,
    (market, slot): At,
    orders: &[Order],
) -> Vec<Trade> {
    let known = rule.flags_supported | flags::AUTO_CONFIRM;
    let taken = orders.iter().filter(|order| rule.min_energy || order.min_energy.is_zero());
    let book = taken.map(|order| Order { flags: order.flags & known, ..*order }).collect();
    let params = terms.clear_params(market, slot, 0);
    clear(params, Book::Auction(book)).expect("a book of the chain clears").trades
}
