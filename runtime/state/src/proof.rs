//! Proofs that a key has a value, or none, under a root; checked with `nomt-core`.
//!
//! ```text
//! SCALE: Option<key_path 32, value_hash 32> | Vec<sibling 32>, from the root down
//! ```
//! The rule: a proof says nothing until it was checked against a root that is trusted, with the key
//! that was asked for.

use crate::StateError;
use crate::trie::{Hasher, key_path};
use alloc::vec::Vec;
use nomt_core::proof::{PathProof, PathProofTerminal};
use nomt_core::trie::LeafData;
use nomt_core::trie_pos::TriePosition;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::Hash;

/// The path of a key from the root to a leaf or to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StateProof {
    /// The leaf at the end of the path: the key's own, or one whose presence there shows that the
    /// key has none. `None`: the path ends in nothing.
    pub leaf: Option<ProvenLeaf>,
    /// The other child of each node on the path, from the root down; at most 256.
    pub siblings: Vec<Hash>,
}

/// What a leaf of the trie commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProvenLeaf {
    /// blake2-256 of the storage key.
    pub key_path: Hash,
    /// blake2-256 of the value.
    pub value_hash: Hash,
}

/// What `proof` shows of `key` under `root`: the blake2-256 of its value, or `None` if it has no
/// value.
///
/// # Errors
/// If the proof does not lead from `key` to `root`.
pub fn verify_proof(root: &Hash, key: &[u8], proof: &StateProof) -> Result<Option<Hash>, StateError> {
    if proof.siblings.len() > 256 {
        return Err(StateError::TooManySiblings(proof.siblings.len()));
    }
    let path = key_path(key);
    let terminal = match &proof.leaf {
        Some(leaf) => {
            PathProofTerminal::Leaf(LeafData { key_path: leaf.key_path.0, value_hash: leaf.value_hash.0 })
        }
        // The position is not part of what is hashed; the path comes from the key.
        None => PathProofTerminal::Terminator(TriePosition::new()),
    };
    let siblings = proof.siblings.iter().map(|sibling| sibling.0).collect();
    let verified = PathProof { terminal, siblings }
        .verify::<Hasher>(TriePosition::from_path_and_depth(path, 256).path(), root.0)
        .map_err(|_| StateError::RootMismatch)?;
    let absent = verified.confirm_nonexistence(&path).map_err(|_| StateError::RootMismatch)?;
    match &proof.leaf {
        Some(leaf) if !absent => Ok(Some(leaf.value_hash)),
        _ => Ok(None),
    }
}
