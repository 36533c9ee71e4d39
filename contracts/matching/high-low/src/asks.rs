//! The asks as a bid looks at them: by merit, and by its preferences.
//!
//! Bids come in merit order, so an ask that is too dear for one is too dear for all that follow: no queue looks back.

use alloc::collections::BTreeMap;
use contract_interface::{Order, Side, flags};
use contract_sdk::{Queue, auction};
use runtime_primitives::{Energy, EntityId};

/// All asks of a book.
///
/// Preferences are the buyer's: `GREEN` and `PARTNER` of a bid rank asks, within its limit price. On an ask, `GREEN`
/// marks green energy and `PARTNER` has no effect: a seller must not be able to make a buyer pay more than it needs.
pub struct Asks {
    any: Queue,
    green: Queue,
    /// Of each entity that some bid names as partner: its green asks, and all its asks.
    partners: BTreeMap<EntityId, [Queue; 2]>,
}

impl Asks {
    /// Sorts the asks of `orders`.
    pub fn new(orders: &[Order]) -> Self {
        let bids = || orders.iter().filter(|order| order.side == Side::Buy);
        let mut partners: BTreeMap<EntityId, [Queue; 2]> = bids()
            .filter(|bid| bid.flags & flags::PARTNER != 0)
            .map(|bid| (bid.partner, [Queue::default(), Queue::default()]))
            .collect();
        let any = Queue::from(auction::merit_order(orders, Side::Sell));
        let is_green = |position: u32| orders[position as usize].flags & flags::GREEN != 0;
        let mut green = Queue::default();
        if bids().any(|bid| bid.flags & flags::GREEN != 0) {
            any.positions().iter().filter(|&&position| is_green(position)).for_each(|&ask| green.push(ask));
        }
        if !partners.is_empty() {
            for &position in any.positions() {
                if let Some([green, all]) = partners.get_mut(&orders[position as usize].entity) {
                    all.push(position);
                    if is_green(position) {
                        green.push(position);
                    }
                }
            }
        }
        Self { any, green, partners }
    }

    /// Starts another run.
    pub fn rewind(&mut self) {
        self.any.rewind();
        self.green.rewind();
        self.partners.values_mut().flatten().for_each(Queue::rewind);
    }

    /// Position of the ask that `bid` likes best among those with energy left, of other entities, within its limit:
    /// its partner's first, then green ones, then by price and seq.
    pub fn best_for(&mut self, bid: &Order, orders: &[Order], left: &[Energy]) -> Option<usize> {
        let wants_green = bid.flags & flags::GREEN != 0;
        let best = |queue: &mut Queue| {
            let position = queue.first_not_of(bid.entity, orders, left)?;
            (orders[position].price <= bid.price).then_some(position)
        };
        if bid.flags & flags::PARTNER != 0
            && let Some([green, all]) = self.partners.get_mut(&bid.partner)
        {
            let preferred = if wants_green { best(green) } else { None };
            if let Some(position) = preferred.or_else(|| best(all)) {
                return Some(position);
            }
        }
        let preferred = if wants_green { best(&mut self.green) } else { None };
        preferred.or_else(|| best(&mut self.any))
    }
}
