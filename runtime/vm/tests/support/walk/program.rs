//! A module as the walk reads it: every operator, and where each structured one ends.

use runtime_vm::gas;
use wasmparser::{
    BlockType, DataKind, ElementItems, ElementKind, ExternalKind, FuncType, Operator, Parser, Payload,
    TypeRef,
};

/// A module, read as it is.
#[derive(Default)]
pub struct Program<'a> {
    pub types: Vec<FuncType>,
    /// Names and types of imported functions.
    pub imports: Vec<(&'a str, u32)>,
    pub functions: Vec<Function<'a>>,
    /// Pages of memory at the start and at most.
    pub pages: (u32, u32),
    pub table: Vec<Option<u32>>,
    pub globals: Vec<u64>,
    pub exports: Vec<(&'a str, u32)>,
    pub start: Option<u32>,
    pub data: Vec<(usize, &'a [u8])>,
}

/// A function with its price list.
pub struct Function<'a> {
    pub ty: u32,
    /// Locals beyond the parameters.
    pub declared: u32,
    pub body: Vec<Operator<'a>>,
    /// For each `block`, `loop`, `if` and `else`: where its `end` is.
    pub ends: Vec<usize>,
    /// For each `if`: where its `else` is, if it has one.
    pub elses: Vec<Option<usize>>,
    /// What each operator costs by itself.
    pub prices: Vec<u64>,
}

impl<'a> Program<'a> {
    /// Reads a valid module whose memory may grow to `pages_max` at most.
    pub fn read(code: &'a [u8], pages_max: u32) -> Self {
        let mut this = Self::default();
        let mut types_of_functions = Vec::new();
        for payload in Parser::new(0).parse_all(code) {
            match payload.unwrap() {
                Payload::TypeSection(section) => {
                    this.types = section.into_iter_err_on_gc_types().map(Result::unwrap).collect();
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports().map(Result::unwrap) {
                        match import.ty {
                            TypeRef::Func(ty) => this.imports.push((import.name, ty)),
                            TypeRef::Memory(memory) => this.memory(memory, pages_max),
                            other => panic!("contracts import no {other:?}"),
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    types_of_functions = section.into_iter().map(Result::unwrap).collect();
                }
                Payload::TableSection(section) => {
                    for table in section {
                        this.table = vec![None; usize::try_from(table.unwrap().ty.initial).unwrap()];
                    }
                }
                Payload::MemorySection(section) => {
                    section.into_iter().for_each(|memory| this.memory(memory.unwrap(), pages_max));
                }
                Payload::GlobalSection(section) => {
                    this.globals =
                        section.into_iter().map(|global| constant(&global.unwrap().init_expr)).collect();
                }
                Payload::ExportSection(section) => {
                    let exports = section.into_iter().map(Result::unwrap);
                    let functions = exports.filter(|export| export.kind == ExternalKind::Func);
                    this.exports = functions.map(|export| (export.name, export.index)).collect();
                }
                Payload::StartSection { func, .. } => this.start = Some(func),
                Payload::ElementSection(section) => {
                    section.into_iter().for_each(|element| this.element(&element.unwrap()));
                }
                Payload::DataSection(section) => {
                    for data in section.into_iter().map(Result::unwrap) {
                        let DataKind::Active { offset_expr, .. } = &data.kind else { panic!("passive") };
                        this.data.push((usize::try_from(constant(offset_expr)).unwrap(), data.data));
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let ty = types_of_functions[this.functions.len()];
                    this.functions.push(Function::read(ty, &body));
                }
                _ => {}
            }
        }
        this
    }

    fn memory(&mut self, memory: wasmparser::MemoryType, pages_max: u32) {
        let max = memory.maximum.map_or(pages_max, |max| u32::try_from(max).unwrap().min(pages_max));
        self.pages = (u32::try_from(memory.initial).unwrap(), max);
    }

    fn element(&mut self, element: &wasmparser::Element<'a>) {
        let ElementKind::Active { offset_expr, .. } = &element.kind else { panic!("passive") };
        let ElementItems::Functions(items) = &element.items else { panic!("expressions") };
        let start = usize::try_from(constant(offset_expr)).unwrap();
        for (at, function) in (start..).zip(items.clone()) {
            self.table[at] = Some(function.unwrap());
        }
    }

    /// The type of a function, imported or defined.
    pub fn type_of(&self, function: u32) -> &FuncType {
        let function = function as usize;
        let ty = match self.imports.get(function) {
            Some((_, ty)) => *ty,
            None => self.functions[function - self.imports.len()].ty,
        };
        &self.types[ty as usize]
    }

    /// Values that a block takes and leaves.
    pub fn arities(&self, ty: BlockType) -> (usize, usize) {
        match ty {
            BlockType::Empty => (0, 0),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(index) => {
                let ty = &self.types[index as usize];
                (ty.params().len(), ty.results().len())
            }
        }
    }

    /// The function exported as `name`.
    pub fn export(&self, name: &str) -> u32 {
        self.exports.iter().find(|(export, _)| *export == name).unwrap().1
    }
}

impl<'a> Function<'a> {
    fn read(ty: u32, body: &wasmparser::FunctionBody<'a>) -> Self {
        let groups = body.get_locals_reader().unwrap().into_iter();
        let declared = groups.map(|group| group.unwrap().0).sum();
        let body: Vec<Operator<'a>> =
            body.get_operators_reader().unwrap().into_iter().map(Result::unwrap).collect();
        let mut ends = vec![0; body.len()];
        let mut elses = vec![None; body.len()];
        let mut open = Vec::new();
        for (at, operator) in body.iter().enumerate() {
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open.push(at),
                Operator::Else => elses[*open.last().unwrap()] = Some(at),
                Operator::End => {
                    // The last one ends the function.
                    if let Some(start) = open.pop() {
                        ends[start] = at;
                        if let Some(other) = elses[start] {
                            ends[other] = at;
                        }
                    }
                }
                _ => {}
            }
        }
        let prices = body.iter().map(|operator| gas::instruction(operator).unwrap()).collect();
        Self { ty, declared, body, ends, elses, prices }
    }
}

/// The bits of a constant initialiser.
fn constant(expression: &wasmparser::ConstExpr<'_>) -> u64 {
    match expression.get_operators_reader().read().unwrap() {
        Operator::I32Const { value } => u64::from(value.cast_unsigned()),
        Operator::I64Const { value } => value.cast_unsigned(),
        other => panic!("{other:?} is no constant"),
    }
}
