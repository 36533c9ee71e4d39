//! A block that breaks a rule is refused by that rule, and the store goes on.

use crate::chain::{Model, Random, block, tight};
use host_storage::{Commit, Store, StoreError};
use runtime_primitives::{Hash, Height};
use runtime_state::{ArchiveRow, ChangeSet};

fn one_change(byte: u8) -> ChangeSet {
    ChangeSet::from([(vec![byte], Some(vec![byte; 3]))])
}

fn store_of(folder: &tempfile::TempDir) -> (Store, Random, Model) {
    let mut random = Random(3);
    let genesis = block(&mut random, None, one_change(0));
    let mut model = Model::default();
    model.apply(&genesis);
    let store = Store::create_with(&folder.path().join("store.redb"), tight(), genesis).unwrap();
    (store, random, model)
}

/// A way to spoil a good block, and what the store says to it.
type Spoil = (fn(&mut Commit), &'static str);

#[test]
fn each_rule_has_its_refusal() {
    let spoils: [Spoil; 6] = [
        (|commit| commit.header.number = 2, "block 2 does not follow: 1 is next"),
        (|commit| commit.header.number = 0, "block 0 does not follow: 1 is next"),
        (|commit| commit.header.parent_hash = Hash::ZERO, "the block names parent 0x00"),
        (
            |commit| commit.block.height = Height::from_number(7),
            "header of height 1 with a block of height 7",
        ),
        (|commit| commit.header.state_root = Hash([1; 32]), "the header says state root 0x0101"),
        (
            |commit| drop(commit.changes.insert(vec![9], None)),
            "the trie update covers 1 keys, the change set 2",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let (store, mut random, mut model) = store_of(&folder);
    let good = block(&mut random, Some(&store), one_change(1));
    for (spoil, refusal) in spoils {
        let mut bad = good.clone();
        spoil(&mut bad);
        let error = store.commit(bad).unwrap_err().to_string();
        assert!(error.starts_with(refusal), "{error}");
        model.check(&store.snapshot(), refusal);
    }
    store.commit(good.clone()).unwrap();
    model.apply(&good);
    model.check(&store.snapshot(), "the good block");
    // An update of the genesis state no longer fits, though height and parent are made to.
    let mut stale = good;
    let (best, hash, _) = store.best();
    stale.header.number = best.number() + 1;
    stale.header.parent_hash = hash;
    stale.block.height = best.next();
    assert!(matches!(store.commit(stale), Err(StoreError::StaleUpdate)));
    assert!(matches!(store.rollback(Height::from_number(9)), Err(StoreError::AboveBest { .. })));
    assert!(matches!(store.snapshot().at(Height::from_number(9)), Err(StoreError::AboveBest { .. })));
}

#[test]
fn a_store_is_created_once_and_opened_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    assert!(!Store::exists(&path));
    assert!(matches!(Store::open(&path), Err(StoreError::Missing(_))));
    let mut random = Random(1);
    let genesis = block(&mut random, None, one_change(1));
    // What a crash during creation leaves is no store, and is no obstacle.
    std::fs::write(folder.path().join("store.redb.new"), b"half a file").unwrap();
    let mut not_genesis = genesis.clone();
    not_genesis.header.number = 1;
    assert!(matches!(Store::create(&path, not_genesis), Err(StoreError::NotNext { .. })));
    assert!(!Store::exists(&path));
    let store = Store::create(&path, genesis.clone()).unwrap();
    assert!(matches!(Store::create(&path, genesis.clone()), Err(StoreError::AlreadyExists(_))));
    assert!(matches!(Store::open(&path), Err(StoreError::InUse(_))), "one process at a time");
    drop(store);
    assert_eq!(Store::open(&path).unwrap().best().1, genesis.header.hash());
    let empty = folder.path().join("empty.redb");
    drop(redb::Database::create(&empty).unwrap());
    assert!(matches!(Store::open(&empty), Err(StoreError::NoGenesis)));
}

#[test]
fn archive_rows_are_found_by_prefix_and_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut random, _) = store_of(&folder);
    let mut next = block(&mut random, Some(&store), one_change(1));
    let row = |table: u8, key: &[u8], value: u8| ArchiveRow { table, key: key.to_vec(), value: vec![value] };
    next.archive = vec![
        row(6, b"zz", 1),
        row(7, b"b", 2),
        row(7, b"aa", 3),
        row(7, b"a", 4),
        row(7, b"ab", 5),
        row(7, b"aa", 6),
        row(8, b"", 7),
    ];
    store.commit(next).unwrap();
    let snapshot = store.snapshot();
    let values = |rows: Result<Vec<ArchiveRow>, StoreError>| -> Vec<u8> {
        rows.unwrap().into_iter().map(|row| row.value[0]).collect()
    };
    assert_eq!(snapshot.archive_get(7, b"aa").unwrap(), Some(vec![6]), "the later of two rows stays");
    assert_eq!(snapshot.archive_get(7, b"zz").unwrap(), None);
    assert_eq!(values(snapshot.archive_scan(7, b"", 100)), [4, 6, 5, 2]);
    assert_eq!(values(snapshot.archive_scan(7, b"a", 2)), [4, 6]);
    assert_eq!(values(snapshot.archive_scan_after(7, b"a", b"aa", 2)), [5]);
    assert_eq!(values(snapshot.archive_scan_after(7, b"a", b"", 2)), [4, 6]);
    assert_eq!(values(snapshot.archive_scan_after(7, b"a", b"b", 2)), [0_u8; 0]);
    assert_eq!(values(snapshot.archive_scan(8, b"", 9)), [7]);
    store.rollback(Height::from_number(0)).unwrap();
    assert_eq!(values(store.snapshot().archive_scan(7, b"", 9)), [0_u8; 0]);
    assert_eq!(values(snapshot.archive_scan(7, b"b", 9)), [2], "a snapshot stays what it was");
}
