//! BLAKE2b-256 for trie nodes and values, one by one and in batches.
//!
//! The rule: every function here gives the bytes that `runtime_primitives::blake2_256` gives; only
//! the speed differs.

use alloc::vec::Vec;
use blake2b_simd::{Params, many};
use nomt_core::hasher::{BinaryHash, BinaryHasher, NodeHasher as _, set_msb};
use nomt_core::trie::{InternalData, KeyPath, Node, NodeKind, ValueHash};

/// The hash function as `nomt-core` wants it.
pub struct Blake2b256;

/// The trie's node and value hasher.
pub type Hasher = BinaryHasher<Blake2b256>;

fn params() -> Params {
    let mut params = Params::new();
    params.hash_length(32);
    params
}

fn digest(hash: &blake2b_simd::Hash) -> [u8; 32] {
    hash.as_bytes().try_into().expect("the parameters ask for 32 bytes")
}

impl BinaryHash for Blake2b256 {
    fn hash(input: &[u8]) -> [u8; 32] {
        digest(&params().hash(input))
    }
}

/// The place of a storage key in the trie.
pub fn key_path(key: &[u8]) -> KeyPath {
    Blake2b256::hash(key)
}

/// The kind of a node, by its first bit.
pub(super) fn kind(node: &Node) -> NodeKind {
    Hasher::node_kind(node)
}

/// The parent of two nodes.
pub(super) fn hash_internal(left: Node, right: Node) -> Node {
    Hasher::hash_internal(&InternalData { left, right })
}

/// Hash `inputs`, several at once where the machine has wide registers.
pub fn hash_batch<'a>(inputs: impl IntoIterator<Item = &'a [u8]>) -> Vec<[u8; 32]> {
    let params = params();
    let mut jobs: Vec<_> = inputs.into_iter().map(|input| many::HashManyJob::new(&params, input)).collect();
    many::hash_many(jobs.iter_mut());
    jobs.iter().map(|job| digest(&job.to_hash())).collect()
}

/// The leaf nodes of `leaves`.
pub(super) fn hash_leaves(leaves: &[(KeyPath, ValueHash)]) -> Vec<Node> {
    let preimages: Vec<[u8; 64]> = leaves
        .iter()
        .map(|(path, value)| {
            let mut preimage = [0; 64];
            preimage[..32].copy_from_slice(path);
            preimage[32..].copy_from_slice(value);
            preimage
        })
        .collect();
    let mut nodes = hash_batch(preimages.iter().map(|preimage| &preimage[..]));
    nodes.iter_mut().for_each(set_msb);
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use nomt_core::trie::LeafData;
    use runtime_primitives::blake2_256;

    #[test]
    fn batches_and_single_hashes_agree_with_the_primitives() {
        let inputs: Vec<Vec<u8>> = (0..40u8).map(|n| vec![n; usize::from(n) * 11]).collect();
        let batch = hash_batch(inputs.iter().map(Vec::as_slice));
        for (input, hash) in inputs.iter().zip(batch) {
            assert_eq!(hash, blake2_256(input).0);
            assert_eq!(hash, key_path(input));
        }
        let leaves: Vec<_> = (0..9u8).map(|n| ([n; 32], [n ^ 0xff; 32])).collect();
        for ((key_path, value_hash), node) in leaves.iter().zip(hash_leaves(&leaves)) {
            let data = LeafData { key_path: *key_path, value_hash: *value_hash };
            assert_eq!(node, Hasher::hash_leaf(&data));
        }
    }
}
