//! `Timestamp`: the block's time as an inherent, so that clients read it where they expect it.

use crate::context::Context;
use crate::metadata::{Module, constants};
use crate::storage::{Value, storage};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::Timestamp;
use scale_info::TypeInfo;
use thiserror::Error as ThisError;

/// Calls.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
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
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum Error {
    /// Only the block's author sets the time, as an inherent.
    #[error("time is an inherent of the block")]
    #[codec(index = 0)]
    Inherent,
}

storage! {
    "Timestamp":
    /// Time of the current block.
    pub static NOW: Value<Timestamp> = "Now" or default;
}

/// Set the time and give the inherent's call.
pub fn initialize(ctx: &mut Context) -> Call {
    let now = ctx.env.now;
    NOW.put(&mut ctx.state, &now);
    Call::Set { now: now.ms() }
}

constants! {
    /// Half the usual time between two blocks, in milliseconds.
    MinimumPeriod: u64 = 500;
}

/// What clients see of the module.
pub(crate) fn describe() -> Module {
    Module::new("Timestamp", 1).storage(storage()).calls::<Call>().errors::<Error>().constants(constants())
}
