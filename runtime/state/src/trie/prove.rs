//! Path proofs: the siblings from the root down to where a key is or would be.

use super::hasher::kind;
use super::page::{BOTTOM, Child, Leaf, pair_below};
use super::path::{child_id, child_of, goes_right, split};
use super::update::{hash_missing, sub_root};
use super::{Source, Trie};
use crate::{ProvenLeaf, StateProof};
use alloc::sync::Arc;
use alloc::vec::Vec;
use nomt_core::page::DEPTH;
use nomt_core::page_id::ROOT_PAGE_ID;
use nomt_core::trie::{KeyPath, NodeKind, TERMINATOR};
use runtime_primitives::Hash;

impl Trie {
    /// A proof for `path`, of inclusion or of absence.
    ///
    /// # Errors
    /// What `source` gives.
    pub fn prove<S: Source>(&self, source: &S, path: &KeyPath) -> Result<StateProof, S::Error> {
        let mut siblings = Vec::new();
        let (mut page, mut id, mut node) = (self.top.clone(), ROOT_PAGE_ID, self.root);
        let (mut left, mut depth) = (0, 0);
        let mut bucket = None;
        while kind(&node) == NodeKind::Internal {
            if depth > 0 && depth % DEPTH == 0 {
                let child = child_of(path, depth - DEPTH);
                let below = page.child(child).clone();
                if let Child::Bucket(found) = &below {
                    bucket = Some(found.clone());
                }
                if !page.is_stored(child) {
                    break;
                }
                id = child_id(&id, child);
                page = match below {
                    Child::Page(page) => page,
                    _ => Arc::new(source.page(&id)?),
                };
                left = 0;
            }
            let slot = left + usize::from(goes_right(path, depth));
            siblings.push(Hash(page.nodes[slot ^ 1]));
            node = page.nodes[slot];
            if slot < BOTTOM {
                left = pair_below(slot);
            }
            depth += 1;
        }
        if kind(&node) == NodeKind::Terminator {
            return Ok(StateProof { leaf: None, siblings });
        }
        // A leaf, or an elided sub-trie: walk down among the leaves themselves.
        let leaves = match bucket {
            Some(bucket) => bucket.leaves.clone(),
            None => {
                let leaves = source.leaves(path, depth, &[])?.into_iter();
                leaves.map(|(path, value)| Leaf { path, value, node: TERMINATOR }).collect()
            }
        };
        let leaf = descend(leaves, path, depth, &mut siblings);
        Ok(StateProof { leaf, siblings })
    }
}

fn descend(
    mut leaves: Vec<Leaf>,
    path: &KeyPath,
    mut depth: usize,
    siblings: &mut Vec<Hash>,
) -> Option<ProvenLeaf> {
    hash_missing(&mut leaves);
    let mut leaves = &leaves[..];
    while leaves.len() > 1 {
        let (left, right) = split(leaves, depth, |leaf| &leaf.path);
        let (own, other) = if goes_right(path, depth) { (right, left) } else { (left, right) };
        depth += 1;
        siblings.push(Hash(sub_root(other, depth)));
        leaves = own;
    }
    let leaf = leaves.first()?;
    Some(ProvenLeaf { key_path: Hash(leaf.path), value_hash: Hash(leaf.value) })
}
