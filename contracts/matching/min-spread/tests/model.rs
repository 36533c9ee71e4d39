//! The rule against a model that lists and sorts all feasible pairs, and against its promises.
//!
//! The model is the rule as MARKET writes it down; it needs memory for every pair.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_interface::{Order, Pricing, RuleError, Side, flags};
use contract_min_spread::{DESCRIPTOR, Fault, clear};
use runtime_primitives::{Energy, Seq, midpoint_floor};
use std::collections::BTreeSet;
use testing::books::{PARAMS, Random, Shape, ask, bid, book, order, random_orders};
use testing::{promises, vectors};

fn model_run(orders: &[Order], dropped: &BTreeSet<Seq>) -> Vec<vectors::Match> {
    let mut left: Vec<u64> =
        orders.iter().map(|order| if dropped.contains(&order.seq) { 0 } else { order.energy.wh() }).collect();
    let mut pairs = vec![];
    for (bid, buyer) in orders.iter().enumerate().filter(|(_, order)| order.side == Side::Buy) {
        for (ask, seller) in orders.iter().enumerate().filter(|(_, order)| order.side == Side::Sell) {
            if buyer.price >= seller.price && buyer.entity != seller.entity {
                let spread = buyer.price.ticks() - seller.price.ticks();
                pairs.push((spread, buyer.seq.max(seller.seq), buyer.seq, seller.seq, bid, ask));
            }
        }
    }
    pairs.sort();
    let mut matches = vec![];
    for (_, _, buy, sell, bid, ask) in pairs {
        let energy = left[bid].min(left[ask]);
        if energy > 0 {
            left[bid] -= energy;
            left[ask] -= energy;
            let price = midpoint_floor(orders[bid].price, orders[ask].price);
            matches.push((buy.number(), sell.number(), energy, price.ticks()));
        }
    }
    matches
}

fn model(orders: &[Order]) -> Vec<vectors::Match> {
    let mut dropped = BTreeSet::new();
    loop {
        let matches = model_run(orders, &dropped);
        let filled = |seq: Seq| -> u64 {
            let mine = |m: &&vectors::Match| m.0 == seq.number() || m.1 == seq.number();
            matches.iter().filter(mine).map(|m| m.2).sum()
        };
        let violated = |order: &&Order| (1..order.min_energy.wh()).contains(&filled(order.seq));
        match orders.iter().filter(violated).map(|order| order.seq).max() {
            Some(seq) => dropped.insert(seq),
            None => return matches,
        };
    }
}

#[test]
fn random_books_clear_as_the_model_says_and_keep_every_promise() {
    for seed in 0..1_500 {
        let mut random = Random(seed);
        let shape = Shape::small(&mut random, flags::AUTO_CONFIRM);
        let orders = random_orders(&mut random, shape);
        let clearing = clear(PARAMS, book(&orders)).expect("the book is well-formed");
        assert_eq!(vectors::matches(&clearing), model(&orders), "seed {seed} {shape:?}");
        assert_eq!(clear(PARAMS, book(&orders)), Ok(clearing.clone()), "seed {seed}");
        promises::respects_orders(&orders, &clearing, Pricing::Single);
        promises::leaves_no_cross(&orders, &clearing);
    }
}

fn check(orders: &[Order], expected: &[vectors::Match]) {
    let clearing = clear(PARAMS, book(orders)).expect("the book is well-formed");
    assert_eq!(vectors::matches(&clearing), expected, "{orders:?}");
}

#[test]
fn the_smallest_spread_trades_first_and_ties_go_to_the_oldest_pair() {
    check(&[ask(1, 10, 40), ask(2, 10, 50), bid(3, 10, 60)], &[(3, 2, 10, 55)]);
    check(
        &[ask(1, 10, 50), ask(2, 10, 50), bid(3, 10, 60), bid(4, 10, 60)],
        &[(3, 1, 10, 55), (4, 2, 10, 55)],
    );
    // Equal spreads 20−15 and 10−5: the pair whose younger order is older goes first.
    check(&[ask(1, 10, 5), ask(2, 10, 15), bid(3, 10, 20), bid(4, 10, 10)], &[(3, 2, 10, 17), (4, 1, 10, 7)]);
    check(
        &[order(1, 7, Side::Sell, 10, 50), ask(2, 10, 40), order(3, 7, Side::Buy, 10, 60)],
        &[(3, 2, 10, 50)],
    );
}

#[test]
fn an_order_with_a_minimum_is_filled_enough_or_not_at_all() {
    let whole = |order: Order| Order { min_energy: order.energy, ..order };
    check(&[whole(ask(1, 100, 50)), ask(2, 30, 40), bid(3, 60, 60)], &[(3, 2, 30, 50)]);
    let most = Order { min_energy: Energy::from_wh(60), ..ask(1, 100, 50) };
    check(&[most, ask(2, 30, 40), bid(3, 60, 60)], &[(3, 1, 60, 55)]);
}

#[test]
fn preferences_and_large_books_are_refused() {
    let green = Order { flags: flags::GREEN, ..ask(1, 10, 40) };
    assert_eq!(clear(PARAMS, book(&[green])), Err(RuleError::UnsupportedFlag(1)));
    let count = DESCRIPTOR.max_orders + 1;
    let orders: Vec<Order> = (0..count).map(|seq| ask(seq, 10, 40)).collect();
    assert_eq!(clear(PARAMS, book(&orders)), Err(Fault::TooManyOrders(count).into()));
    assert!(clear(PARAMS, book(&orders[1..])).is_ok());
}
