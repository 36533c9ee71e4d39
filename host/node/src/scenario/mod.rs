//! Scenarios: a market story played on a real chain by real agents.
//!
//! A scenario says who takes part and what they know; [`Play`] drives the clock, the agents and the node until the
//! story's last slot is settled. Everything is a function of the chain's state and the scenario, so that a play that
//! was killed goes on from its data folder to the same headers.

mod audit;
mod bills;
mod cast;
mod day;
mod malice;
mod outcome;
mod paper;
mod play;
mod results;
mod script;

pub use bills::Saved;
pub use cast::{Cast, CastError, Casting, MARKET, first_household, pair, rules};
pub use day::day;
pub use malice::{Lie, Malice, expose};
pub use outcome::{Invariants, Outcome, TransferSum, outcome};
pub use paper::{PAPER, paper};
pub use play::{Play, PlayError};
pub use results::{SlotResults, results_hash};
pub use script::{HouseholdScript, Script, ScriptError};
