//! What programs cost: frozen numbers, equal on both engines.
//!
//! A number that changes here is a change of consensus: it needs an activation height and a word in the commit.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_vm::Trap;
use support::{program, pure, returned};

/// Returns the `i64` that `$main` computes.
fn main(functions: &str) -> String {
    program(&format!(
        r#"{functions}
        (func (export "call")
            (i64.store (i32.const 0) (call $main))
            (call $return (i32.const 0) (i32.const 0) (i32.const 8)))"#
    ))
}

fn programs() -> Vec<(&'static str, String, u64, u64)> {
    vec![
        ("nothing", main("(func $main (result i64) i64.const 0)"), 0, 8_060_800),
        (
            "sum of 1..=1000",
            main(
                "(func $main (result i64) (local i64 i64)
                (loop
                    (local.set 0 (i64.add (local.get 0) (i64.const 1)))
                    (local.set 1 (i64.add (local.get 1) (local.get 0)))
                    (br_if 0 (i64.lt_u (local.get 0) (i64.const 1000))))
                local.get 1)",
            ),
            500_500,
            10_161_000,
        ),
        (
            "fibonacci 15, recursive",
            main(
                "(func $fib (param i64) (result i64)
                (if (i64.lt_u (local.get 0) (i64.const 2)) (then (return (local.get 0))))
                (i64.add
                    (call $fib (i64.sub (local.get 0) (i64.const 1)))
                    (call $fib (i64.sub (local.get 0) (i64.const 2)))))
                (func $main (result i64) (call $fib (i64.const 15)))",
            ),
            610,
            18_122_500,
        ),
        (
            "br_table in a loop",
            main(
                "(func $main (result i64) (local i32 i64)
                (loop $again
                    (block $two (block $one (block $zero
                        (br_table $zero $one $two (i32.rem_u (local.get 0) (i32.const 4))))
                        (local.set 1 (i64.add (local.get 1) (i64.const 1))) (br $two))
                        (local.set 1 (i64.add (local.get 1) (i64.const 100))))
                    (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                    (br_if $again (i32.lt_u (local.get 0) (i32.const 10))))
                local.get 1)",
            ),
            303,
            8_152_800,
        ),
        (
            "nested blocks with values and early exits",
            main(
                "(func $pick (param i32) (result i64)
                (block (result i64)
                    (i64.const 1)
                    (block (result i64) (i64.const 2) (br_if 1 (local.get 0)) (drop) (i64.const 3) (return))
                    i64.add))
                (func $main (result i64)
                    (i64.add (call $pick (i32.const 0)) (i64.mul (i64.const 10) (call $pick (i32.const 1)))))",
            ),
            23,
            8_070_500,
        ),
        (
            "several values through blocks, loops and functions",
            main(
                "(type $pair (func (param i64 i64) (result i64 i64)))
                (func $swap (type $pair) (if (i64.eqz (local.get 0)) (then (return (i64.const 7) (i64.const 8))))
                    local.get 1 local.get 0)
                (func $main (result i64) (local i32)
                    i64.const 1 i64.const 2
                    (loop (type $pair)
                        (call $swap)
                        (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                        (br_if 0 (i32.lt_u (local.get 0) (i32.const 5))))
                    (block (type $pair) (call $swap) (br 0))
                    (if (type $pair) (i32.const 1) (then (call $swap)) (else (drop) (i64.const 0)))
                    i64.const 10 i64.mul i64.add
                    (drop (call $swap (i64.const 0) (i64.const 0))) drop)",
            ),
            12,
            8_106_800,
        ),
        (
            "memory grows, is filled and copied",
            main(
                "(func $main (result i64)
                    (drop (memory.grow (i32.const 2)))
                    (memory.fill (i32.const 100) (i32.const 1) (i32.const 5000))
                    (memory.copy (i32.const 100000) (i32.const 100) (i32.const 5000))
                    (i64.add (i64.load (i32.const 104992)) (i64.extend_i32_u (memory.size))))",
            ),
            0x0101_0101_0101_0104,
            17_265_200,
        ),
        (
            "indirect calls",
            main(
                "(type $f (func (param i64) (result i64))) (table 2 funcref) (elem (i32.const 0) $double $next)
                (func $double (type $f) (i64.mul (local.get 0) (i64.const 2)))
                (func $next (type $f) (i64.add (local.get 0) (i64.const 1)))
                (func $main (result i64) (local i32 i64)
                    (loop
                        (local.set 1 (call_indirect (type $f) (local.get 1) (i32.and (local.get 0) (i32.const 1))))
                        (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                        (br_if 0 (i32.lt_u (local.get 0) (i32.const 10))))
                    local.get 1)",
            ),
            31,
            8_144_500,
        ),
        (
            "start function",
            main(
                "(global $g (mut i64) (i64.const 1)) (start $init)
                (func $init (loop (global.set $g (i64.mul (global.get $g) (i64.const 3)))
                    (br_if 0 (i64.lt_u (global.get $g) (i64.const 1000)))))
                (func $main (result i64) global.get $g)",
            ),
            2187,
            8_083_700,
        ),
    ]
}

#[test]
fn golden() {
    let mut found = Vec::new();
    let mut frozen = Vec::new();
    for (name, wat, value, gas) in programs() {
        let outcome = pure(&wat, b"", 1_000_000_000);
        assert_eq!(outcome.result, returned(value.to_le_bytes()), "{name}");
        found.push((name, outcome.gas_used.units()));
        frozen.push((name, gas));
    }
    assert_eq!(found, frozen);
}

#[test]
fn exactly_enough_is_enough_and_one_less_is_not() {
    for (name, wat, value, gas) in programs() {
        assert_eq!(pure(&wat, b"", gas).result, returned(value.to_le_bytes()), "{name}");
        for less in [gas - 1, gas - 1_000, 8_000_000, 7_999_999, 0] {
            let outcome = pure(&wat, b"", less);
            assert_eq!(outcome.result, Err(Trap::OutOfGas), "{name}, {less}");
            assert!(outcome.gas_used.units() <= less, "{name}, {less}");
        }
    }
}

#[test]
fn sizes_are_charged_by_the_unit() {
    let used = |wat: &str, input: &[u8]| {
        let outcome = pure(wat, input, 1_000_000_000);
        assert!(outcome.result.is_ok(), "{outcome:?}");
        outcome.gas_used.units()
    };
    let with = |template: &str, number: u32| program(&template.replace("{}", &number.to_string()));
    for (template, small, large, price) in [
        (
            r#"(func (export "call") (memory.fill (i32.const 0) (i32.const 0) (i32.const {})))"#,
            0,
            60_000,
            100,
        ),
        (
            r#"(func (export "call") (memory.copy (i32.const 0) (i32.const 9) (i32.const {})))"#,
            7,
            60_000,
            100,
        ),
        (r#"(func (export "call") (drop (memory.grow (i32.const {}))))"#, 0, 3, 3_000_000),
        (
            r#"(func (export "call") (call $return (i32.const 0) (i32.const 0) (i32.const {})))"#,
            0,
            60_000,
            100,
        ),
    ] {
        let difference = used(&with(template, large), b"") - used(&with(template, small), b"");
        assert_eq!(difference, u64::from(large - small) * price, "{template}");
    }
    let read = program(
        r#"(func (export "call") (i32.store (i32.const 0) (i32.const 60000))
            (call $input (i32.const 4) (i32.const 0)))"#,
    );
    assert_eq!(used(&read, &[0; 50_000]) - used(&read, &[0; 10]), 49_990 * 100);
    // A growth that fails costs no more than the largest that could succeed.
    let fail =
        |pages| used(&with(r#"(func (export "call") (drop (memory.grow (i32.const {}))))"#, pages), b"");
    assert_eq!(fail(65_536), fail(4));
}

#[test]
fn more_locals_and_a_larger_memory_cost_more() {
    let used = |wat: &str| pure(wat, b"", 1_000_000_000).gas_used.units();
    let locals =
        |count| used(&format!(r#"(module (func (export "call") (local {})))"#, "i64 ".repeat(count)));
    assert_eq!(locals(250) - locals(50), 200 * 100);
    let pages = |count| used(&format!(r#"(module (memory {count}) (func (export "call")))"#));
    assert_eq!(pages(5) - pages(1), 4 * 3_000_000);
    // Data segments are free, however long.
    let zeros = "\\00".repeat(60_000);
    assert_eq!(
        used(&format!(r#"(module (memory 1) (data (i32.const 0) "{zeros}") (func (export "call")))"#)),
        pages(1)
    );
}
