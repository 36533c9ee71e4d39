//! The ports of this crate: what it reads, and what a block's execution hands to the store.
//!
//! The rule: keys are compared as raw bytes everywhere, and no method returns an error. A store
//! that cannot read its disk is a broken node, not a failed transaction, and panics inside.

use crate::{StateProof, TrieUpdate};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use runtime_primitives::Hash;

/// A committed key-value state, for reading.
pub trait Backend {
    /// The value of `key`.
    ///
    /// # Panics
    /// If the disk fails or holds a damaged row.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;

    /// The first key strictly greater than `after`, in raw byte order.
    ///
    /// # Panics
    /// If the disk fails or holds a damaged row.
    fn next_key(&self, after: &[u8]) -> Option<Vec<u8>>;
}

/// What a block writes: a value, or `None` for a deletion, by storage key.
pub type ChangeSet = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A committed state with its trie.
pub trait State: Backend {
    /// Root of the trie; zero for the empty state.
    fn root(&self) -> Hash;

    /// The trie after `changes`. Pure: this state stays as it is, and the update is worth nothing
    /// until a store commits it together with the same changes.
    ///
    /// # Panics
    /// If the disk fails or holds a damaged row.
    fn update_trie(&self, changes: &ChangeSet) -> TrieUpdate;

    /// A proof of the value of `key`, or of its absence, against [`State::root`].
    ///
    /// # Panics
    /// If the disk fails or holds a damaged row.
    fn prove(&self, key: &[u8]) -> StateProof;
}

/// A row appended outside the trie: history that clients query and no rule reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArchiveRow {
    /// Which archive table; the numbers belong to execution.
    pub table: u8,
    /// Key within the table, ordered by bytes.
    pub key: Vec<u8>,
    /// The record.
    pub value: Vec<u8>,
}
