//! The names of what runs: kind of contract, entry point, compiled module.
//!
//! A [`Module`] belongs to the [`Vm`](crate::Vm) that loaded it; another VM refuses it.

use crate::engine::Compiled;
use core::fmt;
use runtime_primitives::limits::{PURE_MEMORY_PAGES_MAX, STATEFUL_MEMORY_PAGES_MAX};
use std::sync::Arc;

/// What a contract may see and so import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Input to output: `input`, `seal_return`, memory and the four hashes.
    Pure,
    /// Storage, events, value, other contracts: the whole seal interface.
    Stateful,
}

impl Kind {
    /// Pages (64 KiB) of memory that a contract of this kind may have.
    pub const fn memory_pages_max(self) -> u32 {
        match self {
            Self::Pure => PURE_MEMORY_PAGES_MAX,
            Self::Stateful => STATEFUL_MEMORY_PAGES_MAX,
        }
    }

    /// The functions that a contract of this kind must export.
    pub const fn entries(self) -> &'static [Entry] {
        match self {
            Self::Pure => &[Entry::Call],
            Self::Stateful => &[Entry::Call, Entry::Deploy],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pure => "pure",
            Self::Stateful => "stateful",
        })
    }
}

/// Where a call enters a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A message.
    Call,
    /// The constructor.
    Deploy,
}

impl Entry {
    /// The name under which contracts export it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Deploy => "deploy",
        }
    }
}

/// A checked, instrumented and compiled contract; cheap to clone.
#[derive(Clone)]
pub struct Module(pub(crate) Arc<Loaded>);

/// What a module consists of.
pub(crate) struct Loaded {
    pub(crate) kind: Kind,
    /// Gas of starting a call.
    pub(crate) entry_gas: u64,
    pub(crate) compiled: Compiled,
}

impl Module {
    /// The kind it was checked as.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("kind", &self.0.kind).finish_non_exhaustive()
    }
}
