//! The high-low rule (高低匹配): the highest bid takes the cheapest ask, at the mean of their prices.
//!
//! The market's default. It leaves no crossing pair of different entities unfilled, minimum fills apart.
//!
//! # Economic properties
//!
//! | property | holds | condition |
//! |---|---|---|
//! | individually rational | yes | always: a trade's price lies between its bid and its ask |
//! | budget balanced | yes | always, and strongly: the buyer pays what the seller gets |
//! | efficient | yes | no preferences, no minimums, nobody whose own bid reaches its own ask |
//! | truthful | no | - |
//!
//! Efficient is the largest welfare Σ (bid − ask) · q, not the largest volume: where bids fall and asks rise they
//! trade as far as they cross, which is the sum's maximum, while crossing the best with the worst would move more
//! energy. A preference, an all-or-nothing order or an own ask passed over can cost welfare. Each trade has the mean
//! of two reports as its price, so to bid less pays; to bid more pays too, since it moves a bid up the queue to a
//! cheaper ask. Efficient, balanced, rational and truthful at once is impossible (Myerson and Satterthwaite:
//! Efficient Mechanisms for Bilateral Trading, Journal of Economic Theory 29, 1983). `tests/properties.rs` holds the
//! claims and has a book for each denial.
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
