//! Modules made to compile slowly: the nastiest that are accepted, and how long both compilers need for them.
//!
//! `cargo run --release -p runtime-vm --example bombs [SEEDS]`. Compiles the instrumented module on one thread, as a
//! node with one core to spare would, and reports milliseconds for each 128 KiB of accepted code. It fails if the
//! one-pass compiler, the first tier for heavy code, needs more than 200 of them.
#![allow(clippy::unwrap_used, clippy::disallowed_types, reason = "it measures time, by hand")]
#![allow(clippy::disallowed_methods, reason = "it takes an argument")]
#![allow(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "it prints figures for people")]

#[path = "../tests/support/nasty.rs"]
mod nasty;
mod support;

use nasty::{SHAPES, bomb, shape_name};
use runtime_vm::{Kind, check};
use std::time::Duration;
use support::{bare, timed_on_core};
use wasmtime::Strategy;

/// What the first tier may need for 128 KiB of accepted code.
const MS_MAX: f64 = 200.0;

/// Sizes of bodies to compare: what is accepted, and a half and a quarter of it.
const BODIES: [usize; 3] = [32 << 10, 16 << 10, 8 << 10];

fn main() {
    let seeds = std::env::args().nth(1).map_or(3, |text| text.parse().unwrap());
    support::on_vm_thread(move || {
        let slow = measure(seeds);
        assert!(slow.is_empty(), "slow on the first tier: {slow:?}");
    });
}

fn measure(seeds: u64) -> Vec<String> {
    let [optimising, one_pass] = [Strategy::Cranelift, Strategy::Winch].map(bare::engine_of_one_thread);
    println!(
        "| shape | largest body | seed | bytes | check ms | Cranelift ms | per 128 KiB | Winch ms | per 128 KiB |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    let mut slow = Vec::new();
    for shape in 0..SHAPES {
        for (seed, body_max) in (0..seeds).flat_map(|seed| BODIES.map(|body_max| (seed, body_max))) {
            let (code, checked, check_time) = largest(shape, seed, body_max);
            let compile = |engine: &wasmtime::Engine| {
                let run = || drop(engine.precompile_module(checked.instrumented()).unwrap());
                timed_on_core(run).min(timed_on_core(run)).as_secs_f64() * 1e3
            };
            let (optimised, first) = (compile(&optimising), compile(&one_pass));
            let scaled = |ms: f64| ms * f64::from(128 << 10) / code.len() as f64;
            let name = shape_name(shape);
            println!(
                "| {name} | {body_max} | {seed} | {} | {:.1} | {optimised:.1} | {:.0} | {first:.1} | {:.0} |",
                code.len(),
                check_time.as_secs_f64() * 1e3,
                scaled(optimised),
                scaled(first),
            );
            if scaled(first) > MS_MAX && first > MS_MAX / 10.0 {
                slow.push(format!("{name}, seed {seed}"));
            }
        }
    }
    slow
}

/// The largest module of a shape and seed that is accepted.
fn largest(shape: u32, seed: u64, body_max: usize) -> (Vec<u8>, runtime_vm::Checked, Duration) {
    for parts in (1..=64).rev() {
        let code = bomb(shape, seed, (128 << 10) * parts / 64, body_max);
        let mut checked = None;
        let time = timed_on_core(|| checked = check(&code, Kind::Pure).ok());
        if let Some(checked) = checked {
            return (code, checked, time);
        }
    }
    panic!("nothing of shape {shape} is accepted")
}
