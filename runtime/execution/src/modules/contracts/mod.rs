//! `Contracts`: code on chain and the stateful contracts made from it, with the contracts pallet's calls, events,
//! errors and storage names. Market rules are uploaded here like any other code.
//!
//! A contract's own writes, payments and events are one layer: all of them stand, or none. Storage deposits are zero:
//! limits on them are accepted and never reached.

mod call;
mod code;
mod contract;
mod dry_run;
mod error;
mod event;
mod frame;
mod invocation;
mod sandbox;

pub use call::{Call, Weight, dispatch};
pub use code::{CODE_INFO, CodeInfo, PRISTINE_CODE, code, upload};
pub use contract::{CONTRACT_INFO, ContractInfo, STORAGE, address, storage_at};
pub use dry_run::{DryRun, Instantiation, NewCode, dry_call, dry_instantiate};
pub use error::Error;
pub use event::{Caller, Event};
pub use sandbox::{SANDBOX_ENDOWMENT, Sandbox, Transfer};
