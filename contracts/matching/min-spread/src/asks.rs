//! The asks by price downwards, then seq, and each bid's walk over them.
//!
//! For one bid the rule's order of pairs is this order, from the bid's own price on; a walk never turns back.

use alloc::{vec, vec::Vec};
use contract_interface::{Order, Side};
use contract_sdk::auction;
use core::cmp::Reverse;
use runtime_primitives::Energy;

/// All asks of a book. Orders are named by their positions in it.
pub struct Asks {
    positions: Vec<u32>,
    /// For each index, and one past the last: an index at or after it, itself if its ask has energy left.
    onwards: Vec<u32>,
    /// For each bid: the index where it starts, and where it stands.
    starts: Vec<u32>,
    walks: Vec<u32>,
}

/// Where a step of a walk ended.
pub struct Found {
    /// The ask, if there is one left.
    pub ask: Option<u32>,
    /// Whether the walk stepped over asks of the bidder itself that have energy left.
    pub skipped_own: bool,
}

impl Asks {
    /// Sorts the asks of `orders`.
    pub fn new(orders: &[Order]) -> Self {
        let mut positions = auction::merit_order(orders, Side::Sell);
        positions.sort_by_key(|&position| Reverse(orders[position as usize].price));
        let start = |order: &Order| {
            let above = positions.partition_point(|&ask| orders[ask as usize].price > order.price);
            u32::try_from(above).expect("positions are counted in u32")
        };
        let starts: Vec<u32> = orders.iter().map(start).collect();
        Self { onwards: Vec::new(), walks: vec![0; starts.len()], positions, starts }
    }

    /// Starts another run: all walks from their beginnings, over the asks that have energy left.
    pub fn rewind(&mut self, left: &[Energy]) {
        self.onwards.clear();
        self.onwards.extend((0..).zip(&self.positions).map(|(index, &position)| {
            let exhausted = left[position as usize].is_zero();
            index + u32::from(exhausted)
        }));
        let past_the_last = self.onwards.len().try_into().expect("positions are counted in u32");
        self.onwards.push(past_the_last);
        self.walks.copy_from_slice(&self.starts);
    }

    /// The ask at which `bid` stands.
    pub fn met(&self, bid: u32) -> u32 {
        self.positions[self.walks[bid as usize] as usize]
    }

    /// Takes out the ask at which `bid` stands: it has no energy left.
    pub fn remove_met(&mut self, bid: u32) {
        let index = self.walks[bid as usize];
        self.onwards[index as usize] = index + 1;
    }

    /// The ask of another entity with energy left where `bid` stands, or the next one.
    pub fn next_for(&mut self, bid: u32, orders: &[Order]) -> Found {
        let entity = orders[bid as usize].entity;
        let mut index = self.alive_from(self.walks[bid as usize]);
        let mut skipped_own = false;
        loop {
            let ask = self.positions.get(index as usize).copied();
            if ask.is_none_or(|ask| orders[ask as usize].entity != entity) {
                self.walks[bid as usize] = index;
                return Found { ask, skipped_own };
            }
            skipped_own = true;
            index = self.alive_from(index + 1);
        }
    }

    /// The first index at or after `index` whose ask has energy left; halves the path it walks.
    fn alive_from(&mut self, mut index: u32) -> u32 {
        while self.onwards[index as usize] != index {
            let next = self.onwards[index as usize];
            self.onwards[index as usize] = self.onwards[next as usize];
            index = next;
        }
        index
    }
}
