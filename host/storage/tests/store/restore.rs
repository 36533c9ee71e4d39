//! A store made from a state: it goes on as the one that the state is of, and says where its history begins.

use crate::chain::{Model, Random, block, changes, tight};
use host_storage::{Base, Beginning, Commit, Finality, RehearsalDisk, Restore, Store, StoreError};
use runtime_primitives::{Hash, Header, Height, Timestamp};
use runtime_state::{ChangeSet, State as _};
use std::path::Path;
use tempfile::TempDir;

const BLOCKS: u64 = 12;
const MADE_AT: Timestamp = Timestamp::from_ms(77);
const PARENT: Hash = Hash([5; 32]);

fn at(number: u64) -> Height {
    Height::from_number(number)
}

/// A chain of so many blocks, its model, its genesis, and the generator of its next block.
fn chain(folder: &Path, blocks: u64) -> (Store, Model, Commit, Random) {
    let mut random = Random(91);
    let first = changes(&mut random, &Model::default(), 300, 200);
    let genesis = block(&mut random, None, first);
    let mut model = Model::default();
    model.apply(&genesis);
    let store = Store::create_with(&folder.join("whole.redb"), tight(), genesis.clone()).unwrap();
    for _ in 0..blocks {
        let changes = changes(&mut random, &model, 300, 40);
        let next = block(&mut random, Some(&store), changes);
        model.apply(&next);
        store.commit(next).unwrap();
    }
    (store, model, genesis, random)
}

fn beginning(store: &Store, genesis: &Commit) -> Beginning {
    let snapshot = store.snapshot();
    let best = snapshot.height();
    let headers = (best.number().saturating_sub(8)..=best.number()).map(at);
    Beginning {
        genesis: genesis.clone(),
        headers: headers.map(|height| snapshot.header(height).unwrap().unwrap()).collect(),
        block: snapshot.block(best).unwrap().unwrap(),
        finality: Finality { digest: Hash([6; 32]), proof: Some(vec![1, 2, 3]) },
        parent: PARENT,
        made_at: MADE_AT,
    }
}

/// Add all of a model's state, some entries at a time.
fn fill(restore: &mut Restore, model: &Model) -> Result<(), StoreError> {
    let rows: Vec<_> = model.state.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
    rows.chunks(60).try_for_each(|rows| restore.add(&rows.iter().cloned().collect()))
}

fn before_base<T: std::fmt::Debug>(answer: Result<T, StoreError>, height: u64) {
    let first = at(BLOCKS + 1);
    let named = matches!(&answer, Err(StoreError::BeforeBase { height: found, first: from }) if (*found, *from) == (at(height), first));
    assert!(named, "block {height}: {answer:?}");
}

#[test]
fn a_restored_store_goes_on_and_says_where_its_history_begins() {
    let folder = TempDir::new().unwrap();
    let (whole, mut model, genesis, mut random) = chain(folder.path(), BLOCKS);
    let path = folder.path().join("restored.redb");
    std::fs::write(folder.path().join("restored.redb.new"), b"what a crash left").unwrap();
    let mut restore = Restore::at(&path, tight()).unwrap();
    fill(&mut restore, &model).unwrap();
    assert_eq!(restore.state().root(), model.root());
    assert!(!Store::exists(&path), "it is none yet");
    let beginning = beginning(&whole, &genesis);
    drop(restore.finish(beginning.clone()).unwrap());
    assert!(matches!(Restore::at(&path, tight()), Err(StoreError::AlreadyExists(_))));

    let store = Store::open_with(&path, tight()).unwrap();
    let (snapshot, all) = (store.snapshot(), whole.snapshot());
    assert_eq!(snapshot.base(), Some(Base { height: at(BLOCKS), parent: PARENT, made_at: MADE_AT }));
    for (time, noted) in [(50, 77), (99, 99), (98, 99)] {
        store.forget_before(Timestamp::from_ms(time)).unwrap();
        assert_eq!(store.snapshot().base().unwrap().made_at, Timestamp::from_ms(noted), "{time}");
    }
    whole.forget_before(MADE_AT).unwrap();
    assert_eq!((all.base(), snapshot.genesis_hash()), (None, all.genesis_hash()));
    assert_eq!(snapshot.keys().unwrap(), model.state.len() as u64);
    let archive = std::mem::take(&mut model.archive);
    model.check(&snapshot, "restored");
    for number in 0..=BLOCKS + 1 {
        let (height, is_kept) = (at(number), number == 0 || number + 8 >= BLOCKS);
        match snapshot.header(height) {
            answer if !is_kept => before_base(answer, number),
            answer => assert_eq!(answer.unwrap(), all.header(height).unwrap(), "header {number}"),
        }
        let hash = all.header(height).unwrap().map_or(Hash::ZERO, |header| header.hash());
        assert_eq!(snapshot.header_by_hash(&hash).unwrap().is_some(), is_kept && number <= BLOCKS);
        match snapshot.block(height) {
            answer if number > 0 && number < BLOCKS => before_base(answer, number),
            answer => assert_eq!(answer.unwrap(), all.block(height).unwrap(), "block {number}"),
        }
        if number > 0 && number < BLOCKS {
            before_base(snapshot.finality(height), number);
            before_base(snapshot.at(height).map(|past| past.header().number), number);
            before_base(store.rollback(height), number);
            before_base(snapshot.stretch(at(number - 1), at(BLOCKS), 9, 9), number);
        }
        if number > 0 && number <= BLOCKS {
            before_base(snapshot.body(height), number);
            before_base(snapshot.receipts(height), number);
        } else {
            assert_eq!(snapshot.body(height).unwrap(), all.body(height).unwrap(), "body {number}");
            assert_eq!(snapshot.receipts(height).unwrap(), all.receipts(height).unwrap());
        }
    }
    assert_eq!(snapshot.finality(at(BLOCKS)).unwrap(), Some(beginning.finality.clone()));
    assert_eq!(snapshot.stretch(at(BLOCKS - 1), at(BLOCKS), 9, 9).unwrap().unwrap().proof, [1, 2, 3]);

    // Both go on with the same blocks, and the restored one goes back to where it began.
    let (mut models, root) = (vec![model.clone()], snapshot.root());
    for _ in 0..10 {
        let changes = changes(&mut random, models.last().unwrap(), 300, 40);
        let next = block(&mut random, Some(&whole), changes);
        let again = Commit { trie: store.snapshot().update_trie(&next.changes), ..next.clone() };
        let mut model = models.last().unwrap().clone();
        model.apply(&next);
        whole.commit(next).unwrap();
        store.commit(again).unwrap();
        assert_eq!(store.best(), whole.best());
        models.push(model);
    }
    drop(store);
    let store = Store::open_with(&path, tight()).unwrap();
    assert_eq!(store.snapshot().base().unwrap().made_at, Timestamp::from_ms(99));
    models.last().unwrap().check(&store.snapshot(), "reopened");
    let oldest = store.snapshot().oldest_state().number();
    assert!(oldest >= BLOCKS && store.snapshot().at(at(oldest)).is_ok());
    store.rollback(at(oldest)).unwrap();
    models[usize::try_from(oldest - BLOCKS).unwrap()].check(&store.snapshot(), "rolled back");
    assert!(oldest > BLOCKS || store.snapshot().root() == root);
    assert!(!archive.is_empty(), "rows of before are not in a state");
}

/// A way to spoil what a store begins with, and what is said to it.
type Spoil = (fn(&mut Beginning), &'static str);

#[test]
fn what_does_not_lead_to_the_state_makes_no_store() {
    let spoils: [Spoil; 7] = [
        (|one| one.headers.clear(), "block 0 does not follow: 12 is next"),
        (|one| drop(one.headers.remove(0)), "block 5 does not follow: 4 is next"),
        (|one| drop(one.headers.remove(3)), "block 8 does not follow: 7 is next"),
        (|one| drop(one.headers.pop()), "header of height 11 with a block of height 12"),
        (|one| one.headers[4].state_root = Hash::ZERO, "the block names parent"),
        (|one| one.headers[8].state_root = Hash::ZERO, "the header says state root 0x00"),
        (|one| one.block.height = at(3), "header of height 12 with a block of height 3"),
    ];
    let folder = TempDir::new().unwrap();
    let (whole, model, genesis, _) = chain(folder.path(), BLOCKS);
    let path = folder.path().join("restored.redb");
    let made = |spoil: fn(&mut Beginning), model: &Model| {
        let mut beginning = beginning(&whole, &genesis);
        spoil(&mut beginning);
        let mut restore = Restore::at(&path, tight()).unwrap();
        fill(&mut restore, model).unwrap();
        restore.finish(beginning).map(drop)
    };
    for (spoil, fault) in spoils {
        let said = made(spoil, &model).unwrap_err().to_string();
        assert!(said.contains(fault) && !Store::exists(&path), "{said}: not {fault:?}");
    }
    for spoil in [
        |state: &mut Model| drop(state.state.pop_first()),
        |state: &mut Model| drop(state.state.insert(b"more".to_vec(), vec![])),
        |state: &mut Model| state.state.last_entry().unwrap().get_mut().push(0),
    ] {
        let mut other = model.clone();
        spoil(&mut other);
        assert!(matches!(made(|_| {}, &other), Err(StoreError::OtherRoot { .. })) && !Store::exists(&path));
    }
    let mut restore = Restore::at(&path, tight()).unwrap();
    restore.add(&ChangeSet::from([(vec![1], Some(vec![2]))])).unwrap();
    restore.discard();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left of it");
    made(|_| {}, &model).unwrap();
}

#[test]
fn a_disk_that_fails_at_the_nth_sync_has_no_store_or_a_whole_one() {
    let folder = TempDir::new().unwrap();
    let (whole, model, genesis, _) = chain(folder.path(), 3);
    let beginning = beginning(&whole, &genesis);
    let restored = |disk: &RehearsalDisk| {
        let mut restore = Restore::on_backend(disk.clone(), tight())?;
        fill(&mut restore, &model)?;
        restore.finish(beginning.clone()).map(drop)
    };
    let (mut random, mut failures) = (Random(4), 0);
    for round in 0..4 {
        for n in 0.. {
            let disk = RehearsalDisk::default();
            disk.fail_after(n);
            let made = restored(&disk);
            let left = disk.after_power_cut(|below| random.below(below));
            match Store::with_backend(left, tight(), None) {
                Ok(store) => {
                    assert_eq!(store.best(), whole.best(), "round {round}, sync {n}");
                    assert_eq!(store.snapshot().root(), model.root());
                    assert_eq!(store.snapshot().base().unwrap().height, at(3));
                }
                Err(error) => {
                    let is_none = matches!(error, StoreError::NoGenesis | StoreError::Database(_));
                    assert!(made.is_err() && is_none, "round {round}, sync {n}: {error}");
                    failures += 1;
                }
            }
            if made.is_ok() {
                assert!(n > 3, "it syncs more than once");
                break;
            }
        }
    }
    assert!(failures > 8, "{failures} failures are too few to say anything");
}

#[test]
fn a_row_of_the_beginning_that_is_damaged_is_named() {
    let folder = TempDir::new().unwrap();
    let (whole, model, genesis, _) = chain(folder.path(), 3);
    let path = folder.path().join("restored.redb");
    let mut restore = Restore::at(&path, tight()).unwrap();
    fill(&mut restore, &model).unwrap();
    drop(restore.finish(beginning(&whole, &genesis)).unwrap());
    let head = redb::TableDefinition::<u8, &[u8]>::new("head");
    let row = {
        use redb::ReadableDatabase as _;
        let db = redb::Database::open(&path).unwrap();
        let row = db.begin_read().unwrap().open_table(head).unwrap().get(0).unwrap();
        row.unwrap().value().to_vec()
    };
    assert_eq!(row.len(), 4 + 32 + 8 + 8 + 32);
    let put = |row: &[u8]| {
        let db = redb::Database::open(&path).unwrap();
        let tx = db.begin_write().unwrap();
        tx.open_table(head).unwrap().insert(0, row).unwrap();
        tx.commit().unwrap();
        drop(db);
        Store::open_with(&path, tight()).map(drop)
    };
    for len in 0..row.len() {
        let refused = put(&row[..len]);
        assert!(matches!(refused, Err(StoreError::Corrupted { table: "head", .. })), "{len}: {refused:?}");
    }
    assert!(matches!(put(&[&row[..], &[0]].concat()), Err(StoreError::Corrupted { table: "head", .. })));
    let mut later = row.clone();
    later[0] = 3;
    assert!(matches!(put(&later), Err(StoreError::Format { found: 3, wanted: 2 })));
    // A base above the best block: no undo record can lead there.
    later = row.clone();
    later[36] = 9;
    assert!(matches!(put(&later), Err(StoreError::Corrupted { table: "head", .. })));
    put(&row).unwrap();
    let header: Header = whole.best().2;
    assert_eq!(Store::open_with(&path, tight()).unwrap().best().2, header);
}
