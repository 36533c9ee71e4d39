//! Orders and books: by hand, and at random from one seed.
//!
//! A seed gives the same book on every machine; a failing test prints it.

use contract_interface::{Book, ClearParams, INTERFACE, Order, Side, flags};
use runtime_primitives::{Energy, EntityId, MarketId, MeterId, Price, Seq, Slot};

/// Parameters that admit any price.
pub const PARAMS: ClearParams = ClearParams {
    interface: INTERFACE,
    market: MarketId::ZERO,
    slot: Slot::ZERO,
    batch: 0,
    slot_minutes: 15,
    tick_size: Price::from_ticks(1),
    price_min: Price::ZERO,
    price_max: Price::MAX,
};

/// An order of entity `entity`; its meter has the same number.
pub fn order(seq: u32, entity: u32, side: Side, energy: u64, price: u32) -> Order {
    Order {
        seq: Seq::from_number(seq),
        entity: EntityId::from_number(entity),
        meter: MeterId::from_number(entity),
        side,
        energy: Energy::from_wh(energy),
        min_energy: Energy::ZERO,
        price: Price::from_ticks(price),
        flags: 0,
        partner: EntityId::ZERO,
    }
}

/// An ask of entity = seq.
pub fn ask(seq: u32, energy: u64, price: u32) -> Order {
    order(seq, seq, Side::Sell, energy, price)
}

/// A bid of entity = seq.
pub fn bid(seq: u32, energy: u64, price: u32) -> Order {
    order(seq, seq, Side::Buy, energy, price)
}

/// A book of these orders, which must ascend by seq.
pub fn book(orders: &[Order]) -> Book {
    Book::Auction(orders.to_vec())
}

/// splitmix64.
pub struct Random(pub u64);

impl Random {
    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.bits() % u64::from(bound)).unwrap()
    }

    /// One of two, evenly.
    pub fn either<T>(&mut self, first: T, second: T) -> T {
        if self.bits() & 1 == 0 { first } else { second }
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }
}

/// How a random book looks.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Number of orders.
    pub orders: u32,
    /// Number of entities that share them.
    pub entities: u32,
    /// Number of price levels.
    pub levels: u32,
    /// Orders with a minimum fill, at most.
    pub minimums: u32,
    /// Flags that orders may carry.
    pub flags: u8,
}

impl Shape {
    /// A small book whose shape follows from the seed: few or many entities, ties, minimum fills.
    pub fn small(random: &mut Random, flags: u8) -> Self {
        let orders = 2 + random.below(60);
        let entities = random.either(5, orders);
        let levels = random.either(4, 5_000);
        let minimums = random.either(1, 20);
        Self {
            orders,
            entities: 1 + random.below(entities),
            levels: 1 + random.below(levels),
            minimums: random.below(minimums),
            flags,
        }
    }
}

/// A random book of this shape, ascending by seq with gaps.
pub fn random_orders(random: &mut Random, shape: Shape) -> Vec<Order> {
    let mut seq = 0;
    let mut minimums = 0;
    (0..shape.orders)
        .map(|_| {
            seq += 1 + random.below(3);
            let side = random.either(Side::Buy, Side::Sell);
            let price = 3_000 + random.below(shape.levels);
            let energy = u64::from(1 + random.below(5_000));
            let mut order = order(seq, random.below(shape.entities), side, energy, price);
            order.flags = flags::ALL & shape.flags & u8::try_from(random.below(8)).unwrap();
            order.partner = EntityId::from_number(random.below(shape.entities));
            if minimums < shape.minimums && random.once_in(2) {
                minimums += 1;
                let part = 1 + random.bits() % energy;
                let least = random.either(energy, part);
                order.min_energy = Energy::from_wh(least);
            }
            order
        })
        .collect()
}
