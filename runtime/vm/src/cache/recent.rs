//! The modules used last, in memory.

use crate::limits::CACHED_MODULES_MAX;
use crate::{Kind, Module};
use runtime_primitives::Hash;
use std::collections::BTreeMap;

/// A code and what it was checked as.
pub(super) type Key = (Hash, Kind);

/// At most [`CACHED_MODULES_MAX`] modules.
#[derive(Default)]
pub(super) struct Recent {
    modules: BTreeMap<Key, (Module, u64)>,
    /// Counts uses; the module with the smallest count goes first.
    clock: u64,
}

impl Recent {
    pub(super) fn get(&mut self, key: &Key) -> Option<Module> {
        let (module, used) = self.modules.get_mut(key)?;
        self.clock += 1;
        *used = self.clock;
        Some(module.clone())
    }

    pub(super) fn insert(&mut self, key: Key, module: Module) {
        self.clock += 1;
        self.modules.insert(key, (module, self.clock));
        if self.modules.len() > CACHED_MODULES_MAX {
            let oldest = self.modules.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key);
            oldest.map(|key| self.modules.remove(&key));
        }
    }

    /// Puts `module` in the place of the one there; nothing if that has gone.
    pub(super) fn replace(&mut self, key: &Key, module: Module) {
        if let Some((old, _)) = self.modules.get_mut(key) {
            *old = module;
        }
    }
}
