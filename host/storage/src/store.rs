//! The store: create, open, commit, roll back. The one place that writes.
//!
//! The rule: everything of a block is in one transaction, and nothing in memory changes before that is
//! durable. After a failed write the store refuses all further ones, because only a fresh look at the file
//! can say whether the last one landed.

use crate::base::Base;
use crate::head::{Head, Origin};
use crate::trie_log::{self, TrieLog};
use crate::{Finality, Snapshot, StoreError, StoreOptions, tables, write};
use redb::{Builder, Database, StorageBackend};
use runtime_primitives::{Hash, Header, Height, OrderedBlock, Timestamp};
use runtime_state::{ArchiveRow, ChangeSet, TrieUpdate};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// A block and all that its execution derived.
#[derive(Clone)]
pub struct Commit {
    /// The header that execution derived.
    pub header: Header,
    /// What consensus ordered.
    pub block: OrderedBlock,
    /// The extrinsics that were applied, in order.
    pub body: Vec<Vec<u8>>,
    /// The receipts, encoded by execution.
    pub receipts: Vec<u8>,
    /// What the block writes.
    pub changes: ChangeSet,
    /// The trie after `changes`, computed on the best state.
    pub trie: TrieUpdate,
    /// Rows for the archive. Of two with one key, the later one stays.
    pub archive: Vec<ArchiveRow>,
    /// The engine's certificate, if an engine ordered the block.
    pub finality: Option<Finality>,
}

/// The file of a node.
pub struct Store {
    db: Database,
    options: StoreOptions,
    /// What readers share.
    head: RwLock<Arc<Head>>,
    /// Held while writing.
    writer: Mutex<Writer>,
}

struct Writer {
    log: TrieLog,
    /// A write failed, so the file may be ahead of memory.
    failed: bool,
}

impl Store {
    /// Create a store at `path` with its genesis block. A crash on the way leaves no store there.
    ///
    /// # Errors
    /// If there is something at `path`, the genesis breaks a rule of [`StoreError`], or the disk
    /// fails.
    pub fn create(path: &Path, genesis: Commit) -> Result<Self, StoreError> {
        Self::create_with(path, StoreOptions::default(), genesis)
    }

    /// [`Store::create`] with other bounds.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub fn create_with(path: &Path, options: StoreOptions, genesis: Commit) -> Result<Self, StoreError> {
        if Self::exists(path) {
            return Err(StoreError::AlreadyExists(path.to_owned()));
        }
        let unfinished = unfinished(path)?;
        write::genesis(&builder(&options).create(&unfinished)?, &options, genesis)?;
        publish(&unfinished, path)?;
        Self::open_with(path, options)
    }

    /// Open the store at `path`, as it was after the last whole block.
    ///
    /// # Errors
    /// If there is none, it is of another format or damaged, or another process has it open.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, StoreOptions::default())
    }

    /// [`Store::open`] with other bounds.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        if !Self::exists(path) {
            return Err(StoreError::Missing(path.to_owned()));
        }
        match builder(&options).open(path) {
            Err(redb::DatabaseError::DatabaseAlreadyOpen) => Err(StoreError::InUse(path.to_owned())),
            opened => Self::recover(opened?, options),
        }
    }

    /// Open a store on any backend, such as one that fails on purpose. With `genesis`, create it
    /// there first.
    ///
    /// # Errors
    /// As [`Store::create`] and [`Store::open`].
    pub fn with_backend(
        backend: impl StorageBackend,
        options: StoreOptions,
        genesis: Option<Commit>,
    ) -> Result<Self, StoreError> {
        let db = builder(&options).create_with_backend(backend)?;
        if let Some(genesis) = genesis {
            write::genesis(&db, &options, genesis)?;
        }
        Self::recover(db, options)
    }

    /// Whether there is a store at `path`.
    pub fn exists(path: &Path) -> bool {
        path.exists()
    }

    pub(crate) fn recover(db: Database, options: StoreOptions) -> Result<Self, StoreError> {
        Head::check(&db)?;
        tables::complete(&db)?;
        let tx = write::begin(&db)?;
        if trie_log::replay(&tx)? {
            tx.commit()?;
        } else {
            drop(tx);
        }
        let head = RwLock::new(Arc::new(Head::recover(&db)?));
        let writer = Mutex::new(Writer { log: TrieLog::new(options.log_bytes), failed: false });
        Ok(Self { db, options, head, writer })
    }

    /// Height and header of the best block, and the header's hash.
    pub fn best(&self) -> (Height, Hash, Header) {
        let head = self.head();
        (head.height(), head.hash, head.header.clone())
    }

    /// The best block with its state, for reading.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.head())
    }

    fn head(&self) -> Arc<Head> {
        self.head.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Make a block and all that was derived from it durable, together or not at all.
    ///
    /// # Errors
    /// If the block does not follow the best one or its parts do not belong together: the store goes on
    /// as before. If the write fails: the store must be opened again.
    pub fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.write_block(commit, false)
    }

    /// As [`Store::commit`], but visible to readers before it is durable: a crash before the next
    /// [`Store::flush`] leaves an earlier block, whole. Whoever acknowledges a block to others flushes first.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn commit_deferred(&self, commit: Commit) -> Result<(), StoreError> {
        self.write_block(commit, true)
    }

    /// Note, durably, that what was signed before `time` is not known here; a chain from its genesis on has nothing to note.
    ///
    /// # Errors
    /// If the write fails: the store must be opened again.
    pub fn forget_before(&self, time: Timestamp) -> Result<(), StoreError> {
        let mut writer = self.writer()?;
        let head = self.head();
        let Some(base) = head.origin.base.filter(|base| base.made_at < time) else { return Ok(()) };
        let origin = Origin { base: Some(Base { made_at: time, ..base }), ..head.origin };
        self.write(&mut writer, |_| write::origin(&self.db, &head, origin))
    }

    /// Make every committed block durable. Runs beside readers, before the next commit.
    ///
    /// # Errors
    /// If the write fails: the store must be opened again.
    pub fn flush(&self) -> Result<(), StoreError> {
        let mut writer = self.writer()?;
        writer.failed = true;
        write::flush(&self.db, &self.head().tip)?;
        writer.failed = false;
        Ok(())
    }

    fn write_block(&self, commit: Commit, deferred: bool) -> Result<(), StoreError> {
        let mut writer = self.writer()?;
        let head = self.head();
        let wanted = head.height().next();
        if commit.header.height() != wanted {
            return Err(StoreError::NotNext { found: commit.header.height(), wanted });
        }
        if commit.header.parent_hash != head.hash {
            return Err(StoreError::NotChild { found: commit.header.parent_hash, wanted: head.hash });
        }
        write::check_parts(&commit, &head.trie)?;
        self.write(&mut writer, |log| write::block(&self.db, deferred, &self.options, log, &head, commit))
    }

    /// Undo blocks until `to` is the best one. Long ways are gone in several transactions: a crash
    /// on the way leaves a whole block between.
    ///
    /// # Errors
    /// If `to` is above the best block or the undo records do not reach it: the store goes on as before.
    /// If the write fails: the store must be opened again.
    pub fn rollback(&self, to: Height) -> Result<(), StoreError> {
        let mut writer = self.writer()?;
        self.head().reaches(to)?;
        while self.head().height() > to {
            let head = self.head();
            self.write(&mut writer, |log| write::undo(&self.db, &self.options, log, &head, to))?;
        }
        Ok(())
    }

    fn writer(&self) -> Result<MutexGuard<'_, Writer>, StoreError> {
        match self.writer.lock() {
            Ok(writer) if !writer.failed => Ok(writer),
            _ => Err(StoreError::Poisoned),
        }
    }

    /// Run a write and show readers what it gives.
    fn write(
        &self,
        writer: &mut Writer,
        write: impl FnOnce(&mut TrieLog) -> Result<Head, StoreError>,
    ) -> Result<(), StoreError> {
        writer.failed = true;
        let head = Arc::new(write(&mut writer.log)?);
        *self.head.write().unwrap_or_else(PoisonError::into_inner) = head;
        writer.failed = false;
        Ok(())
    }
}

pub(crate) fn builder(options: &StoreOptions) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    builder
}

/// Where the store at `path` is written until it is whole; what a crash left there is gone.
pub(crate) fn unfinished(path: &Path) -> Result<PathBuf, StoreError> {
    let mut unfinished = path.to_owned().into_os_string();
    unfinished.push(".new");
    let unfinished = PathBuf::from(unfinished);
    if unfinished.exists() {
        fs::remove_file(&unfinished)?;
    }
    Ok(unfinished)
}

/// Give a store that is whole and durable its name.
pub(crate) fn publish(unfinished: &Path, path: &Path) -> Result<(), StoreError> {
    fs::rename(unfinished, path)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}
