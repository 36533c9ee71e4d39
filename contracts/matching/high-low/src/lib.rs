//! The high-low rule (高低匹配): the highest bid takes the cheapest ask, at the mean of their prices.
//!
//! The market's default. It leaves no crossing pair of different entities unfilled, minimum fills apart.
#![no_std]

extern crate alloc;

mod asks;
mod error;
mod rules;

use contract_interface::{CLEAR, DESCRIBE};
use runtime_primitives::limits;

pub use error::Fault;
pub use rules::{DESCRIPTOR, clear, describe};

contract_sdk::pure_rule! { input_max: limits::PURE_IO_BYTES_MAX, DESCRIBE => describe, CLEAR => clear }
