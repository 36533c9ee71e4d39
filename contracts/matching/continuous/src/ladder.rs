//! One side of the book: who is next in line.
//!
//! Orders that rest at the start are sorted once and read from the front; a heap holds those that came to rest since. So
//! n resting orders cost O(n), however many of them trade, and k operations O(k log k).

use alloc::{collections::BinaryHeap, vec::Vec};
use contract_interface::{Order, Side};
use contract_sdk::auction;
use core::cmp::Reverse;
use runtime_primitives::{Energy, Price};

/// Orders of one side by merit, each by its position in the book.
pub struct Ladder {
    side: Side,
    resting: Vec<u32>,
    head: usize,
    arrived: BinaryHeap<Reverse<u64>>,
}

impl Ladder {
    /// The orders of `side` that rest at the start.
    pub fn new(resting: &[Order], side: Side) -> Self {
        Self { side, resting: auction::merit_order(resting, side), head: 0, arrived: BinaryHeap::new() }
    }

    /// Puts an order in line.
    pub fn add(&mut self, price: Price, position: u32) {
        self.arrived.push(Reverse(self.key(price, position)));
    }

    /// Position of the best order with energy left; `resting` are the orders at the start.
    pub fn best(&mut self, resting: &[Order], left: &[Energy]) -> Option<u32> {
        let at = |index: usize| self.resting.get(index).copied();
        while at(self.head).is_some_and(|position| left[position as usize].is_zero()) {
            self.head += 1;
        }
        while self.arrived.peek().is_some_and(|top| left[position_of(top.0) as usize].is_zero()) {
            self.arrived.pop();
        }
        let head = at(self.head).map(|position| self.key(resting[position as usize].price, position));
        let top = self.arrived.peek().map(|top| top.0);
        let best = match (head, top) {
            (Some(head), Some(top)) => head.min(top),
            (head, top) => head.or(top)?,
        };
        Some(position_of(best))
    }

    /// Smaller is better: the price, then who came first.
    fn key(&self, price: Price, position: u32) -> u64 {
        let ticks = price.ticks();
        let rank = if self.side == Side::Buy { !ticks } else { ticks };
        u64::from(rank) << 32 | u64::from(position)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the position is the key's lower half")]
const fn position_of(key: u64) -> u32 {
    key as u32
}
