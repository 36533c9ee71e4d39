//! The rule against a model of four lines, on random books with every flag, and against its promises.
//!
//! The model looks at all asks for every fill; the rule must not.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_high_low::{DESCRIPTOR, Fault, clear};
use contract_interface::{Order, Pricing, RuleError, Side, flags};
use core::cmp::Reverse;
use runtime_primitives::{Energy, EntityId, Seq, midpoint_floor};
use std::collections::BTreeSet;
use std::time::Duration;
use testing::books::{PARAMS, Random, Shape, ask, bid, book, order, random_orders};
use testing::{promises, vectors};

/// One run without minimum fills: each bid, best first, takes the ask it ranks first until none is left.
fn model_run(orders: &[Order], dropped: &BTreeSet<Seq>) -> Vec<vectors::Match> {
    let mut left: Vec<u64> =
        orders.iter().map(|order| if dropped.contains(&order.seq) { 0 } else { order.energy.wh() }).collect();
    let mut bids: Vec<usize> = (0..orders.len()).filter(|&at| orders[at].side == Side::Buy).collect();
    bids.sort_by_key(|&at| (Reverse(orders[at].price), orders[at].seq));
    let mut matches = vec![];
    for bid in bids {
        let buyer = orders[bid];
        let rank = |at: &usize| {
            let seller = orders[*at];
            let partner = buyer.flags & flags::PARTNER != 0 && seller.entity == buyer.partner;
            let green = buyer.flags & seller.flags & flags::GREEN != 0;
            (!partner, !green, seller.price, seller.seq)
        };
        while left[bid] > 0 {
            let feasible = |at: &usize| {
                let seller = orders[*at];
                seller.side == Side::Sell
                    && left[*at] > 0
                    && seller.price <= buyer.price
                    && seller.entity != buyer.entity
            };
            let Some(ask) = (0..orders.len()).filter(feasible).min_by_key(rank) else { break };
            let energy = left[bid].min(left[ask]);
            left[bid] -= energy;
            left[ask] -= energy;
            let price = midpoint_floor(buyer.price, orders[ask].price);
            matches.push((buyer.seq.number(), orders[ask].seq.number(), energy, price.ticks()));
        }
    }
    matches
}

/// The model with the minimum-fill loop.
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
        let shape = Shape::small(&mut random, flags::ALL);
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
    assert_eq!(model(orders), expected, "the model, {orders:?}");
}

fn flagged(order: Order, flags: u8, partner: u32) -> Order {
    Order { flags, partner: EntityId::from_number(partner), ..order }
}

fn at_least(order: Order, energy: u64) -> Order {
    Order { min_energy: Energy::from_wh(energy), ..order }
}

#[test]
fn a_bid_prefers_its_partner_then_green_then_the_cheapest() {
    let green = flags::GREEN;
    let both = flags::GREEN | flags::PARTNER;
    let asks = [
        ask(1, 10, 40),
        flagged(ask(2, 10, 50), green, 0),
        ask(3, 10, 60),
        flagged(ask(4, 10, 70), green, 0),
    ];
    let with = |bid: Order| [&asks[..], &[bid]].concat();
    check(&with(bid(9, 20, 80)), &[(9, 1, 10, 60), (9, 2, 10, 65)]);
    check(&with(flagged(bid(9, 30, 80), green, 0)), &[(9, 2, 10, 65), (9, 4, 10, 75), (9, 1, 10, 60)]);
    check(&with(flagged(bid(9, 20, 80), flags::PARTNER, 3)), &[(9, 3, 10, 70), (9, 1, 10, 60)]);
    check(&with(flagged(bid(9, 30, 80), both, 3)), &[(9, 3, 10, 70), (9, 2, 10, 65), (9, 4, 10, 75)]);
    // Never above the limit, never with oneself, never with a partner who sells nothing.
    check(&with(flagged(bid(9, 20, 55), flags::PARTNER, 3)), &[(9, 1, 10, 47), (9, 2, 10, 52)]);
    check(&with(flagged(order(9, 3, Side::Buy, 10, 80), flags::PARTNER, 3)), &[(9, 1, 10, 60)]);
    check(&with(flagged(bid(9, 10, 80), flags::PARTNER, 77)), &[(9, 1, 10, 60)]);
    // A seller's partner makes nobody pay more.
    check(&[ask(1, 10, 40), flagged(ask(2, 10, 50), flags::PARTNER, 9), bid(9, 10, 80)], &[(9, 1, 10, 60)]);
}

#[test]
fn among_a_partners_asks_green_ones_come_first() {
    let of_five = |seq, price, flags| flagged(order(seq, 5, Side::Sell, 10, price), flags, 0);
    let orders = [
        of_five(1, 40, 0),
        of_five(2, 50, flags::GREEN),
        ask(3, 10, 30),
        flagged(bid(9, 30, 60), flags::GREEN | flags::PARTNER, 5),
    ];
    check(&orders, &[(9, 2, 10, 55), (9, 1, 10, 50), (9, 3, 10, 45)]);
}

#[test]
fn an_own_ask_is_skipped_and_stays_for_others() {
    let own = order(1, 7, Side::Sell, 10, 30);
    check(
        &[own, ask(2, 10, 40), order(3, 7, Side::Buy, 20, 80), bid(4, 20, 70)],
        &[(3, 2, 10, 60), (4, 1, 10, 50)],
    );
    check(&[own, order(3, 7, Side::Buy, 20, 80)], &[]);
}

#[test]
fn minimum_fills_drop_the_youngest_violator_first() {
    // All-or-nothing bids of 60 for 100: the younger goes, the older fills.
    check(&[ask(1, 100, 40), at_least(bid(2, 60, 80), 60), at_least(bid(3, 60, 80), 60)], &[(2, 1, 60, 60)]);
    // Dropping one can leave room for another: 3 goes and 4 takes the rest.
    check(
        &[ask(1, 100, 40), at_least(bid(2, 60, 80), 60), at_least(bid(3, 60, 70), 60), bid(4, 40, 60)],
        &[(2, 1, 60, 60), (4, 1, 40, 50)],
    );
    // An all-or-nothing ask that cannot be sold whole sells nothing.
    check(&[at_least(ask(1, 100, 40), 100), ask(2, 20, 50), bid(3, 90, 80)], &[(3, 2, 20, 65)]);
    check(&[at_least(ask(1, 100, 40), 90), ask(2, 20, 50), bid(3, 90, 80)], &[(3, 1, 90, 60)]);
}

#[test]
fn a_flagged_order_too_many_refuses_the_book() {
    let flagged = |count| (0..count).map(|seq| at_least(ask(seq, 10, 40), 10)).collect::<Vec<_>>();
    assert_eq!(clear(PARAMS, book(&flagged(65))), Err(RuleError::from(Fault::TooManyFlagged)));
    assert!(clear(PARAMS, book(&flagged(64))).is_ok());
}

#[test]
#[allow(clippy::disallowed_types, reason = "the test asks whether the work is quadratic")]
fn one_entity_on_both_sides_of_a_full_book_does_not_slow_it_down() {
    let half = DESCRIPTOR.max_orders / 2;
    let asks = (0..half).map(|seq| order(seq, 1, Side::Sell, 5, seq % 100));
    let bids = (half..2 * half - 1).map(|seq| order(seq, 1, Side::Buy, 5, 1_000 + seq % 100));
    let orders: Vec<Order> = asks.chain(bids).chain([bid(2 * half, 5, 500)]).collect();
    let start = std::time::Instant::now();
    let clearing = clear(PARAMS, book(&orders)).expect("the book is well-formed");
    assert_eq!(vectors::matches(&clearing), [(2 * half, 0, 5, 250)]);
    // A walk over its own asks for each bid would take 2.5 · 10⁹ steps.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
