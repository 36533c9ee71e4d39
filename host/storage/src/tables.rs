//! The tables of the file.
//!
//! ```text
//! table    key                              value                                 written
//! flat     storage key                      0 | value, or 1 | blake2-256 | value  each change
//! index    key path 32 = blake2-256(key)    storage key                           insert, delete
//! pages    path in the trie, 1 byte a page  page                                  now and then
//! deltas   (generation, chunk)              page deltas of one update             each block
//! blocks   (height, chunk)                  block record                          each block
//! hashes   header hash 32                   height                                each block
//! undo     (height, chunk)                  undo record                           each block
//! archive  table u8 | key                   row                                   each block
//! finality height                           payload hash, digest, proof           each block that an engine ordered
//! head     0                                format, genesis hash, base            once; with a base twice
//! head     1                                height, generation, root, undo window each block
//! ```
//! Records of more than a page are cut in chunks (`chunks.rs`); what is in a value is drawn in the file
//! that reads and writes it. The rule: a table is ordered by the bytes of its key, and `flat` by the
//! storage key itself, because clients list keys by prefix; `index` exists to find the neighbours of
//! a leaf, which are neighbours by key path.

use crate::StoreError;
use redb::{Database, ReadableDatabase, TableDefinition, TableError, WriteTransaction};

/// A record's number and chunk.
pub(crate) type ChunkKey = (u64, u32);

pub(crate) const FLAT: TableDefinition<&[u8], &[u8]> = TableDefinition::new("flat");
pub(crate) const INDEX: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("index");
pub(crate) const PAGES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("pages");
pub(crate) const DELTAS: TableDefinition<ChunkKey, &[u8]> = TableDefinition::new("deltas");
pub(crate) const BLOCKS: TableDefinition<ChunkKey, &[u8]> = TableDefinition::new("blocks");
pub(crate) const HASHES: TableDefinition<&[u8; 32], u64> = TableDefinition::new("hashes");
pub(crate) const UNDO: TableDefinition<ChunkKey, &[u8]> = TableDefinition::new("undo");
pub(crate) const ARCHIVE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("archive");
pub(crate) const FINALITY: TableDefinition<u64, &[u8]> = TableDefinition::new("finality");
pub(crate) const HEAD: TableDefinition<u8, &[u8]> = TableDefinition::new("head");

/// Create the tables, so that readers find them all.
pub(crate) fn create_all(tx: &WriteTransaction) -> Result<(), StoreError> {
    tx.open_table(FLAT)?;
    tx.open_table(INDEX)?;
    tx.open_table(PAGES)?;
    tx.open_table(DELTAS)?;
    tx.open_table(BLOCKS)?;
    tx.open_table(HASHES)?;
    tx.open_table(UNDO)?;
    tx.open_table(ARCHIVE)?;
    tx.open_table(FINALITY)?;
    tx.open_table(HEAD)?;
    Ok(())
}

/// Create the tables that a file of before does not have.
pub(crate) fn complete(db: &Database) -> Result<(), StoreError> {
    if let Err(TableError::TableDoesNotExist(_)) = db.begin_read()?.open_table(FINALITY) {
        let tx = db.begin_write()?;
        tx.open_table(FINALITY)?;
        tx.commit()?;
    }
    Ok(())
}

/// Key of an archive row.
pub(crate) fn archive_key(table: u8, key: &[u8]) -> Vec<u8> {
    [&[table], key].concat()
}
