//! Rules that pass registration and turn evil on a real book.
//!
//! Registration clears a full book of the worst kind. A rule that knows how long that input is can be honest about it and
//! do something else with every other input: no check before the slot can tell, only the referee.

use contract_interface::{Clearing, DESCRIBE, Descriptor, LangError, RuleError};
use parity_scale_codec::Encode;
use runtime_primitives::limits::PURE_IO_BYTES_MAX;

/// Bytes of the input that clears a book of `orders`: selector, parameters, book.
pub fn input_bytes(orders: usize) -> usize {
    use contract_interface::{Book, ClearParams, INTERFACE, Order};
    use runtime_primitives::{MarketId, Price, Slot};
    let params = ClearParams {
        interface: INTERFACE,
        market: MarketId::ZERO,
        slot: Slot::ZERO,
        batch: 0,
        slot_minutes: 0,
        tick_size: Price::ZERO,
        price_min: Price::ZERO,
        price_max: Price::ZERO,
    };
    let compact = if orders < 64 { 1 } else { 2 };
    let empty = (params, Book::Auction(Vec::new())).encode().len() - 1;
    DESCRIBE.len() + empty + compact + orders * Order::BYTES
}

/// What the rule does with a real book.
pub enum Deed {
    /// Answers these bytes.
    Answer(Vec<u8>),
    /// Panics.
    Trap,
    /// Runs until its gas is gone.
    Loop,
    /// Calls itself until its stack is gone.
    Recurse,
}

impl Deed {
    /// Answers as a rule that succeeded.
    pub fn clearing(clearing: &Clearing) -> Self {
        Self::Answer(success(clearing))
    }

    fn body(&self) -> (&'static str, &[u8]) {
        match self {
            Self::Answer(bytes) => ("", bytes),
            Self::Trap => ("unreachable", &[]),
            Self::Loop => ("(loop $again (br $again))", &[]),
            Self::Recurse => ("(call $deeper)", &[]),
        }
    }
}

fn success<T: Encode>(value: &T) -> Vec<u8> {
    Ok::<_, LangError>(Ok::<_, RuleError>(value)).encode()
}

/// A matching rule that clears nothing of a full book of `orders` and does its `deed` with any other. Since it clears
/// nothing it must not promise to leave no residual cross.
pub fn rule(descriptor: &Descriptor, orders: u32, deed: &Deed) -> Vec<u8> {
    const DESCRIPTION: usize = 16;
    const HONEST: usize = 256;
    const DEED: usize = 512;
    const INPUT: usize = 128 << 10;
    let (description, honest) = (success(descriptor), success(&Clearing::default()));
    let (body, answer) = deed.body();
    assert!(DEED + answer.len() <= INPUT, "the answer is small");
    let text = format!(
        r#"(module
            (import "env" "memory" (memory 131 256))
            (import "seal0" "input" (func $input (param i32 i32)))
            (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
            (data (i32.const {DESCRIPTION}) "{}")
            (data (i32.const {HONEST}) "{}")
            (data (i32.const {DEED}) "{}")
            (func $deeper (call $deeper))
            (func (export "deploy"))
            (func (export "call")
                (i32.store (i32.const 0) (i32.const {PURE_IO_BYTES_MAX}))
                (call $input (i32.const {INPUT}) (i32.const 0))
                (if (i32.eq (i32.load (i32.const {INPUT})) (i32.const {}))
                    (then (call $return (i32.const 0) (i32.const {DESCRIPTION}) (i32.const {}))))
                (if (i32.eq (i32.load (i32.const 0)) (i32.const {}))
                    (then (call $return (i32.const 0) (i32.const {HONEST}) (i32.const {}))))
                {body}
                (call $return (i32.const 0) (i32.const {DEED}) (i32.const {}))))"#,
        escaped(&description),
        escaped(&honest),
        escaped(answer),
        u32::from_le_bytes(DESCRIBE),
        description.len(),
        input_bytes(orders as usize),
        honest.len(),
        answer.len(),
    );
    wat::parse_str(text).expect("the template is well-formed")
}

/// A contract that may be uploaded because it is a fine stateful one; as a rule it would write storage.
pub fn writes_storage() -> Vec<u8> {
    stateful(
        r#"(import "seal2" "set_storage" (func $set (param i32 i32 i32 i32) (result i32)))"#,
        "(drop (call $set (i32.const 16) (i32.const 4) (i32.const 16) (i32.const 4)))",
    )
}

/// The same with the clock.
pub fn reads_the_clock() -> Vec<u8> {
    stateful(
        r#"(import "seal0" "now" (func $now (param i32 i32)))"#,
        "(i32.store (i32.const 0) (i32.const 8)) (call $now (i32.const 16) (i32.const 0))",
    )
}

fn stateful(import: &str, body: &str) -> Vec<u8> {
    let text = format!(
        r#"(module {import} (import "env" "memory" (memory 1 16))
            (func (export "deploy")) (func (export "call") {body}))"#
    );
    wat::parse_str(text).expect("the template is well-formed")
}

/// Bytes as the text format writes them in a string.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}
