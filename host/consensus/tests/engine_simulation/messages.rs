//! Messages that are none, too large or too many, on each channel: who sends them is shut out or what he sends is counted,
//! the others go on, and they need no more memory.

use crate::byzantine::{BACKFILL, BROADCAST, CERTIFICATE, Kind, RESOLVER, VOTE};
use crate::faults::Faults;
use crate::run::{Report, run};
use crate::validators::Build;
use std::collections::BTreeMap;

/// One of four lies, nothing else is wrong.
fn lying(kind: Kind, channel: usize, flood: u64) -> Report {
    let liars = BTreeMap::from([(2, kind)]);
    run(1, &Faults { liars, attacked: Some(channel), flood, ..Faults::none(4) }, Build::Real).unwrap()
}

/// What comes of a message that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Every honest validator shuts its sender out.
    ShutOut,
    /// It is refused and counted.
    Counted,
    /// It is dropped.
    Dropped,
}

#[test]
fn who_sends_malformed_or_oversized_messages_is_shut_out_counted_or_not_heard() {
    let rows = [
        (VOTE, Fate::ShutOut),
        (CERTIFICATE, Fate::ShutOut),
        (RESOLVER, Fate::Dropped),
        (BROADCAST, Fate::Counted),
        (BACKFILL, Fate::Dropped),
    ];
    for (channel, expected) in rows {
        for kind in [Kind::MalformedMessages, Kind::OversizedMessages] {
            let report = lying(kind, channel, 0);
            let told = report.lies[kind.name()];
            let fate = match (report.shut_out, report.invalid_blocks) {
                (3, 0) => Fate::ShutOut,
                (0, 1..) => Fate::Counted,
                (0, 0) => Fate::Dropped,
                other => panic!("{kind:?} on channel {channel}: {other:?}"),
            };
            assert_eq!((fate, told > 5), (expected, true), "{kind:?} on channel {channel}, {told} told");
        }
    }
}

#[cfg(target_os = "linux")]
const FLOOD_TEST: &str = "messages::a_flood_takes_no_more_memory_the_longer_it_is";

/// In a run with a flood of `messages`: blocks that were heard, and the most memory that it ever took, in KiB. It is asked
/// of a process that does nothing else: this test's own, told so by its environment.
#[cfg(target_os = "linux")]
fn flood(messages: &str) -> (u64, u64) {
    let own = std::env::current_exe().unwrap();
    let mut process = std::process::Command::new(own);
    process.args(["--exact", FLOOD_TEST, "--nocapture"]).env("BUSBAR_FLOOD", messages);
    let output = String::from_utf8(process.output().unwrap().stdout).unwrap();
    let figure = |name: &str| {
        let found = output.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        found.unwrap_or_else(|| panic!("{name} in {output}"))
    };
    (figure("blocks heard:"), figure("peak KiB:"))
}

/// In the process that does nothing else.
#[cfg(target_os = "linux")]
fn flooded(messages: u64) {
    let report = lying(Kind::FloodingPeer, VOTE, messages);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB")).unwrap();
    // The first line is begun by the test's name.
    println!("\nblocks heard: {}\npeak KiB: {}", report.heard_blocks, peak.trim());
}

/// A block of the flood has 8 kB, and each validator keeps ten of a peer.
#[cfg(target_os = "linux")]
#[test]
fn a_flood_takes_no_more_memory_the_longer_it_is() {
    if let Ok(messages) = std::env::var("BUSBAR_FLOOD") {
        return flooded(messages.parse().unwrap());
    }
    let ((few, small), (many, large)) = (flood("250"), flood("20000"));
    assert!(few < 1_000 && many > 5_000, "{few} and {many} blocks heard");
    assert!(large < small + (32 << 10), "{small} KiB for {few} blocks, {large} KiB for {many}");
}
