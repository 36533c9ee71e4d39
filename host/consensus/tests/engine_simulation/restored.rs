//! A validator without a disk begins with another's state, on an engine without files, and stands on a final block. The power
//! fails under these files at any of their first writes.

use crate::faults::{Event, Faults};
use crate::run::run;
use crate::simulator::each;
use crate::validators::Build;
use crate::{Report, STACK_BYTES};
use std::collections::BTreeMap;

/// When it comes back, in ms: after some epochs.
const BACK_MS: u64 = 9_000;
/// Writes and syncs of the new engine's files before the power fails, in as many runs.
const OPERATIONS: std::ops::Range<u64> = 0..24;

fn check(operations: u64) -> Report {
    let starts = [BACK_MS, BACK_MS + 700, BACK_MS + 1_500, BACK_MS + 4_900];
    let starts = starts.map(|at| (at, Event::Start(1)));
    let events = [(5_000, Event::Kill(1))].into_iter().chain(starts).collect();
    let engine_failures = BTreeMap::from([(1, (BACK_MS, operations))]);
    let faults = Faults { events, engine_failures, ..Faults::none(4) };
    let report = run(operations + 1, &faults, Build::Restored);
    report.unwrap_or_else(|violation| panic!("power fails at operation {operations}: {violation}"))
}

#[test]
fn a_validator_goes_on_from_anothers_state_whenever_its_power_fails() {
    let reports = each(OPERATIONS, STACK_BYTES, check);
    let failed = reports.iter().filter(|report| report.engine_failures > 0).count();
    assert!(failed > reports.len() / 2, "{failed} of {} failed", reports.len());
    for report in &reports {
        assert!(report.base > 0 && report.height > report.base && report.shut_out == 0, "{report:?}");
    }
}
