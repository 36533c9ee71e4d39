//! The metering pass against an interpreter that never heard of it: same results, same gas, bounded overdraft, true
//! heights. `BUSBAR_CASES=100000` asks for a longer run.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_vm::{CodeError, Kind, Outcome, Trap, check, gas};
use std::collections::BTreeMap;
use support::counted::{count_work, export_global};
use support::generate::{cases, random_module};
use support::walk::{End, PAGES_MAX, Program, Walk, highest};
use support::{PLENTY, on_vm_thread, program, pure_code, wasm};
use wasmparser::Operator;

const SEED: u64 = 0x6a5_7e57;
const GAS: u64 = 30_000_000;

/// Random modules that are accepted, with their numbers.
fn modules(count: u32) -> impl Iterator<Item = Vec<u8>> {
    (0..count).filter_map(|number| {
        println!("seed {SEED:#x}, module {number}");
        let code = random_module(SEED, number);
        match check(&code, Kind::Pure) {
            Err(CodeError::SegmentOutOfBounds { .. }) => None,
            checked => checked.map(|_| code).map_err(|error| panic!("{error}")).ok(),
        }
    })
}

#[test]
fn gas_is_what_an_independent_walk_counts() {
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    let count = cases(400);
    on_vm_thread(|| {
        for code in modules(count) {
            let program = Program::read(&code, PAGES_MAX);
            let (walk, end) = Walk::run(&program, b"", GAS);
            let outcome = pure_code(&code, b"", GAS);
            *ends.entry(compare(&walk, &end, &outcome)).or_default() += 1;
            if outcome.result.is_ok() {
                let exact = walk.gas;
                assert_eq!(pure_code(&code, b"", exact), outcome);
                assert_eq!(pure_code(&code, b"", exact - 1).result, Err(Trap::OutOfGas));
            }
        }
    });
    println!("{ends:?}");
    for end in ["returned", "trapped", "out of gas"] {
        assert!(ends.get(end).is_some_and(|found| *found >= count / 50), "{ends:?}");
    }
}

/// Holds what the engines said against the walk.
fn compare(walk: &Walk<'_>, end: &End, outcome: &Outcome) -> &'static str {
    let gas_used = outcome.gas_used.units();
    match (end, &outcome.result) {
        (End::Returned(data), Ok(output)) => {
            assert_eq!((data, walk.gas), (&output.data, gas_used));
            "returned"
        }
        (End::Finished, Ok(output)) => {
            assert_eq!((&output.data, walk.gas), (&vec![], gas_used));
            "returned"
        }
        (End::Trapped(expected), Err(trap)) if expected == trap => {
            // Paid in full up to the last handover; advances may come on top.
            assert!((walk.gas_at_handover..=GAS).contains(&gas_used), "{gas_used}");
            "trapped"
        }
        (End::Spent, Err(Trap::OutOfGas)) => {
            assert_eq!(gas_used, GAS);
            "out of gas"
        }
        // The walk has no limit on the stack; a frame has at least 16 slots and its locals.
        (End::Spent | End::Trapped(_), Err(Trap::StackOverflow)) => "stack overflow",
        // The advance for the ways not taken was more than was left.
        (End::Trapped(_), Err(Trap::OutOfGas)) => {
            let advance = walk.programs_longest();
            assert!(walk.gas + advance > GAS, "{} + {advance}", walk.gas);
            "trapped at the limit"
        }
        (end, result) => panic!("the walk ends with {end:?}, the engines with {result:?}"),
    }
}

#[test]
fn the_rules_themselves_cost_what_the_walk_counts() {
    let clear = |count| [&[0x6b, 0x38, 0x53, 0x65][..], &book(count)].concat();
    let describe = vec![0x33, 0x71, 0x3e, 0x62];
    on_vm_thread(|| {
        for (name, input) in [
            ("high_low", clear(300)),
            ("min_spread", clear(300)),
            ("high_low", describe.clone()),
            ("min_spread", b"?".to_vec()),
            ("bid", describe.clone()),
            ("settlement", describe.clone()),
        ] {
            let code = artifact(name);
            let program = Program::read(&code, PAGES_MAX);
            let (walk, end) = Walk::run(&program, &input, u64::MAX);
            let outcome = pure_code(&code, &input, 1 << 50);
            let output = outcome.result.as_ref().unwrap();
            assert_eq!(end, End::Returned(output.data.clone()), "{name}");
            assert_eq!(walk.gas, outcome.gas_used.units(), "{name}");
            assert_eq!(pure_code(&code, &input, walk.gas - 1).result, Err(Trap::OutOfGas), "{name}");
        }
    });
}

#[allow(clippy::disallowed_methods, reason = "a test reads the artifacts")]
fn artifact(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/artifacts");
    std::fs::read(format!("{folder}/{name}.wasm")).unwrap()
}

/// Arguments of `clear`: parameters that admit any price, and orders of both sides by turns.
fn book(count: u32) -> Vec<u8> {
    let mut bytes = 1u16.to_le_bytes().to_vec();
    bytes.extend([0; 12]);
    bytes.extend(15u16.to_le_bytes());
    bytes.extend([1u32, 0, u32::MAX].iter().flat_map(|price| price.to_le_bytes()));
    bytes.push(0);
    bytes.extend(u16::try_from(count << 2 | 1).unwrap().to_le_bytes());
    for seq in 0..count {
        bytes.extend([seq, seq % 50, seq % 50].iter().flat_map(|number| number.to_le_bytes()));
        bytes.push(u8::from(seq % 2 == 1));
        bytes.extend(u64::from(1 + seq * 7_919 % 5_000).to_le_bytes());
        bytes.extend(0u64.to_le_bytes());
        bytes.extend((3_000 + seq * 104_729 % 2_000).to_le_bytes());
        bytes.push(0);
        bytes.extend(0u32.to_le_bytes());
    }
    bytes
}

#[test]
fn a_call_overdraws_by_one_way_at_most() {
    let mut stopped = 0;
    on_vm_thread(|| {
        for code in modules(cases(120)) {
            stopped += sweep(&code, GAS);
        }
    });
    assert!(stopped >= 500, "only {stopped} runs were stopped");
}

#[test]
fn returning_calls_do_not_add_up_what_they_overdraw() {
    // Each of 3,000 frames has dear work left that nothing has paid for when the deepest one finds the gas used up.
    let work = "(global.set 0 (i64.div_u (global.get 0) (i64.const 3)))".repeat(200);
    let code = wasm(&program(&format!(
        r#"(global (mut i64) (i64.const 1))
        (func $f (param i32)
            (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1)))))
            (if (i64.eqz (global.get 0)) (then {work}))
            (global.set 0 (i64.const 0)))
        (func (export "call") (call $f (i32.const 3000)))"#
    )));
    on_vm_thread(|| assert!(sweep(&code, 20 * PLENTY) > 10));
}

/// Runs `code` under many limits and measures how much it did beyond each; how many runs were stopped by it.
fn sweep(code: &[u8], gas_max: u64) -> u32 {
    let (counted, global) = count_work(code);
    let original = Program::read(&counted, PAGES_MAX);
    let (walk, end) = Walk::run(&original, b"", gas_max);
    if matches!(end, End::Trapped(_)) {
        return 0;
    }
    // The function that was checked last may return into one that was not.
    let overdraft_max = 2 * walk.programs_longest();
    let instrumented = export_global(check(&counted, Kind::Pure).unwrap().instrumented(), global);
    let mut config = wasmi::Config::default();
    config.set_max_recursion_depth(1_000_000).set_max_stack_height(64 << 20);
    let engine = wasmi::Engine::new(&config);
    let module = wasmi::Module::new(&engine, &instrumented).unwrap();
    let entry = gas::entry(original.pages.0);
    let total = walk.gas - entry;
    let mut stopped = 0;
    for part in 0..24 {
        let funds = total / 24 * part + part;
        let (gas_left, work) = fund(&engine, &module, funds);
        if gas_left < 0 {
            stopped += 1;
            assert!(work <= funds + overdraft_max, "{work} of {funds}, {overdraft_max} beyond");
        }
    }
    stopped
}

/// Runs an instrumented module with so much gas; what its counter and its count of work say at the end.
fn fund(engine: &wasmi::Engine, module: &wasmi::Module, funds: u64) -> (i64, u64) {
    let mut store = wasmi::Store::new(engine, ());
    let mut linker = wasmi::Linker::new(engine);
    let stop = |_: u32, _: u32, _: u32| Err::<(), _>(wasmi::Error::i32_exit(0));
    linker.func_wrap("seal0", "seal_return", stop).unwrap();
    linker.func_wrap("seal0", "input", |_: u32, _: u32| {}).unwrap();
    let instance = linker.instantiate_and_start(&mut store, module).unwrap();
    let global = |store: &wasmi::Store<()>, name| instance.get_global(store, name).unwrap();
    let (gas, stack) = (global(&store, "busbar.gas"), global(&store, "busbar.stack"));
    gas.set(&mut store, wasmi::Val::I64(funds.cast_signed())).unwrap();
    stack.set(&mut store, wasmi::Val::I32(i32::MAX)).unwrap();
    // Whether it traps or returns, the counters tell.
    let _ended = instance.get_typed_func::<(), ()>(&store, "call").unwrap().call(&mut store, ());
    let read = |name| global(&store, name).get(&store).i64().unwrap();
    (read("busbar.gas"), read("work").cast_unsigned())
}

#[test]
fn frames_take_their_true_height() {
    let (mut functions, mut reached) = (0, 0);
    on_vm_thread(|| {
        for code in modules(cases(300)) {
            let original = Program::read(&code, PAGES_MAX);
            let (walk, _) = Walk::run(&original, b"", GAS);
            let checked = check(&code, Kind::Pure).unwrap();
            let instrumented = Program::read(checked.instrumented(), PAGES_MAX);
            for (index, function) in original.functions.iter().enumerate() {
                let Operator::I32Const { value: slots } = instrumented.functions[index].body[1] else {
                    panic!("a function takes its slots first")
                };
                let parameters = original.types[function.ty as usize].params().len();
                let height = highest(&original, function);
                let expected = 16 + parameters + function.declared as usize + height;
                assert_eq!(usize::try_from(slots).unwrap(), expected, "function {index}");
                assert!(walk.heights[index] <= height, "function {index}");
                functions += 1;
                reached += u32::from(walk.heights[index] == height);
            }
        }
    });
    println!("{functions} functions, of which {reached} reached their height");
    assert!(functions >= 500 && reached >= functions / 50);
}

#[test]
fn a_selection_by_a_comparison_is_the_same_on_both_engines() {
    // The interpreter's own translation of `select` after `i32.eqz` chooses the wrong operand.
    for condition in ["i32.eqz", "(i32.ne (i32.const 0))", "i32.eqz i32.eqz", "(i32.eq (i32.const 0))"] {
        for value in [0u32, 9] {
            let code = wasm(&program(&format!(
                r#"(func $f (param i32) (result i32)
                    (select (i32.const 100) (i32.const 200) (local.get 0) {condition}))
                (func (export "call") (i32.store (i32.const 0) (call $f (i32.const {value})))
                    (call $return (i32.const 0) (i32.const 0) (i32.const 4)))"#
            )));
            let (_, end) = Walk::run(&Program::read(&code, PAGES_MAX), b"", PLENTY);
            let output = pure_code(&code, b"", PLENTY).result.unwrap();
            assert_eq!(end, End::Returned(output.data), "{condition} of {value}");
        }
    }
}
