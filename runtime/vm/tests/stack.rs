//! Recursion without end: the logical stack ends it, on both engines, long before anything native overflows.
//!
//! Every row makes engines spend native stack in another way.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_vm::{Kind, Trap};
use support::{load_both, on_thread, on_vm_thread, program, pure, pure_code, wasm};

/// Enough gas for every frame there can be.
const GAS: u64 = 100_000_000_000;

fn repeat(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect()
}

fn recursions() -> Vec<(&'static str, String)> {
    let i64s = |count| "i64 ".repeat(count);
    vec![
        ("smallest frame", r#"(func $f (export "call") call $f)"#.into()),
        (
            "with work left",
            r#"(func $f (param i32) (result i32)
            (i32.add (call $f (i32.add (local.get 0) (i32.const 1))) (local.get 0)))
            (func (export "call") (drop (call $f (i32.const 0))))"#
                .into(),
        ),
        ("mutual", r#"(func $f (export "call") call $g) (func $g call $f)"#.into()),
        (
            "indirect",
            r#"(table 1 funcref) (elem (i32.const 0) $f) (type $t (func))
            (func $f (export "call") (call_indirect (type $t) (i32.const 0)))"#
                .into(),
        ),
        (
            "all locals live",
            format!(
                r#"(func $f (param i64) (result i64) (local {}) {} (drop (call $f (local.get 255))) {} i64.const 0 {})
            (func (export "call") (drop (call $f (i64.const 1))))"#,
                i64s(255),
                repeat(255, |i| format!(
                    "(local.set {} (i64.mul (local.get {i}) (i64.const {})))",
                    i + 1,
                    i + 3
                )),
                repeat(256, |i| format!("local.get {i} ")),
                "i64.xor ".repeat(256),
            ),
        ),
        (
            "operands across the call",
            format!(
                r#"(func $f (param i64) (result i64) {} (call $f (local.get 0)) {})
            (func (export "call") (drop (call $f (i64.const 1))))"#,
                repeat(2000, |i| format!("(i64.mul (local.get 0) (i64.const {})) ", i + 3)),
                "i64.xor ".repeat(2000),
            ),
        ),
        (
            "many parameters",
            format!(
                r#"(func $f (param {}) (call $f {})) (func (export "call") (call $f {}))"#,
                i64s(64),
                repeat(64, |i| format!("(local.get {}) ", 63 - i)),
                "(i64.const 7) ".repeat(64),
            ),
        ),
        (
            "many results",
            format!(
                r#"(func $f (param i64) (result {0}) (call $f (local.get 0)) drop (i64.const 9))
            (func (export "call") (call $f (i64.const 0)) {1})"#,
                i64s(16),
                "drop ".repeat(16),
            ),
        ),
        (
            "operands across nested blocks",
            format!(
                r#"(func $f (result i64) {} call $f {}) (func (export "call") (drop (call $f)))"#,
                repeat(200, |i| format!("(i64.load offset={i} (i32.const 0)) (block (result i64) ")),
                ") i64.add ".repeat(200),
            ),
        ),
    ]
}

/// A quarter of what the compiled engine allows itself: an overrun would end the process.
const SMALL_STACK_BYTES: usize = 2 << 20;

#[test]
fn endless_recursion_overflows_the_logical_stack() {
    for (text, body) in recursions() {
        // Parsers and compilers recurse too; only the calls are confined.
        let (mut code, mut outcome) = (Vec::new(), None);
        on_vm_thread(|| {
            code = wasm(&program(&body));
            load_both(&code, Kind::Pure);
        });
        on_thread(SMALL_STACK_BYTES, || outcome = Some(pure_code(&code, b"", GAS)));
        assert_eq!(outcome.unwrap().result, Err(Trap::StackOverflow), "{text}");
    }
}

#[test]
fn the_deepest_recursion_returns() {
    // 131,072 slots less the 19 of `call`, by the 20 of `$f` (16, one local, three operands): 6,552 frames, the last
    // of which ends the recursion.
    let body = |depth: u32| {
        program(&format!(
            r#"(func $f (param i32) (result i32)
                (if (result i32) (local.get 0)
                    (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1)))))
                    (else (i32.const 0))))
            (func (export "call")
                (i32.store (i32.const 0) (call $f (i32.const {depth})))
                (call $return (i32.const 0) (i32.const 0) (i32.const 4)))"#
        ))
    };
    on_vm_thread(|| {
        let fits = |depth: u32| pure(&body(depth), b"", GAS).result.is_ok();
        let depths: Vec<u32> = (0..10_000).collect();
        let deepest = depths.partition_point(|depth| fits(*depth));
        assert_eq!(deepest, 6_552);
    });
}
