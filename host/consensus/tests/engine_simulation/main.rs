//! The engine's wiring in the library's simulator: from one seed come who lies and how, how far clocks are off, and when
//! links, disks and processes fail.
//!
//! The application is a chain of bytes. The whole node is simulated by the `chain_simulation` test of the tests package;
//! here only the wiring is at stake.

#![allow(clippy::unwrap_used, reason = "tests")]

mod application;
mod audit;
mod broken;
mod byzantine;
mod faults;
mod messages;
mod rest;
mod restored;
mod run;
#[path = "../simulator/mod.rs"]
mod simulator;
mod standstill;
mod validators;

use byzantine::Kind;
use run::{Report, run};
use simulator::{each, seeds};
use std::collections::BTreeMap;
use std::ops::Range;

/// Seeds that are run without being asked for.
const SEEDS: Range<u64> = 1..65;

/// Bytes of a stack on which a run fits.
const STACK_BYTES: usize = 2 << 20;

/// Run a seed and name it if something does not hold.
fn check(seed: u64) -> Report {
    let faults = faults::Faults::draw(seed);
    let report = std::panic::catch_unwind(|| run(seed, &faults, validators::Build::Real));
    match report {
        Ok(Ok(report)) => report,
        Ok(Err(violation)) => panic!("BUSBAR_SEEDS={seed}..{}: {violation}\n{faults:?}", seed + 1),
        Err(_) => panic!("BUSBAR_SEEDS={seed}..{}: a panic, see above\n{faults:?}", seed + 1),
    }
}

#[test]
fn honest_validators_agree_and_go_on_through_faults_and_lies() {
    let reports = each(seeds(SEEDS), STACK_BYTES, check);
    let mut lies: BTreeMap<&str, u64> = BTreeMap::new();
    for report in &reports {
        for (kind, told) in &report.lies {
            *lies.entry(kind).or_default() += told;
        }
    }
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    let slowest = reports.iter().map(|report| report.recovery_ms).max().unwrap_or(0);
    println!(
        "{} seeds, {} blocks, {slowest} ms to recover at most, {} power failures ({} under the engine's files), {} alarms, {} liars shut out, {} malformed blocks counted, lies: {lies:?}",
        reports.len(),
        sum(|report| report.height),
        sum(|report| report.power_failures),
        sum(|report| report.engine_failures),
        sum(|report| report.alarms),
        sum(|report| report.shut_out),
        sum(|report| report.invalid_blocks),
    );
    // A draw that never lies or never fails shows nothing.
    if seeds(SEEDS) == SEEDS {
        assert!(Kind::ALL.iter().all(|kind| lies.contains_key(kind.name())), "{lies:?}");
        assert!(sum(|report| report.power_failures) > sum(|report| report.engine_failures));
        assert!(sum(|report| report.engine_failures) > 0);
        assert!(sum(|report| report.alarms) > 0);
        assert!(sum(|report| report.shut_out) > 0);
        assert!(sum(|report| report.invalid_blocks) > 0);
    }
}

#[test]
fn a_seed_tells_everything() {
    let (once, again, other) = (check(5), check(5), check(6));
    assert_eq!(once, again);
    assert_ne!(once.fingerprint, other.fingerprint);
}
