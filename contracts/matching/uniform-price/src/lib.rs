//! The uniform-price rule: one price for the slot, where demand meets supply.
//!
//! The volume is the largest that different entities can trade at one price.
#![no_std]

extern crate alloc;

mod curves;
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
