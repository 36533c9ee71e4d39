//! Random histories over key paths, which a storage key cannot choose: clustered, sharing long
//! prefixes, differing in one bit. The rule: every root is compared with `build_trie` over a hasher
//! that shares no code with the trie's.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

use super::hasher::Hasher;
use super::*;
use crate::{StateError, StateProof};
use alloc::collections::BTreeMap;
use alloc::vec;
use core::convert::Infallible;
use nomt_core::hasher::{BinaryHash, BinaryHasher};
use nomt_core::proof::{PathProof, PathProofTerminal};
use nomt_core::trie::LeafData;
use nomt_core::trie_pos::TriePosition;
use runtime_primitives::blake2_256;

struct Reference;

impl BinaryHash for Reference {
    fn hash(input: &[u8]) -> [u8; 32] {
        blake2_256(input).0
    }
}

type Leaves = BTreeMap<KeyPath, ValueHash>;

fn reference_root(leaves: &Leaves) -> Hash {
    let leaves = leaves.iter().map(|(path, value)| (*path, *value));
    Hash(nomt_core::update::build_trie::<BinaryHasher<Reference>>(0, leaves, |_| {}))
}

/// A store of rows, kept twice: pages written whole, and pages brought forward by deltas alone.
#[derive(Default)]
struct Rows {
    leaves: Leaves,
    whole: BTreeMap<Vec<u8>, Vec<u8>>,
    replayed: BTreeMap<Vec<u8>, Page>,
}

impl Source for Rows {
    type Error = Infallible;

    fn page(&self, id: &PageId) -> Result<Page, Infallible> {
        Ok(Page::decode(&self.whole[id.length_dependent_encoding()]).unwrap())
    }

    fn leaves(
        &self,
        prefix: &KeyPath,
        depth: usize,
        ops: &[Op],
    ) -> Result<Vec<(KeyPath, ValueHash)>, Infallible> {
        Ok(leaves_among(&self.leaves, prefix, depth, ops))
    }
}

impl Rows {
    fn write(&mut self, update: &TrieUpdate) {
        for (path, value) in &update.ops {
            match value {
                Some(value) => self.leaves.insert(*path, *value),
                None => self.leaves.remove(path),
            };
        }
        let mut log = Vec::new();
        for write in &update.pages {
            write.encode_delta_to(&mut log);
            let path = write.id.length_dependent_encoding().to_vec();
            match &write.page {
                Some(page) => {
                    let mut row = Vec::new();
                    page.encode_to(&mut row);
                    self.whole.insert(path, row);
                }
                None => drop(self.whole.remove(&path)),
            }
        }
        let mut log = &log[..];
        while !log.is_empty() {
            let delta = Delta::decode(&mut log).unwrap();
            let path = delta.path.to_vec();
            if let Some(page) = delta.apply(self.replayed.remove(&path)).unwrap() {
                self.replayed.insert(path, page);
            }
        }
    }

    fn check_rows_agree(&self) {
        assert!(self.whole.keys().eq(self.replayed.keys()));
        for (path, row) in &self.whole {
            let (mut page, mut replayed) = (self.replayed[path].clone(), Vec::new());
            page.derive();
            page.encode_to(&mut replayed);
            assert_eq!(&replayed, row, "page {path:?}");
        }
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn path(&mut self, style: u64) -> KeyPath {
        let mut path = [0; 32];
        path.chunks_mut(8).for_each(|word| word.copy_from_slice(&self.next().to_le_bytes()));
        match style {
            1 => path[1..28].fill(7),
            2 => path.iter_mut().for_each(|byte| *byte &= 1),
            3 => path[..31].fill(0xff),
            4 => path[0] &= 3,
            5 => path[..30].fill(0),
            _ => {}
        }
        path
    }

    fn ops(&mut self, leaves: &Leaves, style: u64, size: u64) -> BTreeMap<KeyPath, Option<ValueHash>> {
        if self.below(14) == 0 {
            return leaves.keys().map(|path| (*path, None)).collect();
        }
        let shrinking = self.below(3) == 0;
        let mut ops = BTreeMap::new();
        for _ in 0..self.below(size) {
            let fresh = self.path(style);
            let known = leaves.range(fresh..).next().map(|(path, _)| *path);
            let value = Some(blake2_256(&self.next().to_le_bytes()).0);
            match (self.below(4), known) {
                (0 | 1, Some(path)) if shrinking => ops.insert(path, None),
                (0, _) => ops.insert(fresh, None),
                (1, Some(path)) => ops.insert(path, value),
                _ => ops.insert(fresh, value),
            };
        }
        ops
    }
}

/// Whether `proof` shows `value` for `path`, by the reference's hashing.
fn shows(proof: &StateProof, path: &KeyPath, root: Hash, value: Option<ValueHash>) -> bool {
    let terminal = proof.leaf.map_or(PathProofTerminal::Terminator(TriePosition::new()), |leaf| {
        PathProofTerminal::Leaf(LeafData { key_path: leaf.key_path.0, value_hash: leaf.value_hash.0 })
    });
    let siblings = proof.siblings.iter().map(|node| node.0).collect();
    let bits = TriePosition::from_path_and_depth(*path, 256);
    let proof = PathProof { terminal, siblings };
    let verified = proof.verify::<BinaryHasher<Reference>>(bits.path(), root.0).unwrap();
    match value {
        Some(value_hash) => verified.confirm_value(&LeafData { key_path: *path, value_hash }).unwrap(),
        None => verified.confirm_nonexistence(path).unwrap(),
    }
}

fn history(seed: u64) {
    let mut random = Random(seed);
    let style = seed % 6;
    let size = [3, 30, 300][(seed / 6 % 3) as usize];
    let (mut rows, mut trie) = (Rows::default(), Trie::empty());
    for step in 0..2 + random.below(16) {
        let ops = random.ops(&rows.leaves, style, size);
        let update = trie.update_paths(&rows, ops.into_iter().collect()).unwrap();
        let (before, old) = (rows.leaves.clone(), trie.clone());
        rows.write(&update);
        rows.check_rows_agree();
        assert!(update.is_based_on(&old));
        trie = update.into_trie();
        assert_eq!(trie.root(), reference_root(&rows.leaves), "seed {seed}, step {step}");
        assert_eq!(old.root(), reference_root(&before), "an update leaves the old trie as it was");
        assert_eq!(trie.generation(), step + 1);
        let known = rows.leaves.keys().nth(random.below(rows.leaves.len().max(1) as u64) as usize).copied();
        for path in [known.unwrap_or_default(), random.path(style), [0; 32], [0xff; 32]] {
            let proof = trie.prove(&rows, &path).unwrap();
            let value = rows.leaves.get(&path).copied();
            assert!(shows(&proof, &path, trie.root(), value), "seed {seed}, step {step}");
        }
        match random.below(4) {
            0 => trie = trie.shrink(0),
            1 => {
                let bytes = trie.resident_bytes() / 2;
                trie = trie.shrink(bytes);
                assert!(trie.resident_bytes() <= bytes.max(Page::BYTES));
            }
            2 => {
                let top = rows.whole.get(&[][..]).map(|row| Page::decode(row).unwrap());
                trie = Trie::from_parts(trie.generation(), trie.root(), top).unwrap();
                let other = Trie::from_parts(1, Hash([1; 32]), trie.resident_page(&[]).cloned());
                assert_eq!(other.err(), Some(StateError::OtherRootPage(Hash([1; 32]))));
            }
            _ => {}
        }
    }
}

#[test]
fn every_root_is_that_of_build_trie() {
    (0..72).for_each(history);
}

#[test]
fn one_update_or_many_lead_to_one_root() {
    let mut random = Random(9);
    let leaves: Leaves = (0..3000_u32).map(|n| (random.path(0), blake2_256(&n.to_le_bytes()).0)).collect();
    let ops: Vec<Op> = leaves.iter().map(|(path, value)| (*path, Some(*value))).collect();
    let at_once = Trie::empty().update_paths(&Rows::default(), ops.clone()).unwrap().into_trie();
    assert_eq!(at_once.root(), reference_root(&leaves));
    let (mut rows, mut trie) = (Rows::default(), Trie::empty());
    for part in ops.chunks(77) {
        let update = trie.update_paths(&rows, part.to_vec()).unwrap();
        rows.write(&update);
        trie = update.into_trie();
    }
    assert_eq!(trie.root(), at_once.root());
    // Memory is bounded in full, down to the root page, and nothing else changes.
    let bare = trie.shrink(0);
    assert_eq!((bare.root(), bare.resident_bytes()), (trie.root(), Page::BYTES));
    assert!(trie.resident_bytes() > 64 * Page::BYTES);
}

#[test]
fn damaged_rows_are_refused() {
    let ops = (0..200_u32).map(|n| (blake2_256(&n.to_le_bytes()).0, Some([1; 32]))).collect();
    let update = Trie::empty().update_paths(&Rows::default(), ops).unwrap();
    let mut log = Vec::new();
    update.pages[0].encode_delta_to(&mut log);
    for end in 0..log.len() {
        assert!(
            matches!(Delta::decode(&mut &log[..end]), Err(StateError::RowTruncated { .. })),
            "cut at {end}"
        );
    }
    let mut row = Vec::new();
    update.pages[0].page.as_ref().unwrap().encode_to(&mut row);
    assert!(Page::decode(&row).is_ok());
    let mut outside = row.clone();
    outside[8 + 15] |= 0x80;
    let cases: [(&[u8], StateError); 3] = [
        (&row[..row.len() - 1], StateError::RowTruncated { wanted: 32, left: 31 }),
        (&[&row[..], &[0]].concat(), StateError::RowTooLong(1)),
        (
            &outside,
            StateError::SlotOutOfPage { slots: u128::from_le_bytes(outside[8..24].try_into().unwrap()) },
        ),
    ];
    for (row, wanted) in cases {
        assert_eq!(Page::decode(row).err(), Some(wanted));
    }
    let logs = [
        (vec![43], StateError::PageTooDeep(43)),
        (vec![1, 64, 0], StateError::NotAChild(64)),
        (vec![1, 63, 2], StateError::UnknownTag(2)),
    ];
    for (log, wanted) in logs {
        assert_eq!(Delta::decode(&mut &log[..]).err(), Some(wanted));
    }
}

#[test]
fn the_hasher_is_the_references() {
    // The histories above would not notice a hasher that differs from the reference only where no
    // leaf was: compare the two on a plain list as well.
    let leaves: Leaves = (0..50_u8).map(|n| ([n; 32], [!n; 32])).collect();
    let ours = nomt_core::update::build_trie::<Hasher>(0, leaves.clone(), |_| {});
    assert_eq!(Hash(ours), reference_root(&leaves));
}
