//! Both engines side by side: whatever a test runs, it runs twice and compares.
#![allow(dead_code, unused_imports, clippy::unwrap_used, reason = "tests; each uses what it needs")]

pub mod counted;
pub mod generate;
pub mod ledger;
pub mod nasty;
pub mod walk;

use runtime_primitives::{Gas, blake2_256};
use runtime_vm::{
    CodeError, EngineKind, Entry, Kind, Module, Outcome, Output, Trap, VM_THREAD_STACK_BYTES, Vm,
};
use std::sync::LazyLock;

pub static WASMTIME: LazyLock<Vm> = LazyLock::new(|| Vm::new(EngineKind::Wasmtime).unwrap());
pub static WASMI: LazyLock<Vm> = LazyLock::new(|| Vm::new(EngineKind::Wasmi).unwrap());

/// Gas that no small program needs.
pub const PLENTY: u64 = 1_000_000_000;

/// Runs `body` on a thread with the stack that callers must give to contracts.
pub fn on_vm_thread(body: impl FnOnce() + Send) {
    on_thread(VM_THREAD_STACK_BYTES, body);
}

pub fn on_thread(stack_bytes: usize, body: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(stack_bytes);
        thread.spawn_scoped(scope, body).unwrap().join().unwrap();
    });
}

pub fn wasm(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}\n{wat}"))
}

pub fn load(vm: &Vm, code: &[u8], kind: Kind) -> Result<Module, CodeError> {
    vm.load(&blake2_256(code), kind, || code.to_vec())
}

/// Compiles for both engines, so that later loads find it.
pub fn load_both(code: &[u8], kind: Kind) {
    load(&WASMTIME, code, kind).unwrap();
    load(&WASMI, code, kind).unwrap();
}

/// Runs a pure contract on both engines and returns what both say.
pub fn pure_code(code: &[u8], input: &[u8], gas: u64) -> Outcome {
    let run = |vm: &Vm| vm.call_pure(&load(vm, code, Kind::Pure).unwrap(), input, Gas::from_units(gas));
    let (first, second) = (run(&WASMTIME), run(&WASMI));
    let brief =
        |outcome: &Outcome| format!("{:?}, {}", outcome.result.as_ref().err(), outcome.gas_used.units());
    assert!(first == second, "wasmtime and wasmi differ: {} / {}", brief(&first), brief(&second));
    first
}

/// [`pure_code`] from text.
pub fn pure(wat: &str, input: &[u8], gas: u64) -> Outcome {
    pure_code(&wasm(wat), input, gas)
}

/// Runs a stateful contract on both engines, each on its own copy of `ledger`, and keeps what both left.
pub fn stateful(wat: &str, entry: Entry, input: &[u8], gas: u64, ledger: &mut ledger::Ledger) -> Outcome {
    let code = wasm(wat);
    let run = |vm: &Vm| {
        let mut ledger = ledger.clone();
        let module = load(vm, &code, Kind::Stateful).unwrap();
        let outcome = vm.call(&module, entry, input.to_vec(), Gas::from_units(gas), &mut ledger);
        (outcome, ledger)
    };
    let (first, second) = (run(&WASMTIME), run(&WASMI));
    assert_eq!(first, second, "wasmtime and wasmi differ");
    *ledger = first.1;
    first.0
}

pub fn returned(data: impl Into<Vec<u8>>) -> Result<Output, Trap> {
    Ok(Output { flags: 0, data: data.into() })
}

/// A pure contract around `body`, with a memory of one page and the imports every test wants.
pub fn program(body: &str) -> String {
    format!(
        r#"(module
            (import "env" "memory" (memory 1 4))
            (import "seal0" "input" (func $input (param i32 i32)))
            (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
            {body})"#
    )
}
