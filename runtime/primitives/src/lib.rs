//! The nouns of the chain and their SCALE layouts; forbids std, I/O and secret keys.
//!
//! Every other crate speaks in these types. Nothing here reads a clock or allocates by a length
//! that came from outside without a limit.
#![no_std]

extern crate alloc;

mod account;
mod block;
#[cfg(feature = "crypto")]
pub mod crypto;
mod hash;
pub mod limits;
mod merkle;
mod units;

pub use account::AccountId;
pub use block::{Digest, DigestItem, Executed, Header, OrderedBlock};
pub use hash::{Hash, blake2_64, blake2_128, blake2_256, keccak_256, sha2_256, twox_64, twox_128};
pub use merkle::{MerkleAccumulator, MerkleProof, MerkleTree, merkle_root};
pub use units::{
    Energy, EntityId, FeederId, Gas, Height, MarketId, MeterId, Money, Price, Seq, Slot, SlotCount,
    Timestamp, midpoint_floor,
};
