//! Layered writes over a committed state: what a block sees while it executes.
//!
//! ```text
//! writes   key → versions, oldest first, each with the layer that wrote it
//! journal  for each open layer, the keys it wrote first: commit and rollback touch those alone
//! ```
//! The rule: the top version of a key is never above the current layer, and a version that only grew its
//! value shares the buffer of the version below it, so that appending costs what is appended and
//! rolling back cuts the buffer.

use crate::{Backend, ChangeSet};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::Bound;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use smallvec::SmallVec;

/// Layered writes over a committed state.
pub struct Overlay<'a> {
    backend: &'a dyn Backend,
    /// Point lookups only: a hash-ordered walk would differ between nodes.
    cache: RefCell<HashMap<Vec<u8>, Option<Vec<u8>>>>,
    writes: BTreeMap<Vec<u8>, Versions>,
    journal: Vec<Vec<Vec<u8>>>,
}

/// Nearly every key has one, which needs no place of its own.
type Versions = SmallVec<[Version; 1]>;

struct Version {
    layer: usize,
    write: Write,
}

enum Write {
    /// The value, or `None` for a deletion. It includes what versions above appended.
    Set(Option<Vec<u8>>),
    /// The nearest `Set` below was extended beyond this length.
    Grown { from: usize },
}

impl<'a> Overlay<'a> {
    /// No writes over `backend`; no layer is open.
    pub fn new(backend: &'a dyn Backend) -> Self {
        let cache = RefCell::new(HashMap::new());
        Self { backend, cache, writes: BTreeMap::new(), journal: Vec::new() }
    }

    /// The value of `key`.
    pub fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.read(key, |value| value.map(<[u8]>::to_vec))
    }

    /// Whether `key` has a value.
    pub fn exists(&self, key: &[u8]) -> bool {
        self.read(key, |value| value.is_some())
    }

    /// Look at the value of `key` without copying it.
    ///
    /// # Panics
    /// If `look` reads this overlay itself.
    pub fn read<T>(&self, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> T) -> T {
        if let Some(versions) = self.writes.get(key) {
            return look(value_of(versions));
        }
        let mut cache = self.cache.borrow_mut();
        let value = cache.entry_ref(key).or_insert_with(|| self.backend.get(key));
        look(value.as_deref())
    }

    /// Read what is committed under `keys` ahead, in the order in which it is stored: many point reads in random order
    /// cost a miss of every cache each.
    pub fn warm(&self, mut keys: Vec<Vec<u8>>) {
        keys.sort_unstable();
        let mut cache = self.cache.borrow_mut();
        cache.reserve(keys.len());
        for key in keys {
            if let Entry::Vacant(vacant) = cache.entry(key) {
                let value = self.backend.get(vacant.key());
                vacant.insert(value);
            }
        }
    }

    /// Set the value of `key`.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.set(key, Some(value));
    }

    /// Leave `key` without a value.
    pub fn delete(&mut self, key: &[u8]) {
        self.set(key.to_vec(), None);
    }

    /// Extend the value of `key`, or start it. Costs the length of `tail`, whatever the layers and
    /// however long the value; the first append over a committed value copies that one.
    pub fn append(&mut self, key: Vec<u8>, tail: &[u8]) {
        let layer = self.depth();
        let Some(versions) = self.writes.get_mut(&key) else {
            let mut value = self.get(&key).unwrap_or_default();
            value.extend_from_slice(tail);
            return self.set(key, Some(value));
        };
        let top_layer = versions.last().map(|top| top.layer);
        let Some(value) = buffer_of(versions) else {
            return self.set(key, Some(tail.to_vec()));
        };
        let from = value.len();
        value.extend_from_slice(tail);
        if top_layer != Some(layer) {
            versions.push(Version { layer, write: Write::Grown { from } });
            self.note(key);
        }
    }

    fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let layer = self.depth();
        if let Some(versions) = self.writes.get_mut(&key) {
            if versions.last().is_some_and(|top| top.layer == layer) {
                pop(versions);
                versions.push(Version { layer, write: Write::Set(value) });
                return;
            }
            versions.push(Version { layer, write: Write::Set(value) });
            self.note(key);
        } else {
            // Outside all layers nothing is noted, and the key needs no copy.
            if layer > 0 {
                self.note(key.clone());
            }
            self.writes.insert(key, Versions::from([Version { layer, write: Write::Set(value) }]));
        }
    }

    /// Note that the current layer wrote `key` for the first time.
    fn note(&mut self, key: Vec<u8>) {
        if let Some(keys) = self.journal.last_mut() {
            keys.push(key);
        }
    }

    /// Open a layer.
    pub fn begin(&mut self) {
        self.journal.push(Vec::new());
    }

    /// Close the top layer and make its writes the next one's. Costs the layer's writes.
    ///
    /// # Panics
    /// If no layer is open.
    pub fn commit(&mut self) {
        let layer = self.depth();
        let keys = self.journal.pop().expect("a layer is open");
        for key in keys {
            let versions = self.writes.get_mut(&key).expect("a journal names written keys");
            if merge_top(versions, layer - 1) {
                self.note(key);
            }
        }
    }

    /// Close the top layer and forget its writes. Costs the layer's writes.
    ///
    /// # Panics
    /// If no layer is open.
    pub fn rollback(&mut self) {
        let keys = self.journal.pop().expect("a layer is open");
        for key in keys {
            let versions = self.writes.get_mut(&key).expect("a journal names written keys");
            pop(versions);
            if versions.is_empty() {
                self.writes.remove(&key);
            }
        }
    }

    /// How many layers are open.
    pub fn depth(&self) -> usize {
        self.journal.len()
    }

    /// The first key with a value strictly after `after`, in raw byte order, writes of all layers
    /// included.
    pub fn next_key(&self, after: &[u8]) -> Option<Vec<u8>> {
        let mut written = self.writes.range::<[u8], _>((Bound::Excluded(after), Bound::Unbounded)).peekable();
        let mut committed = self.backend.next_key(after);
        loop {
            let Some((key, versions)) = written.peek() else { return committed };
            if committed.as_ref().is_some_and(|committed| committed < *key) {
                return committed;
            }
            if value_of(versions).is_some() {
                return Some((*key).clone());
            }
            // Deleted: it hides the committed key, if that is the same.
            if committed.as_ref() == Some(*key) {
                committed = self.backend.next_key(key);
            }
            written.next();
        }
    }

    /// The first `limit` keys that start with `prefix`, ascending.
    pub fn keys_with_prefix(&self, prefix: &[u8], limit: usize) -> Vec<Vec<u8>> {
        let first = if self.exists(prefix) { Some(prefix.to_vec()) } else { self.next_key(prefix) };
        let keys = core::iter::successors(first, |key| self.next_key(key));
        keys.take_while(|key| key.starts_with(prefix)).take(limit).collect()
    }

    /// Delete the first `limit` keys that start with `prefix`; gives how many there were.
    pub fn clear_prefix(&mut self, prefix: &[u8], limit: usize) -> usize {
        let keys = self.keys_with_prefix(prefix, limit);
        let count = keys.len();
        keys.into_iter().for_each(|key| self.set(key, None));
        count
    }

    /// What differs from the committed state.
    ///
    /// # Panics
    /// If a layer is open: its fate is not decided.
    pub fn into_changes(mut self) -> ChangeSet {
        assert_eq!(self.depth(), 0, "every layer is closed before the changes are taken");
        let mut cache = core::mem::take(&mut self.cache).into_inner();
        let finals = core::mem::take(&mut self.writes).into_iter().map(|(key, mut versions)| {
            let value = buffer_of(&mut versions).map(core::mem::take);
            (key, value)
        });
        finals
            .filter(|(key, value)| {
                let committed = cache.remove(key).unwrap_or_else(|| self.backend.get(key));
                committed != *value
            })
            .collect()
    }
}

/// The value that `versions` end in.
fn value_of(versions: &[Version]) -> Option<&[u8]> {
    versions.iter().rev().find_map(|version| match &version.write {
        Write::Set(value) => Some(value.as_deref()),
        Write::Grown { .. } => None,
    })?
}

/// The buffer that `versions` end in, to extend or cut.
fn buffer_of(versions: &mut [Version]) -> Option<&mut Vec<u8>> {
    versions.iter_mut().rev().find_map(|version| match &mut version.write {
        Write::Set(value) => Some(value.as_mut()),
        Write::Grown { .. } => None,
    })?
}

/// Take the top version away, as if it had never been.
fn pop(versions: &mut Versions) {
    if let Some(Version { write: Write::Grown { from }, .. }) = versions.pop() {
        let buffer = buffer_of(versions).expect("only a value grows");
        buffer.truncate(from);
    }
}

/// Hand the top version to `layer`, the next one down; true if that layer had not written the key.
fn merge_top(versions: &mut Versions, layer: usize) -> bool {
    let below = versions.len().checked_sub(2);
    if below.is_none_or(|below| versions[below].layer != layer) {
        versions.last_mut().expect("the layer wrote the key").layer = layer;
        return true;
    }
    let top = versions.pop().expect("the layer wrote the key");
    if let Write::Set(value) = top.write {
        pop(versions);
        versions.push(Version { layer, write: Write::Set(value) });
    }
    false
}
