//! The chain of one node behind the consensus port: validate, propose, execute, commit.
//!
//! Only [`Application::finalized`] changes the state, and only through one store commit a block.

use super::divergence::Divergence;
use super::flusher::Flusher;
use super::health::{Alarm, Health};
use super::locked;
use super::pool::{Candidate, Kind, Pool, PoolError};
use super::refusals::Refusals;
use super::{CODE_CACHE_BYTES_MAX, CodeCache, CodeCacheError, SignatureCache};
use crate::chain_spec::{ChainSpec, INTERVAL_MS, SpecError};
use crate::checkpoint::SetMember;
use host_consensus::network::{Anchor, EngineKey, Member};
use host_consensus::{
    Application, CLOCKS_APART_MS, Certificate, FINALITY_PATIENCE_MS, Parent, Proposal, VOTE_EARLY_MS, Verdict,
};
use host_storage::{Base, Commit, Finality, Snapshot, Store, StoreError};
use parity_scale_codec::Encode;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::registry::{self, EPOCH_BLOCKS, Engine, validators};
use runtime_execution::modules::{attestation, markets, system, timestamp};
use runtime_execution::{
    BlockEnv, BlockError, Call, GenesisConfig, GenesisError, Invalid, Outcome, Receipt, Validator,
    Verifier as _, build_genesis, check, check_proposal, execute_block,
};
use runtime_primitives::crypto::Statement;
use runtime_primitives::{AccountId, Executed, Hash, Height, OrderedBlock, Timestamp, blake2_256};
use runtime_state::Overlay;
use runtime_vm::{EngineKind, Vm, VmFault};
use std::collections::HashSet;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use thiserror::Error;
use tracing::debug;

/// Why a node cannot go on.
#[derive(Debug, Error)]
pub enum ChainError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A finalized block is none of this chain.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// A quorum computed something else.
    #[error(transparent)]
    Diverged(#[from] Divergence),
    /// The contract machine could not be made.
    #[error(transparent)]
    Vm(#[from] VmFault),
    /// The folder of compiled contracts cannot be used.
    #[error(transparent)]
    CodeCache(#[from] CodeCacheError),
    /// The chain spec describes no genesis.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The chain spec cannot be kept beside a new chain.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The two engines execute a block differently: nothing that this node computes can be trusted.
    #[error(
        "block {height}: the first engine led to header {first}, the second to {second}; report it, with the data folder"
    )]
    Engines {
        /// The block's height.
        height: Height,
        /// The header that the first engine led to.
        first: Hash,
        /// And the second.
        second: Hash,
    },
    /// The data folder holds another chain.
    #[error("the data folder holds chain {found}, the spec describes {wanted}; use another folder")]
    OtherChain {
        /// Genesis hash in the folder.
        found: Hash,
        /// Genesis hash of the spec.
        wanted: Hash,
    },
}

/// What a node has done since it started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    /// Blocks committed.
    pub blocks: u64,
    /// Extrinsics applied or failed, without inherents.
    pub extrinsics: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Extrinsics skipped.
    pub skipped: u64,
    /// Time spent verifying signatures ahead.
    pub verifying: Duration,
    /// Time spent executing.
    pub executing: Duration,
    /// Time spent committing.
    pub committing: Duration,
}

/// One node's chain.
pub struct Chain {
    store: Arc<Store>,
    flusher: Flusher,
    vm: Arc<Vm>,
    /// The engine that executes every block again, if that is asked for.
    second: Option<Vm>,
    pool: Mutex<Pool>,
    signatures: SignatureCache,
    genesis: Hash,
    statistics: Mutex<Statistics>,
    health: Arc<Health>,
    refusals: Refusals,
}

impl Chain {
    /// Open the chain at `path`, or start it there and keep its spec and its compiled contracts beside it.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn open(path: &Path, config: &GenesisConfig) -> Result<Self, ChainError> {
        let store = if Store::exists(path) {
            Store::open(path)?
        } else {
            let first = Self::first(config)?;
            ChainSpec::keep(config, INTERVAL_MS, path)?;
            Store::create(path, first)?
        };
        let folder = path.with_file_name("code-cache");
        let (code_cache, key) = CodeCache::open(&folder, CODE_CACHE_BYTES_MAX)?;
        let vm = Vm::with_cache(EngineKind::Wasmtime, Box::new(code_cache), key)?;
        Self::of(Arc::new(store), Flusher::new, config, Arc::new(vm))
    }

    /// The chain in a store that is open, on a machine that it may share with others. It starts no thread and touches no
    /// file: blocks become durable when [`Chain::settle`] is called, and are otherwise lost with the process.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn rehearse(store: Store, config: &GenesisConfig, vm: Arc<Vm>) -> Result<Self, ChainError> {
        Self::of(Arc::new(store), Flusher::without_thread, config, vm)
    }

    /// What the store of a new chain begins with.
    ///
    /// # Errors
    /// If `config` describes no genesis.
    pub fn first(config: &GenesisConfig) -> Result<Commit, GenesisError> {
        let genesis = build_genesis(config)?;
        Ok(Commit {
            header: genesis.header,
            block: genesis.block,
            body: Vec::new(),
            receipts: Vec::<Receipt>::new().encode(),
            changes: genesis.changes,
            trie: genesis.trie,
            archive: Vec::new(),
            finality: None,
        })
    }

    fn of(
        store: Arc<Store>,
        flusher: impl FnOnce(Arc<Store>) -> Flusher,
        config: &GenesisConfig,
        vm: Arc<Vm>,
    ) -> Result<Self, ChainError> {
        let wanted = build_genesis(config)?.header.hash();
        let found = store.snapshot().genesis_hash();
        if found != wanted {
            return Err(ChainError::OtherChain { found, wanted });
        }
        Ok(Self {
            flusher: flusher(store.clone()),
            store,
            vm,
            second: None,
            pool: Mutex::default(),
            signatures: SignatureCache::default(),
            genesis: wanted,
            statistics: Mutex::default(),
            health: Arc::default(),
            refusals: Refusals::default(),
        })
    }

    /// The block that the chain stands on here: what an engine starts from.
    ///
    /// # Errors
    /// If the store fails.
    pub fn anchor(&self) -> Result<Anchor, ChainError> {
        let snapshot = self.snapshot();
        let height = snapshot.base().map_or(Height::ZERO, |base| base.height);
        let missing = || StoreError::AboveBest { to: height, best: snapshot.height() };
        let block = snapshot.block(height)?.ok_or_else(missing)?;
        let Some(base) = snapshot.base() else { return Ok(Anchor::Genesis(block)) };
        let proof = snapshot.finality(height)?.and_then(|finality| finality.proof);
        Ok(Anchor::Final { parent: base.parent, block, proof: proof.ok_or_else(missing)? })
    }

    /// An engine is about to start whose files are in `engine`. If there are none yet, what was signed in its name up to
    /// `now`, perhaps by a node that ran on after the snapshot was taken in, is not known here.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn begin_votes(&self, engine: &Path, now: Timestamp) -> Result<(), ChainError> {
        if engine.exists() {
            return Ok(());
        }
        Ok(self.store.forget_before(now)?)
    }

    /// If this node may not vote in the epoch of the next block: it may in the first one that begins after this time. A
    /// store that was made from a snapshot does not know what was signed before with the same keys.
    pub fn silent_until(&self) -> Option<Timestamp> {
        let snapshot = self.snapshot();
        let epoch = snapshot.height().next().number() / self.epoch_blocks();
        let base = snapshot.base().filter(|_| !self.may_vote(epoch))?;
        Some(votes_after(&base))
    }

    /// Execute every block on the second engine as well, and commit none on which the two disagree.
    ///
    /// # Errors
    /// If there is no second engine.
    pub fn paranoid(self) -> Result<Self, ChainError> {
        Ok(Self { second: Some(Vm::new(EngineKind::Wasmi)?), ..self })
    }

    /// Execute a block on the second engine, if there is one: it must lead to the header that the first led to.
    fn execute_again(
        &self,
        snapshot: &Snapshot,
        block: &OrderedBlock,
        first: Hash,
    ) -> Result<(), ChainError> {
        let Some(second) = &self.second else { return Ok(()) };
        let parent = snapshot.best_header();
        let again = execute_block(second, snapshot, parent, &self.genesis, block, &self.signatures)?;
        let (height, second) = (block.height, again.header.hash());
        if first != second {
            self.health.raise(Alarm::Engines { height, first, second });
            return Err(ChainError::Engines { height, first, second });
        }
        self.health.executed_again();
        Ok(())
    }

    /// The last committed block.
    pub fn snapshot(&self) -> Snapshot {
        self.store.snapshot()
    }

    /// Hash of the genesis header.
    pub const fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The contract machine.
    pub fn vm(&self) -> &Vm {
        &self.vm
    }

    /// Blocks of an epoch.
    pub fn epoch_blocks(&self) -> NonZeroU64 {
        let snapshot = self.snapshot();
        let blocks = EPOCH_BLOCKS.get(&Overlay::new(&snapshot)).and_then(NonZeroU64::new);
        blocks.expect("genesis says how long an epoch is")
    }

    /// Who signs the checkpoints of an epoch; `None` while that is not decided.
    pub fn session_set(&self, epoch: u64) -> Option<Vec<SetMember>> {
        self.validators(epoch).map(SetMember::signers)
    }

    /// The validators of an epoch; `None` while they are not decided, or if it is too long ago.
    fn validators(&self, epoch: u64) -> Option<Vec<registry::Validator>> {
        let snapshot = self.snapshot();
        validators::of_epoch(&Overlay::new(&snapshot), u32::try_from(epoch).ok()?)
    }

    /// Where it disagrees with others.
    pub const fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// What it did not take in.
    pub const fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// What this node has done.
    pub fn statistics(&self) -> Statistics {
        *locked(&self.statistics)
    }

    /// Time of the last committed block.
    pub fn now(&self) -> Timestamp {
        let snapshot = self.snapshot();
        timestamp::NOW.get(&Overlay::new(&snapshot)).unwrap_or_default()
    }

    /// When the market needs a block next, extrinsics or not.
    pub fn next_due(&self) -> Option<Timestamp> {
        let snapshot = self.snapshot();
        markets::slots::next_due(&Overlay::new(&snapshot))
    }

    /// Validate extrinsics together and take the valid ones into the pool; one answer each, in order.
    pub fn submit(&self, batch: Vec<Vec<u8>>) -> Vec<Result<Hash, PoolError>> {
        self.take_in(batch, true)
    }

    /// What was submitted here and still waits, up to about `bytes`; the next call tells what comes after.
    pub fn own_waiting(&self, bytes: usize) -> Vec<Vec<u8>> {
        locked(&self.pool).own(bytes)
    }

    /// Whether an extrinsic waits in the pool.
    pub fn waits(&self, extrinsic: &Hash) -> bool {
        locked(&self.pool).waits(extrinsic)
    }

    /// What waits in the pool, up to about `bytes`.
    pub fn pending(&self, bytes: usize) -> Vec<Vec<u8>> {
        locked(&self.pool).pending(bytes)
    }

    fn take_in(&self, batch: Vec<Vec<u8>>, is_own: bool) -> Vec<Result<Hash, PoolError>> {
        let known: Vec<Option<Hash>> = {
            let pool = locked(&self.pool);
            batch.iter().map(|bytes| pool.contains(bytes).then(|| blake2_256(bytes))).collect()
        };
        let fresh = || batch.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(bytes, _)| bytes);
        let snapshot = self.snapshot();
        self.learn(&snapshot, fresh());
        let parent = snapshot.hash();
        let now = timestamp::NOW.get(&Overlay::new(&snapshot)).unwrap_or_default();
        let env = BlockEnv { height: snapshot.height().next(), now, genesis: self.genesis };
        let mut validator = Validator::new(&self.vm, &snapshot, env, &parent, &self.signatures);
        // The pool is not locked meanwhile: who proposes does not wait for whoever submits.
        let validated: Vec<Result<Candidate, PoolError>> = batch
            .into_iter()
            .zip(known)
            .map(|(bytes, known)| {
                if let Some(known) = known {
                    return Err(PoolError::Known(known));
                }
                let valid = validator.validate(&bytes)?;
                let next_nonce = valid.provides.map_or(0, |(signer, _)| nonce(validator.state(), &signer));
                let decoded = UncheckedExtrinsic::from_bytes(&bytes).ok();
                let says = decoded.and_then(|decoded| said(&decoded.call));
                Ok(Candidate { bytes, valid, next_nonce, says, is_own })
            })
            .collect();
        let mut pool = locked(&self.pool);
        let answers = validated.into_iter().map(|candidate| pool.insert(candidate?));
        let noted = answers.inspect(|answer: &Result<Hash, PoolError>| {
            if let Err(reason) = answer {
                self.refusals.note(reason);
            }
        });
        noted.collect()
    }

    /// Verify signatures ahead, all cores, in batches.
    fn learn<'a>(&self, snapshot: &Snapshot, batch: impl IntoIterator<Item = &'a Vec<u8>>) {
        let began = Instant::now();
        let mut state = Overlay::new(snapshot);
        system::remember(&mut state, snapshot.height(), &snapshot.hash());
        let height = snapshot.height().next().number();
        let mut statements = Vec::new();
        for bytes in batch {
            if let Ok(extrinsic) = UncheckedExtrinsic::from_bytes(bytes) {
                check::statements(&state, &self.genesis, height, &extrinsic, &mut statements);
            }
        }
        self.signatures.learn(&statements);
        locked(&self.statistics).verifying += began.elapsed();
    }

    /// Wait until every committed block is durable.
    ///
    /// # Errors
    /// If the disk fails, now or in an earlier flush.
    pub fn settle(&self) -> Result<(), ChainError> {
        let began = Instant::now();
        self.flusher.settle()?;
        locked(&self.statistics).committing += began.elapsed();
        Ok(())
    }

    /// The nonce that an account signs with next: after what the last block has of it, and what waits without a gap.
    pub fn next_nonce(&self, account: &AccountId) -> u32 {
        let snapshot = self.snapshot();
        let in_state = nonce(&Overlay::new(&snapshot), account);
        locked(&self.pool).next_nonce(account, in_state)
    }

    /// Extrinsics waiting in the pool.
    pub fn waiting(&self) -> usize {
        locked(&self.pool).len()
    }
}

/// Who signed before the store was made can have signed no block of an epoch that begins later than this.
fn votes_after(base: &Base) -> Timestamp {
    base.made_at.plus_ms(CLOCKS_APART_MS + VOTE_EARLY_MS)
}

fn nonce(state: &Overlay, who: &AccountId) -> u32 {
    system::ACCOUNT.get_or_default(state, who).nonce
}

/// What a vote or reading is about, without what it says and its signature: the chain counts the first one only.
fn said(call: &Call) -> Option<(Kind, Hash)> {
    let kind = match call {
        Call::Attestation(attestation::Call::Vote { claim, .. }) => Kind::Vote(claim.slot),
        Call::Markets(
            markets::Call::PostReading { reading, .. }
            | markets::Call::PostSubstitute { reading, .. }
            | markets::Call::PostCorrection { reading, .. },
        ) => Kind::Reading(reading.slot),
        _ => return None,
    };
    let fields = match call {
        Call::Attestation(attestation::Call::Vote { voter, claim, .. }) => {
            (0u8, claim.market, claim.slot, claim.stage, claim.round, voter).encode()
        }
        Call::Markets(markets::Call::PostReading { reading, .. }) => {
            (1u8, reading.market, reading.meter, reading.slot, reading.revision).encode()
        }
        Call::Markets(markets::Call::PostSubstitute { reading, key, .. }) => {
            (2u8, reading.market, reading.meter, reading.slot, reading.revision, key).encode()
        }
        Call::Markets(markets::Call::PostCorrection { reading, .. }) => {
            (3u8, reading.market, reading.meter, reading.slot, reading.revision).encode()
        }
        _ => return None,
    };
    Some((kind, blake2_256(&fields)))
}

/// Extrinsics that no later block can include: all but those for which the block had no room, and those whose
/// nonce comes after one of these.
fn dealt_with(receipts: &[Receipt]) -> HashSet<Hash> {
    let waits = |receipt: &&Receipt| {
        use Invalid::{BlockGas, FutureNonce};
        matches!(receipt.outcome, Outcome::Skipped { reason: BlockGas { .. } | FutureNonce { .. } })
    };
    receipts.iter().filter(|receipt| !waits(receipt)).map(|receipt| receipt.extrinsic).collect()
}

impl Application for Chain {
    type Error = ChainError;

    fn tip(&self) -> Parent {
        Parent { height: self.snapshot().height(), timestamp: self.now() }
    }

    fn propose(
        &self,
        parent: &Parent,
        unexecuted: &[&OrderedBlock],
        time: Timestamp,
    ) -> Result<Option<Proposal>, ChainError> {
        let snapshot = self.snapshot();
        let state = Overlay::new(&snapshot);
        let ordered = unexecuted.iter().flat_map(|block| &block.extrinsics).map(|bytes| blake2_256(bytes));
        let extrinsics = locked(&self.pool).ready(|who| nonce(&state, who), &ordered.collect());
        let pending = || unexecuted.iter().filter(|block| block.height > snapshot.height());
        // What is due is done by the first block after it, executed or not.
        let due = markets::slots::next_due(&state).filter(|due| *due <= time);
        let (is_due, is_ordered) = match due {
            Some(due) if pending().next().is_none() || parent.timestamp < due => (true, false),
            due => (false, due.is_some()),
        };
        // A block that did not become final by its own votes does so with one that follows, and with nothing else.
        let is_stuck = time >= parent.timestamp.plus_ms(FINALITY_PATIENCE_MS)
            && pending().any(|block| is_ordered || !block.extrinsics.is_empty());
        if extrinsics.is_empty() && !is_due && !is_stuck {
            return Ok(None);
        }
        let executed = Executed { height: snapshot.height(), header_hash: snapshot.hash() };
        Ok(Some(Proposal { executed, extrinsics }))
    }

    fn verify(&self, block: &OrderedBlock) -> Verdict {
        let statements = match check_proposal(block, &self.genesis) {
            Ok(statements) => statements,
            Err(error) => return Verdict::Invalid { reason: error.to_string() },
        };
        self.signatures.learn(&statements);
        match statements.iter().find(|statement| !self.signatures.verify(statement)) {
            None => Verdict::Valid,
            Some(Statement { signer, .. }) => {
                Verdict::Invalid { reason: Invalid::BadSignature { signer: *signer }.to_string() }
            }
        }
    }

    fn executed(&self, height: Height) -> Option<Hash> {
        let snapshot = self.snapshot();
        let header = if height == snapshot.height() { Some(snapshot.hash()) } else { None };
        header.or_else(|| snapshot.header(height).ok().flatten().map(|header| header.hash()))
    }

    fn ordered(&self, height: Height) -> Option<OrderedBlock> {
        self.snapshot().block(height).ok().flatten()
    }

    fn diverged(&self, theirs: &Executed, own: &Hash, by: EngineKey) {
        let Executed { height, header_hash: proposed } = *theirs;
        self.health.raise(Alarm::Header { height, own: *own, proposed, by });
    }

    fn committee(&self, epoch: u64) -> Option<Vec<Member>> {
        let engines = self.validators(epoch)?.into_iter().filter_map(|validator| validator.engine);
        Some(engines.map(|Engine { key, address }| Member { key: EngineKey(key), address }).collect())
    }

    fn may_vote(&self, epoch: u64) -> bool {
        let snapshot = self.snapshot();
        let Some(base) = snapshot.base() else { return true };
        let next = epoch.checked_mul(self.epoch_blocks().get());
        let before = next.and_then(|next| next.checked_sub(1)).map(Height::from_number);
        let before = before.filter(|before| *before > base.height);
        let before = before.and_then(|before| snapshot.block(before).ok().flatten());
        before.is_some_and(|before| before.timestamp > votes_after(&base))
    }

    fn hear(&self, extrinsics: Vec<Vec<u8>>) {
        for answer in self.take_in(extrinsics, false) {
            if let Err(reason) = answer {
                debug!(%reason, "a peer's extrinsic is not taken in");
            }
        }
    }

    fn settle(&self) -> Result<(), ChainError> {
        Self::settle(self)
    }

    fn finalized(&self, block: OrderedBlock, certificate: Certificate) -> Result<(), ChainError> {
        let snapshot = self.snapshot();
        if block.height <= snapshot.height() && block.height > Height::ZERO {
            return Ok(());
        }
        let foreign: Vec<Vec<u8>> = {
            let pool = locked(&self.pool);
            block.extrinsics.iter().filter(|bytes| !pool.contains(bytes)).cloned().collect()
        };
        self.learn(&snapshot, &foreign);
        let began = Instant::now();
        let parent = snapshot.best_header();
        let done = execute_block(&self.vm, &snapshot, parent, &self.genesis, &block, &self.signatures)
            .map_err(|fault| Divergence::of(block.height, fault, &self.health))?;
        self.execute_again(&snapshot, &block, done.header.hash())?;
        let executed = began.elapsed();
        let mut statistics = locked(&self.statistics);
        statistics.blocks += 1;
        statistics.executing += executed;
        statistics.extrinsics += done.body.len() as u64 - 1;
        for receipt in &done.receipts {
            match receipt.outcome {
                Outcome::Applied { .. } => {}
                Outcome::Failed { .. } => statistics.failed += 1,
                Outcome::Skipped { .. } => statistics.skipped += 1,
            }
        }
        drop(statistics);
        let began = Instant::now();
        let dealt_with = dealt_with(&done.receipts);
        drop(snapshot);
        self.store.commit_deferred(Commit {
            header: done.header,
            block,
            body: done.body,
            receipts: done.receipts.encode(),
            changes: done.changes,
            trie: done.trie,
            archive: done.archive,
            finality: certificate.digest.map(|digest| Finality { digest, proof: certificate.proof }),
        })?;
        self.flusher.request();
        locked(&self.statistics).committing += began.elapsed();
        let snapshot = self.snapshot();
        let state = Overlay::new(&snapshot);
        locked(&self.pool).prune(&dealt_with, |who| nonce(&state, who));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::chain_spec::Preset;
    use contract_interface::{Claim, Reading, ReadingStatus, Stage};
    use runtime_execution::ValidTransaction;
    use runtime_primitives::crypto::Signature;
    use runtime_primitives::{Energy, EntityId, Gas, MarketId, MeterId, Money, Slot};

    #[test]
    fn a_block_on_which_the_engines_disagree_raises_an_alarm_and_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let config = Preset::Dev.config();
        let chain = Chain::open(&folder.path().join("chain.redb"), &config).unwrap().paranoid().unwrap();
        let tip = chain.tip();
        let block = OrderedBlock {
            height: tip.height.next(),
            executed: Executed { height: tip.height, header_hash: chain.genesis() },
            timestamp: tip.timestamp.plus_ms(1_000),
            extrinsics: Vec::new(),
        };
        let snapshot = chain.snapshot();
        let disagreed = chain.execute_again(&snapshot, &block, Hash([1; 32]));
        assert!(matches!(disagreed, Err(ChainError::Engines { first: Hash([1, ..]), .. })), "{disagreed:?}");
        let found = chain.health().findings();
        assert!(matches!(found.latest[..], [Alarm::Engines { .. }]) && found.executed_again == 0);
        chain.finalized(block, Certificate::solo()).unwrap();
        assert_eq!((chain.health().findings().executed_again, chain.tip().height), (1, tip.height.next()));
    }

    fn vote(voter: u32, slot: u32, stage: Stage, round: u8, result: u8, signature: u8) -> Call {
        let claim = Claim {
            market: MarketId::ZERO,
            slot: Slot::from_number(slot),
            stage,
            round,
            code_hash: Hash::ZERO,
            input_root: Hash::ZERO,
            result_hash: Hash([result; 32]),
            epoch: 0,
            electorate_hash: Hash::ZERO,
        };
        let signature = Signature([signature; 64]);
        Call::Attestation(attestation::Call::Vote { voter: EntityId::from_number(voter), claim, signature })
    }

    #[test]
    fn a_key_tells_what_a_vote_or_reading_is_about() {
        use Stage::{Authentication, Certification};
        let reading = |meter, slot, revision, wh, signature| {
            let reading = Reading {
                market: MarketId::ZERO,
                meter: MeterId::from_number(meter),
                slot: Slot::from_number(slot),
                revision,
                import_wh: Energy::from_wh(wh),
                export_wh: Energy::ZERO,
                voltage_dv: None,
                frequency_mhz: None,
                measured_at: Timestamp::from_ms(0),
                status: ReadingStatus::Measured,
            };
            let signature = Signature([signature; 64]);
            Call::Markets(markets::Call::PostReading { reading, signature })
        };
        let own = said(&vote(1, 1, Authentication, 0, 1, 1)).unwrap();
        assert_eq!(said(&vote(1, 1, Authentication, 0, 2, 2)), Some(own), "result and signature");
        let read = said(&reading(1, 1, 0, 5, 1)).unwrap();
        assert_eq!(said(&reading(1, 1, 0, 6, 2)), Some(read), "content and signature");
        let others = [
            vote(2, 1, Authentication, 0, 1, 1),
            vote(1, 2, Authentication, 0, 1, 1),
            vote(1, 1, Certification, 0, 1, 1),
            vote(1, 1, Authentication, 1, 1, 1),
            reading(2, 1, 0, 5, 1),
            reading(1, 2, 0, 5, 1),
            reading(1, 1, 1, 5, 1),
        ];
        let keys: HashSet<Hash> =
            others.iter().filter_map(said).map(|(_, key)| key).chain([own.1, read.1]).collect();
        assert_eq!(keys.len(), others.len() + 2);
        assert_eq!(said(&Call::System(system::Call::Remark { remark: Vec::new() })), None);
    }

    #[test]
    fn what_a_block_had_no_room_for_goes_on_waiting() {
        let signer = AccountId([1; 32]);
        let skipped = |reason| Outcome::Skipped { reason };
        let (declared, left) = (Gas::from_units(2), Gas::from_units(1));
        // (what the block made of it, whether it waits on), by nonce.
        let cases = [
            (Outcome::Applied { index: 1 }, false),
            (skipped(Invalid::ZeroKey), false),
            (skipped(Invalid::BlockGas { declared, left }), true),
            (skipped(Invalid::FutureNonce { got: 3, next: 2 }), true),
        ];
        let mut pool = Pool::default();
        let mut receipts = Vec::new();
        for (nonce, (outcome, _)) in (0..).zip(&cases) {
            let bytes = vec![u8::try_from(nonce).unwrap()];
            let hash = blake2_256(&bytes);
            let valid =
                ValidTransaction { hash, provides: Some((signer, nonce)), tip: Money::ZERO, gas: declared };
            pool.insert(Candidate { bytes, valid, next_nonce: 0, says: None, is_own: true }).unwrap();
            receipts.push(Receipt { extrinsic: hash, outcome: outcome.clone() });
        }
        pool.prune(&dealt_with(&receipts), |_| 0);
        for (number, (outcome, waits)) in (0..).zip(&cases) {
            assert_eq!(pool.contains(&[number]), *waits, "{outcome:?}");
        }
        assert_eq!(pool.ready(|_| 2, &HashSet::new()), [[2], [3]]);
    }
}
