//! The update of the trie: one recursion over the sorted writes, from the root down.
//!
//! The rule: a leaf stands as high as it can. A pair of a leaf and nothing becomes the leaf, one
//! level up, and a page whose root is no internal node is removed.

use super::hasher::{hash_internal, hash_leaves, kind};
use super::page::{BOTTOM, Bucket, Child, ELIDED_LEAVES_MAX, Leaf, Page, pair_below};
use super::path::{child_id, split};
use super::{Op, PageWrite, Source, Trie};
use alloc::sync::Arc;
use alloc::vec::Vec;
use nomt_core::page_id::{PageId, ROOT_PAGE_ID};
use nomt_core::trie::{Node, NodeKind, TERMINATOR};

/// Apply `ops`, sorted by path and unique.
pub(super) fn update<S: Source>(
    trie: &Trie,
    source: &S,
    ops: &[Op],
) -> Result<(Trie, Vec<PageWrite>), S::Error> {
    debug_assert!(ops.is_sorted_by(|a, b| a.0 < b.0), "a key path comes once");
    let generation = trie.generation + 1;
    let mut update = Update { source, generation, resident: trie.resident, pages: Vec::new() };
    let mut top = (*trie.top).clone();
    top.used = generation;
    let root = match kind(&trie.root) {
        NodeKind::Internal => update.pair(&mut top, &ROOT_PAGE_ID, 0, 0, ops)?,
        _ if ops.is_empty() => trie.root,
        old => {
            let leaves = update.merged(old, None, 0, ops)?;
            match leaves.len() {
                0 | 1 => sub_root(&leaves, 0),
                _ => update.place_pair(&mut top, &ROOT_PAGE_ID, 0, 0, &leaves),
            }
        }
    };
    let top = update.changed(ROOT_PAGE_ID, &trie.top, top);
    Ok((Trie { root, top, generation, resident: update.resident }, update.pages))
}

struct Update<'a, S> {
    source: &'a S,
    generation: u64,
    resident: usize,
    pages: Vec<PageWrite>,
}

impl<S: Source> Update<'_, S> {
    /// Update the node in `slot` of `page`, which stands `depth` bits below the root.
    fn node(
        &mut self,
        page: &mut Page,
        id: &PageId,
        slot: usize,
        depth: usize,
        ops: &[Op],
    ) -> Result<Node, S::Error> {
        let old = page.nodes[slot];
        if ops.is_empty() {
            return Ok(old);
        }
        let internal = kind(&old) == NodeKind::Internal;
        page.nodes[slot] = if internal && slot < BOTTOM {
            self.pair(page, id, pair_below(slot), depth, ops)?
        } else if internal && page.is_stored(slot - BOTTOM) {
            self.child_page(page, id, slot - BOTTOM, depth, ops)?
        } else {
            let bucket = match slot.checked_sub(BOTTOM).map(|child| page.child(child)) {
                Some(Child::Bucket(bucket)) => Some(bucket.clone()),
                _ => None,
            };
            let leaves = self.merged(kind(&old), bucket, depth, ops)?;
            self.place(page, id, slot, depth, &leaves)
        };
        Ok(page.nodes[slot])
    }

    /// Update the pair in slots `left` and `left + 1` and give their parent, which stands at
    /// `depth`.
    fn pair(
        &mut self,
        page: &mut Page,
        id: &PageId,
        left: usize,
        depth: usize,
        ops: &[Op],
    ) -> Result<Node, S::Error> {
        let (left_ops, right_ops) = split(ops, depth, |op| &op.0);
        let left_node = self.node(page, id, left, depth + 1, left_ops)?;
        let right_node = self.node(page, id, left + 1, depth + 1, right_ops)?;
        Ok(match (kind(&left_node), kind(&right_node)) {
            (NodeKind::Terminator, NodeKind::Terminator) => TERMINATOR,
            (NodeKind::Leaf, NodeKind::Terminator) => {
                page.nodes[left] = TERMINATOR;
                left_node
            }
            (NodeKind::Terminator, NodeKind::Leaf) => {
                page.nodes[left + 1] = TERMINATOR;
                right_node
            }
            _ => hash_internal(left_node, right_node),
        })
    }

    /// Update stored child page `child` of `page`, whose root stands at `depth`, and give that root.
    fn child_page(
        &mut self,
        page: &mut Page,
        id: &PageId,
        child: usize,
        depth: usize,
        ops: &[Op],
    ) -> Result<Node, S::Error> {
        let id = child_id(id, child);
        let old = match page.child(child) {
            Child::Page(old) => old.clone(),
            _ => Arc::new(self.source.page(&id)?),
        };
        let mut new = (*old).clone();
        new.used = self.generation;
        let node = self.pair(&mut new, &id, 0, depth, ops)?;
        if kind(&node) == NodeKind::Internal {
            let new = self.changed(id, &old, new);
            self.hang(page, child, Child::Page(new));
        } else {
            self.pages.push(PageWrite { id, page: None, changed: 0 });
            self.hang(page, child, Child::Absent);
        }
        Ok(node)
    }

    /// Share a page, noting it for the store if it differs from `old`.
    fn changed(&mut self, id: PageId, old: &Page, new: Page) -> Arc<Page> {
        let changed = new.differing(old);
        let moved = old.stored != new.stored;
        let page = Arc::new(new);
        if changed != 0 || moved {
            self.pages.push(PageWrite { id, page: Some(page.clone()), changed });
        }
        page
    }

    fn hang(&mut self, page: &mut Page, child: usize, below: Child) {
        let (added, removed) = page.set_child(child, below);
        self.resident = (self.resident + added).saturating_sub(removed);
    }

    /// The leaves below a node that is no internal node of a page, after `ops`.
    fn merged(
        &self,
        old: NodeKind,
        bucket: Option<Arc<Bucket>>,
        depth: usize,
        ops: &[Op],
    ) -> Result<Vec<Leaf>, S::Error> {
        let old = match (old, bucket) {
            (NodeKind::Terminator, _) => Vec::new(),
            (_, Some(bucket)) => bucket.leaves.clone(),
            (_, None) => {
                let leaves = self.source.leaves(&ops[0].0, depth, ops)?;
                leaves.into_iter().map(|(path, value)| Leaf { path, value, node: TERMINATOR }).collect()
            }
        };
        let mut leaves = Vec::with_capacity(old.len() + ops.len());
        let mut old = old.into_iter().peekable();
        for &(path, value) in ops {
            while let Some(leaf) = old.next_if(|leaf| leaf.path < path) {
                leaves.push(leaf);
            }
            old.next_if(|leaf| leaf.path == path);
            leaves.extend(value.map(|value| Leaf { path, value, node: TERMINATOR }));
        }
        leaves.extend(old);
        hash_missing(&mut leaves);
        Ok(leaves)
    }

    /// Build the sub-trie of `leaves` in and below `slot`, where only a leaf or a bucket was.
    fn place(&mut self, page: &mut Page, id: &PageId, slot: usize, depth: usize, leaves: &[Leaf]) -> Node {
        let node = if leaves.len() >= 2 && slot < BOTTOM {
            self.place_pair(page, id, pair_below(slot), depth, leaves)
        } else if slot < BOTTOM {
            sub_root(leaves, depth)
        } else {
            self.place_below(page, id, slot - BOTTOM, depth, leaves)
        };
        page.nodes[slot] = node;
        node
    }

    fn place_pair(
        &mut self,
        page: &mut Page,
        id: &PageId,
        left: usize,
        depth: usize,
        leaves: &[Leaf],
    ) -> Node {
        let (left_leaves, right_leaves) = split(leaves, depth, |leaf| &leaf.path);
        let left_node = self.place(page, id, left, depth + 1, left_leaves);
        let right_node = self.place(page, id, left + 1, depth + 1, right_leaves);
        hash_internal(left_node, right_node)
    }

    /// Build the sub-trie of `leaves` below the page: nothing, a bucket or a page.
    fn place_below(
        &mut self,
        page: &mut Page,
        id: &PageId,
        child: usize,
        depth: usize,
        leaves: &[Leaf],
    ) -> Node {
        if leaves.len() <= ELIDED_LEAVES_MAX {
            let below = match leaves.len() {
                0 | 1 => Child::Absent,
                _ => Child::Bucket(Arc::new(Bucket { leaves: leaves.to_vec(), used: self.generation })),
            };
            self.hang(page, child, below);
            return sub_root(leaves, depth);
        }
        let id = child_id(id, child);
        let mut below = Page::empty(self.generation);
        let node = self.place_pair(&mut below, &id, 0, depth, leaves);
        let below = self.changed(id, &Page::empty(self.generation), below);
        self.hang(page, child, Child::Page(below));
        node
    }
}

/// Hash the leaves that have no node yet.
pub(super) fn hash_missing(leaves: &mut [Leaf]) {
    let missing = leaves.iter().filter(|leaf| leaf.node == TERMINATOR);
    let nodes = hash_leaves(&missing.map(|leaf| (leaf.path, leaf.value)).collect::<Vec<_>>());
    let missing = leaves.iter_mut().filter(|leaf| leaf.node == TERMINATOR);
    missing.zip(nodes).for_each(|(leaf, node)| leaf.node = node);
}

/// The root of the sub-trie of `leaves`, all alike in their first `depth` bits.
pub(super) fn sub_root(leaves: &[Leaf], depth: usize) -> Node {
    match leaves {
        [] => TERMINATOR,
        [leaf] => leaf.node,
        _ => {
            let (left, right) = split(leaves, depth, |leaf| &leaf.path);
            hash_internal(sub_root(left, depth + 1), sub_root(right, depth + 1))
        }
    }
}
