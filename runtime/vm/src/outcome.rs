//! What a call ends with.
//!
//! A result must be the same on every engine; why a call trapped is for messages only and never reaches consensus.

use runtime_primitives::Gas;

/// How a call ended and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The output, or why there is none.
    pub result: Result<Output, Trap>,
    /// What was really counted, at most the limit. After a trap callers charge the whole limit.
    pub gas_used: Gas,
}

/// What a contract handed to `seal_return`; empty with flags 0 if it returned without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Return flags: 1 = revert.
    pub flags: u32,
    /// The bytes returned.
    pub data: Vec<u8>,
}

impl Output {
    /// Whether the contract asks to undo what it changed.
    pub const fn reverted(&self) -> bool {
        self.flags & runtime_abi::RETURN_FLAG_REVERT != 0
    }
}

/// Why a call has no output. For messages only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trap {
    /// More gas was needed than the limit.
    #[error("out of gas")]
    OutOfGas,
    /// The logical stack was used up.
    #[error("stack overflow")]
    StackOverflow,
    /// A load, store, copy or fill outside the memory.
    #[error("memory access out of bounds")]
    MemoryOutOfBounds,
    /// An indirect call outside the table.
    #[error("table access out of bounds")]
    TableOutOfBounds,
    /// An indirect call to an empty table entry.
    #[error("indirect call to an empty table entry")]
    IndirectCallToNull,
    /// An indirect call to a function of another type.
    #[error("indirect call with a wrong signature")]
    BadSignature,
    /// A division whose quotient does not fit.
    #[error("integer overflow")]
    IntegerOverflow,
    /// A division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// An `unreachable` instruction: how contracts panic.
    #[error("the contract trapped: unreachable code")]
    Unreachable,
    /// A host function refused its arguments.
    #[error("host function: {0}")]
    HostRefused(#[from] HostTrap),
}

/// Why a host function refused its arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostTrap {
    /// A pointer and length outside the contract's memory.
    #[error("{length} bytes at {pointer} are outside the memory")]
    OutOfBounds {
        /// Where the bytes start.
        pointer: u32,
        /// How many there are.
        length: u64,
    },
    /// The buffer for an output is too small.
    #[error("the output has {length} bytes, its buffer {capacity}")]
    OutputBufferTooSmall {
        /// Bytes to write.
        length: usize,
        /// Bytes that fit.
        capacity: u32,
    },
    /// Input or output of a pure call, storage value, event data or return data beyond its limit.
    #[error("{length} bytes, at most {max} are allowed")]
    PayloadTooLarge {
        /// Bytes given.
        length: u64,
        /// Bytes allowed.
        max: usize,
    },
    /// A storage key beyond its limit.
    #[error("a storage key of {length} bytes, at most {max} are allowed")]
    KeyTooLong {
        /// Bytes given.
        length: u32,
        /// Bytes allowed.
        max: usize,
    },
    /// More topics than an event may have.
    #[error("{count} topics, at most {max} are allowed")]
    TooManyTopics {
        /// Topics given.
        count: usize,
        /// Topics allowed.
        max: usize,
    },
    /// Bytes that do not decode as what the function takes.
    #[error("the bytes are not a {expected}")]
    Undecodable {
        /// What they should have been.
        expected: &'static str,
    },
    /// Call flags of which one is unknown, or does not go with a delegate call.
    #[error("the call flags {flags:#x} are not known or not allowed here")]
    InvalidCallFlags {
        /// The flags.
        flags: u32,
    },
    /// The input was forwarded to another contract before.
    #[error("the input was forwarded and can no longer be read")]
    InputForwarded,
    /// A change of state in a call that may only read.
    #[error("a read-only call may not change anything")]
    StateChangeDenied,
    /// The chain refused; the host knows why.
    #[error("the chain refused")]
    Refused,
    /// Return flags of which one is unknown.
    #[error("the return flags {flags:#x} are not known")]
    UnknownFlags {
        /// The flags.
        flags: u32,
    },
}
