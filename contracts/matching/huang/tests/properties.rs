//! The economic properties that the crate's documentation claims and denies: claims against random books, denials by a
//! book each.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_huang::{DESCRIPTOR, clear};
use contract_interface::{Clearing, Order, Side};
use runtime_primitives::Energy;
use testing::books::{PARAMS, ask, bid, book, order};
use testing::properties::{Economics, at, gain, is_full, surplus, telling, volume};

const RULE: Economics = Economics {
    descriptor: DESCRIPTOR,
    clear: |orders| clear(PARAMS, book(orders)).expect("the book is well-formed"),
};

#[test]
fn nobody_loses_and_the_pool_never_pays() {
    RULE.nobody_loses_and_payments_balance();
    let orders = [bid(1, 10, 90), bid(2, 10, 60), ask(3, 10, 10), ask(4, 10, 40)];
    assert_eq!(surplus(&(RULE.clear)(&orders)), 10 * (60 - 40));
}

#[test]
fn the_marginal_pair_is_given_up() {
    RULE.misses(&[bid(1, 10, 90), ask(2, 10, 10)], &[(1, 2, 10)]);
}

/// Whether an order trades less than it has although its price is better than the margin.
fn is_rationed(order: &Order, clearing: &Clearing) -> bool {
    let Some(trade) = clearing.trades.first() else { return false };
    let is_in = match order.side {
        Side::Buy => order.price > trade.buy_price,
        Side::Sell => order.price < trade.sell_price,
    };
    is_in && !is_full(order, clearing)
}

#[test]
fn no_price_lie_pays_whoever_is_not_rationed() {
    RULE.no_price_lie_pays(|_, order, _, truth| !is_rationed(order, truth));
}

/// A marginal bid at 50 and a marginal ask at 40, behind the orders of a book.
fn with_margin(orders: &[Order]) -> Vec<Order> {
    [orders, &[bid(90, 99, 50), ask(91, 99, 40)]].concat()
}

#[test]
fn who_is_rationed_gains_by_joining_a_larger_level_or_passing_another() {
    let small = with_margin(&[bid(1, 10, 90), bid(2, 30, 80), ask(3, 20, 10)]);
    RULE.rewards(&small, &[at(&small[0], 80)], [0, 5 * 40]);
    let odd = with_margin(&[bid(1, 10, 80), bid(2, 10, 90), ask(3, 19, 10)]);
    RULE.rewards(&odd, &[at(&odd[0], 91)], [9 * 30, 10 * 30]);
}

#[test]
fn a_false_energy_pays() {
    // More than is wanted, where the long side gives up; less, where the next level is a better margin.
    let long = with_margin(&[bid(1, 10, 90), bid(2, 10, 80), ask(3, 10, 10)]);
    RULE.rewards(&long, &[Order { energy: Energy::from_wh(14), ..long[0] }], [5 * 40, 7 * 40]);
    let large = [bid(1, 10, 90), bid(2, 5, 70), bid(3, 5, 30), ask(4, 9, 10), ask(5, 6, 20)];
    RULE.rewards(&large, &[Order { energy: Energy::from_wh(9), ..large[0] }], [9 * 20, 7 * 60]);
}

#[test]
fn own_orders_at_the_margin_set_the_price() {
    let alone = [bid(1, 10, 90), ask(2, 10, 10)];
    let margin = [order(3, 1, Side::Buy, 1, 12), order(4, 1, Side::Sell, 1, 11)];
    RULE.rewards(&alone, &margin, [0, 10 * 78]);
}

#[test]
fn who_counts_on_the_pools_refund_bids_above_its_value() {
    let orders =
        [bid(1, 10, 60), bid(2, 10, 70), bid(3, 10, 65), ask(4, 10, 10), ask(5, 10, 20), ask(6, 10, 40)];
    // The pool goes back pro rata to the energy of buyers and sellers.
    let with_refund = |told: &[Order]| {
        let clearing = (RULE.clear)(told);
        let bought = clearing.trades.iter().filter(|trade| trade.buy == orders[0].seq);
        let energy: u64 = bought.map(|trade| trade.energy.wh()).sum();
        let refund = surplus(&clearing) * i128::from(energy) / i128::from(2 * volume(&clearing));
        gain(&orders[0], told, &clearing) + refund
    };
    let lie = telling(&orders, &[at(&orders[0], 66)]);
    assert_eq!([&orders[..], &lie].map(with_refund), [0, -50 + 125]);
}
