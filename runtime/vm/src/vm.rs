//! The virtual machine: modules in, outcomes out.
//!
//! A [`Vm`] is shared by all threads; a call runs on the caller's. Nothing here depends on which engine runs.

use crate::cache::Modules;
use crate::engine::{Compiled, End, Engine, Funds, Ran};
use crate::frame::{Frame, Stop};
use crate::gate::Gate;
use crate::{
    Budget, CodeError, Entry, Host, HostTrap, Kind, Module, Outcome, Output, Shelf, Stats, Trap, VmFault,
};
use runtime_primitives::limits::PURE_IO_BYTES_MAX;
use runtime_primitives::{Gas, Hash};
use std::sync::Arc;

/// Which engine runs contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// Compiled code: what executes blocks. Code that is slow to optimise starts on the one-pass compiler's.
    Wasmtime,
    /// The one-pass compiler alone: the first form of what is slow to optimise, and a third opinion in tests.
    Winch,
    /// An interpreter: what validators compare with before they sign.
    Wasmi,
}

/// An engine and the modules it compiled last.
pub struct Vm {
    engine: Arc<Engine>,
    kind: EngineKind,
    modules: Modules,
    gate: Gate,
}

impl Vm {
    /// Starts an engine that keeps what it compiled in memory only.
    ///
    /// # Errors
    /// If this machine cannot run it (usually: too little address space).
    pub fn new(engine: EngineKind) -> Result<Self, VmFault> {
        Self::start(engine, None)
    }

    /// Starts an engine that keeps what it compiled on `shelf`, for the next start, authenticated under `key`.
    ///
    /// Compiled code is machine code. Whoever knows `key` and can write to the shelf owns this process: the key is
    /// random, secret, and of this node alone. The interpreter keeps nothing: it translates faster than a file is read.
    ///
    /// # Errors
    /// If this machine cannot run the engine.
    pub fn with_cache(engine: EngineKind, shelf: Box<dyn Shelf>, key: [u8; 32]) -> Result<Self, VmFault> {
        Self::start(engine, Some((shelf, key)))
    }

    fn start(kind: EngineKind, shelf: Option<(Box<dyn Shelf>, [u8; 32])>) -> Result<Self, VmFault> {
        let engine = Arc::new(Engine::new(kind)?);
        let shelf = shelf.filter(|_| engine.has_artifacts());
        Ok(Self { modules: Modules::new(engine.clone(), shelf), engine, kind, gate: Gate::default() })
    }

    /// The engine it runs.
    pub const fn engine(&self) -> EngineKind {
        self.kind
    }

    /// The module of `code_hash`; checks, instruments and compiles `code` (the original bytes) unless it is in memory or on the shelf.
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
        self.modules.load(code_hash, kind, code)
    }

    /// Waits until everything loaded so far has its fastest form. For measurements and tests: results are the same.
    pub fn settle(&self) {
        self.modules.settle();
    }

    /// Where modules were found since the start.
    pub fn stats(&self) -> Stats {
        self.modules.stats()
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

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Vm>();
    shared::<Module>();
    shared::<Compiled>();
};
