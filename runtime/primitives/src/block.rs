//! The ordered block (what consensus agrees on) and the header (what execution derives from it).
//!
//! ```text
//! header = parent_hash 32 | number compact | state_root 32 | extrinsics_root 32 | digest (Vec of items)
//! hash   = blake2_256(SCALE(header))                                     as in Substrate
//! ```
//! A header is never proposed: every validator derives it by executing the ordered block.

use crate::{Hash, Height, Timestamp, blake2_256};
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode, Error, Input, Output};

/// The header of an executed block, in Substrate's layout.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Header {
    /// Hash of the parent's header.
    pub parent_hash: Hash,
    /// Height; compact on the wire.
    #[codec(compact)]
    pub number: u64,
    /// Root of the state trie after this block.
    pub state_root: Hash,
    /// Merkle root of the applied extrinsics.
    pub extrinsics_root: Hash,
    /// Commitments to the ordered payload and to the skips.
    pub digest: Digest,
}

impl Header {
    /// blake2-256 of the SCALE encoding.
    pub fn hash(&self) -> Hash {
        blake2_256(&self.encode())
    }

    /// The height as a type.
    pub const fn height(&self) -> Height {
        Height::from_number(self.number)
    }
}

/// Digest logs of a header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Digest {
    /// The items, in order.
    pub logs: Vec<DigestItem>,
}

/// One digest log. Only pre-runtime items are used; the index is Substrate's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub enum DigestItem {
    /// Engine id and payload, index 6.
    #[cfg_attr(feature = "type-info", codec(index = 6))]
    PreRuntime([u8; 4], Vec<u8>),
}

impl Encode for DigestItem {
    fn encode_to<O: Output + ?Sized>(&self, dest: &mut O) {
        let Self::PreRuntime(engine, data) = self;
        dest.push_byte(6);
        engine.encode_to(dest);
        data.encode_to(dest);
    }
}

impl Decode for DigestItem {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        match input.read_byte()? {
            6 => Ok(Self::PreRuntime(Decode::decode(input)?, Decode::decode(input)?)),
            _ => Err("digest item: only pre-runtime (6) is known".into()),
        }
    }
}

/// An executed height and its header hash, as the proposer reports it (DESIGN 4.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Executed {
    /// The height.
    pub height: Height,
    /// Hash of the header at that height.
    pub header_hash: Hash,
}

/// What consensus orders and finalizes: opaque extrinsics with a time.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct OrderedBlock {
    /// Height of this block; the parent is one lower.
    pub height: Height,
    /// An ancestor that the proposer has executed, at most 8 blocks back.
    pub executed: Executed,
    /// The proposer's time; later than the parent's.
    pub timestamp: Timestamp,
    /// Extrinsics as submitted, undecoded.
    pub extrinsics: Vec<Vec<u8>>,
}

impl OrderedBlock {
    /// blake2-256 of the SCALE encoding; the header's digest commits to it.
    pub fn payload_hash(&self) -> Hash {
        blake2_256(&self.encode())
    }
}
