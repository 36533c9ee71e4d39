//! The summer day over four validators as processes, some of which are killed while it is played: every slot comes to what
//! it comes to on one node that is given the same extrinsics in the same order.
//!
//! Three slots are played; `BUSBAR_SUMMER_SLOTS=0..96` plays the whole day.

use crate::alone::{Alone, is_attestation};
use crate::course::{Course, Hand, INTERVAL_MS, script};
use crate::moves::moves;
use crate::namespaces::Namespaces;
use crate::theatre::on_a_vm_thread;
use crate::validators::{PATIENCE, VALIDATORS, Validators};
use host_node::agent::Desk;
use host_node::chain_spec::Preset;
use host_node::scenario::{Cast, Casting, MARKET, Script};
use host_rpc::{NetworkStatus, NodeStatus, RemoteNode};
use runtime_execution::Outcome;
use runtime_execution::modules::markets::SlotState;
use runtime_execution::modules::markets::slots::after;
use runtime_primitives::{Hash, Height, Slot, Timestamp, blake2_256};
use runtime_state::Overlay;
use runtime_vm::{EngineKind, Vm};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Orders are placed this long before delivery: the slot before last has just been metered.
const BID_BEFORE_MS: u64 = 600_000;
/// After this long without progress extrinsics are sent again, since whoever took them in may have been killed, and as much
/// time has passed on the hand. Validators follow a block that has lost the votes for its finality with another one two seconds
/// later, by their clocks: on a hand that stands they would wait for ever.
const AGAIN: Duration = Duration::from_secs(4);
const LOOK: Duration = Duration::from_millis(10);
/// For what was sent before a cut.
const IN_FLIGHT: Duration = Duration::from_millis(500);
/// How long the network stays in two halves: several turns of leaders.
const HALVED: Duration = Duration::from_secs(8);
/// The slots played: late in the morning, with sellers and buyers.
const SLOTS_PLAYED: &str = "44..47";

/// What happens to the validators, when the extrinsics of a moment have just been taken in.
#[derive(Clone, Copy, Debug)]
pub enum Blow {
    Kill(usize),
    /// It comes back, and has what the others have.
    Back(usize),
    /// All stop, and start again.
    Restart,
    /// Its link is cut: it runs, and hears and says nothing.
    Cut(usize),
    /// Its link is back, and it has what the others have.
    Mend(usize),
    /// Just before the extrinsics are taken in, half of them cannot be reached by the other half: no block comes until they
    /// can again.
    Halve,
}

/// A blow by a slot that has orders, and its state.
pub type Blows = [(u32, SlotState, Blow)];

/// In order of time.
const BLOWS: &Blows = &[
    (44, SlotState::Open, Blow::Kill(1)),
    (45, SlotState::Open, Blow::Back(1)),
    (45, SlotState::Proposed, Blow::Kill(0)),
    (44, SlotState::Voting, Blow::Back(0)),
    (45, SlotState::Voting, Blow::Restart),
];

/// The slots that are asked for, otherwise these, the last excluded.
pub fn slots_played(otherwise: &str) -> (u32, u32) {
    let asked = std::env::var("BUSBAR_SUMMER_SLOTS").unwrap_or_else(|_| otherwise.to_owned());
    let (from, to) = asked.split_once("..").unwrap();
    (from.parse().unwrap(), to.parse().unwrap())
}

/// Everybody but the validators, playing over RPC.
pub struct Day {
    script: Script,
    cast: Cast,
    vm: Vm,
    hand: Hand,
    network: Validators,
    /// After the validators: it must outlive their processes.
    links: Option<Namespaces>,
    course: Course,
    blows: Vec<(Slot, SlotState, Blow)>,
    is_set_up: bool,
}

impl Day {
    /// In network namespaces, if there are `links`.
    pub fn begin(folder: &Path, slots: (u32, u32), links: Option<Namespaces>, blows: &Blows) -> Self {
        let script = script(slots.0, slots.1);
        let hand = Hand::at(folder.join("time"), Preset::Summer.config().timestamp);
        let clock = hand.path.display().to_string();
        let interval = INTERVAL_MS.to_string();
        // One epoch: a claim names its epoch, and the node that plays alone has other heights.
        let spec = ["--scenario", "summer", "--interval-ms", &interval, "--epoch-blocks", "1000000"];
        let more = ["--clock-file", &clock];
        let mut network = match &links {
            None => Validators::prepare(&spec, &more),
            Some(links) => Validators::prepare_in(links.places(), &spec, &more),
        };
        (0..VALIDATORS).for_each(|number| network.run(number));
        let genesis = network.best(0);
        let casting = Casting { more_validators: 1, ..Casting::default() };
        let cast = Cast::assemble(&script, casting, genesis, folder).unwrap();
        let course = Course::from(genesis, script.slots.0);
        let mut blows: Vec<_> =
            blows.iter().map(|(number, state, blow)| (Slot::from_number(*number), *state, *blow)).collect();
        blows.reverse();
        let vm = Vm::new(EngineKind::Wasmtime).unwrap();
        Self { script, cast, vm, hand, network, links, course, blows, is_set_up: false }
    }

    pub fn play(&mut self) {
        while self.course.next_slot <= self.script.slots.1 {
            self.round();
        }
        assert!(self.blows.is_empty(), "did not come to {:?}", self.blows);
    }

    fn node(&self) -> RemoteNode {
        self.network.remote(self.network.running().next().unwrap())
    }

    fn bidding(&self, slot: Slot) -> Timestamp {
        self.cast.terms.delivery_start(slot).minus_ms(BID_BEFORE_MS)
    }

    /// One look at the chain: everybody acts on it; or time passes, to what is due next.
    fn round(&mut self) {
        let node = self.node();
        self.course.follow(&node);
        let now = self.course.now(&node);
        self.hand.reach(now.plus_ms(INTERVAL_MS));
        let best = self.course.best();
        let (batch, seen) = RemoteNode::reading(|| self.look(&node, best)).unwrap();
        if !batch.is_empty() {
            let blow = self.blows.pop_if(|(slot, state, _)| seen.contains(&(*slot, *state)));
            return self.put_through(batch, blow.map(|(_, _, blow)| blow));
        }
        let attesting = seen.iter().any(|(_, state)| *state == SlotState::Confirmed);
        let due = self.course.due(&node);
        if attesting || due.is_some_and(|due| due <= self.hand.time()) {
            return self.wait_beyond(best);
        }
        let mut slots = std::iter::successors(Some(self.course.next_slot), |slot| Some(after(*slot)));
        let bidding = slots.find(|slot| self.bidding(*slot) > self.hand.time());
        let bidding = bidding.filter(|slot| *slot <= self.script.slots.1).map(|slot| self.bidding(slot));
        let wake = [due, bidding].into_iter().flatten().min();
        self.hand.reach(wake.expect("something is due until all is settled"));
    }

    /// What everybody does, and the states of the slots that they look at.
    fn look(&mut self, node: &RemoteNode, best: Hash) -> (Vec<Vec<u8>>, Vec<(Slot, SlotState)>) {
        let backend = node.state(best);
        let state = Overlay::new(&backend);
        if let Some(batch) = self.cast.setup(&state) {
            return (batch, Vec::new());
        }
        self.is_set_up = true;
        let (mut batch, mut seen) = (Vec::new(), Vec::new());
        let mut slot = self.course.next_slot;
        while slot <= self.script.slots.1 && self.bidding(slot) <= self.hand.time() {
            if let Some(desk) = Desk::open(&state, (MARKET, slot)) {
                let households = 0..self.script.households.len();
                batch.extend(moves(&mut self.cast, &self.script, &self.vm, &desk, households));
                seen.push((slot, desk.live().slot.state));
            }
            slot = after(slot);
        }
        (batch, seen)
    }

    fn wait_beyond(&mut self, best: Hash) {
        let (began, mut passed) = (Instant::now(), Instant::now());
        while self.course.best() == best {
            if passed.elapsed() > AGAIN {
                self.hand.pass(AGAIN);
                passed = Instant::now();
            }
            assert!(began.elapsed() < PATIENCE, "no block at {}; {}", self.hand.time(), self.standing());
            sleep(LOOK);
            let node = self.node();
            self.course.follow(&node);
        }
    }

    /// Have extrinsics taken in by whoever runs, in turns, and wait until blocks have applied them all.
    fn put_through(&mut self, batch: Vec<Vec<u8>>, blow: Option<Blow>) {
        let mut waiting: Vec<(Hash, Vec<u8>)> =
            batch.into_iter().map(|bytes| (blake2_256(&bytes), bytes)).collect();
        // A blow reads on, and what it reads may hold some of these.
        let mut read = self.course.blocks.len();
        if let Some(Blow::Halve) = blow {
            self.halve(&mut waiting);
        }
        self.send(&mut waiting);
        self.strike(blow);
        let (began, mut sent) = (Instant::now(), Instant::now());
        while !waiting.is_empty() {
            let node = self.node();
            self.course.follow(&node);
            self.hand.reach(self.course.now(&node).plus_ms(INTERVAL_MS));
            for receipt in self.course.blocks[read..].iter().flat_map(|block| &block.receipts) {
                match &receipt.outcome {
                    Outcome::Applied { .. } => waiting.retain(|(hash, _)| *hash != receipt.extrinsic),
                    Outcome::Failed { .. } => panic!("{receipt:?}"),
                    Outcome::Skipped { .. } => {}
                }
            }
            if read != self.course.blocks.len() {
                (read, sent) = (self.course.blocks.len(), Instant::now());
            } else if sent.elapsed() > AGAIN {
                self.send(&mut waiting);
                self.hand.pass(AGAIN);
                sent = Instant::now();
            }
            let stuck = || {
                format!(
                    "{} extrinsics in no block at {}; {}",
                    waiting.len(),
                    self.hand.time(),
                    self.standing()
                )
            };
            assert!(began.elapsed() < PATIENCE, "{}", stuck());
            sleep(LOOK);
        }
    }

    /// Each extrinsic to the next of the validators that have the last block; all to one until the slots begin, since the
    /// institutions build on one another's.
    fn send(&self, waiting: &mut Vec<(Hash, Vec<u8>)>) {
        let nodes: Vec<RemoteNode> =
            self.network.running().map(|number| self.network.remote(number)).collect();
        let best = self.course.best();
        let nodes: Vec<&RemoteNode> = nodes.iter().filter(|node| node.best().unwrap() == best).collect();
        let among = if self.is_set_up { nodes.len() } else { 1 };
        let mut turns = nodes.iter().take(among).cycle();
        waiting.retain(|(_, bytes)| {
            let words = match turns.next().map(|node| node.submit(bytes)) {
                Some(Err(refused)) => refused.to_string(),
                _ => return true,
            };
            // Enough have voted, and this vote comes after them.
            let is_late = words.contains("no open claim for stage Certification");
            let known = ["already in the pool", "is waiting", "is taken", "is used"];
            assert!(is_late || known.iter().any(|known| words.contains(known)), "{words}");
            !is_late
        });
    }

    /// Where each validator stands, for whoever reads why it failed.
    fn standing(&self) -> String {
        let of = |number| match self.network.remote(number).status() {
            Ok(NodeStatus { height, time_ms, waiting, network, .. }) => {
                let NetworkStatus { connected, behind, .. } = network;
                format!(
                    "{number}: block {height} of {time_ms}, {waiting} wait, {connected} peers, {behind} behind"
                )
            }
            Err(reason) => format!("{number}: {reason}"),
        };
        self.network.running().map(of).collect::<Vec<_>>().join("; ")
    }

    fn strike(&mut self, blow: Option<Blow>) {
        match blow {
            None | Some(Blow::Halve) => {}
            Some(Blow::Kill(number)) => self.network.kill(number),
            Some(Blow::Back(number)) => {
                self.network.run(number);
                self.network.agree_on(|_| true);
            }
            Some(Blow::Restart) => {
                self.network.stop();
                (0..VALIDATORS).for_each(|number| self.network.run(number));
            }
            Some(Blow::Cut(number)) => {
                self.links().cut(number);
                self.network.part(number);
            }
            Some(Blow::Mend(number)) => {
                self.check_behind(number);
                self.links().mend(number);
                self.network.join(number);
                self.network.agree_on(|_| true);
            }
        }
    }

    /// Votes on results that are in blocks are refused by every validator when they are sent again, each by a named rule that
    /// is counted; nothing comes of them.
    pub fn replay_votes(&self) {
        let votes: Vec<&Vec<u8>> = self
            .course
            .blocks
            .iter()
            .flat_map(|block| &block.extrinsics)
            .filter(|one| is_attestation(one))
            .collect();
        assert!(votes.len() >= VALIDATORS / 2 * self.course.settled.len(), "{} votes", votes.len());
        let counted = |node: &RemoteNode| -> u64 {
            let counts = node.status().unwrap().refused_extrinsics;
            counts.iter().filter(|(rule, _)| rule.starts_with("Attestation.")).map(|(_, count)| count).sum()
        };
        for number in 0..VALIDATORS {
            let node = self.network.remote(number);
            let before = counted(&node);
            for vote in &votes {
                let said = node.submit(vote).unwrap_err().to_string();
                assert!(said.contains("vote refused: "), "{said}");
            }
            assert_eq!(counted(&node), before + votes.len() as u64, "validator {number}");
            let status = node.status().unwrap();
            assert_eq!(
                (status.waiting, status.best),
                (0, self.course.best().to_string()),
                "validator {number}"
            );
        }
    }

    fn links(&self) -> &Namespaces {
        self.links.as_ref().expect("only what lies in namespaces has links")
    }

    /// Who is cut off has no block that the others do not have, and not their last one.
    fn check_behind(&mut self, number: usize) {
        let (node, others) = (self.network.remote(number), self.node());
        self.course.follow(&others);
        let (own, best) = (node.best().unwrap(), self.course.best());
        assert!(own != best, "validator {number} has {own}, without a link");
        let height = node.height(own).unwrap().unwrap();
        assert_eq!(others.block_hash(height).unwrap(), Some(own), "validator {number}, height {height}");
    }

    /// No half makes a block of what it took in, though a block is allowed at the clock's time; none is lost.
    fn halve(&mut self, waiting: &mut Vec<(Hash, Vec<u8>)>) {
        self.links().halve();
        sleep(IN_FLIGHT);
        let best = |network: &Validators| -> Vec<Hash> {
            (0..VALIDATORS).map(|number| network.best(number)).collect()
        };
        let before = best(&self.network);
        self.send(waiting);
        let began = Instant::now();
        while began.elapsed() < HALVED {
            assert_eq!(best(&self.network), before, "a block without a quorum");
            sleep(LOOK);
        }
        for number in 0..VALIDATORS {
            assert!(
                self.network.remote(number).status().unwrap().waiting > 0,
                "validator {number}: nothing waits"
            );
        }
        self.links().join();
        let best = self.network.agree_on(|best| !before.contains(&best));
        println!("a block {best} {:.1?} after the halves met again", began.elapsed() - HALVED);
    }

    /// All validators have the headers that were read while the day was played.
    pub fn compare_headers(&mut self) {
        self.network.agree_on(|_| true);
        for number in 0..VALIDATORS {
            let node = self.network.remote(number);
            self.course.follow(&node);
            for (height, block) in (1..).zip(&self.course.blocks) {
                let found = node.block_hash(Height::from_number(height)).unwrap();
                assert_eq!(found, Some(block.hash), "validator {number}, height {height}");
            }
        }
    }
}

/// Play these slots, and again on a node alone: what each comes to must be equal.
pub fn play_and_compare(slots: (u32, u32), links: Option<Namespaces>, blows: &'static Blows) {
    on_a_vm_thread(move || {
        let folder = TempDir::new().unwrap();
        let began = Instant::now();
        let mut day = Day::begin(folder.path(), slots, links, blows);
        day.play();
        day.compare_headers();
        day.replay_votes();
        let played = began.elapsed();
        let mut alone = Alone::begin(folder.path(), &day.network.spec(), Slot::from_number(slots.0));
        alone.replay(&day.course);
        let (together, alone) = (&day.course, &alone.course);
        println!(
            "slots {slots:?}: {} blocks in {played:.0?}, alone {} blocks in {:.0?}",
            together.blocks.len(),
            alone.blocks.len(),
            began.elapsed() - played
        );
        assert_ne!(together.best(), alone.best(), "other votes, other headers");
        assert_eq!(together.settled.len(), usize::try_from(slots.1 - slots.0).unwrap());
        assert_eq!(together.settled.len(), alone.settled.len());
        for (together, alone) in together.settled.iter().zip(&alone.settled) {
            assert_eq!(together, alone);
        }
        // At night nobody sells.
        let traded = together.settled.iter().filter(|slot| slot.results.clearing != Hash::ZERO).count();
        let paid = together.settled.iter().filter(|slot| slot.results.settlement != Hash::ZERO).count();
        assert!(traded * 3 > together.settled.len() && paid == together.settled.len(), "{traded} of {paid}");
    });
}

#[test]
fn the_summer_day_over_four_validators_comes_to_what_it_comes_to_on_one() {
    play_and_compare(slots_played(SLOTS_PLAYED), None, BLOWS);
}
