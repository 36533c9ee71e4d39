//! What must hold whatever the network and the liars do: the ordered blocks are executed once more, alone, and every
//! honest node is compared with that.
//!
//! The rule: nothing here asks a node what is right. The right result of a clearing is computed on the second engine,
//! signatures are verified one by one, and how many of them are enough is counted here.

use crate::body::Body;
use crate::scene::{STAYS, Scene};
use busbar_tests::chain::{Chain, Past};
use busbar_tests::keyring::signer;
use contract_interface::{Stage, attest_message};
use host_consensus::Application as _;
use host_node::agent::{Attestor, Desk, Journal};
use host_node::checkpoint::{Certificate, Checkpoint, CheckpointError, SetMember, is_checkpoint, verify_all};
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::attestation::{self, BALLOTS};
use runtime_execution::modules::markets::{self, SLOTS, SlotState};
use runtime_execution::modules::registry::{Validator, validators};
use runtime_execution::{Call, Event, Outcome, Verifier as _, VerifySingly};
use runtime_primitives::crypto::Statement;
use runtime_primitives::{AccountId, EntityId, Executed, Hash, OrderedBlock, Slot};
use runtime_state::Overlay;
use runtime_vm::{EngineKind, Vm};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A node derived another header than the blocks give.
    Header { node: usize, height: u64 },
    /// A final block reports another header for an ancestor than the blocks give; what follows it is not of this chain.
    Reported { height: u64 },
    /// A node paid trades whose right result had no majority of valid signatures.
    Unsigned { node: usize, slot: Slot, signatures: usize, electors: usize },
    /// A node paid a slot more than once, or showed it as newly paid.
    SettledTwice { node: usize, slot: Slot, times: usize },
    /// A node said that a block is durable, and later did not have it.
    Lost { node: usize },
    /// A node's certificates prove nothing to one who has the chain spec alone, or one of them is missing.
    Certificates { node: usize, fault: CheckpointError },
    /// A node has a certificate that fewer validators of its epoch have signed than the chain's design asks for.
    Quorum { node: usize, number: u64, signatures: usize, validators: usize },
    /// A node has a certificate of another block than the blocks give.
    OtherCheckpoint { node: usize, number: u64 },
    /// A checkpoint up to a node's last block was never certified there.
    Uncertified { node: usize, number: u64 },
}

/// What a run came to.
#[derive(Debug)]
pub struct Findings {
    pub violations: Vec<Violation>,
    /// Trades of each slot that is settled, by the blocks.
    pub settled: BTreeMap<Slot, u32>,
    /// Votes on a clearing that are right and counted, and all that were ordered.
    pub votes: (usize, usize),
    /// Liars that derived other headers.
    pub forks: usize,
    /// Checkpoints that every honest node has certified.
    pub checkpoints: usize,
    /// Validators of each epoch, by the blocks.
    pub sets: Vec<Vec<EntityId>>,
    /// Electors of each slot's clearing.
    pub electors: BTreeMap<Slot, usize>,
}

/// The ordered blocks, executed once more.
struct Replay<'a> {
    scene: &'a Scene,
    chain: Chain,
    /// The right result of each clearing that was to be signed.
    right: BTreeMap<Slot, Hash>,
    /// Who was to sign it, with which key.
    electors: BTreeMap<Slot, BTreeMap<EntityId, AccountId>>,
    /// Who signed it.
    signed: BTreeMap<Slot, BTreeSet<EntityId>>,
    ordered_votes: usize,
    /// The block that does not belong to the chain of those before it.
    forked: Option<u64>,
    /// On the second engine.
    judge: Attestor,
    second: Vm,
}

/// Compare every honest one of `bodies` with what the blocks give that were delivered to the one that is furthest.
pub fn audit(scene: &Scene, bodies: &[Arc<Body>]) -> Findings {
    let honest = || bodies.iter().filter(|body| body.conduct.is_honest);
    let longest = honest().max_by_key(|body| body.ordered().len()).unwrap();
    let replay = Replay::of(scene, longest.ordered());
    let paid = replay.paid().into_iter().map(|(slot, times)| (longest.index, slot, times));
    let shown =
        honest().flat_map(|body| body.paid().into_iter().map(|(slot, times)| (body.index, slot, times)));
    let twice = paid.chain(shown).filter(|(.., times)| *times > 1);
    let mut violations: Vec<_> =
        twice.map(|(node, slot, times)| Violation::SettledTwice { node, slot, times }).collect();
    violations.extend(replay.forked.map(|height| Violation::Reported { height }));
    let mut checkpoints = usize::MAX;
    for body in honest() {
        violations.extend(replay.compare(body));
        let (certified, wrong) = replay.certified(body);
        checkpoints = checkpoints.min(certified);
        violations.extend(wrong);
        if body.has_lost() {
            violations.push(Violation::Lost { node: body.index });
        }
    }
    let liars = bodies.iter().filter(|body| !body.conduct.is_honest);
    let is_fork = |found: &Violation| matches!(found, Violation::Header { .. });
    let forks = liars.filter(|body| replay.compare(body).iter().any(is_fork)).count();
    let counted = replay.signed.values().map(BTreeSet::len).sum();
    let settled = settled(scene, &replay.chain.view());
    let (sets, votes) = (replay.sets(), (counted, replay.ordered_votes));
    let sets = sets.into_iter().map(|set| set.iter().map(|member| member.entity).collect()).collect();
    let electors = replay.electors.iter().map(|(slot, electors)| (*slot, electors.len())).collect();
    Findings { violations, settled, votes, forks, checkpoints, sets, electors }
}

/// Trades of the settled slots of a state.
fn settled(scene: &Scene, state: &Overlay) -> BTreeMap<Slot, u32> {
    let records = SLOTS.entries(state).into_iter().filter(|(at, _)| at.0 == scene.world.market);
    let paid = records.filter(|(_, slot)| slot.state == SlotState::Settled);
    paid.map(|((_, number), slot)| (number, if slot.void.is_some() { 0 } else { slot.trades })).collect()
}

impl<'a> Replay<'a> {
    fn of(scene: &'a Scene, blocks: Vec<OrderedBlock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let chain = Chain::new(&scene.world.genesis);
        let journal = Journal::open(&folder.path().join("votes")).unwrap();
        let judge = Attestor::new(signer(STAYS), chain.genesis, journal);
        let mut replay = Self {
            scene,
            chain,
            right: BTreeMap::new(),
            electors: BTreeMap::new(),
            signed: BTreeMap::new(),
            ordered_votes: 0,
            forked: None,
            judge,
            second: Vm::new(EngineKind::Wasmi).unwrap(),
        };
        for block in blocks {
            if !replay.has(&block.executed) {
                replay.forked = Some(block.height.number());
                break;
            }
            // Money is audited after every block.
            replay.chain.execute(block);
            replay.count_votes();
            replay.judge_new_ballots();
        }
        replay
    }

    fn has(&self, executed: &Executed) -> bool {
        let Some(place) = executed.height.number().checked_sub(1) else {
            return executed.header_hash == self.chain.genesis;
        };
        let past = usize::try_from(place).ok().and_then(|place| self.chain.past.get(place));
        past.is_some_and(|past| past.header.hash() == executed.header_hash)
    }

    fn judge_new_ballots(&mut self) {
        let view = self.chain.view();
        for (market, slot, stage, _) in BALLOTS.entries(&view).into_keys() {
            if stage == Stage::Authentication && !self.right.contains_key(&slot) {
                let desk = Desk::open(&view, (market, slot)).unwrap();
                // A ballot that opens in a block that comes late may be over at once: nobody's vote counts in it.
                if let Some((_, verdict)) = self.judge.attest(&desk, &self.second).unwrap() {
                    self.right.insert(slot, verdict.own);
                }
                let electors = attestation::electors(&view, (market, slot), stage, 0);
                let electors = electors.into_iter().map(|elector| (elector.entity, elector.key)).collect();
                self.electors.insert(slot, electors);
            }
        }
    }

    fn count_votes(&mut self) {
        let Past { ordered, receipts, .. } = self.chain.last();
        let mut counted = Vec::new();
        for (bytes, receipt) in ordered.extrinsics.iter().zip(receipts) {
            let Ok(UncheckedExtrinsic { call, .. }) = UncheckedExtrinsic::from_bytes(bytes) else { continue };
            let Call::Attestation(attestation::Call::Vote { voter, claim, signature }) = call else {
                continue;
            };
            if claim.stage != Stage::Authentication {
                continue;
            }
            self.ordered_votes += 1;
            let electors = self.electors.get(&claim.slot);
            let Some(signer) = electors.and_then(|electors| electors.get(&voter)).copied() else { continue };
            let message = attest_message(&self.chain.genesis, &claim);
            let is_signed = VerifySingly.verify(&Statement { signer, message, signature });
            let is_counted = matches!(receipt.outcome, Outcome::Applied { .. });
            assert!(is_signed || !is_counted, "a vote without a signature was counted: {voter} on {claim:?}");
            if is_counted && self.right.get(&claim.slot) == Some(&claim.result_hash) {
                counted.push((claim.slot, voter));
            }
        }
        for (slot, voter) in counted {
            let is_first = self.signed.entry(slot).or_default().insert(voter);
            assert!(is_first, "two votes of {voter} on slot {slot} were counted");
        }
    }

    /// How often the blocks pay each slot.
    fn paid(&self) -> BTreeMap<Slot, usize> {
        let mut times = BTreeMap::<Slot, usize>::new();
        for past in &self.chain.past {
            for record in &past.events {
                if let Event::Markets(markets::Event::SlotMoved { slot, state: SlotState::Settled, .. }) =
                    record.event
                {
                    *times.entry(slot).or_default() += 1;
                }
            }
        }
        times
    }

    /// Validators of each epoch up to the next one.
    fn sets(&self) -> Vec<Vec<Validator>> {
        let view = self.chain.view();
        (0..).map_while(|epoch| validators::of_epoch(&view, epoch)).collect()
    }

    /// Checkpoints that a node has certified, and what is wrong with them.
    fn certified(&self, body: &Body) -> (usize, Vec<Violation>) {
        let (node, certificates, epoch_blocks) = (body.index, body.certificates(), self.scene.epoch_blocks());
        let sets = self.sets();
        let set: Vec<_> = sets[0].iter().cloned().map(SetMember::from).collect();
        let proven = verify_all(&self.chain.genesis, epoch_blocks, &set, &certificates);
        let mut wrong: Vec<_> =
            proven.err().map(|fault| Violation::Certificates { node, fault }).into_iter().collect();
        for Certificate { checkpoint, signatures } in &certificates {
            let (number, signatures) = (checkpoint.number, signatures.len());
            let Some(set) = sets.get(usize::try_from(number / epoch_blocks).unwrap()) else { continue };
            // Of 3f + 1 validators f may be silent.
            let validators = set.len();
            if 3 * (validators - signatures) + 1 > validators {
                wrong.push(Violation::Quorum { node, number, signatures, validators });
            }
        }
        let is_other = |checkpoint: &&Checkpoint| {
            let place = usize::try_from(checkpoint.number - 1).unwrap();
            // What is certified after a fork is of another chain.
            self.chain.past.get(place).is_none_or(|past| past.header.hash() != checkpoint.header)
        };
        let other = certificates.iter().map(|certificate| &certificate.checkpoint).filter(is_other);
        wrong.extend(other.map(|checkpoint| Violation::OtherCheckpoint { node, number: checkpoint.number }));
        let has: BTreeSet<u64> =
            certificates.iter().map(|certificate| certificate.checkpoint.number).collect();
        let tip = body.chain().snapshot().height().number();
        let missing =
            (1..=tip).filter(|number| is_checkpoint(*number, epoch_blocks) && !has.contains(number));
        wrong.extend(missing.map(|number| Violation::Uncertified { node, number }));
        (has.len(), wrong)
    }

    fn compare(&self, body: &Body) -> Vec<Violation> {
        let (node, chain) = (body.index, body.chain());
        let is_other = |past: &&Past| {
            let own = chain.executed(past.header.height());
            own.is_some_and(|own| own != past.header.hash())
        };
        let other = self.chain.past.iter().find(is_other);
        let other = other.map(|past| Violation::Header { node, height: past.header.number });
        let snapshot = chain.snapshot();
        let paid =
            settled(self.scene, &Overlay::new(&snapshot)).into_iter().filter(|(_, trades)| *trades > 0);
        let unsigned = paid.filter_map(|(slot, _)| {
            let signatures = self.signed.get(&slot).map_or(0, BTreeSet::len);
            let electors = self.electors.get(&slot).map_or(usize::MAX / 51, BTreeMap::len);
            let is_enough = 100 * signatures > 51 * electors;
            (!is_enough).then_some(Violation::Unsigned { node, slot, signatures, electors })
        });
        other.into_iter().chain(unsigned).collect()
    }
}
