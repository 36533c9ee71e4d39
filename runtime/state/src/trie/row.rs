//! How pages stand in a store: whole, and as the changes of one update.
//!
//! ```text
//! page   = stored u64 | slots u128 | node 32 for each bit of slots, ascending
//! delta  = n u8 | child u8 × n (the page's path) | 0                      the page is gone
//!        = n u8 | child u8 × n                   | 1 | page               these slots changed
//! ```
//! Integers are little-endian. An internal node above the bottom level is never written: it is the hash
//! of the pair below it. The rule: a page put together from deltas is not whole before
//! [`Page::derive`] has run.

use super::page::Page;
use crate::StateError;
use alloc::vec::Vec;
use nomt_core::page::NODES_PER_PAGE;
use nomt_core::page_id::{MAX_CHILD_INDEX, MAX_PAGE_DEPTH, PageId};
use nomt_core::trie::TERMINATOR;

const GONE: u8 = 0;
const CHANGED: u8 = 1;

impl Page {
    /// Append the whole page to `row`.
    pub fn encode_to(&self, row: &mut Vec<u8>) {
        let present = (0..NODES_PER_PAGE).filter(|&slot| self.nodes[slot] != TERMINATOR);
        self.encode_slots(present.fold(0, |slots, slot| slots | 1 << slot), row);
    }

    /// Read a whole page.
    ///
    /// # Errors
    /// If `row` is not what [`Page::encode_to`] writes.
    pub fn decode(mut row: &[u8]) -> Result<Self, StateError> {
        let mut page = Self::empty(0);
        page.decode_slots(&mut row)?;
        if !row.is_empty() {
            return Err(StateError::RowTooLong(row.len()));
        }
        page.derive();
        Ok(page)
    }

    fn encode_slots(&self, slots: u128, row: &mut Vec<u8>) {
        let written: Vec<usize> =
            (0..NODES_PER_PAGE).filter(|&slot| slots >> slot & 1 == 1 && !self.is_derivable(slot)).collect();
        let bitmap = written.iter().fold(0_u128, |slots, slot| slots | 1 << slot);
        row.extend_from_slice(&self.stored.to_le_bytes());
        row.extend_from_slice(&bitmap.to_le_bytes());
        written.iter().for_each(|&slot| row.extend_from_slice(&self.nodes[slot]));
    }

    fn decode_slots(&mut self, row: &mut &[u8]) -> Result<(), StateError> {
        self.stored = u64::from_le_bytes(take(row)?);
        let slots = u128::from_le_bytes(take(row)?);
        if slots >> NODES_PER_PAGE != 0 {
            return Err(StateError::SlotOutOfPage { slots });
        }
        for slot in (0..NODES_PER_PAGE).filter(|slot| slots >> slot & 1 == 1) {
            self.nodes[slot] = take(row)?;
        }
        Ok(())
    }
}

/// Append the change of page `id` to a log: what it is now, as far as `slots` changed, or that it
/// is gone.
pub(super) fn encode_delta(id: &PageId, page: Option<&Page>, slots: u128, log: &mut Vec<u8>) {
    let path = id.length_dependent_encoding();
    log.push(u8::try_from(path.len()).expect("a path has at most 42 steps"));
    log.extend_from_slice(path);
    match page {
        None => log.push(GONE),
        Some(page) => {
            log.push(CHANGED);
            page.encode_slots(slots, log);
        }
    }
}

/// The change of one page, read from a log.
pub struct Delta<'a> {
    /// The page's path from the root: one number below 64 a step.
    pub path: &'a [u8],
    /// The changed slots, or `None` if the page is gone.
    slots: Option<&'a [u8]>,
}

impl<'a> Delta<'a> {
    /// Take the next delta off `log`.
    ///
    /// # Errors
    /// If `log` does not start with a delta.
    pub fn decode(log: &mut &'a [u8]) -> Result<Self, StateError> {
        let [steps] = take(log)?;
        let steps = usize::from(steps);
        if steps > MAX_PAGE_DEPTH {
            return Err(StateError::PageTooDeep(steps));
        }
        let path = take_slice(log, steps)?;
        if let Some(&step) = path.iter().find(|&&step| step > MAX_CHILD_INDEX) {
            return Err(StateError::NotAChild(step));
        }
        match take(log)? {
            [GONE] => Ok(Self { path, slots: None }),
            [CHANGED] => {
                let mut rest = *log;
                let _stored: [u8; 8] = take(&mut rest)?;
                let count = u128::from_le_bytes(take(&mut rest)?).count_ones() as usize;
                take_slice(&mut rest, 32 * count)?;
                let slots = take_slice(log, log.len() - rest.len())?;
                Ok(Self { path, slots: Some(slots) })
            }
            [tag] => Err(StateError::UnknownTag(tag)),
        }
    }

    /// What the page is after this delta, given what it was before (`None`: not there).
    ///
    /// # Errors
    /// If the delta names a slot outside a page.
    pub fn apply(&self, page: Option<Page>) -> Result<Option<Page>, StateError> {
        let Some(mut slots) = self.slots else { return Ok(None) };
        let mut page = page.unwrap_or_else(|| Page::empty(0));
        page.decode_slots(&mut slots)?;
        Ok(Some(page))
    }
}

fn take<const N: usize>(row: &mut &[u8]) -> Result<[u8; N], StateError> {
    let slice = take_slice(row, N)?;
    Ok(slice.try_into().expect("the slice has this length"))
}

fn take_slice<'a>(row: &mut &'a [u8], wanted: usize) -> Result<&'a [u8], StateError> {
    let (head, rest) =
        row.split_at_checked(wanted).ok_or(StateError::RowTruncated { wanted, left: row.len() })?;
    *row = rest;
    Ok(head)
}
