//! What the engine's library carries: an ordered block behind the digest of its parent.
//!
//! ```text
//! digest = sha-256 (digest of the parent | blake2-256 of the block's bytes)      zeros are genesis's parent
//! ```
//! So whoever knows a block's digest follows the chain by 32 bytes a block. The rule: one block has one encoding: bytes that
//! decode to a block and encode to other bytes are refused.

use bytes::{BufMut, Bytes};
use commonware_codec::{Buf, EncodeSize, Error, FixedSize, RangeCfg, Read, ReadExt, Write};
use commonware_consensus::types::Height as EngineHeight;
use commonware_consensus::{Block, BoundedBlock, Heightable};
use commonware_cryptography::{Digest as _, Digested, Digestible, Hasher, Sha256, sha256};
use parity_scale_codec::{DecodeAll, Encode};
use runtime_primitives::limits::BLOCK_BYTES_MAX;
use runtime_primitives::{Hash, OrderedBlock, blake2_256};
use std::sync::Arc;

/// Digest of a carried block.
pub type Digest = sha256::Digest;

/// Bytes of a length prefix.
const LENGTH_BYTES_MAX: usize = 5;

/// An ordered block as the engine carries it. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    parent: Digest,
    bytes: Bytes,
    block: Arc<OrderedBlock>,
}

impl Carried {
    /// Carry `block` on a parent.
    pub fn new(parent: Digest, block: OrderedBlock) -> Self {
        Self { parent, bytes: block.encode().into(), block: Arc::new(block) }
    }

    /// Carry a chain's first block.
    pub fn genesis(block: OrderedBlock) -> Self {
        Self::new(Digest::EMPTY, block)
    }

    /// The block.
    pub const fn block(&self) -> &Arc<OrderedBlock> {
        &self.block
    }

    /// With its digest computed.
    pub fn digested(self) -> Digested<Self> {
        let digest = self.digest();
        Digested::precomputed(self, digest)
    }

    /// The codec's limits.
    pub fn limits() -> RangeCfg<usize> {
        RangeCfg::from(..=BLOCK_BYTES_MAX)
    }
}

/// Digest of a block on `parent` whose bytes hash to `payload`.
pub(super) fn digest_on(parent: &Digest, payload: &Hash) -> Digest {
    Sha256::hash(&[parent, &payload.0])
}

impl Write for Carried {
    fn write(&self, buffer: &mut impl BufMut) {
        self.parent.write(buffer);
        self.bytes.write(buffer);
    }
}

impl EncodeSize for Carried {
    fn encode_size(&self) -> usize {
        Digest::SIZE + self.bytes.encode_size()
    }
}

impl Read for Carried {
    type Cfg = RangeCfg<usize>;

    fn read_cfg(buffer: &mut impl Buf, limits: &Self::Cfg) -> Result<Self, Error> {
        let parent = Digest::read(buffer)?;
        let bytes = Bytes::read_cfg(buffer, limits)?;
        let malformed = |why| Error::Invalid("ordered block", why);
        let block = OrderedBlock::decode_all(&mut &bytes[..]).map_err(|_| malformed("it does not decode"))?;
        if block.encode() != bytes {
            return Err(malformed("it is not in its canonical form"));
        }
        Ok(Self { parent, bytes, block: Arc::new(block) })
    }
}

impl Digestible for Carried {
    type Digest = Digest;

    fn digest(&self) -> Digest {
        digest_on(&self.parent, &blake2_256(&self.bytes))
    }
}

impl Heightable for Carried {
    fn height(&self) -> EngineHeight {
        EngineHeight::new(self.block.height.number())
    }
}

impl Block for Carried {
    fn parent(&self) -> Digest {
        self.parent
    }
}

impl BoundedBlock for Carried {
    fn max_encode_size(_: &Self::Cfg) -> usize {
        Digest::SIZE + LENGTH_BYTES_MAX + BLOCK_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use commonware_codec::{Decode as _, Encode as _};
    use runtime_primitives::{Executed, Height, Timestamp};

    fn block(extrinsics: Vec<Vec<u8>>) -> OrderedBlock {
        let executed = Executed { height: Height::from_number(6), header_hash: Hash([7; 32]) };
        OrderedBlock {
            height: Height::from_number(9),
            executed,
            timestamp: Timestamp::from_ms(1_000),
            extrinsics,
        }
    }

    fn read(bytes: Vec<u8>) -> Result<Carried, Error> {
        Carried::decode_cfg(bytes::Bytes::from(bytes), &Carried::limits())
    }

    #[test]
    fn it_comes_back_as_it_went() {
        let carried = Carried::new(Sha256::hash(&[b"parent"]), block(vec![vec![], vec![1, 2, 3]]));
        let back = read(carried.encode().to_vec()).unwrap();
        assert_eq!((back.digest(), back.height().get(), &back), (carried.digest(), 9, &carried));
        let other = Carried::new(Sha256::hash(&[b"another"]), block(vec![vec![], vec![1, 2, 3]]));
        assert_ne!(other.digest(), carried.digest(), "the digest covers the parent");
    }

    #[test]
    fn what_is_no_block_is_refused() {
        let good = Carried::genesis(block(vec![vec![1]])).encode().to_vec();
        assert!(read(good.clone()).is_ok());
        for cut in 0..good.len() {
            assert!(read(good[..cut].to_vec()).is_err(), "cut at {cut}");
        }
        // The list's length as a four-byte number: it decodes to the same block.
        let mut payload = block(vec![vec![1]]).encode();
        let at = payload.len() - 3;
        assert_eq!(payload[at..], [1 << 2, 1 << 2, 1]);
        payload.splice(at..at + 1, [2 | 1 << 2, 0, 0, 0]);
        let mut long = Digest::EMPTY.encode().to_vec();
        long.extend(Bytes::from(payload).encode());
        assert!(read(long).is_err());
        let heavy = block(vec![vec![0; BLOCK_BYTES_MAX]]);
        assert!(read(Carried::genesis(heavy).encode().to_vec()).is_err());
    }
}
