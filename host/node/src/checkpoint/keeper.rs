//! Signs checkpoints, gathers what others sign, and keeps the certificates.
//!
//! What peers say is bounded before it is believed: a word for a block that is not executed here waits, a few epochs ahead
//! at most, and one for a certified block is answered with the certificate.

#![allow(clippy::cast_possible_truncation, reason = "the codec's derive casts the indices of variants")]

use super::{
    CHECKPOINT_BLOCKS, Certificate, Checkpoint, CheckpointError, SetMember, SignedCheckpoint, is_checkpoint,
    is_last, quorum,
};
use crate::checkpoint::certificate::set_hash;
use crate::keys::Signer;
use crate::node::{Alarm, Chain, Health};
use host_storage::{CertificateStore, Snapshot, StoreError};
use parity_scale_codec::{Decode, DecodeAll, Encode};
use runtime_primitives::crypto::Signature;
use runtime_primitives::{AccountId, Hash, Height};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;
use tracing::{info, warn};

/// The file in a data folder.
pub const FILE_NAME: &str = "checkpoints.redb";
/// Checkpoints that wait for a quorum; no further one is signed before one of them has it.
const PENDING_MAX: usize = 256;
/// Words kept for blocks that are not executed here yet.
const EARLY_MAX: usize = 1_024;
/// How far ahead of this node words are kept, in blocks.
const EARLY_BLOCKS: u64 = 8 * CHECKPOINT_BLOCKS;
/// Checkpoints whose own signatures are told again at a time.
const RETOLD: usize = 16;

/// Why a keeper cannot go on.
#[derive(Debug, Error)]
pub enum KeeperError {
    /// The file failed.
    #[error("checkpoints: {0}")]
    Store(#[from] StoreError),
    /// A header is missing.
    #[error("checkpoints: block {0} has no header")]
    NoHeader(u64),
}

/// What nodes tell one another.
#[derive(Debug, Encode, Decode)]
enum Word {
    /// One validator's signature.
    #[codec(index = 0)]
    Signed(SignedCheckpoint),
    /// A quorum's.
    #[codec(index = 1)]
    Certified(Certificate),
}

/// A node's checkpoints.
pub struct Keeper {
    store: CertificateStore,
    genesis: Hash,
    epoch_blocks: u64,
    sessions: Vec<Signer>,
    health: Arc<Health>,
    open: Mutex<Open>,
}

struct Open {
    /// The lowest height that was not looked at.
    next: u64,
    pending: BTreeMap<u64, Pending>,
    early: BTreeSet<Early>,
}

/// A checkpoint as this node sees it, and who has signed the same.
struct Pending {
    checkpoint: Checkpoint,
    set: Vec<SetMember>,
    signatures: BTreeMap<AccountId, Signature>,
}

/// Height, signer and the encoded word: one of each signer for each height.
type Early = (u64, AccountId, Vec<u8>);

impl Keeper {
    /// Keep the checkpoints of `chain` in `folder`; `sessions` sign.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub fn open(folder: &Path, chain: &Chain, sessions: Vec<Signer>) -> Result<Self, KeeperError> {
        let (genesis, epoch_blocks) = (chain.genesis(), chain.epoch_blocks().get());
        let health = chain.health().clone();
        let store = CertificateStore::open(&folder.join(FILE_NAME))?;
        let next = store.last()?.unwrap_or_default() + 1;
        let open = Open { next, pending: BTreeMap::new(), early: BTreeSet::new() };
        Ok(Self { store, genesis, epoch_blocks, sessions, health, open: Mutex::new(open) })
    }

    fn locked(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sign the checkpoints up to the best block, which is durable; `set_of` tells an epoch's validators. Gives what peers
    /// should hear.
    ///
    /// # Errors
    /// [`KeeperError`]; nothing is released then.
    pub fn advance(
        &self,
        best: &Snapshot,
        set_of: impl Fn(u64) -> Option<Vec<SetMember>>,
    ) -> Result<Vec<Vec<u8>>, KeeperError> {
        let mut open = self.locked();
        let mut words = Vec::new();
        while open.next <= best.height().number() && open.pending.len() < PENDING_MAX {
            let number = open.next;
            if is_checkpoint(number, self.epoch_blocks) {
                let Some(pending) = self.look_at(best, number, &set_of)? else { break };
                words.extend(own_words(&self.sessions, &pending));
                open.pending.insert(number, pending);
                let (from, to) =
                    ((number, AccountId::ZERO, Vec::new()), (number + 1, AccountId::ZERO, Vec::new()));
                let early: Vec<Early> = open.early.range(from..to).cloned().collect();
                for (.., word) in &early {
                    if let Ok(Word::Signed(signed)) = Word::decode_all(&mut &word[..]) {
                        self.count(&mut open, signed);
                    }
                }
                open.early.retain(|(height, ..)| *height > number);
                self.certify(&mut open, number)?;
            }
            open.next += 1;
        }
        Ok(words)
    }

    /// The checkpoint at `number` with this node's own signatures; `None` while its validators are not decided.
    fn look_at(
        &self,
        best: &Snapshot,
        number: u64,
        set_of: impl Fn(u64) -> Option<Vec<SetMember>>,
    ) -> Result<Option<Pending>, KeeperError> {
        let header = best.header(Height::from_number(number))?.ok_or(KeeperError::NoHeader(number))?.hash();
        let epoch = number / self.epoch_blocks;
        let Some(set) = set_of(epoch) else { return Ok(None) };
        let next = if is_last(number, self.epoch_blocks) {
            let Some(next) = set_of(epoch + 1) else { return Ok(None) };
            Some(next)
        } else {
            None
        };
        let checkpoint = Checkpoint { epoch, number, header, set: set_hash(&set), next };
        let message = checkpoint.message(&self.genesis);
        let mut signatures = BTreeMap::new();
        let own = self.sessions.iter().filter(|session| is_member(&set, &session.account()));
        for session in own {
            let signed = Hash(self.store.sign(number, header.0)?);
            if signed == header {
                signatures.insert(session.account(), session.sign(&message));
            } else {
                self.health.raise(Alarm::Checkpoint { number, own: header, signed, by: session.account() });
            }
        }
        Ok(Some(Pending { checkpoint, set, signatures }))
    }

    /// Take in what peers tell; gives answers for them.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub fn hear(&self, words: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, KeeperError> {
        let mut answers = BTreeMap::new();
        for bytes in words {
            match Word::decode_all(&mut &bytes[..]) {
                Ok(Word::Signed(signed)) => {
                    let number = signed.checkpoint.number;
                    if let Some(certificate) = self.hear_signed(signed, bytes)? {
                        answers.insert(number, Word::Certified(certificate).encode());
                    }
                }
                Ok(Word::Certified(certificate)) => self.hear_certified(certificate)?,
                Err(_) => warn!(bytes = bytes.len(), "a peer's word about checkpoints does not decode"),
            }
        }
        Ok(answers.into_values().collect())
    }

    /// Count a signature, keep it for later, or give the certificate that makes it needless.
    fn hear_signed(
        &self,
        signed: SignedCheckpoint,
        bytes: &[u8],
    ) -> Result<Option<Certificate>, KeeperError> {
        let number = signed.checkpoint.number;
        let mut open = self.locked();
        if open.pending.contains_key(&number) {
            self.count(&mut open, signed);
            self.certify(&mut open, number)?;
            return Ok(None);
        }
        if number < open.next {
            return Ok(self.store.at(number)?.and_then(|row| Certificate::decode_all(&mut &row[..]).ok()));
        }
        let is_near = number < open.next + EARLY_BLOCKS && is_checkpoint(number, self.epoch_blocks);
        if is_near && open.early.len() < EARLY_MAX && signed.verify(&self.genesis) {
            let of_signer = (number, signed.signer, Vec::new())..=(number, signed.signer, bytes.to_vec());
            if open.early.range(of_signer).next().is_none() {
                open.early.insert((number, signed.signer, bytes.to_vec()));
            }
        }
        Ok(None)
    }

    fn hear_certified(&self, certificate: Certificate) -> Result<(), KeeperError> {
        if let Err(fault) = self.take(certificate)? {
            warn!(%fault, "a peer's certificate proves nothing");
        }
        Ok(())
    }

    /// Height of the first checkpoint that waits for a quorum.
    pub fn first_pending(&self) -> Option<u64> {
        self.locked().pending.first_key_value().map(|(number, _)| *number)
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
        if certificate.checkpoint != pending.checkpoint {
            let (own, signed) = (pending.checkpoint.header, certificate.checkpoint.header);
            let by = certificate.signatures[0].0;
            self.health.raise(Alarm::Checkpoint { number, own, signed, by });
            return Ok(Ok(()));
        }
        pending.signatures.extend(certificate.signatures);
        self.certify(&mut open, number).map(Ok)
    }

    /// Count a signature on a checkpoint that waits.
    fn count(&self, open: &mut Open, signed: SignedCheckpoint) {
        let SignedCheckpoint { checkpoint, signer, .. } = &signed;
        let Some(pending) = open.pending.get_mut(&checkpoint.number) else { return };
        if pending.signatures.contains_key(signer) || !is_member(&pending.set, signer) {
            return;
        }
        if !signed.verify(&self.genesis) {
            warn!(%signer, number = checkpoint.number, "a checkpoint's signature does not verify");
            return;
        }
        if *checkpoint == pending.checkpoint {
            pending.signatures.insert(*signer, signed.signature);
        } else {
            let (number, own, signed) = (checkpoint.number, pending.checkpoint.header, checkpoint.header);
            self.health.raise(Alarm::Checkpoint { number, own, signed, by: *signer });
        }
    }

    /// Keep the certificate if a quorum has signed.
    fn certify(&self, open: &mut Open, number: u64) -> Result<(), KeeperError> {
        let Some(pending) = open.pending.get(&number) else { return Ok(()) };
        if pending.signatures.len() < quorum(pending.set.len()) {
            return Ok(());
        }
        let signatures = pending.signatures.iter().map(|(signer, signature)| (*signer, *signature)).collect();
        let certificate = Certificate { checkpoint: pending.checkpoint.clone(), signatures };
        self.store.keep(number, &certificate.encode())?;
        info!(number, header = %certificate.checkpoint.header, signatures = certificate.signatures.len(), "checkpoint");
        open.pending.remove(&number);
        Ok(())
    }

    /// This node's signatures on checkpoints that have waited, to be told again.
    pub fn retell(&self) -> Vec<Vec<u8>> {
        let open = self.locked();
        open.pending.values().take(RETOLD).flat_map(|pending| own_words(&self.sessions, pending)).collect()
    }

    /// The first certificates above `height`, ascending: a page of them.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub fn after(&self, height: u64, limit: usize) -> Result<Vec<Vec<u8>>, KeeperError> {
        Ok(self.store.after(height, limit)?)
    }

    /// Height of the last certificate.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub fn last(&self) -> Result<Option<u64>, KeeperError> {
        Ok(self.store.last()?)
    }
}

fn is_member(set: &[SetMember], key: &AccountId) -> bool {
    set.iter().any(|member| member.session_key == *key)
}

fn own_words(sessions: &[Signer], pending: &Pending) -> Vec<Vec<u8>> {
    let own = sessions.iter().filter_map(|session| pending.signatures.get_key_value(&session.account()));
    own.map(|(signer, signature)| {
        let checkpoint = pending.checkpoint.clone();
        Word::Signed(SignedCheckpoint { checkpoint, signer: *signer, signature: *signature }).encode()
    })
    .collect()
}
