//! Why code is refused, and why this node cannot run any.
//!
//! [`CodeError`] depends on nothing but the bytes and the kind: every node refuses the same code for the same reason.

use crate::Kind;
use runtime_primitives::limits::CODE_BYTES_MAX;

/// A fault of this node; never a contract's result.
#[derive(Debug, thiserror::Error)]
#[error("the virtual machine cannot start on this node: {0}")]
pub struct VmFault(pub(crate) String);

/// Why code is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct Refusal {
    /// The rule that it breaks.
    pub rule: CodeError,
    /// The byte of the code at which it does; none where something is missing altogether.
    pub offset: Option<u64>,
}

impl CodeError {
    /// This rule, broken at a byte of the code.
    pub(crate) const fn at(self, offset: u64) -> Refusal {
        Refusal { rule: self, offset: Some(offset) }
    }
}

/// Why code is refused: one variant for each rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// More bytes than a contract may have.
    #[error("the code has {bytes} bytes, at most {CODE_BYTES_MAX} are allowed")]
    CodeTooLarge {
        /// Bytes given.
        bytes: usize,
    },
    /// Not a valid WebAssembly module. The text is the parser's and for messages only.
    #[error("not a valid module: {0}")]
    Invalid(String),
    /// A WebAssembly feature that contracts may not use.
    #[error("the code uses {0}, which contracts may not")]
    Feature(Feature),
    /// An import that is neither `env.memory` nor a function of the seal interface.
    #[error("unknown import {module}.{name}")]
    UnknownImport {
        /// Import module.
        module: String,
        /// Import name.
        name: String,
    },
    /// A function of the seal interface with other parameters or another result.
    #[error("import {module}.{name} has another signature than the interface")]
    ImportSignature {
        /// Import module.
        module: String,
        /// Import name.
        name: String,
    },
    /// An unstable function.
    #[error("{module}.{name} is unstable and never served")]
    Unstable {
        /// Import module.
        module: String,
        /// Import name.
        name: String,
    },
    /// A deprecated function.
    #[error("{module}.{name} is deprecated and never served")]
    Deprecated {
        /// Import module.
        module: String,
        /// Import name.
        name: String,
    },
    /// A function that a pure contract may not import.
    #[error("a pure contract may not import {module}.{name}")]
    NotPure {
        /// Import module.
        module: String,
        /// Import name.
        name: String,
    },
    /// An entry point is missing.
    #[error("a {kind} contract must export a function `{name}`")]
    MissingEntry {
        /// The kind of contract.
        kind: Kind,
        /// The entry point.
        name: &'static str,
    },
    /// An entry point takes parameters or returns something.
    #[error("`{name}` must take nothing and return nothing")]
    EntrySignature {
        /// The entry point.
        name: &'static str,
    },
    /// An export name that belongs to the instrumentation.
    #[error("the export name `{name}` is reserved")]
    ReservedExport {
        /// The name.
        name: String,
    },
    /// The memory needs more pages than the kind may have.
    #[error("the memory starts with {pages} pages, at most {max} are allowed")]
    MemoryTooLarge {
        /// Pages at the start.
        pages: u64,
        /// Pages allowed.
        max: u32,
    },
    /// The table needs more entries than allowed.
    #[error("the table starts with {elements} entries, at most {max} are allowed")]
    TableTooLarge {
        /// Entries at the start.
        elements: u64,
        /// Entries allowed.
        max: u32,
    },
    /// A data or element segment that does not fit.
    #[error("{what} segment {index} lies outside its {what} at the start")]
    SegmentOutOfBounds {
        /// `memory` or `table`.
        what: &'static str,
        /// Number of the segment.
        index: u32,
    },
    /// Too many of something in the module.
    #[error("{count} {what}, at most {max} are allowed")]
    TooMany {
        /// What there is too much of.
        what: Counted,
        /// How many there are.
        count: u64,
        /// How many are allowed.
        max: u64,
    },
    /// A function's body is too large.
    #[error("function {function} has {bytes} bytes, at most {max} are allowed")]
    BodyTooLarge {
        /// Index of the function.
        function: u32,
        /// Bytes of its body.
        bytes: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A function has too many locals.
    #[error("function {function} has {locals} locals, at most {max} are allowed")]
    TooManyLocals {
        /// Index of the function.
        function: u32,
        /// Its parameters and locals.
        locals: u64,
        /// How many are allowed.
        max: u32,
    },
    /// A `br_table` has too many targets.
    #[error("function {function} branches to {targets} targets, at most {max} are allowed")]
    BranchTableTooLarge {
        /// Index of the function.
        function: u32,
        /// Targets, the default included.
        targets: u32,
        /// How many are allowed.
        max: u32,
    },
    /// Blocks are nested too deeply.
    #[error("function {function} nests blocks deeper than {max}")]
    NestingTooDeep {
        /// Index of the function.
        function: u32,
        /// Blocks allowed.
        max: u32,
    },
    /// A function has too many basic blocks with too many locals: compiling it would take too long.
    #[error("function {function}: basic blocks × locals come to {complexity}, at most {max} are allowed")]
    FunctionTooComplex {
        /// Index of the function.
        function: u32,
        /// Its basic blocks × (locals + 1).
        complexity: u64,
        /// What is allowed.
        max: u64,
    },
    /// The functions have too many basic blocks with too many locals together.
    #[error("basic blocks × locals come to more than {complexity}, at most {max} are allowed")]
    TooComplex {
        /// The sum over the functions up to the one that exceeded the limit.
        complexity: u64,
        /// What is allowed.
        max: u64,
    },
}

/// A WebAssembly feature that contracts may not use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Feature {
    /// Floating-point types or instructions: their NaN bits differ between machines.
    #[error("floating point")]
    Floats,
    /// Vector instructions.
    #[error("SIMD")]
    Simd,
    /// Shared memory or atomics.
    #[error("threads")]
    Threads,
    /// 64-bit memories or tables.
    #[error("64-bit memory")]
    Memory64,
    /// More than one memory.
    #[error("several memories")]
    MultiMemory,
    /// Reference types beyond the one MVP table of functions.
    #[error("reference types")]
    ReferenceTypes,
    /// Passive segments and table copies; `memory.copy` and `memory.fill` are allowed.
    #[error("passive segments")]
    BulkMemory,
    /// Tail calls.
    #[error("tail calls")]
    TailCalls,
    /// Exceptions.
    #[error("exceptions")]
    Exceptions,
    /// Computed constants in initialisers.
    #[error("extended constant expressions")]
    ExtendedConst,
    /// Anything else that is not in the accepted set.
    #[error("a WebAssembly proposal beyond the accepted set")]
    Other,
}

/// What there can be too much of in a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Counted {
    /// Function types.
    #[error("types")]
    Types,
    /// Parameters of one function type.
    #[error("parameters")]
    Parameters,
    /// Results of one function type.
    #[error("results")]
    Results,
    /// Imports.
    #[error("imports")]
    Imports,
    /// Functions.
    #[error("functions")]
    Functions,
    /// Globals.
    #[error("globals")]
    Globals,
    /// Exports.
    #[error("exports")]
    Exports,
    /// Data segments.
    #[error("data segments")]
    DataSegments,
    /// Element segments.
    #[error("element segments")]
    ElementSegments,
}
