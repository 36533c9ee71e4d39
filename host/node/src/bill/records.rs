//! Where a bill's records come from: an archive in this process, or a node's over RPC.

use super::BillError;
use host_rpc::RemoteNode;
use host_storage::Snapshot;
use runtime_primitives::{Height, Timestamp};
use runtime_state::ArchiveRow;

/// Rows of a table read at once.
const PAGE: usize = 4_096;

/// An archive to bill from.
pub trait Records {
    /// The next rows of a table after the key `after`; none at its end.
    ///
    /// # Errors
    /// If they cannot be read; so for all.
    fn page(&self, table: u8, after: Option<&[u8]>) -> Result<Vec<ArchiveRow>, BillError>;

    /// One row of a table.
    ///
    /// # Errors
    /// [`BillError`].
    fn row(&self, table: u8, key: &[u8]) -> Result<Option<Vec<u8>>, BillError>;

    /// The first rows of a table whose keys begin so: at least as many as a meter has readings of a slot.
    ///
    /// # Errors
    /// [`BillError`].
    fn rows(&self, table: u8, prefix: &[u8]) -> Result<Vec<ArchiveRow>, BillError>;

    /// Time of a block.
    ///
    /// # Errors
    /// [`BillError`].
    fn time(&self, height: Height) -> Result<Timestamp, BillError>;
}

impl Records for Snapshot {
    fn page(&self, table: u8, after: Option<&[u8]>) -> Result<Vec<ArchiveRow>, BillError> {
        Ok(match after {
            None => self.archive_scan(table, &[], PAGE)?,
            Some(after) => self.archive_scan_after(table, &[], after, PAGE)?,
        })
    }

    fn row(&self, table: u8, key: &[u8]) -> Result<Option<Vec<u8>>, BillError> {
        Ok(self.archive_get(table, key)?)
    }

    fn rows(&self, table: u8, prefix: &[u8]) -> Result<Vec<ArchiveRow>, BillError> {
        Ok(self.archive_scan(table, prefix, PAGE)?)
    }

    fn time(&self, height: Height) -> Result<Timestamp, BillError> {
        let block = self.block(height)?;
        block.map(|block| block.timestamp).ok_or(BillError::Unreadable { what: "block", height })
    }
}

/// A node's archive over RPC.
#[derive(Debug)]
pub struct RemoteRecords<'a>(pub &'a RemoteNode);

impl Records for RemoteRecords<'_> {
    fn page(&self, table: u8, after: Option<&[u8]>) -> Result<Vec<ArchiveRow>, BillError> {
        Ok(self.0.archive_page(table, &[], after)?)
    }

    fn row(&self, table: u8, key: &[u8]) -> Result<Option<Vec<u8>>, BillError> {
        let rows = self.0.archive_page(table, key, None)?;
        Ok(rows.into_iter().find(|row| row.key == key).map(|row| row.value))
    }

    fn rows(&self, table: u8, prefix: &[u8]) -> Result<Vec<ArchiveRow>, BillError> {
        Ok(self.0.archive_page(table, prefix, None)?)
    }

    fn time(&self, height: Height) -> Result<Timestamp, BillError> {
        let unreadable = || BillError::Unreadable { what: "block", height };
        let block = self.0.block_hash(height)?.ok_or_else(unreadable)?;
        self.0.time(block)?.ok_or_else(unreadable)
    }
}
