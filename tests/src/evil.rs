//! Malicious market rules, for tests of the referee and of everything that runs a rule.
//!
//! Each answers `describe` like an honest rule, so that it can be registered; what it does otherwise is its name.

use contract_interface::{Clearing, DESCRIBE, Descriptor, INTERFACE, LangError, Pricing, RuleError, flags};
use parity_scale_codec::Encode;
use runtime_primitives::limits;

/// What an evil rule says of itself unless told otherwise: it supports everything and promises the least.
pub const DESCRIPTOR: Descriptor = Descriptor {
    interface: INTERFACE,
    name: *b"evil\0\0\0\0\0\0\0\0\0\0\0\0",
    version: 1,
    pricing: Pricing::Single,
    flags_supported: flags::ALL,
    min_energy: true,
    continuous: false,
    no_residual_cross: false,
    max_orders: limits::MAX_ORDERS_PER_SLOT,
};

/// Where modules put things. The input may have 8 MiB and comes last.
const SIZE_AT: usize = 0;
const DESCRIPTION_AT: usize = 16;
const ANSWER_AT: usize = 256;
const PAGE: usize = 64 << 10;

/// Answers `data` with flags 0 to every message but `describe`, whatever it is asked.
pub fn answering(data: &[u8]) -> Vec<u8> {
    answering_as(&DESCRIPTOR, 0, data)
}

/// Like [`answering`], with its own descriptor and return flags.
pub fn answering_as(descriptor: &Descriptor, flags: u32, data: &[u8]) -> Vec<u8> {
    let body =
        format!("(call $return (i32.const {flags}) (i32.const {ANSWER_AT}) (i32.const {}))", data.len());
    module(descriptor, "", &body, data)
}

/// Answers with `value` as a rule does that succeeded: a clearing, a report, an admission of the test's choice.
pub fn returning<T: Encode>(descriptor: &Descriptor, value: &T) -> Vec<u8> {
    answering_as(descriptor, 0, &Ok::<_, LangError>(Ok::<_, RuleError>(value)).encode())
}

/// Answers with `error` as a rule does that refuses its input.
pub fn refusing(error: RuleError) -> Vec<u8> {
    answering_as(&DESCRIPTOR, 1, &Ok::<_, LangError>(Err::<(), _>(error)).encode())
}

/// Answers bytes that decode as nothing.
pub fn garbage() -> Vec<u8> {
    answering(&[0xff; 97])
}

/// Returns without an answer.
pub fn silent() -> Vec<u8> {
    module(&DESCRIPTOR, "", "", &[])
}

/// Answers a byte more than any rule may.
pub fn too_long() -> Vec<u8> {
    let length = limits::PURE_IO_BYTES_MAX + 1;
    module(&DESCRIPTOR, "", &format!("(call $return (i32.const 0) (i32.const 0) (i32.const {length}))"), &[])
}

/// Answers bytes that lie outside its memory.
pub fn out_of_bounds() -> Vec<u8> {
    module(&DESCRIPTOR, "", "(call $return (i32.const 0) (i32.const -8) (i32.const 64))", &[])
}

/// Panics.
pub fn traps() -> Vec<u8> {
    module(&DESCRIPTOR, "", "unreachable", &[])
}

/// Runs until its gas is gone.
pub fn loops_for_ever() -> Vec<u8> {
    module(&DESCRIPTOR, "", "(loop $again (br $again))", &[])
}

/// Counts to `rounds`, at 700 to 1,000 gas each, before it clears nothing: an honest rule that is dear.
pub fn dear(rounds: u32) -> Vec<u8> {
    let answer = Ok::<_, LangError>(Ok::<_, RuleError>(Clearing::default())).encode();
    let count = format!(
        "(func $count (local $left i32)
            (local.set $left (i32.const {rounds}))
            (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))"
    );
    let length = answer.len();
    let body =
        format!("(call $count) (call $return (i32.const 0) (i32.const {ANSWER_AT}) (i32.const {length}))");
    module(&DESCRIPTOR, &count, &body, &answer)
}

/// Calls itself until its stack is gone.
pub fn recurses_for_ever() -> Vec<u8> {
    module(&DESCRIPTOR, "(func $deeper (call $deeper))", "(call $deeper)", &[])
}

/// Takes all the memory it can get, then panics because there is no more.
pub fn hoards_memory() -> Vec<u8> {
    module(
        &DESCRIPTOR,
        "",
        "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable",
        &[],
    )
}

/// Writes storage, which a pure rule has none of: its import is refused.
pub fn touches_storage() -> Vec<u8> {
    importing(
        r#"(import "seal2" "set_storage" (func $set (param i32 i32 i32 i32) (result i32)))"#,
        "(drop (call $set (i32.const 16) (i32.const 4) (i32.const 16) (i32.const 4)))",
    )
}

/// Reads the clock, which a pure rule has none of: its import is refused.
pub fn reads_the_clock() -> Vec<u8> {
    importing(
        r#"(import "seal0" "now" (func $now (param i32 i32)))"#,
        "(call $now (i32.const 16) (i32.const 0))",
    )
}

fn importing(import: &str, body: &str) -> Vec<u8> {
    assemble(&DESCRIPTOR, import, "", body, &[])
}

fn module(descriptor: &Descriptor, functions: &str, body: &str, answer: &[u8]) -> Vec<u8> {
    assemble(descriptor, "", functions, body, answer)
}

/// A module that answers `describe` and runs `body` for every other message, with `answer` at [`ANSWER_AT`].
fn assemble(descriptor: &Descriptor, import: &str, functions: &str, body: &str, answer: &[u8]) -> Vec<u8> {
    let description = Ok::<_, LangError>(Ok::<_, RuleError>(descriptor)).encode();
    assert!(description.len() <= ANSWER_AT - DESCRIPTION_AT, "the descriptor is small");
    let input_at = (ANSWER_AT + answer.len()).next_multiple_of(PAGE);
    let pages = input_at / PAGE + limits::PURE_IO_BYTES_MAX / PAGE + 1;
    let text = format!(
        r#"(module
            (import "env" "memory" (memory {pages} 256))
            (import "seal0" "input" (func $input (param i32 i32)))
            (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
            {import}
            (data (i32.const {DESCRIPTION_AT}) "{}")
            (data (i32.const {ANSWER_AT}) "{}")
            {functions}
            (func (export "deploy"))
            (func (export "call")
                (i32.store (i32.const {SIZE_AT}) (i32.const {}))
                (call $input (i32.const {input_at}) (i32.const {SIZE_AT}))
                (if (i32.eq (i32.load (i32.const {input_at})) (i32.const {}))
                    (then (call $return (i32.const 0) (i32.const {DESCRIPTION_AT}) (i32.const {}))))
                {body}))"#,
        escaped(&description),
        escaped(answer),
        limits::PURE_IO_BYTES_MAX,
        u32::from_le_bytes(DESCRIBE),
        description.len(),
    );
    wat::parse_str(text).expect("the template is well-formed")
}

/// Bytes as the text format writes them in a string.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}
