//! Validate, instrument, compile, run: the only crate that names wasmtime and wasmi; forbids knowing what an account is.
//!
//! Gas and stack are counted by the module itself (`meter`), so that outputs and costs are equal on every engine.
//! Calls run on the caller's thread, which must have [`VM_THREAD_STACK_BYTES`] of stack: the logical stack of a
//! contract then always ends before the native one.

mod cache;
mod check;
mod engine;
mod error;
mod frame;
pub mod gas;
mod gate;
mod host;
mod inspect;
mod limits;
mod meter;
mod module;
mod outcome;
mod seal;
mod vm;

pub use cache::{Shelf, Stats};
pub use check::{Checked, check, examine};
pub use error::{CodeError, Counted, Feature, Refusal, VmFault};
pub use host::{Answer, Budget, ContractCall, EXTENSION_NOT_REGISTERED, Host, HostError, NewContract};
pub use inspect::{InspectedExport, InspectedFunction, InspectedImport, Inspection, function_at, inspect};
pub use limits::{STACK_SLOTS, VM_THREAD_STACK_BYTES};
pub use meter::PASS_VERSION;
pub use module::{Entry, Kind, Module};
pub use outcome::{HostTrap, Outcome, Output, Trap};
pub use runtime_abi::{HOST_FUNCTIONS, HostFunction, RETURN_CODES, ReturnCode, Service, ValueType};
pub use vm::{EngineKind, Vm};
