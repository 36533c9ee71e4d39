//! The uniform-price rule: one price for the slot, where demand meets supply.
//!
//! The volume is the largest that different entities can trade at one price.
//!
//! # Economic properties
//!
//! | property | holds | condition |
//! |---|---|---|
//! | individually rational | yes | always: no filled bid is below the price, no filled ask above it |
//! | budget balanced | yes | always, and strongly: one price for all |
//! | efficient | yes | no minimums, nobody whose own bid reaches its own ask |
//! | truthful | in part | who has one order, without minimums: to exaggerate never pays, to say less can |
//!
//! Efficient is the largest welfare Σ (bid − ask) · q, as the linear program finds it. To exaggerate is to bid above
//! one's value or to ask below one's cost: what that adds is energy at a price worse than its value, since who is
//! displaced was to pay more than that, and what traded anyway can only get dearer. So nobody who would not trade by
//! telling the truth gains by any price. To say less pays: the price is the middle between bounds that traders set,
//! also those far from the margin, and a smaller energy moves it too. And who has several orders moves it with one
//! that is not meant to trade: a seller's own bid just below the best is a bound. Efficient, balanced, rational and
//! truthful at once is impossible (Myerson and Satterthwaite: Efficient Mechanisms for Bilateral Trading, Journal of
//! Economic Theory 29, 1983). `tests/properties.rs` holds the claims and has a book for each denial.
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
