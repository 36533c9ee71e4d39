//! How long a durable commit takes: `commit_latency FOLDER KEYS BLOCKS WRITES INSERTS [TRIE_MIB CACHE_MIB]`.
//!
//! Loads `KEYS` keys as genesis, then commits `BLOCKS` blocks that overwrite `WRITES` keys and add
//! `INSERTS` new ones each, with a few archive rows, and prints percentiles. The rule: figures count only
//! from a release build on a quiet machine, with FOLDER on the disk in question.
#![allow(
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a measuring tool"
)]

use host_storage::{Commit, Store, StoreOptions};
use runtime_primitives::{Hash, Header, Height, OrderedBlock, Timestamp, blake2_256};
use runtime_state::{ArchiveRow, ChangeSet, MemoryState, State};
use std::time::{Duration, Instant};

/// A key as a runtime makes it: one of eight prefixes of 32 bytes, then a hashed number.
fn key(number: u64) -> Vec<u8> {
    let prefix = blake2_256(&(number % 8).to_le_bytes());
    [&prefix.0[..], &blake2_256(&number.to_le_bytes()).0[..16], &number.to_le_bytes()].concat()
}

fn value(number: u64, block: u64) -> Vec<u8> {
    [number, block, 0, 1, 2, 3, 4, 5, 6, 7].iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn commit(parent: Option<&Header>, state: &dyn State, changes: ChangeSet, rows: u64) -> Commit {
    let trie = state.update_trie(&changes);
    let number = parent.map_or(0, |parent| parent.number + 1);
    let header = Header {
        parent_hash: parent.map_or(Hash::ZERO, Header::hash),
        number,
        state_root: trie.root(),
        extrinsics_root: Hash::ZERO,
        digest: Default::default(),
    };
    let extrinsics: Vec<Vec<u8>> = (0..rows).map(|row| vec![(row % 251) as u8; 200]).collect();
    let block = OrderedBlock {
        height: Height::from_number(number),
        executed: Default::default(),
        timestamp: Timestamp::from_ms(number * 1000),
        extrinsics: extrinsics.clone(),
    };
    let archive = (0..rows).map(|row| ArchiveRow {
        table: (row % 3) as u8,
        key: [number.to_be_bytes(), row.to_be_bytes()].concat(),
        value: vec![7; 60],
    });
    let (receipts, archive) = (vec![1; rows as usize * 20], archive.collect());
    Commit { header, block, body: extrinsics, receipts, changes, trie, archive, finality: None }
}

fn status(name: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find(|line| line.starts_with(name))
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .collect()
}

fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find(|line| line.starts_with("write_bytes"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn percentiles(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    let mean = times.iter().sum::<Duration>().as_secs_f64() * 1e3 / times.len() as f64;
    println!(
        "{name}: mean {mean:.3} p50 {:.3} p90 {:.3} p99 {:.3} max {:.3} ms",
        at(50),
        at(90),
        at(99),
        at(100)
    );
}

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(2).map(|word| word.parse().unwrap()).collect();
    let folder = std::env::args().nth(1).expect("FOLDER KEYS BLOCKS WRITES INSERTS [TRIE_MIB CACHE_MIB]");
    let at = |index: usize, default: u64| numbers.get(index).copied().unwrap_or(default);
    let (keys, blocks, writes, inserts) = (at(0, 100_000), at(1, 1000), at(2, 100), at(3, 10));
    let options = StoreOptions {
        trie_bytes: (at(4, 48) as usize) << 20,
        cache_bytes: (at(5, 64) as usize) << 20,
        ..StoreOptions::default()
    };
    let path = std::path::Path::new(&folder).join("latency.redb");
    let _ = std::fs::remove_file(&path);
    let start = Instant::now();
    let genesis: ChangeSet = (0..keys).map(|number| (key(number), Some(value(number, 0)))).collect();
    let genesis = commit(None, &MemoryState::new(), genesis, 0);
    let store = Store::create_with(&path, options, genesis).unwrap();
    println!("genesis of {keys} keys: {:?}, peak {}", start.elapsed(), status("VmHWM"));
    let (mut updates, mut commits) = (Vec::new(), Vec::new());
    let (mut random, mut next) = (1_u64, keys);
    let before = written();
    for block in 1..=blocks {
        let mut changes = ChangeSet::new();
        for _ in 0..writes {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = (random >> 20) % next;
            changes.insert(key(number), Some(value(number, block)));
        }
        for number in next..next + inserts {
            changes.insert(key(number), Some(value(number, block)));
        }
        next += inserts;
        let snapshot = store.snapshot();
        let start = Instant::now();
        let commit = commit(Some(snapshot.best_header()), &snapshot, changes, writes / 2);
        updates.push(start.elapsed());
        drop(snapshot);
        let start = Instant::now();
        store.commit(commit).unwrap();
        commits.push(start.elapsed());
    }
    percentiles("update", updates);
    percentiles("commit", commits);
    println!(
        "written {} KiB a block, file {} KiB, peak {}, now {}",
        (written() - before) / 1024 / blocks,
        std::fs::metadata(&path).unwrap().len() / 1024,
        status("VmHWM"),
        status("VmRSS")
    );
    let root = store.snapshot().root();
    drop(store);
    let start = Instant::now();
    let store = Store::open_with(&path, options).unwrap();
    println!("open: {:?}", start.elapsed());
    assert_eq!(store.snapshot().root(), root);
}
