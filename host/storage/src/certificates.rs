//! Checkpoints in a file of their own: what this node signed, what waits for a quorum, and certificates. Losing the file
//! loses no block.

use crate::StoreError;
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition};
use std::path::Path;

/// By height: the header's hash that this node signed.
const SIGNED: TableDefinition<u64, [u8; 32]> = TableDefinition::new("signed");
/// By height: an encoded certificate.
const CERTIFICATES: TableDefinition<u64, &[u8]> = TableDefinition::new("certificates");
/// By height: an encoded checkpoint that this node has looked at and that has no certificate yet.
const WAITING: TableDefinition<u64, &[u8]> = TableDefinition::new("waiting");
/// By hash: an encoded set of validators that checkpoints were looked at with.
const SETS: TableDefinition<[u8; 32], &[u8]> = TableDefinition::new("sets");

/// Certificates read at once, at most.
pub const CERTIFICATES_PER_PAGE_MAX: usize = 64;
/// Bytes of the file kept in memory.
const CACHE_BYTES: usize = 1 << 20;

/// A node's checkpoints, by height.
pub struct CertificateStore {
    db: Database,
}

impl CertificateStore {
    /// Open the file at `path`, or create it.
    ///
    /// # Errors
    /// If the disk fails, the file is damaged, or another process has it open.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let db = match Builder::new().set_cache_size(CACHE_BYTES).create(path) {
            Err(redb::DatabaseError::DatabaseAlreadyOpen) => return Err(StoreError::InUse(path.to_owned())),
            opened => opened?,
        };
        let tx = db.begin_write()?;
        tx.open_table(SIGNED)?;
        tx.open_table(CERTIFICATES)?;
        tx.open_table(WAITING)?;
        tx.open_table(SETS)?;
        tx.commit()?;
        Ok(Self { db })
    }

    /// Note, durably, that this node signs `header` at `height`, unless it has signed there: gives what it signs.
    ///
    /// # Errors
    /// If the disk fails: nothing may be released then.
    pub fn sign(&self, height: u64, header: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let tx = self.db.begin_write()?;
        let before = tx.open_table(SIGNED)?.get(height)?.map(|signed| signed.value());
        if let Some(signed) = before {
            return Ok(signed);
        }
        tx.open_table(SIGNED)?.insert(height, header)?;
        tx.commit()?;
        Ok(header)
    }

    /// Note, durably, that the checkpoint at `height` waits for a certificate of the validators in `set`, which has this hash.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn wait(&self, height: u64, checkpoint: &[u8], set: ([u8; 32], &[u8])) -> Result<(), StoreError> {
        let tx = self.db.begin_write()?;
        tx.open_table(WAITING)?.insert(height, checkpoint)?;
        if tx.open_table(SETS)?.get(set.0)?.is_none() {
            tx.open_table(SETS)?.insert(set.0, set.1)?;
        }
        tx.commit()?;
        Ok(())
    }

    /// The first `limit` checkpoints that wait, ascending by height.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn waiting(&self, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let table = self.db.begin_read()?.open_table(WAITING)?;
        let rows = table.iter()?.take(limit);
        rows.map(|row| row.map(|(height, row)| (height.value(), row.value().to_vec())))
            .map(|row| Ok(row?))
            .collect()
    }

    /// The set of validators with this hash.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn set(&self, hash: [u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.db.begin_read()?.open_table(SETS)?;
        Ok(table.get(hash)?.map(|row| row.value().to_vec()))
    }

    /// Keep a certificate, durably: the checkpoint waits no more. A height has one for ever.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn keep(&self, height: u64, certificate: &[u8]) -> Result<(), StoreError> {
        self.keep_all([(height, certificate.to_vec())])
    }

    /// Keep many, durably and together: their checkpoints wait no more.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn keep_all(&self, certificates: impl IntoIterator<Item = (u64, Vec<u8>)>) -> Result<(), StoreError> {
        let tx = self.db.begin_write()?;
        {
            let (mut table, mut waiting) = (tx.open_table(CERTIFICATES)?, tx.open_table(WAITING)?);
            for (height, certificate) in certificates {
                waiting.remove(height)?;
                if table.get(height)?.is_none() {
                    table.insert(height, &certificate[..])?;
                }
            }
        }
        tx.commit()?;
        Ok(())
    }

    /// The certificate at `height`.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn at(&self, height: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.db.begin_read()?.open_table(CERTIFICATES)?;
        Ok(table.get(height)?.map(|row| row.value().to_vec()))
    }

    /// Whether `height` has a certificate.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn has(&self, height: u64) -> Result<bool, StoreError> {
        let table = self.db.begin_read()?.open_table(CERTIFICATES)?;
        Ok(table.get(height)?.is_some())
    }

    /// The first `limit` certificates above `height`, ascending.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn after(&self, height: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let table = self.db.begin_read()?.open_table(CERTIFICATES)?;
        let rows = table.range(height.saturating_add(1)..)?.take(limit.min(CERTIFICATES_PER_PAGE_MAX));
        rows.map(|row| Ok(row?.1.value().to_vec())).collect()
    }

    /// Height of the highest certificate.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn last(&self) -> Result<Option<u64>, StoreError> {
        let table = self.db.begin_read()?.open_table(CERTIFICATES)?;
        Ok(table.last()?.map(|(height, _)| height.value()))
    }

    /// The highest height that was looked at: it waits, or has a certificate, and so has every checkpoint below.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn seen(&self) -> Result<Option<u64>, StoreError> {
        let table = self.db.begin_read()?.open_table(WAITING)?;
        let waiting = table.last()?.map(|(height, _)| height.value());
        Ok(waiting.max(self.last()?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_height_is_signed_and_certified_once_and_both_survive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.redb");
        let store = CertificateStore::open(&path).unwrap();
        assert!(matches!(CertificateStore::open(&path), Err(StoreError::InUse(_))));
        assert_eq!(store.sign(64, [1; 32]).unwrap(), [1; 32]);
        store.keep(64, b"first").unwrap();
        store.keep(64, b"second").unwrap();
        store.keep(128, b"next").unwrap();
        drop(store);
        let store = CertificateStore::open(&path).unwrap();
        assert_eq!(store.sign(64, [2; 32]).unwrap(), [1; 32], "what was signed stays signed");
        assert_eq!(store.at(64).unwrap().unwrap(), b"first");
        assert_eq!(store.after(0, 9).unwrap(), [&b"first"[..], b"next"]);
        assert_eq!(store.after(64, 9).unwrap(), [b"next"]);
        assert_eq!((store.after(0, 1).unwrap().len(), store.last().unwrap()), (1, Some(128)));
    }

    #[test]
    fn a_checkpoint_waits_until_it_has_a_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.redb");
        let store = CertificateStore::open(&path).unwrap();
        assert_eq!(store.seen().unwrap(), None);
        for height in [64, 128, 192] {
            store.wait(height, &height.to_le_bytes(), ([7; 32], b"set")).unwrap();
        }
        store.keep(128, b"certificate").unwrap();
        drop(store);
        let store = CertificateStore::open(&path).unwrap();
        let row = |height: u64| (height, height.to_le_bytes().to_vec());
        assert_eq!(store.waiting(9).unwrap(), [row(64), row(192)]);
        assert_eq!(store.waiting(1).unwrap(), [row(64)]);
        assert_eq!(
            (store.set([7; 32]).unwrap().unwrap(), store.set([8; 32]).unwrap()),
            (b"set".to_vec(), None)
        );
        assert_eq!((store.seen().unwrap(), store.last().unwrap()), (Some(192), Some(128)));
        store.keep(192, b"certificate").unwrap();
        store.keep(64, b"certificate").unwrap();
        assert_eq!((store.waiting(9).unwrap(), store.seen().unwrap()), (vec![], Some(192)));
    }
}
