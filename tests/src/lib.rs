//! What nothing depends on: scenarios, vectors, harness, conformance, properties, crash, tidy.

pub mod artifacts;
pub mod chain;
pub mod course;
pub mod days;
pub mod evil;
pub mod invariants;
pub mod keyring;
pub mod ledger;
pub mod machine;
pub mod plodding;
pub mod price_time;
pub mod story;
pub mod two_faced;
pub mod world;
