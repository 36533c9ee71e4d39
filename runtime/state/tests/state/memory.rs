//! The state in memory: roots against `build_trie`, proofs against tampering.

use crate::random::Random;
use nomt_core::hasher::{BinaryHash, BinaryHasher};
use parity_scale_codec::{Decode as _, Encode as _};
use runtime_primitives::{Hash, blake2_256};
use runtime_state::{Backend, ChangeSet, MemoryState, State, StateError, StateProof, verify_proof};
use std::collections::BTreeMap;

struct Reference;

impl BinaryHash for Reference {
    fn hash(input: &[u8]) -> [u8; 32] {
        blake2_256(input).0
    }
}

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

fn reference_root(map: &Map) -> Hash {
    let leaves: BTreeMap<[u8; 32], [u8; 32]> =
        map.iter().map(|(key, value)| (blake2_256(key).0, blake2_256(value).0)).collect();
    Hash(nomt_core::update::build_trie::<BinaryHasher<Reference>>(0, leaves, |_| {}))
}

fn changes(random: &mut Random, map: &Map, size: usize) -> ChangeSet {
    if random.below(12) == 0 {
        return map.keys().map(|key| (key.clone(), None)).collect();
    }
    let change = |random: &mut Random| {
        let key = random.key(9);
        let known = map.range(key.clone()..).next().map(|(key, _)| key.clone());
        match random.below(5) {
            0 => (known.unwrap_or(key), None),
            1 => (known.unwrap_or(key), Some(random.value())),
            _ => (key, Some(random.value())),
        }
    };
    (0..random.below(size)).map(|_| change(random)).collect()
}

#[test]
fn roots_are_those_of_build_trie() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let (mut state, mut map) = (MemoryState::new(), Map::new());
        assert_eq!(state.root(), Hash::ZERO);
        for _ in 0..12 {
            let changes = changes(&mut random, &map, [4, 40, 300][seed as usize % 3]);
            for (key, value) in &changes {
                match value {
                    Some(value) => drop(map.insert(key.clone(), value.clone())),
                    None => drop(map.remove(key)),
                }
            }
            let before = state.root();
            let update = state.update_trie(&changes);
            assert_eq!(state.root(), before, "an update changes nothing by itself");
            state.apply(&changes, update.clone());
            assert_eq!(state.root(), update.root());
            assert_eq!(state.root(), reference_root(&map), "seed {seed}");
            assert!(state.iter().eq(map.iter().map(|(key, value)| (&key[..], &value[..]))));
            let key = random.key(9);
            assert_eq!(state.get(&key).as_ref(), map.get(&key));
            let next = map.keys().find(|next| **next > key);
            assert_eq!(state.next_key(&key).as_ref(), next);
        }
    }
}

#[test]
#[should_panic(expected = "an update belongs to the state it was computed on")]
fn an_update_of_another_state_is_refused() {
    let (mut state, changes) = (MemoryState::new(), ChangeSet::from([(vec![1], Some(vec![2]))]));
    let update = state.update_trie(&changes);
    state.commit(&ChangeSet::from([(vec![3], Some(vec![4]))]));
    state.apply(&changes, update);
}

/// Every way to change one part of a proof.
fn tampered(proof: &StateProof) -> Vec<StateProof> {
    let mut all = Vec::new();
    for index in 0..proof.siblings.len() {
        let mut other = proof.clone();
        other.siblings[index].0[31] ^= 1;
        all.push(other);
    }
    let mut shorter = proof.clone();
    if shorter.siblings.pop().is_some() {
        all.push(shorter);
    }
    let mut longer = proof.clone();
    longer.siblings.push(Hash::ZERO);
    all.push(longer);
    match proof.leaf {
        Some(_) => {
            let mut other = proof.clone();
            other.leaf.as_mut().unwrap().value_hash.0[0] ^= 1;
            all.push(other);
            let mut other = proof.clone();
            other.leaf.as_mut().unwrap().key_path.0[31] ^= 1;
            all.push(other);
            all.push(StateProof { leaf: None, siblings: proof.siblings.clone() });
        }
        None => all.push(StateProof {
            leaf: Some(runtime_state::ProvenLeaf { key_path: Hash([1; 32]), value_hash: Hash([1; 32]) }),
            siblings: proof.siblings.clone(),
        }),
    }
    all
}

#[test]
fn proofs_show_values_and_absence_and_nothing_else() {
    for size in [0, 1, 2, 30, 3000_u32] {
        let key = |number: u32| number.to_be_bytes().to_vec();
        let map: Map = (0..size).map(|number| (key(number), key(number * 7))).collect();
        let mut state = MemoryState::new();
        let root = state.commit(&map.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect());
        for number in [0, 1, size / 2, size.saturating_sub(1), size, size + 1, u32::MAX] {
            let key = key(number);
            let value = map.get(&key).map(|value| blake2_256(value));
            let proof = state.prove(&key);
            assert_eq!(verify_proof(&root, &key, &proof), Ok(value), "{number} of {size}");
            assert_eq!(StateProof::decode(&mut &proof.encode()[..]), Ok(proof.clone()));
            for other in tampered(&proof) {
                assert_eq!(
                    verify_proof(&root, &key, &other),
                    Err(StateError::RootMismatch),
                    "{number} of {size}"
                );
            }
            let other_root = Hash([0x55; 32]);
            assert_eq!(verify_proof(&other_root, &key, &proof), Err(StateError::RootMismatch));
        }
        let long = StateProof { leaf: None, siblings: vec![Hash::ZERO; 257] };
        assert_eq!(verify_proof(&root, b"", &long), Err(StateError::TooManySiblings(257)));
    }
}
