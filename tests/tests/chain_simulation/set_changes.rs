//! The set of validators changes at an epoch's boundary while links lose messages and nodes lose power.
//!
//! Whoever is in the set of one epoch and not in that of the other runs before and after as well, and follows the chain.

use crate::audit::Findings;
use crate::body::Body;
use crate::play_in;
use crate::scene::{Change, Scene};
use crate::simulator::{Dice, each, seeds};
use crate::weather::{Lines, Weather};
use crate::{Run, Seed};
use cpu_time::ThreadTime;
use runtime_primitives::EntityId;
use runtime_vm::VM_THREAD_STACK_BYTES;

const CHANGES: [Change; 3] = [Change::Joins, Change::Leaves, Change::Rotates];
/// Machines of each scene.
const MACHINES: usize = 5;
/// Between when and when somebody loses power, over and over, in ms: while the market is made, when the set changes, and while
/// slots are traded by the new one.
const OUTAGES: std::ops::Range<u64> = 4_000..40_000;

/// Links that lose one message in ten, clocks that differ, and every few seconds somebody without power for a while.
fn weather(seed: u64) -> Weather {
    let mut dice = Dice::new(seed);
    let mut weather = Weather::fair(MACHINES);
    weather.lines = Lines::Lossy;
    weather.ahead_ms = (0..MACHINES).map(|_| dice.below(1_500)).collect();
    let mut at = OUTAGES.start;
    while at < OUTAGES.end {
        weather = weather.with_outage(dice.index(MACHINES), at + dice.below(1_500));
        at += 3_000 + dice.below(3_000);
    }
    weather
}

/// The sets before and after the change, if there was one.
fn change_of(sets: &[Vec<EntityId>]) -> (usize, usize) {
    (sets.first().map_or(0, Vec::len), sets.last().map_or(0, Vec::len))
}

#[test]
fn validators_join_leave_and_rotate_on_lossy_links_while_nodes_crash() {
    let runs = each(seeds(0..6), VM_THREAD_STACK_BYTES, |seed| {
        let _named = Seed(seed);
        let change = CHANGES[usize::try_from(seed % 3).unwrap()];
        let began = ThreadTime::now();
        let run = play_in(Scene::changing(change), seed, &weather(seed), &[], |_: &Body| true);
        let Run {
            findings: Findings { violations, settled, checkpoints, sets, electors, .. }, crashes, ..
        } = &run;
        eprintln!(
            "seed {seed}: {change:?}, {} epochs, {settled:?} by {electors:?}, {checkpoints} checkpoints, {} restarts, {} ms \
             of a core",
            sets.len(),
            crashes.0,
            began.elapsed().as_millis()
        );
        assert_eq!(*violations, []);
        assert!(crashes.0 > 3 && *checkpoints > 2);
        (change, run)
    });
    for (change, Run { findings, .. }) in &runs {
        let wanted = match change {
            Change::Joins => (4, 5),
            Change::Leaves => (5, 4),
            Change::Rotates => (4, 4),
        };
        assert_eq!(change_of(&findings.sets), wanted, "{change:?}");
    }
}
