//! A continuous book by price and time, as slowly and plainly as it can be said: what rule and referee are held to.
//!
//! It shares types with the market, never a line of its code.

use contract_interface::{Clearing, Op, Order, Side, Trade};
use runtime_primitives::Energy;

/// A book between operations.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Open orders in the order of arrival; `energy` is what remains.
    pub open: Vec<Order>,
}

impl Book {
    /// Apply `ops` in order: what traded, and what was withdrawn because it met its own entity's order.
    pub fn apply(&mut self, ops: &[Op]) -> Clearing {
        let mut clearing = Clearing::default();
        for op in ops {
            match op {
                Op::New(order) => self.arrive(*order, &mut clearing),
                Op::Cancel { target, .. } => self.open.retain(|order| order.seq != *target),
            }
        }
        clearing
    }

    fn arrive(&mut self, mut new: Order, clearing: &mut Clearing) {
        while !new.energy.is_zero() {
            let Some(best) = self.best_against(&new) else {
                self.open.push(new);
                return;
            };
            let old = &mut self.open[best];
            if old.entity == new.entity {
                clearing.cancelled.push(new.seq);
                return;
            }
            let energy = new.energy.min(old.energy);
            let (buy, sell) = if new.side == Side::Buy { (new.seq, old.seq) } else { (old.seq, new.seq) };
            clearing.trades.push(Trade { buy, sell, energy, buy_price: old.price, sell_price: old.price });
            old.energy = left(old.energy, energy);
            new.energy = left(new.energy, energy);
            self.open.retain(|order| !order.energy.is_zero());
        }
    }

    /// The best order that `new` crosses: price, then time.
    fn best_against(&self, new: &Order) -> Option<usize> {
        let crossing = (0..self.open.len()).filter(|index| {
            let old = &self.open[*index];
            old.side != new.side
                && if new.side == Side::Buy { old.price <= new.price } else { old.price >= new.price }
        });
        crossing.min_by_key(|index| {
            let old = &self.open[*index];
            let ticks = old.price.ticks();
            (if new.side == Side::Buy { ticks } else { u32::MAX - ticks }, old.seq)
        })
    }
}

fn left(energy: Energy, part: Energy) -> Energy {
    energy.checked_sub(part).expect("a part")
}
