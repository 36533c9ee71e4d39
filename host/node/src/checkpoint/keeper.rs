//! Signs checkpoints, gathers what others sign, and keeps the certificates.
//!
//! The rule: a checkpoint that was looked at waits, on disk, until a quorum has signed it. Without its certificate the chain
//! of validator sets breaks, so none is given up at a restart.

use super::certificate::set_hash;
use super::word::{Unheard, Word};
use super::{
    CHECKPOINT_BLOCKS, Certificate, Checkpoint, SetMember, SignedCheckpoint, is_checkpoint, is_last, quorum,
};
use crate::keys::Signer;
use crate::node::{Alarm, Chain, Health, RuleCounts};
use host_storage::{CertificateStore, Snapshot, StoreError};
use parity_scale_codec::{DecodeAll, Encode};
use runtime_primitives::crypto::Signature;
use runtime_primitives::{AccountId, Hash, Height};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;
use tracing::info;

/// The file in a data folder.
pub const FILE_NAME: &str = "checkpoints.redb";
/// Checkpoints that wait for a quorum; no further one is signed before one of them has it.
const PENDING_MAX: usize = 256;
/// Words kept for blocks that are not executed here yet.
pub(super) const EARLY_MAX: usize = 1_024;
/// How far ahead of this node words are kept, in blocks.
pub(super) const EARLY_BLOCKS: u64 = 8 * CHECKPOINT_BLOCKS;
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

/// A node's checkpoints.
pub struct Keeper {
    pub(super) store: CertificateStore,
    pub(super) genesis: Hash,
    pub(super) epoch_blocks: u64,
    sessions: Vec<Signer>,
    pub(super) health: Arc<Health>,
    pub(super) refused: RuleCounts,
    open: Mutex<Open>,
}

/// What a keeper has in hand.
#[derive(Default)]
pub(super) struct Open {
    /// The lowest height that was not looked at.
    pub next: u64,
    pub pending: BTreeMap<u64, Pending>,
    pub early: BTreeSet<Early>,
    /// Certificates told since the last look at the chain.
    pub answered: usize,
    /// By validator, the heights at which it has contradicted this node: each is an alarm once.
    pub accused: BTreeMap<AccountId, BTreeSet<u64>>,
}

/// A checkpoint as this node sees it, and who has signed the same.
pub(super) struct Pending {
    pub checkpoint: Checkpoint,
    pub set: Vec<SetMember>,
    pub signatures: BTreeMap<AccountId, Signature>,
}

/// Height, signer and the encoded word: one of each signer for each height.
pub(super) type Early = (u64, AccountId, Vec<u8>);

impl Keeper {
    /// Keep the checkpoints of `chain` in `folder`; `sessions` sign. Those before its first block are not looked at.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub fn open(folder: &Path, chain: &Chain, sessions: Vec<Signer>) -> Result<Self, KeeperError> {
        let first = chain.snapshot().base().map_or(Height::ZERO, |base| base.height.next());
        Self::open_from(folder, chain, sessions, first)
    }

    /// The same on a chain that has no blocks below `first`.
    pub(super) fn open_from(
        folder: &Path,
        chain: &Chain,
        sessions: Vec<Signer>,
        first: Height,
    ) -> Result<Self, KeeperError> {
        let (genesis, epoch_blocks) = (chain.genesis(), chain.epoch_blocks().get());
        let store = CertificateStore::open(&folder.join(FILE_NAME))?;
        let (health, refused) = (chain.health().clone(), RuleCounts::default());
        let open = Mutex::default();
        let mut keeper = Self { store, genesis, epoch_blocks, sessions, health, refused, open };
        let resumed = keeper.resume(&chain.snapshot(), first.number())?;
        keeper.open = Mutex::new(resumed);
        Ok(keeper)
    }

    /// What waited when the node stopped, as far as the chain still has it.
    fn resume(&self, best: &Snapshot, first: u64) -> Result<Open, KeeperError> {
        let next = self.store.seen()?.map_or(first, |seen| first.max(seen + 1));
        let mut open = Open { next, ..Open::default() };
        for (number, row) in self.store.waiting(PENDING_MAX)? {
            let checkpoint = Checkpoint::decode_all(&mut &row[..]).ok();
            let set = checkpoint.as_ref().map_or(Ok(None), |checkpoint| self.members(&checkpoint.set))?;
            let header = best.header(Height::from_number(number))?.map(|header| header.hash());
            match checkpoint.zip(set) {
                // The headers below the first block are not here to compare.
                Some((checkpoint, set)) if number < first || header == Some(checkpoint.header) => {
                    let signatures = self.own_signatures(&checkpoint, &set)?;
                    open.pending.insert(number, Pending { checkpoint, set, signatures });
                }
                _ => open.next = open.next.min(number.max(first)),
            }
        }
        Ok(open)
    }

    pub(super) fn locked(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sign the checkpoints up to the best block, which is durable; `set_of` tells an epoch's validators, if it is not too long
    /// ago. Gives what peers should hear.
    ///
    /// # Errors
    /// [`KeeperError`]; nothing is released then.
    pub fn advance(
        &self,
        best: &Snapshot,
        set_of: impl Fn(u64) -> Option<Vec<SetMember>>,
    ) -> Result<Vec<Vec<u8>>, KeeperError> {
        let mut open = self.locked();
        open.answered = 0;
        let mut words = Vec::new();
        while open.next <= best.height().number() && open.pending.len() < PENDING_MAX {
            let number = open.next;
            if is_checkpoint(number, self.epoch_blocks)
                && !open.pending.contains_key(&number)
                && !self.store.has(number)?
            {
                let Some(pending) = self.look_at(&open, best, number, &set_of)? else { break };
                words.extend(own_words(&self.sessions, &pending));
                open.pending.insert(number, pending);
                self.take_early(&mut open, number);
                self.certify(&mut open, number)?;
            }
            open.next += 1;
        }
        Ok(words)
    }

    /// Count the words that came before the block was executed.
    fn take_early(&self, open: &mut Open, number: u64) {
        let end = |number| (number, AccountId::ZERO, Vec::new());
        let early: Vec<Early> = open.early.range(end(number)..end(number + 1)).cloned().collect();
        for (.., word) in &early {
            if let Ok(Word::Signed(signed)) = Word::decode_all(&mut &word[..])
                && let Err(reason) = self.count(open, signed)
            {
                self.note(reason);
            }
        }
        open.early.retain(|(height, ..)| *height > number);
    }

    /// The checkpoint at `number` with this node's own signatures; `None` while its validators are not known.
    ///
    /// One whose successors nobody tells any more, since they are too long ago, is not signed: its certificate names them.
    fn look_at(
        &self,
        open: &Open,
        best: &Snapshot,
        number: u64,
        set_of: impl Fn(u64) -> Option<Vec<SetMember>>,
    ) -> Result<Option<Pending>, KeeperError> {
        let header = best.header(Height::from_number(number))?.ok_or(KeeperError::NoHeader(number))?.hash();
        let epoch = number / self.epoch_blocks;
        let set = match set_of(epoch) {
            Some(set) => set,
            None => match self.proven(open, epoch)? {
                Some(set) => set,
                None => return Ok(None),
            },
        };
        let next = if is_last(number, self.epoch_blocks) { set_of(epoch + 1) } else { None };
        let checkpoint = Checkpoint { epoch, number, header, set: set_hash(&set), next };
        let signatures = self.own_signatures(&checkpoint, &set)?;
        self.store.wait(number, &checkpoint.encode(), (checkpoint.set.0, &set.encode()))?;
        Ok(Some(Pending { checkpoint, set, signatures }))
    }

    /// The validators of an epoch as the last checkpoint of the one before names them.
    fn proven(&self, open: &Open, epoch: u64) -> Result<Option<Vec<SetMember>>, KeeperError> {
        let Some(last) = (epoch * self.epoch_blocks).checked_sub(1) else { return Ok(None) };
        if let Some(pending) = open.pending.get(&last) {
            return Ok(pending.checkpoint.next.clone());
        }
        Ok(self.certificate(last)?.and_then(|certificate| certificate.checkpoint.next))
    }

    /// The certificate that is kept for a height.
    pub(super) fn certificate(&self, number: u64) -> Result<Option<Certificate>, KeeperError> {
        Ok(self.store.at(number)?.and_then(|row| Certificate::decode_all(&mut &row[..]).ok()))
    }

    /// The validators that checkpoints name by this hash.
    pub(super) fn members(&self, set: &Hash) -> Result<Option<Vec<SetMember>>, KeeperError> {
        Ok(self.store.set(set.0)?.and_then(|row| Vec::decode_all(&mut &row[..]).ok()))
    }

    /// What the sessions of this node sign: each height once for ever.
    fn own_signatures(
        &self,
        checkpoint: &Checkpoint,
        set: &[SetMember],
    ) -> Result<BTreeMap<AccountId, Signature>, KeeperError> {
        let Checkpoint { number, header, .. } = *checkpoint;
        let mut signatures = BTreeMap::new();
        if checkpoint.check_place(self.epoch_blocks).is_err() {
            return Ok(signatures);
        }
        let message = checkpoint.message(&self.genesis);
        for session in self.sessions.iter().filter(|session| is_member(set, &session.account())) {
            let signed = Hash(self.store.sign(number, header.0)?);
            if signed == header {
                signatures.insert(session.account(), session.sign(&message));
            } else {
                self.health.raise(Alarm::Signed { number, own: header, signed, by: session.account() });
            }
        }
        Ok(signatures)
    }

    /// Keep the certificate if a quorum has signed.
    pub(super) fn certify(&self, open: &mut Open, number: u64) -> Result<(), KeeperError> {
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

    /// Height of the first checkpoint that waits for a quorum.
    pub fn first_pending(&self) -> Option<u64> {
        self.locked().pending.first_key_value().map(|(number, _)| *number)
    }

    /// What is to be told again of checkpoints that have waited: this node's signatures, or that it wants a certificate.
    pub fn retell(&self) -> Vec<Vec<u8>> {
        let open = self.locked();
        let own = open.pending.values().take(RETOLD).flat_map(|pending| own_words(&self.sessions, pending));
        own.chain(open.wanted()).collect()
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

    /// Words of peers that were not counted, by the rule for which.
    pub fn refused(&self) -> BTreeMap<String, u64> {
        self.refused.counts()
    }

    pub(super) fn note(&self, reason: Unheard) {
        self.refused.note(crate::rule_name::named("Checkpoint", &reason));
    }
}

impl Open {
    /// A question for the certificate of the first checkpoint that waits, if this node has nothing to say of it.
    pub(super) fn wanted(&self) -> Option<Vec<u8>> {
        let (number, pending) = self.pending.first_key_value()?;
        pending.signatures.is_empty().then(|| Word::Wanted(*number).encode())
    }
}

impl Pending {
    /// Whether this says what this node sees; whom an epoch's last block names is believed, if this node does not know.
    pub(super) fn agrees(&self, other: &Checkpoint, epoch_blocks: u64) -> bool {
        let own = &self.checkpoint;
        let is_unnamed = own.next.is_none() && is_last(own.number, epoch_blocks);
        let next = if is_unnamed { other.next.clone() } else { own.next.clone() };
        *other == Checkpoint { next, ..own.clone() } && other.check_place(epoch_blocks).is_ok()
    }
}

pub(super) fn is_member(set: &[SetMember], key: &AccountId) -> bool {
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
