//! The market spec: everything that a market operator decides, as a TOML document with units.
//!
//! It converts exactly to what the chain keeps and back; nothing in it is a floating-point number. Whether terms can
//! govern a market is the chain's own check, asked here before anything is signed.

mod document;
mod faults;
mod read;
mod rule;
#[cfg(test)]
mod tests;
mod write;

pub use document::Problem;
pub use read::{load, read};
pub use rule::RuleSource;
pub use write::{Change, changes, write};

use contract_interface::Terms;
use runtime_execution::modules::markets::registration::{NewMarket, next_gate};
use runtime_primitives::{EntityId, Money, Slot, Timestamp};

/// The default spec, with a comment for each key.
pub const DEFAULT: &str = include_str!("default.toml");

/// A market as its operator describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketSpec {
    /// Its name; never on chain.
    pub name: String,
    /// What it is for; never on chain.
    pub description: String,
    /// Backstop supplier.
    pub retailer: EntityId,
    /// Grid operator.
    pub grid: EntityId,
    /// Meter operator.
    pub meter_operator: EntityId,
    /// Which slot it opens first.
    pub first: First,
    /// Deposit for market steps.
    pub deposit: Money,
    /// Terms of its slots.
    pub terms: Terms,
    /// Where its rules come from.
    pub rules: Rules,
}

/// Where a market's rules come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Admits orders.
    pub bid: RuleSource,
    /// Clears the book.
    pub matching: RuleSource,
    /// Computes payments.
    pub settlement: RuleSource,
    /// Clears if `matching` fails.
    pub fallback: RuleSource,
}

impl Rules {
    /// The rules of terms, by their names if they ship with this program.
    pub fn of_terms(terms: &Terms) -> Self {
        Self {
            bid: RuleSource::of_hash(&terms.bid),
            matching: RuleSource::of_hash(&terms.matching),
            settlement: RuleSource::of_hash(&terms.settlement),
            fallback: RuleSource::of_hash(&terms.fallback),
        }
    }
}

/// A market's first slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The first whose gate is ahead when the market is created.
    Next,
    /// This one.
    Slot(Slot),
}

impl First {
    /// The slot meant at `now`; `None` if slot numbers do not reach that far.
    pub fn slot(self, terms: &Terms, now: Timestamp) -> Option<Slot> {
        match self {
            Self::Slot(slot) => Some(slot),
            Self::Next => next_gate(terms, now),
        }
    }
}

impl MarketSpec {
    /// What the chain is asked for.
    pub fn new_market(&self, first_slot: Slot) -> NewMarket {
        NewMarket {
            retailer: self.retailer,
            grid: self.grid,
            meter_operator: self.meter_operator,
            first_slot,
            deposit: self.deposit,
            terms: self.terms.clone(),
        }
    }
}
