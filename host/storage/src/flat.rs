//! Rows of the flat state, and the index that leads from the trie to them.
//!
//! ```text
//! 0 | value                 up to 256 bytes: the hash is made anew when a neighbour needs it
//! 1 | blake2-256 | value    longer ones
//! ```
//! The rule: the index is written only when a key comes or goes; an update of a value leaves it alone.

use crate::StoreError;
use crate::tables::{FLAT, INDEX};
use crate::undo::UndoRows;
use redb::{Table, WriteTransaction};
use runtime_state::ChangeSet;
use runtime_state::trie::{KeyPath, Op, ValueHash};

const SHORT: u8 = 0;
const HASHED: u8 = 1;
const SHORT_BYTES_MAX: usize = 256;

fn encode(value: &[u8], hash: &ValueHash) -> Vec<u8> {
    if value.len() <= SHORT_BYTES_MAX {
        [&[SHORT], value].concat()
    } else {
        [&[HASHED], &hash[..], value].concat()
    }
}

/// The value in the row of `key`.
pub(crate) fn value<'a>(key: &[u8], row: &'a [u8]) -> Result<&'a [u8], StoreError> {
    split(key, row).map(|(_, value)| value)
}

/// The hash, if the row carries it, and the value.
pub(crate) fn split<'a>(key: &[u8], row: &'a [u8]) -> Result<(Option<ValueHash>, &'a [u8]), StoreError> {
    match row.split_first() {
        Some((&SHORT, value)) => Ok((None, value)),
        Some((&HASHED, rest)) => match rest.split_first_chunk() {
            Some((hash, value)) => Ok((Some(*hash), value)),
            None => Err(StoreError::corrupted("flat", key, "ends within the hash")),
        },
        Some((tag, _)) => Err(StoreError::corrupted("flat", key, format!("tag {tag} is not defined"))),
        None => Err(StoreError::corrupted("flat", key, "is empty")),
    }
}

/// Write `changes`, noting in `undo` what was there.
pub(crate) fn write(
    tx: &WriteTransaction,
    changes: &ChangeSet,
    ops: &[Op],
    undo: &mut UndoRows,
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut flat = tx.open_table(FLAT)?;
    let (mut come, mut gone): (Vec<(&KeyPath, &[u8])>, Vec<&KeyPath>) = (Vec::new(), Vec::new());
    for ((key, change), (path, hash)) in changes.iter().zip(ops) {
        let new = change.as_ref().zip(hash.as_ref()).map(|(value, hash)| encode(value, hash));
        let existed = exchange(&mut flat, key, new.as_deref(), undo)?;
        match (existed, new.is_some()) {
            (false, true) => come.push((path, key)),
            (true, false) => gone.push(path),
            _ => {}
        }
    }
    if come.is_empty() && gone.is_empty() {
        return Ok(());
    }
    let mut index = tx.open_table(INDEX)?;
    come.sort_unstable();
    gone.sort_unstable();
    for (path, key) in come {
        index.insert(path, key)?;
    }
    for path in gone {
        index.remove(path)?;
    }
    Ok(())
}

/// Put or remove a row; gives whether there was one.
fn exchange(
    flat: &mut Table<'_, &'static [u8], &'static [u8]>,
    key: &[u8],
    new: Option<&[u8]>,
    undo: &mut UndoRows,
) -> Result<bool, StoreError> {
    let old = match new {
        Some(row) => flat.insert(key, row)?,
        None => flat.remove(key)?,
    };
    match &old {
        Some(row) => undo.push(key, Some(value(key, row.value())?)),
        None => undo.push(key, None),
    }
    Ok(old.is_some())
}
