//! The economic properties that the crate's documentation claims and denies: claims against random books, denials by
//! a book each.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_high_low::{DESCRIPTOR, clear};
use contract_interface::{Order, Side, flags};
use testing::books::{PARAMS, ask, bid, book, order};
use testing::properties::{Economics, at, largest_volume, optimum, volume, welfare};

const RULE: Economics = Economics {
    descriptor: DESCRIPTOR,
    clear: |orders| clear(PARAMS, book(orders)).expect("the book is well-formed"),
};

#[test]
fn nobody_loses_and_payments_balance() {
    RULE.nobody_loses_and_payments_balance();
}

#[test]
fn welfare_is_the_optimum() {
    RULE.reaches(welfare, optimum);
}

#[test]
fn preferences_minimums_and_own_orders_cost_welfare() {
    let green = |order: Order| Order { flags: flags::GREEN, ..order };
    RULE.misses(&[ask(1, 10, 40), green(ask(2, 10, 50)), green(bid(3, 10, 60))], &[(3, 1, 10)]);
    let whole = |order: Order| Order { min_energy: order.energy, ..order };
    RULE.misses(&[ask(1, 10, 10), bid(2, 5, 90), whole(bid(3, 10, 80))], &[(3, 1, 10)]);
    let [own_ask, own_bid] =
        [(2, Side::Sell, 30), (3, Side::Buy, 80)].map(|(s, side, p)| order(s, 7, side, 10, p));
    RULE.misses(&[ask(1, 10, 20), own_ask, own_bid, bid(4, 10, 90)], &[(4, 2, 10), (3, 1, 10)]);
}

#[test]
fn volume_is_not_the_largest() {
    let orders = [ask(1, 10, 50), ask(2, 10, 90), bid(3, 10, 60), bid(4, 10, 100)];
    assert_eq!([volume(&(RULE.clear)(&orders)), largest_volume(&orders)], [10, 20]);
}

#[test]
fn saying_less_pays_and_saying_more_pays() {
    let alone = [bid(1, 10, 90), ask(2, 10, 30)];
    RULE.rewards(&alone, &[at(&alone[0], 30)], [300, 600]);
    let second = [bid(1, 10, 80), ask(2, 10, 10), bid(3, 10, 90)];
    RULE.rewards(&second, &[at(&second[0], 91)], [0, 300]);
}
