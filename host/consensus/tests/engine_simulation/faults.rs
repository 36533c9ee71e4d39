//! What goes wrong in a run, drawn from its seed: who lies and how, how far clocks are off, and when links, disks and
//! processes fail. All of it is over when the run is healed.

use crate::application::Jump;
use crate::audit::{Audit, SKEW_MS_MAX};
use crate::byzantine::Kind;
use crate::simulator::Dice;
use crate::validators::INTERVAL_MS;
use commonware_cryptography::ed25519::PublicKey;
use commonware_glue::simulate::action::{Action, Schedule};
use commonware_p2p::simulated::Link;
use commonware_utils::{Probability, probability};
use std::collections::BTreeMap;
use std::time::Duration;

/// When the last fault is over, in ms of a run, if it is not said otherwise.
pub const HEALED_MS: u64 = 14_000;

/// Longer than validators wait for votes before they give a view up, in ms.
const LATE_MS: u64 = INTERVAL_MS + 2_150;

/// Messages of a flood: what does not slow the other faults down.
const FLOOD: u64 = 2_000;

/// How links are once all is healed.
pub const GOOD: Link = Link {
    latency: Duration::from_millis(20),
    jitter: Duration::from_millis(5),
    success_rate: probability!(1.0),
};
/// Nothing passes.
pub const CUT: Link = Link { success_rate: probability!(0.0), ..GOOD };

/// How all links are while nothing else is the matter with them.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    latency_ms: u64,
    jitter_ms: u64,
    lost_percent: u64,
}

impl Line {
    /// Between a good line and a bad one.
    const fn draw(dice: &mut Dice) -> Self {
        Self { latency_ms: 5 + dice.below(75), jitter_ms: dice.below(40), lost_percent: dice.below(13) }
    }

    pub fn link(self) -> Link {
        Link {
            latency: Duration::from_millis(self.latency_ms),
            jitter: Duration::from_millis(self.jitter_ms),
            success_rate: Probability::new(100 - self.lost_percent, 100).unwrap(),
        }
    }
}

/// All that goes wrong. Validators are named by their index.
#[derive(Clone, Debug)]
pub struct Faults {
    pub validators: usize,
    /// When the last fault is over, in ms.
    pub healed_ms: u64,
    pub liars: BTreeMap<usize, Kind>,
    /// The channel on which messages are malformed or too large; drawn if there is none.
    pub attacked: Option<usize>,
    /// Messages of a flood.
    pub flood: u64,
    pub line: Line,
    /// Of each clock, in ms.
    pub skews_ms: Vec<i64>,
    /// Of one clock at most.
    pub jump: Option<(usize, Jump)>,
    /// When disks fail, in ms.
    pub power_failures: BTreeMap<usize, u64>,
    /// When the power fails under an engine's own files, in ms, and after how many writes and syncs.
    pub engine_failures: BTreeMap<usize, (u64, u64)>,
    /// What else happens: ms and what.
    pub events: Vec<(u64, Event)>,
}

#[derive(Clone, Debug)]
pub enum Event {
    /// Killed, not to be started yet.
    Kill(usize),
    /// Started again, killed before if it runs.
    Start(usize),
    /// These and the others do not hear one another.
    Cut(Vec<usize>),
    /// The first is not heard by the second.
    Deaf(usize, usize),
    /// All links of one are slow.
    Slow(usize),
    /// What one says is heard when the others have given the view up.
    Late(usize),
    /// All links are as at the beginning.
    Mend,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none(validators: usize) -> Self {
        Self {
            validators,
            healed_ms: HEALED_MS,
            liars: BTreeMap::new(),
            attacked: None,
            flood: FLOOD,
            line: Line { latency_ms: 20, jitter_ms: 5, lost_percent: 0 },
            skews_ms: vec![0; validators],
            jump: None,
            power_failures: BTreeMap::new(),
            engine_failures: BTreeMap::new(),
            events: vec![],
        }
    }

    pub fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let validators = 4 + dice.index(4);
        let mut faults = Self { line: Line::draw(&mut dice), ..Self::none(validators) };
        for skew in &mut faults.skews_ms {
            *skew = dice.between(-SKEW_MS_MAX, SKEW_MS_MAX);
        }
        faults.draw_liars(seed, &mut dice);
        faults.draw_jump(&mut dice);
        faults.draw_cuts(&mut dice);
        faults.draw_crashes(&mut dice);
        faults.events.sort_by_key(|(at, _)| *at);
        faults
    }

    /// A third of the validators at most, none in one run of four.
    fn draw_liars(&mut self, seed: u64, dice: &mut Dice) {
        let most = (self.validators as u64 - 1) / 3;
        let count = if dice.one_in(4) { 0 } else { 1 + dice.below(most) };
        for nth in 0..count {
            // Neighbouring seeds have all kinds between them.
            let kind = Kind::ALL[usize::try_from(seed + nth * 3).unwrap() % Kind::ALL.len()];
            self.liars.insert(dice.index(self.validators), kind);
        }
    }

    /// An honest validator's clock is set wrong by up to half a minute, and set right again.
    fn draw_jump(&mut self, dice: &mut Dice) {
        let who = dice.index(self.validators);
        if dice.one_in(2) || self.liars.contains_key(&who) {
            return;
        }
        let from_ms = 1_000 + dice.below(8_000);
        let until_ms = (from_ms + 1_000 + dice.below(6_000)).min(HEALED_MS);
        let (from_ms, until_ms) = (Audit::true_ms(from_ms), Audit::true_ms(until_ms));
        self.jump = Some((who, Jump { from_ms, until_ms, by_ms: dice.between(-30_000, 30_000) }));
    }

    fn draw_cuts(&mut self, dice: &mut Dice) {
        let all: Vec<usize> = (0..self.validators).collect();
        for window in [1_000, 6_000] {
            if dice.one_in(3) {
                continue;
            }
            let at = window + dice.below(2_000);
            match dice.below(3) {
                0 => self.events.push((at, Event::Slow(dice.index(self.validators)))),
                1 => {
                    self.events.extend(all.iter().map(|from| (at, Event::Deaf(*from, dice.index(all.len())))))
                }
                _ => self.events.push((at, Event::Cut(dice.some(&all)))),
            }
            self.events.push((at + 500 + dice.below(2_500), Event::Mend));
        }
    }

    /// Up to three are killed, or their disks fail; sometimes all are killed at once.
    fn draw_crashes(&mut self, dice: &mut Dice) {
        for _ in 0..dice.below(4) {
            let who = dice.index(self.validators);
            let at = 1_000 + dice.below(9_000);
            match dice.below(3) {
                0 => drop(self.power_failures.insert(who, at)),
                1 => drop(self.engine_failures.insert(who, (at, dice.below(40)))),
                _ => self.events.push((at, Event::Kill(who))),
            }
            self.events.push((at + 500 + dice.below(HEALED_MS - 1_000 - at), Event::Start(who)));
        }
        if dice.one_in(4) {
            let at = 10_500 + dice.below(1_000);
            for who in 0..self.validators {
                self.events.push((at, Event::Kill(who)));
                self.events.push((at + 200 + dice.below(1_500), Event::Start(who)));
            }
        }
        // A disk may fail later than drawn: with the first block after that.
        let last = |who: &usize| (HEALED_MS - 100, Event::Start(*who));
        self.events.extend(self.power_failures.keys().chain(self.engine_failures.keys()).map(last));
    }

    /// As the library runs it.
    pub fn schedule(&self, all: &[PublicKey]) -> Schedule<PublicKey> {
        let ms = Duration::from_millis;
        let mut schedule = Schedule::new();
        for (at, event) in &self.events {
            for action in self.actions(event, all) {
                schedule = schedule.at(ms(*at), action);
            }
        }
        schedule.at(ms(self.healed_ms), Action::Heal(GOOD))
    }

    fn actions(&self, event: &Event, all: &[PublicKey]) -> Vec<Action<PublicKey>> {
        let key = |who: &usize| all[*who].clone();
        let update =
            |from: &usize, to: &usize, link| Action::UpdateLink { from: key(from), to: key(to), link };
        let indices: Vec<usize> = (0..all.len()).collect();
        match event {
            Event::Kill(who) => vec![Action::Crash(key(who))],
            Event::Start(who) => vec![Action::Crash(key(who)), Action::Restart(key(who))],
            Event::Mend => vec![Action::Heal(self.line.link())],
            Event::Deaf(from, to) if from != to => vec![update(from, to, CUT)],
            Event::Deaf(..) => vec![],
            Event::Slow(who) => {
                let slow = Link { latency: Duration::from_millis(400), ..self.line.link() };
                let others = indices.iter().filter(|other| *other != who);
                others.flat_map(|to| [update(who, to, slow.clone()), update(to, who, slow.clone())]).collect()
            }
            Event::Late(who) => {
                let late = Link { latency: Duration::from_millis(LATE_MS), ..self.line.link() };
                let others = indices.iter().filter(|other| *other != who);
                others.map(|to| update(who, to, late.clone())).collect()
            }
            Event::Cut(near) => {
                let (near, far): (Vec<_>, Vec<_>) = indices.iter().partition(|one| near.contains(one));
                let pairs = near.iter().flat_map(|one| far.iter().map(move |two| (one, two)));
                pairs.flat_map(|(one, two)| [update(one, two, CUT), update(two, one, CUT)]).collect()
            }
        }
    }
}
