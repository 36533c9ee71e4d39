//! The first engine of ours on contracts as they were written: what our metering costs is measured from here.
//!
//! The settings are those of `runtime/vm/src/engine/wasmtime.rs`; they must change together.

use super::seal::{Call, OutOfBounds};
use super::{Subject, Task};
use crate::shape;
use crate::works::{self, Work};
use runtime_primitives::limits::PURE_MEMORY_PAGES_MAX;
use wasmtime::{
    Caller, Config, Enabled, Engine, Error, InstanceAllocationStrategy, Linker, Memory, Module, OptLevel,
    PoolingAllocationConfig, Result, Store, Strategy,
};

const NATIVE_STACK_BYTES: usize = 8 << 20;
const PAGE_BYTES: usize = 64 << 10;
const INSTANCES: u32 = 96;

type State = (Call, Option<Memory>);

/// The engine without metering.
pub struct Unmetered {
    engine: Engine,
    linker: Linker<State>,
}

impl Unmetered {
    /// Starts it.
    pub fn new() -> Self {
        let engine = Engine::new(&config()).expect("the engine starts");
        let linker = linker(&engine).expect("names are defined once");
        Self { engine, linker }
    }
}

fn config() -> Config {
    let tells = PoolingAllocationConfig::is_pagemap_scan_available();
    let memory = PURE_MEMORY_PAGES_MAX as usize * PAGE_BYTES;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(INSTANCES)
        .total_memories(INSTANCES)
        .total_tables(INSTANCES)
        .max_core_instance_size(1 << 20)
        .max_memory_size(memory)
        .table_elements(4_096)
        .linear_memory_keep_resident(if tells { memory } else { 64 << 10 })
        .max_unused_warm_slots(16)
        .table_keep_resident(16 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .max_wasm_stack(NATIVE_STACK_BYTES)
        .async_stack_size(NATIVE_STACK_BYTES)
        .memory_init_cow(true)
        .memory_reservation(4 << 30)
        .memory_guard_size(32 << 20)
        .memory_may_move(false)
        .native_unwind_info(false)
        .generate_address_map(false)
        .wasm_backtrace_max_frames(None)
        .compiler_inlining(wasmtime::Inlining::No)
        .concurrency_support(false);
    config
        .wasm_features(wasmtime::WasmFeatures::FLOATS, false)
        .wasm_simd(false)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_tail_call(false)
        .wasm_extended_const(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false);
    config
}

/// The end of a contract that has answered.
#[derive(Debug)]
struct Answered;

impl std::fmt::Display for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the contract has answered")
    }
}

impl std::error::Error for Answered {}

fn host<R>(
    mut caller: Caller<'_, State>,
    body: impl FnOnce(&mut Call, &mut [u8]) -> Result<R, OutOfBounds>,
) -> Result<R> {
    let memory = caller.data().1.ok_or_else(|| Error::msg("no memory"))?;
    let (bytes, (call, _)) = memory.data_and_store_mut(&mut caller);
    body(call, bytes).map_err(|OutOfBounds| Error::msg("out of bounds"))
}

fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("seal0", "input", |caller: Caller<'_, State>, at: u32, length_at: u32| {
        host(caller, |call, memory| call.input(memory, at, length_at))
    })?;
    linker.func_wrap(
        "seal0",
        "seal_return",
        |caller: Caller<'_, State>, _flags: u32, at: u32, length: u32| -> Result<()> {
            host(caller, |call, memory| call.seal_return(memory, at, length))?;
            Err(Error::new(Answered))
        },
    )?;
    linker.func_wrap(
        "seal0",
        "get_storage",
        |caller: Caller<'_, State>, key: u32, at: u32, length_at: u32| {
            host(caller, |call, memory| call.get_storage(memory, key, at, length_at))
        },
    )?;
    linker.func_wrap(
        "seal0",
        "set_storage",
        |caller: Caller<'_, State>, key: u32, at: u32, length: u32| {
            host(caller, |call, memory| call.set_storage(memory, key, at, length))
        },
    )?;
    linker.func_wrap(
        "seal0",
        "hash_blake2_256",
        |caller: Caller<'_, State>, at: u32, length: u32, hash_at: u32| {
            host(caller, |call, memory| call.hash_blake2_256(memory, at, length, hash_at))
        },
    )?;
    Ok(linker)
}

impl Subject for Unmetered {
    fn name(&self) -> &'static str {
        "wasmtime 48, unmetered"
    }

    fn prepare<'a>(&'a self, work: &'a Work) -> Option<Task<'a>> {
        let module =
            Module::new(&self.engine, shape::self_contained(&work.code)).expect("the module is accepted");
        let export = |name| module.get_export_index(name).expect("it is exported");
        let (memory, function) = (export("memory"), export("call"));
        let instance = self.linker.instantiate_pre(&module).expect("the module links");
        let mut storage = works::storage();
        Some(Box::new(move || {
            let call = Call::new(&work.input, std::mem::take(&mut storage));
            let mut store = Store::new(&self.engine, (call, None));
            let instance = instance.instantiate(&mut store).expect("the module is instantiated");
            let memory = instance.get_module_export(&mut store, &memory);
            store.data_mut().1 = memory.and_then(wasmtime::Extern::into_memory);
            let function =
                instance.get_module_export(&mut store, &function).and_then(wasmtime::Extern::into_func);
            let function = function.expect("`call` is a function").typed::<(), ()>(&store);
            if let Err(error) = function.expect("it takes and returns nothing").call(&mut store, ()) {
                assert!(error.is::<Answered>(), "{error:#}");
            }
            let (call, _) = store.into_data();
            storage = call.storage;
            call.output
        }))
    }
}
