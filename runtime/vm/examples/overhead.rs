//! What counting costs: the real matching rules with and without the metering pass, on the same compiled engine.
//!
//! `cargo run --release -p runtime-vm --example overhead [ROUNDS]`. Runs alternate, so that a busy machine slows all
//! alike; the ratio is the median of the ratios of neighbours.
#![allow(clippy::unwrap_used, clippy::disallowed_types, reason = "it measures time, by hand")]
#![allow(clippy::disallowed_methods, reason = "it takes an argument and reads the artifacts")]
#![allow(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "it prints figures for people")]

mod support;

use runtime_primitives::{Gas, blake2_256};
use runtime_vm::{EngineKind, Kind, Vm, check};
use support::{bare, books, median, timed};

/// What a counted call may cost, of an uncounted one.
const RATIO_MAX: f64 = 1.15;

fn main() {
    let rounds = std::env::args().nth(1).map_or(200, |text| text.parse().unwrap());
    support::on_vm_thread(move || {
        let worst = measure(rounds);
        println!("\nworst: {:.1} % over the same engine unmetered", (worst - 1.0) * 100.0);
        assert!(worst <= RATIO_MAX, "metering costs more than it may");
    });
}

fn measure(rounds: usize) -> f64 {
    println!("| rule | orders | unmetered µs | metered µs | ratio | through `Vm` µs | gas |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let engine = bare::engine(wasmtime::Strategy::Cranelift);
    let vm = Vm::new(EngineKind::Wasmtime).unwrap();
    let mut worst: f64 = 0.0;
    // `min-spread` refuses books of more than 2,000 orders.
    for (name, flags, counts) in [("high_low", 7, [1_000, 10_000]), ("min_spread", 4, [1_000, 2_000])] {
        let path = format!("{}/../../contracts/artifacts/{name}.wasm", env!("CARGO_MANIFEST_DIR"));
        let code = std::fs::read(path).unwrap();
        let plain = bare::Bare::new(&engine, &bare::own_memory(&code));
        let metered = bare::Bare::new(&engine, check(&code, Kind::Pure).unwrap().instrumented());
        let module = vm.load(&blake2_256(&code), Kind::Pure, || code.clone()).unwrap();
        for count in counts {
            let input = books::clear_message(count, flags, 7);
            let through_vm = || vm.call_pure(&module, &input, Gas::from_units(1 << 50));
            let outcome = through_vm();
            let output = outcome.result.unwrap();
            assert_eq!(output.flags, 0, "{:?}", output.data);
            assert_eq!(plain.call(&input), output.data);
            assert_eq!(metered.call(&input), output.data);
            let (mut times, mut ratios) = ([vec![], vec![], vec![]], vec![]);
            for _ in 0..rounds {
                let round = [
                    timed(|| drop(plain.call(&input))),
                    timed(|| drop(metered.call(&input))),
                    timed(|| drop(through_vm())),
                ];
                let round = round.map(|time| time.as_secs_f64() * 1e6);
                ratios.push(round[1] / round[0]);
                times.iter_mut().zip(round).for_each(|(times, time)| times.push(time));
            }
            let ratio = median(ratios);
            worst = worst.max(ratio);
            let [plain, metered, vm] = times.map(median);
            let gas = outcome.gas_used.units();
            println!("| {name} | {count} | {plain:.1} | {metered:.1} | {ratio:.3} | {vm:.1} | {gas} |");
        }
    }
    worst
}
