//! The vote journal: what this node has signed, on disk before it is released, so that a restart cannot sign a
//! claim twice differently.
//!
//! ```text
//! record = length u16 | SCALE (market, slot, stage, round, epoch, result) | first 4 bytes of its blake2-256
//! ```
//! A torn last record is cut off at opening; anything else that does not check is an error, not a guess.

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
type Name = (MarketId, Slot, u8, u8, u32);

const fn name(claim: &Claim) -> Name {
    (claim.market, claim.slot, claim.stage as u8, claim.round, claim.epoch)
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    signed: BTreeMap<Name, Hash>,
}

impl Journal {
    /// Open or create the journal at `path`.
    ///
    /// # Errors
    /// [`JournalError::Io`], [`JournalError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(io)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let (signed, whole) = read(path, &bytes)?;
        if whole < bytes.len() {
            file.set_len(whole as u64).and_then(|()| file.sync_data()).map_err(io)?;
        }
        Ok(Self { file, path: path.to_owned(), signed })
    }

    /// Record that `claim` is about to be signed; returns once it is durable. Recording the same again is free.
    ///
    /// # Errors
    /// [`JournalError::Conflict`], [`JournalError::Io`].
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
        let record = [&length.to_le_bytes()[..], &body, &blake2_256(&body).0[..4]].concat();
        let io = |source| JournalError::Io { path: self.path.clone(), source };
        self.file.write_all(&record).and_then(|()| self.file.sync_data()).map_err(io)?;
        self.signed.insert(name, claim.result_hash);
        Ok(())
    }
}

/// All whole records, and where they end.
fn read(path: &Path, bytes: &[u8]) -> Result<(BTreeMap<Name, Hash>, usize), JournalError> {
    let mut signed = BTreeMap::new();
    let mut at = 0;
    while let Some((length, rest)) = bytes[at..].split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length));
        let Some(record) = rest.get(..length + 4) else { break };
        let (body, check) = record.split_at(length);
        let fields = <(Name, Hash)>::decode_all(&mut &body[..]).ok();
        let Some((name, result)) = fields.filter(|_| blake2_256(body).0[..4] == *check) else {
            return Err(JournalError::Damaged { path: path.to_owned(), at });
        };
        signed.insert(name, result);
        at += 2 + length + 4;
    }
    Ok((signed, at))
}

const _: () = assert!(size_of::<Name>() < u16::MAX as usize);

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
        let mut damaged = whole;
        damaged[5] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(matches!(Journal::open(&path), Err(JournalError::Damaged { at: 0, .. })));
    }
}
