//! What the measuring programs share: the engine without our pass, books to clear, and robust statistics.
#![allow(dead_code, reason = "each program uses a part")]

pub mod bare;
pub mod books;

use std::time::{Duration, Instant};

/// Runs `body` on a thread with the stack that callers must give to contracts.
pub fn on_vm_thread(body: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(runtime_vm::VM_THREAD_STACK_BYTES);
    thread.spawn(body).expect("a thread starts").join().expect("the measurement ends");
}

/// How long `run` takes.
pub fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// How long `run` takes on a core: waiting for one counts only in runs too short to be interrupted, as far as the
/// system tells.
#[allow(clippy::disallowed_methods, reason = "the system tells by a file")]
pub fn timed_on_core(run: impl FnOnce()) -> Duration {
    // Nanoseconds of this thread on a core, brought up to date every few milliseconds.
    let on_core = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    };
    let before = on_core();
    let elapsed = timed(run);
    match (before, on_core()) {
        (Some(before), Some(after)) if elapsed > Duration::from_millis(40) => elapsed.min(after - before),
        _ => elapsed,
    }
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
