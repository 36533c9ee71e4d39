//! The referee: native checks of every contract's answer against what was signed (MARKET section 5).
//!
//! It guards limits and money, not fairness: a clearing that passes may still be a poor one.

mod batch;
mod clearing;
mod settlement;

pub use batch::check_batch;
pub use clearing::{ClearingFault, check_clearing, place};
pub use settlement::{PaymentFault, SettlementFault, check_settlement};
