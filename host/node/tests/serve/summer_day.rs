//! The summer day over four validators as processes, some of which are killed while it is played: every slot comes to what
//! it comes to on one node that is given the same extrinsics in the same order.
//!
//! Three slots are played; `BUSBAR_SUMMER_SLOTS=0..96` plays the whole day.

use crate::course::{Course, Hand, INTERVAL_MS};
use crate::moves::moves;
use crate::processes::Node;
use crate::theatre::on_a_vm_thread;
use crate::validators::{PATIENCE, VALIDATORS, Validators};
use contract_interface::Stage;
use host_node::agent::Desk;
use host_node::chain_spec::Preset;
use host_node::scenario::{Cast, Casting, MARKET, Script};
use host_rpc::RemoteNode;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::attestation;
use runtime_execution::modules::markets::slots::after;
use runtime_execution::modules::markets::{SLOTS, SlotState};
use runtime_execution::{Call, Outcome};
use runtime_primitives::{Hash, Height, Slot, Timestamp, blake2_256};
use runtime_state::Overlay;
use runtime_vm::{EngineKind, Vm};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Orders are placed this long before delivery: the slot before last has just been metered.
const BID_BEFORE_MS: u64 = 600_000;
/// After this long without progress extrinsics are sent again: whoever took them in may have been killed.
const AGAIN: Duration = Duration::from_secs(4);
const LOOK: Duration = Duration::from_millis(10);
/// The slots played: late in the morning, with sellers and buyers.
const SLOTS_PLAYED: &str = "44..47";

/// What happens to the validators, when the extrinsics of a moment have just been taken in.
#[derive(Clone, Copy, Debug)]
enum Blow {
    Kill(usize),
    /// It comes back, and has what the others have.
    Back(usize),
    /// All stop, and start again.
    Restart,
}

/// By a slot that has orders, and its state; in order of time.
const BLOWS: [(u32, SlotState, Blow); 5] = [
    (44, SlotState::Open, Blow::Kill(1)),
    (45, SlotState::Open, Blow::Back(1)),
    (45, SlotState::Proposed, Blow::Kill(0)),
    (44, SlotState::Voting, Blow::Back(0)),
    (45, SlotState::Voting, Blow::Restart),
];

/// The slots that are asked for, the last excluded.
fn slots_played() -> (u32, u32) {
    let asked = std::env::var("BUSBAR_SUMMER_SLOTS").unwrap_or_else(|_| SLOTS_PLAYED.to_owned());
    let (from, to) = asked.split_once("..").unwrap();
    (from.parse().unwrap(), to.parse().unwrap())
}

/// These slots of the summer day, by meters that start at zero.
pub fn script(from: u32, to: u32) -> Script {
    let mut script = Preset::Summer.script().unwrap();
    let (first, last) = (Slot::from_number(from), Slot::from_number(to - 1));
    script.slots = (first, last);
    for household in &mut script.households {
        let before =
            household.registers.range(..first).next_back().map_or_else(Default::default, |(_, found)| *found);
        household.registers.retain(|slot, _| (first..=last).contains(slot));
        household.intents.retain(|slot, _| (first..=last).contains(slot));
        for (import, export) in household.registers.values_mut() {
            *import = import.checked_sub(before.0).unwrap();
            *export = export.checked_sub(before.1).unwrap();
        }
    }
    script
}

/// Everybody but the validators, playing over RPC.
struct Day {
    script: Script,
    cast: Cast,
    vm: Vm,
    hand: Hand,
    network: Validators,
    course: Course,
    blows: Vec<(Slot, SlotState, Blow)>,
    is_set_up: bool,
}

impl Day {
    fn begin(folder: &Path, slots: (u32, u32)) -> Self {
        let script = script(slots.0, slots.1);
        let hand = Hand::at(folder.join("time"), Preset::Summer.config().timestamp);
        let clock = hand.path.display().to_string();
        let interval = INTERVAL_MS.to_string();
        // One epoch: a claim names its epoch, and the node that plays alone has other heights.
        let spec = ["--scenario", "summer", "--interval-ms", &interval, "--epoch-blocks", "1000000"];
        let network = Validators::start(&spec, &["--clock-file", &clock]);
        let genesis = network.best(0);
        let casting = Casting { more_validators: 1, ..Casting::default() };
        let cast = Cast::assemble(&script, casting, genesis, folder).unwrap();
        let course = Course::from(genesis, script.slots.0);
        let mut blows: Vec<_> =
            BLOWS.iter().map(|(number, state, blow)| (Slot::from_number(*number), *state, *blow)).collect();
        blows.reverse();
        let vm = Vm::new(EngineKind::Wasmtime).unwrap();
        Self { script, cast, vm, hand, network, course, blows, is_set_up: false }
    }

    fn play(&mut self) {
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
        let began = Instant::now();
        while self.course.best() == best {
            assert!(began.elapsed() < PATIENCE, "no block at {}", self.hand.time());
            sleep(LOOK);
            let node = self.node();
            self.course.follow(&node);
        }
    }

    /// Have extrinsics taken in by whoever runs, in turns, and wait until blocks have applied them all.
    fn put_through(&mut self, batch: Vec<Vec<u8>>, blow: Option<Blow>) {
        let mut waiting: Vec<(Hash, Vec<u8>)> =
            batch.into_iter().map(|bytes| (blake2_256(&bytes), bytes)).collect();
        let (began, mut sent) = (Instant::now(), Instant::now());
        self.send(&mut waiting);
        self.strike(blow);
        let mut read = self.course.blocks.len();
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
                sent = Instant::now();
            }
            let stuck = || format!("{} extrinsics in no block at {}", waiting.len(), self.hand.time());
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

    fn strike(&mut self, blow: Option<Blow>) {
        match blow {
            None => {}
            Some(Blow::Kill(number)) => self.network.kill(number),
            Some(Blow::Back(number)) => {
                self.network.run(number);
                self.network.agree_on(|_| true);
            }
            Some(Blow::Restart) => {
                self.network.stop();
                (0..VALIDATORS).for_each(|number| self.network.run(number));
            }
        }
    }

    /// All validators have the headers that were read while the day was played.
    fn compare_headers(&mut self) {
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

/// One node alone, given what the network ordered; its validators sign for themselves.
struct Alone {
    hand: Hand,
    process: Node,
    course: Course,
}

impl Alone {
    fn begin(folder: &Path, spec: &Path, first: Slot) -> Self {
        let hand = Hand::at(folder.join("time-alone"), Preset::Summer.config().timestamp);
        let (clock, spec) = (hand.path.display().to_string(), spec.display().to_string());
        let mut arguments = vec!["--spec", &spec, "--clock-file", &clock];
        (0..VALIDATORS)
            .for_each(|number| arguments.extend(["--dev-validator", ["1", "2", "3", "4"][number]]));
        let process = Node::start(&folder.join("alone"), &arguments);
        let genesis = RemoteNode::at(&process.url).unwrap().best().unwrap();
        Self { hand, process, course: Course::from(genesis, first) }
    }

    fn replay(&mut self, course: &Course) {
        let node = RemoteNode::at(&self.process.url).unwrap();
        for block in &course.blocks {
            self.hand.reach(block.time);
            let own: Vec<&Vec<u8>> = block.extrinsics.iter().filter(|bytes| !is_attestation(bytes)).collect();
            for bytes in &own {
                node.submit(bytes).unwrap();
            }
            let (began, mut read) = (Instant::now(), self.course.blocks.len());
            let mut left = own.len();
            loop {
                self.course.follow(&node);
                let applied = self.course.blocks[read..].iter().flat_map(|block| &block.extrinsics);
                left -= applied.filter(|bytes| own.contains(bytes)).count();
                read = self.course.blocks.len();
                let due = self.course.due(&node).is_some_and(|due| due <= self.hand.time());
                if left == 0 && !due && !self.is_attesting(&node) {
                    break;
                }
                self.hand.reach(self.course.now(&node).plus_ms(INTERVAL_MS));
                assert!(began.elapsed() < PATIENCE, "{left} extrinsics in no block at {}", self.hand.time());
                sleep(LOOK);
            }
        }
    }

    /// Whether the validators of this node have yet to certify a slot.
    fn is_attesting(&self, node: &RemoteNode) -> bool {
        let backend = node.state(self.course.best());
        let state = Overlay::new(&backend);
        let mut slots = std::iter::successors(Some(self.course.next_slot), |slot| Some(after(*slot)));
        let of = |slot: Slot| SLOTS.get(&state, &(MARKET, slot)).map(|found| found.state);
        slots.by_ref().map_while(of).any(|state| state == SlotState::Confirmed)
    }
}

fn is_attestation(bytes: &[u8]) -> bool {
    let call = UncheckedExtrinsic::from_bytes(bytes).unwrap().call;
    matches!(call, Call::Attestation(attestation::Call::Vote { claim, .. }) if claim.stage == Stage::Authentication)
}

#[test]
fn the_summer_day_over_four_validators_comes_to_what_it_comes_to_on_one() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let slots = slots_played();
        let began = Instant::now();
        let mut day = Day::begin(folder.path(), slots);
        day.play();
        day.compare_headers();
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
