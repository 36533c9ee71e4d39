//! A contract that does what its input says. Its input is a script: host calls with their arguments, one after the
//! other; nested scripts are bytes among the arguments. So a scenario is data.
//!
//! The contract is made from the interface's table: it imports every served function by name, and a step names one by
//! its place in the table. What a function returns is appended to the log, which is the answer of a script that ends.

use runtime_abi::{HOST_FUNCTIONS, HostFunction, SENTINEL, Service, ValueType};
use runtime_primitives::{AccountId, Hash};
use std::fmt::Write;

/// Where the script lies: its pointers are made from this.
const BASE: u64 = 0x1000;
const LOG: u64 = 0x1_0000;
/// 8 KiB for what functions write.
pub const SCRATCH: u64 = 0x1_8000;
/// Holds the length of what is in [`SCRATCH`].
pub const CELL: u64 = 8;
const SCRATCH_BYTES: u64 = 0x2000;
/// "No pointer."
pub const NOWHERE: u64 = SENTINEL as u64;

/// Flags of calls.
pub const FORWARD: u32 = 1;
pub const CLONE: u32 = 2;
pub const TAIL: u32 = 4;
pub const REENTRY: u32 = 8;
pub const READ_ONLY: u32 = 16;

/// Every function that a contract may import, in the table's order.
pub fn served() -> Vec<&'static HostFunction> {
    HOST_FUNCTIONS.iter().filter(|function| function.service == Service::Served).collect()
}

/// Steps that are no host calls, numbered from where the functions end.
#[derive(Clone, Copy)]
enum Own {
    /// `unreachable`.
    Trap,
    /// Never ends.
    Spin,
    /// The rest of the script runs so many function calls deeper.
    Dive,
    /// Appends what is in the scratch to the log.
    Log,
    /// Writes 32 bits.
    Put,
}

/// The contract; `variant` makes another code of it.
pub fn puppet(variant: u8) -> Vec<u8> {
    let mut text = String::from("(module (import \"env\" \"memory\" (memory 2 2))\n");
    let mut steps = String::new();
    let step = |steps: &mut String, op: usize, arguments: usize, body: &str| {
        let size = 4 + 8 * arguments;
        writeln!(
            steps,
            "(if (i32.eq (local.get $op) (i32.const {op})) (then {body}
            (return (i32.add (local.get $pc) (i32.const {size})))))"
        )
        .unwrap();
    };
    let argument = |k: usize, of: ValueType| match of {
        ValueType::I32 => format!("(i32.load offset={} (local.get $pc))", 4 + 8 * k),
        ValueType::I64 => format!("(i64.load offset={} (local.get $pc))", 4 + 8 * k),
    };
    let name = |of: ValueType| if of == ValueType::I32 { "i32" } else { "i64" };
    for (op, function) in served().into_iter().enumerate() {
        let types: String = function.parameters.iter().map(|(_, of)| format!(" {}", name(*of))).collect();
        let result = function.result.map_or(String::new(), |of| format!("(result {})", name(of)));
        writeln!(
            text,
            "(import \"{}\" \"{}\" (func $f{op} (param{types}) {result}))",
            function.module, function.name
        )
        .unwrap();
        let given: String = (0..).zip(function.parameters).map(|(k, (_, of))| argument(k, *of)).collect();
        let body = match function.result {
            None => format!("(call $f{op} {given})"),
            Some(ValueType::I32) => format!("(call $log32 (call $f{op} {given}))"),
            Some(ValueType::I64) => format!("(call $log64 (call $f{op} {given}))"),
        };
        step(&mut steps, op, function.parameters.len(), &body);
    }
    let first = argument(0, ValueType::I32);
    for (own, arguments, body) in [
        (Own::Trap, 0, "unreachable".to_owned()),
        (Own::Spin, 0, "(loop $ever (br $ever))".to_owned()),
        (Own::Dive, 1, format!("(call $dive (i32.add (local.get $pc) (i32.const 12)) {first})")),
        (Own::Log, 0, format!("(call $log (i32.const {SCRATCH}) (i32.load (i32.const {CELL})))")),
        (Own::Put, 2, format!("(i32.store {first} {})", argument(1, ValueType::I32))),
    ] {
        step(&mut steps, served().len() + own as usize, arguments, &body);
    }
    let room = LOG - BASE;
    write!(
        text,
        r#"(data (i32.const 64) "{variant}")
        (func $log (param i32 i32)
            (memory.copy (i32.add (i32.const {LOG}) (i32.load (i32.const 0))) (local.get 0) (local.get 1))
            (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (local.get 1))))
        (func $log32 (param i32) (i32.store (i32.const 16) (local.get 0)) (call $log (i32.const 16) (i32.const 4)))
        (func $log64 (param i64) (i64.store (i32.const 16) (local.get 0)) (call $log (i32.const 16) (i32.const 8)))
        (func $step (param $pc i32) (result i32) (local $op i32)
            (local.set $op (i32.load (local.get $pc)))
            {steps}
            (call $f{end} (i32.const 0) (i32.const {LOG}) (i32.load (i32.const 0)))
            unreachable)
        (func $run (param $pc i32) (loop $next (local.set $pc (call $step (local.get $pc))) (br $next)))
        (func $dive (param $pc i32) (param $frames i32)
            (if (local.get $frames)
                (then (call $dive (local.get $pc) (i32.sub (local.get $frames) (i32.const 1))))
                (else (call $run (local.get $pc)))))
        (func $main
            (i32.store (i32.const 4) (i32.const {room}))
            (call $f{input} (i32.const {BASE}) (i32.const 4))
            (if (i32.load (i32.const 4)) (then (call $run (i32.const {BASE})))))
        (func (export "deploy") (call $main))
        (func (export "call") (call $main)))"#,
        end = op("seal0.seal_return"),
        input = op("seal0.input"),
    )
    .unwrap();
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A contract that answers its input, in the constructor as well.
pub fn echo() -> Vec<u8> {
    wat::parse_str(
        r#"(module (import "env" "memory" (memory 1 1))
        (import "seal0" "input" (func $input (param i32 i32)))
        (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
        (func $main (export "call")
            (i32.store (i32.const 0) (i32.const 60000))
            (call $input (i32.const 4) (i32.const 0))
            (call $return (i32.const 0) (i32.const 4) (i32.load (i32.const 0))))
        (func (export "deploy") (call $main)))"#,
    )
    .unwrap()
}

fn op(name: &str) -> usize {
    let found = served().iter().position(|function| format!("{}.{}", function.module, function.name) == name);
    found.unwrap_or_else(|| panic!("{name} is not in the table"))
}

/// An argument: a number, or a pointer to bytes.
#[derive(Clone, Debug)]
pub enum Arg {
    Number(u64),
    Bytes(Vec<u8>),
}

/// A number.
pub fn n(value: impl Into<u64>) -> Arg {
    Arg::Number(value.into())
}

/// A pointer to bytes.
pub fn at(bytes: impl AsRef<[u8]>) -> Arg {
    Arg::Bytes(bytes.as_ref().to_vec())
}

/// A pointer to an amount.
pub fn amount(value: u128) -> Arg {
    at(value.to_le_bytes())
}

/// A call of another contract.
#[derive(Clone, Debug)]
pub struct To {
    pub callee: AccountId,
    pub flags: u32,
    pub gas: u64,
    pub value: u128,
    pub deposit: Option<u128>,
    pub input: Vec<u8>,
}

/// A call that asks for nothing special and allows re-entry.
pub fn to(callee: AccountId, script: &Script) -> To {
    To { callee, flags: REENTRY, gas: 0, value: 0, deposit: None, input: script.bytes() }
}

impl To {
    pub fn flags(self, flags: u32) -> Self {
        Self { flags, ..self }
    }

    pub fn gas(self, gas: u64) -> Self {
        Self { gas, ..self }
    }

    pub fn value(self, value: u128) -> Self {
        Self { value, ..self }
    }

    pub fn deposit(self, limit: u128) -> Self {
        Self { deposit: Some(limit), ..self }
    }
}

/// What a puppet is to do.
#[derive(Clone, Debug, Default)]
pub struct Script(Vec<(usize, Vec<Arg>)>);

impl Script {
    pub fn new() -> Self {
        Self::default()
    }

    /// This script, and then another.
    pub fn append(mut self, then: Self) -> Self {
        self.0.extend(then.0);
        self
    }

    /// A host call; its code, if it has one, goes to the log.
    pub fn host(mut self, name: &str, arguments: impl IntoIterator<Item = Arg>) -> Self {
        let (op, arguments) = (op(name), Vec::from_iter(arguments));
        assert_eq!(arguments.len(), served()[op].parameters.len(), "arguments of {name}");
        self.0.push((op, arguments));
        self
    }

    fn own(mut self, own: Own, arguments: Vec<Arg>) -> Self {
        self.0.push((served().len() + own as usize, arguments));
        self
    }

    pub fn trap(self) -> Self {
        self.own(Own::Trap, vec![])
    }

    pub fn spin(self) -> Self {
        self.own(Own::Spin, vec![])
    }

    pub fn dive(self, frames: u32) -> Self {
        self.own(Own::Dive, vec![n(frames)])
    }

    pub fn log(self) -> Self {
        self.own(Own::Log, vec![])
    }

    pub fn put(self, pointer: u64, value: u32) -> Self {
        self.own(Own::Put, vec![n(pointer), n(value)])
    }

    /// Makes the whole scratch free for the next output.
    pub fn room(self) -> Self {
        self.put(CELL, u32::try_from(SCRATCH_BYTES).unwrap())
    }

    /// Asks for a fact, and logs it.
    pub fn fact(self, name: &str) -> Self {
        self.room().host(name, [n(SCRATCH), n(CELL)]).log()
    }

    pub fn revert(self, data: &[u8]) -> Self {
        self.host("seal0.seal_return", [n(1u32), at(data), n(data.len() as u64)])
    }

    /// Stores under the key of 32 such bytes; nothing goes to the log.
    pub fn set(self, key: u8, value: impl AsRef<[u8]>) -> Self {
        let length = value.as_ref().len() as u64;
        self.host("seal0.set_storage", [at([key; 32]), at(value), n(length)])
    }

    pub fn clear(self, key: u8) -> Self {
        self.host("seal0.clear_storage", [at([key; 32])])
    }

    pub fn transfer(self, to: AccountId, value: u128) -> Self {
        self.host("seal0.transfer", [at(to.0), n(32u32), amount(value), n(16u32)])
    }

    /// An event without topics.
    pub fn event(self, data: &[u8]) -> Self {
        self.host("seal0.deposit_event", [n(0u32), n(0u32), at(data), n(data.len() as u64)])
    }

    /// Calls; the code goes to the log, the output nowhere.
    pub fn call(self, to: To) -> Self {
        self.call_with(to, NOWHERE, NOWHERE)
    }

    /// Calls a contract that answers; the code and the output go to the log.
    pub fn ask(self, to: To) -> Self {
        self.room().call_with(to, SCRATCH, CELL).log()
    }

    pub fn call_with(self, to: To, output: u64, output_len: u64) -> Self {
        let length = to.input.len() as u64;
        self.host(
            "seal2.call",
            [
                n(to.flags),
                at(to.callee.0),
                n(to.gas),
                n(0u32),
                to.deposit.map_or(n(NOWHERE), amount),
                amount(to.value),
                at(&to.input),
                n(length),
                n(output),
                n(output_len),
            ],
        )
    }

    /// Delegates; the code goes to the log, the output nowhere.
    pub fn delegate(self, code: Hash, flags: u32, script: &Script) -> Self {
        let input = script.bytes();
        let length = input.len() as u64;
        let output = [n(NOWHERE), n(NOWHERE)];
        self.host(
            "seal0.delegate_call",
            [n(flags), at(code.0), at(&input), n(length)].into_iter().chain(output),
        )
    }

    /// Makes a contract; the code goes to the log, output and address nowhere.
    pub fn make(self, code: Hash, value: u128, script: &Script, salt: &[u8]) -> Self {
        self.make_within(code, value, None, 0, script, salt)
    }

    pub fn make_within(
        self,
        code: Hash,
        value: u128,
        deposit: Option<u128>,
        gas: u64,
        script: &Script,
        salt: &[u8],
    ) -> Self {
        let input = script.bytes();
        let length = input.len() as u64;
        let nowhere = || n(NOWHERE);
        self.host(
            "seal2.instantiate",
            [
                at(code.0),
                n(gas),
                n(0u32),
                deposit.map_or(n(NOWHERE), amount),
                amount(value),
                at(&input),
                n(length),
                nowhere(),
                nowhere(),
                nowhere(),
                nowhere(),
                at(salt),
                n(salt.len() as u64),
            ],
        )
    }

    pub fn terminate(self, beneficiary: AccountId) -> Self {
        self.host("seal1.terminate", [at(beneficiary.0)])
    }

    pub fn set_code(self, code: Hash) -> Self {
        self.host("seal0.set_code_hash", [at(code.0)])
    }

    pub fn lock(self, code: Hash) -> Self {
        self.host("seal0.lock_delegate_dependency", [at(code.0)])
    }

    pub fn unlock(self, code: Hash) -> Self {
        self.host("seal0.unlock_delegate_dependency", [at(code.0)])
    }

    /// The script as the puppet reads it; nothing for a script without steps.
    pub fn bytes(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let steps: usize = self.0.iter().map(|(_, arguments)| 4 + 8 * arguments.len()).sum();
        // A step that there is not ends the script.
        let (mut code, mut data) = (Vec::new(), u32::MAX.to_le_bytes().to_vec());
        for (op, arguments) in &self.0 {
            code.extend(u32::try_from(*op).unwrap().to_le_bytes());
            for argument in arguments {
                let value = match argument {
                    Arg::Number(value) => *value,
                    Arg::Bytes(bytes) => {
                        let pointer = BASE + (steps + data.len()) as u64;
                        data.extend(bytes);
                        pointer
                    }
                };
                code.extend(value.to_le_bytes());
            }
        }
        assert!(code.len() + data.len() <= usize::try_from(LOG - BASE).unwrap(), "the script is too long");
        [code, data].concat()
    }
}

/// What a log of these codes is.
pub fn codes(codes: &[u32]) -> Vec<u8> {
    codes.iter().flat_map(|code| code.to_le_bytes()).collect()
}
