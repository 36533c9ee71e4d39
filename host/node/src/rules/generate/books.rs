//! Random books, one shape after the other: first the smallest, then ties, one-entity books, edges and preferences.
//!
//! Energies stay within what a connection can move in a slot, so that no sum of a full book leaves 64 bits.

use super::Random;
use crate::rules::meter_of;
use contract_interface::{Book, Descriptor, Op, Order, Side, flags};
use runtime_primitives::{Energy, EntityId, Price, Seq};

/// How a book is made.
#[derive(Clone, Copy, Debug)]
struct Shape {
    orders: u32,
    entities: u32,
    levels: u32,
    /// Of 100 orders, bids.
    bids: u32,
    /// Lowest ask over lowest bid: above `levels` nothing crosses.
    gap: u32,
    extremes: bool,
    preferences: bool,
    /// One order in so many is entity 1's; 0 for none beyond its share.
    dominated: bool,
}

const PLAIN: Shape = Shape {
    orders: 30,
    entities: 30,
    levels: 2_000,
    bids: 50,
    gap: 0,
    extremes: false,
    preferences: false,
    dominated: false,
};

/// Names of the shapes, in the order in which cases take them.
pub const SHAPES: [&str; 10] = [
    "empty",
    "a pair",
    "mixed",
    "ties",
    "one price",
    "one entity has most",
    "one side only",
    "nothing crosses",
    "edges",
    "preferences and minimums",
];

fn shape(random: &mut Random, number: u32) -> Shape {
    let orders = 2 + random.below(40);
    let kinds = u32::try_from(SHAPES.len()).expect("ten");
    let plain = Shape { orders, entities: 1 + random.below(orders), ..PLAIN };
    match number % kinds {
        0 => Shape { orders: 0, ..plain },
        1 => Shape { orders: 2, entities: 5, levels: 4, ..plain },
        2 => plain,
        3 => Shape { levels: 1 + random.below(4), ..plain },
        4 => Shape { levels: 1, ..plain },
        5 => Shape { dominated: true, ..plain },
        6 => Shape { bids: *random.pick(&[0, 5, 95, 100]), ..plain },
        7 => Shape { gap: 2_001, ..plain },
        8 => Shape { extremes: true, ..plain },
        _ => Shape { preferences: true, entities: 1 + random.below(6), levels: 200, ..plain },
    }
}

/// Orders with a minimum in one book: fewer than any rule of the SDK accepts.
const MINIMUMS_MAX: u32 = 20;
/// What the strongest connection moves in the longest slot: 2³² W in 2¹⁶ minutes.
const ENERGY_WH_MAX: u64 = 1 << 42;

/// Book number `number` for a rule that says `rule` of itself.
pub fn book(random: &mut Random, number: u32, rule: &Descriptor) -> Book {
    let shape = shape(random, number);
    let orders = shape.orders.min(rule.max_orders);
    let mut seq = random.below(3);
    let mut minimums = 0;
    let mut next = |random: &mut Random| {
        seq += 1 + random.below(3);
        let mut order = order(random, shape, rule, Seq::from_number(seq));
        if rule.min_energy && shape.preferences && minimums < MINIMUMS_MAX && random.once_in(3) {
            minimums += 1;
            let least = 1 + random.bits() % order.energy.wh();
            order.min_energy = *random.pick(&[order.energy, Energy::from_wh(least)]);
        }
        order
    };
    if !rule.continuous {
        return Book::Auction((0..orders).map(|_| next(random)).collect());
    }
    let (mut ops, mut placed) = (Vec::new(), Vec::new());
    while ops.len() < orders as usize {
        if !placed.is_empty() && random.once_in(4) {
            // Of an order that may be filled or gone.
            let target = *random.pick(&placed);
            ops.push(Op::Cancel { seq: next(random).seq, target });
        } else {
            let order = Order { min_energy: Energy::ZERO, ..next(random) };
            placed.push(order.seq);
            ops.push(Op::New(order));
        }
    }
    Book::Continuous { resting: Vec::new(), ops }
}

fn order(random: &mut Random, shape: Shape, rule: &Descriptor, seq: Seq) -> Order {
    let side = if random.below(100) < shape.bids { Side::Buy } else { Side::Sell };
    let mut price = 3_000 + random.below(shape.levels) + if side == Side::Sell { shape.gap } else { 0 };
    let mut energy = 1 + u64::from(random.below(5_000));
    if shape.extremes {
        price = *random.pick(&[0, 1, u32::MAX - 1, u32::MAX, price]);
        energy = *random.pick(&[1, 2, ENERGY_WH_MAX - 1, ENERGY_WH_MAX, energy]);
    }
    let mut number = 1 + random.below(shape.entities);
    if shape.dominated && !random.once_in(4) {
        number = 1;
    }
    let mut held = if random.once_in(3) { flags::AUTO_CONFIRM } else { 0 };
    let partner = EntityId::from_number(1 + random.below(shape.entities));
    if shape.preferences {
        // Two in four have none.
        held |= rule.flags_supported
            & *random.pick(&[0, flags::GREEN, flags::PARTNER, flags::GREEN | flags::PARTNER]);
    }
    let entity = EntityId::from_number(number);
    Order {
        seq,
        entity,
        meter: meter_of(entity),
        side,
        energy: Energy::from_wh(energy),
        min_energy: Energy::ZERO,
        price: Price::from_ticks(price),
        flags: held,
        partner: if held & flags::PARTNER != 0 { partner } else { EntityId::ZERO },
    }
}
