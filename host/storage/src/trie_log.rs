//! Trie pages on disk: changes are logged with each block, whole pages are written now and then.
//!
//! ```text
//! deltas (generation, chunk)  page deltas, one after the other (`runtime_state::trie::Delta`)
//! pages  path                 page (`runtime_state::trie::Page`)
//! ```
//! A page that changed since its row was written is *dirty*. The log reaches back to where the oldest
//! dirty page became so; when it grows too long, the oldest dirty pages are written and its end is cut.
//! A delta holds what nodes are, not how they differ, so deltas older than a page's row do no harm when
//! the log is read back: the newer ones follow.
//! The rule: a dirty page is in memory, the log has no gaps, and the row of a page that is gone goes at
//! once, or a page that comes back later would find its old nodes.

use crate::StoreError;
use crate::chunks;
use crate::tables::{DELTAS, PAGES};
use redb::{ReadableTable, Table, WriteTransaction};
use runtime_state::trie::{Delta, Page, PageWrite, Trie};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Dirty pages from which pages are written: they cannot leave memory.
const DIRTY_PAGES: usize = 4096;
/// Pages that one block writes beyond those it changed itself, to spread what a large block left.
const EXTRA_PAGES: usize = 64;

/// What is on disk of the trie and what is behind.
pub(crate) struct TrieLog {
    /// Bytes from which pages are written.
    bytes_max: usize,
    /// Path of each dirty page, and the first generation that its row lacks.
    dirty: BTreeMap<Vec<u8>, u64>,
    /// The same by age.
    queue: BTreeSet<(u64, Vec<u8>)>,
    /// Generation and length of each log, oldest first.
    logs: VecDeque<(u64, usize)>,
    bytes: usize,
}

impl TrieLog {
    /// An empty log over pages that are up to date.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, dirty: BTreeMap::new(), queue: BTreeSet::new(), logs: VecDeque::new(), bytes: 0 }
    }

    /// Write what an update changed, which leads to `trie`. With `settle`, leave no page dirty.
    pub(crate) fn write(
        &mut self,
        tx: &WriteTransaction,
        trie: &Trie,
        changed: &[PageWrite],
        settle: bool,
    ) -> Result<(), StoreError> {
        let generation = trie.generation();
        self.mark(generation, changed);
        let settle = settle || self.dirty.len() > 2 * DIRTY_PAGES;
        if !settle && !changed.is_empty() {
            self.append(tx, generation, changed)?;
        }
        let quota = if settle { usize::MAX } else { changed.len() + EXTRA_PAGES };
        let due = self.take_due(quota, settle);
        write_rows(tx, trie, &due, changed)?;
        self.cut(tx, generation)
    }

    fn mark(&mut self, generation: u64, changed: &[PageWrite]) {
        for write in changed {
            let path = write.id.length_dependent_encoding();
            match (&write.page, self.dirty.get(path)) {
                (Some(_), None) => {
                    self.dirty.insert(path.to_vec(), generation);
                    self.queue.insert((generation, path.to_vec()));
                }
                (None, Some(since)) => {
                    self.queue.remove(&(*since, path.to_vec()));
                    self.dirty.remove(path);
                }
                _ => {}
            }
        }
    }

    fn append(
        &mut self,
        tx: &WriteTransaction,
        generation: u64,
        changed: &[PageWrite],
    ) -> Result<(), StoreError> {
        let mut log = Vec::new();
        changed.iter().for_each(|write| write.encode_delta_to(&mut log));
        chunks::write(&mut tx.open_table(DELTAS)?, generation, &log)?;
        self.logs.push_back((generation, log.len()));
        self.bytes += log.len();
        Ok(())
    }

    /// The dirty pages to write now, oldest first; they count as clean from here on.
    fn take_due(&mut self, quota: usize, all: bool) -> Vec<Vec<u8>> {
        let mut due = Vec::new();
        // What the log would shrink to, if it were cut after each page taken.
        let mut bytes = self.bytes;
        let mut logs = self.logs.iter().peekable();
        while due.len() < quota && (all || bytes > self.bytes_max || self.dirty.len() > DIRTY_PAGES) {
            let Some((since, path)) = self.queue.pop_first() else { break };
            while let Some((_, len)) = logs.next_if(|(generation, _)| *generation < since) {
                bytes -= len;
            }
            self.dirty.remove(&path);
            due.push(path);
        }
        due.sort_unstable(); // rows are written faster in order
        due
    }

    /// Drop the logs that only tell of pages since written.
    fn cut(&mut self, tx: &WriteTransaction, generation: u64) -> Result<(), StoreError> {
        let needed_from = self.queue.first().map_or(generation + 1, |(since, _)| *since);
        if self.logs.front().is_none_or(|(oldest, _)| *oldest >= needed_from) {
            return Ok(());
        }
        let mut table = tx.open_table(DELTAS)?;
        while let Some((oldest, len)) = self.logs.pop_front_if(|(oldest, _)| *oldest < needed_from) {
            chunks::remove(&mut table, oldest)?;
            self.bytes -= len;
        }
        Ok(())
    }
}

/// Write the rows of `due` as `trie` has them, and remove those of pages that are gone.
fn write_rows(
    tx: &WriteTransaction,
    trie: &Trie,
    due: &[Vec<u8>],
    changed: &[PageWrite],
) -> Result<(), StoreError> {
    let gone: Vec<_> = changed.iter().filter(|write| write.page.is_none()).collect();
    if due.is_empty() && gone.is_empty() {
        return Ok(());
    }
    let mut pages = tx.open_table(PAGES)?;
    for write in gone {
        pages.remove(write.id.length_dependent_encoding())?;
    }
    for path in due {
        let page = trie.resident_page(path).expect("a dirty page is in memory");
        insert_page(&mut pages, path, page)?;
    }
    Ok(())
}

/// Bring the stored pages up to the log and empty it; gives whether there was anything to do.
pub(crate) fn replay(tx: &WriteTransaction) -> Result<bool, StoreError> {
    let mut logs: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for row in tx.open_table(DELTAS)?.iter()? {
        let (key, chunk) = row?;
        logs.entry(key.value().0).or_default().extend_from_slice(chunk.value());
    }
    if logs.is_empty() {
        return Ok(false);
    }
    let mut pages = tx.open_table(PAGES)?;
    let mut fresh = BTreeMap::new();
    for (generation, log) in &logs {
        apply(&pages, &mut fresh, *generation, log)?;
    }
    for (path, page) in fresh {
        if let Some(mut page) = page {
            page.derive();
            insert_page(&mut pages, path, &page)?;
        }
    }
    drop(pages);
    let mut deltas = tx.open_table(DELTAS)?;
    for generation in logs.into_keys() {
        chunks::remove(&mut deltas, generation)?;
    }
    Ok(true)
}

/// Bring pages, by path, forward by one log; `None` where a page is gone.
fn apply<'a>(
    pages: &Table<'_, &'static [u8], &'static [u8]>,
    fresh: &mut BTreeMap<&'a [u8], Option<Page>>,
    generation: u64,
    mut log: &'a [u8],
) -> Result<(), StoreError> {
    let damaged = |error| StoreError::corrupted_record("deltas", generation, error);
    while !log.is_empty() {
        let delta = Delta::decode(&mut log).map_err(damaged)?;
        let page = match fresh.remove(delta.path) {
            Some(known) => known,
            None => pages.get(delta.path)?.map(|row| decode_page(delta.path, row.value())).transpose()?,
        };
        fresh.insert(delta.path, delta.apply(page).map_err(damaged)?);
    }
    Ok(())
}

fn insert_page(
    pages: &mut Table<'_, &'static [u8], &'static [u8]>,
    path: &[u8],
    page: &Page,
) -> Result<(), StoreError> {
    let mut row = Vec::new();
    page.encode_to(&mut row);
    pages.insert(path, &row[..])?;
    Ok(())
}

/// The page in the row of `path`.
pub(crate) fn decode_page(path: &[u8], row: &[u8]) -> Result<Page, StoreError> {
    Page::decode(row).map_err(|error| StoreError::corrupted("pages", path, error))
}
