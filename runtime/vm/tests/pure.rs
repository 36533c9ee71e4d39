//! Pure contracts: outputs, traps and limits, equal on both engines.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_primitives::limits::PURE_IO_BYTES_MAX;
use runtime_primitives::{Gas, blake2_128, blake2_256, keccak_256, sha2_256};
use runtime_vm::{HostTrap, Kind, Output, Trap};
use support::{PLENTY, WASMI, WASMTIME, load, on_vm_thread, program, pure, pure_code, returned, wasm};

/// Copies at most 1000 bytes of input to 8 and returns them.
const ECHO: &str = r#"(func (export "call")
    (i32.store (i32.const 0) (i32.const 1000))
    (call $input (i32.const 8) (i32.const 0))
    (call $return (i32.const 0) (i32.const 8) (i32.load (i32.const 0))))"#;

#[test]
fn outputs() {
    for (text, body, input, expected) in [
        ("echo", ECHO, &b"hello"[..], returned(b"hello")),
        ("echo nothing", ECHO, b"", returned(b"")),
        ("no return", r#"(func (export "call"))"#, b"x", returned(b"")),
        (
            "revert",
            r#"(func (export "call") (call $return (i32.const 1) (i32.const 0) (i32.const 2)))"#,
            b"",
            Ok(Output { flags: 1, data: vec![0, 0] }),
        ),
        (
            "input again",
            r#"(func (export "call")
                (i32.store (i32.const 0) (i32.const 8))
                (call $input (i32.const 8) (i32.const 0))
                (i32.store (i32.const 0) (i32.const 8))
                (call $input (i32.const 10) (i32.const 0))
                (call $return (i32.const 0) (i32.const 0) (i32.const 12)))"#,
            b"ab",
            returned([2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', b'a', b'b']),
        ),
        (
            "data, globals, start function, then the entry point",
            r#"(global $g (mut i32) (i32.const 5)) (data (i32.const 16) "\2a")
            (func $s (global.set $g (i32.add (global.get $g) (i32.load8_u (i32.const 16)))))
            (start $s)
            (func (export "call") (i32.store8 (i32.const 0) (global.get $g))
                (call $return (i32.const 0) (i32.const 0) (i32.const 1)))"#,
            b"",
            returned([47]),
        ),
        (
            "the start function may return",
            r#"(func $s (call $return (i32.const 0) (i32.const 0) (i32.const 3))) (start $s)
            (func (export "call") unreachable)"#,
            b"",
            returned([0, 0, 0]),
        ),
        (
            "memory grows to its limit and no further",
            r#"(func (export "call")
                (i32.store8 (i32.const 0) (memory.grow (i32.const 3)))
                (i32.store8 (i32.const 1) (memory.grow (i32.const 1)))
                (i32.store8 (i32.const 2) (memory.size))
                (i32.store8 (i32.const 3) (memory.grow (i32.const -1)))
                (call $return (i32.const 0) (i32.const 0) (i32.const 4)))"#,
            b"",
            returned([1, 255, 4, 255]),
        ),
        (
            "copy and fill",
            r#"(func (export "call")
                (memory.fill (i32.const 0) (i32.const 7) (i32.const 4))
                (memory.copy (i32.const 2) (i32.const 1) (i32.const 4))
                (call $return (i32.const 0) (i32.const 0) (i32.const 7)))"#,
            b"",
            returned([7, 7, 7, 7, 7, 0, 0]),
        ),
    ] {
        assert_eq!(pure(&program(body), input, PLENTY).result, expected, "{text}");
        // A fresh instance for every call: nothing is left of the first.
        assert_eq!(pure(&program(body), input, PLENTY).result, expected, "{text}, again");
    }
}

#[test]
fn hashes_are_the_published_ones() {
    type Digest = fn(&[u8]) -> Vec<u8>;
    let digests: [(&str, Digest); 4] = [
        ("hash_blake2_256", |data| blake2_256(data).0.to_vec()),
        ("hash_blake2_128", |data| blake2_128(data).to_vec()),
        ("hash_keccak_256", |data| keccak_256(data).to_vec()),
        ("hash_sha2_256", |data| sha2_256(data).to_vec()),
    ];
    for (name, digest) in digests {
        let contract = format!(
            r#"(module (import "env" "memory" (memory 1 1))
            (import "seal0" "input" (func $input (param i32 i32)))
            (import "seal0" "{name}" (func $hash (param i32 i32 i32)))
            (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
            (func (export "call")
                (i32.store (i32.const 0) (i32.const 1000))
                (call $input (i32.const 100) (i32.const 0))
                (call $hash (i32.const 100) (i32.load (i32.const 0)) (i32.const 8))
                (call $return (i32.const 0) (i32.const 8) (i32.const 32))))"#
        );
        for input in [&b""[..], b"abc", &[9; 300]] {
            let output = pure(&contract, input, PLENTY).result.unwrap().data;
            let expected = digest(input);
            assert_eq!(output[..expected.len()], expected, "{name}");
            assert!(output[expected.len()..].iter().all(|byte| *byte == 0), "{name} wrote too much");
        }
    }
    // SHA-256 of "abc", as FIPS 180-2 prints it: not only equal to ourselves.
    assert_eq!(sha2_256(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
    assert_eq!(keccak_256(b"")[..4], [0xc5, 0xd2, 0x46, 0x01]);
}

#[test]
fn traps() {
    let refused = |trap| Trap::HostRefused(trap);
    let out_of_bounds = |pointer, length| refused(HostTrap::OutOfBounds { pointer, length });
    for (body, expected) in [
        (r#"(func (export "call") unreachable)"#, Trap::Unreachable),
        (r#"(func (export "call") (loop (br 0)))"#, Trap::OutOfGas),
        (
            r#"(func (export "call") (local i64) (loop (local.set 0 (i64.add (local.get 0) (i64.const 1))) (br 0)))"#,
            Trap::OutOfGas,
        ),
        (r#"(func (export "call") (drop (i32.load (i32.const 65533))))"#, Trap::MemoryOutOfBounds),
        (
            r#"(func (export "call") (i64.store offset=4294967295 (i32.const -1) (i64.const 0)))"#,
            Trap::MemoryOutOfBounds,
        ),
        (
            r#"(func (export "call") (memory.fill (i32.const 65530) (i32.const 0) (i32.const 7)))"#,
            Trap::MemoryOutOfBounds,
        ),
        (
            r#"(func (export "call") (memory.copy (i32.const 0) (i32.const 0) (i32.const -1)))"#,
            Trap::OutOfGas,
        ),
        (r#"(func (export "call") (drop (i32.div_u (i32.const 1) (i32.const 0))))"#, Trap::DivisionByZero),
        (
            r#"(func (export "call") (drop (i64.div_s (i64.const -0x8000000000000000) (i64.const -1))))"#,
            Trap::IntegerOverflow,
        ),
        (
            r#"(table 1 funcref) (func (export "call") (call_indirect (i32.const 0)))"#,
            Trap::IndirectCallToNull,
        ),
        (r#"(table 1 funcref) (func (export "call") (call_indirect (i32.const 1)))"#, Trap::TableOutOfBounds),
        (
            r#"(table 1 funcref) (func $f (param i32)) (elem (i32.const 0) $f)
            (func (export "call") (call_indirect (i32.const 0)))"#,
            Trap::BadSignature,
        ),
        (r#"(func $s unreachable) (start $s) (func (export "call"))"#, Trap::Unreachable),
        (r#"(func $s (loop (br 0))) (start $s) (func (export "call"))"#, Trap::OutOfGas),
        (
            r#"(func (export "call") (call $return (i32.const 2) (i32.const 0) (i32.const 0)))"#,
            refused(HostTrap::UnknownFlags { flags: 2 }),
        ),
        (
            r#"(func (export "call") (call $return (i32.const 0) (i32.const 65536) (i32.const 1)))"#,
            out_of_bounds(65536, 1),
        ),
        (
            r#"(func (export "call") (call $return (i32.const 0) (i32.const -1) (i32.const 2)))"#,
            out_of_bounds(u32::MAX, 2),
        ),
        (
            r#"(func (export "call") (call $return (i32.const 0) (i32.const 0) (i32.const 8388609)))"#,
            refused(HostTrap::PayloadTooLarge { length: 8_388_609, max: 8_388_608 }),
        ),
        (
            r#"(func (export "call") (call $input (i32.const 8) (i32.const 0)))"#,
            refused(HostTrap::OutputBufferTooSmall { length: 5, capacity: 0 }),
        ),
        (
            r#"(func (export "call") (i32.store (i32.const 0) (i32.const 4))
            (call $input (i32.const 8) (i32.const 0)))"#,
            refused(HostTrap::OutputBufferTooSmall { length: 5, capacity: 4 }),
        ),
        (r#"(func (export "call") (call $input (i32.const 8) (i32.const 65533)))"#, out_of_bounds(65533, 4)),
        (
            r#"(func (export "call") (i32.store (i32.const 0) (i32.const 9))
            (call $input (i32.const 65534) (i32.const 0)))"#,
            out_of_bounds(65534, 5),
        ),
    ] {
        let limit = 100_000_000;
        let outcome = pure(&program(body), b"12345", limit);
        assert_eq!(outcome.result, Err(expected), "{body}");
        assert!(outcome.gas_used.units() <= limit, "{body}");
    }
}

#[test]
fn no_memory_is_an_empty_memory() {
    let code = r#"(module (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
        (func (export "call") (call $return (i32.const 0) (i32.const 0) (i32.const 1))))"#;
    let trap = HostTrap::OutOfBounds { pointer: 0, length: 1 };
    assert_eq!(pure(code, b"", PLENTY).result, Err(trap.into()));
}

#[test]
fn gas_is_refused_before_the_instance_exists() {
    let code = r#"(module (memory 2) (func (export "call")))"#;
    let needed = pure(code, b"", PLENTY).gas_used.units();
    for (limit, ok) in [(0, false), (1, false), (needed - 1, false), (needed, true), (u64::MAX, true)] {
        let outcome = pure(code, b"", limit);
        assert_eq!(outcome.result.is_ok(), ok, "{limit}");
        assert_eq!(outcome.gas_used.units(), limit.min(needed), "{limit}");
    }
}

#[test]
fn the_largest_input_comes_back() {
    let code = wasm(
        r#"(module (import "env" "memory" (memory 129 256))
        (import "seal0" "input" (func $input (param i32 i32)))
        (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
        (func (export "call") (i32.store (i32.const 0) (i32.const -1))
            (call $input (i32.const 4) (i32.const 0))
            (call $return (i32.const 0) (i32.const 4) (i32.load (i32.const 0)))))"#,
    );
    let mut input: Vec<u8> = (0..PURE_IO_BYTES_MAX).map(|index| u8::try_from(index % 251).unwrap()).collect();
    let gas = 10_000_000_000;
    assert!(pure_code(&code, &input, gas).result.is_ok_and(|output| output.data == input));
    input.push(0);
    let length = input.len() as u64;
    let trap = HostTrap::PayloadTooLarge { length, max: PURE_IO_BYTES_MAX };
    assert_eq!(pure_code(&code, &input, gas).result, Err(trap.into()));
}

#[test]
fn modules_are_cached_by_hash_and_kind() {
    let code = wasm(r#"(module (func (export "call")) (func (export "deploy")))"#);
    let hash = blake2_256(&code);
    for vm in [&*WASMTIME, &*WASMI] {
        assert_eq!(vm.load(&hash, Kind::Pure, || code.clone()).unwrap().kind(), Kind::Pure);
        vm.load(&hash, Kind::Pure, || panic!("it is cached")).unwrap();
        assert_eq!(vm.load(&hash, Kind::Stateful, || code.clone()).unwrap().kind(), Kind::Stateful);
        let other = blake2_256(b"another");
        assert!(vm.load(&other, Kind::Pure, || b"not wasm".to_vec()).is_err());
        // A refusal is not remembered under the hash.
        assert!(vm.load(&other, Kind::Pure, || code.clone()).is_ok());
    }
}

#[test]
fn more_threads_than_instances_wait_for_their_turn() {
    let code = wasm(&program(ECHO));
    on_vm_thread(|| support::load_both(&code, Kind::Pure));
    for vm in [&*WASMTIME, &*WASMI] {
        std::thread::scope(|scope| {
            for thread in 0..64u8 {
                let code = &code;
                scope.spawn(move || {
                    let module = load(vm, code, Kind::Pure).unwrap();
                    for _ in 0..20 {
                        let outcome = vm.call_pure(&module, &[thread], Gas::from_units(PLENTY));
                        assert_eq!(outcome.result, returned([thread]));
                    }
                });
            }
        });
    }
}
