//! A process that commits blocks is killed at random moments; the file must hold the last whole block.
//!
//! The rule: the child announces a block only after `commit` returned, so whatever was announced must
//! be there.

use crate::chain::{Model, Random, block, changes, tight};
use host_storage::{Commit, Store};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const FILE: &str = "BUSBAR_TEST_CRASH_FILE";
const SEED: u64 = 77;

/// Block `height` of the chain that the child builds: it depends on the height and what was before.
fn next_block(store: Option<&Store>, model: &Model, height: u64) -> Commit {
    let mut random = Random(SEED + height);
    let changes = changes(&mut random, model, 400, 60);
    block(&mut random, store, changes)
}

/// Not a test of its own: the process that is killed.
#[test]
fn child_commits_until_killed() {
    let Ok(file) = std::env::var(FILE) else { return };
    let (store, mut model) = reopen(Path::new(&file));
    let mut out = std::io::stdout();
    loop {
        let height = store.best().0.number() + 1;
        let next = next_block(Some(&store), &model, height);
        model.apply(&next);
        store.commit(next).unwrap();
        writeln!(out, "\ncommitted {height}").unwrap();
        out.flush().unwrap();
    }
}

/// The store at `file`, and the model of the same chain up to its height, root compared.
fn reopen(file: &Path) -> (Store, Model) {
    let store = Store::open_with(file, tight()).unwrap();
    let (best, _, header) = store.best();
    let mut model = Model::default();
    for height in 0..=best.number() {
        // The trie update in this block is of no use: only its changes are.
        model.apply(&next_block(None, &model, height));
    }
    model.check(&store.snapshot(), &format!("reopened at {best}"));
    assert_eq!(header.state_root, model.root());
    (store, model)
}

#[test]
fn a_killed_process_leaves_the_last_whole_block() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.redb");
    let genesis = next_block(None, &Model::default(), 0);
    drop(Store::create_with(&file, tight(), genesis).unwrap());
    let mut random = Random(SEED);
    let mut announced = 0;
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child_commits_until_killed", "--nocapture"])
            .env(FILE, &file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let height_in = |line: String| line.strip_prefix("committed ").and_then(|height| height.parse().ok());
        // Let it commit at least once, then some time more: the kill falls anywhere in a commit.
        announced = lines.by_ref().map_while(Result::ok).find_map(height_in).unwrap();
        std::thread::sleep(Duration::from_micros(random.next() % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let last: Option<u64> = lines.map_while(Result::ok).filter_map(height_in).last();
        announced = last.unwrap_or(announced);
        let (store, _) = reopen(&file);
        let best = store.best().0.number();
        assert!(best == announced || best == announced + 1, "round {round}: {best} after {announced}");
    }
    assert!(announced > 8, "each round commits");
}
