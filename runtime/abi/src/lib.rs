//! The seal host interface as one table; forbids an engine, a host or an account.
//!
//! Whoever links, charges, documents or checks a host function expands [`for_each_host_function`]; nobody keeps a
//! second list.
#![no_std]

mod code;
mod function;
mod table;

pub use code::{CallFlags, RETURN_CODES, RETURN_FLAG_REVERT, ReturnCode, SENTINEL};
pub use function::{
    ALIAS_PREFIX, CostClass, HOST_FUNCTIONS, HostFunction, Lower, MEMORY_IMPORT, Service, ValueType,
    WasmType, find,
};
