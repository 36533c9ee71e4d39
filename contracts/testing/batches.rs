//! Continuous books: operations by hand and at random, the oracle's sequences, and what rests after a batch.
//!
//! A batch's trades and withdrawals tell what rests: [`rest`] works it out as whoever keeps the book must.

use super::books::{Random, order};
use super::promises;
use super::vectors::{integer, rows};
use contract_interface::{Book, Clearing, Op, Order, Side};
use runtime_primitives::{Energy, Seq};
use serde_json::Value;
use std::collections::BTreeMap;

/// A new order.
pub fn new(seq: u32, entity: u32, side: Side, energy: u64, price: u32) -> Op {
    Op::New(order(seq, entity, side, energy, price))
}

/// A cancellation.
pub fn cancel(seq: u32, target: u32) -> Op {
    Op::Cancel { seq: Seq::from_number(seq), target: Seq::from_number(target) }
}

/// A batch on a book.
pub fn batch(resting: &[Order], ops: &[Op]) -> Book {
    Book::Continuous { resting: resting.to_vec(), ops: ops.to_vec() }
}

/// The orders that rest after a batch, ascending by seq, with what they have left.
pub fn rest(resting: &[Order], ops: &[Op], clearing: &Clearing) -> Vec<Order> {
    let mut book: BTreeMap<Seq, Order> = resting.iter().map(|order| (order.seq, *order)).collect();
    let mut cancelled = clearing.cancelled.clone();
    for op in ops {
        match op {
            Op::New(order) => _ = book.insert(order.seq, *order),
            Op::Cancel { target, .. } if book.contains_key(target) => cancelled.push(*target),
            Op::Cancel { .. } => {}
        }
    }
    for (seq, fill) in promises::fills(clearing) {
        let order = book.get_mut(&seq).unwrap();
        order.energy = Energy::from_wh(order.energy.wh() - fill);
    }
    cancelled.iter().for_each(|seq| _ = book.remove(seq));
    book.into_values().filter(|order| !order.energy.is_zero()).collect()
}

/// Random operations from `seq` on: `levels` prices, `entities` entities, and cancellations of anything.
pub fn random_ops(random: &mut Random, seq: u32, count: u32, entities: u32, levels: u32) -> Vec<Op> {
    let mut seq = seq;
    let mut ops = vec![];
    for _ in 0..count {
        seq += 1 + random.below(2);
        ops.push(if random.once_in(5) {
            cancel(seq, random.below(seq + 5))
        } else {
            let side = random.either(Side::Buy, Side::Sell);
            let energy = u64::from(1 + random.below(500));
            new(seq, random.below(entities), side, energy, 4_000 + random.below(levels))
        });
    }
    ops
}

/// A trade of an operation as the oracle writes it: resting order, energy, price.
pub type Fill = (u32, u64, u32);

/// What rests at a price: price, energy.
pub type Level = (u32, u64);

/// One sequence of operations with the oracle's results. Operations are numbered from 0.
pub struct Sequence {
    /// Its number.
    pub number: u64,
    /// The operations; every order is another entity's.
    pub ops: Vec<Op>,
    /// The fills of each operation.
    pub fills: Vec<Vec<Fill>>,
    /// The bids, then the asks that rest in the end, best first.
    pub book: [Vec<Level>; 2],
}

/// The 120 sequences of `continuous.json`.
pub fn sequences() -> Vec<Sequence> {
    let file: Value = serde_json::from_str(include_str!("../../tests/vectors/continuous.json")).unwrap();
    let sequences: Vec<Sequence> = rows(&file["cases"]).map(sequence).collect();
    assert_eq!(sequences.len(), 120);
    sequences
}

fn sequence(case: &Value) -> Sequence {
    let mut seqs = BTreeMap::new();
    let ops = (0..).zip(rows(&case["ops"])).map(|(seq, op)| {
        let id = integer(&op["id"]);
        if op["op"] == "cancel" {
            return cancel(seq, seqs[&id]);
        }
        seqs.insert(id, seq);
        let side = if op["side"] == "buy" { Side::Buy } else { Side::Sell };
        new(seq, seq, side, op["qty"].as_u64().unwrap(), integer(&op["price"]))
    });
    let ops: Vec<Op> = ops.collect();
    let fills = |result: &Value| -> Vec<Fill> {
        let fill = |row: &Value| {
            (seqs[&integer(&row["maker"])], row["qty"].as_u64().unwrap(), integer(&row["price"]))
        };
        if result["fills"].is_null() { vec![] } else { rows(&result["fills"]).map(fill).collect() }
    };
    let levels = |side: &str| -> Vec<Level> {
        rows(&case["final_book"][side]).map(|row| (integer(&row[0]), row[1].as_u64().unwrap())).collect()
    };
    Sequence {
        number: case["case"].as_u64().unwrap(),
        fills: rows(&case["results"]).map(fills).collect(),
        book: [levels("bids"), levels("asks")],
        ops,
    }
}
