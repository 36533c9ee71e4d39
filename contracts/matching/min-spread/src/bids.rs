//! The bids by price upwards, then seq, and who waits for whom.
//!
//! A bid may wait for its predecessor: while that one lives, its pair with the best ask open to both comes first. So of
//! all the bids above an ask only the lowest need be in the heap. What ends a wait: the predecessor goes, or it steps
//! over an ask of its own, which the waiting bid might take.

use alloc::{vec, vec::Vec};
use contract_interface::{Order, Side};
use contract_sdk::auction;
use runtime_primitives::Energy;

const NONE: u32 = u32::MAX;

/// All bids of a book. Orders are named by their positions in it.
pub struct Bids {
    /// By price, then seq.
    positions: Vec<u32>,
    /// For each order: the living bid before it and after it in that order, or [`NONE`].
    before: Vec<u32>,
    after: Vec<u32>,
    /// For each order: whether it is a bid that waits for the one before it.
    waits: Vec<bool>,
}

impl Bids {
    /// Sorts the bids of `orders`.
    pub fn new(orders: &[Order]) -> Self {
        let mut positions = auction::merit_order(orders, Side::Buy);
        positions.sort_by_key(|&position| orders[position as usize].price);
        Self {
            positions,
            before: vec![NONE; orders.len()],
            after: vec![NONE; orders.len()],
            waits: vec![false; orders.len()],
        }
    }

    /// Starts another run with the bids that have energy left.
    pub fn rewind(&mut self, left: &[Energy]) {
        self.waits.fill(false);
        let mut before = NONE;
        for &bid in &self.positions {
            self.after[bid as usize] = NONE;
            if !left[bid as usize].is_zero() {
                self.before[bid as usize] = before;
                if before != NONE {
                    self.after[before as usize] = bid;
                }
                before = bid;
            }
        }
    }

    /// Number of bids.
    pub const fn count(&self) -> usize {
        self.positions.len()
    }

    /// The bid of this rank.
    pub fn at(&self, rank: usize) -> Option<u32> {
        self.positions.get(rank).copied()
    }

    /// Lets `bid`, whose next ask is `seller`'s, wait if the bid before it can take that ask; says whether it waits.
    pub fn wait(&mut self, bid: u32, seller: &Order, orders: &[Order]) -> bool {
        let rival = orders.get(self.before[bid as usize] as usize);
        let waits = rival.is_some_and(|rival| rival.price >= seller.price && rival.entity != seller.entity);
        self.waits[bid as usize] = waits;
        waits
    }

    /// Takes out a bid; returns the one that waited for it, which now needs a pair.
    pub fn remove(&mut self, bid: u32) -> Option<u32> {
        let released = self.release_next(bid);
        let (before, after) = (self.before[bid as usize], self.after[bid as usize]);
        if before != NONE {
            self.after[before as usize] = after;
        }
        if after != NONE {
            self.before[after as usize] = before;
        }
        released
    }

    /// Ends the wait for `bid`; returns the one that waited.
    pub fn release_next(&mut self, bid: u32) -> Option<u32> {
        let after = self.after[bid as usize];
        let waits = after != NONE && core::mem::take(&mut self.waits[after as usize]);
        waits.then_some(after)
    }
}
