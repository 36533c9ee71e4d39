//! A batch of a continuous book, as pure functions: what it is given, what its clearing does to the orders, and what
//! is signed of it.
//!
//! The chain and whoever runs a slot again use the same functions, so a batch's input follows from the slot's
//! operations and the batches before it, and from nothing else.

use super::BookEntry;
use super::rules::{readable_book, readable_order};
use crate::archive::ClearingRecord;
use crate::storage::FixedSize;
use contract_interface::{Book, ClearParams, Clearing, Descriptor, Op, Order};
use parity_scale_codec::{Decode, DecodeAll, Encode};
use runtime_primitives::{Energy, Gas, Hash, Seq, blake2_256, merkle_root};
use scale_info::TypeInfo;
use std::collections::BTreeMap;

/// What stands in a place of a continuous book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum PlaceKind {
    /// An order.
    Order = 0,
    /// An order whose cancellation has a place further on.
    Leaving = 1,
    /// A cancellation.
    Cancellation = 2,
}

/// A place of a continuous book beside its [`BookEntry`], which keeps the order as it was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Place {
    /// What stands here.
    pub kind: PlaceKind,
    /// The order: this one, or the one that is cancelled.
    pub order: Seq,
    /// What is open of the order; nothing at a cancellation.
    pub remaining: Energy,
}

impl FixedSize for Place {
    const BYTES: usize = 1 + 4 + 8;
}

impl Place {
    /// Whether the order's cancellation has a place already.
    pub const fn is_leaving(&self) -> bool {
        matches!(self.kind, PlaceKind::Leaving)
    }

    /// The operation of this place.
    pub fn op(&self, seq: Seq, order: &Order) -> Op {
        match self.kind {
            PlaceKind::Order | PlaceKind::Leaving => Op::New(*order),
            PlaceKind::Cancellation => Op::Cancel { seq, target: self.order },
        }
    }
}

/// A batch that was cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BatchRecord {
    /// The operations up to here, this one not among them, are cleared.
    pub end: Seq,
    /// Whether the fallback cleared it.
    pub fallback: bool,
    /// Gas used.
    pub gas: Gas,
    /// blake2-256 of the SCALE encoding of the rule's answer.
    pub output: Hash,
}

impl FixedSize for BatchRecord {
    const BYTES: usize = 4 + 1 + 8 + 32;
}

impl BatchRecord {
    /// The record of a batch that is archived, or `None` if it is the archive of something else.
    pub fn of(archived: &ClearingRecord) -> Option<Self> {
        let (_, book) = <(ClearParams, Book)>::decode_all(&mut &archived.input[..]).ok()?;
        let Book::Continuous { ops, .. } = book else { return None };
        let end = op_seq(ops.last()?).next();
        let output = blake2_256(&archived.output);
        Some(Self { end, fallback: archived.fallback, gas: archived.gas, output })
    }
}

/// What validators sign that they ran a continuous slot on: its operations (the root of stage 1) and its batches.
pub fn input_root(operations: &Hash, batches: &[BatchRecord]) -> Hash {
    blake2_256(&(operations, merkle_root(batches.iter().map(Encode::encode))).encode())
}

/// The place of an operation.
pub const fn op_seq(op: &Op) -> Seq {
    match op {
        Op::New(order) => order.seq,
        Op::Cancel { seq, .. } => *seq,
    }
}

/// A book with new operations, as a rule can read it: `resting` orders and `ops` ascending by seq, the former first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Orders in the book; `energy` is what is open.
    pub resting: Vec<Order>,
    /// What happened since.
    pub ops: Vec<Op>,
}

impl Batch {
    /// The batch as `rule` can read it; see [`readable_book`].
    pub fn readable(rule: &Descriptor, resting: &[Order], ops: &[Op]) -> Self {
        let read = |op: &Op| match op {
            Op::New(order) => Op::New(readable_order(rule, order)),
            Op::Cancel { .. } => *op,
        };
        Self { resting: readable_book(rule, resting), ops: ops.iter().map(read).collect() }
    }

    /// The arguments of `clear`.
    pub fn input(&self, params: &ClearParams) -> Vec<u8> {
        // As `Book::Continuous` encodes, without a copy of the book.
        let mut input = params.encode();
        input.push(1);
        self.resting.encode_to(&mut input);
        self.ops.encode_to(&mut input);
        input
    }
}

/// What a batch does to an order that it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The order; `energy` is what was open before the batch, or what it came with.
    pub order: Order,
    /// What is open now.
    pub remaining: Energy,
    /// What was open when it was withdrawn, by its owner or by the rule.
    pub withdrawn: Option<Energy>,
}

/// What `clearing`, which the referee has passed, does to the orders of a batch, ascending by seq. Orders that just
/// rest are not named.
pub fn changes(resting: &[Order], ops: &[Op], clearing: &Clearing) -> Vec<Change> {
    let mut touched: BTreeMap<Seq, (Energy, bool)> = BTreeMap::new();
    for trade in &clearing.trades {
        for seq in [trade.buy, trade.sell] {
            let fill = &mut touched.entry(seq).or_default().0;
            *fill = fill.saturating_add(trade.energy);
        }
    }
    let cancelled = ops.iter().filter_map(|op| match op {
        Op::Cancel { target, .. } => Some(*target),
        Op::New(_) => None,
    });
    for seq in cancelled.chain(clearing.cancelled.iter().copied()) {
        touched.entry(seq).or_default().1 = true;
    }
    let change = |(seq, (fill, leaves)): (Seq, (Energy, bool))| {
        let order = find(resting, ops, seq)?;
        let open = order.energy.saturating_sub(fill);
        let remaining = if leaves { Energy::ZERO } else { open };
        Some(Change { order, remaining, withdrawn: leaves.then_some(open) })
    };
    touched.into_iter().filter_map(change).collect()
}

fn find(resting: &[Order], ops: &[Op], seq: Seq) -> Option<Order> {
    if let Ok(index) = resting.binary_search_by_key(&seq, |order| order.seq) {
        return Some(resting[index]);
    }
    match ops.get(ops.binary_search_by_key(&seq, op_seq).ok()?)? {
        Op::New(order) => Some(*order),
        Op::Cancel { .. } => None,
    }
}

/// The book after a batch.
pub fn next_resting(resting: Vec<Order>, ops: &[Op], changes: &[Change]) -> Vec<Order> {
    let new = ops.iter().filter_map(|op| match op {
        Op::New(order) => Some(*order),
        Op::Cancel { .. } => None,
    });
    let after = |mut order: Order| {
        if let Ok(index) = changes.binary_search_by_key(&order.seq, |change| change.order.seq) {
            order.energy = changes[index].remaining;
        }
        (!order.energy.is_zero()).then_some(order)
    };
    resting.into_iter().chain(new).filter_map(after).collect()
}

/// The operations of a slot, from its places.
pub fn ops_of(entries: &[BookEntry], places: &[Place]) -> Vec<Op> {
    let places = entries.iter().zip(places);
    places.map(|(entry, place)| place.op(entry.order.seq, &entry.order)).collect()
}
