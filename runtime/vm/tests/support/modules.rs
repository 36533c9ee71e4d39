//! Random modules that use the host interface, and mutants of real ones, from one seed.
//!
//! A module of `wasm-smith` is wrapped: its imports become host functions of the table, called through shims that
//! bring pointers and lengths into range; its entry points become ones that read the input first, call every import
//! before and after the random code, and hand out all globals and a digest of the memory last. So what any instruction
//! did is in the output.

use arbitrary::Unstructured;
use runtime_abi::{CostClass, HOST_FUNCTIONS, HostFunction, Service, ValueType};
use runtime_vm::Kind;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{BlockType, EntityType, ExportKind, Instruction as I, SectionId, ValType};

/// Memory of a generated module: two pages keep digests cheap.
const MEMORY_BYTES: u64 = 2 << 16;

/// A generator of numbers that is the same everywhere (splitmix64).
pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// A random module of `kind`; almost all are accepted.
pub fn random_module(kind: Kind, random: &mut Random) -> Vec<u8> {
    let served: Vec<&HostFunction> = HOST_FUNCTIONS
        .iter()
        .filter(|function| function.service == Service::Served && (function.pure || kind == Kind::Stateful))
        .collect();
    let offered: Vec<&HostFunction> = (0..6).map(|_| served[random.below(served.len())]).collect();
    let entries = kind.entries().iter().map(|entry| format!(r#"(func (export "{}"))"#, entry.name()));
    // Copies and fills come only with segments and tables that contracts may not have, or with none of them.
    let bulk = random.one_in(4);
    let some = |count| if bulk { 0 } else { count };
    let config = wasm_smith::Config {
        exports: Some(wat::parse_str(format!("(module {})", entries.collect::<String>())).unwrap()),
        available_imports: Some(offer(&offered)),
        max_imports: 6,
        allow_floats: false,
        allow_start_export: random.one_in(4),
        bulk_memory_enabled: bulk,
        compact_imports_enabled: false,
        // Half of the modules check before they divide, load or store, and so get further.
        disallow_traps: random.one_in(2),
        exceptions_enabled: false,
        extended_const_enabled: false,
        gc_enabled: false,
        generate_custom_sections: false,
        max_data_segments: some(3),
        max_element_segments: some(3),
        max_elements: 5,
        max_funcs: 8,
        max_globals: 6,
        max_instructions: 20 + random.below(300),
        max_memories: 1,
        max_memory32_bytes: MEMORY_BYTES,
        max_table_elements: 20,
        max_tables: some(1),
        max_type_size: 12,
        memory64_enabled: false,
        memory_max_size_required: true,
        min_funcs: 2,
        min_globals: 2,
        min_memories: 1,
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        saturating_float_to_int_enabled: false,
        simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..wasm_smith::Config::default()
    };
    let bytes = random.bytes(6_000);
    let module = wasm_smith::Module::new(config, &mut Unstructured::new(&bytes)).unwrap().to_bytes();
    Wrapper::wrap(&module, !random.one_in(8))
}

/// `code` with up to `changes` bytes changed.
pub fn mutant(code: &[u8], changes: usize, random: &mut Random) -> Vec<u8> {
    let mut code = code.to_vec();
    for _ in 0..=random.below(changes) {
        let at = random.below(code.len());
        code[at] = if random.one_in(2) { random.bytes(1)[0] } else { code[at] ^ (1 << random.below(8)) };
    }
    code
}

/// A module that imports what `wasm-smith` may choose from.
fn offer(functions: &[&HostFunction]) -> Vec<u8> {
    let wasm = |ty: &ValueType| match ty {
        ValueType::I32 => ValType::I32,
        ValueType::I64 => ValType::I64,
    };
    let (mut types, mut imports) = (wasm_encoder::TypeSection::new(), wasm_encoder::ImportSection::new());
    for (index, function) in (0u32..).zip(functions) {
        types
            .ty()
            .function(function.parameters.iter().map(|(_, ty)| wasm(ty)), function.result.iter().map(wasm));
        imports.import(function.module, function.name, EntityType::Function(index));
    }
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&imports);
    module.finish()
}

/// An import of the module, and the index of its type.
struct Import {
    function: &'static HostFunction,
    type_index: u32,
}

/// Rewrites a module. Functions are then: its imports, three more, its own, a shim for each import, the entry points.
#[derive(Default)]
struct Wrapper {
    types: u32,
    imports: Vec<Import>,
    functions: u32,
    /// Name and function of each entry point.
    entries: Vec<(String, u32)>,
    globals: Vec<wasmparser::GlobalType>,
    /// Whether shims bring arguments into range.
    tame: bool,
}

/// What the wrapper itself imports: (name, how many `i32` it takes).
const EXTRA: [(&str, usize); 3] = [("input", 2), ("hash_blake2_256", 3), ("seal_return", 3)];

impl Wrapper {
    fn wrap(module: &[u8], tame: bool) -> Vec<u8> {
        let mut this = Self { tame, ..Self::default() };
        for payload in wasmparser::Parser::new(0).parse_all(module) {
            match payload.unwrap() {
                wasmparser::Payload::TypeSection(section) => this.types = section.count(),
                wasmparser::Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.unwrap();
                        let wasmparser::TypeRef::Func(type_index) = import.ty else { panic!("{import:?}") };
                        let function = runtime_abi::find(import.module, import.name).unwrap();
                        this.imports.push(Import { function, type_index });
                    }
                }
                wasmparser::Payload::FunctionSection(section) => this.functions = section.count(),
                wasmparser::Payload::GlobalSection(section) => {
                    this.globals = section.into_iter().map(|global| global.unwrap().ty).collect();
                }
                wasmparser::Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.unwrap();
                        if matches!(export.name, "call" | "deploy") {
                            this.entries.push((export.name.to_owned(), export.index));
                        }
                    }
                }
                _ => {}
            }
        }
        let mut wrapped = wasm_encoder::Module::new();
        this.parse_core_module(&mut wrapped, wasmparser::Parser::new(0), module).unwrap();
        wrapped.finish()
    }

    fn imported(&self) -> u32 {
        u32::try_from(self.imports.len()).unwrap()
    }

    /// Index of the wrapper's own import `number`.
    fn extra(&self, number: usize) -> u32 {
        self.imported() + u32::try_from(number).unwrap()
    }

    fn first_shim(&self) -> u32 {
        self.extra(EXTRA.len()) + self.functions
    }

    fn first_entry(&self) -> u32 {
        self.first_shim() + self.imported()
    }

    /// Index of the wrapped module's function `index`.
    fn moved(&self, index: u32) -> u32 {
        match index.checked_sub(self.imported()) {
            None => self.first_shim() + index,
            Some(own) => self.extra(EXTRA.len()) + own,
        }
    }

    fn write_imports(&self, imports: &mut wasm_encoder::ImportSection) {
        for import in &self.imports {
            let (module, name) = (import.function.module, import.function.name);
            imports.import(module, name, EntityType::Function(import.type_index));
        }
        for (name, parameters) in EXTRA {
            let type_index = self.types + u32::from(parameters == 3);
            imports.import("seal0", name, EntityType::Function(type_index));
        }
    }

    /// Calls import `number` with arguments that can be meant.
    fn shim(&self, number: u32, import: &Import) -> wasm_encoder::Function {
        let mut shim = wasm_encoder::Function::new([]);
        for (index, (name, ty)) in (0u32..).zip(import.function.parameters) {
            if !self.tame || *ty == ValueType::I64 {
                shim.instruction(&I::LocalGet(index));
                continue;
            }
            let mask = match *name {
                "topics_len" => 1,
                name if name.ends_with("_ptr") => 0x3fff,
                name if name.ends_with("_len") => 0x3f,
                _ => 0x7,
            };
            shim.instructions().local_get(index).i32_const(mask).i32_and().local_tee(index);
            if name.ends_with("_len_ptr") {
                // Room for an output.
                shim.instructions().i32_const(0x400).i32_store(at(0)).local_get(index);
            }
        }
        shim.instructions().call(number).end();
        shim
    }

    /// Calls every shim once, with arguments from the memory: random functions seldom get that far.
    fn call_imports(&self, emit: &mut wasm_encoder::InstructionSink<'_>) {
        for (index, import) in (self.first_shim()..).zip(&self.imports) {
            if matches!(import.function.cost, CostClass::Return) {
                continue;
            }
            for (number, (_, ty)) in (1u64..).zip(import.function.parameters) {
                emit.i32_const(0);
                match ty {
                    ValueType::I32 => emit.i32_load(at(u64::from(index) * 16 + number * 4)),
                    ValueType::I64 => emit.i64_load(at(u64::from(index) * 16 + number * 4)),
                };
            }
            emit.call(index);
            if import.function.result.is_some() {
                emit.drop();
            }
        }
    }

    fn entry(&self, function: u32) -> wasm_encoder::Function {
        let mut entry = wasm_encoder::Function::new([]);
        let mut emit = entry.instructions();
        // Without memory there is no input and no output.
        emit.memory_size(0).if_(BlockType::Empty);
        emit.i32_const(4).i32_const(0x1000).i32_store(at(0));
        emit.i32_const(8).i32_const(4).call(self.extra(0));
        self.call_imports(&mut emit);
        emit.end();
        emit.call(self.moved(function));
        emit.memory_size(0).if_(BlockType::Empty);
        self.call_imports(&mut emit);
        for (index, global) in (0u32..).zip(&self.globals) {
            emit.i32_const(0).global_get(index);
            match global.content_type {
                wasmparser::ValType::I32 => emit.i32_store(at(u64::from(index) * 8)),
                _ => emit.i64_store(at(u64::from(index) * 8)),
            };
        }
        emit.i32_const(0).memory_size(0).i32_const(16).i32_shl().i32_const(96).call(self.extra(1));
        emit.i32_const(0).i32_const(0).i32_const(128).call(self.extra(2));
        emit.end().end();
        entry
    }
}

fn at(offset: u64) -> wasm_encoder::MemArg {
    wasm_encoder::MemArg { offset, align: 0, target: wasm_encoder::MemArgTarget::Memory(0), ordering: None }
}

impl Reencode for Wrapper {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, index: u32) -> Result<u32, reencode::Error> {
        Ok(self.moved(index))
    }

    fn parse_type_section(
        &mut self,
        types: &mut wasm_encoder::TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        reencode::utils::parse_type_section(self, types, section)?;
        for parameters in [2, 3, 0] {
            types.ty().function(vec![ValType::I32; parameters], []);
        }
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut wasm_encoder::Module,
        after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), reencode::Error> {
        if after == Some(SectionId::Type) && before != Some(SectionId::Import) {
            let mut imports = wasm_encoder::ImportSection::new();
            self.write_imports(&mut imports);
            module.section(&imports);
        }
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut wasm_encoder::ImportSection,
        _section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        self.write_imports(imports);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut wasm_encoder::FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        reencode::utils::parse_function_section(self, functions, section)?;
        for import in &self.imports {
            functions.function(import.type_index);
        }
        for _ in &self.entries {
            functions.function(self.types + 2);
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut wasm_encoder::ExportSection,
        _section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        for (index, (name, _)) in (self.first_entry()..).zip(&self.entries) {
            exports.export(name, ExportKind::Func, index);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut wasm_encoder::CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        reencode::utils::parse_code_section(self, code, section)?;
        for (number, import) in (0u32..).zip(&self.imports) {
            code.function(&self.shim(number, import));
        }
        for (_, function) in &self.entries {
            code.function(&self.entry(*function));
        }
        Ok(())
    }
}
