//! Our machine as blocks use it: gas and stack metered, a fresh instance for each call.

use super::host::Chain;
use super::{Subject, Task};
use crate::works::{PLENTY, Work};
use runtime_primitives::blake2_256;
use runtime_vm::{EngineKind, Entry, Kind, Outcome, Vm};

/// Our machine on one of its engines.
pub struct Ours {
    name: &'static str,
    vm: Vm,
}

impl Ours {
    /// Starts it.
    pub fn new(name: &'static str, engine: EngineKind) -> Self {
        Self { name, vm: Vm::new(engine).expect("the engine starts") }
    }
}

fn answer(outcome: Outcome) -> Vec<u8> {
    outcome.result.unwrap_or_else(|trap| panic!("the contract trapped: {trap:?}")).data
}

impl Subject for Ours {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare<'a>(&'a self, work: &'a Work) -> Option<Task<'a>> {
        let module = self
            .vm
            .load(&blake2_256(&work.code), work.kind, || work.code.clone())
            .unwrap_or_else(|error| panic!("{}: {error}", work.name));
        Some(match work.kind {
            Kind::Pure => Box::new(move || answer(self.vm.call_pure(&module, &work.input, PLENTY))),
            Kind::Stateful => {
                let mut chain = Chain::new();
                Box::new(move || {
                    answer(self.vm.call(&module, Entry::Call, work.input.clone(), PLENTY, &mut chain))
                })
            }
        })
    }
}
