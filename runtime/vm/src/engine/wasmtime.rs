//! The fast engine: wasmtime, compiled by Cranelift, pooled instances.
//!
//! Gas, stack and sizes are the module's own affair, so nothing of the engine's metering is on.

use super::{End, Funds, Ran, Stopped, fault};
use crate::check::Checked;
use crate::limits::{INSTANCES_MAX, NATIVE_STACK_BYTES, TABLE_ELEMENTS_MAX};
use crate::{Entry, Trap, VmFault, meter, seal};
use runtime_abi::{CostClass, Lower, for_each_host_function};
use runtime_primitives::limits::PURE_MEMORY_PAGES_MAX;
use wasmtime::{
    Caller, Config, Enabled, Global, InstanceAllocationStrategy, InstancePre, Linker, Memory, Module,
    ModuleExport, OptLevel, PoolingAllocationConfig, Store, Strategy, Val,
};

const PAGE_BYTES: usize = 64 << 10;
/// Memory is addressed with 32 bits: with so much address space kept free, no access needs a check.
const RESERVATION_BYTES: u64 = 4 << 30;
const GUARD_BYTES: u64 = 32 << 20;
/// Memory that an idle instance keeps mapped, wiped instead of returned to the system. Where the kernel tells which
/// pages were touched, all of it: returning 16 MiB cost 10 ms of page faults in the next call, wiping it 0.3 ms.
const RESIDENT_BYTES: usize = PURE_MEMORY_PAGES_MAX as usize * PAGE_BYTES;
/// Where the kernel does not tell, so much is wiped after every call, touched or not.
const RESIDENT_BLIND_BYTES: usize = 64 << 10;
const RESIDENT_TABLE_BYTES: usize = 16 << 10;
/// Idle instances that keep their memory: bounds what they hold together to 256 MiB.
const RESIDENT_INSTANCES: u32 = 16;
/// Bytes of an instance's own record: functions, globals, imports.
const INSTANCE_BYTES: usize = 1 << 20;

pub(crate) struct Engine {
    engine: wasmtime::Engine,
    linker: Linker<Handles>,
}

pub(crate) struct Compiled {
    instance: InstancePre<Handles>,
    memory: ModuleExport,
    gas: ModuleExport,
    stack: ModuleExport,
    start: Option<ModuleExport>,
    call: Option<ModuleExport>,
    deploy: Option<ModuleExport>,
}

/// What host functions need of the instance that called them.
#[derive(Default)]
pub(crate) struct Handles(Option<(Memory, Counters)>);

/// The counters of an instance.
#[derive(Clone, Copy)]
struct Counters {
    gas: Global,
    stack: Global,
}

impl Engine {
    pub(crate) fn new() -> Result<Self, VmFault> {
        let fault = |error: wasmtime::Error| VmFault(format!("{error:#}"));
        let engine = wasmtime::Engine::new(&config()).map_err(fault)?;
        let linker = linker(&engine).map_err(fault)?;
        Ok(Self { engine, linker })
    }

    pub(crate) fn compile(&self, checked: &Checked) -> Compiled {
        let module = Module::new(&self.engine, checked.instrumented())
            .unwrap_or_else(|error| fault(format_args!("a checked module does not compile: {error:#}")));
        let export = |name| module.get_export_index(name);
        let always = |name| export(name).expect("the metering pass exports it");
        Compiled {
            memory: always(meter::MEMORY_EXPORT),
            gas: always(meter::GAS_EXPORT),
            stack: always(meter::STACK_EXPORT),
            start: export(meter::START_EXPORT),
            call: export(Entry::Call.name()),
            deploy: export(Entry::Deploy.name()),
            instance: self
                .linker
                .instantiate_pre(&module)
                .unwrap_or_else(|error| fault(format_args!("a checked module does not link: {error:#}"))),
        }
    }

    pub(crate) fn run(&self, compiled: &Compiled, entry: Entry, funds: Funds) -> Ran {
        let mut store = Store::new(&self.engine, Handles::default());
        let instance = match compiled.instance.instantiate(&mut store) {
            Ok(instance) => instance,
            Err(error) => fault(format_args!("no instance: {error:#}")),
        };
        let mut export = |export| instance.get_module_export(&mut store, export);
        let global = |export: Option<wasmtime::Extern>| export.and_then(wasmtime::Extern::into_global);
        let memory = export(&compiled.memory).and_then(wasmtime::Extern::into_memory);
        let (gas, stack) = (global(export(&compiled.gas)), global(export(&compiled.stack)));
        let (Some(memory), Some(gas), Some(stack)) = (memory, gas, stack) else {
            fault("an instance lacks what its module exports")
        };
        *store.data_mut() = Handles(Some((memory, Counters { gas, stack })));
        let funded =
            gas.set(&mut store, Val::I64(funds.gas)).and(stack.set(&mut store, Val::I32(funds.stack)));
        funded.expect("the counters are mutable and of these types");

        let entry = match entry {
            Entry::Call => compiled.call.as_ref(),
            Entry::Deploy => compiled.deploy.as_ref(),
        };
        let entry = entry.expect("the module was checked to have the entry point of its kind");
        let mut end = End::Finished;
        for function in compiled.start.iter().chain([entry]) {
            let function =
                instance.get_module_export(&mut store, function).and_then(wasmtime::Extern::into_func);
            let function = function.expect("a function was exported here").typed::<(), ()>(&store);
            let function = function.expect("entry points and start functions take and return nothing");
            if let Err(error) = function.call(&mut store, ()) {
                end = ended(&error);
                break;
            }
        }
        let gas_left = gas.get(&mut store).i64().expect("the gas counter is an i64");
        let stack_left = stack.get(&mut store).i32().expect("the stack counter is an i32");
        Ran { end, gas_left, stack_left }
    }
}

fn ended(error: &wasmtime::Error) -> End {
    use wasmtime::Trap as T;
    if error.is::<Stopped>() {
        return End::Stopped;
    }
    End::Trapped(match error.downcast_ref::<T>() {
        Some(T::UnreachableCodeReached) => Trap::Unreachable,
        Some(T::MemoryOutOfBounds) => Trap::MemoryOutOfBounds,
        Some(T::TableOutOfBounds) => Trap::TableOutOfBounds,
        Some(T::IndirectCallToNull) => Trap::IndirectCallToNull,
        Some(T::BadSignature) => Trap::BadSignature,
        Some(T::IntegerOverflow) => Trap::IntegerOverflow,
        Some(T::IntegerDivisionByZero) => Trap::DivisionByZero,
        _ => fault(format_args!("{error:#}")),
    })
}

fn config() -> Config {
    let tells = PoolingAllocationConfig::is_pagemap_scan_available();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(INSTANCES_MAX)
        .total_memories(INSTANCES_MAX)
        .total_tables(INSTANCES_MAX)
        .max_core_instance_size(INSTANCE_BYTES)
        .max_memory_size(PURE_MEMORY_PAGES_MAX as usize * PAGE_BYTES)
        .table_elements(TABLE_ELEMENTS_MAX as usize)
        .linear_memory_keep_resident(if tells { RESIDENT_BYTES } else { RESIDENT_BLIND_BYTES })
        .max_unused_warm_slots(RESIDENT_INSTANCES)
        .table_keep_resident(RESIDENT_TABLE_BYTES)
        .pagemap_scan(Enabled::Auto);

    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .consume_fuel(false)
        .epoch_interruption(false)
        .max_wasm_stack(NATIVE_STACK_BYTES)
        // Never used: calls run on the caller's stack. The engine insists that it be no smaller.
        .async_stack_size(NATIVE_STACK_BYTES)
        .memory_init_cow(true)
        .memory_reservation(RESERVATION_BYTES)
        .memory_guard_size(GUARD_BYTES)
        .memory_may_move(false)
        .native_unwind_info(false)
        .generate_address_map(false)
        .wasm_backtrace_max_frames(None)
        .compiler_inlining(wasmtime::Inlining::No)
        .concurrency_support(false);
    // Validation has refused these already; an engine that does not know them cannot misread them.
    config
        .wasm_features(wasmtime::WasmFeatures::FLOATS, false)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
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

/// Runs a host function for the instance that called it.
fn enter<R>(
    mut caller: Caller<'_, Handles>,
    work: seal::Work,
    body: impl FnOnce(&mut seal::Call<'_, '_>) -> Result<R, crate::frame::Stop>,
) -> wasmtime::Result<R> {
    let (memory, Counters { gas, stack }) = caller.data().0.expect("handles are set before a contract runs");
    let gas_left = gas.get(&mut caller).i64().expect("the gas counter is an i64");
    let stack_left = stack.get(&mut caller).i32().expect("the stack counter is an i32");
    let funds = Funds { gas: gas_left, stack: stack_left };
    let (gas_left, result) = seal::run(work, memory.data_mut(&mut caller), funds, body);
    gas.set(&mut caller, Val::I64(gas_left))?;
    result.ok_or_else(|| wasmtime::Error::new(Stopped))
}

macro_rules! define_linker {
    (
        Served {$(
            $(#[$doc:meta])+
            $module:literal $name:literal as $id:ident [$alias:ident $reach:ident $effect:ident] $cost:ident
            ($($parameter:ident: $type:ty),*) -> $result:ty;
        )*}
        $($not_served:tt)*
    ) => {
        fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Handles>> {
            let mut linker = Linker::new(engine);
            $({
                let mut link = |name: &str| {
                    linker.func_wrap($module, name, |caller: Caller<'_, Handles>, $($parameter: $type),*| {
                        enter(caller, seal::Work { cost: CostClass::$cost, mutating: mutating!($effect) }, |call| seal::$id(call, $($parameter),*).map(<$result>::lower))
                    })
                    .map(drop)
                };
                link($name)?;
                alias!($alias, link, $name);
            })*
            Ok(linker)
        }
    };
}
for_each_host_function!(define_linker);
