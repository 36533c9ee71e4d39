//! What nodes keep compiled is of no use once the same code is instrumented otherwise: then `PASS_VERSION` must change.
#![allow(clippy::unwrap_used, reason = "tests")]

use runtime_primitives::blake2_256;
use runtime_vm::{Kind, PASS_VERSION, check};

/// Instructions that take two operands of one type, or one operand, or load, or store.
const BINARY: &str = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
const COMPARE: &str = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const UNARY: &str = "clz ctz popcnt extend8_s extend16_s";

/// Every instruction that contracts may use, and every shape that the pass treats apart.
fn corpus() -> Vec<String> {
    let mut functions = String::new();
    for ty in ["i32", "i64"] {
        for name in BINARY.split(' ') {
            functions +=
                &format!("(func (param {ty} {ty}) (result {ty}) ({ty}.{name} (local.get 0) (local.get 1)))");
        }
        for name in COMPARE.split(' ') {
            functions +=
                &format!("(func (param {ty} {ty}) (result i32) ({ty}.{name} (local.get 0) (local.get 1)))");
        }
        for name in UNARY.split(' ') {
            functions += &format!("(func (param {ty}) (result {ty}) ({ty}.{name} (local.get 0)))");
        }
        for name in ["load", "load8_s", "load8_u", "load16_s", "load16_u"] {
            functions += &format!("(func (param i32) (result {ty}) ({ty}.{name} offset=3 (local.get 0)))");
        }
        for name in ["store", "store8", "store16"] {
            functions += &format!("(func (param i32 {ty}) ({ty}.{name} (local.get 0) (local.get 1)))");
        }
        functions += &format!("(func (param {ty}) (result i32) ({ty}.eqz (local.get 0)))");
    }
    let rest = r#"
        (func (param i64) (result i32) (i32.wrap_i64 (local.get 0)))
        (func (param i32) (result i64) (i64.add (i64.extend_i32_s (local.get 0)) (i64.extend_i32_u (local.get 0))))
        (func (param i64) (result i64) (i64.extend32_s (local.get 0)))
        (func (param i32) (result i64) (i64.add (i64.load32_s (local.get 0)) (i64.load32_u (local.get 0))))
        (func (param i32 i64) (i64.store32 (local.get 0) (local.get 1)))
        (func (param i32) (result i32 i64) (local i32 i64)
            (select (local.tee 1 (local.get 0)) (global.get $g) (local.get 0)) (global.set $g (i32.const 1))
            (local.set 2 (i64.const 5)) (local.get 2))
        (func (param i32) (result i32)
            (block $b (block $a (br_table $a $b (local.get 0))) (return (i32.const 3)))
            (loop $l (br_if $l (local.get 0)) (if (local.get 0) (then nop) (else (br 0))))
            (drop (memory.size)) (memory.grow (local.get 0)))
        (func (param i32) (memory.copy (local.get 0) (i32.const 1) (i32.const 2))
            (memory.fill (local.get 0) (i32.const 1) (i32.const 2)))
        (func $start (call_indirect (type $t) (i32.const 0)))
        (func (export "call") (call $start) unreachable)
        (func (export "deploy") (call $start))"#;
    let module = |memory: &str, start: &str| {
        format!(
            r#"(module (type $t (func)) (import "seal0" "caller" (func (param i32 i32))) {memory}
            (table 1 funcref) (elem (i32.const 0) $start) (global $g (mut i32) (i32.const 7)) {functions} {rest} {start}
            (data (i32.const 0) "data"))"#
        )
    };
    vec![module("(memory 1)", ""), module("(memory 2 3)", "(start $start)")]
}

#[test]
fn a_pass_that_writes_something_else_has_another_version() {
    let mut all = Vec::new();
    for text in corpus() {
        let checked = check(&wat::parse_str(&text).unwrap(), Kind::Stateful).unwrap();
        all.extend(checked.instrumented());
        all.extend(checked.entry_gas().to_le_bytes());
    }
    // Whoever changes the second must change the first.
    let frozen = (1, "0x2227decc262282c8410dba53a5aac9a7619aea14b426b0dae8a01440dc6f9249");
    assert_eq!((PASS_VERSION, blake2_256(&all).to_string().as_str()), frozen);
}
