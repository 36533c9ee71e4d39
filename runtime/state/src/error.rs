//! What is wrong with bytes that came from outside: rows of a store, proofs of a peer.

use runtime_primitives::Hash;
use thiserror::Error;

/// A row or a proof that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StateError {
    /// A stored trie row ends early.
    #[error("trie row: {wanted} more bytes wanted, {left} left")]
    RowTruncated {
        /// Bytes the layout calls for.
        wanted: usize,
        /// Bytes there are.
        left: usize,
    },
    /// A stored trie row goes on after its end.
    #[error("trie row: {0} bytes too many")]
    RowTooLong(usize),
    /// A trie row names a slot outside its page.
    #[error("trie row: slots {slots:#034x} are outside a page of 126")]
    SlotOutOfPage {
        /// The bitmap of slots.
        slots: u128,
    },
    /// A trie row names a page deeper than the trie.
    #[error("trie row: a page path of {0} steps, at most 42 exist")]
    PageTooDeep(usize),
    /// A step of a page path is not a number below 64.
    #[error("trie row: {0} is not the number of a child page")]
    NotAChild(u8),
    /// A trie row carries a tag that is not defined.
    #[error("trie row: tag {0} is not defined")]
    UnknownTag(u8),
    /// The root page does not hash to the root.
    #[error("trie row: the root page is not that of root {0}")]
    OtherRootPage(Hash),
    /// A proof has more siblings than a key has bits.
    #[error("proof: {0} siblings, at most 256 fit a key")]
    TooManySiblings(usize),
    /// The proof does not lead to the root.
    #[error("proof: does not lead from this key to this root")]
    RootMismatch,
}
