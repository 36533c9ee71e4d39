//! Why the rule refuses a book: the faults that all call auctions share.
//!
//! There is no refusal of a single order here: what is in the book was admitted, and it clears or the book is at fault.

pub use contract_sdk::auction::Fault;
