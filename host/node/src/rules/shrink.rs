//! From an input that fails to a small one that still does.
//!
//! Greedy: of the simpler inputs the first that fails is taken, until none does or the patience is used up.

use contract_interface::{Book, CertifiedTrade, Op, Order, SettleInput};
use runtime_primitives::{Energy, EntityId, Price, Seq};

/// Inputs tried for one counter-example.
const ATTEMPTS_MAX: u32 = 4_000;

/// The smallest input found that `fails`; `goes_on` ends the search early.
pub fn smallest<T>(
    found: T,
    simpler: impl Fn(&T) -> Vec<T>,
    mut fails: impl FnMut(&T) -> bool,
    goes_on: impl Fn() -> bool,
) -> T {
    let mut smallest = found;
    let mut attempts = 0;
    'search: loop {
        for candidate in simpler(&smallest) {
            attempts += 1;
            if attempts > ATTEMPTS_MAX || !goes_on() {
                return smallest;
            }
            if fails(&candidate) {
                smallest = candidate;
                continue 'search;
            }
        }
        return smallest;
    }
}

/// A list without a half, a quarter, …, a single one of its items; the largest cuts first.
fn shorter<T: Clone>(all: &[T]) -> Vec<Vec<T>> {
    let mut lists = Vec::new();
    let mut length = all.len().div_ceil(2);
    while length > 0 {
        for start in (0..all.len()).step_by(length) {
            let end = (start + length).min(all.len());
            lists.push([&all[..start], &all[end..]].concat());
        }
        length /= 2;
    }
    lists
}

/// Books a little simpler than `book`: fewer orders, less energy, no preferences, equal prices, small numbers.
pub fn simpler_books(book: &Book) -> Vec<Book> {
    match book {
        Book::Auction(orders) => {
            let mut lists = shorter(orders);
            for (at, order) in orders.iter().enumerate() {
                lists.extend(
                    simpler_orders(order, orders).into_iter().map(|order| replaced(orders, at, order)),
                );
            }
            lists.extend(renumbered(orders));
            lists.into_iter().map(Book::Auction).collect()
        }
        Book::Continuous { ops, .. } => {
            let mut lists: Vec<Vec<Op>> = shorter(ops).into_iter().map(without_orphans).collect();
            let orders: Vec<Order> = ops.iter().filter_map(new_order).collect();
            for (at, op) in ops.iter().enumerate() {
                let Some(order) = new_order(op) else { continue };
                let simpler = simpler_orders(&order, &orders).into_iter().map(Op::New);
                lists.extend(simpler.map(|op| replaced(ops, at, op)));
            }
            lists.into_iter().map(|ops| Book::Continuous { resting: Vec::new(), ops }).collect()
        }
    }
}

fn new_order(op: &Op) -> Option<Order> {
    match op {
        Op::New(order) => Some(*order),
        Op::Cancel { .. } => None,
    }
}

fn without_orphans(ops: Vec<Op>) -> Vec<Op> {
    let placed: Vec<Seq> = ops.iter().filter_map(new_order).map(|order| order.seq).collect();
    let kept = |op: &Op| !matches!(op, Op::Cancel { target, .. } if !placed.contains(target));
    ops.into_iter().filter(kept).collect()
}

fn replaced<T: Clone>(all: &[T], at: usize, one: T) -> Vec<T> {
    let mut all = all.to_vec();
    all[at] = one;
    all
}

fn simpler_orders(order: &Order, all: &[Order]) -> Vec<Order> {
    let mut simpler = Vec::new();
    let mut offer = |other: Order| {
        if other != *order {
            simpler.push(Order { min_energy: other.min_energy.min(other.energy), ..other });
        }
    };
    offer(Order { flags: 0, partner: EntityId::ZERO, ..*order });
    offer(Order { min_energy: Energy::ZERO, ..*order });
    for energy in [1, 10, order.energy.wh() / 2] {
        if energy > 0 && energy < order.energy.wh() {
            offer(Order { energy: Energy::from_wh(energy), ..*order });
        }
    }
    // The price of another order, then a round one; only downwards, so that the search ends.
    let lower = all.iter().map(|other| other.price).filter(|price| *price < order.price);
    if let Some(price) = lower.max() {
        offer(Order { price, ..*order });
    }
    for price in [5_000, 100, 1] {
        if price < order.price.ticks() {
            offer(Order { price: Price::from_ticks(price), ..*order });
        }
    }
    simpler
}

/// Seqs from 0 and entities from 1, if they are not so already.
fn renumbered(orders: &[Order]) -> Option<Vec<Order>> {
    let mut names: Vec<EntityId> = Vec::new();
    let renamed: Vec<Order> = (0u32..)
        .zip(orders)
        .map(|(seq, order)| {
            let at = names.iter().position(|name| *name == order.entity).unwrap_or_else(|| {
                names.push(order.entity);
                names.len() - 1
            });
            let entity = EntityId::from_number(u32::try_from(at + 1).unwrap_or(u32::MAX));
            Order { seq: Seq::from_number(seq), entity, meter: super::meter_of(entity), ..*order }
        })
        .collect();
    // A partner would be somebody else.
    let has_partners = orders.iter().any(|order| order.flags & contract_interface::flags::PARTNER != 0);
    (!has_partners && renamed != orders).then_some(renamed)
}

/// Slots a little simpler than `input`: fewer trades and meters, less energy.
pub fn simpler_slots(input: &SettleInput) -> Vec<SettleInput> {
    let with_trades = |trades| SettleInput { trades, ..input.clone() };
    let mut slots: Vec<SettleInput> = shorter(&input.trades).into_iter().map(with_trades).collect();
    for at in 0..input.meters.len() {
        let meter = input.meters[at];
        let used = |trade: &CertifiedTrade| [trade.buy_meter, trade.sell_meter].contains(&meter.meter);
        if !input.trades.iter().any(used) {
            let mut meters = input.meters.clone();
            meters.remove(at);
            slots.push(SettleInput { meters, ..input.clone() });
        }
        for (import_wh, export_wh) in [(Energy::ZERO, meter.export_wh), (meter.import_wh, Energy::ZERO)] {
            let simple = contract_interface::MeterSlot { import_wh, export_wh, curtailed: false, ..meter };
            if simple != meter {
                slots.push(SettleInput { meters: replaced(&input.meters, at, simple), ..input.clone() });
            }
        }
    }
    for (at, trade) in input.trades.iter().enumerate() {
        for energy in [1, 10, 100].map(Energy::from_wh) {
            if energy < trade.energy {
                let trade = CertifiedTrade { energy, ..*trade };
                slots.push(with_trades(replaced(&input.trades, at, trade)));
            }
        }
    }
    slots
}
