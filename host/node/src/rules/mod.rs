//! Market rules on an author's desk: cleared on a book without a node, and checked for what every rule must keep.
//!
//! One deep module: generator, properties and shrinker are the command line's and the tests' alike. It judges answers
//! from outside; no rule is known here by name.

mod book_file;
mod book_row;
mod check;
mod fault;
pub mod generate;
mod live_book;
mod rule;
mod shrink;
mod trial;

pub use book_file::{BookError, NamedBook, written};
pub use book_row::meter_of;
pub use check::{Finding, Plan, Verdict, check};
pub use fault::Fault;
pub use live_book::{Fill, LiveBook, OpResult};
pub use rule::{LoadError, NoAnswer, Rule, RuleKind, answer, clear_message};
pub use shrink::smallest;
pub use trial::{PARAMS, Stopped, Trial, try_batches, try_book};
