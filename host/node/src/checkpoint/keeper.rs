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
use runtime_primitives::limits::VALIDATORS_MAX;
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
/// Words kept of one signer for blocks that are not executed here yet.
pub(super) const EARLY_OF_SIGNER_MAX: usize = 16;
/// Such words of all signers: some 10 MB, if each names as many successors as there can be.
pub(super) const EARLY_MAX: usize = EARLY_OF_SIGNER_MAX * VALIDATORS_MAX as usize;
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
    /// Held by whoever looks at the chain: one at a time, for as long as the disk takes.
    looking: Mutex<()>,
}

/// What a keeper has in hand.
#[derive(Default)]
pub(super) struct Open {
    /// The lowest height that was not looked at.
    pub next: u64,
    pub pending: BTreeMap<u64, Pending>,
    /// By height and signer, what was signed for blocks that are not executed here yet.
    pub early: BTreeMap<(u64, AccountId), SignedCheckpoint>,
    /// Who signs in the epoch of the next block and those after it, as far as they are decided.
    pub signers: BTreeSet<AccountId>,
    /// That epoch.
    signers_from: Option<u64>,
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
        let (open, looking) = Default::default();
        let mut keeper = Self { store, genesis, epoch_blocks, sessions, health, refused, open, looking };
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
        let _one = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let best_number = best.height().number();
        self.begin(best_number.saturating_add(1) / self.epoch_blocks, &set_of);
        let mut words = Vec::new();
        loop {
            let next = self.locked().next_checkpoint(best_number, self.epoch_blocks);
            let Some(number) = next else { break };
            if self.store.has(number)? {
                self.locked().next = number + 1;
                continue;
            }
            // Peers are heard meanwhile: this waits for the disk.
            let Some(pending) = self.look_at(best, number, &set_of)? else { break };
            words.extend(own_words(&self.sessions, &pending));
            let mut open = self.locked();
            open.pending.insert(number, pending);
            open.next = number + 1;
            self.take_early(&mut open, number);
            drop(open);
            self.certify(number)?;
        }
        Ok(words)
    }

    /// Begin a look at a chain whose next block is of `epoch`: who signs in it and in the next one is decided.
    fn begin(&self, epoch: u64, set_of: impl Fn(u64) -> Option<Vec<SetMember>>) {
        if self.locked().signers_from != Some(epoch) {
            let sets = (epoch.saturating_sub(1)..=epoch.saturating_add(1)).filter_map(set_of).flatten();
            let signers = sets.map(|member| member.session_key).collect();
            let mut open = self.locked();
            (open.signers_from, open.signers) = (Some(epoch), signers);
        }
        self.locked().answered = 0;
    }

    /// Count the words that came before the block was executed.
    fn take_early(&self, open: &mut Open, number: u64) {
        let later = open.early.split_off(&(number.saturating_add(1), AccountId::ZERO));
        for ((height, _), signed) in std::mem::replace(&mut open.early, later) {
            if height == number
                && let Err(reason) = self.count(open, signed)
            {
                self.note(reason);
            }
        }
    }

    /// The checkpoint at `number` with this node's own signatures; `None` while its validators are not known.
    ///
    /// One whose successors nobody tells any more, since they are too long ago, is not signed: its certificate names them.
    fn look_at(
        &self,
        best: &Snapshot,
        number: u64,
        set_of: impl Fn(u64) -> Option<Vec<SetMember>>,
    ) -> Result<Option<Pending>, KeeperError> {
        let header = best.header(Height::from_number(number))?.ok_or(KeeperError::NoHeader(number))?.hash();
        let epoch = number / self.epoch_blocks;
        let set = match set_of(epoch) {
            Some(set) => set,
            None => match self.proven(epoch)? {
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
    fn proven(&self, epoch: u64) -> Result<Option<Vec<SetMember>>, KeeperError> {
        let Some(last) = (epoch * self.epoch_blocks).checked_sub(1) else { return Ok(None) };
        if let Some(pending) = self.locked().pending.get(&last) {
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

    /// Keep the certificate if a quorum has signed. It waits until the certificate is durable, and peers are heard meanwhile.
    pub(super) fn certify(&self, number: u64) -> Result<(), KeeperError> {
        let certified = self.locked().pending.get(&number).and_then(Pending::certified);
        let Some(Certificate { checkpoint, signatures }) = certified else { return Ok(()) };
        let (header, count) = (checkpoint.header, signatures.len());
        self.store.keep(number, &Certificate { checkpoint, signatures }.encode())?;
        if self.locked().pending.remove(&number).is_some() {
            info!(number, %header, signatures = count, "checkpoint");
        }
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
    /// The lowest checkpoint up to `best` that was not looked at, if there is room for it.
    fn next_checkpoint(&mut self, best: u64, epoch_blocks: u64) -> Option<u64> {
        while self.next <= best && self.pending.len() < PENDING_MAX {
            if is_checkpoint(self.next, epoch_blocks) && !self.pending.contains_key(&self.next) {
                return Some(self.next);
            }
            self.next += 1;
        }
        None
    }

    /// A question for the certificate of the first checkpoint that waits, if this node has nothing to say of it.
    pub(super) fn wanted(&self) -> Option<Vec<u8>> {
        let (number, pending) = self.pending.first_key_value()?;
        pending.signatures.is_empty().then(|| Word::Wanted(*number).encode())
    }
}

impl Pending {
    /// The certificate, if a quorum has signed.
    fn certified(&self) -> Option<Certificate> {
        if self.signatures.len() < quorum(self.set.len()) {
            return None;
        }
        let signatures = self.signatures.iter().map(|(signer, signature)| (*signer, *signature)).collect();
        Some(Certificate { checkpoint: self.checkpoint.clone(), signatures })
    }

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
