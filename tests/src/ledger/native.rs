//! The market rules as ordinary functions: what the accountant clears a book with.
//!
//! A rule that ships gets its line in [`native_rules`]; without it no slot that it cleared can be audited.

use super::{At, Matching};
use crate::artifacts;
use contract_interface::{Book, ClearParams, Clearing, Order, RuleError, Terms, Trade};
use runtime_primitives::Hash;
use std::collections::BTreeMap;

/// The matching rules that ship, by code hash.
pub fn native_rules() -> BTreeMap<Hash, Matching> {
    let named: [(&[u8], Matching); 2] = [
        (artifacts::HIGH_LOW, |terms, at, orders| auction(contract_high_low::clear, terms, at, orders)),
        (artifacts::MIN_SPREAD, |terms, at, orders| auction(contract_min_spread::clear, terms, at, orders)),
    ];
    named.into_iter().map(|(code, rule)| (artifacts::hash(code), rule)).collect()
}

/// A matching rule's own function.
type Clear = fn(ClearParams, Book) -> Result<Clearing, RuleError>;

fn auction(clear: Clear, terms: &Terms, (market, slot): At, orders: &[Order]) -> Vec<Trade> {
    let params = terms.clear_params(market, slot, 0);
    clear(params, Book::Auction(orders.to_vec())).expect("a book of the chain clears").trades
}
