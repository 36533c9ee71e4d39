//! The binary Merkle trie of `nomt-core`: key path = BLAKE2b-256 of the storage key, value hash =
//! BLAKE2b-256 of the value, pages of six levels.
//!
//! The rule: the root depends on the set of keys and values alone, never on the order in which
//! they came, on what is in memory, or on which sub-tries have pages.

mod hasher;
mod page;
mod path;
mod prove;
mod residency;
mod row;
#[cfg(test)]
mod tests;
mod update;

pub use hasher::{Hasher, hash_batch, key_path};
pub use nomt_core::page_id::PageId;
pub use nomt_core::trie::{KeyPath, ValueHash};
pub use page::Page;
pub use path::path_range;
pub use row::Delta;

use crate::{ChangeSet, StateError};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nomt_core::trie::{Node, TERMINATOR};
use runtime_primitives::Hash;

/// What the trie reads of the committed state.
pub trait Source {
    /// Why a read failed.
    type Error;

    /// A stored page, derived. `id` is known to exist.
    ///
    /// # Errors
    /// If the row cannot be read.
    fn page(&self, id: &PageId) -> Result<Page, Self::Error>;

    /// All leaves whose key path shares the first `depth` bits of `prefix`, ascending, but for those that `ops`, ascending
    /// too, are about to change: their values need not be read.
    ///
    /// # Errors
    /// If a row cannot be read.
    fn leaves(
        &self,
        prefix: &KeyPath,
        depth: usize,
        ops: &[Op],
    ) -> Result<Vec<(KeyPath, ValueHash)>, Self::Error>;
}

/// Whether `ops`, ascending, change the key at `path`.
pub fn changes(ops: &[Op], path: &KeyPath) -> bool {
    ops.binary_search_by(|(changed, _)| changed.cmp(path)).is_ok()
}

/// What [`Source::leaves`] asks for, where all leaves are in memory.
pub(crate) fn leaves_among(
    all: &BTreeMap<KeyPath, ValueHash>,
    prefix: &KeyPath,
    depth: usize,
    ops: &[Op],
) -> Vec<(KeyPath, ValueHash)> {
    let (first, last) = path_range(prefix, depth);
    let leaves = all.range(first..=last).filter(|(path, _)| !changes(ops, path));
    leaves.map(|(path, value)| (*path, *value)).collect()
}

/// A trie: its root, and its pages as far as they are in memory. Cheap to clone.
#[derive(Clone)]
pub struct Trie {
    root: Node,
    /// The root page, always in memory.
    top: Arc<Page>,
    /// Counts updates. Orders logs of deltas, which a height cannot: heights come again after a
    /// rollback.
    generation: u64,
    /// Bytes of pages and buckets in memory; never too low.
    resident: usize,
}

/// The place of a changed key in the trie, and the hash of its value, or `None` if it is deleted.
pub type Op = (KeyPath, Option<ValueHash>);

/// The trie after some changes, and what a store must write for it. Inert until committed.
#[derive(Clone)]
pub struct TrieUpdate {
    base: (u64, Node),
    trie: Trie,
    ops: Vec<Op>,
    pages: Vec<PageWrite>,
}

/// A page that an update changed.
#[derive(Clone)]
pub struct PageWrite {
    /// Where the page stands.
    pub id: PageId,
    /// The page, or `None` if it is gone.
    pub page: Option<Arc<Page>>,
    /// The slots that changed, as a bitmap.
    changed: u128,
}

impl PageWrite {
    /// Append the change to a log of [`Delta`]s.
    pub fn encode_delta_to(&self, log: &mut Vec<u8>) {
        row::encode_delta(&self.id, self.page.as_deref(), self.changed, log);
    }
}

impl Trie {
    /// The trie of no keys.
    pub fn empty() -> Self {
        Self { root: TERMINATOR, top: Arc::new(Page::empty(0)), generation: 0, resident: Page::BYTES }
    }

    /// A trie as a store holds it: the generation and the root last committed and the root page, if
    /// there is one.
    ///
    /// # Errors
    /// If the page does not hash to the root.
    pub fn from_parts(generation: u64, root: Hash, top: Option<Page>) -> Result<Self, StateError> {
        let top = top.unwrap_or_else(|| Page::empty(generation));
        if !top.hangs_below(&root.0) {
            return Err(StateError::OtherRootPage(root));
        }
        Ok(Self { root: root.0, generation, top: Arc::new(top), ..Self::empty() })
    }

    /// The root; zero for no keys.
    pub const fn root(&self) -> Hash {
        Hash(self.root)
    }

    /// How many updates led here.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The page at `path` (one number below 64 a step), if it is in memory.
    pub fn resident_page(&self, path: &[u8]) -> Option<&Page> {
        path.iter().try_fold(&*self.top, |page, step| match page.child(usize::from(*step)) {
            page::Child::Page(child) => Some(&**child),
            _ => None,
        })
    }

    /// The trie after `changes`, by storage key.
    ///
    /// # Errors
    /// What `source` gives.
    pub fn update<S: Source>(&self, source: &S, changes: &ChangeSet) -> Result<TrieUpdate, S::Error> {
        let mut paths = hash_batch(changes.keys().map(Vec::as_slice)).into_iter();
        let mut values = hash_batch(changes.values().flatten().map(Vec::as_slice)).into_iter();
        let ops = changes.values().map(|value| {
            let path = paths.next().expect("one path a change");
            (path, value.as_ref().map(|_| values.next().expect("one hash a value")))
        });
        self.update_paths(source, ops.collect())
    }

    /// The trie after `ops`, in the order of the change set.
    fn update_paths<S: Source>(&self, source: &S, ops: Vec<Op>) -> Result<TrieUpdate, S::Error> {
        let mut sorted = ops.clone();
        sorted.sort_unstable_by_key(|op| op.0);
        let (trie, pages) = update::update(self, source, &sorted)?;
        Ok(TrieUpdate { base: (self.generation, self.root), trie, ops, pages })
    }
}

impl TrieUpdate {
    /// The root after the changes.
    pub const fn root(&self) -> Hash {
        self.trie.root()
    }

    /// Whether this update was computed on `trie`.
    pub fn is_based_on(&self, trie: &Trie) -> bool {
        self.base == (trie.generation, trie.root)
    }

    /// For every change, in the order of the change set: key path and value hash.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The changed pages, in no set order.
    pub fn pages(&self) -> &[PageWrite] {
        &self.pages
    }

    /// The trie after the changes.
    pub fn into_trie(self) -> Trie {
        self.trie
    }
}
