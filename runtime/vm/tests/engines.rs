//! The one-pass compiler beside the other engines: the same results, and the same end of the stack.
//!
//! Its frames are the largest: it keeps every local and operand in memory. The logical stack must end first even so.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_primitives::{Gas, blake2_256};
use runtime_vm::{EngineKind, Entry, Host, HostTrap, Kind, Module, Outcome, ReturnCode, Trap, Vm};
use std::sync::LazyLock;
use support::{WASMI, WASMTIME, load, on_thread, on_vm_thread, program, returned, wasm};

static WINCH: LazyLock<Vm> = LazyLock::new(|| Vm::new(EngineKind::Winch).unwrap());

/// Enough gas for every frame there can be.
const GAS: Gas = Gas::from_units(100_000_000_000);
/// A quarter of what the compiled engines allow themselves: an overrun would end the process.
const SMALL_STACK_BYTES: usize = 2 << 20;

fn engines() -> [&'static Vm; 3] {
    [&WASMTIME, &WINCH, &WASMI]
}

/// What all three engines say to `code`, called on a thread of `stack_bytes`.
fn agreed(code: &[u8], input: &[u8], stack_bytes: usize) -> Outcome {
    let mut modules = Vec::new();
    // Parsers and compilers recurse too; only the calls are confined.
    on_vm_thread(|| modules = engines().map(|vm| load(vm, code, Kind::Pure).unwrap()).to_vec());
    let mut outcomes = Vec::new();
    on_thread(stack_bytes, || {
        outcomes =
            engines().iter().zip(&modules).map(|(vm, module)| vm.call_pure(module, input, GAS)).collect();
    });
    assert_eq!(outcomes[0], outcomes[1], "the compilers differ");
    assert_eq!(outcomes[0], outcomes[2], "wasmtime and wasmi differ");
    outcomes.remove(0)
}

fn repeat(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect()
}

/// Each row makes frames large in another way.
fn recursions() -> Vec<(&'static str, String)> {
    let of = |ty: &str, count| format!("{ty} ").repeat(count);
    vec![
        ("smallest frame", r#"(func $f (export "call") call $f)"#.into()),
        (
            "locals of 32 bits",
            format!(
                r#"(func $f (param i32) (local {}) (call $f (local.get 0))) (func (export "call") (call $f (i32.const 1)))"#,
                of("i32", 200)
            ),
        ),
        (
            "locals of 64 bits",
            format!(
                r#"(func $f (param i64) (local {}) {} (call $f (local.get 255)))
                (func (export "call") (call $f (i64.const 1)))"#,
                of("i64", 255),
                repeat(255, |i| format!("(local.set {} (local.get {i}))", i + 1)),
            ),
        ),
        (
            "operands across the call",
            format!(
                r#"(func $f (param i64) (result i64) {} (call $f (local.get 0)) {})
                (func (export "call") (drop (call $f (i64.const 1))))"#,
                repeat(1_000, |i| format!("(i64.mul (local.get 0) (i64.const {}))", i + 3)),
                "i64.xor ".repeat(1_000),
            ),
        ),
        (
            "32-bit operands across the call",
            format!(
                r#"(func $f (param i32) (result i32) {} (call $f (local.get 0)) {})
                (func (export "call") (drop (call $f (i32.const 1))))"#,
                repeat(40, |i| format!("(i32.mul (local.get 0) (i32.const {}))", i + 3)),
                "i32.xor ".repeat(40),
            ),
        ),
        (
            "parameters",
            format!(
                r#"(func $f (param {}) (call $f {})) (func (export "call") (call $f {}))"#,
                of("i64", 64),
                repeat(64, |i| format!("(local.get {})", 63 - i)),
                "(i64.const 7)".repeat(64),
            ),
        ),
        (
            "results",
            format!(
                r#"(func $f (param i64) (result {0}) (call $f (local.get 0)) drop (i64.const 9))
                (func (export "call") (call $f (i64.const 0)) {1})"#,
                of("i64", 16),
                "drop ".repeat(16),
            ),
        ),
        (
            "blocks with parameters and results",
            format!(
                r#"(type $t (func (param i64 i64) (result i64 i64 i64)))
                (func $f (result i64) i64.const 1 i64.const 2 {} (call $f) {} )
                (func (export "call") (drop (call $f)))"#,
                "(block (type $t) i64.const 3) ".repeat(50),
                "i64.add ".repeat(52),
            ),
        ),
        (
            "indirect",
            r#"(table 1 funcref) (elem (i32.const 0) $f) (type $t (func))
            (func $f (export "call") (call_indirect (type $t) (i32.const 0)))"#
                .into(),
        ),
    ]
}

#[test]
fn a_select_tests_what_was_compared() {
    // `$f` gets the comparison's operand; the accumulator of an interpreter holds something else by then.
    for condition in [
        "(i32.eqz (local.get $x))",
        "(i32.eq (local.get $x) (i32.const 0))",
        "(i32.ne (local.get $x) (i32.const 0))",
        "(i32.eqz (i32.eqz (local.get $x)))",
        "(i64.eqz (i64.extend_i32_u (local.get $x)))",
        "(local.get $x)",
        "(i32.eqz (global.get $g))",
    ] {
        for (x, other) in [(0, 1), (1, 0), (7, 7)] {
            let body = format!(
                r#"(global $g (mut i32) (i32.const {x}))
                (func $f (param $x i32) (param $y i32) (result i32)
                    (select (i32.const 10) (i32.add (local.get $y) (i32.const 20)) {condition}))
                (func (export "call")
                    (i32.store (i32.const 0) (call $f (i32.const {x}) (i32.const {other})))
                    (call $return (i32.const 0) (i32.const 0) (i32.const 4)))"#
            );
            let negated = condition.matches("eqz").count() + condition.matches("32.eq (").count();
            let holds = (x != 0) == negated.is_multiple_of(2);
            let expected: u32 = if holds { 10 } else { other + 20 };
            let outcome = agreed(&wasm(&program(&body)), b"", SMALL_STACK_BYTES);
            assert_eq!(outcome.result, returned(expected.to_le_bytes()), "{condition} of {x}");
        }
    }
}

#[test]
fn endless_recursion_overflows_the_logical_stack_on_all_engines() {
    for (text, body) in recursions() {
        let outcome = agreed(&wasm(&program(&body)), b"", SMALL_STACK_BYTES);
        assert_eq!(outcome.result, Err(Trap::StackOverflow), "{text}");
    }
}

/// Recurses `input` (u32) deep, then asks the host for a value under an empty key.
fn deep() -> Vec<u8> {
    wasm(
        r#"(module (import "env" "memory" (memory 1 1))
            (import "seal0" "input" (func $input (param i32 i32)))
            (import "seal1" "contains_storage" (func $ask (param i32 i32) (result i32)))
            (func $f (param i32) (result i32)
                (if (result i32) (local.get 0)
                    (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1)))))
                    (else (call $ask (i32.const 0) (i32.const 0)))))
            (func (export "deploy"))
            (func (export "call")
                (i32.store (i32.const 0) (i32.const 4)) (call $input (i32.const 4) (i32.const 0))
                (drop (call $f (i32.load (i32.const 4))))))"#,
    )
}

/// A host that answers by running the same contract again, `levels` deep, and the last time without end.
struct Nest<'a> {
    vm: &'a Vm,
    module: &'a Module,
    depth: u32,
    levels: u32,
    /// How the levels ended, the innermost first.
    ended: Vec<Outcome>,
}

impl Nest<'_> {
    fn enter(&mut self) {
        let depth = if self.levels == 0 { u32::MAX } else { self.depth };
        let mut inner = Nest {
            vm: self.vm,
            module: self.module,
            depth: self.depth,
            levels: self.levels.saturating_sub(1),
            ended: Vec::new(),
        };
        let input = depth.to_le_bytes().to_vec();
        let outcome = self.vm.call(self.module, Entry::Call, input, GAS, &mut inner);
        self.ended = inner.ended;
        self.ended.push(outcome);
    }
}

impl Host for Nest<'_> {
    fn caller(&self) -> [u8; 32] {
        [1; 32]
    }
    fn address(&self) -> [u8; 32] {
        [2; 32]
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
        self.enter();
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

#[test]
fn the_deepest_call_stack_of_the_deepest_recursions_fits_on_all_engines() {
    let code = deep();
    let mut ended = Vec::new();
    on_vm_thread(|| {
        for vm in engines() {
            let module = load(vm, &code, Kind::Stateful).unwrap();
            // Six calls, each at the deepest place of the one before.
            let mut nest = Nest { vm, module: &module, depth: 6_000, levels: 5, ended: Vec::new() };
            nest.enter();
            ended.push(nest.ended);
        }
    });
    assert_eq!(ended[0].len(), 6);
    assert_eq!(ended[0][0].result, Err(Trap::StackOverflow), "the innermost recurses without end");
    assert_eq!(ended[0], ended[1], "the compilers differ");
    assert_eq!(ended[0], ended[2], "wasmtime and wasmi differ");
}

#[test]
fn a_module_runs_only_in_the_machine_that_loaded_it() {
    let code = wasm(&program(r#"(func (export "call"))"#));
    for (owner, other) in [(&*WASMTIME, &*WINCH), (&*WINCH, &*WASMTIME), (&*WASMI, &*WINCH)] {
        let module = owner.load(&blake2_256(&code), Kind::Pure, || code.clone()).unwrap();
        let run = std::panic::AssertUnwindSafe(|| other.call_pure(&module, b"", GAS));
        assert!(std::panic::catch_unwind(run).is_err(), "{:?} on {:?}", owner.engine(), other.engine());
    }
}
