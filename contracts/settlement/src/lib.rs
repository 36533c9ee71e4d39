//! The settlement rule: from certified trades and metered energy to payments (MARKET section 4).
//!
//! Every line has a payer and a payee, so a report sums to zero whatever its input.
#![no_std]

extern crate alloc;

mod error;
mod report;
mod rules;

pub use error::Fault;
pub use report::Settlement;
pub use rules::{DESCRIPTOR, describe, settle};

#[cfg(feature = "contract")]
contract_sdk::pure_rule! {
    input_max: runtime_primitives::limits::PURE_IO_BYTES_MAX,
    contract_interface::DESCRIBE => describe,
    contract_interface::SETTLE => rules::settle_packed,
}
