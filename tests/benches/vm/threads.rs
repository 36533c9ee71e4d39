//! Whether two threads get twice as much done: the same work on one machine, by one thread and by two.
//!
//! Wall time, since waiting for each other is what would go wrong. The CPU time of a call is given beside it: if only
//! the wall time rises, the processors were busy with something else.

use crate::measure::{Plan, median, micros};
use crate::works;
use cpu_time::ThreadTime;
use runtime_primitives::blake2_256;
use runtime_vm::{EngineKind, Kind, VM_THREAD_STACK_BYTES, Vm};
use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// What two threads did in comparison with one.
pub struct Scaling {
    /// Calls by two threads in the time of one call by one, median of rounds; 2 at best.
    pub throughput: f64,
    /// CPU time of a call with one thread, µs.
    pub alone: f64,
    /// CPU time of a call with two threads, µs.
    pub together: f64,
    /// What native Rust gets: less than 2 is the machine's doing.
    pub native: f64,
}

/// Begin, end and CPU time of one thread.
type Turn = (Instant, Instant, Duration);

/// Measures the clearing of 1,000 orders by `high-low`.
pub fn measure(plan: &Plan) -> Scaling {
    let vm = Vm::new(EngineKind::Wasmtime).expect("the engine starts");
    let rule = &works::HIGH_LOW;
    let module = vm
        .load(&blake2_256(rule.wasm), Kind::Pure, || rule.wasm.to_vec())
        .expect("the artifact follows the rules");
    let input = works::clear_message(1_000);
    let ours = || {
        let outcome = vm.call_pure(&module, &input, works::PLENTY);
        assert!(black_box(outcome).result.is_ok(), "the book is cleared");
    };
    let native = || drop(black_box((rule.native)(&input)));
    let calls = [calls_of_a_turn(&ours, plan), calls_of_a_turn(&native, plan)];
    let [mut throughput, mut alone, mut together, mut natively] = [const { Vec::new() }; 4];
    for _ in 0..plan.threads_rounds {
        let (one, two) = (turns(&ours, 1, calls[0]), turns(&ours, 2, calls[0]));
        throughput.push(2.0 * micros(wall(&one)) / micros(wall(&two)));
        alone.push(cpu(&one) / f64::from(calls[0]));
        together.push(cpu(&two) / f64::from(calls[0]));
        let (one, two) = (turns(&native, 1, calls[1]), turns(&native, 2, calls[1]));
        natively.push(2.0 * micros(wall(&one)) / micros(wall(&two)));
    }
    let [throughput, alone, together, native] =
        [throughput, alone, together, natively].map(|samples| median(samples).expect("there was a round"));
    Scaling { throughput, alone, together, native }
}

/// Calls that fill a turn of one thread.
fn calls_of_a_turn(call: &(impl Fn() + Sync), plan: &Plan) -> u32 {
    let mut calls = 1;
    while wall(&turns(call, 1, calls)) < plan.threads_turn {
        calls *= 2;
    }
    calls
}

fn turns(call: &(impl Fn() + Sync), threads: usize, calls: u32) -> Vec<Turn> {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        let one = || {
            // The first call touches the thread's stack.
            call();
            start.wait();
            let (began, worked) = (Instant::now(), ThreadTime::now());
            (0..calls).for_each(|_| call());
            (began, Instant::now(), worked.elapsed())
        };
        let spawn = |_| {
            let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
            thread.spawn_scoped(scope, one).expect("the system can start a thread")
        };
        let running: Vec<_> = (0..threads).map(spawn).collect();
        running.into_iter().map(|thread| thread.join().expect("the thread ends")).collect()
    })
}

/// From the first begin to the last end.
fn wall(turns: &[Turn]) -> Duration {
    let began = turns.iter().map(|turn| turn.0).min().expect("there is a thread");
    let ended = turns.iter().map(|turn| turn.1).max().expect("there is a thread");
    ended - began
}

/// Mean CPU time of a thread, µs.
fn cpu(turns: &[Turn]) -> f64 {
    let threads = u32::try_from(turns.len()).expect("a few threads");
    micros(turns.iter().map(|turn| turn.2).sum::<Duration>()) / f64::from(threads)
}
