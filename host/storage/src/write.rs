//! The transactions: genesis, a block, undoing some blocks.
//!
//! The rule: each function writes all that belongs to its step in one transaction and opens the new head
//! only once that is durable.

use crate::head::{Head, ORIGIN, Origin, TIP, Tip, read_header};
use crate::tables::{ARCHIVE, BLOCKS, FINALITY, HASHES, HEAD, UNDO, archive_key, create_all};
use crate::trie_log::TrieLog;
use crate::undo::UndoRows;
use crate::{Commit, Finality, StoreError, StoreOptions, block_record, chunks, finality, flat, undo};
use redb::{Database, Durability, ReadableDatabase, ReadableTable, WriteTransaction};
use runtime_primitives::{Header, Height, OrderedBlock};
use runtime_state::trie::Trie;
use runtime_state::{ArchiveRow, ChangeSet, TrieUpdate};

/// Undo at most about this many bytes of records in one transaction, to bound memory.
const UNDO_STEP_BYTES: u64 = 32 << 20;

/// A write transaction whose commit can be opened again in no time after a crash.
pub(crate) fn begin(db: &Database) -> Result<WriteTransaction, StoreError> {
    let mut tx = db.begin_write()?;
    tx.set_quick_repair(true);
    Ok(tx)
}

/// A write transaction that readers see at once and a crash may undo, with all after it, up to the last
/// [`flush`].
fn begin_deferred(db: &Database) -> Result<WriteTransaction, StoreError> {
    let mut tx = db.begin_write()?;
    tx.set_durability(Durability::None).expect("only savepoints forbid it, and there are none");
    Ok(tx)
}

/// Make everything committed so far durable.
pub(crate) fn flush(db: &Database, tip: &Tip) -> Result<(), StoreError> {
    let tx = begin(db)?;
    tx.open_table(HEAD)?.insert(TIP, &tip.encode()[..])?;
    tx.commit()?;
    Ok(())
}

/// What can be checked of a block without the one before it.
pub(crate) fn check_parts(commit: &Commit, base: &Trie) -> Result<(), StoreError> {
    let (header, block) = (commit.header.height(), commit.block.height);
    if header != block {
        return Err(StoreError::OtherBlock { header, block });
    }
    if !commit.trie.is_based_on(base) {
        return Err(StoreError::StaleUpdate);
    }
    let (update, changes) = (commit.trie.ops().len(), commit.changes.len());
    if update != changes {
        return Err(StoreError::OtherChanges { update, changes });
    }
    let (header, trie) = (commit.header.state_root, commit.trie.root());
    if header != trie {
        return Err(StoreError::OtherRoot { header, trie });
    }
    Ok(())
}

/// Write the genesis block into an empty database.
pub(crate) fn genesis(db: &Database, options: &StoreOptions, genesis: Commit) -> Result<(), StoreError> {
    if genesis.header.number != 0 {
        let found = genesis.header.height();
        return Err(StoreError::NotNext { found, wanted: Height::from_number(0) });
    }
    check_parts(&genesis, &Trie::empty())?;
    let tx = begin(db)?;
    create_all(&tx)?;
    // There is nothing below a genesis to go back to.
    flat::write(&tx, &genesis.changes, genesis.trie.ops(), &mut UndoRows::default())?;
    write_archive(&tx, &genesis.archive, &mut UndoRows::default())?;
    write_commit(&tx, &genesis)?;
    let trie = write_trie(&tx, &mut TrieLog::new(options.log_bytes), options, genesis.trie)?;
    let (generation, root) = (trie.generation(), trie.root());
    let tip = Tip { height: 0, generation, root, undo_from: 1, undo_bytes: 0 };
    let mut head = tx.open_table(HEAD)?;
    if head.get(ORIGIN)?.is_some() {
        return Err(StoreError::AlreadyExists("this backend".into()));
    }
    head.insert(ORIGIN, &Origin { genesis: genesis.header.hash(), base: None }.encode()[..])?;
    head.insert(TIP, &tip.encode()[..])?;
    drop(head);
    tx.commit()?;
    Ok(())
}

/// Write a checked block that follows `head`; durable at once unless `deferred`.
pub(crate) fn block(
    db: &Database,
    deferred: bool,
    options: &StoreOptions,
    log: &mut TrieLog,
    head: &Head,
    commit: Commit,
) -> Result<Head, StoreError> {
    let tx = if deferred { begin_deferred(db)? } else { begin(db)? };
    let (mut flat_undo, mut archive_undo) = (UndoRows::default(), UndoRows::default());
    flat::write(&tx, &commit.changes, commit.trie.ops(), &mut flat_undo)?;
    write_archive(&tx, &commit.archive, &mut archive_undo)?;
    write_commit(&tx, &commit)?;
    let mut tip = Tip { height: commit.header.number, ..head.tip };
    write_undo(&tx, &undo::encode(&flat_undo, &archive_undo), options, &mut tip)?;
    let trie = write_trie(&tx, log, options, commit.trie)?;
    finish(db, tx, head, tip, commit.header, trie)
}

/// Undo blocks from `head` down towards `to`, as many as one transaction should.
pub(crate) fn undo(
    db: &Database,
    options: &StoreOptions,
    log: &mut TrieLog,
    head: &Head,
    to: Height,
) -> Result<Head, StoreError> {
    let tx = begin(db)?;
    let mut tip = head.tip;
    let (mut flat, mut archive) = (ChangeSet::new(), ChangeSet::new());
    let mut bytes = 0;
    {
        let (mut undo, mut blocks) = (tx.open_table(UNDO)?, tx.open_table(BLOCKS)?);
        let (mut hashes, mut finality) = (tx.open_table(HASHES)?, tx.open_table(FINALITY)?);
        while tip.height > to.number() && bytes < UNDO_STEP_BYTES {
            // An older record knows better what was there before all of them.
            let (older_flat, older_archive) = undo::read(&undo, tip.height)?;
            flat.extend(older_flat);
            archive.extend(older_archive);
            bytes += as_u64(chunks::remove(&mut undo, tip.height)?);
            hashes.remove(&read_header(&head.tx, tip.height)?.hash().0)?;
            chunks::remove(&mut blocks, tip.height)?;
            finality.remove(tip.height)?;
            tip.height -= 1;
        }
    }
    tip.undo_bytes = tip.undo_bytes.saturating_sub(bytes);
    let header = read_header(&head.tx, tip.height)?;
    let update = head.trie.update(head, &flat)?;
    if update.root() != header.state_root {
        return Err(StoreError::OtherRoot { header: header.state_root, trie: update.root() });
    }
    flat::write(&tx, &flat, update.ops(), &mut UndoRows::default())?;
    {
        let mut table = tx.open_table(ARCHIVE)?;
        for (key, old) in &archive {
            match old {
                Some(row) => table.insert(&key[..], &row[..])?,
                None => table.remove(&key[..])?,
            };
        }
    }
    let trie = write_trie(&tx, log, options, update)?;
    finish(db, tx, head, tip, header, trie)
}

/// Write where the chain began, and nothing else.
pub(crate) fn origin(db: &Database, before: &Head, origin: Origin) -> Result<Head, StoreError> {
    let tx = begin(db)?;
    tx.open_table(HEAD)?.insert(ORIGIN, &origin.encode()[..])?;
    tx.commit()?;
    Head::open(db.begin_read()?, origin, before.tip, before.header.clone(), before.trie.clone())
}

/// Write the head row, commit, and open what is then there.
fn finish(
    db: &Database,
    tx: WriteTransaction,
    before: &Head,
    tip: Tip,
    header: Header,
    trie: Trie,
) -> Result<Head, StoreError> {
    let tip = Tip { generation: trie.generation(), root: trie.root(), ..tip };
    tx.open_table(HEAD)?.insert(TIP, &tip.encode()[..])?;
    tx.commit()?;
    Head::open(db.begin_read()?, before.origin, tip, header, trie)
}

/// Write the record of a block, its hash and its finality.
pub(crate) fn write_block(
    tx: &WriteTransaction,
    (header, block): (&Header, &OrderedBlock),
    (body, receipts): (&[Vec<u8>], &[u8]),
    proven: Option<&Finality>,
) -> Result<(), StoreError> {
    let record = block_record::encode(header, block, body, receipts);
    chunks::write(&mut tx.open_table(BLOCKS)?, header.number, &record)?;
    tx.open_table(HASHES)?.insert(&header.hash().0, header.number)?;
    if let Some(proven) = proven {
        finality::write(tx, header.number, &block.payload_hash(), proven)?;
    }
    Ok(())
}

/// [`write_block`] of a commit.
pub(crate) fn write_commit(tx: &WriteTransaction, commit: &Commit) -> Result<(), StoreError> {
    let Commit { header, block, body, receipts, finality, .. } = commit;
    write_block(tx, (header, block), (body, receipts), finality.as_ref())
}

fn write_archive(tx: &WriteTransaction, rows: &[ArchiveRow], undo: &mut UndoRows) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut table = tx.open_table(ARCHIVE)?;
    let mut sorted: Vec<&ArchiveRow> = rows.iter().collect();
    sorted.sort_by(|a, b| (a.table, &a.key).cmp(&(b.table, &b.key))); // stable: the later row of two stays
    for twins in sorted.chunk_by(|a, b| (a.table, &a.key) == (b.table, &b.key)) {
        let row = twins.last().expect("a chunk is never empty");
        let key = archive_key(row.table, &row.key);
        let old = table.insert(&key[..], &row.value[..])?;
        undo.push(&key, old.as_ref().map(|old| old.value()));
    }
    Ok(())
}

/// Write the undo record of the block at `tip.height` and drop what leaves the window.
fn write_undo(
    tx: &WriteTransaction,
    record: &[u8],
    options: &StoreOptions,
    tip: &mut Tip,
) -> Result<(), StoreError> {
    let mut table = tx.open_table(UNDO)?;
    chunks::write(&mut table, tip.height, record)?;
    tip.undo_bytes += as_u64(record.len());
    while tip.undo_from < tip.height
        && (tip.undo_from + options.undo_blocks <= tip.height || tip.undo_bytes > options.undo_bytes)
    {
        tip.undo_bytes = tip.undo_bytes.saturating_sub(as_u64(chunks::remove(&mut table, tip.undo_from)?));
        tip.undo_from += 1;
    }
    Ok(())
}

/// Write what the update changed, and bound what stays in memory.
pub(crate) fn write_trie(
    tx: &WriteTransaction,
    log: &mut TrieLog,
    options: &StoreOptions,
    update: TrieUpdate,
) -> Result<Trie, StoreError> {
    let changed = update.pages().to_vec();
    let trie = update.into_trie();
    // A page leaves memory only once its row is up to date.
    let full = trie.resident_bytes() > options.trie_bytes;
    log.write(tx, &trie, &changed, full)?;
    Ok(if full { trie.shrink(options.trie_bytes / 2) } else { trie })
}

fn as_u64(len: usize) -> u64 {
    u64::try_from(len).expect("a length fits 64 bits")
}
