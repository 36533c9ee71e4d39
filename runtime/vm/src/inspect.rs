//! What authors want to know of their code before they pay for it: what it imports, how large it is, where gas goes.
//!
//! Everything here is read from the code alone and is for people: no rule of the chain asks it.

use crate::check::{self, Body, Facts, examine};
use crate::{Kind, Refusal, gas};
use runtime_abi::HostFunction;
use std::collections::BTreeMap;
use wasmparser::{ExternalKind, KnownCustom, Name, Operator, Parser, Payload};

/// What code consists of and what it costs.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The kind it was inspected as.
    pub kind: Kind,
    /// Bytes of the code.
    pub bytes: usize,
    /// Bytes once gas and stack counters are in it.
    pub instrumented_bytes: usize,
    /// Bytes of all function bodies.
    pub body_bytes: u64,
    /// Bytes of all data segments.
    pub data_bytes: u64,
    /// Bytes of custom sections: names and debug information, which are paid for and never run.
    pub custom_bytes: u64,
    /// Pages (64 KiB) of memory at the start, and the most it may grow to.
    pub memory_pages: (u32, u32),
    /// Entries of the table.
    pub table_elements: u32,
    /// Globals.
    pub globals: usize,
    /// Index of the start function, which runs before every call.
    pub start: Option<u32>,
    /// Gas of a call before its first instruction.
    pub entry_gas: u64,
    /// The host functions it imports, in the module's order.
    pub imports: Vec<InspectedImport>,
    /// Everything it exports, in the module's order.
    pub exports: Vec<InspectedExport>,
    /// Its functions, by where gas goes: heaviest loop first, then the most gas from end to end.
    pub functions: Vec<InspectedFunction>,
}

/// A host function that code imports.
#[derive(Clone, Copy, Debug)]
pub struct InspectedImport {
    /// Its row of the interface.
    pub function: &'static HostFunction,
    /// Gas of one call before any byte.
    pub base_gas: u64,
    /// Gas for each byte that the contract gives.
    pub gas_per_byte_taken: u64,
    /// Gas for each byte that the contract gets.
    pub gas_per_byte_given: u64,
}

/// Something that code exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectedExport {
    /// Its name.
    pub name: String,
    /// What it is: `function`, `memory`, `table`, `global` or `tag`.
    pub what: &'static str,
    /// Index of what it names.
    pub index: u32,
}

/// A function of the code, and what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectedFunction {
    /// Its index; imports come first.
    pub index: u32,
    /// Its name by the `name` section, or the name that it is exported under.
    pub name: Option<String>,
    /// Bytes of its body.
    pub bytes: usize,
    /// Parameters and locals.
    pub locals: u32,
    /// The highest operand stack between any two instructions.
    pub operands_max: u32,
    /// Gas of everything in it once: all basic blocks, as they are charged. Bytes, pages and what host functions cost
    /// come on top.
    pub gas: u64,
    /// Loops in it.
    pub loops: u32,
    /// Gas of everything in its heaviest loop once; 0 without loops.
    pub loop_gas: u64,
}

/// What `code` consists of as a contract of `kind`.
///
/// # Errors
/// As [`examine`](crate::examine).
pub fn inspect(code: &[u8], kind: Kind) -> Result<Inspection, Refusal> {
    let checked = examine(code, kind)?;
    let facts = check::facts(code, kind)?;
    let outer = Outer::read(code);
    let first = u32::try_from(facts.imports.len()).expect("the number of imports is limited");
    let mut functions: Vec<InspectedFunction> =
        (0..).zip(&facts.bodies).map(|(nth, body)| function(&facts, &outer, first, nth, body)).collect();
    functions.sort_by_key(|found| (std::cmp::Reverse((found.loop_gas, found.gas)), found.index));
    Ok(Inspection {
        kind,
        bytes: code.len(),
        instrumented_bytes: checked.instrumented().len(),
        body_bytes: functions.iter().map(|function| function.bytes as u64).sum(),
        data_bytes: facts.data.iter().map(|segment| segment.data.len() as u64).sum(),
        custom_bytes: outer.custom_bytes,
        memory_pages: (checked.memory_pages_min(), checked.memory_pages_max()),
        table_elements: facts.table_elements().expect("checked above"),
        globals: facts.globals.len(),
        start: facts.start,
        entry_gas: checked.entry_gas(),
        imports: checked.imports().iter().map(|function| import(function)).collect(),
        exports: outer.exports,
        functions,
    })
}

/// Index and name of the function whose body holds the byte at `offset`, in code that need not be valid.
pub fn function_at(code: &[u8], offset: u64) -> Option<(u32, Option<String>)> {
    let (mut index, mut found) = (0, None);
    for payload in Parser::new(0).parse_all(code) {
        match payload {
            Ok(Payload::ImportSection(section)) => {
                let imports = section.into_imports().filter_map(Result::ok);
                let functions = imports.filter(|import| matches!(import.ty, wasmparser::TypeRef::Func(_)));
                index = u32::try_from(functions.count()).unwrap_or(u32::MAX);
            }
            Ok(Payload::CodeSectionEntry(body)) => {
                if body.range().contains(&offset) {
                    found = Some(index);
                }
                index = index.saturating_add(1);
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    found.map(|index| (index, Outer::read(code).names.remove(&index)))
}

fn import(function: &'static HostFunction) -> InspectedImport {
    let cost = gas::host(function.cost);
    InspectedImport {
        function,
        base_gas: cost.base,
        gas_per_byte_taken: cost.per_byte_taken,
        gas_per_byte_given: cost.per_byte_given,
    }
}

/// What the check has no use for: exports and names.
#[derive(Default)]
struct Outer {
    exports: Vec<InspectedExport>,
    names: BTreeMap<u32, String>,
    custom_bytes: u64,
}

impl Outer {
    /// Reads as far as the code is readable; a damaged name section gives fewer names.
    fn read(code: &[u8]) -> Self {
        let mut outer = Self::default();
        for payload in Parser::new(0).parse_all(code) {
            match payload {
                Ok(Payload::ExportSection(section)) => {
                    let exports = section.into_iter().filter_map(Result::ok).map(|export| InspectedExport {
                        name: export.name.to_owned(),
                        what: what(export.kind),
                        index: export.index,
                    });
                    outer.exports = exports.collect();
                }
                Ok(Payload::CustomSection(section)) => {
                    outer.custom_bytes += section.range().end - section.range().start;
                    if let KnownCustom::Name(names) = section.as_known() {
                        outer.names = function_names(names);
                    }
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        for export in outer.exports.iter().filter(|export| export.what == "function") {
            outer.names.entry(export.index).or_insert_with(|| export.name.clone());
        }
        outer
    }
}

fn function_names(section: wasmparser::NameSectionReader<'_>) -> BTreeMap<u32, String> {
    let mut names = BTreeMap::new();
    for part in section {
        if let Ok(Name::Function(map)) = part {
            names.extend(map.into_iter().filter_map(Result::ok).map(|one| (one.index, one.name.to_owned())));
        }
    }
    names
}

const fn what(kind: ExternalKind) -> &'static str {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => "function",
        ExternalKind::Table => "table",
        ExternalKind::Memory => "memory",
        ExternalKind::Global => "global",
        ExternalKind::Tag => "tag",
    }
}

/// The `nth` function after `first` imports.
fn function(facts: &Facts<'_>, outer: &Outer, first: u32, nth: u32, body: &Body<'_>) -> InspectedFunction {
    let index = first + nth;
    let parameters = facts.function_type(index).map_or(0, |ty| ty.params().len() as u64);
    let declared = u64::from(body.locals) - parameters;
    let operators = body.body.get_operators_reader().expect("the body is valid");
    let prices = operators.into_iter().map(|operator| {
        let operator = operator.expect("the body is valid");
        let price = gas::instruction(&operator).expect("what is accepted has a price");
        (operator, price)
    });
    let Spent { gas, loops, loop_gas } = spent(prices);
    InspectedFunction {
        index,
        name: outer.names.get(&index).cloned(),
        bytes: body.body.as_bytes().len(),
        locals: body.locals,
        operands_max: body.operands_max,
        gas: gas::FUNCTION + gas::LOCAL * declared + gas,
        loops,
        loop_gas,
    }
}

/// Gas of a body's instructions.
struct Spent {
    gas: u64,
    loops: u32,
    loop_gas: u64,
}

fn spent<'a>(prices: impl Iterator<Item = (Operator<'a>, u64)>) -> Spent {
    let mut spent = Spent { gas: 0, loops: 0, loop_gas: 0 };
    // For every open block: what was spent where it began, if it is a loop.
    let mut open = Vec::new();
    for (operator, price) in prices {
        spent.gas += price;
        match operator {
            Operator::Loop { .. } => {
                spent.loops += 1;
                open.push(Some(spent.gas));
            }
            Operator::Block { .. } | Operator::If { .. } => open.push(None),
            Operator::End => {
                if let Some(Some(before)) = open.pop() {
                    spent.loop_gas = spent.loop_gas.max(spent.gas - before);
                }
            }
            _ => {}
        }
    }
    spent
}
