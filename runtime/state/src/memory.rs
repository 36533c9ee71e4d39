//! A state in memory, with the same trie code as the store: for genesis, tests and re-execution.
//!
//! The rule: nothing here is ever evicted, so it suits states that fit in memory twice.

use crate::trie::{KeyPath, Op, Page, PageId, Source, Trie, ValueHash, key_path, leaves_among};
use crate::{Backend, ChangeSet, State, StateProof, TrieUpdate};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::ops::Bound;
use runtime_primitives::Hash;

/// A state in memory.
#[derive(Clone)]
pub struct MemoryState {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    leaves: BTreeMap<KeyPath, ValueHash>,
    trie: Trie,
}

impl MemoryState {
    /// The empty state.
    pub fn new() -> Self {
        Self { rows: BTreeMap::new(), leaves: BTreeMap::new(), trie: Trie::empty() }
    }

    /// Make `changes` part of this state.
    ///
    /// # Panics
    /// If `update` was not computed on this state, or not from `changes`.
    pub fn apply(&mut self, changes: &ChangeSet, update: TrieUpdate) {
        assert!(update.is_based_on(&self.trie), "an update belongs to the state it was computed on");
        assert_eq!(update.ops().len(), changes.len(), "an update belongs to its change set");
        for ((key, value), (path, hash)) in changes.iter().zip(update.ops()) {
            match (value, hash) {
                (Some(value), Some(hash)) => {
                    self.rows.insert(key.clone(), value.clone());
                    self.leaves.insert(*path, *hash);
                }
                _ => {
                    self.rows.remove(key);
                    self.leaves.remove(path);
                }
            }
        }
        self.trie = update.into_trie();
    }

    /// Update the trie and apply; gives the new root.
    pub fn commit(&mut self, changes: &ChangeSet) -> Hash {
        let update = self.update_trie(changes);
        self.apply(changes, update);
        self.root()
    }

    /// All keys and values, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.rows.iter().map(|(key, value)| (&key[..], &value[..]))
    }
}

impl Default for MemoryState {
    fn default() -> Self {
        Self::new()
    }
}

impl Source for MemoryState {
    type Error = Infallible;

    fn page(&self, _: &PageId) -> Result<Page, Infallible> {
        unreachable!("every page of a state in memory is in memory")
    }

    fn leaves(
        &self,
        prefix: &KeyPath,
        depth: usize,
        ops: &[Op],
    ) -> Result<Vec<(KeyPath, ValueHash)>, Infallible> {
        Ok(leaves_among(&self.leaves, prefix, depth, ops))
    }
}

impl Backend for MemoryState {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.rows.get(key).cloned()
    }

    fn next_key(&self, after: &[u8]) -> Option<Vec<u8>> {
        let mut later = self.rows.range::<[u8], _>((Bound::Excluded(after), Bound::Unbounded));
        later.next().map(|(key, _)| key.clone())
    }
}

impl State for MemoryState {
    fn root(&self) -> Hash {
        self.trie.root()
    }

    fn update_trie(&self, changes: &ChangeSet) -> TrieUpdate {
        let Ok(update) = self.trie.update(self, changes);
        update
    }

    fn prove(&self, key: &[u8]) -> StateProof {
        let Ok(proof) = self.trie.prove(self, &key_path(key));
        proof
    }
}
