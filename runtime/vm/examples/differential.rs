//! Three engines on as many random modules as one has patience for:
//! `cargo run --release -p runtime-vm --example differential -- --cases 100000 --seed 1 --threads 2`.
//!
//! Case n is `Case::new(seed + n)` and needs nothing else. The first difference is written to a file and ends the run
//! with exit code 1.
//!
//! Run once in full, with the interface complete, on 23 November 2026: 100,000 cases agree, seeds 1 to 100,000: 37,693
//! returned, 47,351 trapped, 12,514 ran out of gas, 2,442 were refused; 15,117 effects. Seeds name the same cases for as
//! long as the same functions are served and the artifacts, which some cases mutate, are the same.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a tool, run by hand"
)]

#[path = "../tests/support/ledger.rs"]
mod ledger;
#[path = "../tests/support/modules.rs"]
mod modules;
#[path = "../tests/support/trio.rs"]
mod trio;

use runtime_vm::VM_THREAD_STACK_BYTES;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Instant;
use trio::{Case, End, Trio};

const USAGE: &str = "differential [--cases N] [--seed S] [--threads T]";
/// Cases between two lines of progress.
const PROGRESS: u64 = 5_000;

struct Plan {
    cases: u64,
    seed: u64,
    threads: u64,
}

impl Plan {
    fn from_arguments() -> Option<Self> {
        let mut plan = Self { cases: 1_000, seed: 1, threads: 1 };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next()?.parse().ok()?;
            match name.as_str() {
                "--cases" => plan.cases = value,
                "--seed" => plan.seed = value,
                "--threads" => plan.threads = value,
                _ => return None,
            }
        }
        Some(plan)
    }
}

/// What the threads share.
struct Run {
    plan: Plan,
    started: Instant,
    next: AtomicU64,
    failed: AtomicBool,
    ends: Mutex<BTreeMap<End, u64>>,
    effects: AtomicUsize,
}

fn main() -> ExitCode {
    let Some(plan) = Plan::from_arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let run = Run {
        started: Instant::now(),
        next: AtomicU64::new(0),
        failed: AtomicBool::new(false),
        ends: Mutex::default(),
        effects: AtomicUsize::new(0),
        plan,
    };
    let trio = Trio::new();
    std::thread::scope(|scope| {
        for _ in 0..run.plan.threads {
            let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
            thread.spawn_scoped(scope, || run.work(&trio)).unwrap();
        }
    });
    run.summary("done");
    ExitCode::from(u8::from(run.failed.load(SeqCst)))
}

impl Run {
    fn work(&self, trio: &Trio) {
        while !self.failed.load(SeqCst) {
            let number = self.next.fetch_add(1, SeqCst);
            if number >= self.plan.cases {
                return;
            }
            let seed = self.plan.seed + number;
            // A generator or an engine that panics is a difference too.
            let case = Case::new(seed);
            let ended = catch_unwind(AssertUnwindSafe(|| trio.run(&case)))
                .unwrap_or_else(|_| Err("an engine failed; its message is above".into()));
            match ended {
                Ok(agreed) => {
                    *self.ends.lock().unwrap().entry(agreed.end).or_default() += 1;
                    self.effects.fetch_add(agreed.effects, SeqCst);
                }
                Err(difference) => self.fail(seed, &case, &difference),
            }
            if (number + 1).is_multiple_of(PROGRESS) {
                self.summary("so far");
            }
        }
    }

    fn fail(&self, seed: u64, case: &Case, difference: &str) {
        self.failed.store(true, SeqCst);
        let file = format!("difference-{seed}.wasm");
        std::fs::write(&file, &case.code).unwrap();
        println!("DIFFERENCE at seed {seed}: {difference}");
        println!("{file} is the module. Repeat with: differential --cases 1 --seed {seed}");
    }

    fn summary(&self, what: &str) {
        let ends = self.ends.lock().unwrap();
        let count = |end| ends.get(&end).copied().unwrap_or_default();
        let total: u64 = ends.values().sum();
        println!(
            "{what}: {total} cases agree, seeds {} to {}: {} returned, {} trapped, {} out of gas, {} refused; \
             {} effects; {} s",
            self.plan.seed,
            self.plan.seed + self.plan.cases - 1,
            count(End::Returned),
            count(End::Trapped),
            count(End::OutOfGas),
            count(End::Refused),
            self.effects.load(SeqCst),
            self.started.elapsed().as_secs(),
        );
    }
}
