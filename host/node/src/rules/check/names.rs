//! Books under other names, and what they must have in common: the trades.
//!
//! A claim about names or arrival is checked on pairs of books that differ in nothing else.

use crate::rules::generate::Random;
use crate::rules::meter_of;
use contract_interface::{Book, Op, Order, Side};
use runtime_primitives::{EntityId, Price, Seq};
use std::collections::BTreeSet;

/// A book under other names: entities, meters and seqs are other numbers, and seqs ascend as before.
pub fn renamed(book: &Book, seed: u64) -> Book {
    let mut random = Random(seed);
    let (offset, factor) = (1 + random.below(1_000), 3 + 2 * random.below(50));
    // Multiplying by an odd number is one to one.
    let entity = |id: EntityId| EntityId::from_number(id.number().wrapping_mul(factor).wrapping_add(offset));
    let seq = |seq: Seq| Seq::from_number(seq.number().saturating_mul(3).saturating_add(offset));
    let order = |order: &Order| Order {
        seq: seq(order.seq),
        entity: entity(order.entity),
        meter: meter_of(entity(order.entity)),
        partner: entity(order.partner),
        ..*order
    };
    match book {
        Book::Auction(orders) => Book::Auction(orders.iter().map(order).collect()),
        Book::Continuous { ops, .. } => {
            let op = |op: &Op| match op {
                Op::New(one) => Op::New(order(one)),
                Op::Cancel { seq: at, target } => Op::Cancel { seq: seq(*at), target: seq(*target) },
            };
            Book::Continuous { resting: Vec::new(), ops: ops.iter().map(op).collect() }
        }
    }
}

/// The orders of an auction among which no two of one side have one price, in two orders of arrival: as they are, and
/// shuffled. None for a book of fewer than three.
pub fn rearranged(book: &Book, seed: u64) -> Option<(Vec<Order>, Vec<Order>)> {
    let Book::Auction(orders) = book else { return None };
    let mut seen: BTreeSet<(Side, Price)> = BTreeSet::new();
    let distinct = orders.iter().filter(|order| seen.insert((order.side, order.price)));
    let orders: Vec<Order> = distinct.copied().collect();
    let mut places: Vec<Seq> = orders.iter().map(|order| order.seq).collect();
    Random(seed).shuffle(&mut places);
    let shuffled = orders.iter().zip(places).map(|(order, seq)| Order { seq, ..*order }).collect();
    (orders.len() > 2).then_some((orders, shuffled))
}
