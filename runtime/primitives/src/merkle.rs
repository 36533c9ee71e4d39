//! The binary Merkle tree of stage records and blocks.
//!
//! ```text
//! leaf  = blake2_256(0x00 ++ bytes)      node = blake2_256(0x01 ++ left ++ right)
//! an odd last node moves up unchanged    no leaves: 32 zero bytes
//! ```
//! The prefixes keep a node from passing as a leaf.

use crate::Hash;
use alloc::vec::Vec;
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest as _};
use parity_scale_codec::{Decode, Encode};

fn leaf_hash(bytes: &[u8]) -> Hash {
    Hash(Blake2b::<U32>::new().chain_update([0]).chain_update(bytes).finalize().into())
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(Blake2b::<U32>::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// The root over `leaves`, in order.
pub fn merkle_root<L: AsRef<[u8]>>(leaves: impl IntoIterator<Item = L>) -> Hash {
    MerkleTree::new(leaves).root()
}

/// All levels of a tree, so that many proofs cost one construction.
#[derive(Clone, Debug)]
pub struct MerkleTree {
    levels: Vec<Vec<Hash>>,
}

impl MerkleTree {
    /// Hash `leaves`, in order.
    pub fn new<L: AsRef<[u8]>>(leaves: impl IntoIterator<Item = L>) -> Self {
        let mut levels = Vec::new();
        let mut level: Vec<Hash> = leaves.into_iter().map(|leaf| leaf_hash(leaf.as_ref())).collect();
        while level.len() > 1 {
            let up = level
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => node_hash(left, right),
                    _ => pair[0],
                })
                .collect();
            levels.push(core::mem::replace(&mut level, up));
        }
        levels.push(level);
        Self { levels }
    }

    /// The root; zero for no leaves.
    pub fn root(&self) -> Hash {
        self.levels.last().and_then(|top| top.first()).copied().unwrap_or_default()
    }

    /// The path of leaf `index`, or `None` past the end.
    pub fn prove(&self, index: u32) -> Option<MerkleProof> {
        let leaves = u32::try_from(self.levels[0].len()).ok()?;
        if index >= leaves {
            return None;
        }
        let mut at = index as usize;
        let mut siblings = Vec::new();
        for level in &self.levels[..self.levels.len() - 1] {
            siblings.extend(level.get(at ^ 1).copied());
            at /= 2;
        }
        Some(MerkleProof { index, leaves, siblings })
    }
}

/// The path of one leaf to the root.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct MerkleProof {
    /// Position of the leaf.
    pub index: u32,
    /// Number of leaves in the tree.
    pub leaves: u32,
    /// Sibling hashes from the leaf up; a level where the node has no sibling contributes none.
    pub siblings: Vec<Hash>,
}

impl MerkleProof {
    /// Whether `leaf` stands at `index` below `root`.
    pub fn verify(&self, leaf: &[u8], root: &Hash) -> bool {
        if self.index >= self.leaves {
            return false;
        }
        let (mut at, mut width, mut node) = (self.index, self.leaves, leaf_hash(leaf));
        let mut siblings = self.siblings.iter();
        while width > 1 {
            if at ^ 1 < width {
                let Some(sibling) = siblings.next() else { return false };
                node = if at % 2 == 0 { node_hash(&node, sibling) } else { node_hash(sibling, &node) };
            }
            at /= 2;
            width = width.div_ceil(2);
        }
        siblings.next().is_none() && node == *root
    }
}

/// A tree that grows leaf by leaf and keeps only its peaks: the state of a stage that is still open.
///
/// Peak `i` covers the leaves of the `i`-th set bit of `leaves`, highest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct MerkleAccumulator {
    leaves: u32,
    peaks: Vec<Hash>,
}

impl MerkleAccumulator {
    /// Append a leaf and give its index.
    ///
    /// # Panics
    /// After 2³² leaves.
    pub fn push(&mut self, leaf: &[u8]) -> u32 {
        let index = self.leaves;
        let mut node = leaf_hash(leaf);
        for _ in 0..index.trailing_ones() {
            let left = self.peaks.pop().expect("one peak for each set bit of the count");
            node = node_hash(&left, &node);
        }
        self.peaks.push(node);
        self.leaves = index + 1;
        index
    }

    /// Number of leaves so far.
    pub const fn len(&self) -> u32 {
        self.leaves
    }

    /// Whether no leaf was pushed.
    pub const fn is_empty(&self) -> bool {
        self.leaves == 0
    }

    /// The root [`merkle_root`] gives for the same leaves.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().copied();
        let Some(last) = peaks.next() else { return Hash::ZERO };
        peaks.fold(last, |right, left| node_hash(&left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_proves_and_nothing_else_does() {
        for count in 0u32..20 {
            let leaves: Vec<[u8; 4]> = (0..count).map(u32::to_le_bytes).collect();
            let tree = MerkleTree::new(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let index = u32::try_from(index).expect("few leaves");
                let proof = tree.prove(index).expect("in range");
                assert!(proof.verify(leaf, &tree.root()));
                assert!(!proof.verify(b"other", &tree.root()));
                let moved = MerkleProof { index: (index + 1) % count, ..proof.clone() };
                assert!(count == 1 || !moved.verify(leaf, &tree.root()));
                let mut longer = proof;
                longer.siblings.push(Hash::ZERO);
                assert!(!longer.verify(leaf, &tree.root()));
            }
            assert!(tree.prove(count).is_none());
            let mut grown = MerkleAccumulator::default();
            leaves.iter().for_each(|leaf| _ = grown.push(leaf));
            assert_eq!((grown.root(), grown.len()), (tree.root(), count));
        }
        assert_eq!(merkle_root::<&[u8]>([]), Hash::ZERO);
    }
}
