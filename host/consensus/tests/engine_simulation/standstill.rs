//! Blocks follow one another and none becomes final: one of four is away, and another one, a liar, is heard too late for the
//! rest to vote for the finality of a block and never votes for it. No block with anything in it may be far ahead of what is
//! executed. When the one is back the chain must go on, whatever the liar does.

use crate::byzantine::Kind;
use crate::faults::{Event, Faults};
use crate::run::run;
use crate::simulator::each;
use crate::validators::Build;
use crate::{Report, STACK_BYTES};
use runtime_primitives::limits::EXECUTED_LAG_MAX;
use std::collections::BTreeMap;

/// Until more blocks than may be ahead of execution have followed one another, in ms.
const HEALED_MS: u64 = 200_000;

/// From so long after the start on, in ms: at every place of an epoch. Its last block is proposed again and again, so that only
/// a chain that stands still before that does so for good.
fn from(ms: u64) -> Report {
    let events = vec![(ms, Event::Kill(1)), (ms, Event::Late(2)), (HEALED_MS - 500, Event::Start(1))];
    let liars = BTreeMap::from([(2, Kind::FinalityWithholder)]);
    let faults = Faults { healed_ms: HEALED_MS, liars, events, ..Faults::none(4) };
    run(1, &faults, Build::Real).unwrap_or_else(|violation| panic!("from {ms} ms on: {violation}"))
}

#[test]
fn a_chain_of_blocks_that_are_not_final_goes_on_when_all_are_heard_again() {
    let reports = each(0..12, STACK_BYTES, |nth| from(2_000 + nth * 300));
    let withheld = |report: &Report| report.lies[Kind::FinalityWithholder.name()];
    assert!(reports.iter().all(|report| withheld(report) > EXECUTED_LAG_MAX), "{reports:?}");
}
