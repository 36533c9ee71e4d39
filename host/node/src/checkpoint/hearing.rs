//! What a keeper makes of what peers say.
//!
//! The rule: it is bounded before it is believed. A word for a block that is not executed here waits, a few of each validator
//! of the epochs that are decided; one for a certified block is answered with the certificate, so many between two looks at the chain; and whoever
//! contradicts what this node computed is named once for each height, a few times in all.

use super::certificate::{CERTIFICATE_BYTES_MAX, set_hash};
use super::keeper::{EARLY_BLOCKS, EARLY_MAX, EARLY_OF_SIGNER_MAX, KeeperError, Open, is_member};
use super::word::{Unheard, Word};
use super::{Certificate, Checkpoint, CheckpointError, Keeper, SetMember, SignedCheckpoint, is_checkpoint};
use crate::node::Alarm;
use parity_scale_codec::{DecodeAll, Encode};
use runtime_primitives::Hash;
use std::collections::BTreeMap;

/// Certificates told between two looks at the chain: all peers hear each.
const ANSWERS_MAX: usize = 64;
/// Certificates told to somebody who wants them from a height on.
const WANTED_MAX: usize = 16;
/// Heights at which a validator is named for what it contradicts; what it says at others is not looked at.
const ACCUSED_MAX: usize = 16;

/// Certificates to be told, by height.
type Answers = BTreeMap<u64, Vec<u8>>;

impl Keeper {
    /// Take in what peers tell; gives answers for them.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub fn hear(&self, words: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, KeeperError> {
        let (mut answers, mut is_further) = (Answers::new(), false);
        for bytes in words {
            let is_short = bytes.len() <= 1 + CERTIFICATE_BYTES_MAX;
            let word = is_short.then(|| Word::decode_all(&mut &bytes[..]).ok()).flatten();
            let heard = match word {
                Some(Word::Signed(signed)) => self.hear_signed(signed, &mut answers)?,
                Some(Word::Certified(certificate)) => {
                    let heard = self.hear_certified(certificate)?;
                    is_further |= heard.is_ok();
                    heard
                }
                Some(Word::Wanted(number)) => self.hear_wanted(number, &mut answers)?,
                None => Err(Unheard::Undecodable),
            };
            if let Err(reason) = heard {
                self.note(reason);
            }
        }
        // Whoever has told these has more.
        let wanted = if is_further { self.locked().wanted() } else { None };
        Ok(answers.into_values().chain(wanted).collect())
    }

    /// Count a signature, keep it for later, or answer with the certificate that makes it needless.
    fn hear_signed(
        &self,
        signed: SignedCheckpoint,
        answers: &mut Answers,
    ) -> Result<Result<(), Unheard>, KeeperError> {
        let number = signed.checkpoint.number;
        let mut open = self.locked();
        if open.pending.contains_key(&number) {
            let counted = self.count(&mut open, signed);
            drop(open);
            self.certify(number)?;
            return Ok(counted);
        }
        if number < open.next {
            return self.hear_late(&mut open, &signed, answers);
        }
        let is_near = number < open.next + EARLY_BLOCKS && is_checkpoint(number, self.epoch_blocks);
        if !is_near {
            return Ok(Err(Unheard::Height));
        }
        Ok(self.hear_early(&mut open, signed))
    }

    /// Keep a signature for a block that is not executed here yet.
    fn hear_early(&self, open: &mut Open, signed: SignedCheckpoint) -> Result<(), Unheard> {
        let place = (signed.checkpoint.number, signed.signer);
        if !open.signers.contains(&signed.signer) {
            return Err(Unheard::Stranger);
        }
        if open.early.contains_key(&place) {
            return Err(Unheard::Known);
        }
        let of_signer = open.early.keys().filter(|(_, signer)| *signer == signed.signer).count();
        if of_signer >= EARLY_OF_SIGNER_MAX || open.early.len() >= EARLY_MAX {
            return Err(Unheard::Crowded);
        }
        if !signed.verify(&self.genesis) {
            return Err(Unheard::Signature);
        }
        open.early.insert(place, signed);
        Ok(())
    }

    /// A signature for a block that is certified here: its signer lacks the certificate, or lies.
    fn hear_late(
        &self,
        open: &mut Open,
        signed: &SignedCheckpoint,
        answers: &mut Answers,
    ) -> Result<Result<(), Unheard>, KeeperError> {
        let number = signed.checkpoint.number;
        let Some(certificate) = self.certificate(number)? else { return Ok(Err(Unheard::Height)) };
        let reason = if signed.checkpoint == certificate.checkpoint {
            Unheard::Certified
        } else if self.set_behind(&certificate)?.is_some_and(|set| is_member(&set, &signed.signer)) {
            self.accuse(open, signed, certificate.checkpoint.header)
        } else {
            Unheard::Stranger
        };
        answer(open, answers, number, certificate);
        Ok(Err(reason))
    }

    /// Who could sign a certificate that is kept here. One that came with a snapshot follows one that names them.
    fn set_behind(&self, certificate: &Certificate) -> Result<Option<Vec<SetMember>>, KeeperError> {
        let Checkpoint { epoch, set, .. } = &certificate.checkpoint;
        if let Some(members) = self.members(set)? {
            return Ok(Some(members));
        }
        let Some(last) = (epoch * self.epoch_blocks).checked_sub(1) else { return Ok(None) };
        let before = self.certificate(last)?.and_then(|before| before.checkpoint.next);
        Ok(before.filter(|members| set_hash(members) == *set))
    }

    fn hear_wanted(&self, number: u64, answers: &mut Answers) -> Result<Result<(), Unheard>, KeeperError> {
        let mut open = self.locked();
        let rows = self.store.after(number.saturating_sub(1), WANTED_MAX)?;
        let certificates = rows.iter().filter_map(|row| Certificate::decode_all(&mut &row[..]).ok());
        for certificate in certificates {
            if !answer(&mut open, answers, certificate.checkpoint.number, certificate) {
                return Ok(Err(Unheard::Crowded));
            }
        }
        Ok(Ok(()))
    }

    fn hear_certified(&self, certificate: Certificate) -> Result<Result<(), Unheard>, KeeperError> {
        let number = certificate.checkpoint.number;
        let waits = || self.locked().pending.contains_key(&number);
        if !waits() {
            return Ok(Err(Unheard::Certified));
        }
        if self.take(certificate)?.is_err() {
            return Ok(Err(Unheard::Signature));
        }
        Ok(if waits() { Err(Unheard::Contradiction) } else { Ok(()) })
    }

    /// Take in a certificate from anybody; gives why it proves nothing. One that nobody waits for is not looked at.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub fn take(&self, certificate: Certificate) -> Result<Result<(), CheckpointError>, KeeperError> {
        let number = certificate.checkpoint.number;
        let mut open = self.locked();
        let Some(pending) = open.pending.get_mut(&number) else { return Ok(Ok(())) };
        if let Err(fault) = certificate.verify(&self.genesis, &pending.set) {
            return Ok(Err(fault));
        }
        if !pending.agrees(&certificate.checkpoint, self.epoch_blocks) {
            let (own, signed) = (pending.checkpoint.header, certificate.checkpoint.header);
            let signers = certificate.signatures.len();
            self.health.raise(Alarm::Certified { number, own, signed, signers });
            return Ok(Ok(()));
        }
        pending.checkpoint = certificate.checkpoint;
        pending.signatures.extend(certificate.signatures);
        drop(open);
        self.certify(number).map(Ok)
    }

    /// Count a signature on a checkpoint that waits.
    pub(super) fn count(&self, open: &mut Open, signed: SignedCheckpoint) -> Result<(), Unheard> {
        let SignedCheckpoint { checkpoint, signer, .. } = &signed;
        let Some(pending) = open.pending.get_mut(&checkpoint.number) else { return Err(Unheard::Height) };
        if pending.signatures.contains_key(signer) {
            return Err(Unheard::Known);
        }
        if !is_member(&pending.set, signer) {
            return Err(Unheard::Stranger);
        }
        if *checkpoint == pending.checkpoint {
            if !signed.verify(&self.genesis) {
                return Err(Unheard::Signature);
            }
            pending.signatures.insert(*signer, signed.signature);
            return Ok(());
        }
        if pending.agrees(checkpoint, self.epoch_blocks) {
            // Only a quorum is believed about what this node does not know.
            return Err(Unheard::Height);
        }
        let own = pending.checkpoint.header;
        Err(self.accuse(open, &signed, own))
    }

    /// Name a validator that has signed something else than this node computed, once for each height.
    fn accuse(&self, open: &mut Open, signed: &SignedCheckpoint, own: Hash) -> Unheard {
        let (number, by) = (signed.checkpoint.number, signed.signer);
        let before = open.accused.get(&by);
        // Before the signature is checked: whoever repeats itself costs no more.
        if before.is_some_and(|heights| heights.contains(&number) || heights.len() >= ACCUSED_MAX) {
            return Unheard::Contradiction;
        }
        if !signed.verify(&self.genesis) {
            return Unheard::Signature;
        }
        open.accused.entry(by).or_default().insert(number);
        self.health.raise(Alarm::Checkpoint { number, own, signed: signed.checkpoint.header, by });
        Unheard::Contradiction
    }
}

/// Have a certificate told; whether there is room for it.
fn answer(open: &mut Open, answers: &mut Answers, number: u64, certificate: Certificate) -> bool {
    if answers.contains_key(&number) {
        return true;
    }
    if open.answered >= ANSWERS_MAX {
        return false;
    }
    open.answered += 1;
    answers.insert(number, Word::Certified(certificate).encode());
    true
}
