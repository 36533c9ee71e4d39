//! The virtual machine: modules in, outcomes out.
//!
//! A [`Vm`] is shared by all threads; a call runs on the caller's. Nothing here depends on which engine runs.

use crate::engine::{Compiled, End, Engine, Funds, Ran};
use crate::frame::{Frame, Stop};
use crate::gate::Gate;
use crate::limits::CACHED_MODULES_MAX;
use crate::module::Loaded;
use crate::{Budget, CodeError, Entry, Host, HostTrap, Kind, Module, Outcome, Output, Trap, VmFault, check};
use runtime_primitives::limits::PURE_IO_BYTES_MAX;
use runtime_primitives::{Gas, Hash};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Which engine runs contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// Compiled code: what executes blocks.
    Wasmtime,
    /// An interpreter: what validators compare with before they sign.
    Wasmi,
}

/// An engine and the modules it compiled last.
pub struct Vm {
    engine: Engine,
    kind: EngineKind,
    modules: Mutex<Cache>,
    gate: Gate,
}

impl Vm {
    /// Starts an engine.
    ///
    /// # Errors
    /// If this machine cannot run it (usually: too little address space).
    pub fn new(engine: EngineKind) -> Result<Self, VmFault> {
        Ok(Self {
            engine: Engine::new(engine)?,
            kind: engine,
            modules: Mutex::default(),
            gate: Gate::default(),
        })
    }

    /// The engine it runs.
    pub const fn engine(&self) -> EngineKind {
        self.kind
    }

    /// The module of `code_hash`; checks, instruments and compiles `code` (the original bytes) unless it is cached.
    /// The caller vouches that `code` has this hash: nothing is hashed here.
    ///
    /// # Errors
    /// The first rule that the code breaks.
    ///
    /// # Panics
    /// If the engine refuses code that passed the check: a fault of this node.
    pub fn load(
        &self,
        code_hash: &Hash,
        kind: Kind,
        code: impl FnOnce() -> Vec<u8>,
    ) -> Result<Module, CodeError> {
        let key = (*code_hash, kind);
        if let Some(module) = self.cache().get(&key) {
            return Ok(module);
        }
        // Compiled outside the lock: two threads may do it twice, no thread waits for another's compiler.
        let checked = check(&code(), kind)?;
        let compiled = self.engine.compile(&checked);
        let module = Module(Arc::new(Loaded { kind, entry_gas: checked.entry_gas(), compiled }));
        self.cache().insert(key, module.clone());
        Ok(module)
    }

    /// Runs a pure contract on `input`.
    ///
    /// Input and output are at most `PURE_IO_BYTES_MAX` bytes. The thread needs
    /// [`VM_THREAD_STACK_BYTES`](crate::VM_THREAD_STACK_BYTES) of stack.
    ///
    /// # Panics
    /// If `module` is stateful or was loaded by another VM; at a fault of this node.
    pub fn call_pure(&self, module: &Module, input: &[u8], gas_limit: Gas) -> Outcome {
        assert_eq!(module.kind(), Kind::Pure, "a stateful contract needs a host");
        if input.len() > PURE_IO_BYTES_MAX {
            let refused = HostTrap::PayloadTooLarge { length: input.len() as u64, max: PURE_IO_BYTES_MAX };
            return Outcome { result: Err(refused.into()), gas_used: Gas::ZERO };
        }
        self.run(module, Entry::Call, gas_limit.into(), &mut Frame::pure(input))
    }

    /// Runs a stateful contract against `host`, within a limit of gas or, in a nested call, the budget that the host was
    /// given for it.
    ///
    /// The thread needs [`VM_THREAD_STACK_BYTES`](crate::VM_THREAD_STACK_BYTES) of stack. What `host` recorded must be
    /// dropped if the result is a trap or a revert.
    ///
    /// # Panics
    /// If `module` was loaded by another VM; at a fault of this node.
    pub fn call(
        &self,
        module: &Module,
        entry: Entry,
        input: Vec<u8>,
        budget: impl Into<Budget>,
        host: &mut dyn Host,
    ) -> Outcome {
        assert_eq!(module.kind(), Kind::Stateful, "a pure contract has no use for a host");
        self.run(module, entry, budget.into(), &mut Frame::stateful(input, host))
    }

    fn run(&self, module: &Module, entry: Entry, budget: Budget, frame: &mut Frame<'_>) -> Outcome {
        // More than 106 days of gas is as good as no limit.
        let limit = budget.gas.units().min(i64::MAX.cast_unsigned());
        let Some(gas) = limit.checked_sub(module.0.entry_gas) else {
            return Outcome { result: Err(Trap::OutOfGas), gas_used: budget.gas };
        };
        let _pass = self.gate.pass();
        let funds = Funds { gas: gas.cast_signed(), stack: budget.stack.cast_signed() };
        let ran = self.engine.run(&module.0.compiled, entry, funds, frame);
        let gas_left = u64::try_from(ran.gas_left).unwrap_or(0);
        Outcome { result: conclude(&ran, frame.stop.take()), gas_used: Gas::from_units(limit - gas_left) }
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        // The cache is whole at every moment: a thread that panicked held it for a lookup or an insert.
        self.modules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the end of a run means, read from the counters first: they say why the module trapped itself.
fn conclude(ran: &Ran, stop: Option<Stop>) -> Result<Output, Trap> {
    if ran.gas_left < 0 {
        return Err(Trap::OutOfGas);
    }
    match &ran.end {
        End::Finished => Ok(Output::default()),
        End::Stopped => match stop.expect("a host function that stops says why") {
            Stop::Returned(output) => Ok(output),
            Stop::OutOfGas => Err(Trap::OutOfGas),
            Stop::Refused(trap) => Err(Trap::HostRefused(trap)),
        },
        End::Trapped(Trap::Unreachable) if ran.stack_left < 0 => Err(Trap::StackOverflow),
        End::Trapped(trap) => Err(trap.clone()),
    }
}

/// The modules used last.
#[derive(Default)]
struct Cache {
    modules: BTreeMap<(Hash, Kind), (Module, u64)>,
    /// Counts uses; the module with the smallest count goes first.
    clock: u64,
}

impl Cache {
    fn get(&mut self, key: &(Hash, Kind)) -> Option<Module> {
        let (module, used) = self.modules.get_mut(key)?;
        self.clock += 1;
        *used = self.clock;
        Some(module.clone())
    }

    fn insert(&mut self, key: (Hash, Kind), module: Module) {
        self.clock += 1;
        self.modules.insert(key, (module, self.clock));
        if self.modules.len() > CACHED_MODULES_MAX {
            let oldest = self.modules.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key);
            oldest.map(|key| self.modules.remove(&key));
        }
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Vm>();
    shared::<Module>();
    shared::<Compiled>();
};
