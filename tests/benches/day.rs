//! The summer day on a real node, several times: `cargo bench -p busbar-tests --bench day [-- RUNS]`.
//!
//! A benchmark, never a test: it prints what this machine did and asserts only that the runs agree.

use host_node::community::Season;
use host_node::report::peak_memory_bytes;
use host_node::scenario::{Casting, Play, day};
use runtime_vm::VM_THREAD_STACK_BYTES;
use std::time::{Duration, Instant};

struct Run {
    wall: Duration,
    extrinsics: u64,
    header: String,
    parts: [Duration; 3],
}

fn run() -> Run {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let began = Instant::now();
    let mut play =
        Play::open(day(Season::Summer), Casting::default(), folder.path()).expect("the play opens");
    play.run(|_| {}).expect("the day ends");
    let wall = began.elapsed();
    let node = play.chain().statistics();
    Run {
        wall,
        extrinsics: node.extrinsics,
        header: play.chain().snapshot().hash().to_string(),
        parts: [node.verifying, node.executing, node.committing],
    }
}

fn report(runs: usize) {
    println!("| run | wall ms | extrinsics/s | signatures ms | execution ms | commits ms |");
    println!("|--:|--:|--:|--:|--:|--:|");
    let mut all = Vec::new();
    for number in 1..=runs {
        let run = run();
        let wall = run.wall.as_millis().max(1);
        let rate = u128::from(run.extrinsics) * 1_000 / wall;
        let [signatures, execution, commits] = run.parts.map(|part| part.as_millis());
        println!("| {number} | {wall} | {rate} | {signatures} | {execution} | {commits} |");
        all.push((wall, rate, run.header));
    }
    assert!(all.windows(2).all(|pair| pair[0].2 == pair[1].2), "equal runs have equal headers");
    all.sort_unstable();
    let (wall, rate, _) = &all[all.len() / 2];
    println!("median: {wall} ms, {rate} extrinsics/s");
    if let Some(peak) = peak_memory_bytes() {
        println!("peak memory: {} MiB", peak >> 20);
    }
}

fn main() {
    // `cargo bench` passes `--bench`; the only argument of ours is a number.
    let runs = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(5).max(1);
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    let bench = thread.spawn(move || report(runs)).expect("the system can start a thread");
    if bench.join().is_err() {
        std::process::exit(101);
    }
}
