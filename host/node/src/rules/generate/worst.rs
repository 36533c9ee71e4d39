//! The dearest full books: what a market's registration tries, and what is known to cost rules most.
//!
//! Each fills a market to the order, because a rule that is too dear there takes its market down with it.

use crate::rules::meter_of;
use contract_interface::{Book, Descriptor, Op, Order, Side, flags};
use runtime_primitives::{Energy, EntityId, Price, Seq};

/// A way to fill a book.
#[derive(Clone, Copy)]
pub struct WorstBook {
    /// What it is.
    pub name: &'static str,
    make: fn(u32) -> Book,
}

impl WorstBook {
    /// It with `count` orders or operations.
    pub fn of(&self, count: u32) -> Book {
        (self.make)(count)
    }
}

/// The books that a rule which says `rule` of itself may be sent.
pub fn worst_books(rule: &Descriptor) -> Vec<WorstBook> {
    let book = |name, make| WorstBook { name, make };
    if rule.continuous {
        return vec![
            book("every order meets the one before", |count| ops(count, alternating)),
            book("one side, then the other sweeps it", |count| ops(count, swept)),
            book("prices in the worst order", |count| ops(count, worst_sorted)),
            book("nothing but own orders", |count| ops(count, all_own)),
            book("every order is withdrawn", withdrawn),
        ];
    }
    let mut books = vec![
        book("everything crosses", |count| auction(count, alternating)),
        book("one price", |count| auction(count, one_price)),
        book("prices in the worst order", |count| auction(count, worst_sorted)),
        book("one entity has most", |count| auction(count, dominated)),
        book("nothing but own orders", |count| auction(count, all_own)),
    ];
    if rule.min_energy {
        books.push(book("64 minimums found wanting one by one", |count| auction(count, wanting)));
    }
    if rule.flags_supported & flags::PARTNER != 0 {
        books.push(book("everybody has a partner", |count| auction(count, partnered)));
    }
    books
}

fn auction(count: u32, make: fn(u32, u32) -> Order) -> Book {
    Book::Auction((0..count).map(|number| make(number, count)).collect())
}

fn ops(count: u32, make: fn(u32, u32) -> Order) -> Book {
    Book::Continuous {
        resting: Vec::new(),
        ops: (0..count).map(|number| Op::New(make(number, count))).collect(),
    }
}

fn withdrawn(count: u32) -> Book {
    let op = |number: u32| {
        if number < count / 2 {
            return Op::New(worst_sorted(number, count));
        }
        let seq = Seq::from_number(number);
        Op::Cancel { seq, target: Seq::from_number(number - count / 2) }
    };
    Book::Continuous { resting: Vec::new(), ops: (0..count).map(op).collect() }
}

fn order(number: u32, entity: u32, side: Side, price: u32) -> Order {
    let entity = EntityId::from_number(entity);
    Order {
        seq: Seq::from_number(number),
        entity,
        meter: meter_of(entity),
        side,
        energy: Energy::from_wh(1_000 + u64::from(number.wrapping_mul(7_919) % 997)),
        min_energy: Energy::ZERO,
        price: Price::from_ticks(price),
        flags: 0,
        partner: EntityId::ZERO,
    }
}

const fn turn(number: u32) -> Side {
    if number.is_multiple_of(2) { Side::Buy } else { Side::Sell }
}

const fn half(number: u32, count: u32) -> Side {
    if number < count / 2 { Side::Sell } else { Side::Buy }
}

fn alternating(number: u32, _: u32) -> Order {
    let price = if turn(number) == Side::Buy { 9_000 } else { 3_000 };
    order(number, number, turn(number), price)
}

fn one_price(number: u32, _: u32) -> Order {
    order(number, number, turn(number), 5_000)
}

fn swept(number: u32, count: u32) -> Order {
    let side = half(number, count);
    let price = if side == Side::Buy { 9_000_000 } else { 1 + number % 50_000 };
    order(number, number, side, price)
}

/// Each better than all before it.
fn worst_sorted(number: u32, count: u32) -> Order {
    let price = match turn(number) {
        Side::Buy => 1_000_000 + number,
        Side::Sell => 500_000 + count - number,
    };
    order(number, number, turn(number), price)
}

fn dominated(number: u32, _: u32) -> Order {
    let entity = if number.is_multiple_of(10) { number } else { 1 };
    let price = if turn(number) == Side::Buy { 6_000 + number % 1_000 } else { 3_000 + number % 1_000 };
    order(number, entity, turn(number), price)
}

fn all_own(number: u32, count: u32) -> Order {
    let side = half(number, count);
    let price = if side == Side::Buy { 5_000_000 + number } else { 1_000 + number };
    order(number, 1, side, price)
}

fn wanting(number: u32, count: u32) -> Order {
    let side = half(number, count);
    if number < count.min(64) && side == Side::Sell {
        let energy = Energy::from_wh(1 << 40);
        return Order { energy, min_energy: energy, ..order(number, number, side, 1 + number) };
    }
    let price = if side == Side::Sell { 4_000 + number % 100 } else { 5_000 + number % 100 };
    Order {
        energy: Energy::from_wh(if side == Side::Sell { 3 } else { 2 }),
        ..order(number, number, side, price)
    }
}

fn partnered(number: u32, count: u32) -> Order {
    let partner = EntityId::from_number((number + 1) % count.max(1));
    Order { flags: flags::ALL, partner, ..alternating(number, count) }
}
