//! Compiled modules: those used last in memory, all on the node's shelf, and the slow ones improved behind the calls.
//!
//! A module is looked for in memory, then on the shelf, and compiled only then. Whether it is found decides how soon it
//! can run, never what it does: nothing here is seen by a contract or by consensus.

mod artifact;
mod improver;
mod recent;
mod shelf;

pub use shelf::Shelf;

use crate::engine::{Compiled, Engine};
use crate::module::Loaded;
use crate::{CodeError, Kind, Module, check};
use artifact::Artifact;
use improver::Improver;
use recent::{Key, Recent};
use runtime_primitives::Hash;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often modules were found, and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Found in memory.
    pub found_in_memory: u64,
    /// Found on the shelf.
    pub found_on_shelf: u64,
    /// On the shelf, and not believed: damaged, of another key, version, compiler or processor.
    pub disbelieved: u64,
    /// Checked, instrumented and compiled because they were nowhere.
    pub compiled: u64,
    /// Of the compiled and found, compiled again by the optimising compiler, behind the calls.
    pub improved: u64,
}

/// The compiled modules of one engine.
pub(crate) struct Modules {
    stock: Arc<Stock>,
    improver: Improver,
}

/// What callers and the improving thread share.
struct Stock {
    engine: Arc<Engine>,
    recent: Mutex<Recent>,
    kept: Option<Kept>,
    counts: Counts,
}

/// A shelf, and the key under which artifacts on it are authenticated.
struct Kept {
    shelf: Box<dyn Shelf>,
    key: [u8; 32],
}

#[derive(Default)]
struct Counts {
    found_in_memory: AtomicU64,
    found_on_shelf: AtomicU64,
    disbelieved: AtomicU64,
    compiled: AtomicU64,
    improved: AtomicU64,
}

impl Modules {
    pub(crate) fn new(engine: Arc<Engine>, shelf: Option<(Box<dyn Shelf>, [u8; 32])>) -> Self {
        let kept = shelf.map(|(shelf, key)| Kept { shelf, key });
        let stock = Stock { engine, recent: Mutex::default(), kept, counts: Counts::default() };
        Self { stock: Arc::new(stock), improver: Improver::default() }
    }

    /// The module of `code_hash`, from wherever it is soonest.
    pub(crate) fn load(
        &self,
        code_hash: &Hash,
        kind: Kind,
        code: impl FnOnce() -> Vec<u8>,
    ) -> Result<Module, CodeError> {
        let (stock, key) = (&self.stock, (*code_hash, kind));
        if let Some(module) = stock.recent().get(&key) {
            stock.counts.found_in_memory.fetch_add(1, Relaxed);
            return Ok(module);
        }
        // Outside the lock: two threads may compile the same code, none waits for another's compiler.
        if let Some(module) = stock.find(&key) {
            stock.recent().insert(key, module.clone());
            if stock.engine.improves(&module.0.compiled) {
                self.improver.improve(stock, key, code());
            }
            return Ok(module);
        }
        let code = code();
        let module = stock.compile(&key, &code, Engine::compile)?;
        stock.counts.compiled.fetch_add(1, Relaxed);
        stock.recent().insert(key, module.clone());
        stock.keep(&key, &module);
        if stock.engine.improves(&module.0.compiled) {
            self.improver.improve(stock, key, code);
        }
        Ok(module)
    }

    /// Waits until nothing is being improved.
    pub(crate) fn settle(&self) {
        self.improver.settle();
    }

    pub(crate) fn stats(&self) -> Stats {
        let Counts { found_in_memory, found_on_shelf, disbelieved, compiled, improved } = &self.stock.counts;
        Stats {
            found_in_memory: found_in_memory.load(Relaxed),
            found_on_shelf: found_on_shelf.load(Relaxed),
            disbelieved: disbelieved.load(Relaxed),
            compiled: compiled.load(Relaxed),
            improved: improved.load(Relaxed),
        }
    }
}

impl Stock {
    fn recent(&self) -> MutexGuard<'_, Recent> {
        // It is whole at every moment: a thread that panicked held it for a lookup or an insert.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn compile(
        &self,
        (_, kind): &Key,
        code: &[u8],
        compile: impl FnOnce(&Engine, &check::Checked) -> Compiled,
    ) -> Result<Module, CodeError> {
        let checked = check::check(code, *kind)?;
        let compiled = compile(&self.engine, &checked);
        Ok(Module(Arc::new(Loaded { kind: *kind, entry_gas: checked.entry_gas(), compiled })))
    }

    /// The module on the shelf, if it is there and can be believed.
    fn find(&self, key: &Key) -> Option<Module> {
        let kept = self.kept.as_ref()?;
        let bytes = kept.shelf.get(&artifact::name(key))?;
        let found = artifact::open(&kept.key, key, &bytes).and_then(|Artifact { entry_gas, serialised }| {
            let compiled = self.engine.deserialise(&serialised)?;
            Some(Module(Arc::new(Loaded { kind: key.1, entry_gas, compiled })))
        });
        let count = if found.is_some() { &self.counts.found_on_shelf } else { &self.counts.disbelieved };
        count.fetch_add(1, Relaxed);
        found
    }

    /// Puts the module on the shelf.
    fn keep(&self, key: &Key, module: &Module) {
        let Some(kept) = &self.kept else { return };
        if let Some(serialised) = self.engine.serialise(&module.0.compiled) {
            let artifact = Artifact { entry_gas: module.0.entry_gas, serialised };
            kept.shelf.put(&artifact::name(key), &artifact::seal(&kept.key, key, &artifact));
        }
    }

    /// Compiles the form that the module should end up in and puts it wherever the first one is, if it is still wanted
    /// then: the shelf may be another's once nobody uses this stock.
    fn improve(&self, key: &Key, code: &[u8], wanted: impl Fn() -> bool) {
        let already = self.recent().get(key).is_some_and(|module| !self.engine.improves(&module.0.compiled));
        if already {
            return;
        }
        if let Ok(module) = self.compile(key, code, Engine::optimise)
            && wanted()
        {
            self.counts.improved.fetch_add(1, Relaxed);
            self.recent().replace(key, module.clone());
            self.keep(key, &module);
        }
    }
}
