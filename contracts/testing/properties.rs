//! Economic properties of a rule (individual rationality, budget balance, efficiency, truthfulness), and the lies that
//! would pay if it had not got them.
//!
//! The prices of a book's orders are what energy is worth to their owners, a buyer's network fee aside. A claim is held
//! against random books small enough to try every report; a denial is a book in which the property fails.

use super::books::{Random, Shape, random_orders};
use super::promises;
use super::vectors::strangers;
use contract_interface::{Clearing, Descriptor, Order, Pricing, Side};
use runtime_primitives::{Energy, Price, Seq};
use std::collections::{BTreeMap, BTreeSet};

/// A rule as traders see it: orders in the order of their arrival, and what becomes of them.
pub struct Economics {
    /// What it says of itself.
    pub descriptor: Descriptor,
    /// Its answer to orders that ascend by seq.
    pub clear: fn(&[Order]) -> Clearing,
}

/// Random books of one claim.
const BOOKS: u64 = 1_000;

/// Total gain from trade: what buyers' energy is worth to them, less what it cost sellers.
pub fn welfare(orders: &[Order], clearing: &Clearing) -> i128 {
    let values: BTreeMap<Seq, i128> = orders.iter().map(|order| (order.seq, value(order))).collect();
    let trades = clearing.trades.iter();
    trades.map(|trade| i128::from(trade.energy.wh()) * (values[&trade.buy] - values[&trade.sell])).sum()
}

/// The largest welfare that any trading of a book has in which nobody could trade with itself: the best Wh bid for meets
/// the best Wh on offer, the second best the second best, while that gains.
pub fn optimum(orders: &[Order]) -> i128 {
    let [bids, asks] = [Side::Buy, Side::Sell].map(|side| each_wh(orders, side));
    bids.iter().zip(&asks).map(|(bid, ask)| (bid - ask).max(0)).sum()
}

/// The most energy that crossing orders of such a book can trade: the k best Wh of each side, the worst bid for with the
/// cheapest on offer, and so on upwards.
pub fn largest_volume(orders: &[Order]) -> u64 {
    let [bids, asks] = [Side::Buy, Side::Sell].map(|side| each_wh(orders, side));
    let pairs = |k: usize| bids[..k].iter().rev().zip(&asks[..k]).all(|(bid, ask)| bid >= ask);
    let most = (0..=bids.len().min(asks.len())).rev().find(|&k| pairs(k));
    most.map_or(0, |wh| wh as u64)
}

/// Energy traded, in Wh.
pub fn volume(clearing: &Clearing) -> u64 {
    clearing.trades.iter().map(|trade| trade.energy.wh()).sum()
}

/// What buyers pay less what sellers get.
pub fn surplus(clearing: &Clearing) -> i128 {
    let spread = |trade: &contract_interface::Trade| {
        i128::from(trade.buy_price.ticks()) - i128::from(trade.sell_price.ticks())
    };
    clearing.trades.iter().map(|trade| i128::from(trade.energy.wh()) * spread(trade)).sum()
}

/// What the entity of `truth` gains where orders are told as `told`; it wants, or has, what `truth` says and nothing else.
/// Energy bought beyond that is worth nothing to it.
pub fn gain(truth: &Order, told: &[Order], clearing: &Clearing) -> i128 {
    let own = |seq| told.iter().any(|order| order.seq == seq && order.entity == truth.entity);
    let (mut energy, mut received) = (0, 0);
    for trade in &clearing.trades {
        let (wh, paid) = (trade.energy.wh(), i128::from(trade.energy.wh()));
        for (side, seq, price) in
            [(Side::Buy, trade.buy, trade.buy_price), (Side::Sell, trade.sell, trade.sell_price)]
        {
            if own(seq) {
                assert_eq!(side, truth.side, "what it did not have was traded: {trade:?}");
                energy += wh;
                received += paid * i128::from(price.ticks()) * if side == Side::Buy { -1 } else { 1 };
            }
        }
    }
    let wanted = i128::from(energy.min(truth.energy.wh()));
    match truth.side {
        Side::Buy => value(truth) * wanted + received,
        Side::Sell => received - value(truth) * i128::from(energy),
    }
}

/// Whether the energy of an order is filled.
pub fn is_full(order: &Order, clearing: &Clearing) -> bool {
    promises::fills(clearing).get(&order.seq) == Some(&order.energy.wh())
}

/// The same order at another price.
pub fn at(order: &Order, price: u32) -> Order {
    Order { price: Price::from_ticks(price), ..*order }
}

/// `orders` with `told` in place of those with its seqs, or added.
pub fn telling(orders: &[Order], told: &[Order]) -> Vec<Order> {
    let by_seq: BTreeMap<Seq, Order> = orders.iter().chain(told).map(|order| (order.seq, *order)).collect();
    by_seq.into_values().collect()
}

impl Economics {
    /// Whoever tells the truth loses by no order, whatever else is in the book; buyers pay what sellers get, or more if
    /// the rule has two prices.
    pub fn nobody_loses_and_payments_balance(&self) {
        let mut traded = 0;
        for seed in 0..BOOKS {
            let mut random = Random(seed);
            let shape = Shape::small(&mut random, self.descriptor.flags_supported);
            let minimums = if self.descriptor.min_energy { shape.minimums } else { 0 };
            let orders = random_orders(&mut random, Shape { minimums, ..shape });
            let clearing = (self.clear)(&orders);
            let each = strangers(&orders);
            for order in &each {
                assert!(gain(order, &each, &clearing) >= 0, "seed {seed}: {order:?} loses");
            }
            let surplus = surplus(&clearing);
            let balanced =
                if self.descriptor.pricing == Pricing::TwoPrice { surplus >= 0 } else { surplus == 0 };
            assert!(balanced, "seed {seed}: buyers pay {surplus} more than sellers get");
            traded += u64::from(!clearing.trades.is_empty());
        }
        assert!(traded > BOOKS / 3, "{traded} books trade");
    }

    /// `measure` of a clearing is what `best` says of its book, where nobody has a bid that reaches its own ask, nobody a
    /// minimum and nobody a preference.
    pub fn reaches<T: PartialEq + core::fmt::Debug>(
        &self,
        measure: fn(&[Order], &Clearing) -> T,
        best: fn(&[Order]) -> T,
    ) {
        let (mut traded, mut both_sides) = (0, 0);
        for seed in 0..BOOKS {
            let orders = few_wh(&mut Random(seed));
            if orders.iter().any(|order| promises::crosses_itself(&orders, order)) {
                continue;
            }
            let clearing = (self.clear)(&orders);
            assert_eq!(measure(&orders, &clearing), best(&orders), "seed {seed} {orders:?}");
            traded += u64::from(!clearing.trades.is_empty());
            let own = |side, entity| orders.iter().any(|o| (o.side, o.entity) == (side, entity));
            both_sides +=
                u64::from(orders.iter().any(|o| own(Side::Buy, o.entity) && own(Side::Sell, o.entity)));
        }
        assert!(
            traded > BOOKS / 3 && both_sides > BOOKS / 20,
            "{traded} books trade, {both_sides} with both"
        );
    }

    /// No price but the true one gains anybody more, among the reports that `counts` lets through: of an order, at a price,
    /// where the truth would have cleared so. Everybody has one order, without a minimum.
    pub fn no_price_lie_pays(&self, counts: fn(&[Order], &Order, Price, &Clearing) -> bool) {
        let (mut lies, mut harmful) = (0, 0);
        for seed in 0..BOOKS {
            let orders = strangers(&few_wh(&mut Random(seed)));
            let truth = (self.clear)(&orders);
            for order in &orders {
                let honest = gain(order, &orders, &truth);
                for price in reports(&orders) {
                    if order.price == price || !counts(&orders, order, price, &truth) {
                        continue;
                    }
                    let told = telling(&orders, &[Order { price, ..*order }]);
                    let lying = gain(order, &told, &(self.clear)(&told));
                    assert!(
                        lying <= honest,
                        "seed {seed}: {order:?} says {price:?}: {honest} → {lying}, {orders:?}"
                    );
                    lies += 1;
                    harmful += u64::from(lying < honest);
                }
            }
        }
        assert!(lies > 5 * BOOKS && harmful > BOOKS, "{lies} lies, {harmful} of them punished");
    }

    /// The property fails: in this book the rule reaches less welfare than the trades `better` (bid, ask, Wh), which are
    /// open to it: between different entities within limits, energies and minimums.
    pub fn misses(&self, orders: &[Order], better: &[(u32, u32, u64)]) {
        let by_seq = |seq| orders.iter().find(|order| order.seq.number() == seq).unwrap();
        let trade = |&(buy, sell, wh): &(u32, u32, u64)| {
            let (buyer, seller) = (by_seq(buy), by_seq(sell));
            let (buy, sell, energy) = (buyer.seq, seller.seq, Energy::from_wh(wh));
            contract_interface::Trade { buy, sell, energy, buy_price: buyer.price, sell_price: seller.price }
        };
        let better = Clearing { trades: better.iter().map(trade).collect(), ..Clearing::default() };
        promises::respects_orders(orders, &better, Pricing::TwoPrice);
        let found = (self.clear)(orders);
        assert!(welfare(orders, &found) < welfare(orders, &better), "{found:?}");
    }

    /// The property fails: who has what the first order of this book says gains `gains[0]` by saying so, and `gains[1]`
    /// where it says `told` instead.
    pub fn rewards(&self, orders: &[Order], told: &[Order], gains: [i128; 2]) {
        let truth = &orders[0];
        assert!(told.iter().all(|order| order.entity == truth.entity) && gains[0] < gains[1]);
        let lie = telling(orders, told);
        let found = [orders, &lie].map(|told| gain(truth, told, &(self.clear)(told)));
        assert_eq!(found, gains, "{orders:?} {told:?}");
    }
}

/// What a Wh of the order is worth to its owner, in ticks.
fn value(order: &Order) -> i128 {
    i128::from(order.price.ticks())
}

/// What each Wh of one side is worth, best first.
fn each_wh(orders: &[Order], side: Side) -> Vec<i128> {
    let own = orders.iter().filter(|order| order.side == side);
    let mut values: Vec<i128> = own.flat_map(|order| (0..order.energy.wh()).map(|_| value(order))).collect();
    values.sort_unstable();
    if side == Side::Buy {
        values.reverse();
    }
    values
}

/// A book of 2 to 11 orders of 1 to 5 Wh without minimums and preferences, of few or many entities and prices.
fn few_wh(random: &mut Random) -> Vec<Order> {
    let orders = 2 + random.below(10);
    let few = 2 + random.below(4);
    let entities = random.either(few, 3 * orders);
    let levels = random.either(3, 30);
    let mut orders = random_orders(random, Shape { orders, entities, levels, minimums: 0, flags: 0 });
    for order in &mut orders {
        order.energy = Energy::from_wh(1 + order.energy.wh() % 5);
    }
    orders
}

/// Every price that a rule could tell from another in this book: each order's, and one tick beside it.
fn reports(orders: &[Order]) -> BTreeSet<Price> {
    let beside = |ticks: u32| [ticks - 1, ticks, ticks + 1].map(Price::from_ticks);
    orders.iter().flat_map(|order| beside(order.price.ticks())).collect()
}
