//! Where the store stands: the head rows, and the committed block that readers share.
//!
//! ```text
//! head 0 = 1 u32 | genesis header hash 32
//!        = 2 u32 | genesis header hash 32 | base height u64 | made at u64, in ms | digest 32      began with a snapshot
//! head 1 = height u64 | generation u64 | state root 32 | lowest height with undo u64 | undo bytes u64
//! ```
//! Integers are little-endian. The rule: a reader takes trie and tables together, from one committed block.

use crate::base::Base;
use crate::block_record::BlockRecord;
use crate::tables::{BLOCKS, FLAT, HEAD, INDEX, PAGES};
use crate::trie_log::decode_page;
use crate::{StoreError, flat};
use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, TableError};
use runtime_primitives::{Hash, Header, Height, Timestamp};
use runtime_state::trie::{
    KeyPath, Op, Page, PageId, Source, Trie, ValueHash, changes, hash_batch, path_range,
};

pub(crate) const ORIGIN: u8 = 0;
pub(crate) const TIP: u8 = 1;
/// Formats of a chain from its genesis on, and of one that began with a snapshot: who knows the first alone must not read
/// the second.
const WHOLE: u32 = 1;
const BASED: u32 = 2;

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

/// The row of where the chain began here.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) genesis: Hash,
    pub(crate) base: Option<Base>,
}

impl Origin {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Some(Base { height, made_at, parent }) = self.base else {
            return [&WHOLE.to_le_bytes()[..], &self.genesis.0].concat();
        };
        let (height, made_at) = (height.number().to_le_bytes(), made_at.ms().to_le_bytes());
        [&BASED.to_le_bytes()[..], &self.genesis.0, &height, &made_at, &parent.0].concat()
    }

    fn decode(row: &[u8]) -> Result<Self, StoreError> {
        let damaged = || StoreError::corrupted("head", &[ORIGIN], "has the wrong length");
        let (format, row) = row.split_first_chunk().ok_or_else(damaged)?;
        let found = u32::from_le_bytes(*format);
        if found != WHOLE && found != BASED {
            return Err(StoreError::Format { found, wanted: BASED });
        }
        let (genesis, row) = row.split_first_chunk().ok_or_else(damaged)?;
        let base = if found == BASED { Some(decode_base(row).ok_or_else(damaged)?) } else { None };
        if base.is_none() && !row.is_empty() {
            return Err(damaged());
        }
        Ok(Self { genesis: Hash(*genesis), base })
    }
}

fn decode_base(row: &[u8]) -> Option<Base> {
    let (height, row) = row.split_first_chunk()?;
    let (made_at, parent) = row.split_first_chunk()?;
    Some(Base {
        height: Height::from_number(u64::from_le_bytes(*height)),
        made_at: Timestamp::from_ms(u64::from_le_bytes(*made_at)),
        parent: Hash(parent.try_into().ok()?),
    })
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
    pub(crate) origin: Origin,
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
        let (origin, tip) = read_rows(&tx)?;
        let header = read_header(&tx, tip.height)?;
        if header.number != tip.height || header.state_root != tip.root {
            return Err(StoreError::corrupted_record("blocks", tip.height, "is not the block of the head"));
        }
        let top = tx.open_table(PAGES)?.get(&[][..])?;
        let top = top.map(|row| decode_page(&[], row.value())).transpose()?;
        let trie = Trie::from_parts(tip.generation, tip.root, top)
            .map_err(|error| StoreError::corrupted("pages", &[], error))?;
        Self::open(tx, origin, tip, header, trie)
    }

    /// Open what `tx` sees, with the trie that belongs to it.
    pub(crate) fn open(
        tx: ReadTransaction,
        origin: Origin,
        tip: Tip,
        header: Header,
        trie: Trie,
    ) -> Result<Self, StoreError> {
        let (flat, index, pages) = (tx.open_table(FLAT)?, tx.open_table(INDEX)?, tx.open_table(PAGES)?);
        let hash = header.hash();
        Ok(Self { origin, tip, hash, header, trie, flat, index, pages, tx })
    }

    pub(crate) fn height(&self) -> Height {
        self.header.height()
    }

    /// Height of the block whose state the chain began with here.
    pub(crate) fn base(&self) -> Height {
        self.origin.base.map_or(Height::ZERO, |base| base.height)
    }

    /// Whether what is asked for of the block at `height` is kept here: it is from `first` on, and of genesis.
    pub(crate) fn holds(&self, height: Height, first: Height) -> Result<(), StoreError> {
        if height == Height::ZERO || height >= first {
            return Ok(());
        }
        Err(StoreError::BeforeBase { height, first: self.base().next() })
    }

    /// Whether undo records lead back to `height`.
    pub(crate) fn reaches(&self, height: Height) -> Result<(), StoreError> {
        let best = self.height();
        if height > best {
            return Err(StoreError::AboveBest { to: height, best });
        }
        self.holds(height, self.base())?;
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

fn read_rows(tx: &ReadTransaction) -> Result<(Origin, Tip), StoreError> {
    let head = match tx.open_table(HEAD) {
        Err(TableError::TableDoesNotExist(_)) => return Err(StoreError::NoGenesis),
        other => other?,
    };
    let origin = head.get(ORIGIN)?.ok_or(StoreError::NoGenesis)?;
    let origin = Origin::decode(origin.value())?;
    let tip = head.get(TIP)?.ok_or_else(|| StoreError::corrupted("head", &[TIP], "is missing"))?;
    let tip = Tip::decode(tip.value())?;
    let (next, base) = (tip.height.checked_add(1), origin.base.map_or(0, |base| base.height.number()));
    if next.is_none_or(|next| tip.undo_from <= base || tip.undo_from > next) {
        return Err(StoreError::corrupted("head", &[TIP], "has undo records of no block"));
    }
    Ok((origin, tip))
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
