//! Why the store refused or failed.

use runtime_primitives::{Hash, Height};
use std::path::PathBuf;
use thiserror::Error;

/// A commit that breaks a rule, or a file that cannot be trusted.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A store is created once.
    #[error("{0} already exists; open it instead")]
    AlreadyExists(PathBuf),
    /// There is no store to open.
    #[error("{0} does not exist; busbar node --data and busbar demo --data make a folder with a chain")]
    Missing(PathBuf),
    /// One process at a time has a store.
    #[error("{0} is open in another process, such as a running node: stop it first")]
    InUse(PathBuf),
    /// The file is a database without a genesis block.
    #[error("the file holds no genesis block; remove it and create the store again")]
    NoGenesis,
    /// The file was written by another version of this program.
    #[error("the store has format {found}, this program reads formats up to {wanted}")]
    Format {
        /// Format of the file.
        found: u32,
        /// The latest format of this program.
        wanted: u32,
    },
    /// Heights follow each other.
    #[error("block {found} does not follow: {wanted} is next")]
    NotNext {
        /// Height of the refused block.
        found: Height,
        /// One above the best block.
        wanted: Height,
    },
    /// A block builds on the best one.
    #[error("the block names parent {found}, the best block is {wanted}")]
    NotChild {
        /// Parent in the header.
        found: Hash,
        /// Hash of the best header.
        wanted: Hash,
    },
    /// Header and ordered block are of one height.
    #[error("header of height {header} with a block of height {block}")]
    OtherBlock {
        /// Height in the header.
        header: Height,
        /// Height in the ordered block.
        block: Height,
    },
    /// The header carries the root of the update.
    #[error("the header says state root {header}, the trie says {trie}")]
    OtherRoot {
        /// Root in the header.
        header: Hash,
        /// Root of the update.
        trie: Hash,
    },
    /// The trie update was computed on the best state.
    #[error("the trie update was computed on another state than the best")]
    StaleUpdate,
    /// The trie update was computed from the change set it comes with.
    #[error("the trie update covers {update} keys, the change set {changes}")]
    OtherChanges {
        /// Keys in the update.
        update: usize,
        /// Keys in the change set.
        changes: usize,
    },
    /// A rollback leads to a height below the best.
    #[error("height {to} is above the best block {best}")]
    AboveBest {
        /// The height asked for.
        to: Height,
        /// The best block.
        best: Height,
    },
    /// Undo records reach back a bounded way.
    #[error("height {to} is out of reach: undo records reach back to {oldest}")]
    OutOfReach {
        /// The height asked for.
        to: Height,
        /// The lowest height that can be reached.
        oldest: Height,
    },
    /// A chain that began with a snapshot lacks what was before.
    #[error(
        "block {height} is before this node's history, which begins with block {first}: it was started from a state snapshot; \
         ask a node that has the chain from its genesis on"
    )]
    BeforeBase {
        /// The height asked for.
        height: Height,
        /// The first block that was executed here.
        first: Height,
    },
    /// A stored row is not what this program writes.
    #[error("damaged row {row} of table {table}: {reason}")]
    Corrupted {
        /// Name of the table.
        table: &'static str,
        /// The row's key, in hexadecimal or as a number.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An earlier write failed, so memory may not match the file.
    #[error("an earlier write failed; open the store again")]
    Poisoned,
    /// The file cannot be read or written.
    #[error("database: {0}")]
    Database(Box<redb::Error>),
    /// The folder cannot be read or written.
    #[error("file: {0}")]
    File(#[from] std::io::Error),
}

macro_rules! from_database {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        }
    )*};
}

from_database!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError
);

impl StoreError {
    /// Whether the disk has no room for what was to be written.
    pub fn is_without_room(&self) -> bool {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let error = match self {
            Self::File(error) => error,
            Self::Database(error) => match &**error {
                redb::Error::Io(error) => error,
                _ => return false,
            },
            _ => return false,
        };
        matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
    }

    /// A damaged row, named by its key bytes.
    pub(crate) fn corrupted(table: &'static str, key: &[u8], reason: impl ToString) -> Self {
        let row = key.iter().fold(String::from("0x"), |row, byte| row + &format!("{byte:02x}"));
        Self::Corrupted { table, row, reason: reason.to_string() }
    }

    /// A damaged record, named by its number.
    pub(crate) fn corrupted_record(table: &'static str, number: u64, reason: impl ToString) -> Self {
        Self::Corrupted { table, row: number.to_string(), reason: reason.to_string() }
    }
}
