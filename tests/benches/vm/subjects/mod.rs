//! Who does the works: ours on both engines, the rivals, and Rust without a machine.
//!
//! Each compiles a contract once and then calls it in a fresh instance every time, by its fastest documented way.

mod cosmwasm;
mod host;
mod native;
mod ours;
mod seal;
mod wasmi;
mod wasmtime;

use crate::works::Work;
use runtime_vm::EngineKind;

/// A work, ready to be done again and again; it returns the contract's answer.
pub type Task<'a> = Box<dyn FnMut() -> Vec<u8> + 'a>;

/// One column of the table.
pub trait Subject {
    /// Its name there.
    fn name(&self) -> &'static str;

    /// Compiles; `None` if it cannot do this work.
    fn prepare<'a>(&'a self, work: &'a Work) -> Option<Task<'a>>;
}

/// Ours, as blocks run it.
pub const OURS: usize = 0;
/// The engine of ours without our metering.
pub const UNMETERED: usize = 2;
/// The same Rust, compiled for this machine.
pub const NATIVE: usize = 3;
/// cosmwasm-vm.
pub const COSMWASM: usize = 4;
/// The interpreter of the contracts pallet.
pub const WASMI_0_32: usize = 6;

/// All subjects, in the order of the table.
pub fn all() -> Vec<Box<dyn Subject>> {
    vec![
        Box::new(ours::Ours::new("Busbar", EngineKind::Wasmtime)),
        Box::new(ours::Ours::new("Busbar on wasmi", EngineKind::Wasmi)),
        Box::new(wasmtime::Unmetered::new()),
        Box::new(native::Native),
        Box::new(cosmwasm::CosmWasm::new()),
        Box::new(wasmi::version_2_0::Fuelled::new()),
        Box::new(wasmi::version_0_32::Fuelled::new()),
    ]
}
