//! The price list against the clock: what every operator costs in gas and how long it takes.
//!
//! `cargo run --release -p runtime-vm --example calibrate [-- --write]` measures a loop full of each operator, less
//! the same loop without it, on both engines; `--write` puts the table into `runtime/vm/GAS.md`. It fails if the
//! compiled engine needs more than four times what an operator's gas stands for. 1 gas is 1 ps of a 3 GHz core, and
//! a core is taken for as slow as it multiplies: a chain of multiplications, three cycles each, is the unit.
#![allow(clippy::unwrap_used, clippy::disallowed_types, reason = "it measures time, by hand")]
#![allow(clippy::disallowed_methods, reason = "it takes an argument and writes a document")]
#![allow(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "it prints figures for people")]

mod loops;
mod support;

use loops::{Probe, probes};
use runtime_primitives::{Gas, blake2_256};
use runtime_vm::{EngineKind, Kind, Module, Vm};
use std::fmt::Write as _;
use support::timed_on_core;

/// How many times its price an operator may take.
const UNDERPRICED_MAX: f64 = 4.0;
/// Picoseconds of three cycles at 3 GHz.
const MULTIPLICATION_PS: f64 = 1_000.0;
const ROUNDS: u32 = 9;

fn main() {
    let write = std::env::args().any(|argument| argument == "--write");
    support::on_vm_thread(move || {
        let (table, underpriced) = measure();
        println!("{table}");
        if write {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/GAS.md"), table).unwrap();
        }
        assert!(underpriced.is_empty(), "more than {UNDERPRICED_MAX} times their price: {underpriced:?}");
    });
}

fn measure() -> (String, Vec<String>) {
    let vms = [EngineKind::Wasmtime, EngineKind::Wasmi].map(|kind| Vm::new(kind).unwrap());
    let unit = reference(&vms[0]);
    let mut table = String::from(HEAD);
    let mut underpriced = Vec::new();
    for probe in probes() {
        // Nominal picoseconds: what it would take on a core that multiplies in three cycles at 3 GHz.
        let [compiled, interpreted] = vms.each_ref().map(|vm| run(vm, &probe));
        let nominal = |cost: &Cost| cost.ps / unit * MULTIPLICATION_PS;
        let ratio = nominal(&compiled) / compiled.gas;
        if ratio > UNDERPRICED_MAX && !probe.exempt {
            underpriced.push(format!("{} {ratio:.2}", probe.name));
        }
        writeln!(
            table,
            "| {} | {} | {:.0} | {:.0} | {ratio:.2} | {:.2} |",
            probe.name,
            probe.price.map_or("–".to_owned(), |price| price.to_string()),
            compiled.gas,
            nominal(&compiled),
            nominal(&interpreted) / interpreted.gas,
        )
        .unwrap();
    }
    (table, underpriced)
}

const HEAD: &str = "# Gas: prices and measured times\n
Written by `cargo run --release -p runtime-vm --example calibrate -- --write`. Prices are consensus (`gas.rs`); times
are one run's on an ordinary virtual server core, scaled to a 3 GHz core by a chain of multiplications, so that 1 gas
stands for 1 ps. *Price* is the operator's own; *gas* and *time* are those of one step of the measured loop, in which
other operators feed it. *Ratio* is time by gas: below 1 the price has a margin, above 4 the program that writes this
table fails, but for accesses that miss in more memory than a stateful contract may have (`gas.rs` says why). The last
column is the same ratio on the interpreter, for information.\n\n\
A call costs 5,000,000 gas and 3,000,000 for each page of its memory before its first instruction; a stateful contract
also 1,000 for each byte of its code. What host functions cost: `busbar contract abi`.\n
| operator | price | gas | time ps | ratio | interpreter's ratio |
|---|---:|---:|---:|---:|---:|
";

/// One step of a probe.
struct Cost {
    gas: f64,
    ps: f64,
}

/// What one step costs: a loop with all its steps less the same loop with none (or fewer turns).
fn run(vm: &Vm, probe: &Probe) -> Cost {
    let full = load(vm, &probe.full);
    let empty = load(vm, &probe.empty);
    let call = |module: &Module| {
        let mut gas = 0;
        let time = timed_on_core(|| {
            let outcome = vm.call_pure(module, b"", Gas::from_units(1 << 60));
            assert!(outcome.result.is_ok(), "{}: {outcome:?}", probe.name);
            gas = outcome.gas_used.units();
        });
        (gas, time.as_secs_f64() * 1e12)
    };
    let mut best = [(0, f64::MAX); 2];
    for _ in 0..ROUNDS {
        for (best, module) in best.iter_mut().zip([&full, &empty]) {
            let (gas, time) = call(module);
            *best = (gas, best.1.min(time));
        }
    }
    let [full, empty] = best;
    Cost { gas: (full.0 - empty.0) as f64 / probe.steps, ps: (full.1 - empty.1) / probe.steps }
}

fn load(vm: &Vm, wat: &str) -> Module {
    let code = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
    vm.load(&blake2_256(&code), Kind::Pure, || code.clone()).unwrap_or_else(|error| panic!("{error}\n{wat}"))
}

/// Picoseconds of one multiplication in a chain.
fn reference(vm: &Vm) -> f64 {
    let probe = probes().into_iter().find(|probe| probe.name == "i64.mul").unwrap();
    run(vm, &probe).ps
}
