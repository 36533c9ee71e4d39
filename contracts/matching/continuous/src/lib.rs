//! The continuous rule: an order trades at once with the best that rests, at the resting order's price.
//!
//! An answer depends on the order of the operations alone: cut into batches anywhere, they give the same trades.
//!
//! # Economic properties
//!
//! | property | holds | condition |
//! |---|---|---|
//! | individually rational | yes | always: the resting order's price is within both limits |
//! | budget balanced | yes | always, and strongly: the buyer pays what the seller gets |
//! | efficient | no | only each arrival by itself: it takes the best there is, if none of it is its own entity's |
//! | truthful | in part | who has one order and arrives last has no better price than the true one |
//!
//! Over a slot, who comes first trades, though a later order may be worth more: a call auction would have waited. A
//! price is the resting order's report, so the one who takes it cannot change it, and gains most by taking what is
//! worth its price; who rests gains by asking more. When to come is part of a report here, and nothing is claimed
//! about it. `tests/properties.rs` holds the claims and has a sequence for each denial.
#![no_std]

extern crate alloc;

mod error;
mod ladder;
mod rules;

use contract_interface::{CLEAR, DESCRIBE};

pub use error::Fault;
pub use rules::{DESCRIPTOR, clear, describe};

contract_sdk::pure_rule! {
    input_max: rules::INPUT_MAX,
    DESCRIBE => describe,
    CLEAR => clear,
}
