//! Whether a rule trades at all: one that answers every book with nothing keeps every promise there is.
//!
//! Not to trade breaks no promise, unless the rule promises that nothing crosses afterwards; it is told, not judged.

use super::promises::crossing;
use super::{Finding, Verdict};
use contract_interface::{Book, Op, Order};
use std::cell::Cell;

/// The property.
pub const TRADES: &str = "trades where orders cross";

/// Books in which orders of two entities cross, and those of them with trades.
#[derive(Debug, Default)]
pub struct Tally {
    crossed: Cell<u32>,
    traded: Cell<u32>,
}

impl Tally {
    /// One more book in which orders cross.
    pub fn count(&self, traded: bool) {
        self.crossed.set(self.crossed.get() + 1);
        self.traded.set(self.traded.get() + u32::from(traded));
    }

    /// What the books came to.
    pub fn conclude(&self, finding: &mut Finding) {
        let (crossed, traded) = (self.crossed.get(), self.traded.get());
        if crossed == 0 {
            return;
        }
        if traded == 0 {
            finding.verdict = Verdict::NeverTrades;
        }
        finding.note = format!("{traded} of {crossed} books traded");
    }
}

/// Whether a bid reaches an ask of another entity while both are open, minimums apart.
pub fn crosses(book: &Book) -> bool {
    match book {
        Book::Auction(orders) => {
            let plain: Vec<&Order> = orders.iter().filter(|order| order.min_energy.is_zero()).collect();
            crossing(&plain).is_err()
        }
        Book::Continuous { resting, ops } => {
            let mut open: Vec<&Order> = resting.iter().collect();
            ops.iter().any(|op| {
                match op {
                    Op::New(order) => open.push(order),
                    Op::Cancel { target, .. } => open.retain(|order| order.seq != *target),
                }
                crossing(&open).is_err()
            })
        }
    }
}
