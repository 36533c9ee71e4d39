//! What must hold among honest validators, checked at each block they execute. What does not hold is written down and
//! ends the run.

use commonware_runtime::{Clock as _, deterministic};
use commonware_utils::SystemTimeExt as _;
use host_consensus::{Parent, Timeliness, check_time};
use runtime_primitives::{Hash, OrderedBlock, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// The true time when a run begins, in ms.
const BEGIN_MS: u64 = 1_000_000;
/// How far an honest validator's clock is ever off, but for one that jumps, in ms.
pub const SKEW_MS_MAX: i64 = 240;

/// Sees all validators of a run at once.
#[derive(Default)]
pub struct Audit {
    book: Mutex<Book>,
    now_ms: AtomicU64,
}

/// What was seen.
#[derive(Default)]
pub struct Book {
    /// Header of each height, and who executed it first.
    headers: BTreeMap<u64, (Hash, usize)>,
    /// Blocks that break a rule: by payload hash, and whose they are.
    false_blocks: BTreeMap<Hash, &'static str>,
    violations: Vec<String>,
    /// Who saw a header that differs from its own.
    pub alarms: BTreeSet<usize>,
    /// Whose proposals those were.
    pub accused: BTreeSet<usize>,
    /// Lies that were told, by kind.
    pub lies: BTreeMap<&'static str, u64>,
    /// Times that a node lost what it had not made durable.
    pub power_failures: u64,
    /// Pairs (who shut out, who is shut out).
    pub blocked: Vec<(usize, usize)>,
    /// The honest validators' common height when all faults were over.
    pub healed_at: Option<u64>,
    /// Files in which the first validator's engine keeps the votes of an epoch at the end, at most.
    pub journal_files: usize,
    /// The library's and the engine's counters at the end.
    pub counters: String,
}

impl Audit {
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// Take the time from a run's runtime: it is asked whenever a validator looks at its clock, and often besides.
    pub fn look_at(&self, runtime: &deterministic::Context) -> u64 {
        let elapsed = runtime.current().epoch().as_millis();
        let now_ms = Self::true_ms(u64::try_from(elapsed).unwrap());
        self.now_ms.fetch_max(now_ms, Ordering::SeqCst).max(now_ms)
    }

    /// The true time after `ms` of a run.
    pub const fn true_ms(ms: u64) -> u64 {
        BEGIN_MS + ms
    }

    /// The true time when it was last looked at, in ms.
    pub fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    pub fn violation(&self, what: String) {
        self.book().violations.push(what);
    }

    /// The first thing that did not hold.
    pub fn first_violation(&self) -> Option<String> {
        self.book().violations.first().cloned()
    }

    pub fn lie(&self, kind: &'static str) {
        *self.book().lies.entry(kind).or_default() += 1;
    }

    /// A liar proposes a block that no honest validator may ever vote for.
    pub fn false_block(&self, kind: &'static str, block: &OrderedBlock) {
        self.book().false_blocks.insert(block.payload_hash(), kind);
    }

    /// An honest validator executed `block` on `parent`.
    pub fn executed(&self, who: usize, parent: &Parent, block: &OrderedBlock, header: Hash) {
        let height = block.height.number();
        let now = Timestamp::from_ms(self.now_ms() + SKEW_MS_MAX.unsigned_abs());
        let mut book = self.book();
        let (first, by) = *book.headers.entry(height).or_insert((header, who));
        if first != header {
            book.violations.push(format!(
                "two headers at height {height}: {first} by validator {by}, {header} by {who}"
            ));
        }
        match check_time(parent, block.timestamp, now) {
            Ok(Timeliness::Now) => {}
            wrong => book.violations.push(format!("block {height} was final too early: {wrong:?}")),
        }
        if let Some(kind) = book.false_blocks.get(&block.payload_hash()) {
            let what = format!("block {height} breaks a rule and is final: it is of the {kind}");
            book.violations.push(what);
        }
    }
}
