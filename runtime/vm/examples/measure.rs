//! How long things take, beside what they cost in gas: `cargo run --release -p runtime-vm --example measure`.
//!
//! Whole calls and host functions; `calibrate` measures operators, `bombs` compilation. Numbers are the best of many
//! runs; 1,000 gas is meant to be 1 ns.
#![allow(clippy::unwrap_used, clippy::disallowed_types, reason = "it measures time, by hand")]
#![allow(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "it prints figures for people")]

use runtime_primitives::{Gas, blake2_256};
use runtime_vm::{EngineKind, Entry, Host, HostTrap, Kind, ReturnCode, VM_THREAD_STACK_BYTES, Vm};
use std::time::{Duration, Instant};

const GAS: Gas = Gas::from_units(1 << 50);

fn main() {
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    thread.spawn(measure).unwrap().join().unwrap();
}

fn measure() {
    println!("{:44} {:>12} {:>14} {:>12} {:>12}", "call", "wasmtime µs", "gas", "gas/ns", "wasmi µs");
    let vms = [Vm::new(EngineKind::Wasmtime).unwrap(), Vm::new(EngineKind::Wasmi).unwrap()];
    for (name, wat, input) in programs() {
        let code = wat::parse_str(&wat).unwrap();
        let mut times = Vec::new();
        let mut gas = 0;
        for vm in &vms {
            let module = vm.load(&blake2_256(&code), Kind::Pure, || code.clone()).unwrap();
            times.push(best(|| {
                let outcome = vm.call_pure(&module, &input, GAS);
                assert!(outcome.result.is_ok(), "{name}: {outcome:?}");
                gas = outcome.gas_used.units();
            }));
        }
        row(name, &times, gas);
    }
    for (name, body) in stateful() {
        let code = wat::parse_str(stateful_module(body)).unwrap();
        let mut times = Vec::new();
        let mut gas = 0;
        for vm in &vms {
            let module = vm.load(&blake2_256(&code), Kind::Stateful, || code.clone()).unwrap();
            times.push(best(|| {
                let outcome = vm.call(&module, Entry::Call, vec![], GAS, &mut Nobody);
                assert!(outcome.result.is_ok(), "{name}: {outcome:?}");
                gas = outcome.gas_used.units();
            }));
        }
        row(name, &times, gas);
    }
}

fn row(name: &str, times: &[Duration], gas: u64) {
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let rate = gas as f64 / (times[0].as_secs_f64() * 1e9);
    println!("{name:44} {:>12.2} {gas:>14} {rate:>12.0} {:>12.2}", micros(times[0]), micros(times[1]));
}

fn best(mut run: impl FnMut()) -> Duration {
    let end = Instant::now() + Duration::from_millis(300);
    let mut best = Duration::MAX;
    let mut runs = 0;
    while Instant::now() < end || runs < 3 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
        runs += 1;
    }
    best
}

fn looped(count: u32, locals: &str, body: &str) -> String {
    format!(
        r#"(local $i i32) {locals}
        (loop $again {body}
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const {count}))))"#
    )
}

fn programs() -> Vec<(&'static str, String, Vec<u8>)> {
    let module = |pages: u32, body: &str| {
        format!(
            r#"(module (import "env" "memory" (memory {pages} 256))
            (import "seal0" "input" (func $input (param i32 i32)))
            (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
            (import "seal0" "hash_blake2_256" (func $blake (param i32 i32 i32)))
            (import "seal0" "hash_keccak_256" (func $keccak (param i32 i32 i32)))
            (import "seal0" "hash_sha2_256" (func $sha (param i32 i32 i32)))
            (table 4 funcref) (elem (i32.const 0) $f0 $f1 $f0 $f1) (type $t (func (param i64) (result i64)))
            (func $f0 (type $t) (i64.add (local.get 0) (i64.const 3)))
            (func $f1 (type $t) (i64.xor (local.get 0) (i64.const 5)))
            {body})"#
        )
    };
    let call = |count, locals: &str, body: &str| {
        module(16, &format!(r#"(func (export "call") {})"#, looped(count, locals, body)))
    };
    let i = "(local.get $i)";
    vec![
        ("nop", r#"(module (func (export "call")))"#.into(), vec![]),
        ("nop, 2 pages, input and return of 100 B", module(2, r#"(func (export "call")
            (i32.store (i32.const 0) (i32.const 1000)) (call $input (i32.const 4) (i32.const 0))
            (call $return (i32.const 0) (i32.const 4) (i32.load (i32.const 0))))"#), vec![7; 100]),
        ("nop, 16 pages, 16 KiB of data", module(16, &format!(
            r#"(data (i32.const 0) "{}") (func (export "call"))"#, "\\01".repeat(16 << 10))), vec![]),
        ("1M additions and xors", call(1_000_000, "(local $a i64)",
            "(local.set $a (i64.xor (i64.add (local.get $a) (i64.const 7)) (i64.extend_i32_u (local.get $i))))"), vec![]),
        ("1M multiplications, dependent", call(1_000_000, "(local $a i64)",
            "(local.set $a (i64.mul (i64.add (local.get $a) (i64.const 7)) (i64.const 6364136223846793005)))"), vec![]),
        ("1M divisions, dependent", call(1_000_000, "(local $a i64)",
            "(local.set $a (i64.add (i64.div_u (i64.const -1) (i64.add (local.get $a) (i64.const 3))) (i64.const 1)))"), vec![]),
        ("1M loads and stores in 64 KiB", call(1_000_000, "", &format!(
            "(i32.store (i32.and {i} (i32.const 0xfffc)) (i32.add {i} (i32.load (i32.and (i32.mul {i} (i32.const 52)) (i32.const 0xfffc)))))")), vec![]),
        ("1M random dependent loads in 16 MiB", module(256, &format!(r#"(func (export "call") {})"#, looped(1_000_000, "(local $p i32)",
            "(local.set $p (i32.and (i32.add (i32.mul (i32.add (local.get $p) (i32.load (local.get $p))) (i32.const 1664525)) (i32.const 1013904223)) (i32.const 0xfffffc)))"))), vec![]),
        ("1M calls", call(1_000_000, "(local $a i64)", "(local.set $a (call $f0 (local.get $a)))"), vec![]),
        ("1M indirect calls", call(1_000_000, "(local $a i64)",
            "(local.set $a (call_indirect (type $t) (local.get $a) (i32.and (local.get $i) (i32.const 3))))"), vec![]),
        ("1M br_table", call(1_000_000, "(local $a i32)", "(local.set $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223)))
            (block $c (block $b (block $a (br_table $a $b $c (i32.shr_u (local.get $a) (i32.const 30)))) nop) nop)"), vec![]),
        ("1M unpredictable ifs", call(1_000_000, "(local $a i32) (local $n i32)", "(local.set $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223)))
            (if (i32.lt_s (local.get $a) (i32.const 0)) (then (local.set $n (i32.add (local.get $n) (local.get $a)))))"), vec![]),
        ("1k copies of 60 kB", call(1_000, "", "(memory.copy (i32.const 100000) (i32.const 0) (i32.const 60000))"), vec![]),
        ("100k copies of 8 B", call(100_000, "", "(memory.copy (i32.const 100000) (i32.const 0) (i32.const 8))"), vec![]),
        ("1k fills of 60 kB", call(1_000, "", "(memory.fill (i32.const 100000) (i32.const 0) (i32.const 60000))"), vec![]),
        ("touch every 4 KiB of 16 pages", call(256, "", &format!("(i32.store (i32.shl {i} (i32.const 12)) {i})")), vec![]),
        ("touch every 4 KiB of 256 pages", module(256, &format!(r#"(func (export "call") {})"#, looped(4096, "",
            &format!("(i32.store (i32.shl {i} (i32.const 12)) {i})")))), vec![]),
        ("grow by 1 page 240 times", call(240, "", "(drop (memory.grow (i32.const 1)))"), vec![]),
        ("10k host calls: input of 32 B", call(10_000, "", "(i32.store (i32.const 0) (i32.const 100)) (call $input (i32.const 8) (i32.const 0))"), vec![9; 32]),
        ("10k blake2 of 32 B", call(10_000, "", "(call $blake (i32.const 0) (i32.const 32) (i32.const 64))"), vec![]),
        ("10 blake2 of 1 MB", call(10, "", "(call $blake (i32.const 0) (i32.const 1000000) (i32.const 64))"), vec![]),
        ("10k keccak of 32 B", call(10_000, "", "(call $keccak (i32.const 0) (i32.const 32) (i32.const 64))"), vec![]),
        ("10 keccak of 1 MB", call(10, "", "(call $keccak (i32.const 0) (i32.const 1000000) (i32.const 64))"), vec![]),
        ("10k sha2 of 32 B", call(10_000, "", "(call $sha (i32.const 0) (i32.const 32) (i32.const 64))"), vec![]),
        ("10 sha2 of 1 MB", call(10, "", "(call $sha (i32.const 0) (i32.const 1000000) (i32.const 64))"), vec![]),
    ]
}

fn stateful() -> [(&'static str, &'static str); 2] {
    [
        ("stateful nop", ""),
        (
            "10k stateful facts: caller",
            "(i32.store (i32.const 0) (i32.const 100)) (call $caller (i32.const 8) (i32.const 0))",
        ),
    ]
}

fn stateful_module(body: &str) -> String {
    let body = if body.is_empty() { String::new() } else { looped(10_000, "", body) };
    format!(
        r#"(module (import "env" "memory" (memory 2 16)) (import "seal0" "caller" (func $caller (param i32 i32)))
        (func (export "deploy")) (func (export "call") {body}))"#
    )
}

/// A host that nobody asks for anything that takes time.
struct Nobody;

impl Host for Nobody {
    fn caller(&self) -> [u8; 32] {
        [7; 32]
    }
    fn address(&self) -> [u8; 32] {
        [8; 32]
    }
    fn value_transferred(&self) -> u128 {
        0
    }
    fn balance(&self) -> u128 {
        0
    }
    fn minimum_balance(&self) -> u128 {
        0
    }
    fn block_number(&self) -> u32 {
        0
    }
    fn now(&self) -> u64 {
        0
    }
    fn weight_to_fee(&self, _gas: u64) -> u128 {
        0
    }
    fn get_storage(&mut self, _key: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn set_storage(&mut self, _key: &[u8], _value: Option<&[u8]>) -> Option<u32> {
        None
    }
    fn deposit_event(&mut self, _topics: Vec<[u8; 32]>, _data: Vec<u8>) -> Result<(), HostTrap> {
        Ok(())
    }
    fn debug_message(&mut self, _text: &str) {}
    fn transfer(&mut self, _to: &[u8; 32], _value: u128) -> Result<(), ReturnCode> {
        Ok(())
    }
}
