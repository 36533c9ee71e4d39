//! The fast engine without our pass: the compiler settings of `engine/wasmtime.rs`, a linker that serves what pure
//! contracts import, and nothing that counts.

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{EntityType, ImportSection, MemorySection, MemoryType, SectionId};
use wasmtime::{
    Caller, Config, Enabled, Engine, InstanceAllocationStrategy, InstancePre, Linker, Memory, Module,
    OptLevel, PoolingAllocationConfig, Store, Strategy, Val,
};

/// An engine with the settings under which contracts run.
pub fn engine(strategy: Strategy) -> Engine {
    Engine::new(&config(strategy)).expect("the engine starts")
}

/// One that compiles on the thread that asks it to, to see what that takes.
pub fn engine_of_one_thread(strategy: Strategy) -> Engine {
    Engine::new(config(strategy).parallel_compilation(false)).expect("the engine starts")
}

fn config(strategy: Strategy) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(4).total_memories(4).total_tables(4).max_core_instance_size(1 << 20);
    pool.max_memory_size(16 << 20).table_elements(4_096).table_keep_resident(16 << 10);
    let tells = PoolingAllocationConfig::is_pagemap_scan_available();
    pool.linear_memory_keep_resident(if tells { 16 << 20 } else { 64 << 10 }).pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .strategy(strategy)
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(8 << 20)
        .async_stack_size(8 << 20)
        .memory_reservation(4 << 30)
        .memory_guard_size(32 << 20)
        .memory_may_move(false)
        .native_unwind_info(false)
        .generate_address_map(false)
        .wasm_backtrace_max_frames(None)
        .compiler_inlining(wasmtime::Inlining::No)
        .concurrency_support(false);
    config
}

/// What the host functions see: the memory, the input, and the output that ends the call.
#[derive(Default)]
pub struct Call {
    memory: Option<Memory>,
    input: Vec<u8>,
    output: Option<Vec<u8>>,
}

/// A module ready to be called.
pub struct Bare {
    engine: Engine,
    instance: InstancePre<Call>,
}

impl Bare {
    /// Compiles `module`, which must own and export its memory (see [`own_memory`]).
    pub fn new(engine: &Engine, module: &[u8]) -> Self {
        let module = Module::new(engine, module).expect("the module compiles");
        let instance = linker(engine).instantiate_pre(&module).expect("the module links");
        Self { engine: engine.clone(), instance }
    }

    /// Calls it in a fresh instance; if it was instrumented, with counters that never run out.
    pub fn call(&self, input: &[u8]) -> Vec<u8> {
        let mut store = Store::new(&self.engine, Call::default());
        let instance = self.instance.instantiate(&mut store).expect("there is room for an instance");
        for (name, value) in [("busbar.gas", Val::I64(i64::MAX)), ("busbar.stack", Val::I32(128 << 10))] {
            if let Some(counter) = instance.get_global(&mut store, name) {
                counter.set(&mut store, value).expect("counters are mutable");
            }
        }
        let memory =
            ["busbar.memory", "memory"].iter().find_map(|name| instance.get_memory(&mut store, name));
        *store.data_mut() = Call { memory, input: input.to_vec(), output: None };
        let call = instance.get_typed_func::<(), ()>(&mut store, "call").expect("there is an entry point");
        let ended = call.call(&mut store, ());
        let output = store.into_data().output;
        assert!(ended.is_ok() || output.is_some(), "{ended:?}");
        output.unwrap_or_default()
    }
}

fn linker(engine: &Engine) -> Linker<Call> {
    let mut linker = Linker::new(engine);
    let read = |caller: &mut Caller<'_, Call>, at: u32, length: u32| {
        let memory = caller.data().memory.expect("pure contracts that call the host have a memory");
        memory.data(&*caller)[at as usize..][..length as usize].to_vec()
    };
    let input = |mut caller: Caller<'_, Call>, to: u32, length_at: u32| {
        let memory = caller.data().memory.expect("pure contracts that call the host have a memory");
        let (memory, call) = memory.data_and_store_mut(&mut caller);
        memory[to as usize..][..call.input.len()].copy_from_slice(&call.input);
        let length = u32::try_from(call.input.len()).expect("inputs are small");
        memory[length_at as usize..][..4].copy_from_slice(&length.to_le_bytes());
    };
    let output = move |mut caller: Caller<'_, Call>, _flags: u32, at: u32, length: u32| {
        let output = read(&mut caller, at, length);
        caller.data_mut().output = Some(output);
        Err::<(), _>(wasmtime::Error::msg("returned"))
    };
    let linked = linker
        .func_wrap("seal0", "input", input)
        .and_then(|linker| linker.func_wrap("seal0", "seal_input", input))
        .and_then(|linker| linker.func_wrap("seal0", "seal_return", output))
        .map(drop);
    linked.expect("every function is linked once");
    linker
}

/// The module with its imported memory made its own and exported, and nothing else changed.
pub fn own_memory(code: &[u8]) -> Vec<u8> {
    let mut this = OwnMemory::default();
    let mut module = wasm_encoder::Module::new();
    this.parse_core_module(&mut module, wasmparser::Parser::new(0), code).expect("the module is valid");
    module.finish()
}

#[derive(Default)]
struct OwnMemory {
    imported: Option<wasmparser::MemoryType>,
}

impl Reencode for OwnMemory {
    type Error = std::convert::Infallible;

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        for import in section.into_imports() {
            let import = import?;
            match import.ty {
                wasmparser::TypeRef::Memory(memory) => self.imported = Some(memory),
                wasmparser::TypeRef::Func(ty) => {
                    imports.import(import.module, import.name, EntityType::Function(ty));
                }
                other => panic!("contracts import no {other:?}"),
            }
        }
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut wasm_encoder::Module,
        after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), reencode::Error> {
        let passed = after.is_none_or(|id| (id as u8) < SectionId::Global as u8)
            && before.is_none_or(|id| (id as u8) >= SectionId::Global as u8);
        if passed && let Some(memory) = self.imported.take() {
            let mut memories = MemorySection::new();
            memories.memory(MemoryType {
                minimum: memory.initial,
                maximum: memory.maximum,
                memory64: false,
                shared: false,
                page_size_log2: None,
            });
            module.section(&memories);
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut wasm_encoder::ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        reencode::utils::parse_export_section(self, exports, section)?;
        exports.export("busbar.memory", wasm_encoder::ExportKind::Memory, 0);
        Ok(())
    }
}
