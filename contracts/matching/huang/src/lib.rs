//! Huang's double auction: the marginal prices are paid, and whoever would set them does not trade.
//!
//! The long side gives up the same energy at each of its price levels, not the worst of its orders (Huang, Scheller-Wolf
//! and Sycara: Design of a Multi-Unit Double Auction E-Market, Computational Intelligence 18(4), 2002).
//!
//! # Economic properties
//!
//! | property | holds | condition |
//! |---|---|---|
//! | individually rational | yes | always: who trades has a better price than the margin, which it pays or gets |
//! | budget balanced | weakly | always: buyers pay no less than sellers get, the pool refunds the rest |
//! | efficient | no | the margin does not trade |
//! | truthful | in price | one order an entity, no minimums, for who is filled whole or priced out; refund not counted |
//!
//! Prices come from orders that do not trade, so who trades cannot better them by another price, and who does not
//! would have to bid above its value. That is the paper's argument, and it ends where the paper's ration does: there
//! each trader of the long side gives up the same, whatever its price; here each price level does. So an order that
//! is rationed gains energy, at the same price, by joining a larger level, or the odd Wh by passing another order. A
//! false energy can pay too (the paper looks at prices alone), and own orders placed at the margin set the price. The pool's refund pays for every Wh traded: who counts on it bids above its value. Efficient, balanced,
//! rational and truthful at once is impossible (Myerson and Satterthwaite: Efficient Mechanisms for Bilateral
//! Trading, Journal of Economic Theory 29, 1983); this rule gives up the first. `tests/properties.rs` holds the
//! claims and has a book for each denial.
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
