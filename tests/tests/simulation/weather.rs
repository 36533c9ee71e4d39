//! What a seed does to a run: how many validators, how wrong their clocks, which links are cut or lossy when, who loses
//! power and whose disk fails.

use crate::random::Random;
use commonware_cryptography::ed25519::PublicKey;
use commonware_glue::simulate::action::{Action, Schedule};
use commonware_p2p::simulated::Link;
use commonware_utils::probability;
use std::time::Duration;

/// All links when the weather has passed.
pub const GOOD: Link = Link {
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
const AHEAD_MS_MAX: u64 = 1_500;
/// Things that happen to a run, one after another; a slot that they hit may end without trades.
const STORMS: usize = 3;

/// The weather of a run.
pub struct Weather {
    pub validators: usize,
    pub ahead_ms: Vec<u64>,
    /// All links, until the last storm is over.
    pub link: Link,
    /// Who loses power when, and comes back when, in ms.
    outages: Vec<(usize, u64, u64)>,
    /// Of each node, the syncs after which its disk fails in its lives to come.
    pub failures: Vec<Vec<u32>>,
    /// From, until, and the number of those on one side.
    cuts: Vec<(u64, u64, usize)>,
}

impl Weather {
    /// That of a seed.
    pub fn of(seed: u64) -> Self {
        let mut random = Random(seed);
        let validators = if random.below(4) == 0 { 5 + random.below(3) } else { 4 };
        let ahead_ms = (0..validators).map(|_| random.between(0, AHEAD_MS_MAX)).collect();
        let link = [GOOD, LOSSY, SLOW][random.below(3)].clone();
        let (mut outages, mut cuts) = (Vec::new(), Vec::new());
        let mut failures = vec![Vec::new(); validators];
        // Not before the market is there: it must be agreed to before its first slot opens.
        let mut at = random.between(8_000, 28_000);
        for _ in 0..STORMS {
            let until = at + random.between(500, 4_000);
            match random.below(3) {
                0 => cuts.push((at, until, 1 + random.below(validators - 1))),
                1 => outages.push((random.below(validators), at, until)),
                _ => {
                    let node = random.below(validators);
                    // At the latest it loses power when its disk has not failed by then.
                    failures[node].push(u32::try_from(random.between(3, 80)).unwrap());
                    outages.push((node, until, until + 500));
                }
            }
            at = until + random.between(1_000, 6_000);
        }
        Self { validators, ahead_ms, link, outages, failures, cuts }
    }

    /// As the simulator does it. It ends with good links among all.
    pub fn schedule(&self, who: &[PublicKey]) -> Schedule<PublicKey> {
        let mut events: Vec<(u64, Action<PublicKey>)> = Vec::new();
        for (node, down, up) in &self.outages {
            events.push((*down, Action::Crash(who[*node].clone())));
            events.push((*up, Action::Restart(who[*node].clone())));
        }
        for (from, until, side) in &self.cuts {
            let (near, far) = who.split_at(*side);
            for (near, far) in near.iter().flat_map(|near| far.iter().map(move |far| (near, far))) {
                for (from_whom, to) in [(near, far), (far, near)] {
                    let (from_whom, to) = (from_whom.clone(), to.clone());
                    events.push((*from, Action::UpdateLink { from: from_whom, to, link: CUT }));
                }
            }
            events.push((*until, Action::Heal(self.link.clone())));
        }
        let passed = events.iter().map(|(at, _)| *at).max().unwrap_or_default();
        events.push((passed + 500, Action::Heal(GOOD)));
        events.sort_by_key(|(at, _)| *at);
        let schedule = Schedule::new();
        events.into_iter().fold(schedule, |all, (at, action)| all.at(Duration::from_millis(at), action))
    }
}
