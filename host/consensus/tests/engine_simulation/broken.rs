//! Builds that are broken on purpose: the harness must say what breaks. Each stands beside the same faults without the
//! break, which must pass.

use crate::faults::{Event, Faults};
use crate::run::run;
use crate::validators::Build;
use std::collections::BTreeMap;

/// `build` fails on `faults` with one of `expected`.
fn check(faults: &Faults, build: Build, expected: &[&str]) {
    for seed in 1..4 {
        let violation = run(seed, faults, build).expect_err("nothing was seen");
        assert!(expected.iter().any(|text| violation.contains(text)), "seed {seed}: {violation}");
    }
}

/// A quorum that is one too low (2f of 3f + 1) lets two quorums meet in f - 1 validators: in liars alone. The library's
/// quorum is not ours to lower; f + 1 liars come to the same, since two right quorums then meet in liars alone. Two of
/// four tell the other two different stories. The second of these is not heard, or the liars' own engines, which are
/// honest, would shut one another out.
#[test]
fn quorums_that_meet_in_liars_alone_are_seen_as_two_chains() {
    let deaf = [(0, 1), (1, 0), (1, 2), (1, 3)];
    let events = deaf.map(|(from, to)| (0, Event::Deaf(from, to))).to_vec();
    let faults = Faults { events, ..Faults::none(4) };
    check(&faults, Build::Conspirators(2), &["two headers at height", "fork detected"]);
    let report = run(1, &faults, Build::Conspirators(1)).unwrap();
    assert!(report.height > 0);
}

/// The state of a block that was not durable stays, its height does not: the block is executed twice.
#[test]
fn a_commit_that_forgets_the_height_is_seen_as_another_header() {
    let power_failures = BTreeMap::from([(1, 3_000)]);
    let faults = Faults { power_failures, events: vec![(5_000, Event::Start(1))], ..Faults::none(4) };
    check(&faults, Build::ForgetsHeight, &["two headers at height"]);
    let report = run(1, &faults, Build::Real).unwrap();
    assert_eq!(report.power_failures, 1);
}

/// All are killed at once, and nothing that an engine wrote is there afterwards: a new order begins at genesis, on
/// applications that are further. They refuse it, and the chain stands still.
#[test]
fn engines_that_forget_what_they_wrote_are_seen_as_a_chain_that_stands_still() {
    let killed = (0..4).map(|who| (4_000, Event::Kill(who)));
    let events = killed.chain((0..4).map(|who| (4_500, Event::Start(who)))).collect();
    let faults = Faults { events, ..Faults::none(4) };
    check(&faults, Build::ForgetsVotes, &["no progress after healing"]);
    assert!(run(1, &faults, Build::Real).unwrap().height > 0);
}
