//! The figures, as a table and as JSON.

use serde_json::{Value, json};
use std::fmt;

/// A phase under load.
pub struct Phase {
    pub blocks: u64,
    pub bids: u64,
    /// From the first submission to the last bid's block.
    pub ms: u64,
    /// From submission to a final and executed block.
    pub p50_ms: u64,
    pub p95_ms: u64,
}

/// A validator that comes back.
pub struct CatchUp {
    /// Until it answers.
    pub start_ms: u64,
    /// From then on until it has found its peers, and has executed the first block of theirs.
    pub search_ms: u64,
    /// What it missed.
    pub blocks: u64,
    /// Extrinsics after the first block, and how long they took.
    pub bids: u64,
    pub ms: u64,
}

pub struct Report {
    pub validators: usize,
    pub interval_ms: u64,
    pub up: Phase,
    pub one_down: Phase,
    pub one_restarting: Phase,
    pub catch_up: CatchUp,
}

/// Tenths of `count` a second.
fn per_second(count: u64, ms: u64) -> Tenths {
    Tenths(count * 10_000 / ms.max(1))
}

/// A figure with one decimal.
#[derive(Clone, Copy)]
struct Tenths(u64);

impl Tenths {
    fn json(self) -> Value {
        serde_json::from_str(&self.to_string()).expect("a number")
    }
}

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl Phase {
    fn json(&self) -> Value {
        json!({ "blocks": self.blocks, "bids": self.bids, "ms": self.ms, "p50_ms": self.p50_ms, "p95_ms": self.p95_ms,
            "blocks_per_s": per_second(self.blocks, self.ms).json(), "bids_per_s": per_second(self.bids, self.ms).json() })
    }
}

impl Report {
    fn phases(&self) -> [(&str, &Phase); 3] {
        [("all up", &self.up), ("one down", &self.one_down), ("one restarting", &self.one_restarting)]
    }

    /// Bids a second of the one that comes back, over those of the others while it was away.
    fn times_live(&self) -> Tenths {
        let live = per_second(self.one_down.bids, self.one_down.ms).0.max(1);
        Tenths(per_second(self.catch_up.bids, self.catch_up.ms).0 * 10 / live)
    }

    pub fn json(&self) -> Value {
        let CatchUp { start_ms, search_ms, blocks, bids, ms } = self.catch_up;
        json!({ "validators": self.validators, "interval_ms": self.interval_ms, "up": self.up.json(),
            "one_down": self.one_down.json(), "one_restarting": self.one_restarting.json(),
            "catch_up": { "start_ms": start_ms, "search_ms": search_ms, "blocks": blocks, "bids": bids, "ms": ms,
                "bids_per_s": per_second(bids, ms).json(), "times_live": self.times_live().json() } })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bids = self.up.bids;
        writeln!(
            f,
            "{} validators, blocks at least {} ms apart, {bids} signed bids a phase\n",
            self.validators, self.interval_ms
        )?;
        writeln!(f, "| | blocks/s | bids/s | p50 ms | p95 ms |\n|---|---|---|---|---|")?;
        for (name, phase) in self.phases() {
            let Phase { blocks, bids, ms, p50_ms, p95_ms } = *phase;
            let (blocks, bids) = (per_second(blocks, ms), per_second(bids, ms));
            writeln!(f, "| {name} | {blocks} | {bids} | {p50_ms} | {p95_ms} |")?;
        }
        let CatchUp { start_ms, search_ms, blocks, bids, ms } = self.catch_up;
        let rate = per_second(bids, ms);
        let times = self.times_live();
        write!(
            f,
            "\ncatch-up on {blocks} blocks: it answers after {start_ms} ms, has found its peers and executed the first block \
             {search_ms} ms later, and then {bids} bids in {ms} ms, {rate} a second: {times} times the live rate"
        )
    }
}
