//! Records of any length in a table of chunks.
//!
//! ```text
//! (number, 0) | (number, 1) | …    lengths 64 KiB, …, 64 KiB, then falling powers of two, less the
//!                                  row's own overhead, and the rest
//! ```
//! The rule: redb rounds a row up to a power-of-two number of pages, so a chunk fills one exactly; a
//! record of 33 KiB in one row would take 64.

use crate::StoreError;
use crate::tables::ChunkKey;
use redb::{ReadableTable, Table};

const PAGE: usize = 4096;
const LARGEST: usize = 16 * PAGE;
/// What a row with a 12-byte key needs beside its value, with some room.
const OVERHEAD: usize = 64;

/// Where the next chunk of a record with `left` bytes ends.
fn chunk_len(left: usize) -> usize {
    let mut size = LARGEST;
    while size > PAGE && left <= size / 2 - OVERHEAD {
        size /= 2;
    }
    // Either `left` fits `size` and is more than half of it, or it is more than the largest.
    let full = size - OVERHEAD;
    if left >= full || size == PAGE { left.min(full) } else { size / 2 - OVERHEAD }
}

/// Write a record; gives the number of chunks.
pub(crate) fn write(
    table: &mut Table<'_, ChunkKey, &'static [u8]>,
    number: u64,
    mut record: &[u8],
) -> Result<u32, StoreError> {
    let mut chunk = 0;
    loop {
        let (head, rest) = record.split_at(chunk_len(record.len()));
        table.insert((number, chunk), head)?;
        chunk += 1;
        if rest.is_empty() {
            return Ok(chunk);
        }
        record = rest;
    }
}

/// Read a record, or as many of its chunks as give `enough` bytes; `None` if there is no such record.
pub(crate) fn read(
    table: &impl ReadableTable<ChunkKey, &'static [u8]>,
    number: u64,
    enough: usize,
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut record = None;
    for row in table.range((number, 0)..=(number, u32::MAX))? {
        let (_, chunk) = row?;
        let record = record.get_or_insert_with(Vec::new);
        record.extend_from_slice(chunk.value());
        if record.len() >= enough {
            break;
        }
    }
    Ok(record)
}

/// Remove a record; gives its length.
pub(crate) fn remove(
    table: &mut Table<'_, ChunkKey, &'static [u8]>,
    number: u64,
) -> Result<usize, StoreError> {
    let mut removed = 0;
    for chunk in 0.. {
        match table.remove((number, chunk))? {
            Some(row) => removed += row.value().len(),
            None => break,
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_a_record_and_fill_their_pages() {
        for len in [0, 1, 4031, 4032, 4033, 8127, 8128, 8129, 33 << 10, 65_472, 65_473, 1 << 20] {
            let (mut left, mut held) = (len, 0);
            loop {
                let chunk = chunk_len(left);
                assert!(left == 0 || chunk > 0, "{len}: no progress");
                held += (chunk + OVERHEAD).next_power_of_two().max(PAGE);
                left -= chunk;
                if left == 0 {
                    break;
                }
            }
            assert!(held <= len + len / 50 + PAGE, "{len} bytes hold {held}");
        }
    }
}
