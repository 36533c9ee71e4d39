//! `Timestamp`: the block's time as an inherent, so that clients read it where they expect it.

use crate::context::Context;
use crate::storage::Value;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::Timestamp;
use thiserror::Error as ThisError;

/// Calls.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Call {
    /// The inherent that opens each runtime block.
    #[codec(index = 0)]
    Set {
        /// The block's time.
        #[codec(compact)]
        now: u64,
    },
}

/// Errors.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, ThisError)]
pub enum Error {
    /// Only the block's author sets the time, as an inherent.
    #[error("time is an inherent of the block")]
    #[codec(index = 0)]
    Inherent,
}

/// Time of the current block.
pub static NOW: Value<Timestamp> = Value::new("Timestamp", "Now");

/// Set the time and give the inherent's call.
pub fn initialize(ctx: &mut Context) -> Call {
    let now = ctx.env.now;
    NOW.put(&mut ctx.state, &now);
    Call::Set { now: now.ms() }
}
