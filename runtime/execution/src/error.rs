//! Three of the four kinds of wrong: refused before inclusion, included but failed, bad block.
//! The fourth, our bug, panics.

use crate::modules::{attestation, balances, contracts, markets, registry, sudo, timestamp};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{AccountId, Gas, Hash, Height, Money, Timestamp};
use scale_info::TypeInfo;
use thiserror::Error;

/// Why an extrinsic cannot be part of a block: it is skipped and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Error)]
pub enum Invalid {
    /// The bytes are no extrinsic of this chain. Without a library's words: the header commits to skips.
    #[error("undecodable: no format 4 extrinsic with a call of this chain, its length first")]
    #[codec(index = 0)]
    Undecodable,
    /// The all-zero key: anybody could sign for it.
    #[error("the all-zero key never signs")]
    #[codec(index = 1)]
    ZeroKey,
    /// The signature does not verify; also what another chain's genesis or another version leads to.
    #[error("bad signature of {signer}: wrong key, call, nonce, era, genesis hash or spec version")]
    #[codec(index = 2)]
    BadSignature {
        /// Who was said to have signed.
        signer: AccountId,
    },
    /// The nonce was used before.
    #[error("nonce {got} is used; the next is {next}")]
    #[codec(index = 3)]
    StaleNonce {
        /// In the extrinsic.
        got: u32,
        /// Expected.
        next: u32,
    },
    /// The nonce is ahead of the account.
    #[error("nonce {got} is ahead; the next is {next}")]
    #[codec(index = 4)]
    FutureNonce {
        /// In the extrinsic.
        got: u32,
        /// Expected.
        next: u32,
    },
    /// The era has ended, or its birth block is not remembered.
    #[error("expired: the era's birth block {birth} is no ancestor that the chain remembers at {current}")]
    #[codec(index = 5)]
    Expired {
        /// Birth block.
        birth: u64,
        /// Current block.
        current: u64,
    },
    /// The metadata-hash extension is not served in another mode than 0.
    #[error("metadata hash mode {0} is not served; use 0")]
    #[codec(index = 6)]
    MetadataHashMode(u8),
    /// The signer is not registered.
    #[error("{signer} is no registered key; the registrar admits it: busbar entity register --owner ADDRESS")]
    #[codec(index = 7)]
    Unregistered {
        /// Who signed.
        signer: AccountId,
    },
    /// The call must be signed.
    #[error("this call must be signed")]
    #[codec(index = 8)]
    NotSigned,
    /// The call is bare (inherents, votes, readings) and carries its own proof.
    #[error("this call is submitted bare")]
    #[codec(index = 9)]
    NotBare,
    /// The block has no gas left for it.
    #[error("the block has {left} gas left, the extrinsic declares {declared}")]
    #[codec(index = 10)]
    BlockGas {
        /// Declared by the extrinsic.
        declared: Gas,
        /// Left in the block.
        left: Gas,
    },
    /// The call declares more gas than a block has.
    #[error("the extrinsic declares {declared} gas, a block has {limit}")]
    #[codec(index = 11)]
    TooMuchGas {
        /// Declared by the extrinsic.
        declared: Gas,
        /// Of a block.
        limit: Gas,
    },
    /// A bare vote was refused.
    #[error("vote refused: {0}")]
    #[codec(index = 12)]
    Attestation(attestation::Error),
    /// A bare reading was refused.
    #[error("reading refused: {0}")]
    #[codec(index = 13)]
    Markets(markets::Error),
    /// The entity's quota of gas is used up, and its owner cannot pay for what is beyond.
    #[error(
        "the weight fee beyond the hour's quota is {needed} yuan, {free} are free; fund the account, or wait an hour"
    )]
    #[codec(index = 14)]
    Payment {
        /// The fee.
        needed: Money,
        /// Free money of the entity's owner.
        free: Money,
    },
}

/// Why an included extrinsic failed: its effects are undone, its nonce is used.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Error)]
pub enum DispatchError {
    /// The origin may not do this.
    #[error("bad origin: the call needs another signer")]
    #[codec(index = 0)]
    BadOrigin,
    /// Of `Timestamp`.
    #[error(transparent)]
    #[codec(index = 1)]
    Timestamp(#[from] timestamp::Error),
    /// Of `Balances`.
    #[error(transparent)]
    #[codec(index = 2)]
    Balances(#[from] balances::Error),
    /// Of `Sudo`.
    #[error(transparent)]
    #[codec(index = 3)]
    Sudo(#[from] sudo::Error),
    /// Of `Registry`.
    #[error(transparent)]
    #[codec(index = 4)]
    Registry(#[from] registry::Error),
    /// Of `Contracts`.
    #[error(transparent)]
    #[codec(index = 5)]
    Contracts(#[from] contracts::Error),
    /// Of `Markets`.
    #[error(transparent)]
    #[codec(index = 6)]
    Markets(#[from] markets::Error),
    /// Of `Attestation`.
    #[error(transparent)]
    #[codec(index = 7)]
    Attestation(#[from] attestation::Error),
}

/// A dispatch error as Substrate's clients decode it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum SubstrateError {
    /// The origin may not do this.
    #[codec(index = 2)]
    BadOrigin,
    /// A module's error.
    #[codec(index = 3)]
    Module(ModuleError),
}

/// `sp_runtime::ModuleError`: which module, and which of its errors. The receipts have the error's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ModuleError {
    /// Module index.
    pub index: u8,
    /// Variant, zero padded.
    pub error: [u8; 4],
}

impl From<&DispatchError> for SubstrateError {
    fn from(error: &DispatchError) -> Self {
        // SCALE puts the module's index first and the module's variant second.
        match error.encode()[..] {
            [index, variant, ..] => Self::Module(ModuleError { index, error: [variant, 0, 0, 0] }),
            _ => Self::BadOrigin,
        }
    }
}

/// Why an ordered block is no block of this chain. Consensus must never finalize one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BlockError {
    /// The block does not follow its parent.
    #[error("block {got} cannot follow block {parent}")]
    Height {
        /// Of the block.
        got: Height,
        /// Of the parent.
        parent: Height,
    },
    /// Time does not advance.
    #[error("block time {got} is not after its parent's {parent}")]
    Time {
        /// Of the block.
        got: Timestamp,
        /// Of the parent.
        parent: Timestamp,
    },
    /// Too many bytes.
    #[error("block of {got} bytes; the limit is {limit}")]
    TooLarge {
        /// Of the block.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// Too many extrinsics.
    #[error("block of {got} extrinsics; the limit is {limit}")]
    TooManyExtrinsics {
        /// Of the block.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// An extrinsic is valid in no state.
    #[error("extrinsic {index}: {reason}")]
    Extrinsic {
        /// Its place in the block.
        index: usize,
        /// Why.
        reason: Invalid,
    },
    /// The extrinsics declare more gas than a block may use.
    #[error("extrinsics that declare {declared} gas and more; the limit is {limit}")]
    TooMuchGas {
        /// Up to the first that is too much.
        declared: Gas,
        /// The limit.
        limit: Gas,
    },
    /// The proposer executed something else.
    #[error("the proposer executed header {proposed} at block {height}, this node {own}")]
    ExecutedHeader {
        /// At which height.
        height: Height,
        /// The proposer's.
        proposed: Hash,
        /// Ours.
        own: Hash,
    },
    /// The proposer's executed height is out of range.
    #[error("executed height {executed} is not within 8 blocks below {height}")]
    ExecutedLag {
        /// The proposer's.
        executed: Height,
        /// Of the block.
        height: Height,
    },
}
