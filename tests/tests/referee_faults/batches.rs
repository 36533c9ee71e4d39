//! Batches of a continuous book: one row for each fault, then mutations of what a plain book by price and time clears.

use crate::nudges::{nudged, nudged_price, pick, seed};
use crate::testing::books::{Random, ask, bid, order};
use crate::{naive, seq, ticks, wh};
use busbar_tests::price_time::Book;
use contract_interface::{Clearing, Op, Order, Side, Trade};
use runtime_execution::referee::{ClearingFault as Fault, check_batch};
use runtime_primitives::{Energy, EntityId, Seq};

/// Books to start from; each is mutated [`MUTATIONS`] times.
const BASES: u32 = 300;
const MUTATIONS: u32 = 20;

/// Bids 1: 100 at 50, 3: 40 at 45. Ask 4: 80 at 60.
fn resting() -> Vec<Order> {
    vec![bid(1, 100, 50), bid(3, 40, 45), ask(4, 80, 60)]
}

/// Ask 10: 60 at 50. 11 takes bid 3 away. Ask 12: 60 at 40. Bid 13 by the entity of ask 4: 50 at 60. Bid 14: 30 at 62.
/// 15 takes ask 4 away, 16 an order that nobody knows. Ask 17: 5 at 60.
fn ops() -> Vec<Op> {
    vec![
        Op::New(ask(10, 60, 50)),
        Op::Cancel { seq: seq(11), target: seq(3) },
        Op::New(ask(12, 60, 40)),
        Op::New(order(13, 4, Side::Buy, 50, 60)),
        Op::New(bid(14, 30, 62)),
        Op::Cancel { seq: seq(15), target: seq(4) },
        Op::Cancel { seq: seq(16), target: seq(9) },
        Op::New(ask(17, 5, 60)),
    ]
}

fn trade(buy: u32, sell: u32, energy: u64, price: u32) -> Trade {
    let price = ticks(price);
    Trade { buy: seq(buy), sell: seq(sell), energy: wh(energy), buy_price: price, sell_price: price }
}

/// What price and time give: 20 of ask 12 go to bid 13, which then meets its own entity's ask and is withdrawn.
fn honest() -> Clearing {
    Clearing {
        trades: vec![trade(1, 10, 60, 50), trade(1, 12, 40, 50), trade(13, 12, 20, 40), trade(14, 4, 30, 60)],
        cancelled: vec![seq(13)],
        uniform_price: None,
    }
}

#[test]
fn a_plain_book_clears_the_rows_book() {
    let mut book = Book { open: resting() };
    assert_eq!(book.apply(&ops()), honest());
}

type Row = (&'static str, fn(&mut Clearing), Option<Fault>);

fn rows() -> Vec<Row> {
    let limit = |trade, ask, price, bid| {
        let (sell_price, buy_price) = (ticks(price), ticks(price));
        Some(Fault::Limit { trade, ask: ticks(ask), sell_price, buy_price, bid: ticks(bid) })
    };
    vec![
        ("honest", |_| (), None),
        (
            "not the first in the queue",
            |c| {
                c.trades[0].energy = wh(50);
                c.trades[1].energy = wh(50);
                c.trades[2].energy = wh(10);
                c.trades.insert(3, trade(13, 10, 10, 50));
            },
            None,
        ),
        ("unknown order", |c| c.trades[0].buy = seq(2), Some(Fault::UnknownOrder { trade: 0, seq: seq(2) })),
        (
            "a cancellation",
            |c| c.trades[0].buy = seq(11),
            Some(Fault::UnknownOrder { trade: 0, seq: seq(11) }),
        ),
        ("wrong side", |c| c.trades[0].buy = seq(4), Some(Fault::WrongSide { trade: 0, seq: seq(4) })),
        ("both rested", |c| c.trades.insert(0, trade(1, 4, 1, 60)), Some(Fault::BothResting { trade: 0 })),
        ("out of order", |c| c.trades.swap(0, 1), Some(Fault::OutOfOrder { trade: 1 })),
        (
            "after its cancellation",
            |c| c.trades[1] = trade(3, 12, 40, 45),
            Some(Fault::Gone { trade: 1, seq: seq(3) }),
        ),
        (
            "after the rule withdrew it",
            |c| c.trades.push(trade(13, 17, 5, 60)),
            Some(Fault::Gone { trade: 4, seq: seq(13) }),
        ),
        (
            "withdrawn though it met only others",
            |c| c.cancelled.push(seq(12)),
            Some(Fault::NoSelfTrade(seq(12))),
        ),
        (
            "pair twice",
            |c| {
                c.trades[0].energy = wh(30);
                c.trades.insert(1, trade(1, 10, 30, 50));
            },
            Some(Fault::RepeatedPair { buy: seq(1), sell: seq(10) }),
        ),
        (
            "with itself",
            |c| c.trades[3] = trade(13, 4, 30, 60),
            Some(Fault::SelfTrade { trade: 3, entity: EntityId::from_number(4) }),
        ),
        ("no energy", |c| c.trades[0].energy = wh(0), Some(Fault::ZeroEnergy { trade: 0 })),
        ("beyond a limit", |c| c.trades[1] = trade(14, 12, 1, 63), limit(1, 40, 63, 62)),
        (
            "at the later order's price",
            |c| c.trades[1] = trade(1, 12, 40, 40),
            Some(Fault::NotRestingPrice { trade: 1, resting: ticks(50) }),
        ),
        (
            "at two prices",
            |c| c.trades[1].sell_price = ticks(45),
            Some(Fault::NotRestingPrice { trade: 1, resting: ticks(50) }),
        ),
        (
            "overfilled over two trades",
            |c| c.trades[1].energy = wh(41),
            Some(Fault::Overfill { seq: seq(1), fill: wh(101), energy: wh(100) }),
        ),
        (
            "energies that overflow",
            |c| c.trades[1].energy = wh(u64::MAX),
            Some(Fault::Overfill { seq: seq(1), fill: wh(u64::MAX), energy: wh(100) }),
        ),
        ("withdrawn without reason", |c| c.cancelled.push(seq(14)), Some(Fault::NoSelfTrade(seq(14)))),
        ("withdrawn twice", |c| c.cancelled.push(seq(13)), Some(Fault::NoSelfTrade(seq(13)))),
        ("withdrawn though it rested", |c| c.cancelled.push(seq(1)), Some(Fault::NoSelfTrade(seq(1)))),
        ("a stranger withdrawn", |c| c.cancelled.push(seq(77)), Some(Fault::NoSelfTrade(seq(77)))),
        (
            "more trades than orders",
            |c| c.trades = vec![trade(1, 10, 1, 50); 9],
            Some(Fault::TooManyTrades { trades: 9, orders: 8 }),
        ),
        ("a cross is left", |c| _ = c.trades.remove(2), None),
        (
            "a cross of others is left",
            |c| c.trades[0].energy = wh(59),
            Some(Fault::ResidualCross { buy: seq(1), sell: seq(10) }),
        ),
    ]
}

#[test]
fn each_fault_of_a_batch_has_its_name() {
    for (name, forge, fault) in rows() {
        let mut clearing = honest();
        forge(&mut clearing);
        assert_eq!(check_batch(&resting(), &ops(), &clearing).err(), fault, "{name}");
        let expected = naive::clears_batch(&resting(), &ops(), &clearing);
        assert_eq!(expected, fault.is_none(), "{name}: the restatement");
    }
}

/// A book that has rested, and operations on it: few entities, so that they meet themselves.
fn random_batch(random: &mut Random) -> (Vec<Order>, Vec<Op>) {
    let (entities, levels) = (2 + random.below(8), 1 + random.below(12));
    let mut number = 0;
    let mut arrive = |random: &mut Random| {
        number += 1 + random.below(2);
        let side = random.either(Side::Buy, Side::Sell);
        let price = 3_000 + 10 * random.below(levels);
        order(number, random.below(entities), side, u64::from(1 + random.below(90)), price)
    };
    let before: Vec<Op> = (0..random.below(20)).map(|_| Op::New(arrive(random))).collect();
    let mut book = Book::default();
    book.apply(&before);
    let mut ops: Vec<Op> = Vec::new();
    for _ in 0..1 + random.below(20) {
        let next = arrive(random);
        ops.push(match random.below(4) {
            0 => Op::Cancel { seq: next.seq, target: Seq::from_number(random.below(next.seq.number())) },
            _ => Op::New(next),
        });
    }
    (book.open, ops)
}

fn mutate(random: &mut Random, orders: &[Order], clearing: &mut Clearing) {
    let any = |random: &mut Random| orders[random.below(u32::try_from(orders.len()).unwrap()) as usize];
    match random.below(11) {
        0 => clearing.cancelled.push(any(random).seq),
        1 => _ = clearing.cancelled.pop(),
        2 => {
            let (buy, sell) = (any(random), any(random));
            let energy = Energy::from_wh(u64::from(1 + random.below(50)));
            let price = random.either(buy.price, sell.price);
            let at = random.below(u32::try_from(clearing.trades.len()).unwrap() + 1) as usize;
            let (buy_price, sell_price) = (price, price);
            clearing.trades.insert(at, Trade { buy: buy.seq, sell: sell.seq, energy, buy_price, sell_price });
        }
        3 if clearing.trades.len() > 1 => {
            let at = random.below(u32::try_from(clearing.trades.len()).unwrap() - 1) as usize;
            clearing.trades.swap(at, at + 1);
        }
        4 => {
            if let Some(last) = clearing.trades.last().copied() {
                clearing.trades.push(last);
            }
        }
        5 => _ = clearing.trades.pop(),
        kind => {
            let other = any(random).seq;
            let Some(trade) = pick(random, &mut clearing.trades) else { return };
            match kind {
                6 => trade.energy = Energy::from_wh(nudged(random, trade.energy.wh())),
                7 => trade.buy_price = nudged_price(random, trade.buy_price),
                8 => {
                    trade.buy_price = nudged_price(random, trade.buy_price);
                    trade.sell_price = trade.buy_price;
                }
                9 => trade.buy = other,
                _ => trade.sell = other,
            }
        }
    }
}

#[test]
fn mutated_batches_are_judged_as_the_restatement_judges_them() {
    let seed = seed();
    let mut random = Random(seed);
    let (mut passed, mut refused, mut self_trades) = (0, 0, 0);
    for base in 0..BASES {
        let (resting, ops) = random_batch(&mut random);
        let valid = Book { open: resting.clone() }.apply(&ops);
        self_trades += valid.cancelled.len();
        assert_eq!(check_batch(&resting, &ops, &valid), Ok(()), "seed {seed}, base {base}: {ops:#?}");
        let mut orders = resting.clone();
        orders.extend(ops.iter().filter_map(|op| if let Op::New(order) = op { Some(*order) } else { None }));
        if orders.is_empty() {
            continue;
        }
        for mutation in 0..MUTATIONS {
            let mut mutated = valid.clone();
            for _ in 0..random.below(3) {
                mutate(&mut random, &orders, &mut mutated);
            }
            let verdict = check_batch(&resting, &ops, &mutated);
            let expected = naive::clears_batch(&resting, &ops, &mutated);
            assert_eq!(
                verdict.is_ok(),
                expected,
                "seed {seed}, base {base}, mutation {mutation}: {verdict:?}\n{resting:#?}\n{ops:#?}\n{mutated:#?}"
            );
            if expected { passed += 1 } else { refused += 1 }
        }
    }
    assert!(passed > BASES && refused > BASES, "{passed} passed, {refused} refused: both must be tried");
    assert!(self_trades > 20, "entities must meet themselves: {self_trades}");
}
