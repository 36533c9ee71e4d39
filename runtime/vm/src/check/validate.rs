//! The walk through a module: validation by the library, our limits in between.
//!
//! A limit is checked before the library allocates for what it limits. Each refusal names the byte at which its rule
//! was broken.

use super::features::{ACCEPTED, refusal};
use super::imports::{Accepted, accept};
use super::module::{Body, Facts, Places};
use crate::limits::*;
use crate::{CodeError, Counted, Entry, Kind, Refusal, meter};
use wasmparser::{
    DataKind, ElementItems, ElementKind, ExternalKind, FuncToValidate, FuncValidator,
    FuncValidatorAllocations, FunctionBody, Operator, OperatorsReader, Parser, Payload, SectionLimited,
    ValidPayload, Validator, ValidatorResources,
};

const PAGE_BYTES: u64 = 64 << 10;

/// Validates `code` and returns its parts.
pub(super) fn validate(code: &[u8], kind: Kind) -> Result<Facts<'_>, Refusal> {
    let facts = Walk { kind, facts: Facts::default(), allocations: FuncValidatorAllocations::default() }
        .run(code)
        .map_err(|broken| match broken {
            Broken::Rule(refusal) => refusal,
            Broken::Parser(error) => refusal(code, &error).at(error.offset()),
        })?;
    check_entries(&facts, kind)?;
    check_segments(&facts)?;
    Ok(facts)
}

/// A rule of ours, or the library's word that the module is invalid.
enum Broken {
    Rule(Refusal),
    Parser(wasmparser::Error),
}

impl From<wasmparser::Error> for Broken {
    fn from(error: wasmparser::Error) -> Self {
        Self::Parser(error)
    }
}

impl From<Refusal> for Broken {
    fn from(refusal: Refusal) -> Self {
        Self::Rule(refusal)
    }
}

struct Walk<'a> {
    kind: Kind,
    facts: Facts<'a>,
    allocations: FuncValidatorAllocations,
}

impl<'a> Walk<'a> {
    fn run(mut self, code: &'a [u8]) -> Result<Facts<'a>, Broken> {
        let mut validator = Validator::new_with_features(ACCEPTED);
        let mut parser = Parser::new(0);
        parser.set_features(ACCEPTED);
        for payload in parser.parse_all(code) {
            let payload = payload?;
            check_counts(&payload)?;
            if let ValidPayload::Func(function, body) = validator.payload(&payload)? {
                self.function(function, body)?;
            } else {
                self.section(payload)?;
            }
        }
        Ok(self.facts)
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<(), Broken> {
        let facts = &mut self.facts;
        match payload {
            Payload::TypeSection(section) => {
                let offsets = section.clone().into_iter_with_offsets();
                for (ty, place) in section.into_iter_err_on_gc_types().zip(offsets) {
                    let (ty, (offset, _)) = (ty?, place?);
                    limit(Counted::Parameters, ty.params().len(), PARAMETERS_MAX, offset)?;
                    limit(Counted::Results, ty.results().len(), RESULTS_MAX, offset)?;
                    facts.types.push(ty);
                }
            }
            Payload::ImportSection(section) => {
                let start = section.range().start;
                for import in section.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    let accepted = accept(import, self.kind, &facts.types);
                    match accepted.map_err(|rule| rule.at(offset))? {
                        Accepted::Memory(memory) => {
                            facts.memory = Some(memory);
                            facts.places.memory = Some(offset);
                        }
                        Accepted::Function(function) => facts.imports.push(function),
                    }
                }
                limit(Counted::Imports, facts.imports.len(), IMPORTS_MAX as usize, start)?;
            }
            Payload::FunctionSection(section) => facts.functions = collect(section)?,
            Payload::TableSection(section) => {
                facts.places.table = Some(section.range().start);
                facts.table = section.into_iter().next().transpose()?.map(|t| t.ty)
            }
            Payload::MemorySection(section) => {
                for memory in section.into_iter_with_offsets() {
                    let (offset, memory) = memory?;
                    facts.memory = Some(memory);
                    facts.places.memory = Some(offset);
                }
            }
            Payload::GlobalSection(section) => facts.globals = collect(section)?,
            Payload::ExportSection(section) => {
                for export in section.into_iter_with_offsets() {
                    let (offset, export) = export?;
                    if export.name.starts_with(meter::RESERVED_PREFIX) {
                        let name = export.name.to_owned();
                        return Err(CodeError::ReservedExport { name }.at(offset).into());
                    }
                    let function = (export.kind == ExternalKind::Func).then_some(export.index);
                    match export.name {
                        "call" => (facts.call, facts.places.call) = (function, Some(offset)),
                        "deploy" => (facts.deploy, facts.places.deploy) = (function, Some(offset)),
                        _ => {}
                    }
                }
            }
            Payload::StartSection { func, .. } => facts.start = Some(func),
            Payload::ElementSection(section) => facts.elements = collect(section)?,
            Payload::DataSection(section) => facts.data = collect(section)?,
            _ => {}
        }
        Ok(())
    }

    fn function(
        &mut self,
        function: FuncToValidate<ValidatorResources>,
        body: FunctionBody<'a>,
    ) -> Result<(), Broken> {
        let (index, start) = (function.index, body.range().start);
        let bytes = body.as_bytes().len();
        if bytes > FUNCTION_BODY_BYTES_MAX {
            let max = FUNCTION_BODY_BYTES_MAX;
            return Err(CodeError::BodyTooLarge { function: index, bytes, max }.at(start).into());
        }
        let mut validator = function.into_validator(std::mem::take(&mut self.allocations));
        let mut locals = u64::from(validator.len_locals());
        for group in body.get_locals_reader()? {
            locals += u64::from(group?.0);
        }
        if locals > u64::from(FUNCTION_LOCALS_MAX) {
            let max = FUNCTION_LOCALS_MAX;
            return Err(CodeError::TooManyLocals { function: index, locals, max }.at(start).into());
        }
        let (operands_max, blocks) = operators(index, &mut validator, &body)?;
        let complexity = blocks * (locals + 1);
        if complexity > FUNCTION_COMPLEXITY_MAX {
            let max = FUNCTION_COMPLEXITY_MAX;
            return Err(CodeError::FunctionTooComplex { function: index, complexity, max }.at(start).into());
        }
        self.facts.complexity += complexity;
        if self.facts.complexity > COMPLEXITY_MAX {
            let (complexity, max) = (self.facts.complexity, COMPLEXITY_MAX);
            return Err(CodeError::TooComplex { complexity, max }.at(start).into());
        }
        let locals = validator.len_locals();
        self.allocations = validator.into_allocations();
        self.facts.bodies.push(Body { body, locals, operands_max });
        Ok(())
    }
}

/// Validates the locals and operators of function `index`; its highest operand stack and number of basic blocks.
fn operators(
    index: u32,
    validator: &mut FuncValidator<ValidatorResources>,
    body: &FunctionBody<'_>,
) -> Result<(u32, u64), Broken> {
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    reader.set_features(ACCEPTED);
    let mut operators = OperatorsReader::new(reader);
    let (mut operands_max, mut blocks) = (0, 0);
    while !operators.eof() {
        let offset = operators.original_position();
        let operator = operators.read()?;
        if let Operator::BrTable { targets } = &operator {
            let targets = targets.len().saturating_add(1);
            if targets > BRANCH_TABLE_TARGETS_MAX {
                let max = BRANCH_TABLE_TARGETS_MAX;
                let rule = CodeError::BranchTableTooLarge { function: index, targets, max };
                return Err(rule.at(offset).into());
            }
        }
        validator.op(offset, &operator)?;
        operands_max = operands_max.max(validator.operand_stack_height());
        blocks += u64::from(meter::ends_block(&operator));
        // The function itself is one frame of the control stack.
        if validator.control_stack_height() > NESTING_DEPTH_MAX + 1 {
            let rule = CodeError::NestingTooDeep { function: index, max: NESTING_DEPTH_MAX };
            return Err(rule.at(offset).into());
        }
    }
    operators.finish()?;
    Ok((operands_max, blocks))
}

fn collect<'a, T: wasmparser::FromReader<'a>>(section: SectionLimited<'a, T>) -> Result<Vec<T>, Broken> {
    Ok(section.into_iter().collect::<Result<_, _>>()?)
}

fn limit(what: Counted, count: usize, max: usize, offset: u64) -> Result<(), Refusal> {
    if count <= max {
        return Ok(());
    }
    Err(CodeError::TooMany { what, count: count as u64, max: max as u64 }.at(offset))
}

/// The counts that sections declare at their heads.
fn check_counts(payload: &Payload<'_>) -> Result<(), Refusal> {
    /// How many a section says it has, and where it begins.
    fn head<T>(section: &SectionLimited<'_, T>) -> (u32, u64) {
        (section.count(), section.range().start)
    }
    let (what, (count, offset), max) = match payload {
        Payload::TypeSection(section) => (Counted::Types, head(section), TYPES_MAX),
        Payload::ImportSection(section) => (Counted::Imports, head(section), IMPORTS_MAX),
        Payload::FunctionSection(section) => (Counted::Functions, head(section), FUNCTIONS_MAX),
        Payload::GlobalSection(section) => (Counted::Globals, head(section), GLOBALS_MAX),
        Payload::ExportSection(section) => (Counted::Exports, head(section), EXPORTS_MAX),
        Payload::ElementSection(section) => (Counted::ElementSegments, head(section), ELEMENT_SEGMENTS_MAX),
        Payload::DataSection(section) => (Counted::DataSegments, head(section), DATA_SEGMENTS_MAX),
        _ => return Ok(()),
    };
    limit(what, count as usize, max as usize, offset)
}

fn check_entries(facts: &Facts<'_>, kind: Kind) -> Result<(), Refusal> {
    let Places { call, deploy, .. } = facts.places;
    let exported = |entry| match entry {
        Entry::Call => (facts.call, call),
        Entry::Deploy => (facts.deploy, deploy),
    };
    for entry in kind.entries() {
        if let (None, offset) = exported(*entry) {
            let rule = CodeError::MissingEntry { kind, name: entry.name() };
            return Err(Refusal { rule, offset });
        }
    }
    for entry in [Entry::Call, Entry::Deploy] {
        if let (Some(index), offset) = exported(entry) {
            let ty = facts.function_type(index);
            if !ty.is_some_and(|ty| ty.params().is_empty() && ty.results().is_empty()) {
                return Err(Refusal { rule: CodeError::EntrySignature { name: entry.name() }, offset });
            }
        }
    }
    Ok(())
}

/// Segments must fit at instantiation: whether they do is known here, so it is not a trap of every call.
fn check_segments(facts: &Facts<'_>) -> Result<(), Refusal> {
    let memory_bytes = facts.memory.map_or(0, |memory| memory.initial.saturating_mul(PAGE_BYTES));
    for (index, segment) in (0u32..).zip(&facts.data) {
        if let DataKind::Active { offset_expr, .. } = &segment.kind {
            fits("memory", index, constant(offset_expr), segment.data.len() as u64, memory_bytes)
                .map_err(|rule| rule.at(segment.range.start))?;
        }
    }
    let table = facts.table_elements().map_err(|rule| Refusal { rule, offset: facts.places.table })?;
    for (index, segment) in (0u32..).zip(&facts.elements) {
        if let ElementKind::Active { offset_expr, .. } = &segment.kind {
            let count = match &segment.items {
                ElementItems::Functions(items) => items.count(),
                ElementItems::Expressions(_, items) => items.count(),
            };
            fits("table", index, constant(offset_expr), u64::from(count), u64::from(table))
                .map_err(|rule| rule.at(segment.range.start))?;
        }
    }
    Ok(())
}

fn fits(what: &'static str, index: u32, start: Option<u64>, length: u64, end: u64) -> Result<(), CodeError> {
    if start.is_some_and(|start| start + length <= end) {
        Ok(())
    } else {
        Err(CodeError::SegmentOutOfBounds { what, index })
    }
}

/// The value of an offset. Without imported globals it can only be a constant.
fn constant(expression: &wasmparser::ConstExpr<'_>) -> Option<u64> {
    match expression.get_operators_reader().read() {
        Ok(Operator::I32Const { value }) => Some(u64::from(value.cast_unsigned())),
        _ => None,
    }
}
