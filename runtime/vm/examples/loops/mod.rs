//! A loop for every operator that contracts may use, in which little else takes time.
//!
//! Operators depend on one another's results wherever they have one: what is measured is the latency, the worst case.

use runtime_vm::{Kind, gas};
use wasmparser::{Operator, Parser, Payload};

/// Two modules whose difference is `steps` executions of one operator and of what feeds it.
pub struct Probe {
    pub name: String,
    /// The operator's own price; `None` for what is not one operator.
    pub price: Option<u64>,
    /// Whether its price is known not to cover it (see `gas.rs`).
    pub exempt: bool,
    pub full: String,
    pub empty: String,
    pub steps: f64,
}

/// How often the body is repeated in a loop's body.
const COPIES: usize = 32;
const TURNS: u32 = 4_000;

/// Everything that is measured.
pub fn probes() -> Vec<Probe> {
    let mut probes = Vec::new();
    numbers(&mut probes);
    memory(&mut probes);
    control(&mut probes);
    bulk(&mut probes);
    misses(&mut probes);
    probes
}

/// A probe of the operator `name`, fed by `step`; `{k}` in it is the number of the copy.
fn probe(name: &str, step: &str) -> Probe {
    let body = |copies: usize| {
        let steps: String = (0..copies).map(|k| step.replace("{k}", &k.to_string())).collect();
        module(16, &turns(TURNS, &steps))
    };
    let steps = f64::from(TURNS) * COPIES as f64;
    let full = body(COPIES);
    Probe { name: name.to_owned(), price: price(&full, name), exempt: false, full, empty: body(0), steps }
}

impl Probe {
    /// The same, exempt from the rule if `exempt`.
    fn but(self, exempt: bool) -> Self {
        Self { exempt, ..self }
    }

    /// The same, of which each step executes the operator so many times.
    fn of(mut self, times: f64) -> Self {
        self.steps *= times;
        self
    }
}

/// A probe of `turns` turns of a loop with this body, after `setup`, against none.
fn repeated(name: &str, pages: u32, setup: &str, count: u32, step: &str, units: f64) -> Probe {
    let body = |count: u32| module(pages, &format!("{setup} {}", turns(count, step)));
    let full = body(count);
    Probe {
        name: name.to_owned(),
        price: price(&full, name),
        exempt: false,
        full,
        empty: body(1),
        steps: f64::from(count - 1) * units,
    }
}

/// A loop of `count` turns.
fn turns(count: u32, body: &str) -> String {
    format!(
        "(local.set $n (i32.const {count}))
        (loop $turn {body} (br_if $turn (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))"
    )
}

/// A contract whose `call` has the locals that steps use: chains $a, $b (i64) and $c, $d (i32), an address $p.
fn module(pages: u32, body: &str) -> String {
    format!(
        r#"(module (memory {pages} 256) (global $g (mut i64) (i64.const 1)) (global $odd (mut i64) (i64.const 0x5DEECE66D))
        (type $t (func (param i64) (result i64))) (table 4 funcref) (elem (i32.const 0) $f0 $f1 $f0 $f1)
        (func $f0 (type $t) (local.get 0)) (func $f1 (type $t) (i64.const 7))
        (func $locals (type $t) (local {locals}) (local.get 0))
        (func (export "call") (local $n i32) (local $a i64) (local $b i64) (local $c i32) (local $d i32) (local $p i32)
            (local.set $b (global.get $odd)) (local.set $a (local.get $b))
            (local.set $d (i32.wrap_i64 (local.get $b))) (local.set $c (local.get $d))
            {body}
            (global.set $g (i64.add (local.get $a) (i64.extend_i32_u (i32.add (local.get $p) (local.get $c)))))))"#,
        locals = "i64 ".repeat(200),
    )
}

/// The price of the operator with this name, which occurs in `wat`.
fn price(wat: &str, name: &str) -> Option<u64> {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let wanted = plain(name);
    let code = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
    for payload in Parser::new(0).parse_all(&code) {
        let Payload::CodeSectionEntry(body) = payload.unwrap() else { continue };
        for operator in body.get_operators_reader().unwrap() {
            let operator: Operator<'_> = operator.unwrap();
            let text = format!("{operator:?}");
            if plain(text.split([' ', '{']).next().unwrap_or_default()) == wanted {
                return gas::instruction(&operator);
            }
        }
    }
    None
}

fn numbers(probes: &mut Vec<Probe>) {
    for (ty, chain, other) in [("i32", "$c", "$d"), ("i64", "$a", "$b")] {
        let get = |local| format!("(local.get {local})");
        let (chained, fixed) = (get(chain), get(other));
        for name in ["add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr"] {
            // Two chains that feed each other: constants would be folded.
            let step = format!(
                "(local.set {chain} ({ty}.{name} {chained} {fixed})) (local.set {other} ({ty}.{name} {fixed} {chained}))"
            );
            probes.push(probe(&format!("{ty}.{name}"), &step).of(2.0));
        }
        for name in ["div_s", "div_u", "rem_s", "rem_u"] {
            // As many bits of quotient as there can be.
            let large = if ty == "i32" { "0x7fffffff" } else { "0x7fffffffffffffff" };
            let step = format!(
                "(local.set {chain} ({ty}.{name} ({ty}.const {large}) ({ty}.or ({ty}.and {chained} ({ty}.const 7)) ({ty}.const 3))))"
            );
            probes.push(probe(&format!("{ty}.{name}"), &step));
        }
        for name in ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"] {
            let widened = if ty == "i32" { get("$c") } else { format!("(i64.extend_i32_u {})", get("$c")) };
            let step = format!("(local.set $c ({ty}.{name} {widened} {fixed}))");
            probes.push(probe(&format!("{ty}.{name}"), &step));
        }
        for name in ["clz", "ctz", "popcnt", "extend8_s", "extend16_s"] {
            let step = format!("(local.set {chain} ({ty}.{name} ({ty}.add {chained} {fixed})))");
            probes.push(probe(&format!("{ty}.{name}"), &step));
        }
    }
    let a = "(i64.add (local.get $a) (local.get $b))";
    probes.push(probe("i64.extend32_s", &format!("(local.set $a (i64.extend32_s {a}))")));
    probes.push(probe("i32.eqz", "(local.set $c (i32.eqz (i32.and (local.get $c) (local.get $d))))"));
    probes.push(probe(
        "i64.eqz",
        "(local.set $a (i64.extend_i32_u (i64.eqz (i64.and (local.get $a) (local.get $b)))))",
    ));
    let narrow = "(i32.wrap_i64 (local.get $a))";
    for name in ["i64.extend_i32_s", "i64.extend_i32_u", "i32.wrap_i64"] {
        let widen = if name.starts_with("i64") { name } else { "i64.extend_i32_s" };
        probes.push(probe(name, &format!("(local.set $a ({widen} (i32.add {narrow} (local.get $d))))")));
    }
    let select = "(local.set $a (select (local.get $b) (i64.const {k}) (i32.wrap_i64 (local.get $a))))";
    probes.push(probe("select", select));
    for name in ["local.get", "local.set"] {
        probes.push(probe(name, "(local.set $c (local.get $d)) (local.set $d (local.get $c))"));
    }
    probes.push(probe("local.tee", "(local.set $c (i32.add (local.tee $d (local.get $c)) (local.get $d)))"));
    probes.push(probe("i32.const", "(local.set $c (i32.mul (local.get $c) (i32.const {k}3)))"));
    probes.push(probe(
        "i64.const",
        "(local.set $a (i64.rotl (i64.add (local.get $a) (i64.const 0x123456789{k})) (local.get $b)))",
    ));
    probes.push(probe("drop", "(drop (i64.add (local.get $a) (i64.const {k})))"));
    probes.push(probe("global.get", "(local.set $a (i64.add (local.get $a) (global.get $g)))"));
    probes.push(probe("global.set", "(global.set $g (i64.add (global.get $g) (local.get $b)))"));
}

fn memory(probes: &mut Vec<Probe>) {
    for (ty, widths) in [
        ("i32", &["", "8_s", "8_u", "16_s", "16_u"][..]),
        ("i64", &["", "8_s", "8_u", "16_s", "16_u", "32_s", "32_u"]),
    ] {
        for width in widths {
            // Memory is zero: each load's address comes out of the one before.
            let load = format!("({ty}.load{width} offset={{k}} (local.get $p))");
            let load = if ty == "i64" { format!("(i32.wrap_i64 {load})") } else { load };
            probes.push(probe(&format!("{ty}.load{width}"), &format!("(local.set $p {load})")));
        }
    }
    for (ty, value, widths) in
        [("i32", "(local.get $c)", &["", "8", "16"][..]), ("i64", "(local.get $a)", &["", "8", "16", "32"])]
    {
        for width in widths {
            let step = format!("({ty}.store{width} offset={{k}}0 (local.get $p) {value})");
            probes.push(probe(&format!("{ty}.store{width}"), &step));
        }
    }
    let forwarded = "(i64.store (local.get $p) (local.get $a)) (local.set $a (i64.load (local.get $p)))";
    probes.push(probe("store, then load", forwarded));
    probes.push(probe("memory.size", "(local.set $c (i32.add (local.get $c) (memory.size)))"));
}

fn control(probes: &mut Vec<Probe>) {
    const RANDOM: &str = "(local.set $a (i64.add (i64.mul (local.get $a) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))";
    const BIT: &str = "(i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 63)))";
    let count = "(local.set $c (i32.add (local.get $c) (i32.const 1)))";
    probes.push(probe("nop", "(nop) (local.set $c (i32.xor (local.get $c) (i32.const {k}5)))"));
    probes.push(probe("block", "(block (local.set $c (i32.xor (local.get $c) (i32.const {k}5))))"));
    probes.push(probe("loop", "(loop (local.set $c (i32.xor (local.get $c) (i32.const {k}5))))"));
    probes.push(probe("br", &format!("(block {count} (br 0))")));
    probes.push(probe(
        "br_if",
        &format!("(block {count} (br_if 0 (local.get $d)) (local.set $c (local.get $d)))"),
    ));
    probes.push(probe("br_if, unpredictable", &format!("{RANDOM} (block (br_if 0 {BIT}) {count})")));
    probes.push(probe("if", &format!("(if (local.get $d) (then {count}))")));
    probes.push(probe(
        "if, unpredictable",
        &format!(
            "{RANDOM} (if {BIT} (then {count}) (else (local.set $c (i32.mul (local.get $c) (local.get $d)))))"
        ),
    ));
    let table = format!(
        "{RANDOM} (block $3 (block $2 (block $1 (block $0 (br_table $0 $1 $2 $3 (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 62)))))
        {count}) {count}) {count})"
    );
    probes.push(probe("br_table", &table));
    probes.push(probe("call", "(local.set $a (call $f0 (local.get $a)))"));
    probes.push(probe("call with 200 locals", "(local.set $a (call $locals (local.get $a)))"));
    probes.push(probe(
        "call_indirect",
        "(local.set $a (call_indirect (type $t) (local.get $a) (i32.const 0)))",
    ));
    let step = format!(
        "{RANDOM} (local.set $b (call_indirect (type $t) (local.get $b) (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 62)))))"
    );
    probes.push(probe("call_indirect, unpredictable", &step));
}

fn bulk(probes: &mut Vec<Probe>) {
    let p = "(i32.const 4096)";
    probes.push(probe("memory.fill", &format!("(memory.fill {p} (local.get $c) (i32.const 0))")));
    // The one above fills nothing on a page that nobody touched; this one on a page in use.
    let touch = "(i32.store (i32.const 4096) (local.get $d))";
    let nothing = format!("(memory.fill {p} (local.get $c) (i32.const 0))");
    probes.push(repeated("memory.fill of nothing, on a page in use", 16, touch, 100_000, &nothing, 1.0));
    probes.push(probe("memory.copy", &format!("(memory.copy (i32.const 1) {p} (i32.const 0))")));
    for (name, bytes) in
        [("of 1 byte", 1), ("of 64 bytes", 64), ("of 4 KiB", 4 << 10), ("of 256 KiB", 256 << 10)]
    {
        let fill = format!("(memory.fill {p} (local.get $c) (i32.const {bytes}))");
        let copy = format!("(memory.copy (i32.const 500001) {p} (i32.const {bytes}))");
        let turns = 20_000_000 / (bytes + 2_000);
        probes.push(repeated(&format!("memory.fill {name}"), 16, "", turns, &fill, 1.0));
        probes.push(repeated(&format!("memory.copy {name}"), 16, "", turns, &copy, 1.0));
    }
    let far = "(memory.copy (i32.const 8000000) (i32.const 0) (i32.const 8000000))";
    probes.push(repeated("memory.copy of 8 MB", 256, far, 4, far, 1.0));
    let far = "(memory.fill (i32.const 0) (local.get $c) (i32.const 16000000))";
    probes.push(repeated("memory.fill of 16 MB", 256, far, 4, far, 1.0));
    probes.push(repeated("memory.grow", 16, "", 20_000, "(drop (memory.grow (i32.const 0)))", 1.0));
    // Sixteen first touches for each page.
    let touch: String = (0..16)
        .map(|page| format!("(i32.store8 offset={} (local.get $p) (local.get $c))", page << 12))
        .collect();
    let grow = format!("(local.set $p (i32.shl (memory.grow (i32.const 1)) (i32.const 16))) {touch}");
    probes.push(repeated("memory.grow by a page, and its use", 1, "", 240, &grow, 1.0));
}

/// Accesses that miss every cache that a core has to itself.
fn misses(probes: &mut Vec<Probe>) {
    for (text, bytes) in [("1 MiB", 1u32 << 20), ("16 MiB", 16 << 20)] {
        let pages = bytes >> 16;
        // More than a stateful contract may have.
        let exempt = pages > Kind::Stateful.memory_pages_max();
        // Each cache line holds the address of the next: a full-period generator visits all of them in no order.
        let lines = bytes / 64;
        let setup = format!(
            "(local.set $n (i32.const {lines}))
            (loop $line
                (local.set $d (i32.and (i32.add (i32.mul (local.get $c) (i32.const 1664525)) (i32.const 1013904223)) (i32.const {mask})))
                (i32.store (i32.shl (local.get $c) (i32.const 6)) (i32.shl (local.get $d) (i32.const 6)))
                (local.set $c (local.get $d))
                (br_if $line (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))",
            mask = lines - 1
        );
        let setup = format!("(local.set $c (i32.const 0)) {setup}");
        let turns = 400_000;
        let chase = "(local.set $p (i32.load (local.get $p)))".repeat(4);
        probes.push(
            repeated(
                &format!("i32.load, a chain of misses in {text}"),
                pages,
                &setup,
                turns / 4,
                &chase,
                4.0,
            )
            .but(exempt),
        );
        let random = "(local.set $a (i64.add (i64.mul (local.get $a) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))";
        let address = format!(
            "(i32.and (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 32))) (i32.const {}))",
            bytes - 64
        );
        let store = format!("{random} (i32.store {address} (local.get $d))");
        probes.push(
            repeated(&format!("i32.store, misses in {text}"), pages, &setup, turns, &store, 1.0).but(exempt),
        );
        let load = format!("{random} (local.set $c (i32.add (local.get $c) (i32.load {address})))");
        probes.push(
            repeated(&format!("i32.load, misses in {text}"), pages, &setup, turns, &load, 1.0).but(exempt),
        );
    }
}
