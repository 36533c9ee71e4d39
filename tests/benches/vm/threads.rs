//! Whether two threads get twice as much done: the same work on one machine, by one thread and by two.
//!
//! Wall time, since waiting for each other is what would go wrong. The CPU time of a call is given beside it: if only
//! the wall time rises, the processors were busy with something else.

use crate::measure::{Plan, median, micros};
use crate::works;
use cpu_time::ThreadTime;
use runtime_primitives::blake2_256;
use runtime_vm::{EngineKind, Kind, Module, VM_THREAD_STACK_BYTES, Vm};
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
    let mut calls = 1;
    while wall(&turns(&vm, &module, &input, 1, calls)) < plan.threads_turn {
        calls *= 2;
    }
    let [mut throughput, mut alone, mut together] = [const { Vec::new() }; 3];
    for _ in 0..plan.threads_rounds {
        let one = turns(&vm, &module, &input, 1, calls);
        let two = turns(&vm, &module, &input, 2, calls);
        throughput.push(2.0 * micros(wall(&one)) / micros(wall(&two)));
        alone.push(cpu(&one) / f64::from(calls));
        together.push(cpu(&two) / f64::from(calls));
    }
    let [throughput, alone, together] =
        [throughput, alone, together].map(|samples| median(samples).expect("there was a round"));
    Scaling { throughput, alone, together }
}

fn turns(vm: &Vm, module: &Module, input: &[u8], threads: usize, calls: u32) -> Vec<Turn> {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        let one = || {
            // The first call touches the thread's stack.
            black_box(vm.call_pure(module, input, works::PLENTY));
            start.wait();
            let (began, worked) = (Instant::now(), ThreadTime::now());
            for _ in 0..calls {
                let outcome = vm.call_pure(module, input, works::PLENTY);
                assert!(black_box(outcome).result.is_ok(), "the book is cleared");
            }
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
