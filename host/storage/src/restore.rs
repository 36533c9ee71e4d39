//! A store made from a snapshot: the state comes in pieces, and what it must come to is checked at the end.
//!
//! The rule: no file is a store before all of it is there and hashes to what the last header says. Until then it has another
//! name and no head.

use crate::base::{Base, first_header};
use crate::head::{Head, ORIGIN, Origin, TIP, Tip};
use crate::store::{builder, publish, unfinished};
use crate::tables::{BLOCKS, HASHES, HEAD, create_all};
use crate::trie_log::TrieLog;
use crate::undo::UndoRows;
use crate::{Commit, Finality, Snapshot, Store, StoreError, StoreOptions, block_record, chunks, flat, write};
use redb::{Database, ReadableDatabase, ReadableTable, StorageBackend};
use runtime_primitives::{Digest, Hash, Header, Height, OrderedBlock, Timestamp};
use runtime_state::trie::Trie;
use runtime_state::{ChangeSet, State};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a chain begins with besides a state.
#[derive(Clone)]
pub struct Beginning {
    /// Its genesis, of which only the block is kept.
    pub genesis: Commit,
    /// Headers up to the block that left the state, ascending without a gap, from `EXECUTED_LAG_MAX` below it on.
    pub headers: Vec<Header>,
    /// What was ordered at its height.
    pub block: OrderedBlock,
    /// The engine's certificate for it.
    pub finality: Finality,
    /// The engine's digest of the block before it.
    pub parent: Hash,
    /// The time now.
    pub made_at: Timestamp,
}

/// A store in the making.
pub struct Restore {
    db: Database,
    options: StoreOptions,
    log: TrieLog,
    head: Arc<Head>,
    /// Where it is, and where it is to be.
    paths: Option<(PathBuf, PathBuf)>,
}

impl Restore {
    /// Begin a store at `path`. It is there once [`Restore::finish`] has returned, and not before.
    ///
    /// # Errors
    /// If there is something at `path`, or the disk fails.
    pub fn at(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        if Store::exists(path) {
            return Err(StoreError::AlreadyExists(path.to_owned()));
        }
        let unfinished = unfinished(path)?;
        let db = builder(&options).create(&unfinished)?;
        Self::begin(db, options, Some((unfinished, path.to_owned())))
    }

    /// Begin a store on any backend, such as one that fails on purpose.
    ///
    /// # Errors
    /// If the backend fails.
    pub fn on_backend(backend: impl StorageBackend, options: StoreOptions) -> Result<Self, StoreError> {
        Self::begin(builder(&options).create_with_backend(backend)?, options, None)
    }

    fn begin(
        db: Database,
        options: StoreOptions,
        paths: Option<(PathBuf, PathBuf)>,
    ) -> Result<Self, StoreError> {
        let tx = write::begin(&db)?;
        create_all(&tx)?;
        tx.commit()?;
        let log = TrieLog::new(options.log_bytes);
        let head = Arc::new(open(&db, Trie::empty())?);
        Ok(Self { db, options, log, head, paths })
    }

    /// Add to the state. Memory is bounded by what is added at once.
    ///
    /// # Errors
    /// If the disk fails: begin again.
    pub fn add(&mut self, rows: &ChangeSet) -> Result<(), StoreError> {
        let update = self.head.trie.update(&*self.head, rows)?;
        let tx = write::begin(&self.db)?;
        flat::write(&tx, rows, update.ops(), &mut UndoRows::default())?;
        let trie = write::write_trie(&tx, &mut self.log, &self.options, update)?;
        tx.commit()?;
        self.head = Arc::new(open(&self.db, trie)?);
        Ok(())
    }

    /// The state so far.
    pub fn state(&self) -> impl State + use<> {
        Snapshot::new(self.head.clone())
    }

    /// Give it up, and leave nothing of it.
    pub fn discard(self) {
        let Self { db, head, paths, .. } = self;
        drop((head, db));
        if let Some((unfinished, _)) = paths {
            // The next one removes what is left.
            let _ = fs::remove_file(unfinished);
        }
    }

    /// Make it a store that begins here.
    ///
    /// # Errors
    /// If the state is not the last header's, the headers do not lead to it, or the disk fails: there is no store then.
    pub fn finish(self, beginning: Beginning) -> Result<Store, StoreError> {
        let Beginning { genesis, headers, block, finality, parent, made_at } = beginning;
        let Some(last) = headers.last() else {
            return Err(StoreError::NotNext { found: Height::ZERO, wanted: block.height });
        };
        self.check(&headers, last, &block)?;
        let tx = write::begin(&self.db)?;
        write::write_commit(&tx, &genesis)?;
        {
            let (mut blocks, mut hashes) = (tx.open_table(BLOCKS)?, tx.open_table(HASHES)?);
            for header in headers.iter().filter(|header| header.number > 0 && header.number < last.number) {
                chunks::write(&mut blocks, header.number, &block_record::encode_header(header))?;
                hashes.insert(&header.hash().0, header.number)?;
            }
        }
        write::write_block(&tx, (last, &block), (&[], &[]), Some(&finality))?;
        let (generation, root) = (self.head.trie.generation(), self.head.trie.root());
        let base = Base { height: last.height(), parent, made_at };
        let origin = Origin { genesis: genesis.header.hash(), base: Some(base) };
        let tip = Tip { height: last.number, generation, root, undo_from: last.number + 1, undo_bytes: 0 };
        {
            let mut head = tx.open_table(HEAD)?;
            if head.get(ORIGIN)?.is_some() {
                return Err(StoreError::AlreadyExists("this backend".into()));
            }
            head.insert(ORIGIN, &origin.encode()[..])?;
            head.insert(TIP, &tip.encode()[..])?;
        }
        tx.commit()?;
        let Self { db, options, head, paths, .. } = self;
        drop(head);
        let Some((unfinished, path)) = paths else { return Store::recover(db, options) };
        drop(db);
        publish(&unfinished, &path)?;
        Store::open_with(&path, options)
    }

    /// Whether `headers` lead without a gap to `last`, which left this state, and `block` is of its height.
    fn check(&self, headers: &[Header], last: &Header, block: &OrderedBlock) -> Result<(), StoreError> {
        if last.height() != block.height {
            return Err(StoreError::OtherBlock { header: last.height(), block: block.height });
        }
        let mut wanted = first_header(last.height());
        let mut parent: Option<Hash> = None;
        for header in headers {
            if header.height() != wanted {
                return Err(StoreError::NotNext { found: header.height(), wanted });
            }
            if let Some(wanted) = parent.filter(|parent| *parent != header.parent_hash) {
                return Err(StoreError::NotChild { found: header.parent_hash, wanted });
            }
            (wanted, parent) = (wanted.next(), Some(header.hash()));
        }
        let (header, trie) = (last.state_root, self.head.trie.root());
        if header != trie {
            return Err(StoreError::OtherRoot { header, trie });
        }
        Ok(())
    }
}

/// What is there of a store without a head: no block, and a state.
fn open(db: &Database, trie: Trie) -> Result<Head, StoreError> {
    let (generation, root) = (trie.generation(), trie.root());
    let header = Header {
        parent_hash: Hash::ZERO,
        number: 0,
        state_root: root,
        extrinsics_root: Hash::ZERO,
        digest: Digest::default(),
    };
    let tip = Tip { height: 0, generation, root, undo_from: 1, undo_bytes: 0 };
    Head::open(db.begin_read()?, Origin { genesis: Hash::ZERO, base: None }, tip, header, trie)
}
