//! Errors of the contracts module, numbered as `pallet_contracts` numbers them; our own start at 64.
//!
//! Why a contract trapped is no error of its own: it would make an engine's words part of consensus. A dry run tells.

use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{AccountId, Hash};
use thiserror::Error as ThisError;

/// Errors.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, ThisError)]
pub enum Error {
    /// The call needs more gas than its limit.
    #[error("out of gas; dry-run the call to see what it needs")]
    #[codec(index = 2)]
    OutOfGas,
    /// The caller cannot pay the value it sends.
    #[error("the caller's balance does not cover the value sent")]
    #[codec(index = 4)]
    TransferFailed,
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
    /// The contract trapped; what it changed is undone.
    #[error("the contract trapped; dry-run the call to see why")]
    #[codec(index = 12)]
    ContractTrapped,
    /// The same deployer made a contract from the same code, input and salt before.
    #[error("{0} exists; use another salt")]
    #[codec(index = 20)]
    DuplicateContract(AccountId),
    /// The code cannot be removed.
    #[error("the code is in use by {contracts} contracts, or a market names it")]
    #[codec(index = 26)]
    CodeInUse {
        /// Contracts that run it.
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
    /// The events of the block would exceed their limit.
    #[error("the block has no room left for the contract's events")]
    #[codec(index = 64)]
    EventSpaceExhausted,
}
