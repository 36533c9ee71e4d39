//! Blocks in; header, receipts, changes and archive out. Forbids clock, socket, file and random number.
//!
//! Start reading at [`execute_block`]; the market is [`modules::markets`], its guard [`referee`].
#![allow(
    clippy::cast_possible_truncation,
    reason = "the SCALE derive passes variant indices through usize; our own code uses try_from"
)]

pub mod api;
pub mod archive;
mod block;
mod call;
pub mod check;
mod context;
mod error;
mod event;
pub mod extrinsic;
mod genesis;
pub mod leaves;
pub mod metadata;
pub mod modules;
mod origin;
pub mod referee;
pub mod storage;
mod validate;

pub use block::{DIGEST_ENGINE, ExecutedBlock, Outcome, Receipt, check_proposal, execute_block};
pub use call::Call;
pub use check::CheckedExtrinsic;
pub use context::{BlockEnv, Context, Verifier, VerifySingly};
pub use error::{BlockError, DispatchError, Invalid, ModuleError, SubstrateError};
pub use event::{Event, EventRecord, Phase};
pub use genesis::{
    EPOCH_BLOCKS, Genesis, GenesisConfig, GenesisEntity, GenesisError, build as build_genesis,
};
pub use origin::Origin;
pub use validate::{ValidTransaction, Validator};
