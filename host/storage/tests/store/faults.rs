//! The store on a disk that fails at every n-th sync and loses what was not synced: what is found after the crash is the
//! last whole block, or the next one.

use crate::chain::{Model, Random, block, changes, tight};
use host_storage::{RehearsalDisk, Store, StoreError};
use runtime_state::State as _;

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
        let disk = RehearsalDisk::default();
        let genesis_changes = changes(&mut random, &Model::default(), 300, 100);
        let genesis = block(&mut random, None, genesis_changes);
        let mut model = Model::default();
        model.apply(&genesis);
        let store = Store::with_backend(disk.clone(), tight(), Some(genesis)).unwrap();
        disk.fail_after(n as u32);
        let (whole, under_way) = run_until_failure(&store, &mut random, model);
        drop(store);
        // The next life starts from what is left, and fails as well, at its opening or later.
        let mut disk = disk.after_power_cut(|below| random.below(below));
        disk.fail_after(n as u32 % 5);
        let mut models = [whole, under_way];
        if let Ok(store) = Store::with_backend(disk.clone(), tight(), None) {
            let model = which(&store, &models, n);
            let (whole, under_way) = run_until_failure(&store, &mut random, model);
            models = [whole, under_way];
        }
        disk = disk.after_power_cut(|below| random.below(below));
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
