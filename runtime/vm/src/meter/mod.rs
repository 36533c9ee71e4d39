//! The metering pass: wasm to wasm, so that gas and stack depend on the code alone, not on who runs it.
//!
//! The pass adds three things to every function. *Gas* lives in a local, from which code pays in advance (`charges`
//! says where); function entries and loop heads check that it is not negative, and calls and returns spill it to a
//! global. So gas overshoots by at most one path without a loop; what costs by the byte or page is checked before it
//! is done, and so is what the host does. When the host is called, and when a call ends without a trap, the counter
//! has paid for what was executed, operator by operator, and for nothing else. After a trap it is what it was when a
//! function or the host was last called or came back.
//!
//! *Stack*: a function takes its slots (locals, the true maximum of its operands, a base) from a global and gives them
//! back; functions that call nothing only look. *Bounds*: memory and table maxima become what the chain allows, so an
//! engine's own limits never fire.
//!
//! The instrumented module is self-contained: an imported memory becomes its own, custom sections and exports nobody
//! calls are dropped, and the start function becomes an export that the VM calls first.
//!
//! What it emits is consensus: costs come from `gas`, and a change of either changes every golden number.

mod blocks;
mod charges;
mod function;
mod reach;

pub(crate) use blocks::ends_block;

use crate::CodeError;
use crate::check::Facts;
use std::collections::BTreeMap;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, ExportKind, ExportSection, FunctionSection,
    GlobalSection, GlobalType, ImportSection, MemorySection, MemoryType, Module, TableSection, TypeSection,
    ValType,
};

/// Names what `check` makes of code: which code it accepts, the instrumented bytes and the gas of entering them.
///
/// Whoever changes any of these counts this up: compiled modules that a node kept are of no use then.
/// `tests/cache_version.rs` notices a change.
pub const PASS_VERSION: u32 = 1;

/// Export names with this prefix belong to the instrumentation.
pub(crate) const RESERVED_PREFIX: &str = "busbar.";
/// The gas left, `i64`; negative after the check that found it used up.
pub(crate) const GAS_EXPORT: &str = "busbar.gas";
/// The stack slots left, `i32`; negative after the check that found them used up.
pub(crate) const STACK_EXPORT: &str = "busbar.stack";
/// The memory.
pub(crate) const MEMORY_EXPORT: &str = "busbar.memory";
/// The start function, if there is one.
pub(crate) const START_EXPORT: &str = "busbar.start";

/// Writes the instrumented module.
///
/// # Errors
/// If an instruction has no price; validation lets none through.
pub(crate) fn instrument(facts: &Facts<'_>, memory_pages: (u32, u32)) -> Result<Vec<u8>, CodeError> {
    let mut types = Types::new(facts)?;
    let globals_before = u32::try_from(facts.globals.len()).expect("the number of globals is limited");
    let counters = Counters { gas: globals_before, stack: globals_before + 1 };
    let to_host = reach::HostReach::new(facts).map_err(invalid)?;
    let mut code = CodeSection::new();
    for (type_index, body) in facts.functions.iter().zip(&facts.bodies) {
        let pages_max = memory_pages.1;
        let rewritten =
            function::rewrite(facts, *type_index, body, counters, pages_max, &to_host, &mut types)?;
        code.function(&rewritten);
    }

    let mut module = Module::new();
    module.section(&types.section);
    module.section(&imports(facts));
    module.section(&functions(facts));
    module.section(&table(facts)?);
    module.section(&memory(memory_pages));
    module.section(&globals(facts)?);
    module.section(&exports(facts, counters));
    module.section(&elements(facts)?);
    module.section(&code);
    module.section(&data(facts)?);
    Ok(module.finish())
}

/// Indices of the globals that the pass adds.
#[derive(Clone, Copy)]
pub(super) struct Counters {
    pub(super) gas: u32,
    pub(super) stack: u32,
}

/// The types of the module, and those of the blocks that the pass wraps around bodies with several results.
pub(super) struct Types {
    section: TypeSection,
    blocks: BTreeMap<Vec<wasmparser::ValType>, u32>,
}

impl Types {
    fn new(facts: &Facts<'_>) -> Result<Self, CodeError> {
        let mut section = TypeSection::new();
        for ty in &facts.types {
            section.ty().func_type(&RoundtripReencoder.func_type(ty.clone()).map_err(reencoding)?);
        }
        Ok(Self { section, blocks: BTreeMap::new() })
    }

    /// Index of the type of a block that takes nothing and leaves `results`.
    pub(super) fn block(&mut self, results: &[wasmparser::ValType]) -> Result<u32, CodeError> {
        if let Some(index) = self.blocks.get(results) {
            return Ok(*index);
        }
        let ty = wasmparser::FuncType::new([], results.iter().copied());
        let index = self.section.len();
        self.section.ty().func_type(&RoundtripReencoder.func_type(ty).map_err(reencoding)?);
        self.blocks.insert(results.to_vec(), index);
        Ok(index)
    }
}

/// The module is valid, so reading it again cannot fail.
pub(super) fn invalid(error: wasmparser::Error) -> CodeError {
    CodeError::Invalid(error.message().to_owned())
}

/// The module is valid, so re-encoding can fail only if the two libraries disagree.
pub(super) fn reencoding(error: wasm_encoder::reencode::Error) -> CodeError {
    CodeError::Invalid(error.to_string())
}

fn imports(facts: &Facts<'_>) -> ImportSection {
    let mut section = ImportSection::new();
    for import in &facts.imports {
        section.import(import.module, import.name, wasm_encoder::EntityType::Function(import.type_index));
    }
    section
}

fn functions(facts: &Facts<'_>) -> FunctionSection {
    let mut section = FunctionSection::new();
    for type_index in &facts.functions {
        section.function(*type_index);
    }
    section
}

fn table(facts: &Facts<'_>) -> Result<TableSection, CodeError> {
    let mut section = TableSection::new();
    if let Some(table) = facts.table {
        let elements = u64::from(facts.table_elements()?);
        let ty = RoundtripReencoder.table_type(table).map_err(reencoding)?;
        section.table(wasm_encoder::TableType { minimum: elements, maximum: Some(elements), ..ty });
    }
    Ok(section)
}

fn memory((minimum, maximum): (u32, u32)) -> MemorySection {
    let mut section = MemorySection::new();
    section.memory(MemoryType {
        minimum: u64::from(minimum),
        maximum: Some(u64::from(maximum)),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    section
}

fn globals(facts: &Facts<'_>) -> Result<GlobalSection, CodeError> {
    let mut section = GlobalSection::new();
    for global in &facts.globals {
        let ty = RoundtripReencoder.global_type(global.ty).map_err(reencoding)?;
        let value = RoundtripReencoder.const_expr(global.init_expr.clone()).map_err(reencoding)?;
        section.global(ty, &value);
    }
    // The VM sets both before it enters; zero would stop a call that it forgot to fund.
    section.global(counter(ValType::I64), &ConstExpr::i64_const(0));
    section.global(counter(ValType::I32), &ConstExpr::i32_const(0));
    Ok(section)
}

const fn counter(val_type: ValType) -> GlobalType {
    GlobalType { val_type, mutable: true, shared: false }
}

fn exports(facts: &Facts<'_>, counters: Counters) -> ExportSection {
    let mut section = ExportSection::new();
    section.export(GAS_EXPORT, ExportKind::Global, counters.gas);
    section.export(STACK_EXPORT, ExportKind::Global, counters.stack);
    section.export(MEMORY_EXPORT, ExportKind::Memory, 0);
    for (name, function) in [("call", facts.call), ("deploy", facts.deploy), (START_EXPORT, facts.start)] {
        if let Some(index) = function {
            section.export(name, ExportKind::Func, index);
        }
    }
    section
}

fn elements(facts: &Facts<'_>) -> Result<ElementSection, CodeError> {
    let mut section = ElementSection::new();
    for element in &facts.elements {
        RoundtripReencoder.parse_element(&mut section, element.clone()).map_err(reencoding)?;
    }
    Ok(section)
}

fn data(facts: &Facts<'_>) -> Result<DataSection, CodeError> {
    let mut section = DataSection::new();
    for segment in &facts.data {
        RoundtripReencoder.parse_data(&mut section, segment.clone()).map_err(reencoding)?;
    }
    Ok(section)
}
