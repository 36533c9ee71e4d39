//! `busbar contract inspect`: what code consists of and where its gas goes.

use super::file::{CodeFile, Verdict};
use super::shown::{name, table};
use super::{ContractKind, Ending};
use crate::report::grouped;
use clap::Args;
use comfy_table::{Cell, CellAlignment};
use runtime_execution::modules::contracts::GAS_PER_LOADED_BYTE;
use runtime_vm::{InspectedFunction, InspectedImport, Inspection, Kind, inspect};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Show imports, exports, sizes and gas.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The contract: WebAssembly or WAT.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Inspect it as this kind [default: pure if it is accepted as that].
    #[arg(long, value_enum)]
    kind: Option<ContractKind>,
    /// Functions in the table of hot spots; JSON has them all.
    #[arg(long, value_name = "N", default_value_t = 15)]
    functions: usize,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl InspectArgs {
    /// Inspect and print.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn run(self) -> anyhow::Result<Ending> {
        let found = CodeFile::read(&self.file)?.and_then(|file| {
            let kinds = self.kind.map_or(vec![Kind::Pure, Kind::Stateful], |kind| vec![kind.into()]);
            let mut found = kinds.iter().map(|kind| inspect(&file.code, *kind));
            let first =
                found.find(Result::is_ok).or_else(|| kinds.last().map(|kind| inspect(&file.code, *kind)));
            let inspection =
                first.expect("there is a kind").map_err(|refusal| Verdict::new(&file.code, refusal))?;
            Ok((file, inspection))
        });
        let (file, inspection) = match found {
            Ok(found) => found,
            Err(verdict) => {
                if self.json {
                    println!("{}", json!({ "file": self.file, "refused": verdict.json() }));
                } else {
                    println!("{}: refused: {}", self.file.display(), verdict.words());
                }
                return Ok(Ending::Refused);
            }
        };
        let verdicts = [Kind::Pure, Kind::Stateful].map(|kind| (kind, file.judge(kind)));
        if self.json {
            println!("{}", in_json(&file, &inspection, &verdicts));
        } else {
            println!("{}: code hash\n{}", file.path.display(), file.hash());
            print_facts(&inspection, &verdicts);
            print_imports(&inspection.imports);
            print_functions(&inspection.functions, self.functions);
        }
        Ok(Ending::Success)
    }
}

type Verdicts = [(Kind, Result<(), Verdict>); 2];

fn print_facts(found: &Inspection, verdicts: &Verdicts) {
    let mut shown = table();
    shown.set_header([&format!("Inspected as {}", found.kind), ""]);
    for (kind, verdict) in verdicts {
        let word =
            verdict.as_ref().map_or_else(|why| format!("refused: {}", why.words()), |()| "accepted".into());
        shown.add_row([format!("as {kind}"), word]);
    }
    let mut row = |label: &str, value: String| {
        shown.add_row([label.to_owned(), value]);
    };
    row("code", format!("{} bytes", grouped(found.bytes as u64)));
    row("functions", format!("{}, {} bytes", found.functions.len(), grouped(found.body_bytes)));
    row("data", format!("{} bytes", grouped(found.data_bytes)));
    row("custom sections", format!("{} bytes", grouped(found.custom_bytes)));
    row("instrumented", format!("{} bytes, {}", grouped(found.instrumented_bytes as u64), growth(found)));
    let (min, max) = found.memory_pages;
    row("memory", format!("{min} pages of 64 KiB, at most {max}"));
    row("table", format!("{} entries", found.table_elements));
    row("globals", found.globals.to_string());
    row("start function", found.start.map_or("none".to_owned(), |index| index.to_string()));
    let loading = if found.kind == Kind::Stateful { GAS_PER_LOADED_BYTE * found.bytes as u64 } else { 0 };
    let entry = grouped(found.entry_gas + loading);
    row("gas of a call", format!("{entry} before its first instruction, loading it included"));
    let exports: Vec<String> = found
        .exports
        .iter()
        .map(|export| format!("{} ({} {})", name(&export.name, 40), export.what, export.index))
        .collect();
    row("exports", exports.join(", "));
    println!("{shown}");
}

/// How much larger the counters make it, in words.
fn growth(found: &Inspection) -> String {
    format!("{}.{:02} times the code", ratio(found) / 100, ratio(found) % 100)
}

/// Hundredths.
const fn ratio(found: &Inspection) -> usize {
    // Accepted code is not empty.
    found.instrumented_bytes * 100 / found.bytes
}

fn print_imports(imports: &[InspectedImport]) {
    if imports.is_empty() {
        return println!("It imports no host function.");
    }
    let mut shown = table();
    shown.set_header(["Import", "Reach", "Effect", "Cost class", "Gas", "a byte taken", "a byte given"]);
    for import in imports {
        let function = import.function;
        shown.add_row([
            Cell::new(format!("{}\n{}", function.module, function.name)),
            Cell::new(reach(import)),
            Cell::new(effect(import)),
            Cell::new(format!("{:?}", function.cost)),
            right(import.base_gas),
            right(import.gas_per_byte_taken),
            right(import.gas_per_byte_given),
        ]);
    }
    println!("{shown}");
}

fn print_functions(functions: &[InspectedFunction], limit: usize) {
    let mut shown = table();
    shown.set_header([
        "Function",
        "Name",
        "Bytes",
        "Locals",
        "Operands",
        "Loops",
        "Heaviest loop, gas",
        "Once through, gas",
    ]);
    for function in functions.iter().take(limit) {
        shown.add_row([
            right(function.index.into()),
            Cell::new(name(function.name.as_deref().unwrap_or("–"), 24)),
            right(function.bytes as u64),
            right(function.locals.into()),
            right(function.operands_max.into()),
            right(function.loops.into()),
            right(function.loop_gas),
            right(function.gas),
        ]);
    }
    println!("{shown}");
    if functions.len() > limit {
        println!("{} more: --functions {}", functions.len() - limit, functions.len());
    }
}

fn right(number: u64) -> Cell {
    Cell::new(grouped(number)).set_alignment(CellAlignment::Right)
}

const fn reach(import: &InspectedImport) -> &'static str {
    if import.function.pure { "pure" } else { "stateful" }
}

const fn effect(import: &InspectedImport) -> &'static str {
    if import.function.mutating { "mutating" } else { "reading" }
}

fn in_json(file: &CodeFile, found: &Inspection, verdicts: &Verdicts) -> Value {
    let verdicts: serde_json::Map<String, Value> = verdicts
        .iter()
        .map(|(kind, verdict)| (kind.to_string(), verdict.as_ref().err().map_or(Value::Null, Verdict::json)))
        .collect();
    let imports = found.imports.iter().map(|import| {
        json!({
            "module": import.function.module,
            "name": import.function.name,
            "service": format!("{:?}", import.function.service),
            "reach": reach(import),
            "effect": effect(import),
            "cost_class": format!("{:?}", import.function.cost),
            "base_gas": import.base_gas,
            "gas_per_byte_taken": import.gas_per_byte_taken,
            "gas_per_byte_given": import.gas_per_byte_given,
        })
    });
    let exports = found.exports.iter();
    let exports = exports.map(|one| json!({ "name": one.name, "what": one.what, "index": one.index }));
    let functions = found.functions.iter().map(|function| {
        json!({
            "index": function.index,
            "name": function.name,
            "bytes": function.bytes,
            "locals": function.locals,
            "operands_max": function.operands_max,
            "loops": function.loops,
            "loop_gas": function.loop_gas,
            "gas": function.gas,
        })
    });
    json!({
        "file": file.path,
        "code_hash": file.hash().to_string(),
        "kind": found.kind.to_string(),
        "refusals": verdicts,
        "bytes": found.bytes,
        "body_bytes": found.body_bytes,
        "data_bytes": found.data_bytes,
        "custom_bytes": found.custom_bytes,
        "instrumented_bytes": found.instrumented_bytes,
        "growth_percent": ratio(found),
        "memory_pages_min": found.memory_pages.0,
        "memory_pages_max": found.memory_pages.1,
        "table_elements": found.table_elements,
        "globals": found.globals,
        "start": found.start,
        "entry_gas": found.entry_gas,
        "imports": imports.collect::<Vec<_>>(),
        "exports": exports.collect::<Vec<_>>(),
        "functions": functions.collect::<Vec<_>>(),
    })
}
