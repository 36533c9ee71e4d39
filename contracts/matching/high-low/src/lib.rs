//! The high-low rule (高低匹配): the highest bid takes the cheapest ask, at the mean of their prices.
//!
//! The market's default. It leaves no crossing pair of different entities unfilled, minimum fills apart.
#![no_std]

extern crate alloc;

mod asks;
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
