//! The continuous rule: an order trades at once with the best that rests, at the resting order's price.
//!
//! An answer depends on the order of the operations alone: cut into batches anywhere, they give the same trades.
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
