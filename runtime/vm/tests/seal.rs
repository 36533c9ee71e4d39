//! The interface as a whole, row by row of its table; and signatures, stubs and what a nested call is given.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_abi::{ALIAS_PREFIX, HOST_FUNCTIONS, HostFunction, Service, ValueType};
use runtime_primitives::keccak_256;
use runtime_vm::{Entry, HostTrap, Kind, Output, ReturnCode, Trap, check};
use support::ledger::Ledger;
use support::{PLENTY, load_both, on_vm_thread, returned, stateful, wasm};

fn name_of(of: ValueType) -> &'static str {
    match of {
        ValueType::I32 => "i32",
        ValueType::I64 => "i64",
    }
}

/// A module that imports `function` as `name`, and calls it with `given` for each argument.
fn importing(function: &HostFunction, name: &str, given: &str) -> String {
    let types: String =
        function.parameters.iter().map(|(_, of)| format!("(param {})", name_of(*of))).collect();
    let result = function.result.map_or(String::new(), |of| format!("(result {})", name_of(of)));
    let arguments: String =
        function.parameters.iter().map(|(_, of)| format!("({}.const {given})", name_of(*of))).collect();
    let drop = if function.result.is_some() { "drop" } else { "" };
    format!(
        r#"(module (import "env" "memory" (memory 1 1))
        (import "{}" "{name}" (func $f {types} {result}))
        (func (export "deploy")) (func (export "call") (call $f {arguments}) {drop}))"#,
        function.module
    )
}

fn names(function: &HostFunction) -> Vec<String> {
    let alias = function.aliased.then(|| format!("{ALIAS_PREFIX}{}", function.name));
    [function.name.to_owned()].into_iter().chain(alias).collect()
}

#[test]
fn every_served_function_is_importable_by_its_names_and_no_other() {
    on_vm_thread(|| {
        let mut served = 0;
        for function in HOST_FUNCTIONS {
            let name = format!("{}.{}", function.module, function.name);
            for imported in names(function) {
                let code = wasm(&importing(function, &imported, "0"));
                let accepted = function.service == Service::Served;
                assert_eq!(check(&code, Kind::Stateful).is_ok(), accepted, "{name} as {imported}");
                if accepted {
                    load_both(&code, Kind::Stateful);
                    served += 1;
                }
            }
            if !function.aliased {
                let alias = format!("{ALIAS_PREFIX}{}", function.name);
                let code = wasm(&importing(function, &alias, "0"));
                assert!(check(&code, Kind::Stateful).is_err(), "{name} as {alias}");
            }
        }
        assert!(served > 90, "{served} names");
    });
}

#[test]
fn every_served_function_can_be_called() {
    on_vm_thread(|| {
        for function in HOST_FUNCTIONS.iter().filter(|function| function.service == Service::Served) {
            for imported in names(function) {
                // Pointers and lengths of nothing: what is refused is refused for what it says, on both engines.
                let wat = importing(function, &imported, "0");
                let result = stateful(&wat, Entry::Call, b"", PLENTY, &mut Ledger::default()).result;
                let fine = match &result {
                    Ok(output) => *output == Output::default(),
                    Err(Trap::HostRefused(HostTrap::OutputBufferTooSmall { .. } | HostTrap::Refused)) => true,
                    Err(_) => false,
                };
                assert!(fine, "{}.{imported}: {result:?}", function.module);
            }
        }
    });
}

#[test]
fn a_read_only_call_is_refused_what_the_table_calls_mutating() {
    on_vm_thread(|| {
        let denied = Err(Trap::HostRefused(HostTrap::StateChangeDenied));
        let mut mutating = 0;
        for function in HOST_FUNCTIONS.iter().filter(|function| function.service == Service::Served) {
            let wat = importing(function, function.name, "0");
            let mut ledger = Ledger { read_only: true, ..Ledger::default() };
            let result = stateful(&wat, Entry::Call, b"", PLENTY, &mut ledger).result;
            assert_eq!(result == denied, function.mutating, "{}.{}", function.module, function.name);
            let Ledger { storage, events, transfers, .. } = ledger;
            assert!(storage.is_empty() && events.is_empty() && transfers.is_empty());
            mutating += usize::from(function.mutating);
        }
        assert!(mutating > 15, "{mutating}");
    });
}

/// Puts the input at 100 and answers the code of `body` (32 bits) and `bytes` bytes at 1000.
fn asking(imports: &str, body: &str, bytes: usize) -> String {
    format!(
        r#"(module (import "env" "memory" (memory 1 1))
        (import "seal0" "input" (func $input (param i32 i32)))
        (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
        {imports}
        (func (export "deploy"))
        (func (export "call")
            (i32.store (i32.const 0) (i32.const 500))
            (call $input (i32.const 100) (i32.const 0))
            (i32.store (i32.const 996) {body})
            (call $return (i32.const 0) (i32.const 996) (i32.const {}))))"#,
        bytes + 4
    )
}

fn ask(wat: &str, input: &[u8]) -> Result<Output, Trap> {
    stateful(wat, Entry::Call, input, PLENTY, &mut Ledger::default()).result
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn code_and(code: ReturnCode, bytes: &[u8]) -> Result<Output, Trap> {
    returned([&(code as u32).to_le_bytes(), bytes].concat())
}

/// The order of secp256k1.
const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

/// `ORDER - scalar`.
fn negated(scalar: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits = hex(ORDER);
    for (digit, other) in digits.iter_mut().zip(scalar).rev() {
        let difference = i32::from(*digit) - i32::from(*other) - borrow;
        borrow = i32::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    digits
}

/// Published signatures: hash, r, s, recovery id, compressed key.
///
/// The first is the example of Ethereum's EIP-155 (key 0x46…46), the second that of ink!'s documentation (key 1).
const SIGNATURES: [(&str, &str, &str, u8, &str); 2] = [
    (
        "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53",
        "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276",
        "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
        0,
        "024bc2a31265153f07e70e0bab08724e6b85e217f8cd628ceb62974247bb493382",
    ),
    (
        "a21cf4b3604cf4b2bc53e6f88f6a4d75ef5ff4ab415f3e99aea6b61c8249c4d0",
        "a1eacb4a936033d405aee7098e3089c9a276c043ef1047d87d56a78b460756f1",
        "21579afb511da004b0ef58d3f4e8e834d3ea6473e62f502c98a63e32080d56af",
        1,
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    ),
];

#[test]
fn ecdsa_keys_are_recovered() {
    on_vm_thread(|| {
        let wat = asking(
            r#"(import "seal0" "ecdsa_recover" (func $recover (param i32 i32 i32) (result i32)))"#,
            "(call $recover (i32.const 100) (i32.const 165) (i32.const 1000))",
            33,
        );
        let recover = |r: &[u8], s: &[u8], id: u8, hash: &[u8]| ask(&wat, &[r, s, &[id], hash].concat());
        let failed = code_and(ReturnCode::EcdsaRecoveryFailed, &[0; 33]);
        for (hash, r, s, id, key) in SIGNATURES {
            let [hash, r, s, key] = [hash, r, s, key].map(hex);
            let found = code_and(ReturnCode::Success, &key);
            assert_eq!(recover(&r, &s, id, &hash), found);
            assert_eq!(recover(&r, &s, id + 27, &hash), found, "Ethereum counts from 27");
            assert_eq!(recover(&r, &negated(&s), 1 - id, &hash), found, "the higher s is as good");
            assert_eq!(recover(&r, &negated(&s), 28 - id, &hash), found);
            for (what, other) in [
                ("the other id", recover(&r, &s, 1 - id, &hash)),
                ("another hash", recover(&r, &s, id, &[7; 32])),
                ("the higher s with the same id", recover(&r, &negated(&s), id, &hash)),
            ] {
                let Output { data, .. } = other.unwrap();
                assert_eq!(data[..4], [0; 4], "{what} recovers a key");
                assert_ne!(data[4..], key, "{what} is not the signer's");
            }
            let (zero, order, most) = ([0; 32], hex(ORDER), [0xff; 32]);
            for (what, answer) in [
                ("r is zero", recover(&zero, &s, id, &hash)),
                ("s is zero", recover(&r, &zero, id, &hash)),
                ("r is the order", recover(&order, &s, id, &hash)),
                ("s is the order", recover(&r, &order, id, &hash)),
                ("r is too large", recover(&most, &s, id, &hash)),
                ("s is too large", recover(&r, &most, id, &hash)),
                ("r that cannot be reduced", recover(&r, &s, 2, &hash)),
                ("an id of 4", recover(&r, &s, 4, &hash)),
                ("an id of 26", recover(&r, &s, 26, &hash)),
                ("an id of 31", recover(&r, &s, 31, &hash)),
                ("an id of 255", recover(&r, &s, 255, &hash)),
            ] {
                assert_eq!(answer, failed, "{what}");
            }
        }
    });
}

#[test]
fn eth_addresses_are_those_of_the_keys() {
    on_vm_thread(|| {
        let wat = asking(
            r#"(import "seal0" "ecdsa_to_eth_address" (func $address (param i32 i32) (result i32)))"#,
            "(call $address (i32.const 100) (i32.const 1000))",
            20,
        );
        // The addresses that everybody knows of the keys 1, 2 and 0x46…46.
        for (key, address) in [
            (SIGNATURES[1].4, "7e5f4552091a69125d5dfcb7b8c2659029395bdf"),
            (
                "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
                "2b5ad5c4795c026514f8317c7a215e218dccd6cf",
            ),
            (SIGNATURES[0].4, "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"),
        ] {
            assert_eq!(ask(&wat, &hex(key)), code_and(ReturnCode::Success, &hex(address)));
        }
        let no_point = [&[2], &[0xff; 32][..]].concat();
        for bad in [vec![0; 33], no_point, [&[4], &hex(SIGNATURES[1].4)[1..]].concat()] {
            assert_eq!(ask(&wat, &bad), code_and(ReturnCode::EcdsaRecoveryFailed, &[0; 20]), "{bad:?}");
        }
    });
}

#[test]
fn sr25519_signatures_hold_or_do_not() {
    on_vm_thread(|| {
        let wat = |length: usize| {
            asking(
                r#"(import "seal0" "sr25519_verify" (func $verify (param i32 i32 i32 i32) (result i32)))"#,
                &format!(
                    "(call $verify (i32.const 100) (i32.const 164) (i32.const {length}) (i32.const 196))"
                ),
                0,
            )
        };
        // Substrate's development key "Alice", and its signature of "hello world" that the contracts pallet tests with.
        let signature = hex(concat!(
            "b8314aee4ea566fc165c9cb07c76a874f763005e022d09aa49deb64a3c204b40",
            "62ae45375355b462d04be739cd3e04691a88ac117b635affe436733f1ecfcd83"
        ));
        let key = hex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d");
        let verify = |signature: &[u8], key: &[u8], message: &[u8]| {
            ask(&wat(message.len()), &[signature, key, message].concat())
        };
        let (good, bad) =
            (code_and(ReturnCode::Success, b""), code_and(ReturnCode::Sr25519VerifyFailed, b""));
        assert_eq!(verify(&signature, &key, b"hello world"), good);
        let mut other = signature.clone();
        other[5] ^= 1;
        for (what, signature, key, message) in [
            ("another message", &signature[..], &key[..], &b"hello worlD"[..]),
            ("a shorter message", &signature, &key, b"hello worl"),
            ("no message", &signature, &key, b""),
            ("another signature", &other, &key, b"hello world"),
            ("no signature", &[0; 64], &key, b"hello world"),
            ("another key", &signature, &[7; 32], b"hello world"),
            ("the zero key", &signature, &[0; 32], b"hello world"),
            ("the zero key, which signs anything with zeros", &zero_signature(), &[0; 32], b"hello world"),
        ] {
            assert_eq!(verify(signature, key, message), bad, "{what}");
        }
    });
}

/// R and s of nothing, marked as schnorrkel's: it holds for the key of nothing.
fn zero_signature() -> [u8; 64] {
    let mut signature = [0; 64];
    signature[63] = 0x80;
    signature
}

#[test]
fn what_is_not_dispatched_answers_its_code() {
    on_vm_thread(|| {
        for (function, parameters, arguments, code) in [
            ("call_runtime", 2, "(i32.const 100) (i32.const 4)", ReturnCode::CallRuntimeFailed),
            ("xcm_execute", 2, "(i32.const 100) (i32.const 4)", ReturnCode::XcmExecutionFailed),
            (
                "xcm_send",
                4,
                "(i32.const 100) (i32.const 104) (i32.const 4) (i32.const 200)",
                ReturnCode::XcmSendFailed,
            ),
        ] {
            let import = format!(
                r#"(import "seal0" "{function}" (func $f {} (result i32)))"#,
                "(param i32)".repeat(parameters)
            );
            let wat = asking(&import, &format!("(call $f {arguments})"), 0);
            assert_eq!(ask(&wat, b"0123456789"), code_and(code, b""), "{function}");
            let outside = arguments.replace("(i32.const 4)", "(i32.const 65536)");
            let trap = ask(&asking(&import, &format!("(call $f {outside})"), 0), b"");
            assert!(
                matches!(trap, Err(Trap::HostRefused(HostTrap::OutOfBounds { .. }))),
                "{function}: {trap:?}"
            );
        }
    });
}

/// A contract that calls with `gas` and so much value, and ends.
fn calling(gas: &str, value: u64) -> String {
    format!(
        r#"(module (import "env" "memory" (memory 1 1))
        (import "seal1" "call" (func $call (param i32 i32 i64 i32 i32 i32 i32 i32) (result i32)))
        (func (export "deploy"))
        (func (export "call")
            (i64.store (i32.const 64) (i64.const {value}))
            (drop (call $call (i32.const 0) (i32.const 0) (i64.const {gas}) (i32.const 64) (i32.const 0) (i32.const 0)
                (i32.const -1) (i32.const 0)))))"#
    )
}

#[test]
fn a_callee_is_given_what_is_left_but_a_64th() {
    on_vm_thread(|| {
        let run = |gas: &str, limit: u64, callee_answers: bool| {
            let mut ledger = Ledger { callee_answers, ..Ledger::default() };
            let outcome = stateful(&calling(gas, 0), Entry::Call, b"", limit, &mut ledger);
            assert_eq!(outcome.result, returned(b""));
            (ledger.calls[0].1, outcome.gas_used.units())
        };
        // After the call the caller drops the code, for what it kept.
        const TAIL: u64 = 100;
        // What it uses before: all but that, and the seven that an answering callee takes.
        let own = run("0", PLENTY, true).1 - 7 - TAIL;
        for left in [6_400u64, 6_401, 12_799, 12_800, 640_000, 999_999_999] {
            let limit = own + left;
            let most = left - left / 64;
            assert_eq!(run("0", limit, false), (most, own + most + TAIL), "all of it");
            assert_eq!(run("-1", limit, false), (most, own + most + TAIL), "more than there is");
            assert_eq!(run("0", limit, true), (most, own + 7 + TAIL), "what is not used comes back");
            assert_eq!(run("60", limit, false), (60, own + 60 + TAIL), "what was asked for");
        }
    });
}

#[test]
fn value_costs_a_transfer() {
    on_vm_thread(|| {
        let gas = |value| {
            let mut ledger = Ledger { callee_answers: true, ..Ledger::default() };
            let gas = stateful(&calling("0", value), Entry::Call, b"", PLENTY, &mut ledger).gas_used.units();
            assert_eq!(ledger.calls[0].0.value, value.into());
            gas
        };
        assert_eq!(gas(1) - gas(0), 40_000_000);
        assert_eq!(gas(2), gas(1));
    });
}

#[test]
fn addresses_are_the_ends_of_hashes() {
    // Guards the vectors above against a slip of the pen: the generator's point, hashed.
    let point = hex(concat!(
        "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
    ));
    assert_eq!(keccak_256(&point)[12..], hex("7e5f4552091a69125d5dfcb7b8c2659029395bdf"));
}
