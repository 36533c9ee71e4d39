//! `Contracts`: code on chain and the stateful contracts made from it, with the contracts pallet's calls, events,
//! errors and storage names. Market rules are uploaded here like any other code.
//!
//! A contract's own writes, payments and events are one layer: all of them stand, or none; and so on for each contract
//! that it calls. `DEVIATIONS.md` beside this file lists where the module departs from the pallet, with the test of each.

mod call;
mod code;
mod contract;
mod deposit;
mod dry_run;
mod error;
mod event;
pub(crate) mod extension;
mod frame;
mod invocation;
mod sandbox;
mod stack;

pub use call::{Call, Determinism, dispatch};
pub use code::{CODE_INFO, CodeInfo, IS_CONTRACT, PRISTINE_CODE, code, upload};
pub(crate) use contract::clean_up;
pub use contract::{
    CONTRACT_INFO, ContractInfo, NONCE, STORAGE, address, child_key, child_part, child_prefix, child_value,
    storage_at,
};
pub use deposit::{DepositRates, RATES, StorageDeposit};
pub use dry_run::{DryRun, Instantiation, NewCode, dry_call, dry_instantiate, dry_upload};
pub use error::Error;
pub use event::{Caller, Event};
pub use extension::{BillInfo, ClearedTrades, EXTENSION_ID, Function, MarketParams, SlotInfo, Status};
pub use invocation::{GAS_PER_LOADED_BYTE, Message};
pub use sandbox::{SANDBOX_ENDOWMENT, Sandbox, Transfer};

use crate::metadata::{Module, constants};
use runtime_primitives::limits::{CODE_BYTES_MAX, PAYLOAD_BYTES_MAX, STORAGE_KEY_BYTES_MAX};

constants! {
    /// Most bytes of a code.
    MaxCodeLen: u64 = CODE_BYTES_MAX as u64;
    /// Most bytes of a key in a contract's storage.
    MaxStorageKeyLen: u64 = STORAGE_KEY_BYTES_MAX as u64;
    /// Most bytes that a contract stores, emits or returns at once.
    MaxPayloadLen: u64 = PAYLOAD_BYTES_MAX as u64;
}

/// What clients see of the module.
pub(crate) fn describe() -> Module {
    Module::new("Contracts", 5)
        .storage(contract::storage())
        .storage(code::storage())
        .storage(deposit::storage())
        .calls::<Call>()
        .events::<Event>()
        .errors::<Error>()
        .constants(constants())
}
