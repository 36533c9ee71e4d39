//! What the simulations of engines and of whole nodes share: chance and seeds, power that fails under an engine's files,
//! and a goal that ends a run.
//!
//! The rule: nothing here knows an application.

mod dice;
mod goal;
mod machine;
mod power;
mod seeds;

pub use dice::Dice;
pub use goal::{Goal, Polled};
pub use machine::Machine;
pub use power::Power;
pub use seeds::{each, seeds};
