//! From the bytes somebody uploads to an instrumented module: [`check`].
//!
//! Everything that can refuse code happens here and depends on the bytes alone; what passes is compiled without
//! further questions, so an engine that refuses it is a fault of the node.

mod features;
mod imports;
mod module;
mod validate;

pub(crate) use module::{Body, Facts};

use crate::limits::*;
use crate::{CodeError, Kind, Refusal, gas, meter};
use runtime_abi::HostFunction;
use runtime_primitives::limits::CODE_BYTES_MAX;

/// Code that may run: instrumented bytes and what is known of them. Only [`check`] builds it.
#[derive(Clone, Debug)]
pub struct Checked {
    instrumented: Vec<u8>,
    kind: Kind,
    memory_pages: (u32, u32),
    imports: Vec<&'static HostFunction>,
    has_start: bool,
    optimises_at_once: bool,
}

impl Checked {
    /// The module with gas and stack counters: what engines compile.
    pub fn instrumented(&self) -> &[u8] {
        &self.instrumented
    }

    /// The kind it was checked as.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Pages (64 KiB) of memory at the start of a call.
    pub const fn memory_pages_min(&self) -> u32 {
        self.memory_pages.0
    }

    /// Pages (64 KiB) to which the memory may grow.
    pub const fn memory_pages_max(&self) -> u32 {
        self.memory_pages.1
    }

    /// The host functions it imports, in the module's order; one imported twice is here twice.
    pub fn imports(&self) -> &[&'static HostFunction] {
        &self.imports
    }

    /// Whether a start function runs before the entry point.
    pub const fn has_start(&self) -> bool {
        self.has_start
    }

    /// Whether the optimising compiler is quick enough at it to be waited for. No rule: it decides nothing but speed.
    pub const fn optimises_at_once(&self) -> bool {
        self.optimises_at_once
    }

    /// Gas charged for a call before its first instruction.
    pub const fn entry_gas(&self) -> u64 {
        gas::entry(self.memory_pages.0)
    }
}

/// Validates `code` for contracts of `kind` and instruments it; compiles nothing.
///
/// # Errors
/// The first rule that the code breaks.
pub fn check(code: &[u8], kind: Kind) -> Result<Checked, CodeError> {
    examine(code, kind).map_err(|refusal| refusal.rule)
}

/// [`check`], for authors: a refusal says where.
///
/// # Errors
/// The first rule that the code breaks, and the byte at which it does.
pub fn examine(code: &[u8], kind: Kind) -> Result<Checked, Refusal> {
    let facts = facts(code, kind)?;
    let memory_pages = memory_pages(&facts, kind)?;
    let instrumented =
        meter::instrument(&facts, memory_pages).map_err(|rule| Refusal { rule, offset: None })?;
    Ok(Checked {
        instrumented,
        kind,
        memory_pages,
        imports: facts.imports.iter().map(|import| import.function).collect(),
        has_start: facts.start.is_some(),
        optimises_at_once: optimises_at_once(&facts),
    })
}

/// The parts of code that is valid for contracts of `kind`, but for its memory.
pub(crate) fn facts(code: &[u8], kind: Kind) -> Result<Facts<'_>, Refusal> {
    if code.len() > CODE_BYTES_MAX {
        return Err(CodeError::CodeTooLarge { bytes: code.len() }.at(CODE_BYTES_MAX as u64));
    }
    validate::validate(code, kind)
}

fn memory_pages(facts: &Facts<'_>, kind: Kind) -> Result<(u32, u32), Refusal> {
    facts.memory_pages(kind).map_err(|rule| Refusal { rule, offset: facts.places.memory })
}

/// Whether the optimising compiler can be waited for: a guess at its time from sizes alone.
fn optimises_at_once(facts: &Facts<'_>) -> bool {
    let bodies = || facts.bodies.iter().map(|body| body.body.as_bytes().len());
    facts.complexity <= OPTIMISED_AT_ONCE_COMPLEXITY_MAX
        && facts.bodies.len() <= OPTIMISED_AT_ONCE_FUNCTIONS_MAX
        && bodies().all(|bytes| bytes <= OPTIMISED_AT_ONCE_BODY_BYTES_MAX)
        && bodies().sum::<usize>() <= OPTIMISED_AT_ONCE_CODE_BYTES_MAX
}
