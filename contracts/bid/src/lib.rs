//! The bid rule: whether a signed order request may enter the book of a slot.
//!
//! It keeps no memory of its own: the memo comes back as it went in.
#![no_std]

extern crate alloc;

mod error;
mod rules;

use contract_interface::{ADMIT, DESCRIBE};

pub use error::{Refusal, bad_input};
pub use rules::{admit, describe};

// An admission is a few hundred bytes, and every order pays for the memory reserved here.
contract_sdk::pure_rule! { input_max: 4096, DESCRIBE => describe, ADMIT => admit }
