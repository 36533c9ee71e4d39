//! The rule against a model that looks at all resting orders for every fill, and against its promises.
//!
//! Random batches have few entities, so that orders meet their own entity's.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_continuous::{DESCRIPTOR, Fault, clear};
use contract_interface::{Book, ClearParams, Clearing, Op, Order, Pricing, RuleError, Side, flags};
use runtime_primitives::{Energy, Seq};
use std::time::Duration;
use testing::batches::{batch, cancel, new, random_ops, rest};
use testing::books::{PARAMS, Random, ask, bid, book, order};
use testing::{promises, vectors};

/// Matches, withdrawals and the book in the end.
type Outcome = (Vec<vectors::Match>, Vec<u32>, Vec<Order>);

fn model(resting: &[Order], ops: &[Op]) -> Outcome {
    let (mut book, mut matches, mut withdrawn) = (resting.to_vec(), vec![], vec![]);
    for op in ops {
        let mut taker = match op {
            Op::Cancel { target, .. } => {
                book.retain(|order| order.seq != *target);
                continue;
            }
            Op::New(order) => *order,
        };
        loop {
            let merit = |order: &&mut Order| match order.side {
                Side::Buy => (!order.price.ticks(), order.seq),
                Side::Sell => (order.price.ticks(), order.seq),
            };
            let reaches = |maker: &&mut Order| match taker.side {
                Side::Buy => maker.side == Side::Sell && maker.price <= taker.price,
                Side::Sell => maker.side == Side::Buy && maker.price >= taker.price,
            };
            let Some(maker) = book.iter_mut().filter(reaches).min_by_key(merit) else {
                book.push(taker);
                break;
            };
            if maker.entity == taker.entity {
                withdrawn.push(taker.seq.number());
                break;
            }
            let energy = maker.energy.min(taker.energy);
            maker.energy = maker.energy.saturating_sub(energy);
            taker.energy = taker.energy.saturating_sub(energy);
            let (buy, sell) = if taker.side == Side::Buy { (&taker, &*maker) } else { (&*maker, &taker) };
            matches.push((buy.seq.number(), sell.seq.number(), energy.wh(), maker.price.ticks()));
            book.retain(|order| !order.energy.is_zero());
            if taker.energy.is_zero() {
                break;
            }
        }
    }
    (matches, withdrawn, book)
}

fn cleared(resting: &[Order], ops: &[Op]) -> Clearing {
    clear(PARAMS, batch(resting, ops)).expect("the batch is well-formed")
}

fn outcome(resting: &[Order], ops: &[Op]) -> Outcome {
    let clearing = cleared(resting, ops);
    let withdrawn = clearing.cancelled.iter().map(|seq| seq.number()).collect();
    (vectors::matches(&clearing), withdrawn, rest(resting, ops, &clearing))
}

/// All orders of a batch.
fn orders(resting: &[Order], ops: &[Op]) -> Vec<Order> {
    let new = ops.iter().filter_map(|op| if let Op::New(order) = op { Some(*order) } else { None });
    resting.iter().copied().chain(new).collect()
}

#[test]
fn random_batches_trade_as_the_model_says_and_keep_every_promise() {
    let mut withdrawn = 0;
    for seed in 0..400 {
        let mut random = Random(seed);
        let (entities, levels) = (1 + random.below(12), 1 + random.below(60));
        let mut resting = vec![];
        for batch in 0..6 {
            let count = random.below(40);
            let ops = random_ops(&mut random, batch * 1_000, count, entities, levels);
            let expected = model(&resting, &ops);
            assert_eq!(outcome(&resting, &ops), expected, "seed {seed} batch {batch}");
            let clearing = cleared(&resting, &ops);
            let orders = orders(&resting, &ops);
            promises::respects_orders(&orders, &Clearing { cancelled: vec![], ..clearing }, Pricing::Single);
            promises::leaves_no_cross(&expected.2, &Clearing::default());
            withdrawn += expected.1.len();
            resting = expected.2;
        }
    }
    assert!(withdrawn > 1_000, "{withdrawn}");
}

#[test]
fn batches_may_be_cut_anywhere() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let ops = random_ops(&mut random, 0, 60, 6, 30);
        let whole = outcome(&[], &ops);
        let (mut matches, mut withdrawn, mut book) = (vec![], vec![], vec![]);
        let mut rest_of_ops = &ops[..];
        while !rest_of_ops.is_empty() {
            let length = random.below(u32::try_from(rest_of_ops.len()).expect("short")) as usize + 1;
            let (now, later) = rest_of_ops.split_at(length);
            let part = outcome(&book, now);
            matches.extend(part.0);
            withdrawn.extend(part.1);
            (book, rest_of_ops) = (part.2, later);
        }
        assert_eq!((matches, withdrawn, book), whole, "seed {seed}");
    }
}

/// Trades as (bid, ask, energy, price), and the orders withdrawn.
fn check(resting: &[Order], ops: &[Op], trades: &[vectors::Match], withdrawn: &[u32]) {
    let (got, gone, book) = outcome(resting, ops);
    assert_eq!((&got[..], &gone[..]), (trades, withdrawn), "{resting:?} {ops:?}");
    assert_eq!(model(resting, ops), (got, gone, book), "the model, {resting:?} {ops:?}");
}

use Side::{Buy, Sell};

#[test]
fn the_best_price_trades_first_then_the_oldest_at_the_resting_price() {
    let resting = [ask(1, 10, 50), ask(2, 10, 40), ask(3, 10, 40)];
    check(&resting, &[new(9, 9, Buy, 25, 60)], &[(9, 2, 10, 40), (9, 3, 10, 40), (9, 1, 5, 50)], &[]);
    check(&resting, &[new(9, 9, Buy, 25, 45)], &[(9, 2, 10, 40), (9, 3, 10, 40)], &[]);
    // What is left of 9 rests and is a price of its own.
    let ops = [new(9, 9, Buy, 25, 45), new(10, 10, Sell, 9, 30)];
    check(&resting, &ops, &[(9, 2, 10, 40), (9, 3, 10, 40), (9, 10, 5, 45)], &[]);
    check(
        &[bid(1, 10, 50), bid(2, 10, 60)],
        &[new(9, 9, Sell, 15, 1)],
        &[(2, 9, 10, 60), (1, 9, 5, 50)],
        &[],
    );
}

#[test]
fn an_order_that_meets_its_own_entity_is_withdrawn() {
    let own = order(2, 7, Sell, 10, 45);
    // At once; after a part; not if the price is not reached, or if it is filled before.
    check(&[own], &[new(9, 7, Buy, 5, 60)], &[], &[9]);
    check(&[ask(1, 4, 40), own], &[new(9, 7, Buy, 5, 60)], &[(9, 1, 4, 40)], &[9]);
    check(&[ask(1, 5, 40), own], &[new(9, 7, Buy, 5, 60)], &[(9, 1, 5, 40)], &[]);
    check(&[own], &[new(9, 7, Buy, 5, 44)], &[], &[]);
    // It is the newest that goes: the older order trades on, and what was withdrawn trades no more.
    let ops = [new(9, 7, Buy, 5, 60), new(10, 10, Sell, 5, 60), new(11, 11, Buy, 10, 45)];
    check(&[own], &ops, &[(11, 2, 10, 45)], &[9]);
    // An own order further behind does not matter to one that does not get there.
    check(&[own, ask(3, 10, 45)], &[new(9, 7, Buy, 5, 60)], &[], &[9]);
    check(&[ask(1, 10, 45), own], &[new(9, 7, Buy, 10, 60)], &[(9, 1, 10, 45)], &[]);
    // Once the own order is cancelled, nothing is in the way.
    check(&[own, ask(3, 10, 45)], &[cancel(8, 2), new(9, 7, Buy, 5, 60)], &[(9, 3, 5, 45)], &[]);
}

#[test]
fn a_cancellation_takes_what_rests_and_nothing_else() {
    let buy = |seq| new(seq, seq, Buy, 10, 60);
    check(&[ask(1, 10, 50)], &[cancel(8, 1), buy(9)], &[], &[]);
    // In the same batch; after a part; too late; of an order to come, of a cancellation, of itself, of nothing.
    check(&[], &[new(7, 7, Sell, 10, 50), cancel(8, 7), buy(9)], &[], &[]);
    let ops = [new(7, 7, Sell, 4, 50), cancel(8, 1), buy(9), new(10, 10, Sell, 6, 60)];
    check(&[bid(1, 10, 55)], &ops, &[(1, 7, 4, 55), (9, 10, 6, 60)], &[]);
    check(&[ask(1, 10, 50)], &[buy(8), cancel(9, 1)], &[(8, 1, 10, 50)], &[]);
    let ops = [cancel(2, 9), cancel(3, 2), cancel(4, 4), cancel(5, 99), buy(9)];
    check(&[ask(1, 10, 50)], &ops, &[(9, 1, 10, 50)], &[]);
    // Of one that was withdrawn.
    let own = order(2, 7, Sell, 10, 45);
    check(&[own], &[new(9, 7, Buy, 5, 60), cancel(10, 9)], &[], &[9]);
}

#[test]
fn batches_the_rule_cannot_clear_are_refused() {
    let refuses = |resting: &[Order], ops: &[Op], fault: Fault| {
        assert_eq!(clear(PARAMS, batch(resting, ops)), Err(RuleError::from(fault)), "{fault:?}");
    };
    let good = ask(1, 10, 50);
    let at_least = Order { min_energy: Energy::from_wh(1), ..bid(2, 10, 5) };
    let green = Order { flags: flags::GREEN, ..bid(2, 10, 5) };
    let consents = Order { flags: flags::AUTO_CONFIRM, ..bid(2, 10, 5) };
    assert!(clear(PARAMS, batch(&[good], &[Op::New(consents)])).is_ok());
    refuses(&[good], &[Op::New(at_least)], Fault::Unsupported(Seq::from_number(2)));
    refuses(&[good], &[Op::New(green)], Fault::Unsupported(Seq::from_number(2)));
    refuses(&[green], &[], Fault::Unsupported(Seq::from_number(2)));
    refuses(&[good], &[new(2, 2, Buy, 0, 5)], Fault::ZeroEnergy);
    refuses(&[ask(1, 0, 5)], &[], Fault::ZeroEnergy);
    refuses(&[good, good], &[], Fault::NotAscending);
    refuses(&[good], &[new(1, 2, Buy, 1, 5)], Fault::NotAscending);
    refuses(&[good], &[cancel(3, 1), cancel(3, 1)], Fault::NotAscending);
    refuses(&[good, bid(2, 1, 50)], &[], Fault::Crossed);
    refuses(&[order(1, 7, Sell, 1, 50), order(2, 7, Buy, 1, 50)], &[], Fault::Crossed);
    let most = DESCRIPTOR.max_orders;
    let cancels: Vec<Op> = (2..most + 3).map(|seq| cancel(seq, 0)).collect();
    refuses(&[], &cancels, Fault::TooManyOrders(most + 1));
    assert!(clear(PARAMS, batch(&[good], &cancels[1..])).is_ok());
    let news: Vec<Op> = (2..most + 2).map(|seq| new(seq, seq, Buy, 1, 5)).collect();
    refuses(&[good], &news, Fault::TooManyOrders(most + 1));
    assert_eq!(clear(PARAMS, book(&[good])), Err(RuleError::from(Fault::Auction)));
    let params = ClearParams { interface: 7, ..PARAMS };
    assert_eq!(clear(params, batch(&[], &[])), Err(RuleError::UnsupportedInterface(7)));
}

#[test]
#[allow(clippy::disallowed_types, reason = "the test asks whether the work is quadratic")]
fn a_full_book_and_a_full_batch_take_linear_time() {
    let half = DESCRIPTOR.max_orders / 2;
    let resting: Vec<Order> = (0..half).map(|seq| ask(seq, 5, 1_000 + seq % 100)).collect();
    // One bid for the whole book, orders of one entity against each other, cancellations.
    let mut ops = vec![new(half, half, Buy, u64::from(half) * 5, 2_000)];
    ops.extend((half + 1..2 * half).map(|seq| match seq % 3 {
        0 => cancel(seq, seq - 1),
        1 => new(seq, 1, Sell, 5, 2_000 - seq % 7),
        _ => new(seq, 1, Buy, 5, 2_000),
    }));
    let start = std::time::Instant::now();
    let clearing = cleared(&resting, &ops);
    assert_eq!(clearing.trades.len(), half as usize);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(matches!(batch(&resting, &ops), Book::Continuous { .. }));
}
