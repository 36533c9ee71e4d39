//! Contracts in the shapes that other machines ask for. Functions keep their code and their numbers.

use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder as Plain};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, Instruction as I, MemArg, MemArgTarget, MemorySection,
    MemoryType, Module, RawSection, SectionId, TypeSection, ValType,
};
use wasmparser::{BinaryReader, FunctionBody, Operator, Parser, Payload, TypeRef};

const PAGE_BYTES: u64 = 64 << 10;
/// Pages above a contract's own memory for what cosmwasm writes into it.
const EXCHANGE_PAGES: u64 = 16;

/// A module taken apart.
struct Parts<'a> {
    /// Contents of the sections, by number.
    sections: BTreeMap<u8, &'a [u8]>,
    /// Imported functions: module, name, type.
    functions: Vec<(&'a str, &'a str, u32)>,
    /// The imported memory.
    memory: wasmparser::MemoryType,
    /// The function exported as `call`.
    call: u32,
}

impl<'a> Parts<'a> {
    fn of(code: &'a [u8]) -> Self {
        let mut sections = BTreeMap::new();
        let (mut functions, mut memory, mut call) = (Vec::new(), None, None);
        for payload in Parser::new(0).parse_all(code) {
            let payload = payload.expect("a contract is a module");
            if let Some((number, range)) = payload.as_section() {
                let place = |at| usize::try_from(at).expect("the module is in memory");
                sections.insert(number, &code[place(range.start)..place(range.end)]);
            }
            match payload {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import.expect("an import");
                        match import.ty {
                            TypeRef::Func(ty) => functions.push((import.module, import.name, ty)),
                            TypeRef::Memory(ty) => memory = Some(ty),
                            _ => panic!("a contract imports functions and its memory"),
                        }
                    }
                }
                Payload::ExportSection(exports) => {
                    let mut exports = exports.into_iter().map(|export| export.expect("an export"));
                    call = exports.find(|export| export.name == "call").map(|export| export.index);
                }
                _ => {}
            }
        }
        let memory = memory.expect("a contract imports its memory");
        Self { sections, functions, memory, call: call.expect("a contract exports `call`") }
    }

    fn reader(&self, section: SectionId) -> Option<BinaryReader<'a>> {
        Some(BinaryReader::new(self.sections.get(&(section as u8))?, 0))
    }

    /// Copies a section as it is.
    fn copy(&self, section: SectionId, module: &mut Module) {
        if let Some(data) = self.sections.get(&(section as u8)) {
            module.section(&RawSection { id: section as u8, data });
        }
    }
}

fn bodies_of(code: &[u8]) -> Vec<FunctionBody<'_>> {
    let payloads = Parser::new(0).parse_all(code).map(|payload| payload.expect("a module"));
    payloads
        .filter_map(|payload| if let Payload::CodeSectionEntry(body) = payload { Some(body) } else { None })
        .collect()
}

fn memory(minimum: u64, maximum: Option<u64>) -> MemorySection {
    let mut section = MemorySection::new();
    section.memory(MemoryType { minimum, maximum, memory64: false, shared: false, page_size_log2: None });
    section
}

/// The same contract with its memory inside, exported as `memory`.
pub fn self_contained(code: &[u8]) -> Vec<u8> {
    let parts = Parts::of(code);
    let mut imports = ImportSection::new();
    for (module, name, ty) in &parts.functions {
        imports.import(module, name, EntityType::Function(*ty));
    }
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0).export("call", ExportKind::Func, parts.call);
    let mut module = Module::new();
    parts.copy(SectionId::Type, &mut module);
    module.section(&imports);
    parts.copy(SectionId::Function, &mut module);
    parts.copy(SectionId::Table, &mut module);
    module.section(&memory(parts.memory.initial, parts.memory.maximum));
    parts.copy(SectionId::Global, &mut module);
    module.section(&exports);
    for section in
        [SectionId::Start, SectionId::Element, SectionId::DataCount, SectionId::Code, SectionId::Data]
    {
        parts.copy(section, &mut module);
    }
    module.finish()
}

/// A pure contract with the exports of cosmwasm: `query` hands the message to `input` and answers what `seal_return`
/// was given, both of which become functions of the module. It never unwinds: what follows a return that does not come
/// back (`unreachable`) becomes a plain return.
///
/// # Panics
/// If the contract imports anything else.
pub fn for_cosmwasm(code: &[u8]) -> Vec<u8> {
    let parts = Parts::of(code);
    let base = parts.memory.maximum.expect("a contract's memory is bounded");
    let result = i32::try_from(base * PAGE_BYTES).expect("memory is small");

    let mut types = TypeSection::new();
    parts.reader(SectionId::Type).map(|reader| {
        let reader = wasmparser::TypeSectionReader::new(reader).expect("a type section");
        Plain.parse_type_section(&mut types, reader).expect("types are copied")
    });
    let mut functions = FunctionSection::new();
    for (_, _, ty) in &parts.functions {
        functions.function(*ty);
    }
    parts.reader(SectionId::Function).map(|reader| {
        let reader = wasmparser::FunctionSectionReader::new(reader).expect("a function section");
        Plain.parse_function_section(&mut functions, reader).expect("functions are copied")
    });
    let mut globals = GlobalSection::new();
    parts.reader(SectionId::Global).map(|reader| {
        let reader = wasmparser::GlobalSectionReader::new(reader).expect("a global section");
        Plain.parse_global_section(&mut globals, reader).expect("globals are copied")
    });
    let exchange =
        Exchange { message: globals.len(), free: globals.len() + 1, result, copy: functions.len() };
    let counter = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
    globals.global(counter, &ConstExpr::i32_const(0)).global(counter, &ConstExpr::i32_const(result + 16));

    let mut bodies = CodeSection::new();
    let mut returning = BTreeSet::new();
    for (at, (_, name, _)) in parts.functions.iter().enumerate() {
        if *name == "seal_return" {
            returning.insert(u32::try_from(at).expect("few imports"));
        }
        bodies.function(&exchange.import(name));
    }
    let originals = bodies_of(code);
    let imported = u32::try_from(parts.functions.len()).expect("few imports");
    while !find_returning(&originals, imported, &mut returning) {}
    for body in &originals {
        bodies.function(&with_returns(body, &returning));
    }
    functions.function(types.len());
    types.ty().function([ValType::I32; 3], []);
    let copy = wat::parse_str(include_str!("copy.wat")).expect("a module");
    bodies.raw(bodies_of(&copy)[0].as_bytes());
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    for (name, parameters, results, body) in exchange.exports(parts.call) {
        exports.export(name, ExportKind::Func, functions.len());
        functions.function(types.len());
        types.ty().function(parameters, results);
        bodies.function(&body);
    }

    let mut module = Module::new();
    module.section(&types).section(&functions);
    parts.copy(SectionId::Table, &mut module);
    module.section(&memory(base + EXCHANGE_PAGES, None)).section(&globals).section(&exports);
    parts.copy(SectionId::Start, &mut module);
    parts.copy(SectionId::Element, &mut module);
    module.section(&bodies);
    parts.copy(SectionId::Data, &mut module);
    module.finish()
}

/// Pairs of an operator and the one before it.
fn operators<'a>(body: &FunctionBody<'a>) -> Vec<Operator<'a>> {
    let operators = body.get_operators_reader().expect("a body has operators");
    operators.into_iter().map(|operator| operator.expect("an operator")).collect()
}

/// Whether the second operator is there because the first, a call, does not come back.
fn never_passed(pair: &[Operator<'_>], returning: &BTreeSet<u32>) -> bool {
    matches!(pair, [Operator::Call { function_index }, Operator::Unreachable] if returning.contains(function_index))
}

/// Adds the functions that end by a call of one of `returning`; whether there was none to add.
fn find_returning(bodies: &[FunctionBody<'_>], imported: u32, returning: &mut BTreeSet<u32>) -> bool {
    let before = returning.len();
    for (index, body) in (imported..).zip(bodies) {
        if operators(body).windows(2).any(|pair| never_passed(pair, returning)) {
            returning.insert(index);
        }
    }
    returning.len() == before
}

fn with_returns(body: &FunctionBody<'_>, returning: &BTreeSet<u32>) -> Function {
    let mut function = Plain.new_function_with_parsed_locals(body).expect("locals are copied");
    let operators = operators(body);
    for (at, operator) in operators.iter().enumerate() {
        if at > 0 && never_passed(&operators[at - 1..=at], returning) {
            function.instruction(&I::Return);
        } else {
            function.instruction(&Plain.instruction(operator.clone()).expect("instructions are copied"));
        }
    }
    function
}

fn at(offset: u64) -> MemArg {
    MemArg { offset, align: 2, target: MemArgTarget::Memory(0), ordering: None }
}

/// Where message and answer are exchanged: a region is offset, capacity and length, 4 bytes each.
struct Exchange {
    /// Global: the message's region.
    message: u32,
    /// Global: the first free byte above the contract's memory.
    free: u32,
    /// Address of the answer's region.
    result: i32,
    /// Function: copies bytes.
    copy: u32,
}

type Export = (&'static str, Vec<ValType>, Vec<ValType>, Function);

impl Exchange {
    fn import(&self, name: &str) -> Function {
        let length = [I::GlobalGet(self.message), I::I32Load(at(8))];
        match name {
            "input" => function([
                &[I::LocalGet(0), I::GlobalGet(self.message), I::I32Load(at(0))][..],
                &length,
                &[I::Call(self.copy), I::LocalGet(1)],
                &length,
                &[I::I32Store(at(0))],
            ]),
            "seal_return" => function([
                &[I::I32Const(self.result), I::LocalGet(1), I::I32Store(at(0))][..],
                &[I::I32Const(self.result), I::LocalGet(2), I::I32Store(at(4))],
                &[I::I32Const(self.result), I::LocalGet(2), I::I32Store(at(8))],
            ]),
            other => panic!("cosmwasm has no {other}"),
        }
    }

    fn exports(&self, call: u32) -> [Export; 4] {
        let allocate = function([
            &[
                I::GlobalGet(self.free),
                I::GlobalGet(self.free),
                I::I32Const(16),
                I::I32Add,
                I::I32Store(at(0)),
            ][..],
            &[I::GlobalGet(self.free), I::LocalGet(0), I::I32Store(at(4))],
            // The region is the result; the next one begins 16-aligned behind its bytes.
            &[I::GlobalGet(self.free), I::GlobalGet(self.free), I::LocalGet(0), I::I32Const(31), I::I32Add],
            &[I::I32Const(-16), I::I32And, I::I32Add, I::GlobalSet(self.free)],
        ]);
        let query = function([
            &[I::LocalGet(1), I::GlobalSet(self.message)][..],
            // An empty answer, until there is one.
            &[I::I32Const(self.result), I::I32Const(self.result), I::I32Store(at(0))],
            &[I::Block(BlockType::Empty), I::Call(call), I::End, I::I32Const(self.result)],
        ]);
        let nothing = || function([&[][..]]);
        [
            ("interface_version_8", vec![], vec![], nothing()),
            ("allocate", vec![ValType::I32], vec![ValType::I32], allocate),
            ("deallocate", vec![ValType::I32], vec![], nothing()),
            ("query", vec![ValType::I32; 2], vec![ValType::I32], query),
        ]
    }
}

fn function<'a, const N: usize>(parts: [&[I<'a>]; N]) -> Function {
    let mut function = Function::new([]);
    for instruction in parts.concat() {
        function.instruction(&instruction);
    }
    function.instruction(&I::End);
    function
}
