//! Reading: one committed block, whole, from any thread.
//!
//! The rule: a snapshot is what its block was, whatever is committed later. It is cheap to take and to
//! clone, but while it lives the file reuses no page it can reach and its trie pages stay in
//! memory: hold it for a request, not for a day.

use crate::base::Base;
use crate::block_record::BlockRecord;
use crate::head::{Head, read_header};
use crate::tables::{ARCHIVE, BLOCKS, HASHES, UNDO, archive_key};
use crate::{Finality, StoreError, Stretch, base, finality, flat, undo};
use redb::ReadableTableMetadata as _;
use runtime_primitives::{Hash, Header, Height, OrderedBlock};
use runtime_state::trie::key_path;
use runtime_state::{ArchiveRow, Backend, ChangeSet, State, StateProof, TrieUpdate};
use std::ops::Bound;
use std::sync::Arc;

/// A committed block with its state and all before it.
#[derive(Clone)]
pub struct Snapshot {
    head: Arc<Head>,
}

impl Snapshot {
    pub(crate) fn new(head: Arc<Head>) -> Self {
        Self { head }
    }

    /// Height of this block.
    pub fn height(&self) -> Height {
        self.head.height()
    }

    /// Hash of this block's header.
    pub fn hash(&self) -> Hash {
        self.head.hash
    }

    /// Header of this block.
    pub fn best_header(&self) -> &Header {
        &self.head.header
    }

    /// Hash of the genesis header: names the chain.
    pub fn genesis_hash(&self) -> Hash {
        self.head.origin.genesis
    }

    /// The block whose state the chain began with here; `None` if it was executed from genesis on.
    pub fn base(&self) -> Option<Base> {
        self.head.origin.base
    }

    /// How many keys the state has.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn keys(&self) -> Result<u64, StoreError> {
        Ok(self.head.flat.len()?)
    }

    /// Bytes of trie pages that this block keeps in memory, roughly and never too low.
    pub fn trie_bytes(&self) -> usize {
        self.head.trie.resident_bytes()
    }

    /// The header at `height`, or `None` above this block.
    ///
    /// # Errors
    /// If the row is damaged or the disk fails; [`StoreError::BeforeBase`]. So for all reads by height here.
    pub fn header(&self, height: Height) -> Result<Option<Header>, StoreError> {
        self.head.holds(height, base::first_header(self.head.base()))?;
        BlockRecord::header(&self.head.tx.open_table(BLOCKS)?, height)
    }

    /// The header with this hash.
    ///
    /// # Errors
    /// If a row is damaged or the disk fails.
    pub fn header_by_hash(&self, hash: &Hash) -> Result<Option<Header>, StoreError> {
        let height = self.head.tx.open_table(HASHES)?.get(&hash.0)?.map(|row| row.value());
        height.map_or(Ok(None), |height| self.header(Height::from_number(height)))
    }

    /// The ordered block at `height`: what consensus agreed on.
    ///
    /// # Errors
    /// If the row is damaged or the disk fails.
    pub fn block(&self, height: Height) -> Result<Option<OrderedBlock>, StoreError> {
        self.head.holds(height, self.head.base())?;
        BlockRecord::block(&self.head.tx.open_table(BLOCKS)?, height)
    }

    /// The extrinsics applied at `height`.
    ///
    /// # Errors
    /// If the row is damaged or the disk fails.
    pub fn body(&self, height: Height) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        self.head.holds(height, self.head.base().next())?;
        BlockRecord::body(&self.head.tx.open_table(BLOCKS)?, height)
    }

    /// The receipts of the block at `height`, as committed.
    ///
    /// # Errors
    /// If the row is damaged or the disk fails.
    pub fn receipts(&self, height: Height) -> Result<Option<Vec<u8>>, StoreError> {
        self.head.holds(height, self.head.base().next())?;
        BlockRecord::receipts(&self.head.tx.open_table(BLOCKS)?, height)
    }

    /// What the engine that ordered the block at `height` left beside it; `None` if none did.
    ///
    /// # Errors
    /// If the row is damaged or the disk fails.
    pub fn finality(&self, height: Height) -> Result<Option<Finality>, StoreError> {
        self.head.holds(height, self.head.base())?;
        finality::read(&self.head.tx, height)
    }

    /// The blocks after `after`, none above `to`, that one proof shows to be final: up to the last proven one of the first
    /// `few`, or else up to the first one of `most`.
    ///
    /// # Errors
    /// If a row is damaged or the disk fails.
    pub fn stretch(
        &self,
        after: Height,
        to: Height,
        few: usize,
        most: usize,
    ) -> Result<Option<Stretch>, StoreError> {
        self.head.holds(after.next(), self.head.base())?;
        finality::stretch(&self.head.tx, after, to, few, most)
    }

    /// The archive row with this key.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn archive_get(&self, table: u8, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self.head.tx.open_table(ARCHIVE)?;
        Ok(rows.get(&archive_key(table, key)[..])?.map(|row| row.value().to_vec()))
    }

    /// The first `limit` archive rows whose key starts with `prefix`, ascending.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn archive_scan(
        &self,
        table: u8,
        prefix: &[u8],
        limit: usize,
    ) -> Result<Vec<ArchiveRow>, StoreError> {
        self.archive_range(table, prefix, Bound::Included(prefix), limit)
    }

    /// As [`Snapshot::archive_scan`], from the first key after `after` on: the next page of a list.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn archive_scan_after(
        &self,
        table: u8,
        prefix: &[u8],
        after: &[u8],
        limit: usize,
    ) -> Result<Vec<ArchiveRow>, StoreError> {
        // Keys below the prefix would end the scan before it starts.
        let from = if after < prefix { Bound::Included(prefix) } else { Bound::Excluded(after) };
        self.archive_range(table, prefix, from, limit)
    }

    fn archive_range(
        &self,
        table: u8,
        prefix: &[u8],
        from: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<ArchiveRow>, StoreError> {
        let (from, prefix) = (from.map(|key| archive_key(table, key)), archive_key(table, prefix));
        let from = from.as_ref().map(|key| &key[..]);
        let mut rows = Vec::new();
        for row in self.head.tx.open_table(ARCHIVE)?.range::<&[u8]>((from, Bound::Unbounded))?.take(limit) {
            let (key, value) = row?;
            if !key.value().starts_with(&prefix) {
                break;
            }
            rows.push(ArchiveRow { table, key: key.value()[1..].to_vec(), value: value.value().to_vec() });
        }
        Ok(rows)
    }

    /// The state after the block at `height`, put together from undo records: costs what the blocks
    /// since then have changed, in time and memory.
    ///
    /// # Errors
    /// If `height` is above this block or its undo records are gone, or a row is damaged.
    pub fn at(&self, height: Height) -> Result<PastState, StoreError> {
        self.head.reaches(height)?;
        let header = read_header(&self.head.tx, height.number())?;
        let undo = self.head.tx.open_table(UNDO)?;
        let mut old = ChangeSet::new();
        for number in (height.number() + 1..=self.height().number()).rev() {
            old.extend(undo::read(&undo, number)?.0);
        }
        Ok(PastState { snapshot: self.clone(), header, old })
    }

    /// The lowest height whose state [`Snapshot::at`] gives.
    pub fn oldest_state(&self) -> Height {
        Height::from_number(self.head.tip.undo_from - 1)
    }

    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.head.flat.get(key)?;
        row.map(|row| flat::value(key, row.value()).map(<[u8]>::to_vec)).transpose()
    }

    fn key_after(&self, after: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut rows = self.head.flat.range::<&[u8]>((Bound::Excluded(after), Bound::Unbounded))?;
        Ok(rows.next().transpose()?.map(|(key, _)| key.value().to_vec()))
    }
}

/// Unwrap what a node cannot go on without.
fn or_stop<T>(read: Result<T, StoreError>) -> T {
    read.unwrap_or_else(|error| {
        panic!("the state cannot be read, and no block may be built on a guess: {error}")
    })
}

impl Backend for Snapshot {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        or_stop(self.value(key))
    }

    fn next_key(&self, after: &[u8]) -> Option<Vec<u8>> {
        or_stop(self.key_after(after))
    }
}

impl State for Snapshot {
    fn root(&self) -> Hash {
        self.head.trie.root()
    }

    fn update_trie(&self, changes: &ChangeSet) -> TrieUpdate {
        or_stop(self.head.trie.update(&*self.head, changes))
    }

    fn prove(&self, key: &[u8]) -> StateProof {
        or_stop(self.head.trie.prove(&*self.head, &key_path(key)))
    }
}

/// The state after an earlier block.
pub struct PastState {
    snapshot: Snapshot,
    header: Header,
    /// What differs from the snapshot.
    old: ChangeSet,
}

impl PastState {
    /// Header of the block that left this state.
    pub fn header(&self) -> &Header {
        &self.header
    }
}

impl Backend for PastState {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.old.get(key).cloned().unwrap_or_else(|| self.snapshot.get(key))
    }

    fn next_key(&self, after: &[u8]) -> Option<Vec<u8>> {
        let mut newer = self.snapshot.next_key(after);
        for (key, value) in self.old.range::<[u8], _>((Bound::Excluded(after), Bound::Unbounded)) {
            if newer.as_ref().is_some_and(|newer| newer < key) {
                break;
            }
            if value.is_some() {
                return Some(key.clone());
            }
            if newer.as_ref() == Some(key) {
                newer = self.snapshot.next_key(key);
            }
        }
        newer
    }
}
