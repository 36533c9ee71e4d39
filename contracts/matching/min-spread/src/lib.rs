//! The paper's rule: the pair with the smallest spread trades first, at the mean of its prices.
//!
//! It reaches full volume but little welfare and looks at pairs: hence its small books.
//!
//! # Economic properties
//!
//! | property | holds | condition |
//! |---|---|---|
//! | individually rational | yes | always: a trade's price lies between its bid and its ask |
//! | budget balanced | yes | always, and strongly: the buyer pays what the seller gets |
//! | efficient | no | - |
//! | truthful | no | - |
//!
//! A bid trades with the dearest ask that it still reaches, so the least is gained by each trade, and cheap energy
//! stays unsold. In return as much energy is traded as crossing orders can, if nobody has a minimum or a bid that
//! reaches its own ask. The price is the mean of two reports: to bid less pays. `tests/properties.rs` holds the
//! claims and has a book for each denial.
#![no_std]

extern crate alloc;

mod asks;
mod bids;
mod error;
mod rules;

use contract_interface::{CLEAR, DESCRIBE};
use contract_sdk::auction;

pub use error::Fault;
pub use rules::{DESCRIPTOR, clear, describe};

contract_sdk::pure_rule! {
    input_max: auction::input_bytes_max(DESCRIPTOR.max_orders),
    DESCRIBE => describe,
    CLEAR => clear,
}
