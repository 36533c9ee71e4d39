//! Chains for the tests, and the model that knows what a store must hold.
//!
//! The rule: the model shares no code with the store; its root is `build_trie` over all its keys.

use host_storage::{Commit, Finality, Snapshot, Store, StoreOptions};
use nomt_core::hasher::{BinaryHash, BinaryHasher};
use runtime_primitives::{Digest, Executed, Hash, Header, Height, OrderedBlock, Timestamp, blake2_256};
use runtime_state::{ArchiveRow, Backend as _, ChangeSet, MemoryState, State, verify_proof};
use std::collections::BTreeMap;

/// A splitmix generator: the seed alone reproduces a test.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.next() as usize % end
    }

    /// A key of one of three items, so that keys share prefixes and come again.
    pub fn key(&mut self, universe: usize) -> Vec<u8> {
        let number = self.below(universe) as u32;
        [&[b"Balances", b"Market/1", b"Market/2"][number as usize % 3][..], &number.to_be_bytes()].concat()
    }

    /// Mostly short, sometimes longer than a page.
    pub fn value(&mut self) -> Vec<u8> {
        let len = match self.below(20) {
            0 => self.below(20_000),
            1..4 => self.below(600),
            _ => self.below(60),
        };
        let byte = self.next() as u8;
        vec![byte; len]
    }
}

struct Reference;

impl BinaryHash for Reference {
    fn hash(input: &[u8]) -> [u8; 32] {
        blake2_256(input).0
    }
}

/// Small enough that memory, log and undo window all overflow within a test.
pub fn tight() -> StoreOptions {
    StoreOptions {
        cache_bytes: 1 << 20,
        trie_bytes: 60_000,
        log_bytes: 3_000,
        undo_blocks: 6,
        undo_bytes: 1 << 20,
    }
}

/// What a store must hold after a block.
#[derive(Clone, Default)]
pub struct Model {
    pub state: BTreeMap<Vec<u8>, Vec<u8>>,
    pub archive: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
}

impl Model {
    pub fn apply(&mut self, commit: &Commit) {
        for (key, value) in &commit.changes {
            match value {
                Some(value) => self.state.insert(key.clone(), value.clone()),
                None => self.state.remove(key),
            };
        }
        for row in &commit.archive {
            self.archive.insert((row.table, row.key.clone()), row.value.clone());
        }
    }

    pub fn root(&self) -> Hash {
        let leaf = |(key, value): (&Vec<u8>, &Vec<u8>)| (blake2_256(key).0, blake2_256(value).0);
        let leaves: BTreeMap<[u8; 32], [u8; 32]> = self.state.iter().map(leaf).collect();
        Hash(nomt_core::update::build_trie::<BinaryHasher<Reference>>(0, leaves, |_| {}))
    }

    /// Every key, value and archive row, the root, and some proofs.
    pub fn check(&self, snapshot: &Snapshot, at: &str) {
        assert_eq!(snapshot.root(), self.root(), "{at}: root");
        assert_eq!(snapshot.best_header().state_root, snapshot.root(), "{at}: header");
        let first = snapshot.get(b"").map(|_| Vec::new()).or_else(|| snapshot.next_key(b""));
        let keys = std::iter::successors(first, |key| snapshot.next_key(key));
        let rows = keys.map(|key| (key.clone(), snapshot.get(&key).unwrap()));
        assert!(rows.eq(self.state.iter().map(|(k, v)| (k.clone(), v.clone()))), "{at}: flat rows");
        for table in 0..3 {
            let rows = snapshot.archive_scan(table, b"", usize::MAX).unwrap();
            let rows = rows.into_iter().map(|row| ((row.table, row.key), row.value));
            let wanted = self.archive.range((table, Vec::new())..(table + 1, Vec::new()));
            assert!(rows.eq(wanted.map(|(k, v)| (k.clone(), v.clone()))), "{at}: archive {table}");
        }
        let some = self.state.keys().nth(self.state.len() / 2).cloned();
        for key in some.into_iter().chain([b"absent".to_vec()]) {
            let wanted = self.state.get(&key).map(|value| blake2_256(value));
            assert_eq!(
                verify_proof(&snapshot.root(), &key, &snapshot.prove(&key)),
                Ok(wanted),
                "{at}: proof"
            );
        }
    }
}

/// Random changes over `universe` keys, at most `size`; now and then all keys of `model` go.
pub fn changes(random: &mut Random, model: &Model, universe: usize, size: usize) -> ChangeSet {
    if random.below(15) == 0 {
        return model.state.keys().map(|key| (key.clone(), None)).collect();
    }
    let change = |random: &mut Random| {
        let key = random.key(universe);
        let value = (random.below(4) > 0).then(|| random.value());
        (key, value)
    };
    (0..random.below(size + 1)).map(|_| change(random)).collect()
}

/// A whole block with `changes`, on the best block of `store`, or a genesis.
pub fn block(random: &mut Random, store: Option<&Store>, changes: ChangeSet) -> Commit {
    let snapshot = store.map(Store::snapshot);
    let trie = match &snapshot {
        Some(snapshot) => snapshot.update_trie(&changes),
        None => MemoryState::new().update_trie(&changes),
    };
    let number = snapshot.as_ref().map_or(0, |snapshot| snapshot.height().number() + 1);
    let header = Header {
        parent_hash: snapshot.as_ref().map_or(Hash::ZERO, Snapshot::hash),
        number,
        state_root: trie.root(),
        extrinsics_root: Hash([random.next() as u8; 32]),
        digest: Digest::default(),
    };
    let extrinsics: Vec<Vec<u8>> = (0..random.below(8)).map(|_| random.value()).collect();
    let block = OrderedBlock {
        height: Height::from_number(number),
        executed: Executed::default(),
        timestamp: Timestamp::from_ms(number * 1000),
        extrinsics: extrinsics.clone(),
    };
    let mut body: Vec<Vec<u8>> = extrinsics.into_iter().filter(|_| random.below(4) > 0).collect();
    body.insert(0, vec![number as u8; 10]);
    let archive = (0..random.below(12)).map(|_| ArchiveRow {
        table: random.below(3) as u8,
        key: random.key(60),
        value: random.value(),
    });
    let archive = archive.collect();
    let digest = Hash([number as u8; 32]);
    // One in three is proven by itself.
    let proof = number.is_multiple_of(3).then(|| vec![number as u8; 5]);
    let finality = (number > 0).then_some(Finality { digest, proof });
    Commit { header, block, body, receipts: random.value(), changes, trie, archive, finality }
}
