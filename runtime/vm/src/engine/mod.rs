//! Engines behind one face: compile an instrumented module, run it.
//!
//! An engine decides how fast a call is, never what it returns or costs. What one cannot do (no instance left, native
//! stack overrun, a checked module refused) is a fault of this node and panics: it must not look like a result.

/// Links a function under its second name, if the table gives it one.
macro_rules! alias {
    (aliased, $link:ident, $name:literal) => {
        $link(concat!("seal_", $name))?;
    };
    (plain, $link:ident, $name:literal) => {};
}

/// Whether the table says that a function changes state.
macro_rules! mutating {
    (mutating) => {
        true
    };
    (reading) => {
        false
    };
}

mod wasmi;
mod wasmtime;

use crate::check::Checked;
use crate::frame::Frame;
use crate::{EngineKind, Entry, Trap, VmFault};
use runtime_primitives::Hash;

/// One of the engines.
pub(crate) enum Engine {
    Wasmtime(Box<wasmtime::Engine>),
    Wasmi(wasmi::Engine),
}

/// A module compiled by one of them.
pub(crate) enum Compiled {
    Wasmtime(wasmtime::Compiled),
    Wasmi(wasmi::Compiled),
}

/// What a call starts with, or has left.
#[derive(Clone, Copy)]
pub(crate) struct Funds {
    /// Gas for the module's counter.
    pub(crate) gas: i64,
    /// Slots for the module's stack counter; 0 in a host function below which no contract runs.
    pub(crate) stack: i32,
}

/// How the engine came back.
pub(crate) struct Ran {
    pub(crate) end: End,
    /// The module's gas counter; what it lacks was used.
    pub(crate) gas_left: i64,
    /// The module's stack counter.
    pub(crate) stack_left: i32,
}

/// Why the engine came back.
pub(crate) enum End {
    /// The entry point returned.
    Finished,
    /// A host function ended the call; the frame says why.
    Stopped,
    /// The module trapped.
    Trapped(Trap),
}

/// Compiled code for a later process.
pub(crate) struct Serialised {
    /// Names the compiler, its settings and version, and the processor.
    pub(crate) identity: Hash,
    pub(crate) code: Vec<u8>,
}

/// What host functions give an engine to make it unwind; the frame holds the reason.
#[derive(Debug, thiserror::Error)]
#[error("a host function ended the call")]
pub(crate) struct Stopped;

impl Engine {
    pub(crate) fn new(kind: EngineKind) -> Result<Self, VmFault> {
        Ok(match kind {
            EngineKind::Wasmtime => Self::Wasmtime(Box::new(wasmtime::Engine::new()?)),
            EngineKind::Winch => Self::Wasmtime(Box::new(wasmtime::Engine::one_pass()?)),
            EngineKind::Wasmi => Self::Wasmi(wasmi::Engine::new()?),
        })
    }

    /// Compiles a checked module to the form that is ready soonest.
    ///
    /// # Panics
    /// If the engine refuses it.
    pub(crate) fn compile(&self, checked: &Checked) -> Compiled {
        match self {
            Self::Wasmtime(engine) => Compiled::Wasmtime(engine.compile(checked)),
            Self::Wasmi(engine) => Compiled::Wasmi(engine.compile(checked)),
        }
    }

    /// Compiles a checked module to the form it should end up in, however long that takes.
    ///
    /// # Panics
    /// If the engine refuses it.
    pub(crate) fn optimise(&self, checked: &Checked) -> Compiled {
        match self {
            Self::Wasmtime(engine) => Compiled::Wasmtime(engine.optimise(checked)),
            Self::Wasmi(engine) => Compiled::Wasmi(engine.compile(checked)),
        }
    }

    /// Whether [`optimise`](Self::optimise) would make something faster of it.
    pub(crate) fn improves(&self, compiled: &Compiled) -> bool {
        matches!((self, compiled), (Self::Wasmtime(engine), Compiled::Wasmtime(module)) if engine.improves(module))
    }

    /// The code for a later process. The interpreter has none: it translates faster than a file is read and verified.
    pub(crate) fn serialise(&self, compiled: &Compiled) -> Option<Serialised> {
        match (self, compiled) {
            (Self::Wasmtime(engine), Compiled::Wasmtime(module)) => engine.serialise(module),
            _ => None,
        }
    }

    /// The module that [`serialise`](Self::serialise) wrote, maybe in an earlier process; `None` if this engine cannot
    /// use it. What did not come from there must not get here: it is machine code, and would run.
    pub(crate) fn deserialise(&self, serialised: &Serialised) -> Option<Compiled> {
        match self {
            Self::Wasmtime(engine) => engine.deserialise(serialised).map(Compiled::Wasmtime),
            Self::Wasmi(_) => None,
        }
    }

    /// Whether [`serialise`](Self::serialise) ever gives any.
    pub(crate) const fn has_artifacts(&self) -> bool {
        matches!(self, Self::Wasmtime(_))
    }

    /// Runs the start function, if there is one, and then `entry`, in a fresh instance.
    ///
    /// # Panics
    /// If the module is another engine's or has no such entry, or at a fault of this node.
    pub(crate) fn run(&self, compiled: &Compiled, entry: Entry, funds: Funds, frame: &mut Frame<'_>) -> Ran {
        frame.lend(|| match (self, compiled) {
            (Self::Wasmtime(engine), Compiled::Wasmtime(module)) => engine.run(module, entry, funds),
            (Self::Wasmi(engine), Compiled::Wasmi(module)) => engine.run(module, entry, funds),
            _ => panic!("a module runs only in the virtual machine that loaded it"),
        })
    }
}

/// Ends the process's use of a broken engine.
fn fault(what: impl core::fmt::Display) -> ! {
    panic!("this node's virtual machine failed, which is not a result of the contract: {what}")
}
