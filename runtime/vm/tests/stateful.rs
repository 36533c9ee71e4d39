//! Stateful contracts against a host of maps, equal on both engines.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_primitives::Gas;
use runtime_vm::{Entry, Host, HostTrap, Kind, Output, ReturnCode, Trap, Vm};
use support::ledger::Ledger;
use support::{PLENTY, WASMI, WASMTIME, load, returned, stateful, wasm};

/// Imports of the served stateful interface, a 4-byte length of 1000 at 0, and `$ret` to return `len` bytes at `ptr`.
fn contract(body: &str) -> String {
    format!(
        r#"(module (import "env" "memory" (memory 1 16))
        (import "seal0" "input" (func $input (param i32 i32)))
        (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
        (import "seal0" "caller" (func $caller (param i32 i32)))
        (import "seal0" "address" (func $address (param i32 i32)))
        (import "seal0" "value_transferred" (func $value (param i32 i32)))
        (import "seal0" "balance" (func $balance (param i32 i32)))
        (import "seal0" "minimum_balance" (func $minimum (param i32 i32)))
        (import "seal0" "block_number" (func $number (param i32 i32)))
        (import "seal0" "now" (func $now (param i32 i32)))
        (import "seal0" "gas_left" (func $gas (param i32 i32)))
        (import "seal0" "weight_to_fee" (func $fee (param i64 i32 i32)))
        (import "seal0" "set_storage" (func $set0 (param i32 i32 i32)))
        (import "seal1" "set_storage" (func $set1 (param i32 i32 i32) (result i32)))
        (import "seal2" "set_storage" (func $set2 (param i32 i32 i32 i32) (result i32)))
        (import "seal0" "get_storage" (func $get0 (param i32 i32 i32) (result i32)))
        (import "seal1" "get_storage" (func $get1 (param i32 i32 i32 i32) (result i32)))
        (import "seal0" "contains_storage" (func $has0 (param i32) (result i32)))
        (import "seal1" "contains_storage" (func $has1 (param i32 i32) (result i32)))
        (import "seal0" "clear_storage" (func $clear0 (param i32)))
        (import "seal1" "clear_storage" (func $clear1 (param i32 i32) (result i32)))
        (import "seal0" "take_storage" (func $take (param i32 i32 i32 i32) (result i32)))
        (import "seal0" "deposit_event" (func $event (param i32 i32 i32 i32)))
        (import "seal0" "seal_debug_message" (func $debug (param i32 i32) (result i32)))
        (import "seal0" "transfer" (func $transfer (param i32 i32 i32 i32) (result i32)))
        (data (i32.const 0) "\e8\03")
        (func $ret (param i32 i32) (call $return (i32.const 0) (local.get 0) (local.get 1)))
        {body})"#
    )
}

fn message(body: &str) -> String {
    contract(&format!(r#"(func (export "deploy")) (func (export "call") {body})"#))
}

fn call(wat: &str, ledger: &mut Ledger) -> Result<Output, Trap> {
    stateful(wat, Entry::Call, b"", PLENTY, ledger).result
}

#[test]
fn a_flipper_flips() {
    // The value is one byte under a key of four bytes; `call` with input flips, without returns.
    let flipper = contract(
        r#"(func (export "deploy")
            (call $input (i32.const 8) (i32.const 0))
            (drop (call $set2 (i32.const 100) (i32.const 4) (i32.const 8) (i32.const 1))))
        (func (export "call")
            (call $input (i32.const 8) (i32.const 0))
            (if (i32.load (i32.const 0))
                (then
                    (i32.store (i32.const 0) (i32.const 1))
                    (if (call $get1 (i32.const 100) (i32.const 4) (i32.const 16) (i32.const 0)) (then unreachable))
                    (i32.store8 (i32.const 16) (i32.eqz (i32.load8_u (i32.const 16))))
                    (if (i32.ne (i32.const 1)
                            (call $set2 (i32.const 100) (i32.const 4) (i32.const 16) (i32.const 1)))
                        (then unreachable)))
                (else
                    (i32.store (i32.const 0) (i32.const 1))
                    (drop (call $get1 (i32.const 100) (i32.const 4) (i32.const 16) (i32.const 0)))
                    (call $ret (i32.const 16) (i32.const 1)))))"#,
    );
    let mut ledger = Ledger::default();
    let mut run = |entry, input: &[u8]| stateful(&flipper, entry, input, PLENTY, &mut ledger).result;
    assert_eq!(run(Entry::Call, b"f"), Err(Trap::Unreachable), "nothing to flip before the constructor ran");
    assert_eq!(run(Entry::Deploy, &[1]), returned(b""));
    assert_eq!(run(Entry::Call, b""), returned([1]));
    assert_eq!(run(Entry::Call, b"f"), returned(b""));
    assert_eq!(run(Entry::Call, b""), returned([0]));
    assert_eq!(run(Entry::Call, b"f"), returned(b""));
    assert_eq!(run(Entry::Call, b""), returned([1]));
    assert_eq!(ledger.storage, [(vec![0; 4], vec![1])].into());
}

#[test]
fn facts() {
    let mut ledger = Ledger { value: 5, balance: 1 << 100, ..Ledger::default() };
    for (body, expected) in [
        (
            "(call $caller (i32.const 16) (i32.const 0)) (call $ret (i32.const 16) (i32.load (i32.const 0)))",
            vec![0xCA; 32],
        ),
        (
            "(call $address (i32.const 16) (i32.const 0)) (call $ret (i32.const 16) (i32.load (i32.const 0)))",
            vec![0xAD; 32],
        ),
        (
            "(call $value (i32.const 16) (i32.const 0)) (call $ret (i32.const 16) (i32.load (i32.const 0)))",
            5u128.to_le_bytes().to_vec(),
        ),
        (
            "(call $balance (i32.const 16) (i32.const 0)) (call $ret (i32.const 16) (i32.load (i32.const 0)))",
            (1u128 << 100).to_le_bytes().to_vec(),
        ),
        (
            "(call $minimum (i32.const 16) (i32.const 0)) (call $ret (i32.const 16) (i32.load (i32.const 0)))",
            1u128.to_le_bytes().to_vec(),
        ),
        (
            "(call $number (i32.const 16) (i32.const 0)) (call $ret (i32.const 16) (i32.load (i32.const 0)))",
            77u32.to_le_bytes().to_vec(),
        ),
        (
            "(call $now (i32.const 16) (i32.const 0)) (call $ret (i32.const 16) (i32.load (i32.const 0)))",
            1_700_000_000_123u64.to_le_bytes().to_vec(),
        ),
        (
            "(call $fee (i64.const -1) (i32.const 16) (i32.const 0)) (call $ret (i32.const 16) (i32.load (i32.const 0)))",
            (u128::from(u64::MAX) * 3).to_le_bytes().to_vec(),
        ),
    ] {
        assert_eq!(call(&message(body), &mut ledger), returned(expected), "{body}");
    }
}

#[test]
fn gas_left_is_what_is_left() {
    let wat = message("(call $gas (i32.const 16) (i32.const 0)) (call $ret (i32.const 16) (i32.const 8))");
    let run = |gas| stateful(&wat, Entry::Call, b"", gas, &mut Ledger::default());
    let left = |gas| u64::from_le_bytes(run(gas).result.unwrap().data.try_into().unwrap());
    assert_eq!(left(PLENTY + 12_345) - left(PLENTY), 12_345);
    // What follows the question costs little: one more host call.
    let after = run(PLENTY).gas_used.units() - (PLENTY - left(PLENTY));
    assert!((1..200_000).contains(&after), "{after}");
}

/// Stores the `i32` result of `body` at 500 and returns it.
fn code_of(body: &str) -> String {
    message(&format!("(i32.store (i32.const 500) {body}) (call $ret (i32.const 500) (i32.const 4))"))
}

#[test]
fn storage_in_all_versions() {
    let none = u32::MAX;
    let key = vec![0; 32];
    let stored =
        |length: usize| Ledger { storage: [(key.clone(), vec![7; length])].into(), ..Ledger::default() };
    let empty = Ledger::default();
    // Keys are the 32 zero bytes at 200; values the two zero bytes at 300.
    for (body, before, code, after) in [
        ("(call $set1 (i32.const 200) (i32.const 300) (i32.const 2))", &empty, none, Some(vec![0, 0])),
        ("(call $set1 (i32.const 200) (i32.const 300) (i32.const 0))", &stored(3), 3, Some(vec![])),
        (
            "(call $set2 (i32.const 200) (i32.const 32) (i32.const 300) (i32.const 2))",
            &stored(3),
            3,
            Some(vec![0, 0]),
        ),
        (
            "(call $set0 (i32.const 200) (i32.const 300) (i32.const 2)) (i32.const 9)",
            &stored(3),
            9,
            Some(vec![0, 0]),
        ),
        ("(call $has0 (i32.const 200))", &stored(3), 3, Some(vec![7; 3])),
        ("(call $has0 (i32.const 200))", &empty, none, None),
        ("(call $has1 (i32.const 200) (i32.const 32))", &stored(0), 0, Some(vec![])),
        ("(call $has1 (i32.const 200) (i32.const 31))", &stored(3), none, Some(vec![7; 3])),
        ("(call $clear0 (i32.const 200)) (i32.const 9)", &stored(3), 9, None),
        ("(call $clear1 (i32.const 200) (i32.const 32))", &stored(3), 3, None),
        ("(call $clear1 (i32.const 200) (i32.const 32))", &empty, none, None),
        ("(call $get0 (i32.const 200) (i32.const 600) (i32.const 0))", &empty, 3, None),
        ("(call $get0 (i32.const 200) (i32.const 600) (i32.const 0))", &stored(3), 0, Some(vec![7; 3])),
        ("(call $take (i32.const 200) (i32.const 32) (i32.const 600) (i32.const 0))", &empty, 3, None),
        ("(call $take (i32.const 200) (i32.const 32) (i32.const 600) (i32.const 0))", &stored(3), 0, None),
    ] {
        let mut ledger = before.clone();
        assert_eq!(call(&code_of(body), &mut ledger), returned(code.to_le_bytes()), "{body}");
        assert_eq!(ledger.storage.get(&key), after.as_ref(), "{body}");
    }
}

#[test]
fn a_value_read_is_written_with_its_length() {
    for read in ["$get1", "$take"] {
        let wat = message(&format!(
            "(drop (call {read} (i32.const 200) (i32.const 5) (i32.const 600) (i32.const 0)))
            (i32.store (i32.const 596) (i32.load (i32.const 0))) (call $ret (i32.const 596) (i32.const 8))"
        ));
        let mut ledger = Ledger { storage: [(vec![0; 5], vec![1, 2, 3])].into(), ..Ledger::default() };
        assert_eq!(call(&wat, &mut ledger), returned([3, 0, 0, 0, 1, 2, 3, 0]));
    }
}

#[test]
fn host_functions_refuse() {
    let too_small = HostTrap::OutputBufferTooSmall { length: 3, capacity: 2 };
    let key = HostTrap::KeyTooLong { length: 129, max: 128 };
    let large = |length| HostTrap::PayloadTooLarge { length, max: 16_384 };
    let undecodable = HostTrap::Undecodable { expected: "list of topics" };
    let oob = |pointer, length| HostTrap::OutOfBounds { pointer, length };
    for (body, expected) in [
        (
            "(i32.store (i32.const 0) (i32.const 2))
            (drop (call $get1 (i32.const 200) (i32.const 5) (i32.const 600) (i32.const 0)))",
            too_small,
        ),
        ("(drop (call $get1 (i32.const 200) (i32.const 129) (i32.const 600) (i32.const 0)))", key.clone()),
        ("(drop (call $set2 (i32.const 200) (i32.const 129) (i32.const 0) (i32.const 0)))", key.clone()),
        ("(drop (call $has1 (i32.const 200) (i32.const 129)))", key),
        ("(drop (call $set1 (i32.const 200) (i32.const 0) (i32.const 16385)))", large(16_385)),
        ("(drop (call $set1 (i32.const 65510) (i32.const 0) (i32.const 1)))", oob(65_510, 32)),
        ("(drop (call $set1 (i32.const 200) (i32.const 65535) (i32.const 2)))", oob(65_535, 2)),
        ("(call $event (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16385))", large(16_385)),
        (
            "(i32.store8 (i32.const 700) (i32.const 20))
            (call $event (i32.const 700) (i32.const 161) (i32.const 0) (i32.const 0))",
            HostTrap::TooManyTopics { count: 5, max: 4 },
        ),
        (
            "(i32.store8 (i32.const 700) (i32.const 8))
            (call $event (i32.const 700) (i32.const 33) (i32.const 0) (i32.const 0))",
            undecodable,
        ),
        ("(call $return (i32.const 0) (i32.const 0) (i32.const 16385))", large(16_385)),
        (
            "(drop (call $transfer (i32.const 65505) (i32.const 32) (i32.const 0) (i32.const 16)))",
            oob(65_505, 32),
        ),
        ("(drop (call $debug (i32.const 65536) (i32.const 1)))", oob(65_536, 1)),
        ("(call $caller (i32.const 65505) (i32.const 0))", oob(65_505, 32)),
    ] {
        let mut ledger = Ledger { storage: [(vec![0; 5], vec![1, 2, 3])].into(), ..Ledger::default() };
        assert_eq!(call(&message(body), &mut ledger), Err(Trap::HostRefused(expected)), "{body}");
    }
}

#[test]
fn events_messages_and_transfers_reach_the_host() {
    let wat = message(
        r#"(i32.store8 (i32.const 700) (i32.const 4)) (i32.store8 (i32.const 701) (i32.const 9))
        (call $event (i32.const 700) (i32.const 33) (i32.const 0) (i32.const 2))
        (call $event (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
        (i32.store16 (i32.const 800) (i32.const 0xff41))
        (if (call $debug (i32.const 800) (i32.const 2)) (then unreachable))
        (i32.store8 (i32.const 900) (i32.const 60))
        (if (call $transfer (i32.const 701) (i32.const 32) (i32.const 900) (i32.const 16)) (then unreachable))
        (i32.store (i32.const 500) (call $transfer (i32.const 701) (i32.const 32) (i32.const 900) (i32.const 16)))
        (call $ret (i32.const 500) (i32.const 4))"#,
    );
    let mut ledger = Ledger { balance: 100, ..Ledger::default() };
    assert_eq!(call(&wat, &mut ledger), returned((ReturnCode::TransferFailed as u32).to_le_bytes()));
    let mut topic = [0; 32];
    topic[0] = 9;
    assert_eq!(ledger.events, [(vec![topic], vec![0xe8, 3]), (vec![], vec![])]);
    assert_eq!(ledger.messages, ["A\u{fffd}"]);
    assert_eq!(ledger.transfers, [(topic, 60)]);
    assert_eq!(ledger.balance, 40);
}

#[test]
fn a_host_call_that_cannot_be_paid_does_nothing() {
    let wat = message("(call $event (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000))");
    let full = stateful(&wat, Entry::Call, b"", PLENTY, &mut Ledger::default()).gas_used.units();
    for (gas, events) in [(full, 1), (full - 1, 0), (8_000_000, 0)] {
        let mut ledger = Ledger::default();
        let outcome = stateful(&wat, Entry::Call, b"", gas, &mut ledger);
        assert_eq!(ledger.events.len(), events, "{gas}");
        assert_eq!(outcome.result, if gas == full { returned(b"") } else { Err(Trap::OutOfGas) }, "{gas}");
    }
}

/// A host whose transfers run another contract on the same machine, before they succeed.
struct Nested<'a> {
    vm: &'a Vm,
    code: &'a [u8],
    inner: Ledger,
    outputs: Vec<Result<Output, Trap>>,
    depth: usize,
}

impl Host for Nested<'_> {
    fn caller(&self) -> [u8; 32] {
        self.inner.caller()
    }
    fn address(&self) -> [u8; 32] {
        [u8::try_from(self.depth).unwrap(); 32]
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
    fn get_storage(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        self.inner.get_storage(key)
    }
    fn set_storage(&mut self, key: &[u8], value: Option<&[u8]>) -> Option<u32> {
        self.inner.set_storage(key, value)
    }
    fn deposit_event(&mut self, topics: Vec<[u8; 32]>, data: Vec<u8>) -> Result<(), HostTrap> {
        self.inner.deposit_event(topics, data)
    }
    fn debug_message(&mut self, text: &str) {
        self.inner.debug_message(text);
    }
    fn transfer(&mut self, _to: &[u8; 32], _value: u128) -> Result<(), ReturnCode> {
        if self.depth < 5 {
            self.depth += 1;
            let module = load(self.vm, self.code, Kind::Stateful).unwrap();
            let vm = self.vm;
            let output = vm.call(&module, Entry::Call, vec![], Gas::from_units(PLENTY), self).result;
            self.outputs.push(output);
            self.depth -= 1;
        }
        Ok(())
    }
}

#[test]
fn calls_nest_and_each_sees_its_own_frame() {
    // Every level asks for its address after the inner call came back.
    let code = wasm(&message(
        "(drop (call $transfer (i32.const 100) (i32.const 32) (i32.const 100) (i32.const 16)))
        (call $address (i32.const 16) (i32.const 0)) (call $ret (i32.const 16) (i32.const 1))",
    ));
    support::on_vm_thread(|| {
        for vm in [&*WASMTIME, &*WASMI] {
            let mut host = Nested { vm, code: &code, inner: Ledger::default(), outputs: vec![], depth: 0 };
            let module = load(vm, &code, Kind::Stateful).unwrap();
            let outcome = vm.call(&module, Entry::Call, vec![], Gas::from_units(PLENTY), &mut host);
            assert_eq!(outcome.result, returned([0]));
            assert_eq!(host.outputs, [5, 4, 3, 2, 1].map(|depth: u8| returned([depth])));
        }
    });
}
