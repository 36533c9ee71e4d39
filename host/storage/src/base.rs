//! Where a chain began that was not executed from its genesis on: a block whose state came with a snapshot.
//!
//! ```text
//! header          genesis, from EXECUTED_LAG_MAX below the base on
//! ordered block   genesis, the base, and all above
//! applied body    genesis, and all above the base
//! ```
//! The rule: what is not there is an error that says so, never `None`, which means above the best block.

use runtime_primitives::limits::EXECUTED_LAG_MAX;
use runtime_primitives::{Hash, Height, Timestamp};

/// The block whose state a chain began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base {
    /// Its height.
    pub height: Height,
    /// The engine's digest of the block before it.
    pub parent: Hash,
    /// When the store was made from it, or an engine first started on it, by the clock of that machine: what was signed before
    /// in this node's name, nobody here knows.
    pub made_at: Timestamp,
}

/// The lowest header that is kept over a base: the next block may report it as executed.
pub(crate) fn first_header(base: Height) -> Height {
    Height::from_number(base.number().saturating_sub(EXECUTED_LAG_MAX))
}
