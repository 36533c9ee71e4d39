//! Undo records: what a block's rows held before it.
//!
//! ```text
//! record = rows of flat | rows of archive         rows = count u32 | row × count, keys ascending
//! row    = compact (bytes shared with the last key) | SCALE Vec<u8> (the key's rest) | SCALE Option<Vec<u8>>
//! ```
//! The rule: a record is dropped with the oldest block of the window, or earlier if all of them together
//! grow too large; never a newer one before an older one.

use crate::tables::ChunkKey;
use crate::{StoreError, chunks};
use parity_scale_codec::{Compact, Decode, Encode};
use redb::ReadableTable;
use runtime_state::ChangeSet;

/// Rows being noted, in the order of their keys.
#[derive(Default)]
pub(crate) struct UndoRows {
    count: u32,
    last: Vec<u8>,
    rows: Vec<u8>,
}

impl UndoRows {
    /// Note what `key` held.
    pub(crate) fn push(&mut self, key: &[u8], old: Option<&[u8]>) {
        let shared = self.last.iter().zip(key).take_while(|(last, new)| last == new).count();
        Compact(u32::try_from(shared).expect("keys are shorter than 4 GiB")).encode_to(&mut self.rows);
        key[shared..].encode_to(&mut self.rows);
        old.encode_to(&mut self.rows);
        self.count += 1;
        self.last.clear();
        self.last.extend_from_slice(key);
    }

    fn append_to(&self, record: &mut Vec<u8>) {
        record.extend_from_slice(&self.count.to_le_bytes());
        record.extend_from_slice(&self.rows);
    }
}

/// The record of a block.
pub(crate) fn encode(flat: &UndoRows, archive: &UndoRows) -> Vec<u8> {
    let mut record = Vec::with_capacity(8 + flat.rows.len() + archive.rows.len());
    flat.append_to(&mut record);
    archive.append_to(&mut record);
    record
}

/// What flat and archive held before the block at `height`, whose record must be there.
pub(crate) fn read(
    table: &impl ReadableTable<ChunkKey, &'static [u8]>,
    height: u64,
) -> Result<(ChangeSet, ChangeSet), StoreError> {
    let record = chunks::read(table, height, usize::MAX)?;
    decode(height, &record.ok_or_else(|| StoreError::corrupted_record("undo", height, "is missing"))?)
}

fn decode(height: u64, mut record: &[u8]) -> Result<(ChangeSet, ChangeSet), StoreError> {
    let damaged = |reason: &dyn ToString| StoreError::corrupted_record("undo", height, reason.to_string());
    let flat = decode_rows(&mut record).map_err(|error| damaged(&error))?;
    let archive = decode_rows(&mut record).map_err(|error| damaged(&error))?;
    if !record.is_empty() {
        return Err(damaged(&"goes on after its end"));
    }
    Ok((flat, archive))
}

fn decode_rows(record: &mut &[u8]) -> Result<ChangeSet, parity_scale_codec::Error> {
    let count = u32::decode(record)?;
    let mut rows = ChangeSet::new();
    let mut last: Vec<u8> = Vec::new();
    for _ in 0..count {
        let Compact(shared) = Compact::<u32>::decode(record)?;
        let shared = usize::try_from(shared).ok().and_then(|shared| last.get(..shared));
        let shared = shared.ok_or("shares more than the last key has")?;
        let key = [shared, &Vec::<u8>::decode(record)?].concat();
        rows.insert(key.clone(), Decode::decode(record)?);
        last = key;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_record_comes_back_and_a_damaged_one_is_refused() {
        let flat: Vec<(Vec<u8>, Option<Vec<u8>>)> = vec![
            (vec![], Some(vec![])),
            (b"pallet/item/1".to_vec(), None),
            (b"pallet/item/12".to_vec(), Some(vec![7; 300])),
            (b"pallet/other".to_vec(), Some(vec![1])),
        ];
        let mut rows = UndoRows::default();
        flat.iter().for_each(|(key, old)| rows.push(key, old.as_deref()));
        let record = encode(&rows, &UndoRows::default());
        let (read, archive) = decode(1, &record).unwrap();
        assert_eq!(read.into_iter().collect::<Vec<_>>(), flat);
        assert!(archive.is_empty());
        for end in 0..record.len() {
            assert!(matches!(decode(1, &record[..end]), Err(StoreError::Corrupted { .. })), "cut at {end}");
        }
        assert!(decode(1, &[&record[..], &[0]].concat()).is_err());
    }
}
