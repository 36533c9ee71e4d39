//! The engine's wiring in the library's simulator: from one seed come who lies and how, how far clocks are off, and when
//! links, disks and processes fail.
//!
//! The application is a chain of bytes. The whole node is simulated by the `simulation` test of the tests package; here
//! only the wiring is at stake.

#![allow(clippy::unwrap_used, reason = "tests")]

mod application;
mod audit;
mod broken;
mod byzantine;
mod dice;
mod faults;
mod messages;
mod run;
mod validators;

use byzantine::Kind;
use run::{Report, run};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds that are run without being asked for.
const SEEDS: Range<u64> = 1..65;

/// `BUSBAR_SEEDS=A..B` runs others than these.
fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("BUSBAR_SEEDS") else { return SEEDS };
    let (from, to) = text.split_once("..").expect("BUSBAR_SEEDS=A..B");
    from.parse().unwrap()..to.parse().unwrap()
}

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

/// The reports of all seeds, on as many threads as there are cores.
fn check_all(seeds: Range<u64>) -> Vec<Report> {
    let next = AtomicU64::new(seeds.start);
    let reports = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end {
                        return;
                    }
                    let report = check(seed);
                    reports.lock().unwrap().push(report);
                }
            });
        }
    });
    reports.into_inner().unwrap()
}

#[test]
fn honest_validators_agree_and_go_on_through_faults_and_lies() {
    let reports = check_all(seeds());
    let mut lies: BTreeMap<&str, u64> = BTreeMap::new();
    for report in &reports {
        for (kind, told) in &report.lies {
            *lies.entry(kind).or_default() += told;
        }
    }
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    let slowest = reports.iter().map(|report| report.recovery_ms).max().unwrap_or(0);
    println!(
        "{} seeds, {} blocks, {slowest} ms to recover at most, {} power failures, {} alarms, {} liars shut out, {} malformed blocks counted, lies: {lies:?}",
        reports.len(),
        sum(|report| report.height),
        sum(|report| report.power_failures),
        sum(|report| report.alarms),
        sum(|report| report.shut_out),
        sum(|report| report.invalid_blocks),
    );
    // A draw that never lies or never fails shows nothing.
    if seeds() == SEEDS {
        assert!(Kind::ALL.iter().all(|kind| lies.contains_key(kind.name())), "{lies:?}");
        assert!(sum(|report| report.power_failures) > 0);
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
