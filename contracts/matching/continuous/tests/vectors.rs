//! The rule against the oracle: all 120 sequences of operations, fill by fill, and the book that rests in the end.
//!
//! Each as one batch, and an operation at a time.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_continuous::clear;
use contract_interface::{Clearing, Op, Order, Side};
use testing::batches::{Fill, Level, Sequence, batch, rest, sequences};
use testing::books::PARAMS;

fn cleared(resting: &[Order], ops: &[Op]) -> Clearing {
    clear(PARAMS, batch(resting, ops)).expect("the oracle's operations are well-formed")
}

/// The fills of each of `count` operations: a trade belongs to the younger of its orders.
fn fills(clearing: &Clearing, count: usize) -> Vec<Vec<Fill>> {
    let mut fills = vec![vec![]; count];
    for trade in &clearing.trades {
        let (maker, taker) = (trade.buy.min(trade.sell), trade.buy.max(trade.sell));
        fills[taker.number() as usize].push((maker.number(), trade.energy.wh(), trade.sell_price.ticks()));
    }
    fills
}

/// What rests on one side, best first.
fn levels(book: &[Order], side: Side) -> Vec<Level> {
    let mut orders: Vec<Level> = book
        .iter()
        .filter(|order| order.side == side)
        .map(|order| (order.price.ticks(), order.energy.wh()))
        .collect();
    orders.sort_by_key(|level| if side == Side::Buy { !level.0 } else { level.0 });
    let mut levels: Vec<Level> = vec![];
    for (price, energy) in orders {
        match levels.last_mut() {
            Some(last) if last.0 == price => last.1 += energy,
            _ => levels.push((price, energy)),
        }
    }
    levels
}

fn check_book(book: &[Order], case: &Sequence) {
    for (side, expected) in [Side::Buy, Side::Sell].into_iter().zip(&case.book) {
        assert_eq!(&levels(book, side), expected, "case {} {side:?}", case.number);
    }
}

#[test]
fn all_sequences_trade_as_the_oracle_says() {
    for case in sequences() {
        let clearing = cleared(&[], &case.ops);
        assert_eq!(fills(&clearing, case.ops.len()), case.fills, "case {}", case.number);
        assert!(clearing.cancelled.is_empty() && clearing.uniform_price.is_none());
        check_book(&rest(&[], &case.ops, &clearing), &case);
    }
}

#[test]
fn an_operation_at_a_time_gives_the_same() {
    for case in sequences() {
        let mut book = vec![];
        for (at, op) in case.ops.iter().enumerate() {
            let clearing = cleared(&book, &[*op]);
            assert_eq!(fills(&clearing, case.ops.len())[at], case.fills[at], "case {} op {at}", case.number);
            book = rest(&book, &[*op], &clearing);
        }
        check_book(&book, &case);
    }
}
