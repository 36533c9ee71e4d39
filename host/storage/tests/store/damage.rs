//! Rows with bad bytes: an error that names the row, never a panic.

use crate::chain::{Model, Random, block, changes, tight};
use host_storage::{Snapshot, Store, StoreError};
use redb::{ReadableTable as _, TableDefinition};
use runtime_primitives::Height;
use std::path::Path;

type Chunks = TableDefinition<'static, (u64, u32), &'static [u8]>;

/// Three blocks, left with a log of page changes.
fn write_store(path: &Path) {
    let mut random = Random(21);
    let mut model = Model::default();
    let first = changes(&mut random, &model, 2000, 900);
    let genesis = block(&mut random, None, first);
    model.apply(&genesis);
    let options = host_storage::StoreOptions { log_bytes: 1 << 20, trie_bytes: 1 << 20, ..tight() };
    let store = Store::create_with(path, options, genesis).unwrap();
    for _ in 0..3 {
        let mut next = changes(&mut random, &model, 2000, 30);
        next.insert(b"always".to_vec(), Some(random.value()));
        store.commit(block(&mut random, Some(&store), next)).unwrap();
    }
}

fn damage_chunk(path: &Path, table: Chunks, number: u64, spoil: &dyn Fn(&mut Vec<u8>)) {
    let db = redb::Database::open(path).unwrap();
    let tx = db.begin_write().unwrap();
    {
        let mut table = tx.open_table(table).unwrap();
        let mut row = table.get((number, 0)).unwrap().unwrap().value().to_vec();
        spoil(&mut row);
        table.insert((number, 0), &row[..]).unwrap();
    }
    tx.commit().unwrap();
}

fn damage_row<'k, K: redb::Key + 'static>(
    path: &Path,
    table: TableDefinition<'static, K, &'static [u8]>,
    key: K::SelfType<'k>,
    row: &[u8],
) {
    let db = redb::Database::open(path).unwrap();
    let tx = db.begin_write().unwrap();
    tx.open_table(table).unwrap().insert(key, row).unwrap();
    tx.commit().unwrap();
}

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open_with(path, tight())
}

fn is_damage<T>(result: Result<T, StoreError>, table: &str, what: &str) {
    match result {
        Err(StoreError::Corrupted { table: named, .. }) => assert_eq!(named, table, "{what}"),
        Err(other) => panic!("{what}: {other}"),
        Ok(_) => panic!("{what}: not noticed"),
    }
}

/// A way to spoil a row.
type Spoil = (&'static str, fn(&mut Vec<u8>));

const SPOILS: [Spoil; 4] = [
    ("empty", |row| row.clear()),
    ("cut", |row| row.truncate(row.len() / 2)),
    ("one byte short", |row| row.truncate(row.len().saturating_sub(1))),
    ("lengths blown up", |row| row.iter_mut().take(12).for_each(|byte| *byte = 0xff)),
];

fn all_parts(snapshot: &Snapshot, height: Height) -> Result<(), StoreError> {
    snapshot.header(height)?;
    snapshot.receipts(height)?;
    snapshot.body(height)?;
    snapshot.block(height)?;
    Ok(())
}

#[test]
fn damaged_records_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("original.redb");
    write_store(&original);
    let path = folder.path().join("store.redb");
    for (what, spoil) in SPOILS {
        std::fs::copy(&original, &path).unwrap();
        damage_chunk(&path, TableDefinition::new("blocks"), 1, &spoil);
        is_damage(all_parts(&open(&path).unwrap().snapshot(), Height::from_number(1)), "blocks", what);

        std::fs::copy(&original, &path).unwrap();
        damage_chunk(&path, TableDefinition::new("undo"), 3, &spoil);
        let store = open(&path).unwrap();
        is_damage(store.snapshot().at(Height::from_number(2)), "undo", what);
        is_damage(store.rollback(Height::from_number(2)), "undo", what);
        assert!(matches!(store.rollback(Height::from_number(2)), Err(StoreError::Poisoned)));
        drop(store);

        std::fs::copy(&original, &path).unwrap();
        damage_chunk(&path, TableDefinition::new("blocks"), 3, &|row| row.clear());
        is_damage(open(&path), "blocks", what);
        if what != "empty" {
            std::fs::copy(&original, &path).unwrap();
            damage_chunk(&path, TableDefinition::new("deltas"), 4, &spoil);
            is_damage(open(&path), "deltas", what);
        }
    }
}

#[test]
fn damaged_rows_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("original.redb");
    write_store(&original);
    let path = folder.path().join("store.redb");
    let rows: [&[u8]; 4] = [&[], &[0; 7], &[0; 30], &[0xff; 64]];
    for row in rows {
        let what = format!("{row:?}");
        for (table_key, name) in [(0_u8, "head"), (1, "head")] {
            std::fs::copy(&original, &path).unwrap();
            damage_row(&path, TableDefinition::<u8, &[u8]>::new("head"), table_key, row);
            match open(&path) {
                Err(StoreError::Format { .. }) if table_key == 0 => {}
                other => is_damage(other, name, &what),
            }
        }
        std::fs::copy(&original, &path).unwrap();
        damage_row(&path, TableDefinition::<&[u8], &[u8]>::new("pages"), &[][..], row);
        is_damage(open(&path), "pages", &what);
    }
    for row in [&[][..], &[1; 20], &[9, 1, 2]] {
        std::fs::copy(&original, &path).unwrap();
        damage_row(&path, TableDefinition::<&[u8], &[u8]>::new("flat"), &b"always"[..], row);
        // The undo of a block meets the row; a state that is read through `Backend` stops the node.
        is_damage(open(&path).unwrap().rollback(Height::from_number(2)), "flat", &format!("{row:?}"));
        let stopped = std::panic::catch_unwind(|| {
            runtime_state::Backend::get(&open(&path).unwrap().snapshot(), b"always")
        });
        let message = *stopped.unwrap_err().downcast::<String>().unwrap();
        assert!(message.starts_with("the state cannot be read"), "{message}");
    }
}
