//! Huang's double auction: the marginal prices are paid, and whoever would set them does not trade.
//!
//! The long side gives up the same energy at each of its price levels, not the worst of its orders (Huang, Scheller-Wolf
//! and Sycara: Design of a Multi-Unit Double Auction E-Market, Computational Intelligence 18(4), 2002).
#![no_std]

extern crate alloc;

mod error;
mod levels;
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
