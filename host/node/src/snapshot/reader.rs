//! A snapshot's bytes, from the first to the last: lengths are bounded, encodings are the only ones, keys ascend.
//!
//! The rule: room is made for what was read, never for what a length says.

use super::{CERTIFICATE_BYTES_MAX, HEADER_BYTES_MAX, MAGIC, SnapshotError, VALUE_BYTES_MAX, VERSION};
use crate::checkpoint::Certificate;
use host_consensus::network::PROOF_BYTES_MAX;
use parity_scale_codec::{DecodeAll, Encode};
use runtime_primitives::limits::BLOCK_BYTES_MAX;
use runtime_primitives::{Hash, Header, OrderedBlock};
use std::io::Read;

/// An ordered block and what proves it final.
#[derive(Clone, Debug)]
pub(super) struct Ordered {
    /// The engine's digest of its parent.
    pub parent: Hash,
    pub block: OrderedBlock,
    pub proof: Vec<u8>,
}

/// Reads a snapshot, part after part in their order.
pub(super) struct Reader<'a, R> {
    source: R,
    at: u64,
    /// Told of the bytes that were read.
    progress: &'a mut dyn FnMut(u64),
}

impl<'a, R: Read> Reader<'a, R> {
    /// Read the beginning; gives the chain's genesis.
    pub fn open(source: R, progress: &'a mut dyn FnMut(u64)) -> Result<(Self, Hash), SnapshotError> {
        let mut reader = Self { source, at: 0, progress };
        match reader.bytes("the beginning", MAGIC.len()) {
            Ok(magic) if magic == MAGIC => {}
            Ok(_) | Err(SnapshotError::Short { .. }) => return Err(SnapshotError::NoSnapshot),
            Err(error) => return Err(error),
        }
        let found = reader.number("the version")?;
        if found != VERSION {
            return Err(SnapshotError::Version { found, wanted: VERSION });
        }
        let genesis = reader.hash("the genesis hash")?;
        Ok((reader, genesis))
    }

    fn bytes(&mut self, what: &'static str, count: usize) -> Result<Vec<u8>, SnapshotError> {
        let mut bytes = Vec::new();
        let read = self.source.by_ref().take(count as u64).read_to_end(&mut bytes);
        self.at += bytes.len() as u64;
        (self.progress)(bytes.len() as u64);
        read.map_err(|source| SnapshotError::Read { at: self.at, source })?;
        if bytes.len() < count {
            return Err(SnapshotError::Short { at: self.at, what });
        }
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], SnapshotError> {
        let bytes = self.bytes(what, N)?;
        Ok(bytes.try_into().expect("as many were read"))
    }

    fn number(&mut self, what: &'static str) -> Result<u32, SnapshotError> {
        self.array(what).map(u32::from_le_bytes)
    }

    fn hash(&mut self, what: &'static str) -> Result<Hash, SnapshotError> {
        self.array(what).map(Hash)
    }

    /// A part behind its length.
    fn part(&mut self, what: &'static str, max: usize) -> Result<Vec<u8>, SnapshotError> {
        let (at, length) = (self.at, self.number(what)?);
        let found = usize::try_from(length).unwrap_or(usize::MAX);
        if found > max {
            return Err(SnapshotError::Length { at, what, found, max });
        }
        self.bytes(what, found)
    }

    fn decoded<T: DecodeAll + Encode>(&mut self, what: &'static str, max: usize) -> Result<T, SnapshotError> {
        let at = self.at;
        let bytes = self.part(what, max)?;
        let malformed = |reason: String| SnapshotError::Malformed { at, what, reason };
        let value = T::decode_all(&mut &bytes[..]).map_err(|error| malformed(error.to_string()))?;
        if value.encode() != bytes {
            return Err(malformed("it is not in its canonical form".to_owned()));
        }
        Ok(value)
    }

    /// The certificates, one by one.
    pub fn certificates(
        &mut self,
        mut each: impl FnMut(Certificate) -> Result<(), SnapshotError>,
    ) -> Result<(), SnapshotError> {
        for _ in 0..self.number("the certificates")? {
            each(self.decoded("a certificate", CERTIFICATE_BYTES_MAX)?)?;
        }
        Ok(())
    }

    /// The headers; `wanted` says how many there must be.
    pub fn headers(&mut self, last: u64, wanted: u64) -> Result<Vec<Header>, SnapshotError> {
        let found = self.number("the headers")?;
        if u64::from(found) != wanted {
            return Err(SnapshotError::HeaderCount { found, last, wanted });
        }
        (0..found).map(|_| self.decoded("a header", HEADER_BYTES_MAX)).collect()
    }

    /// The ordered block.
    pub fn ordered(&mut self) -> Result<Ordered, SnapshotError> {
        let parent = self.hash("the parent's digest")?;
        let block = self.decoded("the ordered block", BLOCK_BYTES_MAX)?;
        let proof = self.part("the proof of finality", PROOF_BYTES_MAX)?;
        Ok(Ordered { parent, block, proof })
    }

    /// The state's entries, ascending, up to the snapshot's end; gives how many.
    pub fn entries(
        mut self,
        mut each: impl FnMut(Vec<u8>, Vec<u8>) -> Result<(), SnapshotError>,
    ) -> Result<u64, SnapshotError> {
        let (mut found, mut before) = (0, Vec::new());
        loop {
            let at = self.at;
            let length = usize::from(u16::from_le_bytes(self.array("an entry")?));
            if length == 0 {
                break;
            }
            let value = usize::try_from(self.number("an entry")?).unwrap_or(usize::MAX);
            if value > VALUE_BYTES_MAX {
                let (what, max) = ("a value", VALUE_BYTES_MAX);
                return Err(SnapshotError::Length { at, what, found: value, max });
            }
            let key = self.bytes("a key", length)?;
            if key <= before {
                return Err(SnapshotError::Order { at, entry: found });
            }
            before.clone_from(&key);
            each(key, self.bytes("a value", value)?)?;
            found += 1;
        }
        let said = u64::from_le_bytes(self.array("the number of entries")?);
        if said != found {
            return Err(SnapshotError::Entries { found, said });
        }
        let at = self.at;
        match self.bytes("the end", 1) {
            Err(SnapshotError::Short { .. }) => Ok(found),
            Ok(_) => Err(SnapshotError::Trailing { at }),
            Err(error) => Err(error),
        }
    }
}
