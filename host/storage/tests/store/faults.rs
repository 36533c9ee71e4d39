//! A disk that loses what was not synced, and fails at every n-th sync.
//!
//! The rule: a sync that returned is kept; of what was written since, any part may be there after the
//! crash, cut at any sector.

use crate::chain::{Model, Random, block, changes, tight};
use host_storage::{StorageBackend, Store, StoreError};
use runtime_state::State as _;
use std::io::Error;
use std::sync::{Arc, Mutex};

#[derive(Debug, Default)]
struct Platters {
    /// What a crash keeps for sure.
    synced: Vec<u8>,
    /// What the process sees.
    seen: Vec<u8>,
    /// Since the last sync: where, and what.
    pending: Vec<(usize, Vec<u8>)>,
    /// Syncs before the disk fails, if it does.
    syncs_left: Option<u32>,
    failed: bool,
}

#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Platters>>);

impl Disk {
    /// The disk after a crash: some of the pending writes, some of them torn.
    fn after_crash(&self, random: &mut Random, syncs_left: Option<u32>) -> Self {
        let platters = self.0.lock().unwrap();
        let mut kept = platters.synced.clone();
        kept.resize(platters.seen.len().max(kept.len()), 0);
        for (offset, data) in &platters.pending {
            let len = match random.below(4) {
                0 => continue,
                1 => random.below(data.len() / 512 + 1) * 512,
                _ => data.len(),
            };
            kept[*offset..*offset + len].copy_from_slice(&data[..len]);
        }
        Self(Arc::new(Mutex::new(Platters {
            seen: kept.clone(),
            synced: kept,
            syncs_left,
            ..Default::default()
        })))
    }

    fn fail_after(&self, syncs: u32) {
        self.0.lock().unwrap().syncs_left = Some(syncs);
    }

    fn working<T>(&self, act: impl FnOnce(&mut Platters) -> T) -> Result<T, Error> {
        let mut platters = self.0.lock().unwrap();
        if platters.failed { Err(Error::other("the disk is gone")) } else { Ok(act(&mut platters)) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        self.working(|platters| platters.seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        self.working(|platters| {
            let offset = offset as usize;
            out.copy_from_slice(&platters.seen[offset..offset + out.len()]);
        })
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        self.working(|platters| platters.seen.resize(len as usize, 0))
    }

    fn sync_data(&self) -> Result<(), Error> {
        self.working(|platters| {
            if platters.syncs_left == Some(0) {
                platters.failed = true;
                return Err(Error::other("the disk failed in a sync"));
            }
            platters.syncs_left = platters.syncs_left.map(|left| left - 1);
            platters.synced = platters.seen.clone();
            platters.pending.clear();
            Ok(())
        })?
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        self.working(|platters| {
            let offset = offset as usize;
            platters.seen[offset..offset + data.len()].copy_from_slice(data);
            platters.pending.push((offset, data.to_vec()));
        })
    }
}

/// Commit random blocks until the disk fails; gives the models of the last whole block and of the
/// one under way.
fn run_until_failure(store: &Store, random: &mut Random, mut model: Model) -> (Model, Model) {
    loop {
        let changes = changes(random, &model, 300, 40);
        let next = block(random, Some(store), changes);
        let mut after = model.clone();
        after.apply(&next);
        match store.commit(next) {
            Ok(()) => model = after,
            Err(error) => {
                assert!(matches!(error, StoreError::Database(_)), "{error}");
                let again = block(random, None, Default::default());
                assert!(
                    matches!(store.commit(again), Err(StoreError::Poisoned)),
                    "nothing more until reopened"
                );
                return (model, after);
            }
        }
    }
}

#[test]
fn a_disk_that_fails_at_the_nth_sync_keeps_the_last_whole_block() {
    for n in 0..36 {
        let mut random = Random(n);
        let disk = Disk::default();
        let genesis_changes = changes(&mut random, &Model::default(), 300, 100);
        let genesis = block(&mut random, None, genesis_changes);
        let mut model = Model::default();
        model.apply(&genesis);
        let store = Store::with_backend(disk.clone(), tight(), Some(genesis)).unwrap();
        disk.fail_after(n as u32);
        let (whole, under_way) = run_until_failure(&store, &mut random, model);
        drop(store);
        // The next life starts from what is left, and fails as well, at its opening or later.
        let mut disk = disk.after_crash(&mut random, Some(n as u32 % 5));
        let mut models = [whole, under_way];
        if let Ok(store) = Store::with_backend(disk.clone(), tight(), None) {
            let model = which(&store, &models, n);
            let (whole, under_way) = run_until_failure(&store, &mut random, model);
            models = [whole, under_way];
        }
        disk = disk.after_crash(&mut random, None);
        let store = Store::with_backend(disk, tight(), None).unwrap();
        which(&store, &models, n);
    }
}

/// Which of the two the store holds.
fn which(store: &Store, models: &[Model; 2], n: u64) -> Model {
    let root = store.snapshot().root();
    let found = models.iter().find(|model| model.root() == root);
    let model = found.unwrap_or_else(|| panic!("failing at sync {n}: neither the last block nor the next"));
    model.check(&store.snapshot(), &format!("failing at sync {n}"));
    model.clone()
}
