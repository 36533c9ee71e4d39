//! Where the store stands: the head rows, and the committed block that readers share.
//!
//! ```text
//! head 0 = format u32 | genesis header hash 32
//! head 1 = height u64 | generation u64 | state root 32 | lowest height with undo u64 | undo bytes u64
//! ```
//! Integers are little-endian. The rule: a reader takes trie and tables together, from one committed block.

use crate::block_record::BlockRecord;
use crate::tables::{BLOCKS, FLAT, HEAD, INDEX, PAGES};
use crate::trie_log::decode_page;
use crate::{StoreError, flat};
use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, TableError};
use runtime_primitives::{Hash, Header, Height};
use runtime_state::trie::{
    KeyPath, Op, Page, PageId, Source, Trie, ValueHash, changes, hash_batch, path_range,
};

pub(crate) const ORIGIN: u8 = 0;
pub(crate) const TIP: u8 = 1;
const FORMAT: u32 = 1;

/// The row that changes with every block.
#[derive(Clone, Copy)]
pub(crate) struct Tip {
    pub(crate) height: u64,
    pub(crate) generation: u64,
    pub(crate) root: Hash,
    /// The lowest height whose undo record is kept; one above the best if none is.
    pub(crate) undo_from: u64,
    pub(crate) undo_bytes: u64,
}

/// The row that never changes.
pub(crate) fn encode_origin(genesis: &Hash) -> [u8; 36] {
    let mut row = [0; 36];
    row[..4].copy_from_slice(&FORMAT.to_le_bytes());
    row[4..].copy_from_slice(&genesis.0);
    row
}

fn decode_origin(row: &[u8]) -> Result<Hash, StoreError> {
    let damaged = || StoreError::corrupted("head", &[ORIGIN], "has the wrong length");
    let (format, genesis) = row.split_first_chunk().ok_or_else(damaged)?;
    let found = u32::from_le_bytes(*format);
    if found != FORMAT {
        return Err(StoreError::Format { found, wanted: FORMAT });
    }
    Ok(Hash(genesis.try_into().map_err(|_| damaged())?))
}

impl Tip {
    pub(crate) fn encode(&self) -> [u8; 64] {
        let mut row = [0; 64];
        row[..8].copy_from_slice(&self.height.to_le_bytes());
        row[8..16].copy_from_slice(&self.generation.to_le_bytes());
        row[16..48].copy_from_slice(&self.root.0);
        row[48..56].copy_from_slice(&self.undo_from.to_le_bytes());
        row[56..].copy_from_slice(&self.undo_bytes.to_le_bytes());
        row
    }

    fn decode(row: &[u8]) -> Result<Self, StoreError> {
        let row: &[u8; 64] =
            row.try_into().map_err(|_| StoreError::corrupted("head", &[TIP], "has the wrong length"))?;
        let number =
            |at: usize| u64::from_le_bytes(row[at..at + 8].try_into().expect("eight bytes within the row"));
        Ok(Self {
            height: number(0),
            generation: number(8),
            root: Hash(row[16..48].try_into().expect("32 bytes within the row")),
            undo_from: number(48),
            undo_bytes: number(56),
        })
    }
}

/// A committed block, open for reading.
pub(crate) struct Head {
    pub(crate) genesis: Hash,
    pub(crate) tip: Tip,
    pub(crate) hash: Hash,
    pub(crate) header: Header,
    pub(crate) trie: Trie,
    pub(crate) flat: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(crate) index: ReadOnlyTable<&'static [u8; 32], &'static [u8]>,
    pub(crate) pages: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(crate) tx: ReadTransaction,
}

impl Head {
    /// Whether the file is a store of this program.
    pub(crate) fn check(db: &Database) -> Result<(), StoreError> {
        read_rows(&db.begin_read()?).map(drop)
    }

    /// Open what a file holds, its pages being up to date.
    pub(crate) fn recover(db: &Database) -> Result<Self, StoreError> {
        let tx = db.begin_read()?;
        let (genesis, tip) = read_rows(&tx)?;
        let header = read_header(&tx, tip.height)?;
        if header.number != tip.height || header.state_root != tip.root {
            return Err(StoreError::corrupted_record("blocks", tip.height, "is not the block of the head"));
        }
        let top = tx.open_table(PAGES)?.get(&[][..])?;
        let top = top.map(|row| decode_page(&[], row.value())).transpose()?;
        let trie = Trie::from_parts(tip.generation, tip.root, top)
            .map_err(|error| StoreError::corrupted("pages", &[], error))?;
        Self::open(tx, genesis, tip, header, trie)
    }

    /// Open what `tx` sees, with the trie that belongs to it.
    pub(crate) fn open(
        tx: ReadTransaction,
        genesis: Hash,
        tip: Tip,
        header: Header,
        trie: Trie,
    ) -> Result<Self, StoreError> {
        let (flat, index, pages) = (tx.open_table(FLAT)?, tx.open_table(INDEX)?, tx.open_table(PAGES)?);
        let hash = header.hash();
        Ok(Self { genesis, tip, hash, header, trie, flat, index, pages, tx })
    }

    pub(crate) fn height(&self) -> Height {
        self.header.height()
    }

    /// Whether undo records lead back to `height`.
    pub(crate) fn reaches(&self, height: Height) -> Result<(), StoreError> {
        let best = self.height();
        if height > best {
            return Err(StoreError::AboveBest { to: height, best });
        }
        let oldest = Height::from_number(self.tip.undo_from - 1);
        if height < oldest {
            return Err(StoreError::OutOfReach { to: height, oldest });
        }
        Ok(())
    }
}

/// The header of a block that must be there.
pub(crate) fn read_header(tx: &ReadTransaction, height: u64) -> Result<Header, StoreError> {
    let header = BlockRecord::header(&tx.open_table(BLOCKS)?, Height::from_number(height))?;
    header.ok_or_else(|| StoreError::corrupted_record("blocks", height, "is missing"))
}

fn read_rows(tx: &ReadTransaction) -> Result<(Hash, Tip), StoreError> {
    let head = match tx.open_table(HEAD) {
        Err(TableError::TableDoesNotExist(_)) => return Err(StoreError::NoGenesis),
        other => other?,
    };
    let origin = head.get(ORIGIN)?.ok_or(StoreError::NoGenesis)?;
    let genesis = decode_origin(origin.value())?;
    let tip = head.get(TIP)?.ok_or_else(|| StoreError::corrupted("head", &[TIP], "is missing"))?;
    let tip = Tip::decode(tip.value())?;
    let next = tip.height.checked_add(1);
    if next.is_none_or(|next| !(1..=next).contains(&tip.undo_from)) {
        return Err(StoreError::corrupted("head", &[TIP], "has undo records of no block"));
    }
    Ok((genesis, tip))
}

impl Source for Head {
    type Error = StoreError;

    fn page(&self, id: &PageId) -> Result<Page, StoreError> {
        let path = id.length_dependent_encoding();
        let row = self.pages.get(path)?;
        let row = row.ok_or_else(|| StoreError::corrupted("pages", path, "is missing"))?;
        decode_page(path, row.value())
    }

    fn leaves(
        &self,
        prefix: &KeyPath,
        depth: usize,
        ops: &[Op],
    ) -> Result<Vec<(KeyPath, ValueHash)>, StoreError> {
        let (first, last) = path_range(prefix, depth);
        let (mut keys, mut rows) = (Vec::new(), Vec::new());
        for entry in self.index.range::<&[u8; 32]>(&first..=&last)? {
            let (path, key) = entry?;
            if changes(ops, path.value()) {
                continue;
            }
            let row = self.flat.get(key.value())?;
            rows.push(
                row.ok_or_else(|| StoreError::corrupted("flat", key.value(), "is in the index alone"))?,
            );
            keys.push((*path.value(), key));
        }
        let mut leaves = Vec::with_capacity(keys.len());
        let mut short: Vec<&[u8]> = Vec::new();
        for ((path, key), row) in keys.iter().zip(&rows) {
            let (hash, value) = flat::split(key.value(), row.value())?;
            if hash.is_none() {
                short.push(value);
            }
            leaves.push((*path, hash));
        }
        let mut hashes = hash_batch(short).into_iter();
        let leaves = leaves.into_iter().map(|(path, hash)| {
            let hash = hash.or_else(|| hashes.next()).expect("one hash a short value");
            (path, hash)
        });
        Ok(leaves.collect())
    }
}
