//! The settlement rule: from certified trades and metered energy to payments (MARKET section 4).
//!
//! Every line has a payer and a payee, so a report sums to zero whatever its input.
#![no_std]

extern crate alloc;

mod error;
mod report;
mod rules;

use contract_interface::{DESCRIBE, SETTLE};
use runtime_primitives::limits;

pub use error::Fault;
pub use report::Settlement;
pub use rules::{DESCRIPTOR, describe, settle};

contract_sdk::pure_rule! { input_max: limits::PURE_IO_BYTES_MAX, DESCRIBE => describe, SETTLE => rules::settle_packed }
