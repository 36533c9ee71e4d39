//! What an inspection says must be what the chain does: sizes, imports, and gas as it is charged.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_vm::{CodeError, Inspection, Kind, check, inspect};
use support::{pure, wasm};

fn look(wat: &str) -> Inspection {
    inspect(&wasm(wat), Kind::Pure).unwrap()
}

#[test]
fn gas_is_what_a_run_is_charged() {
    // Without loops, branches and calls the whole body runs once.
    for body in [
        "",
        "(local i64 i32) i32.const 1 i32.const 2 i32.div_u drop",
        "(block i32.const 3 i32.eqz drop) i32.const 0 i64.load drop i32.const 0 i64.const 1 i64.store",
    ] {
        let wat = format!(r#"(module (memory 1) (func (export "call") {body}))"#);
        let found = look(&wat);
        let outcome = pure(&wat, b"", 100_000_000);
        assert_eq!(outcome.gas_used.units(), found.entry_gas + found.functions[0].gas, "{body}");
    }
}

#[test]
fn loops_are_weighed() {
    // Turns until local 1 is 0.
    let wat = |turns: u32, inner: &str| {
        format!(
            r#"(module (func (export "call") (local i32 i32)
                (local.set 1 (i32.const {turns}))
                (loop $outer
                  (local.set 0 (i32.div_u (local.get 0) (i32.const 3)))
                  {inner}
                  (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
                  (br_if $outer (local.get 1)))
                (loop $light (br_if $light (local.get 0)))))"#
        )
    };
    let used = |turns| pure(&wat(turns, ""), b"", 1_000_000_000).gas_used.units();
    let plain = &look(&wat(1, "")).functions[0];
    assert_eq!((plain.loops, plain.loop_gas), (2, used(11) - used(10)), "a turn costs what it is said to");
    // A loop inside counts once.
    let inner = "(loop $inner (br_if $inner (i32.const 0)))";
    let alone = &look(&format!(r#"(module (func (export "call") {inner}))"#)).functions[0];
    let nested = &look(&wat(1, inner)).functions[0];
    assert_eq!((nested.loops, nested.loop_gas), (3, plain.loop_gas + alone.loop_gas));
}

#[test]
fn hot_spots_come_first() {
    let found = look(
        r#"(module
            (func $plain (export "call") (drop (i64.div_u (i64.const 1) (i64.const 2))))
            (func $small (loop (br_if 0 (i32.const 0))))
            (func $large (loop (br_if 0 (i32.div_u (i32.const 0) (i32.const 1)))))
            (func $empty))"#,
    );
    let names: Vec<&str> = found.functions.iter().map(|one| one.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["large", "small", "plain", "empty"]);
    assert_eq!(found.functions.iter().map(|one| one.index).collect::<Vec<_>>(), [2, 1, 0, 3]);
}

#[test]
fn sizes_and_interface() {
    let wat = r#"(module
        (import "env" "memory" (memory 2 9))
        (import "seal0" "input" (func (param i32 i32)))
        (import "seal0" "seal_hash_keccak_256" (func (param i32 i32 i32)))
        (table 3 funcref) (global i32 (i32.const 1))
        (data (i32.const 0) "twelve bytes") (data (i32.const 90) "more")
        (func (export "call") (param i32) (local i64 i64) i32.const 1 i32.const 2 i32.const 3 drop drop drop)
        (func (export "other")) (start 3))"#;
    let code = wasm(wat);
    // A parameter is refused, so that is how refusals come out of here.
    assert_eq!(inspect(&code, Kind::Pure).unwrap_err().rule, CodeError::EntrySignature { name: "call" });
    let code = wasm(&wat.replace(r#"(func (export "call") (param i32)"#, r#"(func (export "call")"#));
    let found = inspect(&code, Kind::Pure).unwrap();
    let checked = check(&code, Kind::Pure).unwrap();
    assert_eq!((found.bytes, found.instrumented_bytes), (code.len(), checked.instrumented().len()));
    assert!(found.instrumented_bytes as u64 > found.body_bytes);
    assert_eq!((found.data_bytes, found.memory_pages, found.table_elements), (16, (2, 9), 3));
    assert_eq!((found.globals, found.start, found.entry_gas), (1, Some(3), checked.entry_gas()));
    let imports: Vec<_> = found.imports.iter().map(|one| (one.function.module, one.function.name)).collect();
    assert_eq!(imports, [("seal0", "input"), ("seal0", "hash_keccak_256")]);
    assert!(found.imports[1].base_gas > found.imports[0].base_gas);
    let exports: Vec<_> = found.exports.iter().map(|one| (&one.name[..], one.what, one.index)).collect();
    assert_eq!(exports, [("call", "function", 2), ("other", "function", 3)]);
    let call = found.functions.iter().find(|one| one.index == 2).unwrap();
    assert_eq!((call.name.as_deref(), call.locals, call.operands_max), (Some("call"), 2, 3));
}
