//! Two engines behind one face: compile an instrumented module, run it.
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

/// One of the engines.
pub(crate) enum Engine {
    Wasmtime(wasmtime::Engine),
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
    /// Slots for the module's stack counter.
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

/// What host functions give an engine to make it unwind; the frame holds the reason.
#[derive(Debug, thiserror::Error)]
#[error("a host function ended the call")]
pub(crate) struct Stopped;

impl Engine {
    pub(crate) fn new(kind: EngineKind) -> Result<Self, VmFault> {
        Ok(match kind {
            EngineKind::Wasmtime => Self::Wasmtime(wasmtime::Engine::new()?),
            EngineKind::Wasmi => Self::Wasmi(wasmi::Engine::new()?),
        })
    }

    /// Compiles a checked module.
    ///
    /// # Panics
    /// If the engine refuses it.
    pub(crate) fn compile(&self, checked: &Checked) -> Compiled {
        match self {
            Self::Wasmtime(engine) => Compiled::Wasmtime(engine.compile(checked)),
            Self::Wasmi(engine) => Compiled::Wasmi(engine.compile(checked)),
        }
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
