//! The economic properties that the crate's documentation claims and denies: claims against random books, denials by a
//! book each.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_min_spread::{DESCRIPTOR, clear};
use testing::books::{PARAMS, ask, bid, book};
use testing::properties::{Economics, at, largest_volume, volume};

const RULE: Economics = Economics {
    descriptor: DESCRIPTOR,
    clear: |orders| clear(PARAMS, book(orders)).expect("the book is well-formed"),
};

#[test]
fn nobody_loses_and_payments_balance() {
    RULE.nobody_loses_and_payments_balance();
}

#[test]
fn volume_is_the_largest() {
    RULE.reaches(|_, clearing| volume(clearing), largest_volume);
}

#[test]
fn welfare_is_not_the_optimum() {
    RULE.misses(&[ask(1, 10, 40), ask(2, 10, 50), bid(3, 10, 60)], &[(3, 1, 10)]);
}

#[test]
fn saying_less_pays() {
    let alone = [bid(1, 10, 90), ask(2, 10, 30)];
    RULE.rewards(&alone, &[at(&alone[0], 30)], [300, 600]);
}
