//! What may be deployed: one row for each rule, with the error it must give.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_vm::{CodeError, Counted, Feature, Kind, check};
use std::collections::BTreeSet;
use support::wasm;

const ENTRIES: &str = r#"(func (export "call")) (func (export "deploy"))"#;

fn contract(body: &str) -> Vec<u8> {
    wasm(&format!("(module {body} {ENTRIES})"))
}

/// A function with so many locals and one basic block more than asked for: its own end.
fn wide(locals: usize, blocks: usize) -> String {
    format!("(func (local {}) {})", "i64 ".repeat(locals), "block end ".repeat(blocks))
}

fn name(module: &str, name: &str) -> (String, String) {
    (module.to_owned(), name.to_owned())
}

#[test]
fn accepted() {
    let body_of = |bytes: usize| format!("(func {})", "nop ".repeat(bytes - 2));
    for (text, body) in [
        ("nothing", ""),
        ("imported memory", r#"(import "env" "memory" (memory 2 16))"#),
        ("own memory, no maximum", "(memory 1)"),
        ("own memory, wide maximum", "(memory 1 65536)"),
        ("extra exports", r#"(memory (export "memory") 1) (func (export "other") (param i32))"#),
        ("start function", "(func $s) (start $s)"),
        ("alias", r#"(import "seal0" "seal_input" (func (param i32 i32)))"#),
        (
            "twice the same import",
            r#"(import "seal0" "input" (func (param i32 i32)))
            (import "seal0" "input" (func (param i32 i32)))"#,
        ),
        ("multi-value", "(func (result i32 i64) i32.const 1 i64.const 2)"),
        ("sign extension", "(func (param i32) (result i32) local.get 0 i32.extend8_s)"),
        ("memory.copy", "(memory 1) (func i32.const 0 i32.const 0 i32.const 0 memory.copy)"),
        ("table", "(table 4096 funcref) (elem (i32.const 1) $f) (func $f)"),
        ("mutable global", "(global (mut i64) (i64.const 5))"),
        ("longest body", &body_of(32 << 10)),
        ("most locals", &format!("(func (param i64) (local {}))", "i32 ".repeat(255))),
        ("deepest nesting", &format!("(func {} {})", "block ".repeat(512), "end ".repeat(512))),
        ("most blocks with locals in a function", &wide(31, 4_095)),
        ("most blocks with locals", &(wide(31, 4_095).repeat(3) + &wide(31, 4_094))),
        ("most targets", &format!("(func (br_table {} (i32.const 0)))", "0 ".repeat(512))),
    ] {
        for kind in [Kind::Pure, Kind::Stateful] {
            let checked = check(&contract(body), kind);
            assert!(checked.is_ok(), "{text}, {kind}: {:?}", checked.err());
            wasmparser::validate(checked.unwrap().instrumented()).unwrap();
        }
    }
}

/// Code that is refused whatever its kind.
fn whatever_the_kind() -> Vec<(String, CodeError)> {
    let feature = CodeError::Feature;
    let signature = |module, function| {
        let (module, name) = name(module, function);
        CodeError::ImportSignature { module, name }
    };
    let unknown = |module, function| {
        let (module, name) = name(module, function);
        CodeError::UnknownImport { module, name }
    };
    let many = |what, count, max| CodeError::TooMany { what, count, max };
    [
        ("(func (param f32))", feature(Feature::Floats)),
        ("(func f64.const 0 drop)", feature(Feature::Floats)),
        ("(global f32 (f32.const 0))", feature(Feature::Floats)),
        ("(func f32.const 0 drop v128.const i64x2 0 0 drop)", feature(Feature::Floats)),
        ("(func v128.const i64x2 0 0 drop)", feature(Feature::Simd)),
        ("(memory 1 1 shared)", feature(Feature::Threads)),
        ("(memory 1) (func i32.const 0 i32.atomic.load drop)", feature(Feature::Threads)),
        ("(memory i64 1)", feature(Feature::Memory64)),
        ("(memory 1) (memory 1)", feature(Feature::MultiMemory)),
        ("(func (param externref))", feature(Feature::ReferenceTypes)),
        ("(func (param funcref))", feature(Feature::ReferenceTypes)),
        ("(table 1 funcref) (func i32.const 0 table.get 0 drop)", feature(Feature::ReferenceTypes)),
        ("(table 1 funcref) (table 1 funcref)", feature(Feature::ReferenceTypes)),
        (
            "(table 1 funcref) (func i32.const 0 i32.const 0 i32.const 0 table.copy)",
            feature(Feature::BulkMemory),
        ),
        ("(memory 1) (data $d \"x\") (func data.drop $d)", feature(Feature::BulkMemory)),
        ("(func $f return_call $f)", feature(Feature::TailCalls)),
        ("(tag)", feature(Feature::Exceptions)),
        ("(global i32 (i32.add (i32.const 1) (i32.const 2)))", feature(Feature::ExtendedConst)),
        ("(func i64.const 0 i64.const 0 i64.mul_wide_u drop drop)", feature(Feature::Other)),
        (r#"(import "seal0" "gas" (func (param i64)))"#, unknown("seal0", "gas")),
        (r#"(import "seal9" "input" (func (param i32 i32)))"#, unknown("seal9", "input")),
        (
            r#"(import "seal0" "seal_seal_return" (func (param i32 i32 i32)))"#,
            unknown("seal0", "seal_seal_return"),
        ),
        (r#"(import "env" "table" (table 1 funcref))"#, unknown("env", "table")),
        (r#"(import "env" "gas" (global i64))"#, unknown("env", "gas")),
        (r#"(import "env" "mem" (memory 1))"#, unknown("env", "mem")),
        (r#"(import "seal0" "input" (func (param i32)))"#, signature("seal0", "input")),
        (r#"(import "seal0" "input" (func (param i32 i64)))"#, signature("seal0", "input")),
        (r#"(import "seal0" "input" (func (param i32 i32) (result i32)))"#, signature("seal0", "input")),
        (r#"(func (export "busbar.gas"))"#, CodeError::ReservedExport { name: "busbar.gas".into() }),
        (r#"(memory (export "busbar.x") 1)"#, CodeError::ReservedExport { name: "busbar.x".into() }),
        ("(table 4097 funcref)", CodeError::TableTooLarge { elements: 4097, max: 4096 }),
        (
            "(memory 1) (data (i32.const 65535) \"ab\")",
            CodeError::SegmentOutOfBounds { what: "memory", index: 0 },
        ),
        (
            "(memory 1) (data (i32.const -1) \"ab\")",
            CodeError::SegmentOutOfBounds { what: "memory", index: 0 },
        ),
        (
            "(table 2 funcref) (func $f) (elem (i32.const 0) $f) (elem (i32.const 1) $f $f)",
            CodeError::SegmentOutOfBounds { what: "table", index: 1 },
        ),
        (
            &format!("(func {})", "nop ".repeat((32 << 10) - 1)),
            CodeError::BodyTooLarge { function: 0, bytes: 32_769, max: 32 << 10 },
        ),
        (
            &format!("(func (param i64) (local {}))", "i32 ".repeat(256)),
            CodeError::TooManyLocals { function: 0, locals: 257, max: 256 },
        ),
        (
            &format!("(func {} {})", "block ".repeat(513), "end ".repeat(513)),
            CodeError::NestingTooDeep { function: 0, max: 512 },
        ),
        (
            &format!("(func (br_table {} (i32.const 0)))", "0 ".repeat(513)),
            CodeError::BranchTableTooLarge { function: 0, targets: 513, max: 512 },
        ),
        (&wide(31, 4_096), CodeError::FunctionTooComplex { function: 0, complexity: 131_104, max: 131_072 }),
        (
            &(wide(31, 4_095).repeat(4) + "(func)"),
            CodeError::TooComplex { complexity: 524_289, max: 524_288 },
        ),
        (&format!("(func (param {}))", "i32 ".repeat(65)), many(Counted::Parameters, 65, 64)),
        (&format!("(func (result {}) unreachable)", "i32 ".repeat(17)), many(Counted::Results, 17, 16)),
        (&"(func)".repeat(4095), many(Counted::Functions, 4097, 4096)),
        (&"(global i32 (i32.const 0))".repeat(257), many(Counted::Globals, 257, 256)),
        (
            &(0..1023).map(|i| format!("(func (export \"{i}\"))")).collect::<String>(),
            many(Counted::Exports, 1025, 1024),
        ),
        (&r#"(import "seal0" "input" (func (param i32 i32)))"#.repeat(257), many(Counted::Imports, 257, 256)),
        (
            &format!("(memory 1) {}", "(data (i32.const 0) \"x\")".repeat(1025)),
            many(Counted::DataSegments, 1025, 1024),
        ),
        (
            &format!("(table 1 funcref) (func $f) {}", "(elem (i32.const 0) $f)".repeat(1025)),
            many(Counted::ElementSegments, 1025, 1024),
        ),
        (
            &(0..1100).map(|i| format!("(type (func (param {})))", types(i))).collect::<String>(),
            many(Counted::Types, 1101, 1024),
        ),
    ]
    .map(|(body, expected): (&str, _)| (body.to_owned(), expected))
    .into()
}

#[test]
fn refused_whatever_the_kind() {
    for (body, expected) in whatever_the_kind() {
        for kind in [Kind::Pure, Kind::Stateful] {
            assert_eq!(
                check(&contract(&body), kind).err().as_ref(),
                Some(&expected),
                "{kind}: {}",
                cut(&body)
            );
        }
    }
}

/// A different list of parameters for every number.
fn types(number: u32) -> String {
    (0..12).map(|bit| if number >> bit & 1 == 0 { "i32 " } else { "i64 " }).collect()
}

fn cut(text: &str) -> &str {
    &text[..text.len().min(120)]
}

/// Code with what it is refused for as a pure and as a stateful contract, if it is.
fn by_kind() -> Vec<(Vec<u8>, Option<CodeError>, Option<CodeError>)> {
    let function =
        |module: &str, function: &str, ty: &str| format!("(import \"{module}\" \"{function}\" (func {ty}))");
    let storage = function("seal1", "get_storage", "(param i32 i32 i32 i32) (result i32)");
    let (module, import) = name("seal1", "get_storage");
    let not_pure = Some(CodeError::NotPure { module, name: import });
    let too_large = |pages, max| Some(CodeError::MemoryTooLarge { pages, max });
    let bodies = [
        (storage.as_str(), not_pure, None),
        ("(memory 17)", None, too_large(17, 16)),
        ("(memory 257)", too_large(257, 256), too_large(257, 16)),
        (r#"(import "env" "memory" (memory 17 17))"#, None, too_large(17, 16)),
    ];
    let missing = |kind, name| Some(CodeError::MissingEntry { kind, name });
    let entry = |name| Some(CodeError::EntrySignature { name });
    let modules = [
        ("(module)", missing(Kind::Pure, "call"), missing(Kind::Stateful, "call")),
        (r#"(module (func (export "call")))"#, None, missing(Kind::Stateful, "deploy")),
        (
            r#"(module (func (export "deploy")))"#,
            missing(Kind::Pure, "call"),
            missing(Kind::Stateful, "call"),
        ),
        (
            r#"(module (memory (export "call") 1))"#,
            missing(Kind::Pure, "call"),
            missing(Kind::Stateful, "call"),
        ),
        (
            r#"(module (func (export "call") (param i32)) (func (export "deploy")))"#,
            entry("call"),
            entry("call"),
        ),
        (
            r#"(module (func (export "call")) (func (export "deploy") (result i32) i32.const 1))"#,
            entry("deploy"),
            entry("deploy"),
        ),
    ];
    let bodies = bodies.map(|(body, in_pure, in_stateful)| (contract(body), in_pure, in_stateful));
    let modules = modules.map(|(module, in_pure, in_stateful)| (wasm(module), in_pure, in_stateful));
    bodies.into_iter().chain(modules).collect()
}

#[test]
fn refused_for_one_kind() {
    for (code, in_pure, in_stateful) in by_kind() {
        assert_eq!(check(&code, Kind::Pure).err(), in_pure);
        assert_eq!(check(&code, Kind::Stateful).err(), in_stateful);
    }
}

/// A contract for each name of the interface, and why it is refused, if it is.
fn interface() -> Vec<(Vec<u8>, Option<CodeError>)> {
    use runtime_abi::{HOST_FUNCTIONS, Service, ValueType};
    let wasm_type = |ty: &ValueType| if *ty == ValueType::I32 { "i32 " } else { "i64 " };
    let mut rows = Vec::new();
    for function in HOST_FUNCTIONS {
        let parameters: String = function.parameters.iter().map(|(_, ty)| wasm_type(ty)).collect();
        let result: String = function.result.iter().map(wasm_type).collect();
        let names =
            [Some(function.name.to_owned()), function.aliased.then(|| format!("seal_{}", function.name))];
        for name in names.into_iter().flatten() {
            let code = contract(&format!(
                r#"(import "{}" "{name}" (func (param {parameters}) (result {result})))"#,
                function.module
            ));
            let module = function.module.to_owned();
            let expected = match function.service {
                Service::Served => None,
                Service::Unstable => Some(CodeError::Unstable { module, name }),
                Service::Deprecated => Some(CodeError::Deprecated { module, name }),
            };
            rows.push((code, expected));
        }
    }
    rows
}

#[test]
fn every_function_of_the_interface_is_served_or_refused_by_its_own_rule() {
    for (code, expected) in interface() {
        assert_eq!(check(&code, Kind::Stateful).err(), expected);
        if expected.is_none() {
            // Both linkers know it.
            support::load(&support::WASMTIME, &code, Kind::Stateful).unwrap();
            support::load(&support::WASMI, &code, Kind::Stateful).unwrap();
        }
    }
}

/// Bytes that no kind of contract can be.
fn no_modules() -> Vec<Vec<u8>> {
    let valid = contract("");
    vec![
        vec![],
        b"\0asm".to_vec(),
        b"hello".to_vec(),
        valid[..valid.len() - 1].to_vec(),
        vec![0; 128 << 10],
        wasm(r#"(module (func (export "call") i32.const 1))"#),
    ]
}

fn too_large() -> Vec<u8> {
    vec![0; (128 << 10) + 1]
}

#[test]
fn bytes_that_are_no_module_are_refused() {
    assert_eq!(check(&too_large(), Kind::Pure).err(), Some(CodeError::CodeTooLarge { bytes: 131_073 }));
    for code in no_modules() {
        assert!(matches!(check(&code, Kind::Pure), Err(CodeError::Invalid(_))), "{code:?}");
    }
}

/// The variants of an enum in the source of the errors.
fn variants(name: &str) -> BTreeSet<String> {
    let source = include_str!("../src/error.rs");
    let (_, rest) = source.split_once(&format!("pub enum {name} {{\n")).unwrap();
    let (body, _) = rest.split_once("\n}").unwrap();
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    lines.filter(|line| line.starts_with(char::is_uppercase)).map(first_word).collect()
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric()).collect()
}

#[test]
fn every_rule_is_broken_by_some_row() {
    let mut errors: Vec<CodeError> = whatever_the_kind().into_iter().map(|(_, error)| error).collect();
    errors
        .extend(by_kind().into_iter().flat_map(|(_, in_pure, in_stateful)| [in_pure, in_stateful]).flatten());
    errors.extend(interface().into_iter().filter_map(|(_, error)| error));
    let bytes = no_modules().into_iter().chain([too_large()]);
    errors.extend(bytes.filter_map(|code| check(&code, Kind::Pure).err()));
    let reached =
        |name: fn(&CodeError) -> Option<String>| errors.iter().filter_map(name).collect::<BTreeSet<_>>();
    assert_eq!(reached(|error| Some(first_word(&format!("{error:?}")))), variants("CodeError"));
    let features = reached(|error| match error {
        CodeError::Feature(feature) => Some(format!("{feature:?}")),
        _ => None,
    });
    assert_eq!(features, variants("Feature"));
    let counted = reached(|error| match error {
        CodeError::TooMany { what, .. } => Some(format!("{what:?}")),
        _ => None,
    });
    assert_eq!(counted, variants("Counted"));
}

#[test]
fn facts_and_maxima() {
    for (body, kind, min, max) in [
        ("", Kind::Pure, 0, 0),
        ("(memory 1)", Kind::Pure, 1, 256),
        ("(memory 1)", Kind::Stateful, 1, 16),
        ("(memory 2 3)", Kind::Stateful, 2, 3),
        ("(memory 2 300)", Kind::Pure, 2, 256),
        (r#"(import "env" "memory" (memory 2 16))"#, Kind::Pure, 2, 16),
    ] {
        let checked = check(&contract(body), kind).unwrap();
        assert_eq!((checked.memory_pages_min(), checked.memory_pages_max()), (min, max), "{body}");
    }
    let checked =
        check(&contract(r#"(import "seal0" "seal_now" (func (param i32 i32)))"#), Kind::Stateful).unwrap();
    assert_eq!(checked.imports().iter().map(|import| import.name).collect::<Vec<_>>(), ["now"]);
}
