//! What a seed does to a run: how many validators, who lies, how wrong clocks are, which links are cut or lossy when, who
//! loses power and whose disk fails.

use crate::byzantine::{Conduct, LIARS};
use crate::simulator::Dice;
use commonware_cryptography::ed25519::PublicKey;
use commonware_glue::simulate::action::{Action, Schedule};
use commonware_p2p::simulated::Link;
use commonware_utils::probability;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// All links when the weather has passed.
const GOOD: Link = Link {
    latency: Duration::from_millis(10),
    jitter: Duration::from_millis(5),
    success_rate: probability!(1.0),
};
const LOSSY: Link = Link {
    latency: Duration::from_millis(40),
    jitter: Duration::from_millis(30),
    success_rate: probability!(0.9),
};
const SLOW: Link = Link {
    latency: Duration::from_millis(150),
    jitter: Duration::from_millis(100),
    success_rate: probability!(0.98),
};
const CUT: Link = Link { success_rate: probability!(0.0), ..GOOD };
/// Clocks are ahead of the slowest one by at most this, by the chain's time.
const AHEAD_MS_MAX: i64 = 1_500;
/// When storms may come, in ms: while the first slot is traded, or after that, while it is delivered and paid and the
/// second one is traded. A slot that is hit may end without trades; in either season the other one is traded in calm.
/// Not before the market is there: it must be agreed to before its first slot opens.
const SEASONS: [Range<u64>; 2] = [8_000..26_000, 24_500..50_000];
/// Storms of a season, at most.
const STORMS: usize = 3;

/// How all links are.
#[derive(Clone, Copy, Debug)]
pub enum Lines {
    Good,
    Lossy,
    Slow,
}

impl Lines {
    pub const fn link(self) -> Link {
        match self {
            Self::Good => GOOD,
            Self::Lossy => LOSSY,
            Self::Slow => SLOW,
        }
    }
}

/// The weather of a run, and who lies in it.
#[derive(Debug)]
pub struct Weather {
    pub validators: usize,
    /// Who lies, and how.
    pub liars: BTreeMap<usize, (&'static str, Conduct)>,
    pub ahead_ms: Vec<u64>,
    /// All links, until the last storm is over.
    pub lines: Lines,
    /// Who loses power when, and comes back when, in ms.
    outages: Vec<(usize, u64, u64)>,
    /// Of each node, when its disk begins to fail, in ms, and the syncs until it has.
    pub failures: Vec<Vec<(u64, u32)>>,
    /// Who loses power under its engine's own files, between when and when, in ms, and after how many writes and syncs.
    pub engine_failures: Vec<(usize, Range<u64>, u64)>,
    /// From, until, and those on one side.
    cuts: Vec<(u64, u64, Vec<usize>)>,
}

impl Weather {
    /// Nothing happens to so many validators, and nobody lies.
    pub fn fair(validators: usize) -> Self {
        Self {
            validators,
            liars: BTreeMap::new(),
            ahead_ms: vec![0; validators],
            lines: Lines::Good,
            outages: Vec::new(),
            failures: vec![Vec::new(); validators],
            engine_failures: Vec::new(),
            cuts: Vec::new(),
        }
    }

    /// One loses power at `ms` for a moment.
    pub fn with_outage(mut self, node: usize, ms: u64) -> Self {
        self.outages.push((node, ms, ms + 500));
        self
    }

    /// That of a seed. Neighbouring seeds have all numbers of validators and all liars between them.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut weather = Self::fair(4 + usize::try_from(seed % 4).unwrap());
        let validators = weather.validators;
        weather.draw_liars(usize::try_from(seed / 4).unwrap(), &mut dice);
        weather.ahead_ms = (0..validators).map(|_| dice.between(0, AHEAD_MS_MAX).unsigned_abs()).collect();
        weather.lines = [Lines::Good, Lines::Lossy, Lines::Slow][dice.index(3)];
        let season = SEASONS[dice.index(SEASONS.len())].clone();
        let mut at = season.start + dice.below(3_000);
        for _ in 0..STORMS {
            if at >= season.end {
                break;
            }
            let until = (at + 500 + dice.below(3_000)).min(season.end);
            weather.storm(at, until, &mut dice);
            at = until + 500 + dice.below(4_000);
        }
        weather
    }

    /// As many as there may be, in three runs of four.
    fn draw_liars(&mut self, number: usize, dice: &mut Dice) {
        if dice.one_in(4) {
            return;
        }
        for nth in 0..(self.validators - 1) / 3 {
            self.liars.insert(dice.index(self.validators), LIARS[(number + nth) % LIARS.len()]);
        }
    }

    fn storm(&mut self, at: u64, until: u64, dice: &mut Dice) {
        let all: Vec<usize> = (0..self.validators).collect();
        match dice.below(5) {
            0 => self.cuts.push((at, until, dice.some(&all))),
            1 => self.outages.push((dice.index(all.len()), at, until)),
            2 => {
                let node = dice.index(all.len());
                self.engine_failures.push((node, at..until, dice.below(40)));
                self.outages.push((node, until, until + 500));
            }
            _ => {
                let node = dice.index(all.len());
                // At the latest it loses power when its disk has not failed by then.
                self.failures[node].push((at, u32::try_from(dice.below(4)).unwrap()));
                self.outages.push((node, until, until + 500));
            }
        }
    }

    /// As the simulator does it. It ends with good links among all.
    pub fn schedule(&self, who: &[PublicKey]) -> Schedule<PublicKey> {
        let mut events: Vec<(u64, Action<PublicKey>)> = Vec::new();
        for (node, down, up) in &self.outages {
            events.push((*down, Action::Crash(who[*node].clone())));
            events.push((*up, Action::Restart(who[*node].clone())));
        }
        for (from, until, side) in &self.cuts {
            let (near, far): (Vec<_>, Vec<_>) = (0..who.len()).partition(|node| side.contains(node));
            for (near, far) in
                near.iter().flat_map(|near| far.iter().map(move |far| (&who[*near], &who[*far])))
            {
                for (from_whom, to) in [(near, far), (far, near)] {
                    let (from_whom, to) = (from_whom.clone(), to.clone());
                    events.push((*from, Action::UpdateLink { from: from_whom, to, link: CUT }));
                }
            }
            events.push((*until, Action::Heal(self.lines.link())));
        }
        let passed = events.iter().map(|(at, _)| *at).max().unwrap_or_default();
        events.push((passed + 500, Action::Heal(GOOD)));
        events.sort_by_key(|(at, _)| *at);
        let schedule = Schedule::new();
        events.into_iter().fold(schedule, |all, (at, action)| all.at(Duration::from_millis(at), action))
    }
}
