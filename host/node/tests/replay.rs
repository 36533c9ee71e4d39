//! A played chain replays from its own file; a copy that was tampered with does not, and says where.
#![allow(clippy::unwrap_used, reason = "tests")]

use host_node::chain_spec::{ChainSpec, Preset};
use host_node::replay::{ReplayError, Replayed, replay};
use host_node::scenario::{Casting, Play, paper};
use host_storage::{Commit, Snapshot, Store};
use parity_scale_codec::Encode;
use runtime_execution::archive::tables;
use runtime_execution::{GenesisConfig, VerifySingly, build_genesis, execute_block};
use runtime_primitives::{Height, Money};
use runtime_vm::{EngineKind, VM_THREAD_STACK_BYTES, Vm};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn on_a_vm_thread(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    thread.spawn(work).unwrap().join().unwrap();
}

fn played() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let mut play = Play::open(paper().unwrap(), Casting::default(), folder.path()).unwrap();
    play.run(|_| {}).unwrap();
    let path = folder.path().join("chain.redb");
    (folder, path)
}

fn verdict(snapshot: &Snapshot, config: &GenesisConfig) -> Result<Replayed, ReplayError> {
    replay(snapshot, config, |_| {})
}

#[test]
fn a_played_chain_replays_from_its_own_folder() {
    on_a_vm_thread(|| {
        let (_folder, path) = played();
        let store = Store::open(&path).unwrap();
        let snapshot = store.snapshot();
        let config = ChainSpec::find(&path, &snapshot).unwrap();
        let (mut heard, mut extrinsics) = (0, 0);
        let done = replay(&snapshot, &config, |count| {
            heard += 1;
            extrinsics += count;
        });
        let done = done.unwrap();
        assert_eq!((done.blocks, done.last), (snapshot.height().number(), snapshot.hash()));
        assert_eq!((heard, extrinsics), (done.blocks, done.extrinsics));
        assert!(done.extrinsics > 20 && done.archive_rows > 20 && done.state_keys > 20, "{done:?}");

        // Without the spec beside it, the chain's name says which scenario it is.
        std::fs::remove_file(path.with_file_name("spec.json")).unwrap();
        assert_eq!(ChainSpec::find(&path, &snapshot).unwrap(), config);
        assert!(matches!(verdict(&snapshot, &Preset::Dev.config()), Err(ReplayError::OtherChain { .. })));
        let mut richer = config;
        richer.entities[1].balance = Money::from_units(1);
        assert!(matches!(verdict(&snapshot, &richer), Err(ReplayError::OtherChain { .. })));
    });
}

/// Blocks of a copy: enough to set the market up.
const COPIED: u64 = 3;

/// Copy the first blocks of a chain, changing what is stored of one block beside its header.
fn copy(snapshot: &Snapshot, config: &GenesisConfig, to: &Path, edit: impl Fn(&mut Commit)) -> Store {
    let vm = Vm::new(EngineKind::Wasmtime).unwrap();
    let genesis = build_genesis(config).unwrap();
    let hash = genesis.header.hash();
    let receipts = Vec::<u8>::new().encode();
    let (body, archive) = (Vec::new(), Vec::new());
    let (header, block, changes, trie) = (genesis.header, genesis.block, genesis.changes, genesis.trie);
    let commit = Commit { header, block, body, receipts, changes, trie, archive, finality: None };
    let store = Store::create(to, commit).unwrap();
    for number in 1..=COPIED {
        let block = snapshot.block(Height::from_number(number)).unwrap().unwrap();
        let parent = store.snapshot();
        let done = execute_block(&vm, &parent, parent.best_header(), &hash, &block, &VerifySingly).unwrap();
        drop(parent);
        let (header, body, receipts) = (done.header, done.body, done.receipts.encode());
        let (changes, trie, archive) = (done.changes, done.trie, done.archive);
        let mut commit = Commit { header, block, body, receipts, changes, trie, archive, finality: None };
        edit(&mut commit);
        store.commit(commit).unwrap();
    }
    store
}

#[test]
fn a_tampered_copy_is_found_out() {
    on_a_vm_thread(|| {
        let (folder, path) = played();
        let original = Store::open(&path).unwrap();
        let snapshot = original.snapshot();
        let config = ChainSpec::find(&path, &snapshot).unwrap();
        type Edit = fn(&mut Commit);
        let header = snapshot.header(Height::from_number(COPIED)).unwrap().map(|header| header.hash());
        let rows: [(&str, Edit, &str); 6] = [
            ("nothing", |_| {}, ""),
            (
                "a dropped extrinsic",
                |commit| drop(commit.block.extrinsics.pop()),
                "block 2: stored header 0x",
            ),
            (
                "a shifted time",
                |commit| commit.block.timestamp = commit.block.timestamp.plus_ms(1),
                "block 2: stored header 0x",
            ),
            ("a dropped body", |commit| drop(commit.body.pop()), "block 2: the stored extrinsics are not"),
            ("forged receipts", |commit| commit.receipts[5] ^= 1, "block 2: the stored receipts are not"),
            (
                "a richer ledger",
                |commit| {
                    let row = commit.archive.iter_mut().find(|row| row.table == tables::LEDGER).unwrap();
                    row.value[70] ^= 1;
                },
                "archive table 1, row 0x0000000000000002",
            ),
        ];
        for (index, (what, edit, expected)) in rows.into_iter().enumerate() {
            let path = folder.path().join(index.to_string());
            let copy = copy(&snapshot, &config, &path, |commit| {
                if commit.block.height.number() == 2 {
                    edit(commit);
                }
            });
            match verdict(&copy.snapshot(), &config) {
                Ok(done) => assert_eq!((what, Some(done.last)), ("nothing", header)),
                Err(error) => {
                    let found = error.to_string();
                    assert!(!expected.is_empty() && found.starts_with(expected), "{what}: {found}");
                }
            }
        }
    });
}

#[test]
fn a_flipped_bit_in_the_file_is_found_out() {
    on_a_vm_thread(|| {
        let (_folder, path) = played();
        let store = Store::open(&path).unwrap();
        let block = store.snapshot().block(Height::from_number(2)).unwrap().unwrap();
        let config = ChainSpec::find(&path, &store.snapshot()).unwrap();
        drop(store);
        let mut file = std::fs::read(&path).unwrap();
        let needle = &block.extrinsics[0];
        let places: Vec<usize> = file
            .windows(needle.len())
            .enumerate()
            .filter(|(_, bytes)| bytes == needle)
            .map(|(at, _)| at)
            .collect();
        assert!(!places.is_empty());
        for at in places {
            file[at + needle.len() / 2] ^= 1;
        }
        std::fs::write(&path, file).unwrap();
        if let Ok(store) = Store::open(&path) {
            let error = verdict(&store.snapshot(), &config).unwrap_err();
            assert!(matches!(error, ReplayError::Header { .. } | ReplayError::Store(_)), "{error}");
        }
    });
}
