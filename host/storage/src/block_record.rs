//! The record of a block: header, applied extrinsics, receipts and what was ordered.
//!
//! ```text
//! header length u32 | body length u32 | receipts length u32 | header | body | receipts | ordered block
//! body = SCALE Vec of: 0 | compact index into the ordered extrinsics, or 1 | SCALE Vec<u8>
//! ```
//! Lengths are little-endian; header and ordered block are SCALE. What is asked for most stands first,
//! so that a header needs one chunk. The rule: an extrinsic that was ordered is not stored twice.

use crate::StoreError;
use crate::chunks;
use crate::tables::ChunkKey;
use parity_scale_codec::{Compact, Decode, DecodeAll, Encode};
use redb::ReadableTable;
use runtime_primitives::{Header, Height, OrderedBlock};

const PREFIX: usize = 12;

/// An extrinsic that was ordered, by its index, or else the extrinsic itself.
type BodyItem = Result<Compact<u32>, Vec<u8>>;

/// The record of a block, of what was applied of it, and of its receipts.
pub(crate) fn encode(header: &Header, block: &OrderedBlock, body: &[Vec<u8>], receipts: &[u8]) -> Vec<u8> {
    let header = header.encode();
    let body = encode_body(body, &block.extrinsics);
    let mut record = Vec::new();
    for part in [&header[..], &body, receipts] {
        let len = u32::try_from(part.len()).expect("a block's parts are bounded by its limits");
        record.extend_from_slice(&len.to_le_bytes());
    }
    for part in [&header[..], &body, receipts] {
        record.extend_from_slice(part);
    }
    block.encode_to(&mut record);
    record
}

/// The record of a block of which only the header is known.
pub(crate) fn encode_header(header: &Header) -> Vec<u8> {
    let header = header.encode();
    let len = u32::try_from(header.len()).expect("a header is short");
    [&len.to_le_bytes()[..], &[0; 8], &header].concat()
}

fn encode_body(body: &[Vec<u8>], ordered: &[Vec<u8>]) -> Vec<u8> {
    let mut next = 0;
    let items = body.iter().map(|extrinsic| -> BodyItem {
        // Applied extrinsics keep their order, so each search starts where the last one ended.
        match ordered[next..].iter().position(|candidate| candidate == extrinsic) {
            Some(ahead) => {
                next += ahead + 1;
                Ok(Compact(u32::try_from(next - 1).expect("a block has few extrinsics")))
            }
            None => BodyItem::Err(extrinsic.clone()),
        }
    });
    items.collect::<Vec<BodyItem>>().encode()
}

/// A record, or the front of one.
pub(crate) struct BlockRecord {
    height: u64,
    bytes: Vec<u8>,
    ends: [usize; 3],
}

impl BlockRecord {
    fn read(
        table: &impl ReadableTable<ChunkKey, &'static [u8]>,
        height: Height,
        parts: usize,
    ) -> Result<Option<Self>, StoreError> {
        let height = height.number();
        let Some(mut bytes) = chunks::read(table, height, PREFIX)? else { return Ok(None) };
        let ends = ends(&bytes).ok_or_else(|| damaged(height, "no lengths"))?;
        let enough = ends.get(parts).copied().unwrap_or(usize::MAX);
        if bytes.len() < enough {
            bytes = chunks::read(table, height, enough)?.unwrap_or_default();
        }
        Ok(Some(Self { height, bytes, ends }))
    }

    fn part(&self, from: usize, to: usize) -> Result<&[u8], StoreError> {
        self.bytes.get(from..to).ok_or_else(|| damaged(self.height, "ends early"))
    }

    /// The header of the block at `height`.
    pub(crate) fn header(
        table: &impl ReadableTable<ChunkKey, &'static [u8]>,
        height: Height,
    ) -> Result<Option<Header>, StoreError> {
        let Some(record) = Self::read(table, height, 0)? else { return Ok(None) };
        let header = record.part(PREFIX, record.ends[0])?;
        decode(record.height, header).map(Some)
    }

    /// The receipts of the block at `height`.
    pub(crate) fn receipts(
        table: &impl ReadableTable<ChunkKey, &'static [u8]>,
        height: Height,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(record) = Self::read(table, height, 2)? else { return Ok(None) };
        Ok(Some(record.part(record.ends[1], record.ends[2])?.to_vec()))
    }

    /// The ordered block at `height`.
    pub(crate) fn block(
        table: &impl ReadableTable<ChunkKey, &'static [u8]>,
        height: Height,
    ) -> Result<Option<OrderedBlock>, StoreError> {
        let Some(record) = Self::read(table, height, 3)? else { return Ok(None) };
        record.ordered().map(Some)
    }

    /// The applied extrinsics of the block at `height`.
    pub(crate) fn body(
        table: &impl ReadableTable<ChunkKey, &'static [u8]>,
        height: Height,
    ) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let Some(record) = Self::read(table, height, 3)? else { return Ok(None) };
        let items: Vec<BodyItem> = decode(record.height, record.part(record.ends[0], record.ends[1])?)?;
        let ordered = record.ordered()?.extrinsics;
        let body = items.into_iter().map(|item| match item {
            Err(extrinsic) => Ok(extrinsic),
            Ok(Compact(index)) => {
                let extrinsic = usize::try_from(index).ok().and_then(|index| ordered.get(index)).cloned();
                extrinsic.ok_or_else(|| damaged(record.height, "names an extrinsic that was not ordered"))
            }
        });
        body.collect::<Result<_, _>>().map(Some)
    }

    fn ordered(&self) -> Result<OrderedBlock, StoreError> {
        decode(self.height, self.part(self.ends[2], self.bytes.len())?)
    }
}

/// Where header, body and receipts end.
fn ends(bytes: &[u8]) -> Option<[usize; 3]> {
    let mut end = PREFIX;
    let mut ends = [0; 3];
    for (part, len) in ends.iter_mut().zip(bytes.get(..PREFIX)?.chunks_exact(4)) {
        let len = u32::from_le_bytes(len.try_into().ok()?);
        end = end.checked_add(usize::try_from(len).ok()?)?;
        *part = end;
    }
    Some(ends)
}

fn decode<T: Decode>(height: u64, mut bytes: &[u8]) -> Result<T, StoreError> {
    T::decode_all(&mut bytes).map_err(|error| damaged(height, error))
}

fn damaged(height: u64, reason: impl ToString) -> StoreError {
    StoreError::corrupted_record("blocks", height, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_refers_to_what_was_ordered() {
        let ordered: Vec<Vec<u8>> = (0..100u8).map(|n| vec![n; 1000]).collect();
        let mut body: Vec<Vec<u8>> = ordered.iter().step_by(3).cloned().collect();
        body.insert(0, b"inherent".to_vec());
        body.push(ordered[0].clone()); // out of order: stored itself
        assert!(encode_body(&body, &ordered).len() < 1200);
    }
}
