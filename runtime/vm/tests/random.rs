//! Random modules: instrumented on both engines, and as they came on an interpreter without any of our code.
//!
//! Equal outputs say that the pass changes nothing it should not; equal gas says that both engines ran the same path.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_vm::{CodeError, Kind, Trap, check};
use std::collections::BTreeMap;
use support::generate::{cases, random_module};
use support::{on_vm_thread, pure_code};

const SEED: u64 = 0x0b05_bab0;
const MODULES: u32 = 500;
const GAS: u64 = 30_000_000;

#[test]
fn random_modules_do_on_both_engines_what_they_do_unmetered() {
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    let modules = cases(MODULES);
    on_vm_thread(|| {
        for number in 0..modules {
            println!("seed {SEED:#x}, module {number}");
            let code = random_module(SEED, number);
            let end = match check(&code, Kind::Pure) {
                Err(CodeError::SegmentOutOfBounds { .. }) => "refused",
                Err(error) => panic!("{error}"),
                Ok(checked) => {
                    wasmparser::validate(checked.instrumented()).unwrap();
                    compare(&code)
                }
            };
            *ends.entry(end).or_default() += 1;
        }
    });
    println!("{ends:?}");
    // The generator must not have become a maker of nothing.
    for end in ["returned", "trapped", "out of gas"] {
        assert!(ends.get(end).is_some_and(|count| *count >= modules / 50), "{ends:?}");
    }
}

fn compare(code: &[u8]) -> &'static str {
    let outcome = pure_code(code, b"", GAS);
    match outcome.result {
        // What the unmetered module would do then cannot be told in finite time.
        Err(Trap::OutOfGas | Trap::StackOverflow) => "out of gas",
        Err(trap) => {
            assert_eq!(unmetered(code), None, "the module trapped only when metered: {trap}");
            "trapped"
        }
        Ok(output) => {
            assert_eq!(unmetered(code), Some(output.data));
            "returned"
        }
    }
}

/// The output of the module as it is; `None` if it traps.
fn unmetered(code: &[u8]) -> Option<Vec<u8>> {
    let mut config = wasmi::Config::default();
    config.set_max_recursion_depth(1_000_000).set_max_stack_height(64 << 20);
    let engine = wasmi::Engine::new(&config);
    let mut store = wasmi::Store::new(&engine, None);
    let mut linker = wasmi::Linker::new(&engine);
    let returned =
        |mut caller: wasmi::Caller<'_, Option<Vec<u8>>>, _flags: u32, pointer: u32, length: u32| {
            let memory = caller.get_export("memory").and_then(wasmi::Extern::into_memory).unwrap();
            let (start, length) = (pointer as usize, length as usize);
            let data = memory.data(&caller).get(start..start + length).map(<[u8]>::to_vec);
            *caller.data_mut() = data;
            Err::<(), _>(wasmi::Error::i32_exit(0))
        };
    linker.func_wrap("seal0", "seal_return", returned).unwrap();
    let module = wasmi::Module::new(&engine, code).unwrap();
    let instance = linker.instantiate_and_start(&mut store, &module).ok()?;
    let error = instance.get_typed_func::<(), ()>(&store, "call").unwrap().call(&mut store, ()).err();
    assert!(error.is_some(), "the module returns or traps");
    store.into_data()
}
