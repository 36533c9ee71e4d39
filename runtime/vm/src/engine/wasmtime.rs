//! The fast engine: wasmtime, compiled code in pooled instances.
//!
//! Cranelift optimises, which takes it seconds for the worst code that is accepted; Winch compiles in one pass. Code
//! that Cranelift would be slow at runs on Winch first. Gas, stack and sizes are the module's own affair, so nothing
//! of the engine's metering is on and both compilers' code costs the same.

use super::{End, Funds, Ran, Serialised, Stopped, fault};
use crate::check::Checked;
use crate::limits::{INSTANCES_MAX, NATIVE_STACK_BYTES, TABLE_ELEMENTS_MAX};
use crate::{Entry, Trap, VmFault, meter, seal};
use runtime_abi::{CostClass, Lower, for_each_host_function};
use runtime_primitives::limits::PURE_MEMORY_PAGES_MAX;
use runtime_primitives::{Hash, blake2_256};
use std::hash::{Hash as _, Hasher};
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
    /// Makes the form that modules end up in.
    last: Compiler,
    /// Makes the form in which modules that `last` is slow at start. Not every processor has it.
    first: Option<Compiler>,
}

/// One of wasmtime's compilers, with its own pool: code runs where it was compiled for.
struct Compiler {
    engine: wasmtime::Engine,
    linker: Linker<Handles>,
    /// Names compiler, settings, version and processor: compiled code of another identity is not for this one.
    identity: Hash,
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
    /// Cranelift, and Winch for the first form.
    pub(crate) fn new() -> Result<Self, VmFault> {
        let first = Compiler::new(&config(Strategy::Winch)).ok();
        Ok(Self { last: Compiler::new(&config(Strategy::Cranelift))?, first })
    }

    /// Winch alone.
    pub(crate) fn one_pass() -> Result<Self, VmFault> {
        Ok(Self { last: Compiler::new(&config(Strategy::Winch))?, first: None })
    }

    /// The form that is ready soonest.
    pub(crate) fn compile(&self, checked: &Checked) -> Compiled {
        let first = self.first.as_ref().filter(|_| !checked.optimises_at_once());
        // What one pass cannot do, the other compiler does at once, slow as it is.
        let soon = first.and_then(|compiler| compiler.compile(checked).ok());
        soon.unwrap_or_else(|| self.optimise(checked))
    }

    /// The form that modules end up in.
    pub(crate) fn optimise(&self, checked: &Checked) -> Compiled {
        self.last
            .compile(checked)
            .unwrap_or_else(|error| fault(format_args!("a checked module does not compile: {error:#}")))
    }

    /// Whether a better form exists.
    pub(crate) fn improves(&self, compiled: &Compiled) -> bool {
        !self.last.made(compiled)
    }

    /// The code for [`deserialise`](Self::deserialise) in a later process; `None` if the engine cannot.
    pub(crate) fn serialise(&self, compiled: &Compiled) -> Option<Serialised> {
        let compiler = self.compilers().find(|compiler| compiler.made(compiled))?;
        let code = compiled.instance.module().serialize().ok()?;
        Some(Serialised { identity: compiler.identity, code })
    }

    /// The module in `code`; `None` if none of these compilers made it.
    ///
    /// `code` must be authentic: see [`Compiler::deserialise`].
    pub(crate) fn deserialise(&self, serialised: &Serialised) -> Option<Compiled> {
        let compiler = self.compilers().find(|compiler| compiler.identity == serialised.identity)?;
        compiler.deserialise(&serialised.code)
    }

    fn compilers(&self) -> impl Iterator<Item = &Compiler> {
        [&self.last].into_iter().chain(&self.first)
    }

    pub(crate) fn run(&self, compiled: &Compiled, entry: Entry, funds: Funds) -> Ran {
        let Some(compiler) = self.compilers().find(|compiler| compiler.made(compiled)) else {
            panic!("a module runs only in the virtual machine that loaded it")
        };
        let mut store = Store::new(&compiler.engine, Handles::default());
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

impl Compiler {
    fn new(config: &Config) -> Result<Self, VmFault> {
        let fault = |error: wasmtime::Error| VmFault(format!("{error:#}"));
        let engine = wasmtime::Engine::new(config).map_err(fault)?;
        let linker = linker(&engine).map_err(fault)?;
        let mut identity = Fed(Vec::new());
        engine.precompile_compatibility_hash().hash(&mut identity);
        Ok(Self { engine, linker, identity: blake2_256(&identity.0) })
    }

    fn made(&self, compiled: &Compiled) -> bool {
        wasmtime::Engine::same(&self.engine, compiled.instance.module().engine())
    }

    fn compile(&self, checked: &Checked) -> wasmtime::Result<Compiled> {
        Ok(self.link(&Module::new(&self.engine, checked.instrumented())?))
    }

    /// The module that [`Module::serialize`] wrote. `code` must come from there: other bytes could be any machine
    /// code at all, and would run. `cache` gets them from `artifact::open` alone, which verifies that this node wrote them.
    #[allow(unsafe_code, reason = "compiled code is loaded nowhere else")]
    fn deserialise(&self, code: &[u8]) -> Option<Compiled> {
        // SAFETY: the bytes are what `serialize` returned on this node: their authentication code holds under a key
        // that only this node has. The engine itself compares version, settings and processor.
        let module = unsafe { Module::deserialize(&self.engine, code) };
        module.ok().map(|module| self.link(&module))
    }

    fn link(&self, module: &Module) -> Compiled {
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
                .instantiate_pre(module)
                .unwrap_or_else(|error| fault(format_args!("a checked module does not link: {error:#}"))),
        }
    }
}

/// Keeps what it is fed, to be digested by a hash that does not change with the compiler.
struct Fed(Vec<u8>);

impl Hasher for Fed {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
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

fn config(strategy: Strategy) -> Config {
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
        .strategy(strategy)
        // One pass is awaited, so every core helps; optimising happens behind, on one.
        .parallel_compilation(strategy == Strategy::Winch)
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
    let mut stack_left = || stack.get(&mut caller).i32().expect("the stack counter is an i32");
    let funds = Funds { gas: gas_left, stack: if work.nests() { stack_left() } else { 0 } };
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
