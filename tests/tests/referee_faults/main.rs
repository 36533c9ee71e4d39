//! The referee by itself: one row for each fault, then mutations of valid answers against a slow restatement.
//!
//! `BUSBAR_SEED` sets the seed of the mutations; a failure prints it.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../contracts/testing/mod.rs"]
mod testing;

mod batches;
mod mutations;
mod naive;
mod rows;

use runtime_primitives::{Energy, Money, Price, Seq};

const fn seq(number: u32) -> Seq {
    Seq::from_number(number)
}

const fn wh(number: u64) -> Energy {
    Energy::from_wh(number)
}

const fn ticks(number: u32) -> Price {
    Price::from_ticks(number)
}

const fn units(number: u128) -> Money {
    Money::from_units(number)
}
