//! Where a rule is broken: the byte of each refusal, in a module whose bytes the test knows.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_vm::{CodeError, Counted, Feature, Kind, Refusal, check, examine, function_at};
use support::wasm;

/// Number of bytes before the only occurrence of `needle`.
fn position(code: &[u8], needle: &[u8]) -> u64 {
    let mut at = (0..code.len()).filter(|at| code[*at..].starts_with(needle));
    let found = at.next().unwrap();
    assert_eq!(at.next(), None, "{needle:x?} is in {code:x?} more than once");
    found as u64
}

fn refusal(code: &[u8], kind: Kind) -> Refusal {
    let refusal = examine(code, kind).unwrap_err();
    assert_eq!(check(code, kind).unwrap_err(), refusal.rule, "check and examine differ");
    assert_eq!(refusal.to_string(), refusal.rule.to_string());
    refusal
}

#[test]
fn a_refusal_names_the_byte() {
    let entries = r#"(func (export "call")) (func (export "deploy"))"#;
    // Before what is wrong stand bytes that are nowhere else.
    for (text, marker, skip) in [
        // An operator.
        ("(func i32.const 305419896 drop f32.const 0 drop)", &[0xf8, 0xac, 0xd1, 0x91, 0x01, 0x1a][..], 6),
        // An import.
        (r#"(import "seal0" "gas" (func (param i64)))"#, b"\x05seal0\x03gas", 0),
        (r#"(import "env" "memory" (memory 300))"#, b"\x03env\x06memory", 0),
        // An export.
        (r#"(func (export "busbar.gas"))"#, b"\x0abusbar.gas", 0),
        // A segment.
        (r#"(memory 1) (data (i32.const 65535) "needle")"#, b"\x00\x41\xff\xff\x03\x0b\x06needle", 0),
        // A memory and a table.
        ("(memory 511)", b"\x05\x04\x01\x00\xff\x03", 3),
        ("(table 4097 funcref)", b"\x04\x05\x01\x70\x00\x81\x20", 2),
    ] {
        let code = wasm(&format!("(module {text} {entries})"));
        let expected = position(&code, marker) + skip;
        assert_eq!(refusal(&code, Kind::Stateful).offset, Some(expected), "{text}");
    }
}

#[test]
fn entries_are_placed_at_their_export_or_nowhere() {
    let typed = wasm(r#"(module (func (export "call") (param i32)))"#);
    let expected = CodeError::EntrySignature { name: "call" };
    let place = position(&typed, b"\x04call");
    assert_eq!(refusal(&typed, Kind::Pure), Refusal { rule: expected, offset: Some(place) });

    let other = wasm(r#"(module (memory (export "call") 1))"#);
    let rule = CodeError::MissingEntry { kind: Kind::Pure, name: "call" };
    let place = position(&other, b"\x04call");
    assert_eq!(refusal(&other, Kind::Pure), Refusal { rule: rule.clone(), offset: Some(place) });
    assert_eq!(refusal(&wasm("(module)"), Kind::Pure), Refusal { rule, offset: None });
}

#[test]
fn too_much_is_placed_where_it_begins() {
    let rows: [(String, CodeError, &[u8]); 4] = [
        (
            format!("(func (export \"call\")) (func (local {}))", "i32 ".repeat(257)),
            CodeError::TooManyLocals { function: 1, locals: 257, max: 256 },
            &[0x01, 0x81, 0x02, 0x7f, 0x0b],
        ),
        (
            format!("(func (export \"call\")) {}", "(global i32 (i32.const 0))".repeat(257)),
            CodeError::TooMany { what: Counted::Globals, count: 257, max: 256 },
            // The section's id and size stand before its count.
            &[0x81, 0x02, 0x7f, 0x00, 0x41],
        ),
        (
            format!("(func (export \"call\")) (func (param {}))", "i64 ".repeat(65)),
            CodeError::TooMany { what: Counted::Parameters, count: 65, max: 64 },
            &[0x60, 0x41, 0x7e, 0x7e],
        ),
        (
            "(func (export \"call\")) (func i64.const 0 i64.const 7 i64.mul_wide_u drop drop)".to_owned(),
            CodeError::Feature(Feature::Other),
            &[0xfc, 0x16],
        ),
    ];
    for (body, rule, marker) in rows {
        let code = wasm(&format!("(module {body})"));
        let expected = Refusal { rule, offset: Some(position(&code, marker)) };
        assert_eq!(refusal(&code, Kind::Pure), expected);
    }
    let large = vec![0; (128 << 10) + 5];
    assert_eq!(refusal(&large, Kind::Pure).offset, Some(128 << 10));
    assert_eq!(refusal(b"hello, world", Kind::Pure).offset, Some(0));
}

#[test]
fn the_function_around_a_byte_is_named() {
    let code = wasm(
        r#"(module (import "seal0" "input" (func (param i32 i32)))
            (func (export "call"))
            (func $wrong i32.const 305419896 drop f64.const 0 drop))"#,
    );
    let offset = refusal(&code, Kind::Pure).offset.unwrap();
    assert_eq!(function_at(&code, offset), Some((2, Some("wrong".to_owned()))));
    assert_eq!(function_at(&code, 0), None);
    // Cut inside a body, the module has lost its names, not its indices.
    let cut = &code[..usize::try_from(offset).unwrap()];
    assert_eq!(function_at(cut, offset - 1), None);
}
