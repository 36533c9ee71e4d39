//! The rule against the oracle: the worked example and all 120 books, trade by trade.
//!
//! Also the promises that hold for any book, on the oracle's.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_interface::Pricing;
use contract_min_spread::clear;
use testing::{books, promises, vectors};

#[test]
fn all_books_clear_as_the_oracle_says() {
    for case in vectors::oracles() {
        let clearing =
            clear(books::PARAMS, books::book(&case.orders)).expect("the oracle's books are well-formed");
        assert_eq!(vectors::matches(&clearing), case.matches("min_spread"), "{}", case.name);
        promises::respects_orders(&case.orders, &clearing, Pricing::Single);
        promises::leaves_no_cross(&case.orders, &clearing);
    }
}
