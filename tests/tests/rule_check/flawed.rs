//! A matching rule in text that pairs one bid with one ask, and what can be wrong with it.
//!
//! Each flaw is one expression; everything else is the honest rule's.

use busbar_tests::evil::DESCRIPTOR;
use contract_interface::{CLEAR, DESCRIBE, Descriptor, LangError, RuleError};
use parity_scale_codec::Encode;

/// What a rule says of itself and how it goes wrong.
pub struct Flaw {
    pub descriptor: Descriptor,
    /// Whether a bid at `$bid` and an ask at `$ask` fit: prices, entities.
    pub prices_fit: &'static str,
    pub entities_fit: &'static str,
    pub energy: &'static str,
    pub buy_price: &'static str,
    /// What is done first, with `$count` orders.
    pub first: &'static str,
}

const LEAST: &str = "(select (call $wh (local.get $bid)) (call $wh (local.get $ask))
    (i64.lt_u (call $wh (local.get $bid)) (call $wh (local.get $ask))))";

/// Pairs the first bid and ask that fit, for the lesser of their energies, at the ask's price.
pub const HONEST: Flaw = Flaw {
    descriptor: Descriptor {
        name: *b"one-pair\0\0\0\0\0\0\0\0",
        min_energy: false,
        continuous: false,
        max_orders: 60,
        ..DESCRIPTOR
    },
    prices_fit: "(i32.ge_u (call $price (local.get $bid)) (call $price (local.get $ask)))",
    entities_fit: "(i32.ne (call $entity (local.get $bid)) (call $entity (local.get $ask)))",
    energy: LEAST,
    buy_price: "(call $price (local.get $ask))",
    first: "",
};

impl Flaw {
    /// The module.
    pub fn code(&self) -> Vec<u8> {
        let description = Ok::<_, LangError>(Ok::<_, RuleError>(&self.descriptor)).encode();
        let text = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
        let Self { prices_fit, entities_fit, energy, buy_price, first, .. } = self;
        let module = format!(
            r#"(module
            (import "env" "memory" (memory 4 4))
            (import "seal0" "input" (func $input (param i32 i32)))
            (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
            (data (i32.const 16) "{description}")
            (data (i32.const 256) "\00\00\04")
            (data (i32.const 320) "\00\00\00\00\00")
            (data (i32.const 330) "\01\01")
            (func $entity (param $at i32) (result i32) (i32.load (i32.add (local.get $at) (i32.const 4))))
            (func $side (param $at i32) (result i32) (i32.load8_u (i32.add (local.get $at) (i32.const 12))))
            (func $wh (param $at i32) (result i64) (i64.load (i32.add (local.get $at) (i32.const 13))))
            (func $price (param $at i32) (result i32) (i32.load (i32.add (local.get $at) (i32.const 29))))
            (func (export "deploy"))
            (func (export "call") (local $first i32) (local $end i32) (local $bid i32) (local $ask i32) (local $count i32)
                (local $a i32) (local $b i32) (local $c i32)
                (i32.store (i32.const 0) (i32.const 131072))
                (call $input (i32.const 65536) (i32.const 0))
                (if (i32.eq (i32.load (i32.const 65536)) (i32.const {describe}))
                    (then (call $return (i32.const 0) (i32.const 16) (i32.const {description_length}))))
                (if (i32.ne (i32.load (i32.const 65536)) (i32.const {clear}))
                    (then (call $return (i32.const 1) (i32.const 330) (i32.const 2))))
                ;; The number of orders is compact: one byte below 64, two below 16384.
                (local.set $count (i32.shr_u (i32.load16_u (i32.const 65569)) (i32.const 2)))
                (local.set $first (i32.const 65571))
                (if (i32.eqz (i32.and (i32.load8_u (i32.const 65569)) (i32.const 3)))
                    (then
                        (local.set $count (i32.shr_u (i32.load8_u (i32.const 65569)) (i32.const 2)))
                        (local.set $first (i32.const 65570))))
                (local.set $end (i32.add (local.get $first) (i32.mul (local.get $count) (i32.const 38))))
                {first}
                (local.set $bid (local.get $first))
                (block $done (loop $bids
                    (br_if $done (i32.ge_u (local.get $bid) (local.get $end)))
                    (local.set $ask (local.get $first))
                    (block $next (loop $asks
                        (br_if $next (i32.ge_u (local.get $ask) (local.get $end)))
                        (if (i32.and (i32.and (i32.eqz (call $side (local.get $bid))) (call $side (local.get $ask)))
                                (i32.and {prices_fit} {entities_fit}))
                            (then
                                (i32.store (i32.const 259) (i32.load (local.get $bid)))
                                (i32.store (i32.const 263) (i32.load (local.get $ask)))
                                (i64.store (i32.const 267) {energy})
                                (i32.store (i32.const 275) {buy_price})
                                (i32.store (i32.const 279) (call $price (local.get $ask)))
                                (call $return (i32.const 0) (i32.const 256) (i32.const 29))))
                        (local.set $ask (i32.add (local.get $ask) (i32.const 38)))
                        (br $asks)))
                    (local.set $bid (i32.add (local.get $bid) (i32.const 38)))
                    (br $bids)))
                (call $return (i32.const 0) (i32.const 320) (i32.const 5))))"#,
            description = text(&description),
            description_length = description.len(),
            describe = u32::from_le_bytes(DESCRIBE),
            clear = u32::from_le_bytes(CLEAR),
        );
        wat::parse_str(module).expect("the template is well-formed")
    }
}

/// A rule in little memory, for the little gas of an admission: answers `value` to everything but `describe`.
pub fn constant<T: Encode>(descriptor: &Descriptor, value: &T) -> Vec<u8> {
    let description = Ok::<_, LangError>(Ok::<_, RuleError>(descriptor)).encode();
    let answer = Ok::<_, LangError>(Ok::<_, RuleError>(value)).encode();
    let text = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let module = format!(
        r#"(module
        (import "env" "memory" (memory 1 1))
        (import "seal0" "input" (func $input (param i32 i32)))
        (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
        (data (i32.const 16) "{}") (data (i32.const 256) "{}")
        (func (export "deploy"))
        (func (export "call")
            (i32.store (i32.const 0) (i32.const 16384))
            (call $input (i32.const 32768) (i32.const 0))
            (if (i32.eq (i32.load (i32.const 32768)) (i32.const {}))
                (then (call $return (i32.const 0) (i32.const 16) (i32.const {}))))
            (call $return (i32.const 0) (i32.const 256) (i32.const {}))))"#,
        text(&description),
        text(&answer),
        u32::from_le_bytes(DESCRIBE),
        description.len(),
        answer.len(),
    );
    wat::parse_str(module).expect("the template is well-formed")
}
