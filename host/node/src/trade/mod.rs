//! One trade's life, read back from a node's store and checked on the way: seven stage records with their bodies,
//! signatures, and the chain of records behind every payment (formula 6).
//!
//! Nothing that is shown is taken on trust: roots are recomputed from the archive's leaves, signatures verified
//! again; what does not hold is a fault, never an omission.

mod body;
mod electorate;
mod error;
mod evidence;
mod funding;
mod id;
mod interventions;
mod life;
mod list;
mod names;
mod shown;
mod source;

pub use error::TradeError;
pub use funding::{Payout, Step};
pub use id::TradeId;
pub use life::Life;
pub use list::{ListedTrade, list};
pub use names::Names;
