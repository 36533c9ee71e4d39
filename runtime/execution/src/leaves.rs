//! The leaves of a stage as rows of the archive.
//!
//! ```text
//! row   market be32 | slot be32 | stage u8 | first be32  →  SCALE Vec<Vec<u8>>: leaf number `first`, and those after it
//! ```
//! Stages that are recorded at once (orders, trades, positions, transfers) put [`LEAVES_PER_ROW`] leaves in a row, since a
//! row costs a database more than what is in it; stages that grow (readings, votes) have a row for each leaf. The rule:
//! whoever reads a stage reads rows, never a leaf by its key.

use crate::archive::{ArchiveEntry, stage_key, tables};
use contract_interface::Stage;
use parity_scale_codec::{Compact, DecodeAll, Encode};
use runtime_primitives::{Hash, MarketId, MerkleAccumulator, Slot};
use runtime_state::ArchiveRow;

/// Leaves in a row of a stage that is recorded at once.
pub const LEAVES_PER_ROW: u32 = 64;

/// Key of the row whose first leaf has this number.
pub fn row_key(at: (MarketId, Slot), stage: Stage, first: u32) -> Vec<u8> {
    let mut key = stage_key(at, stage);
    key.extend_from_slice(&first.to_be_bytes());
    key
}

/// The row of one leaf, in a stage that grows.
pub fn single(at: (MarketId, Slot), stage: Stage, index: u32, leaf: Vec<u8>) -> ArchiveEntry {
    let value = vec![leaf].encode();
    ArchiveEntry(ArchiveRow { table: tables::STAGE, key: row_key(at, stage, index), value })
}

/// The leaves in rows of a stage, in order.
///
/// # Errors
/// If one is no such row.
pub fn read<'a>(
    rows: impl IntoIterator<Item = &'a ArchiveRow>,
) -> Result<Vec<Vec<u8>>, parity_scale_codec::Error> {
    let mut leaves = Vec::new();
    for row in rows {
        leaves.append(&mut Vec::<Vec<u8>>::decode_all(&mut &row.value[..])?);
    }
    Ok(leaves)
}

/// All leaves of a stage: their root, and the rows that keep them.
pub struct Leaves {
    at: (MarketId, Slot),
    stage: Stage,
    tree: MerkleAccumulator,
    rows: Vec<ArchiveEntry>,
}

impl Leaves {
    /// Of the encodings of `leaves`, in order.
    pub fn of<L: Encode>(at: (MarketId, Slot), stage: Stage, leaves: impl IntoIterator<Item = L>) -> Self {
        let mut all = Self { at, stage, tree: MerkleAccumulator::default(), rows: Vec::new() };
        let (mut leaf, mut row) = (Vec::new(), Vec::new());
        for item in leaves {
            leaf.clear();
            item.encode_to(&mut leaf);
            leaf.encode_to(&mut row);
            all.tree.push(&leaf);
            if all.len().is_multiple_of(LEAVES_PER_ROW) {
                all.end_row(&mut row, LEAVES_PER_ROW);
            }
        }
        let rest = all.len() % LEAVES_PER_ROW;
        if rest > 0 {
            all.end_row(&mut row, rest);
        }
        all
    }

    fn end_row(&mut self, row: &mut Vec<u8>, count: u32) {
        let key = row_key(self.at, self.stage, self.len() - count);
        let mut value = Vec::with_capacity(row.len() + 4);
        Compact(count).encode_to(&mut value);
        value.append(row);
        self.rows.push(ArchiveEntry(ArchiveRow { table: tables::STAGE, key, value }));
    }

    /// How many.
    pub const fn len(&self) -> u32 {
        self.tree.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    /// Which stage's.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// The market and slot.
    pub const fn at(&self) -> (MarketId, Slot) {
        self.at
    }

    /// The Merkle root.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// The rows, in order.
    pub fn into_rows(self) -> Vec<ArchiveEntry> {
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime_primitives::merkle_root;

    #[test]
    fn rows_give_back_the_leaves_they_were_made_of() {
        let at = (MarketId::from_number(1), Slot::from_number(2));
        for count in [0, 1, LEAVES_PER_ROW - 1, LEAVES_PER_ROW, LEAVES_PER_ROW + 1, 5 * LEAVES_PER_ROW + 7] {
            let items: Vec<Vec<u32>> = (0..count).map(|item| vec![item; item as usize % 40]).collect();
            let encoded: Vec<Vec<u8>> = items.iter().map(Encode::encode).collect();
            let leaves = Leaves::of(at, Stage::Matching, &items);
            assert_eq!((leaves.len(), leaves.is_empty()), (count, count == 0));
            assert_eq!(leaves.root(), merkle_root(&encoded), "{count}");
            let rows: Vec<ArchiveRow> = leaves.into_rows().into_iter().map(|entry| entry.0).collect();
            let firsts = (0..count).step_by(LEAVES_PER_ROW as usize);
            let keys: Vec<Vec<u8>> = firsts.map(|first| row_key(at, Stage::Matching, first)).collect();
            assert_eq!(rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>(), keys, "{count}");
            assert_eq!(read(&rows).expect("as written"), encoded, "{count}");
        }
        let one = single(at, Stage::Execution, 3, vec![1, 2]).0;
        assert_eq!(read([&one]).expect("as written"), [vec![1, 2]]);
        assert!(read([&ArchiveRow { value: vec![9], ..one }]).is_err());
    }
}
