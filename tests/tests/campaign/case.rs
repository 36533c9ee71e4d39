//! One world and its slots in a row, from a seed: what happens when.
//!
//! Whatever an act tries may be refused; nothing here depends on it. So leaving out a kind of act leaves the others as they
//! were, which is what makes a case smaller.

use crate::books::Random;
use crate::plans::{self, Script};
use crate::tally;
use busbar_tests::invariants;
use busbar_tests::ledger::{self, Ledger};
use busbar_tests::world::{FIRST, MARKET, World, entities};
use contract_interface::{OrderRequest, Terms};
use runtime_execution::modules::markets::{self, SlotState, rules};
use runtime_primitives::{Seq, Slot, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A kind of act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Orders: good ones and bad ones.
    Order,
    /// Cancellations.
    Cancel,
    /// Amendments.
    Amend,
    /// Sealed orders are revealed, or not.
    Reveal,
    /// Consents and refusals.
    Answer,
    /// Validators' signatures.
    Attest,
    /// Curtailments, before the gate and in real time.
    Curtail,
    /// First readings, some of them missing, late, implausible or replayed.
    Read,
    /// Corrections.
    Correct,
    /// Lists.
    List,
    /// Votes on them.
    Vote,
    /// Money that comes and goes.
    Money,
    /// Standing orders that are set and removed.
    Standing,
    /// Proxies and keys that change.
    Keys,
    /// Adjustments of settled slots.
    Adjust,
}

impl Act {
    /// All kinds.
    pub const ALL: [Self; 15] = [
        Self::Order,
        Self::Cancel,
        Self::Amend,
        Self::Reveal,
        Self::Answer,
        Self::Attest,
        Self::Curtail,
        Self::Read,
        Self::Correct,
        Self::List,
        Self::Vote,
        Self::Money,
        Self::Standing,
        Self::Keys,
        Self::Adjust,
    ];

    /// Its bit among those that a case leaves out.
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A case.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What everything follows from.
    pub seed: u32,
    /// Slots played.
    pub slots: u32,
    /// Kinds of acts left out, as bits.
    pub without: u32,
}

impl fmt::Display for Case {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}", self.seed, self.slots, self.without)
    }
}

/// A case as it goes on.
pub struct Playing {
    /// The world.
    pub world: World,
    /// Left to chance.
    pub random: Random,
    /// Orders that were sealed: whose, where, and what.
    pub sealed: Vec<(usize, Slot, Seq, OrderRequest)>,
    /// Terms by the first slot that they govern.
    pub schedule: BTreeMap<Slot, Terms>,
}

impl Case {
    /// The case that a failure printed.
    pub fn parse(text: &str) -> Self {
        let parts: Vec<u32> = text.split(':').map(|part| part.parse().expect("a number")).collect();
        let [seed, slots, without] = parts[..] else { panic!("a case is seed:slots:without") };
        Self { seed, slots, without }
    }

    /// Play it; counts what happened by name.
    ///
    /// # Errors
    /// What must hold and does not. The accountant panics.
    pub fn play(self) -> Result<BTreeMap<String, u32>, String> {
        let mut random = Random(u64::from(self.seed) << 20);
        let script = plans::script(self.seed, self.slots, &mut random);
        let mut playing = Playing::new(&script, random);
        for (time, slot, act) in self.agenda(&playing.world) {
            playing.wait(time);
            playing.world.terms = playing.governing(slot).clone();
            // Each act has chances of its own, so that leaving one out does not change the others.
            let seed =
                u64::from(self.seed) ^ (time.ms() << 8) ^ (u64::from(slot.number()) << 32) ^ act as u64;
            playing.random = Random(seed);
            if self.without & act.bit() == 0 {
                playing.act(act, slot);
                playing.world.chain.block();
            }
        }
        playing.run_out(self.slots)?;
        let book = playing.audited();
        let settled = invariants::check(&playing.world)?;
        let mut seen = tally::of(&playing.world, &playing.schedule, &book);
        *seen.entry("slots settled".into()).or_default() += u32::try_from(settled).unwrap().min(self.slots);
        Ok(seen)
    }

    /// Moments of all slots, in order of time.
    fn agenda(self, world: &World) -> Vec<(Timestamp, Slot, Act)> {
        let windows = world.terms.windows;
        let mut agenda = Vec::new();
        for number in FIRST.number()..FIRST.number() + self.slots {
            let slot = Slot::from_number(number);
            let before = |seconds: u32, act| (world.before_start(slot, seconds), slot, act);
            let after = |seconds: u32, act| (world.after_end(slot, seconds), slot, act);
            let (open, gate) = (windows.open_before_s, windows.gate_before_s);
            agenda.extend([open - 30, open - 90, open - 200, open - 500].map(|at| before(at, Act::Order)));
            agenda.extend([before(open - 300, Act::Cancel), before(open - 400, Act::Amend)]);
            agenda.extend([before(gate - 1, Act::Order), before(gate - 2, Act::Cancel)]);
            agenda.extend([before(open - 450, Act::Money), before(gate - 20, Act::Money)]);
            agenda.extend([
                before(open + 60, Act::Standing),
                before(open + 80, Act::Standing),
                before(open + 90, Act::Keys),
            ]);
            agenda.extend([gate - 15, gate - 35].map(|at| before(at, Act::Reveal)));
            agenda.extend([gate - 10, gate - 65, gate - 80].map(|at| before(at, Act::Answer)));
            agenda.extend([gate - 155, gate - 170].map(|at| before(at, Act::Attest)));
            agenda.extend([before(open - 380, Act::Curtail), before(gate - 5, Act::Curtail)]);
            agenda.extend([before(5, Act::Curtail), after(1, Act::Read), after(120, Act::Read)]);
            agenda.extend([after(150, Act::Correct), after(310, Act::List), after(320, Act::Vote)]);
            agenda.extend([after(400, Act::Correct), after(500, Act::List), after(510, Act::Vote)]);
            agenda.extend([after(900, Act::Vote), after(1_300, Act::Correct), after(1_350, Act::List)]);
            agenda.extend([after(1_360, Act::Vote), after(1_500, Act::Money), after(2_500, Act::Adjust)]);
        }
        agenda.sort_by_key(|(time, slot, act)| (*time, *slot, *act));
        agenda
    }
}

impl Playing {
    /// The market, and the terms that it will change to.
    fn new(script: &Script, random: Random) -> Self {
        let mut world = World::new(&script.plan);
        let mut schedule = BTreeMap::from([(FIRST, world.terms.clone())]);
        if let Some(change) = &script.change {
            world.upload(&change.plan.rules);
            let platform = Arc::clone(world.platform());
            let (slot, terms) = (change.from, change.plan.terms());
            let call = markets::Call::ScheduleTerms { market: MARKET, slot, terms: Box::new(terms.clone()) };
            world.chain.must(&platform, call);
            if change.is_agreed {
                world.agree(terms.hash());
                schedule.insert(slot, terms);
            } else {
                let retailer = Arc::clone(&world.owners[entities::RETAILER as usize]);
                world.chain.submit(&retailer, markets::Call::Agree { market: MARKET, terms: terms.hash() });
            }
            world.chain.block_of_successes();
        }
        Self { world, random, sealed: Vec::new(), schedule }
    }

    /// The terms of a slot.
    fn governing(&self, slot: Slot) -> &Terms {
        self.schedule.range(..=slot).next_back().expect("the schedule covers all slots").1
    }

    /// The accountant's book, in agreement with every block.
    fn audited(&self) -> Ledger {
        let mut book = Ledger::new(&self.world.genesis, ledger::native_rules());
        let view = self.world.chain.view();
        let continuous = self.schedule.values().filter(|terms| rules::is_continuous(&view, terms));
        book.continuous.extend(continuous.map(|terms| terms.matching));
        book.replay(&self.world);
        book
    }

    /// Let time pass, in a few blocks if it is long.
    fn wait(&mut self, time: Timestamp) {
        let chain = &mut self.world.chain;
        if time <= chain.now {
            return;
        }
        let steps = ((time.ms() - chain.now.ms()) / 30_000).min(3);
        let distance = (time.ms() - chain.now.ms()) / (steps + 1);
        for _ in 0..steps {
            chain.block_at(chain.now.plus_ms(distance));
        }
        chain.block_at(time);
    }

    /// Let every slot come to its end.
    fn run_out(&mut self, slots: u32) -> Result<(), String> {
        let last = Slot::from_number(FIRST.number() + slots - 1);
        for _ in 0..200 {
            let open = |slot: Slot| self.world.state(slot) != SlotState::Settled;
            if !(FIRST.number()..=last.number()).map(Slot::from_number).any(open) {
                return Ok(());
            }
            let time = self.world.chain.now.plus_ms(120_000);
            self.world.chain.block_at(time);
        }
        Err(format!("slot {last} is {:?} and does not end", self.world.state(last)))
    }
}
