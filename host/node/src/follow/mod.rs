//! Following: final blocks from other nodes over RPC, each believed for its proof alone, executed here.
//!
//! The rule: nothing is executed before a quorum of its epoch's members has been shown to have finalized it. The members
//! follow from what was executed before, so a chain is followed from its spec on through any number of epochs.

mod error;
mod follower;
mod proven;
mod relay;
mod source;

pub use error::{Blame, FollowFault};
pub use follower::{Follower, NoSource, Step};
pub use relay::{Outbox, Relay};
pub use source::Source;
