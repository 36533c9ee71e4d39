//! One side of a book by merit, read by orders that must not meet their own entity's.
//!
//! Cursors only move forwards, so a whole clearing reads a queue once, however many of its orders one entity owns. Orders
//! must lose energy only, and be asked for in any order.

use alloc::vec::Vec;
use contract_interface::Order;
use runtime_primitives::{Energy, EntityId};

/// Positions in merit order.
///
/// `head` is the first order with energy left. `second` is where the search for an order of another entity than `head`'s
/// stands: all orders between the two are exhausted or belong to that entity.
#[derive(Default)]
pub struct Queue {
    positions: Vec<u32>,
    head: usize,
    second: usize,
}

impl From<Vec<u32>> for Queue {
    fn from(positions: Vec<u32>) -> Self {
        Self { positions, head: 0, second: 0 }
    }
}

impl Queue {
    /// All positions, whatever is left of their orders.
    pub fn positions(&self) -> &[u32] {
        &self.positions
    }

    /// Adds a position behind the others.
    pub fn push(&mut self, position: u32) {
        self.positions.push(position);
    }

    /// Starts again at the best order.
    pub const fn rewind(&mut self) {
        (self.head, self.second) = (0, 0);
    }

    /// Position of the best order with energy left that is not `entity`'s.
    pub fn first_not_of(&mut self, entity: EntityId, orders: &[Order], left: &[Energy]) -> Option<usize> {
        let at = |index: usize| self.positions.get(index).map(|&position| position as usize);
        while at(self.head).is_some_and(|position| left[position].is_zero()) {
            self.head += 1;
        }
        let head = at(self.head)?;
        let owner = orders[head].entity;
        if owner != entity {
            return Some(head);
        }
        self.second = self.second.max(self.head + 1);
        while at(self.second)
            .is_some_and(|position| left[position].is_zero() || orders[position].entity == owner)
        {
            self.second += 1;
        }
        at(self.second)
    }
}
