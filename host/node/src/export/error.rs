//! Why a table cannot be exported.

use crate::bill::BillError;
use host_storage::StoreError;
use runtime_primitives::{MarketId, Slot};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a table cannot be exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A line of a bill cannot be made.
    #[error(transparent)]
    Bill(Box<BillError>),
    /// A file cannot be made.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A row cannot be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
    /// CSV cannot be written.
    #[error("cannot write CSV: {0}")]
    Csv(#[from] csv::Error),
    /// JSON cannot be written.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Parquet cannot be written.
    #[error("cannot write Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// An archive row is not what this program writes.
    #[error("the archive has no readable {what} of slot {slot}, market {market}: it is damaged")]
    Unreadable {
        /// What was looked for.
        what: &'static str,
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
    },
}

impl ExportError {
    /// An error of the system at this path.
    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }
}
