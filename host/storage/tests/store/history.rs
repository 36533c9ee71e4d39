//! Random histories with reopening, rollback and old states.

use crate::chain::{Model, Random, block, changes, tight};
use host_storage::{Commit, Snapshot, Store, StoreError, StoreOptions, Stretch};
use runtime_primitives::{Hash, Height};
use runtime_state::{Backend as _, ChangeSet, State as _};

/// A model and the block that led to it, for each height.
type Past = Vec<(Model, Commit)>;

fn check_blocks(snapshot: &Snapshot, past: &Past) {
    for (_, commit) in past {
        let height = commit.header.height();
        assert_eq!(snapshot.header(height).unwrap().as_ref(), Some(&commit.header));
        assert_eq!(snapshot.header_by_hash(&commit.header.hash()).unwrap().as_ref(), Some(&commit.header));
        assert_eq!(snapshot.block(height).unwrap().as_ref(), Some(&commit.block));
        assert_eq!(snapshot.body(height).unwrap().as_ref(), Some(&commit.body));
        assert_eq!(snapshot.receipts(height).unwrap().as_ref(), Some(&commit.receipts));
        assert_eq!(snapshot.finality(height).unwrap(), commit.finality);
    }
    check_stretches(snapshot, past);
    let above = snapshot.height().next();
    assert_eq!(snapshot.header(above).unwrap(), None);
    assert_eq!(snapshot.block(above).unwrap(), None);
    assert_eq!(snapshot.body(above).unwrap(), None);
    assert_eq!(snapshot.receipts(above).unwrap(), None);
    assert_eq!(snapshot.finality(above).unwrap(), None);
    assert_eq!(snapshot.header_by_hash(&Hash([9; 32])).unwrap(), None);
    assert_eq!(snapshot.genesis_hash(), past[0].1.header.hash());
}

/// A proof covers all blocks up to the last proven one nearby, or else up to the next.
fn check_stretches(snapshot: &Snapshot, past: &Past) {
    let best = snapshot.height().number();
    for (after, to, few, most) in [(0, best, 4, 100), (1, best, 1, 100), (best / 2, best, 1, 2), (3, 5, 9, 9)]
    {
        let found = snapshot.stretch(Height::from_number(after), Height::from_number(to), few, most).unwrap();
        let blocks: Vec<&Commit> =
            (after + 1..=to).filter_map(|h| Some(&past.get(h as usize)?.1)).take(most).collect();
        let proof = |commit: &&Commit| commit.finality.as_ref().unwrap().proof.clone();
        let near = blocks.iter().take(few).rposition(|commit| proof(commit).is_some());
        let wanted =
            near.or_else(|| blocks.iter().position(|commit| proof(commit).is_some())).map(|last| Stretch {
                payloads: blocks[..=last].iter().map(|commit| commit.block.payload_hash()).collect(),
                proof: proof(&blocks[last]).unwrap(),
            });
        assert_eq!(found, wanted, "after {after}, to {to}, {few} or {most}");
    }
}

/// Old states are what they were, as far back as undo records go, and refused beyond.
fn check_past(snapshot: &Snapshot, past: &Past, random: &mut Random) -> u64 {
    let best = snapshot.height().number();
    let mut reached = best;
    for number in (0..=best).rev() {
        let Ok(old) = snapshot.at(Height::from_number(number)) else {
            assert!(matches!(snapshot.at(Height::from_number(number)), Err(StoreError::OutOfReach { .. })));
            break;
        };
        reached = number;
        let (model, commit) = &past[number as usize];
        assert_eq!(old.header(), &commit.header);
        let first = old.next_key(b"");
        let keys = std::iter::successors(first, |key| old.next_key(key));
        assert!(keys.eq(model.state.keys().cloned()), "keys after block {number}");
        for key in (0..5).map(|_| random.key(300)) {
            assert_eq!(old.get(&key).as_ref(), model.state.get(&key), "after block {number}");
        }
    }
    reached
}

fn history(seed: u64, options: StoreOptions) {
    let mut random = Random(seed);
    let (universe, size) = [(30, 6), (300, 40), (3000, 500)][seed as usize % 3];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let genesis_changes = changes(&mut random, &Model::default(), universe, size);
    let genesis = block(&mut random, None, genesis_changes);
    let mut model = Model::default();
    model.apply(&genesis);
    let mut past: Past = vec![(model.clone(), genesis.clone())];
    let mut store = Store::create_with(&path, options, genesis).unwrap();
    for step in 0..25 {
        let at = format!("seed {seed}, step {step}");
        let changes = changes(&mut random, &model, universe, size);
        let next = block(&mut random, Some(&store), changes);
        let (before, old_model) = (store.snapshot(), model.clone());
        store.commit(next.clone()).unwrap();
        model.apply(&next);
        past.push((model.clone(), next));
        old_model.check(&before, &format!("{at}, a snapshot taken before"));
        model.check(&store.snapshot(), &at);
        assert!(
            store.snapshot().trie_bytes() <= options.trie_bytes,
            "{at}: {}",
            store.snapshot().trie_bytes()
        );
        drop(before);
        match random.below(6) {
            0 => {
                drop(store);
                store = Store::open_with(&path, options).unwrap();
                model.check(&store.snapshot(), &format!("{at}, reopened"));
                check_blocks(&store.snapshot(), &past);
            }
            1 => {
                let reached = check_past(&store.snapshot(), &past, &mut random);
                if reached > 0 {
                    let beyond = store.rollback(Height::from_number(reached - 1));
                    assert!(matches!(beyond, Err(StoreError::OutOfReach { .. })));
                }
                let best = store.best().0.number();
                let to = reached + random.next() % (best - reached + 1);
                store.rollback(Height::from_number(to)).unwrap();
                past.truncate(to as usize + 1);
                model = past[to as usize].0.clone();
                assert_eq!(store.best().2, past[to as usize].1.header);
                model.check(&store.snapshot(), &format!("{at}, rolled back to {to}"));
                check_blocks(&store.snapshot(), &past);
            }
            _ => {}
        }
    }
    check_blocks(&store.snapshot(), &past);
}

#[test]
fn random_histories_in_tight_bounds() {
    (0..9).for_each(|seed| history(seed, tight()));
}

#[test]
fn random_histories_in_ordinary_bounds() {
    (100..106).for_each(|seed| history(seed, StoreOptions::default()));
}

#[test]
fn undo_records_are_bounded_by_bytes_too() {
    let options = StoreOptions { undo_bytes: 4_000, undo_blocks: 1_000, ..tight() };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let mut random = Random(5);
    let mut store = Store::create_with(&path, options, block(&mut random, None, Default::default())).unwrap();
    for round in 0..12_u8 {
        let change = [(b"key".to_vec(), Some(vec![round; 1_000]))];
        let mut next = block(&mut random, Some(&store), change.into());
        next.archive.clear();
        store.commit(next).unwrap();
        if round == 6 {
            drop(store);
            store = Store::open_with(&path, options).unwrap();
        }
    }
    // A record of the old value takes just over 1,000 bytes: three fit.
    let snapshot = store.snapshot();
    assert_eq!(snapshot.at(Height::from_number(9)).unwrap().get(b"key"), Some(vec![8; 1_000]));
    let refused = snapshot.at(Height::from_number(8)).err().unwrap();
    assert_eq!(refused.to_string(), "height 8 is out of reach: undo records reach back to 9");
}

#[test]
fn a_large_block_after_a_large_block_stays_in_bounds() {
    let options = StoreOptions { trie_bytes: 400_000, ..tight() };
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(11);
    let genesis = block(&mut random, None, Default::default());
    let store = Store::create_with(&folder.path().join("store.redb"), options, genesis).unwrap();
    let mut model = Model::default();
    for round in 0..4_u32 {
        let changes = (round * 2500..round * 2500 + 4000)
            .map(|number| ([&b"k"[..], &number.to_be_bytes()].concat(), Some(round.to_be_bytes().to_vec())));
        let next = block(&mut random, Some(&store), changes.collect());
        model.apply(&next);
        store.commit(next).unwrap();
        assert!(store.snapshot().trie_bytes() <= options.trie_bytes);
    }
    assert_eq!(store.snapshot().root(), model.root());
}

#[test]
fn pages_that_go_and_come_back_keep_nothing_of_their_old_nodes() {
    let options = StoreOptions::default();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let mut random = Random(13);
    let mut model = Model::default();
    let genesis = block(&mut random, None, Default::default());
    model.apply(&genesis);
    drop(Store::create_with(&path, options, genesis).unwrap());
    for round in 0..12_u32 {
        // Each block is logged, and opening writes the pages of the block before.
        let store = Store::open_with(&path, options).unwrap();
        model.check(&store.snapshot(), &format!("round {round}"));
        let mut changes: ChangeSet = model.state.keys().map(|key| (key.clone(), None)).collect();
        if round % 2 == 0 {
            let keys = (0..2500_u32).map(|number| [number.to_le_bytes(), round.to_le_bytes()].concat());
            changes.extend(keys.map(|key| (key, Some(vec![1]))));
        }
        let next = block(&mut random, Some(&store), changes);
        model.apply(&next);
        store.commit(next).unwrap();
    }
}

#[test]
fn a_reader_never_sees_half_a_block() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(17);
    let numbered = |number: u64| -> ChangeSet {
        (0..30_u8).map(|key| (vec![key], Some(number.to_le_bytes().to_vec()))).collect()
    };
    let genesis = block(&mut random, None, numbered(0));
    let store = Store::create_with(&folder.path().join("store.redb"), tight(), genesis).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = std::collections::BTreeSet::new();
            while store.best().0.number() < 25 {
                let snapshot = store.snapshot();
                let number = snapshot.height().number().to_le_bytes().to_vec();
                assert!((0..30_u8).all(|key| snapshot.get(&[key]).as_ref() == Some(&number)));
                assert_eq!(
                    snapshot.header(snapshot.height()).unwrap().as_ref(),
                    Some(snapshot.best_header())
                );
                assert_eq!(snapshot.root(), snapshot.best_header().state_root);
                seen.insert(snapshot.height());
            }
            seen.len()
        });
        for number in 1..=25 {
            let next = block(&mut random, Some(&store), numbered(number));
            store.commit(next).unwrap();
        }
        assert!(reader.join().unwrap() > 1, "the reader ran beside the writer");
    });
}
