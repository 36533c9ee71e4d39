//! The works: what a contract does, as the seal interface has it, as cosmwasm has it, and in Rust.
//!
//! The clearings are the artifacts as committed, on books that a seed makes.

#[path = "../../../contracts/testing/books.rs"]
#[allow(dead_code, reason = "it makes other books too")]
mod books;

use crate::shape;
use books::{PARAMS, Random, Shape, book, random_orders};
use contract_interface::CLEAR;
use parity_scale_codec::Encode;
use runtime_primitives::{Gas, blake2_256};
use runtime_vm::Kind;
use std::collections::BTreeMap;

/// Gas that no work uses up.
pub const PLENTY: Gas = Gas::from_units(1 << 50);

/// What a stateful contract stores in, the same for all subjects.
pub type Storage = BTreeMap<Vec<u8>, Vec<u8>>;

/// A storage with what the works find there.
pub fn storage() -> Storage {
    (0..10).map(|number| (key(number).to_vec(), vec![number; 32])).collect()
}

fn key(number: u8) -> [u8; 32] {
    let mut key = [0; 32];
    key[31] = number;
    key
}

/// A contract as cosmwasm takes it.
pub struct CosmWasm {
    /// Its module.
    pub code: Vec<u8>,
    /// Whether it is called by `execute`, which may write, or by `query`.
    pub is_execute: bool,
}

/// The same work in Rust.
pub type Native = Box<dyn Fn(&mut Storage, &[u8]) -> Vec<u8>>;

/// Something to do once in a fresh instance.
pub struct Work {
    /// What the table calls it.
    pub name: String,
    /// The contract, importing the seal interface.
    pub code: Vec<u8>,
    /// What it may import.
    pub kind: Kind,
    /// Its input.
    pub input: Vec<u8>,
    /// None where cosmwasm lacks the host function.
    pub cosmwasm: Option<CosmWasm>,
    /// None where nothing would be left to do.
    pub native: Option<Native>,
}

/// A market rule in its two forms.
pub struct Rule {
    /// What the table calls it.
    pub name: &'static str,
    /// Orders of the books that it clears here.
    pub sizes: [u32; 2],
    /// The artifact.
    pub wasm: &'static [u8],
    pub native: fn(&[u8]) -> (u32, Vec<u8>),
}

/// The market's default rule.
pub static HIGH_LOW: Rule = Rule {
    name: "high-low",
    sizes: [1_000, 10_000],
    wasm: include_bytes!("../../../contracts/artifacts/high_low.wasm"),
    native: contract_high_low::dispatch,
};
/// The paper's rule, which takes no more than 2,000 orders.
pub static MIN_SPREAD: Rule = Rule {
    name: "min-spread",
    sizes: [1_000, 2_000],
    wasm: include_bytes!("../../../contracts/artifacts/min_spread.wasm"),
    native: contract_min_spread::dispatch,
};

/// All works, in the order of the table.
pub fn all() -> Vec<Work> {
    let mut works = vec![nop(), reads_and_writes(), hashes()];
    for rule in [&HIGH_LOW, &MIN_SPREAD] {
        works.extend(rule.sizes.map(|orders| clearing(rule, orders)));
    }
    works
}

/// The name of a clearing.
pub fn clearing_name(rule: &str, orders: u32) -> String {
    format!("{rule}, {orders} orders")
}

/// The message that clears a book of so many orders.
pub fn clear_message(orders: u32) -> Vec<u8> {
    let shape = Shape { orders, entities: orders, levels: 2_000, minimums: 0, flags: 0 };
    (CLEAR, PARAMS, book(&random_orders(&mut Random(1), shape))).encode()
}

fn clearing(rule: &'static Rule, orders: u32) -> Work {
    Work {
        name: clearing_name(rule.name, orders),
        code: rule.wasm.to_vec(),
        kind: Kind::Pure,
        input: clear_message(orders),
        cosmwasm: Some(CosmWasm { code: shape::for_cosmwasm(rule.wasm), is_execute: false }),
        native: Some(Box::new(|_, input| (rule.native)(input).1)),
    }
}

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The work of doing none.
pub const NOP: &str = "nop";

fn nop() -> Work {
    let code = wasm(r#"(module (import "env" "memory" (memory 1 1)) (func (export "call")))"#);
    Work {
        name: NOP.to_owned(),
        cosmwasm: Some(CosmWasm { code: shape::for_cosmwasm(&code), is_execute: false }),
        code,
        kind: Kind::Pure,
        input: Vec::new(),
        native: None,
    }
}

/// A loop of `count` turns around `body`.
fn looped(count: u32, body: &str) -> String {
    format!(
        "(loop $again {body}
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const {count}))))"
    )
}

/// Ten values under ten keys, 32 bytes each, are read, counted up and written; the last one is the answer.
fn reads_and_writes() -> Work {
    let seal = looped(
        10,
        "(i32.store8 (i32.const 31) (local.get $i))
        (i32.store (i32.const 64) (i32.const 32))
        (drop (call $get (i32.const 0) (i32.const 128) (i32.const 64)))
        (i64.store (i32.const 128) (i64.add (i64.load (i32.const 128)) (i64.const 1)))
        (call $set (i32.const 0) (i32.const 128) (i32.const 32))",
    );
    let code = format!(
        r#"(module (import "env" "memory" (memory 1 1))
        (import "seal0" "get_storage" (func $get (param i32 i32 i32) (result i32)))
        (import "seal0" "set_storage" (func $set (param i32 i32 i32)))
        (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
        (func (export "deploy"))
        (func (export "call") (local $i i32) {seal} (call $return (i32.const 0) (i32.const 128) (i32.const 32))))"#
    );
    Work {
        name: "10 reads and 10 writes".to_owned(),
        code: wasm(&code),
        kind: Kind::Stateful,
        input: Vec::new(),
        cosmwasm: Some(CosmWasm { code: wasm(&reads_and_writes_for_cosmwasm()), is_execute: true }),
        native: Some(Box::new(|storage, _| {
            let mut last = Vec::new();
            for number in 0..10 {
                let mut value = storage.get(key(number).as_slice()).cloned().expect("it is there");
                let count = u64::from_le_bytes(value[..8].try_into().expect("eight bytes"));
                value[..8].copy_from_slice(&count.wrapping_add(1).to_le_bytes());
                storage.insert(key(number).to_vec(), value.clone());
                last = value;
            }
            last
        })),
    }
}

/// The same with regions (offset, capacity, length) for pointers: the key's at 512, what the host allocates from 1024.
fn reads_and_writes_for_cosmwasm() -> String {
    let body = looped(
        10,
        "(i32.store8 (i32.const 63) (local.get $i))
        (local.set $value (call $read (i32.const 512)))
        (local.set $at (i32.load (local.get $value)))
        (i64.store (local.get $at) (i64.add (i64.load (local.get $at)) (i64.const 1)))
        (call $write (i32.const 512) (local.get $value))",
    );
    format!(
        r#"(module (import "env" "db_read" (func $read (param i32) (result i32)))
        (import "env" "db_write" (func $write (param i32 i32)))
        (memory (export "memory") 1)
        (global $free (mut i32) (i32.const 1024))
        (func (export "interface_version_8"))
        (func (export "allocate") (param $size i32) (result i32) (local $region i32)
            (local.set $region (global.get $free))
            (i32.store (local.get $region) (i32.add (local.get $region) (i32.const 16)))
            (i32.store offset=4 (local.get $region) (local.get $size))
            (global.set $free (i32.add (local.get $region)
                (i32.and (i32.add (local.get $size) (i32.const 31)) (i32.const -16))))
            (local.get $region))
        (func (export "deallocate") (param i32))
        (func (export "execute") (param i32 i32 i32) (result i32) (local $i i32) (local $value i32) (local $at i32)
            (i32.store (i32.const 512) (i32.const 32))
            (i64.store offset=4 align=4 (i32.const 512) (i64.const 0x20_0000_0020))
            {body} (local.get $value)))"#
    )
}

/// A buffer of 64 bytes whose first half is replaced by the hash of the whole, 1000 times; that half is the answer.
fn hashes() -> Work {
    let body = looped(1_000, "(call $blake (i32.const 0) (i32.const 64) (i32.const 0))");
    let code = format!(
        r#"(module (import "env" "memory" (memory 1 1))
        (import "seal0" "hash_blake2_256" (func $blake (param i32 i32 i32)))
        (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
        (func (export "call") (local $i i32) {body} (call $return (i32.const 0) (i32.const 0) (i32.const 32))))"#
    );
    Work {
        name: "1000 × blake2b-256 of 64 bytes".to_owned(),
        code: wasm(&code),
        kind: Kind::Pure,
        input: Vec::new(),
        cosmwasm: None,
        native: Some(Box::new(|_, _| {
            let mut buffer = [0; 64];
            for _ in 0..1_000 {
                let hash = blake2_256(&buffer);
                buffer[..32].copy_from_slice(&hash.0);
            }
            buffer[..32].to_vec()
        })),
    }
}
