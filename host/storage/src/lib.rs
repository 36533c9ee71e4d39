//! Tables, drawn: the only crate that names redb; one write path, one transaction a block.
//!
//! The rule: flat state, trie, archive, undo, block, receipts and height land together or not at
//! all, and a reader sees one committed block, whole.

mod base;
mod block_record;
mod certificates;
mod chunks;
mod error;
mod finality;
mod flat;
mod head;
mod options;
mod rehearsal_disk;
mod restore;
mod snapshot;
mod store;
mod tables;
mod trie_log;
mod undo;
mod write;

pub use base::Base;
pub use certificates::{CERTIFICATES_PER_PAGE_MAX, CertificateStore};
pub use error::StoreError;
pub use finality::{Finality, Stretch};
pub use options::StoreOptions;
pub use redb::StorageBackend;
pub use rehearsal_disk::RehearsalDisk;
pub use restore::{Beginning, Restore};
pub use snapshot::{PastState, Snapshot};
pub use store::{Commit, Store};
