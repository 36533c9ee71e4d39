//! The vote journal: what this node has signed, on disk before it is released, so that a restart cannot sign a
//! claim twice differently.
//!
//! ```text
//! record = length u16 | SCALE (market, slot, stage, round, epoch, result) | first 4 bytes of its blake2-256
//! ```
//! All records have one length. Fewer bytes than that at the end are a torn record, cut off at opening; anything
//! else that does not check is an error, not a guess.

use contract_interface::Claim;
use parity_scale_codec::{DecodeAll, Encode};
use runtime_primitives::{Hash, MarketId, Slot, blake2_256};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a vote is not released.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("vote journal {}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A record could not be written, and nothing is written behind it: opening the journal cuts off what there is of it.
    #[error("vote journal {}: a record is perhaps written in part; nothing is signed until it is opened again: restart the \
             node", path.display())]
    Torn {
        /// Which file.
        path: PathBuf,
    },
    /// The file is damaged before its end.
    #[error("vote journal {} is damaged at byte {at}: move it away only if this key never voted", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where.
        at: usize,
    },
    /// The claim was signed with another result.
    #[error("slot {slot} was signed with result {signed}; {wanted} will not be signed")]
    Conflict {
        /// Slot.
        slot: Slot,
        /// On record.
        signed: Hash,
        /// Asked for now.
        wanted: Hash,
    },
}

/// Identity of a claim: market, slot, stage, round, epoch.
///
/// What the claim was computed from is no part of it. A chain closes the input before it opens the ballot, and a
/// correction gets a round of its own, so one name has one input for ever. Whoever sees another input under a
/// name it has signed looks at another history (a fork, a restored backup): a result that follows from it would
/// be a second, contradicting signature, and with the input in the name it would pass as a new claim.
type Name = (MarketId, Slot, u8, u8, u32);

/// Bytes of a record's fields; none of them varies in length.
const BODY_BYTES: usize = size_of::<MarketId>() + size_of::<Slot>() + 1 + 1 + 4 + size_of::<Hash>();
const LENGTH_BYTES: usize = 2;
const CHECK_BYTES: usize = 4;
const RECORD_BYTES: usize = LENGTH_BYTES + BODY_BYTES + CHECK_BYTES;

const fn name(claim: &Claim) -> Name {
    (claim.market, claim.slot, claim.stage as u8, claim.round, claim.epoch)
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    signed: BTreeMap<Name, Hash>,
    /// A record is perhaps written in part: what follows it would be read as damage.
    is_torn: bool,
}

impl Journal {
    /// Open or create the journal at `path`.
    ///
    /// # Errors
    /// [`JournalError::Io`], [`JournalError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        let is_new = !path.exists();
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(io)?;
        if is_new {
            sync_entry(path).map_err(io)?;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let (signed, whole) = read(path, &bytes)?;
        if whole < bytes.len() {
            file.set_len(whole as u64).and_then(|()| file.sync_data()).map_err(io)?;
        }
        Ok(Self { file, path: path.to_owned(), signed, is_torn: false })
    }

    /// Record that `claim` is about to be signed; returns once it is durable. Recording the same again is free.
    ///
    /// # Errors
    /// [`JournalError::Conflict`]; [`JournalError::Io`], and [`JournalError::Torn`] ever after until it is opened again.
    pub fn record(&mut self, claim: &Claim) -> Result<(), JournalError> {
        let name = name(claim);
        match self.signed.get(&name) {
            Some(signed) if *signed == claim.result_hash => return Ok(()),
            Some(signed) => {
                let (slot, signed, wanted) = (claim.slot, *signed, claim.result_hash);
                return Err(JournalError::Conflict { slot, signed, wanted });
            }
            None => {}
        }
        let body = (name, claim.result_hash).encode();
        let length = u16::try_from(body.len()).expect("a record is short");
        let record = [&length.to_le_bytes()[..], &body, &blake2_256(&body).0[..CHECK_BYTES]].concat();
        debug_assert_eq!(record.len(), RECORD_BYTES);
        if self.is_torn {
            return Err(JournalError::Torn { path: self.path.clone() });
        }
        self.is_torn = true;
        let io = |source| JournalError::Io { path: self.path.clone(), source };
        self.file.write_all(&record).and_then(|()| self.file.sync_data()).map_err(io)?;
        self.is_torn = false;
        self.signed.insert(name, claim.result_hash);
        Ok(())
    }
}

/// Make a new file's entry in its folder durable: a synced file that no folder names is lost all the same.
fn sync_entry(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// All whole records, and where they end.
fn read(path: &Path, bytes: &[u8]) -> Result<(BTreeMap<Name, Hash>, usize), JournalError> {
    let (records, _torn) = bytes.as_chunks::<RECORD_BYTES>();
    let mut signed = BTreeMap::new();
    for (number, record) in records.iter().enumerate() {
        let at = number * RECORD_BYTES;
        let (name, result) =
            fields(record).ok_or_else(|| JournalError::Damaged { path: path.to_owned(), at })?;
        signed.insert(name, result);
    }
    Ok((signed, records.len() * RECORD_BYTES))
}

/// What a record says, if its length and its check are right.
fn fields(record: &[u8; RECORD_BYTES]) -> Option<(Name, Hash)> {
    let (length, rest) = record.split_at(LENGTH_BYTES);
    let (body, check) = rest.split_at(BODY_BYTES);
    let length = usize::from(u16::from_le_bytes(length.try_into().ok()?));
    let is_whole = length == BODY_BYTES && blake2_256(body).0[..CHECK_BYTES] == *check;
    is_whole.then(|| <(Name, Hash)>::decode_all(&mut &body[..]).ok())?
}

const _: () = assert!(BODY_BYTES <= u16::MAX as usize);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use contract_interface::Stage;

    fn claim(slot: u32, result: u8) -> Claim {
        Claim {
            market: MarketId::ZERO,
            slot: Slot::from_number(slot),
            stage: Stage::Authentication,
            round: 0,
            code_hash: Hash::ZERO,
            input_root: Hash::ZERO,
            result_hash: Hash([result; 32]),
            epoch: 0,
            electorate_hash: Hash::ZERO,
        }
    }

    #[test]
    fn a_reopened_journal_signs_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("votes");
        let mut journal = Journal::open(&path).unwrap();
        journal.record(&claim(1, 1)).unwrap();
        journal.record(&claim(2, 1)).unwrap();
        journal.record(&claim(1, 1)).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        // Torn anywhere inside the last record: the first one still binds.
        for cut in whole.len() / 2..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mut journal = Journal::open(&path).unwrap();
            assert!(matches!(journal.record(&claim(1, 2)), Err(JournalError::Conflict { .. })), "{cut}");
            let second = journal.record(&claim(2, 2));
            assert_eq!(second.is_err(), cut == whole.len(), "{cut}");
        }
        assert_eq!(whole.len(), 2 * RECORD_BYTES);
    }

    #[test]
    fn nothing_is_written_behind_a_record_that_may_be_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("votes");
        let mut journal = Journal::open(&path).unwrap();
        journal.record(&claim(1, 1)).unwrap();
        // The disk is full half way through the second record.
        let writable = std::mem::replace(&mut journal.file, File::open(&path).unwrap());
        assert!(matches!(journal.record(&claim(2, 1)), Err(JournalError::Io { .. })));
        journal.file = writable;
        journal.file.write_all(&[0xff; RECORD_BYTES / 2]).unwrap();
        assert!(matches!(journal.record(&claim(3, 1)), Err(JournalError::Torn { .. })));
        assert!(matches!(journal.record(&claim(1, 2)), Err(JournalError::Conflict { .. })));
        journal.record(&claim(1, 1)).unwrap();
        drop(journal);
        let mut journal = Journal::open(&path).unwrap();
        journal.record(&claim(3, 1)).unwrap();
        assert_eq!(Journal::open(&path).unwrap().signed.len(), 2);
    }

    #[test]
    fn damage_is_told_from_a_torn_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("votes");
        let mut journal = Journal::open(&path).unwrap();
        journal.record(&claim(1, 1)).unwrap();
        journal.record(&claim(2, 1)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        // (byte, its new value, the damaged record). A length that reaches beyond the end must not pass for torn.
        let cases = [
            (0, 0xff, 0),
            (1, 0xff, 0),
            (0, 0, 0),
            (5, 0xff, 0),
            (RECORD_BYTES - 1, !whole[RECORD_BYTES - 1], 0),
            (RECORD_BYTES, 0xff, RECORD_BYTES),
            (RECORD_BYTES + 1, 0xff, RECORD_BYTES),
        ];
        for (byte, value, record) in cases {
            let mut damaged = whole.clone();
            damaged[byte] = value;
            std::fs::write(&path, &damaged).unwrap();
            let opened = Journal::open(&path);
            assert!(
                matches!(opened, Err(JournalError::Damaged { at, .. }) if at == record),
                "{byte}: {opened:?}"
            );
            assert_eq!(std::fs::read(&path).unwrap(), damaged, "nothing is cut off a damaged journal");
        }
        // A torn record may hold anything.
        std::fs::write(&path, [&whole[..], &[0xff; RECORD_BYTES - 1]].concat()).unwrap();
        assert_eq!(Journal::open(&path).unwrap().signed.len(), 2);
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }

    #[test]
    fn a_new_journal_needs_a_folder_to_be_synced_in() {
        let folder = tempfile::tempdir().unwrap();
        sync_entry(&folder.path().join("votes")).unwrap();
        sync_entry(Path::new("votes")).unwrap();
        sync_entry(&folder.path().join("missing/votes")).unwrap_err();
    }
}
