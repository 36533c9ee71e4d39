//! The economic properties that the crate's documentation claims and denies: claims against random books, denials by a
//! book each.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_interface::{Order, Side};
use contract_uniform_price::{DESCRIPTOR, clear};
use runtime_primitives::Energy;
use testing::books::{PARAMS, ask, bid, book, order};
use testing::properties::{Economics, at, optimum, welfare};

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
fn minimums_and_own_orders_cost_welfare() {
    let whole = |order: Order| Order { min_energy: order.energy, ..order };
    RULE.misses(&[ask(1, 10, 10), bid(2, 5, 90), whole(bid(3, 10, 80))], &[(3, 1, 10)]);
    // Both pairs would trade, but at no single price.
    let [own_bid, own_ask] =
        [(1, Side::Buy, 90), (2, Side::Sell, 30)].map(|(s, side, p)| order(s, 7, side, 10, p));
    RULE.misses(&[own_bid, own_ask, ask(3, 10, 70), bid(4, 10, 50)], &[(1, 3, 10), (4, 2, 10)]);
}

#[test]
fn bidding_above_ones_value_or_asking_below_ones_cost_never_pays() {
    RULE.no_price_lie_pays(|_, order, price, _| match order.side {
        Side::Buy => price > order.price,
        Side::Sell => price < order.price,
    });
}

#[test]
fn saying_less_pays() {
    let alone = [bid(1, 10, 90), ask(2, 10, 20)];
    RULE.rewards(&alone, &[at(&alone[0], 20)], [350, 700]);
    // Also who is far from the margin, and by energy as well as by price.
    let two = [bid(1, 10, 90), bid(2, 10, 80), ask(3, 10, 20), ask(4, 10, 30)];
    RULE.rewards(&two, &[at(&two[0], 31)], [350, 600]);
    let large = [bid(1, 10, 90), bid(2, 2, 50), ask(3, 11, 10)];
    RULE.rewards(&large, &[Order { energy: Energy::from_wh(8), ..large[0] }], [400, 640]);
}

#[test]
fn an_own_order_that_nobody_fills_moves_the_price() {
    let alone = [ask(1, 10, 20), bid(2, 10, 90)];
    RULE.rewards(&alone, &[order(3, 1, Side::Buy, 10, 89)], [350, 690]);
}
