//! Errors of the contracts module, numbered as `pallet_contracts` numbers them; our own start at 64.
//!
//! What a host function refused has its own error, since that is decided by this runtime alone. Why else a contract
//! trapped has none: it would make an engine's words part of consensus. A dry run tells.

use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::{CALL_DEPTH_MAX, EVENT_TOPICS_MAX};
use runtime_primitives::{AccountId, Hash};
use runtime_vm::{HostTrap, Trap};
use scale_info::TypeInfo;
use thiserror::Error as ThisError;

/// Errors.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum Error {
    /// A contract called another with flags that do not exist or do not go together.
    #[error("a contract called another with flags that do not exist or do not go together")]
    #[codec(index = 1)]
    InvalidCallFlags,
    /// The call needs more gas than its limit.
    #[error("out of gas; dry-run the call to see what it needs")]
    #[codec(index = 2)]
    OutOfGas,
    /// A contract gave too small a buffer for an output.
    #[error("a contract gave too small a buffer for an output")]
    #[codec(index = 3)]
    OutputBufferTooSmall,
    /// The caller cannot pay the value it sends.
    #[error("the caller's balance does not cover the value sent")]
    #[codec(index = 4)]
    TransferFailed,
    /// Too many contracts called one another.
    #[error("contracts called one another more than {CALL_DEPTH_MAX} deep")]
    #[codec(index = 5)]
    MaxCallDepthReached,
    /// There is no contract at the address.
    #[error("{0} is no contract")]
    #[codec(index = 6)]
    ContractNotFound(AccountId),
    /// The code is larger than 128 KiB.
    #[error("code is larger than 128 KiB")]
    #[codec(index = 7)]
    CodeTooLarge,
    /// No code with this hash is on chain.
    #[error("no code {0}; upload it first")]
    #[codec(index = 8)]
    CodeNotFound(Hash),
    /// A contract pointed outside of its memory.
    #[error("a contract pointed outside of its memory")]
    #[codec(index = 10)]
    OutOfBounds,
    /// A contract handed over bytes that are not what the function takes.
    #[error("a contract handed over bytes that a host function does not understand")]
    #[codec(index = 11)]
    DecodingFailed,
    /// The contract trapped; what it changed is undone.
    #[error("the contract trapped; dry-run the call to see why")]
    #[codec(index = 12)]
    ContractTrapped,
    /// A contract stored, emitted or returned too much at once.
    #[error("a contract stored, emitted or returned more than 16 KiB at once")]
    #[codec(index = 13)]
    ValueTooLarge,
    /// A contract ended while it ran further out on the call stack.
    #[error("a contract cannot end while it waits for its own call")]
    #[codec(index = 14)]
    TerminatedWhileReentrant,
    /// A contract read its input after it had forwarded it.
    #[error("a contract read its input after it had forwarded it")]
    #[codec(index = 15)]
    InputForwarded,
    /// An event with too many topics.
    #[error("an event had more than {EVENT_TOPICS_MAX} topics")]
    #[codec(index = 17)]
    TooManyTopics,
    /// The same deployer made a contract from the same code, input and salt before.
    #[error("{0} exists; use another salt")]
    #[codec(index = 20)]
    DuplicateContract(AccountId),
    /// A contract ended in its constructor.
    #[error("a contract cannot end in its constructor")]
    #[codec(index = 21)]
    TerminatedInConstructor,
    /// A contract was called back that had not allowed it.
    #[error("a contract was called back that had not allowed it")]
    #[codec(index = 22)]
    ReentranceDenied,
    /// Something changed in a call that may only read.
    #[error("a read-only call may not change anything")]
    #[codec(index = 23)]
    StateChangeDenied,
    /// Who signed cannot pay the deposit.
    #[error("the signer's balance does not cover the storage deposit; dry-run the call to see it")]
    #[codec(index = 24)]
    StorageDepositNotEnoughFunds,
    /// More was stored than the limit on deposits allows.
    #[error("the storage deposit exceeds its limit; dry-run the call to see it")]
    #[codec(index = 25)]
    StorageDepositLimitExhausted,
    /// The code cannot be removed.
    #[error("the code is in use by {contracts} contracts, or a market names it")]
    #[codec(index = 26)]
    CodeInUse {
        /// Contracts that run or keep it.
        contracts: u64,
    },
    /// The contract asked to undo what it changed.
    #[error("the contract reverted; dry-run the call to see its answer")]
    #[codec(index = 27)]
    ContractReverted,
    /// The code does not pass the deploy checks, or is a pure rule where a contract is needed.
    #[error("code rejected: {0}")]
    #[codec(index = 28)]
    CodeRejected(String),
    /// Code was to be allowed what differs from machine to machine.
    #[error("code runs everywhere the same on this chain: upload it with determinism enforced")]
    #[codec(index = 29)]
    Indeterministic,
    /// A contract keeps as many codes as it may.
    #[error("a contract keeps at most 32 codes")]
    #[codec(index = 32)]
    MaxDelegateDependenciesReached,
    /// A contract released a code that it did not keep.
    #[error("a contract released a code that it did not keep")]
    #[codec(index = 33)]
    DelegateDependencyNotFound,
    /// A contract keeps the code already.
    #[error("a contract keeps each code once")]
    #[codec(index = 34)]
    DelegateDependencyAlreadyExists,
    /// A contract keeps its own code anyway.
    #[error("a contract keeps its own code anyway")]
    #[codec(index = 35)]
    CannotAddSelfAsDelegateDependency,
    /// The events of the block would exceed their limit.
    #[error("the block has no room left for the contract's events")]
    #[codec(index = 64)]
    EventSpaceExhausted,
}

impl From<&Trap> for Error {
    /// What a chain may remember of a trap. `HostTrap::Refused` stands for an error that the call stack holds.
    fn from(trap: &Trap) -> Self {
        match trap {
            Trap::OutOfGas => Self::OutOfGas,
            Trap::HostRefused(refused) => match refused {
                HostTrap::OutOfBounds { .. } => Self::OutOfBounds,
                HostTrap::OutputBufferTooSmall { .. } => Self::OutputBufferTooSmall,
                HostTrap::PayloadTooLarge { .. } => Self::ValueTooLarge,
                HostTrap::KeyTooLong { .. } | HostTrap::Undecodable { .. } => Self::DecodingFailed,
                HostTrap::TooManyTopics { .. } => Self::TooManyTopics,
                HostTrap::InvalidCallFlags { .. } | HostTrap::UnknownFlags { .. } => Self::InvalidCallFlags,
                HostTrap::InputForwarded => Self::InputForwarded,
                HostTrap::StateChangeDenied => Self::StateChangeDenied,
                _ => Self::ContractTrapped,
            },
            _ => Self::ContractTrapped,
        }
    }
}
