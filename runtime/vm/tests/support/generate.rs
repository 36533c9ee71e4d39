//! Random modules that return everything they left: all globals and all memory.

use arbitrary::Unstructured;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{BlockType, Instruction as I, SectionId, ValType};

/// Bytes of memory that a random module may have.
const MEMORY_BYTES: u64 = 4 << 16;

/// How many cases to try: as many as the environment asks for, or `default`.
#[allow(clippy::disallowed_methods, reason = "a longer run is asked for by hand")]
pub fn cases(default: u32) -> u32 {
    std::env::var("BUSBAR_CASES").map_or(default, |text| text.parse().expect("BUSBAR_CASES is a number"))
}

/// A module whose `call` runs a random function and then returns all globals and memory.
pub fn random_module(seed: u64, number: u32) -> Vec<u8> {
    let mut state = seed ^ u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .take(1_000)
    .flatten()
    .collect();
    let config = wasm_smith::Config {
        exports: Some(wat::parse_str(r#"(module (func (export "call")))"#).unwrap()),
        allow_floats: false,
        allow_start_export: false,
        available_imports: None,
        max_imports: 0,
        bulk_memory_enabled: false,
        compact_imports_enabled: false,
        // Every other module may trap; the rest returns or runs until its gas is used up.
        disallow_traps: number.is_multiple_of(2),
        exceptions_enabled: false,
        extended_const_enabled: false,
        gc_enabled: false,
        generate_custom_sections: false,
        max_data_segments: 3,
        max_element_segments: 3,
        max_elements: 5,
        max_funcs: 6,
        max_globals: 6,
        max_instructions: 150,
        max_memories: 1,
        max_memory32_bytes: MEMORY_BYTES,
        max_table_elements: 20,
        max_tables: 1,
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
    let module = wasm_smith::Module::new(config, &mut Unstructured::new(&bytes)).unwrap().to_bytes();
    Observed::wrap(&module)
}

/// Adds `seal_return` and an entry point that calls the module's own and returns what it left.
#[derive(Default)]
struct Observed {
    types: u32,
    functions: u32,
    call: u32,
    globals: Vec<wasmparser::GlobalType>,
}

impl Observed {
    fn wrap(module: &[u8]) -> Vec<u8> {
        let mut this = Self::default();
        for payload in wasmparser::Parser::new(0).parse_all(module) {
            match payload.unwrap() {
                wasmparser::Payload::TypeSection(section) => this.types = section.count(),
                wasmparser::Payload::FunctionSection(section) => this.functions = section.count(),
                wasmparser::Payload::GlobalSection(section) => {
                    this.globals = section.into_iter().map(|global| global.unwrap().ty).collect();
                }
                wasmparser::Payload::ExportSection(section) => {
                    let exports = section.into_iter().map(Result::unwrap);
                    this.call = exports.filter(|export| export.name == "call").last().unwrap().index;
                }
                _ => {}
            }
        }
        let mut wrapped = wasm_encoder::Module::new();
        this.parse_core_module(&mut wrapped, wasmparser::Parser::new(0), module).unwrap();
        wrapped.finish()
    }

    /// The types of `seal_return` and of an entry point come after the module's own.
    fn entry_type(&self) -> u32 {
        self.types + 1
    }
}

impl Reencode for Observed {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, index: u32) -> Result<u32, reencode::Error> {
        Ok(index + 1)
    }

    fn parse_type_section(
        &mut self,
        types: &mut wasm_encoder::TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        reencode::utils::parse_type_section(self, types, section)?;
        types.ty().function([ValType::I32; 3], []);
        types.ty().function([], []);
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
            self.import(&mut imports);
            module.section(&imports);
        }
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut wasm_encoder::ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        assert_eq!(section.count(), 0, "the generator may leave an empty section, no import");
        self.import(imports);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut wasm_encoder::FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        reencode::utils::parse_function_section(self, functions, section)?;
        functions.function(self.entry_type());
        Ok(())
    }

    fn parse_export(
        &mut self,
        exports: &mut wasm_encoder::ExportSection,
        export: wasmparser::Export<'_>,
    ) -> Result<(), reencode::Error> {
        if export.name == "call" {
            exports.export("call", wasm_encoder::ExportKind::Func, 1 + self.functions);
            exports.export("memory", wasm_encoder::ExportKind::Memory, 0);
            return Ok(());
        }
        reencode::utils::parse_export(self, exports, export)
    }

    fn parse_code_section(
        &mut self,
        code: &mut wasm_encoder::CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        reencode::utils::parse_code_section(self, code, section)?;
        code.function(&self.entry());
        Ok(())
    }
}

impl Observed {
    fn import(&self, imports: &mut wasm_encoder::ImportSection) {
        imports.import("seal0", "seal_return", wasm_encoder::EntityType::Function(self.types));
    }

    fn entry(&self) -> wasm_encoder::Function {
        let mut entry = wasm_encoder::Function::new([]);
        let mut emit = |instruction: I<'_>| {
            entry.instruction(&instruction);
        };
        emit(I::Call(self.call + 1));
        // A memory without a page cannot hold the globals; the module then traps, here and there.
        let target = wasm_encoder::MemArgTarget::Memory(0);
        let at =
            |offset: usize| wasm_encoder::MemArg { offset: offset as u64, align: 0, target, ordering: None };
        for (index, global) in self.globals.iter().enumerate() {
            emit(I::I32Const(0));
            emit(I::GlobalGet(u32::try_from(index).unwrap()));
            match global.content_type {
                wasmparser::ValType::I32 => emit(I::I32Store(at(index * 8))),
                _ => emit(I::I64Store(at(index * 8))),
            }
        }
        emit(I::I32Const(0));
        emit(I::I32Const(0));
        emit(I::MemorySize(0));
        emit(I::I32Const(16));
        emit(I::I32Shl);
        emit(I::Call(0));
        // `seal_return` does not come back.
        emit(I::Block(BlockType::Empty));
        emit(I::Unreachable);
        emit(I::End);
        emit(I::End);
        entry
    }
}
