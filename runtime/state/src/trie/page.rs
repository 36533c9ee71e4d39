//! A page in memory: 126 nodes of a sub-trie six levels deep, with the pages and buckets below it.
//!
//! ```text
//! slots   0 1 | 2..6 | 6..14 | 14..30 | 30..62 | 62..126     levels 1 to 6 below the page's root
//! the pair below slot s stands in 2s+2 and 2s+3; below slot 62+c hangs child page c or bucket c
//! ```
//! The rule: a page is never changed once shared. An update clones what it changes, so the trie
//! before the update stays whole for whoever still reads it.

use super::hasher::{hash_internal, kind};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::size_of;
use nomt_core::page::NODES_PER_PAGE;
use nomt_core::page_id::NUM_CHILDREN;
use nomt_core::trie::{KeyPath, Node, NodeKind, TERMINATOR, ValueHash};

/// First slot of the bottom level.
pub(super) const BOTTOM: usize = NODES_PER_PAGE - NUM_CHILDREN;

/// A sub-trie at a page boundary with at most this many leaves gets no page: it is rebuilt from
/// the rows it stands for. Just above `ELIDED_LEAVES_MAX * 64^k` keys nearly every write has a page of
/// its own, so a larger number moves that step out, at the price of longer rebuilds.
pub(super) const ELIDED_LEAVES_MAX: usize = 20;

const _: () = assert!(BOTTOM == 62 && NUM_CHILDREN == u64::BITS as usize);

/// A page of the trie.
#[derive(Clone)]
pub struct Page {
    /// Boxed to keep the stack frames of the recursion over 256 levels small.
    pub(super) nodes: Box<[Node; NODES_PER_PAGE]>,
    /// Bit `c` is set when child `c` has a page. An internal node of the bottom level without it is
    /// elided.
    pub(super) stored: u64,
    /// What is in memory below the bottom level: empty or one entry a child.
    children: Vec<Child>,
    /// Generation of the trie that last updated or loaded this page.
    pub(super) used: u64,
}

/// What hangs below a bottom slot, as far as it is in memory.
#[derive(Clone, Default)]
pub(super) enum Child {
    /// Nothing there, or not in memory.
    #[default]
    Absent,
    /// A page; its bit in `stored` is set.
    Page(Arc<Page>),
    /// The leaves of an elided sub-trie; its bit in `stored` is clear.
    Bucket(Arc<Bucket>),
}

/// The leaves of an elided sub-trie, kept because a key written once is soon written again.
pub(super) struct Bucket {
    pub(super) leaves: Vec<Leaf>,
    pub(super) used: u64,
}

/// A leaf with its node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Leaf {
    pub(super) path: KeyPath,
    pub(super) value: ValueHash,
    pub(super) node: Node,
}

impl Bucket {
    /// Bytes in memory, roughly.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.leaves.len() * size_of::<Leaf>()
    }
}

impl Page {
    /// Bytes of a page in memory with its table of children, roughly.
    pub(super) const BYTES: usize =
        size_of::<Self>() + NODES_PER_PAGE * size_of::<Node>() + NUM_CHILDREN * size_of::<Child>();

    /// A page without nodes.
    pub(super) fn empty(used: u64) -> Self {
        Self { nodes: Box::new([TERMINATOR; NODES_PER_PAGE]), stored: 0, children: Vec::new(), used }
    }

    pub(super) fn is_stored(&self, child: usize) -> bool {
        self.stored >> child & 1 == 1
    }

    pub(super) fn child(&self, child: usize) -> &Child {
        self.children.get(child).unwrap_or(&Child::Absent)
    }

    pub(super) fn children(&self) -> &[Child] {
        &self.children
    }

    /// Put what hangs below bottom slot `child`; gives the change in bytes held.
    pub(super) fn set_child(&mut self, child: usize, below: Child) -> (usize, usize) {
        match below {
            Child::Page(_) => self.stored |= 1 << child,
            _ => self.stored &= !(1 << child),
        }
        if self.children.is_empty() {
            if matches!(below, Child::Absent) {
                return (0, 0);
            }
            self.children.resize(NUM_CHILDREN, Child::Absent);
        }
        let added = below.bytes();
        let removed = core::mem::replace(&mut self.children[child], below).bytes();
        (added, removed)
    }

    /// Drop from memory what is below bottom slot `child`; the trie stays as it is.
    pub(super) fn forget_child(&mut self, child: usize) {
        self.children[child] = Child::Absent;
    }

    /// Replace the page below bottom slot `child` by the same page holding less below itself.
    pub(super) fn lighten_child(&mut self, child: usize, page: Arc<Page>) {
        self.children[child] = Child::Page(page);
    }

    /// Whether [`Page::derive`] gives the node of `slot`, so that no row need hold it.
    pub(super) fn is_derivable(&self, slot: usize) -> bool {
        slot < BOTTOM && kind(&self.nodes[slot]) == NodeKind::Internal
    }

    /// Hash the internal nodes above the bottom level from the nodes below them.
    pub fn derive(&mut self) {
        for slot in (0..BOTTOM).rev() {
            let (left, right) = (self.nodes[pair_below(slot)], self.nodes[pair_below(slot) + 1]);
            if left != TERMINATOR || right != TERMINATOR {
                self.nodes[slot] = hash_internal(left, right);
            }
        }
    }

    /// Whether the nodes of this derived page are those below `root`.
    pub(super) fn hangs_below(&self, root: &Node) -> bool {
        match kind(root) {
            NodeKind::Internal => hash_internal(self.nodes[0], self.nodes[1]) == *root,
            _ => self.nodes[..2] == [TERMINATOR; 2],
        }
    }

    /// The slots whose nodes differ from those of `other`, as a bitmap.
    pub(super) fn differing(&self, other: &Self) -> u128 {
        let pairs = self.nodes.iter().zip(other.nodes.iter()).enumerate();
        pairs.filter(|(_, (mine, theirs))| mine != theirs).fold(0, |slots, (slot, _)| slots | 1 << slot)
    }
}

impl Child {
    fn bytes(&self) -> usize {
        match self {
            Self::Absent => 0,
            Self::Page(_) => Page::BYTES,
            Self::Bucket(bucket) => bucket.bytes(),
        }
    }
}

/// The left slot of the pair below a slot above the bottom level.
pub(super) const fn pair_below(slot: usize) -> usize {
    2 * slot + 2
}
