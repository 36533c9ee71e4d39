//! The paper's rule: the pair with the smallest spread trades first, at the mean of its prices.
//!
//! It reaches full volume but little welfare (DESIGN section 2) and looks at pairs: hence its small books.
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
