//! What the simulations of engines and of whole nodes share: chance and seeds, and a goal that ends a run.
//!
//! The rule: nothing here knows an application.

mod dice;
mod goal;
mod seeds;

pub use dice::Dice;
pub use goal::{Goal, Polled};
pub use seeds::{each, seeds};
