//! Layered overlay, change set, trie root and proofs; forbids knowing what a key means.
//!
//! The rule: nothing here reads a disk, a clock or a random number. A store is reached through
//! [`Backend`], [`State`] and [`trie::Source`] alone.
#![no_std]

extern crate alloc;

mod backend;
mod error;
mod memory;
mod overlay;
mod proof;
pub mod trie;

pub use backend::{ArchiveRow, Backend, ChangeSet, State};
pub use error::StateError;
pub use memory::MemoryState;
pub use overlay::Overlay;
pub use proof::{ProvenLeaf, StateProof, verify_proof};
pub use trie::TrieUpdate;
