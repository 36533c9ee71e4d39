//! How long code takes until it can run: `cargo run --release -p runtime-vm --example tiers`.
//!
//! First the hardest code that is accepted and the shipped rules: on the first form, until the better one is there, from
//! the shelf. Then a thousand small codes.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it measures time, by hand"
)]
#![allow(clippy::float_arithmetic, reason = "it prints figures for people")]

use runtime_primitives::{Hash, blake2_256};
use runtime_vm::{EngineKind, Kind, Shelf, Vm, check};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

#[derive(Clone, Default)]
struct Board(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Shelf for Board {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(name).cloned()
    }

    fn put(&self, name: &str, artifact: &[u8]) {
        self.0.lock().unwrap().insert(name.to_owned(), artifact.to_vec());
    }
}

fn vm(board: &Board) -> Vm {
    Vm::with_cache(EngineKind::Wasmtime, Box::new(board.clone()), [7; 32]).unwrap()
}

fn ms<R>(what: impl FnOnce() -> R) -> (f64, R) {
    let start = Instant::now();
    let result = what();
    (start.elapsed().as_secs_f64() * 1e3, result)
}

fn main() {
    println!(
        "{:40} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "code", "bytes", "check ms", "ready ms", "better ms", "shelf ms", "shelf KiB"
    );
    for (name, code) in codes() {
        let (hash, board) = (blake2_256(&code), Board::default());
        let (checked, _) = ms(|| check(&code, Kind::Pure).unwrap_or_else(|error| panic!("{name}: {error}")));
        let first = vm(&board);
        let (ready, _) = ms(|| first.load(&hash, Kind::Pure, || code.clone()).unwrap());
        let (better, ()) = ms(|| first.settle());
        let second = vm(&board);
        let (shelf, _) = ms(|| second.load(&hash, Kind::Pure, || code.clone()).unwrap());
        assert_eq!((second.stats().compiled, second.stats().found_on_shelf), (0, 1));
        let kept: usize = board.0.lock().unwrap().values().map(Vec::len).sum();
        let better = if first.stats().improved == 1 { format!("{better:.1}") } else { "-".into() };
        println!(
            "{name:40} {:>8} {checked:>9.1} {ready:>9.1} {better:>9} {shelf:>9.2} {:>9}",
            code.len(),
            kept >> 10
        );
    }
    thousand();
}

fn thousand() {
    let codes: Vec<(Hash, Vec<u8>)> = (0..1_000)
        .map(|number| {
            let text = format!(r#"(module (memory 1) (func (export "call") (drop (i32.const {number}))))"#);
            let code = wat::parse_str(text).unwrap();
            (blake2_256(&code), code)
        })
        .collect();
    let load = |vm: &Vm| {
        for (hash, code) in &codes {
            vm.load(hash, Kind::Pure, || code.clone()).unwrap();
        }
    };
    let board = Board::default();
    let first = vm(&board);
    let (compiling, ()) = ms(|| load(&first));
    let (starting, second) = ms(|| vm(&board));
    let (loading, ()) = ms(|| load(&second));
    println!(
        "\n1,000 small codes: {compiling:.0} ms to compile; a start with all of them on the shelf {starting:.1} ms, \
         then {loading:.0} ms to load them all; {:?}",
        second.stats()
    );
}

/// The hardest modules that are accepted, each in its own way, and real ones.
fn codes() -> Vec<(String, Vec<u8>)> {
    let repeat = |count: usize, text: &dyn Fn(usize) -> String| (0..count).map(text).collect::<String>();
    let function = |body: &str| format!("(func (local {}) {body})", "i64 ".repeat(256));
    let module = |functions: &str| format!(r#"(module (memory 1) (func (export "call")) {functions})"#);
    let step = |i: usize| {
        format!("(local.tee {} (i64.add (local.get {}) (i64.const {})))", i % 256, i * 7 % 256, i % 50)
    };
    let straight = |count| function(&repeat(count, &|i| format!("(drop {})", step(i))));
    let branches = |count| {
        let body = repeat(count, &|i| format!("(br_if {} (i32.wrap_i64 {}))", i % 2, step(i)));
        function(&format!("(block (loop {body}))"))
    };
    let loops = |count| function(&repeat(count, &|i| format!("(loop (br_if 0 (i32.wrap_i64 {})))", step(i))));
    let nested = |depth| {
        let heads = repeat(depth, &|i| format!("(loop (drop {})", step(i)));
        function(&format!("{heads} {}", repeat(depth, &|i| format!("(br_if 0 (i32.wrap_i64 {})))", step(i)))))
    };
    let tables = function(&format!(
        "{} {} {}",
        "block ".repeat(350),
        repeat(60, &|i| {
            let targets = repeat(500, &|target| format!("{} ", target % 120));
            format!("(block (br_table {targets} 0 (i32.wrap_i64 (local.get {i}))))")
        }),
        "end ".repeat(350)
    ));
    let loads = function(&repeat(1_500, &|i| {
        format!("(local.set {} (i64.load offset={i} (i32.wrap_i64 (local.get {}))))", i % 256, i * 7 % 256)
    }));
    let texts = [
        ("straight line, four functions of 32 KiB", module(&straight(3_000).repeat(4))),
        ("straight line, eight functions of 16 KiB", module(&straight(1_450).repeat(8))),
        ("loads, eight functions", module(&loads.repeat(8))),
        ("branches to one loop, four functions", module(&branches(505).repeat(4))),
        ("branches to one loop, at once", module(&branches(250))),
        ("loops in a row, four functions", module(&loops(168).repeat(4))),
        ("loops in a row, at once", module(&loops(80))),
        ("nested loops, four functions", module(&nested(168).repeat(4))),
        ("nested loops, at once", module(&nested(80))),
        ("branch tables", module(&tables)),
        ("4,000 empty functions", module(&"(func)".repeat(4_000))),
    ];
    let texts = texts.map(|(name, text)| (name.to_owned(), wat::parse_str(text).unwrap()));
    let shipped = ["bid", "settlement", "high_low", "min_spread"].map(|name| {
        let file = format!("{}/../../contracts/artifacts/{name}.wasm", env!("CARGO_MANIFEST_DIR"));
        (name.to_owned(), std::fs::read(file).unwrap())
    });
    texts.into_iter().chain(shipped).collect()
}
