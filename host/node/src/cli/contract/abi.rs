//! `busbar contract abi`: what a contract may import, from the table that links and charges it.

use super::Ending;
use super::shown::table;
use crate::report::grouped;
use anyhow::bail;
use clap::Args;
use comfy_table::{Cell, CellAlignment};
use runtime_execution::modules::contracts::Function;
use runtime_vm::gas;
use runtime_vm::{HOST_FUNCTIONS, HostFunction, RETURN_CODES, Service, ValueType};
use serde_json::{Value, json};

/// List the host functions that a contract may import, with their gas.
#[derive(Debug, Args)]
pub struct AbiArgs {
    /// Only functions whose name contains this.
    #[arg(value_name = "NAME", default_value = "")]
    name: String,
    /// Also those that are refused at upload.
    #[arg(long)]
    all: bool,
    /// Print one JSON array.
    #[arg(long)]
    json: bool,
}

impl AbiArgs {
    /// Print the table.
    ///
    /// # Errors
    /// If no function has this name.
    pub(super) fn run(&self) -> anyhow::Result<Ending> {
        let shown: Vec<&HostFunction> = HOST_FUNCTIONS
            .iter()
            .filter(|function| self.all || function.service == Service::Served)
            .filter(|function| function.name.contains(&self.name))
            .collect();
        if shown.is_empty() {
            bail!("no function's name contains {:?}; --all shows those that are refused, too", self.name);
        }
        if self.json {
            println!("{}", Value::from(shown.into_iter().map(in_json).collect::<Vec<_>>()));
        } else {
            print(&shown);
        }
        Ok(Ending::Success)
    }
}

fn print(functions: &[&HostFunction]) {
    let mut shown = table();
    shown.set_header(["Function", "What it does", "Gas", "a byte taken", "a byte given"]);
    for function in functions {
        let cost = gas::host(function.cost);
        let number = |gas| Cell::new(grouped(gas)).set_alignment(CellAlignment::Right);
        let mut words = vec![function.doc.trim().to_owned()];
        words.extend(function.pure.then(|| "Pure rules may import it.".to_owned()));
        words.extend(function.mutating.then(|| "Refused in a read-only call.".to_owned()));
        words.extend(
            (function.service != Service::Served).then(|| format!("{:?}: refused.", function.service)),
        );
        shown.add_row([
            Cell::new(format!("{}\n{}\n{}", function.module, function.name, signature(function))),
            Cell::new(words.join(" ")),
            number(cost.base),
            number(cost.per_byte_taken),
            number(cost.per_byte_given),
        ]);
    }
    println!("{shown}");
    println!(
        "Taken: the contract hands it over. Given: the contract gets it. Most names may begin with `seal_`, too."
    );
    println!("\nReturn codes:");
    for (code, words) in RETURN_CODES {
        println!("  {:2} {}", *code as u32, words.trim());
    }
    println!("\nIds of the chain's extension, for call_chain_extension; arguments and answers are SCALE:");
    for function in Function::ALL {
        println!("  {:#010x} {function:?}", function.id());
    }
}

fn word(ty: ValueType) -> &'static str {
    match ty {
        ValueType::I32 => "i32",
        ValueType::I64 => "i64",
    }
}

/// Parameters by name and type, and the result.
fn signature(function: &HostFunction) -> String {
    let parameters: Vec<String> =
        function.parameters.iter().map(|(name, ty)| format!("{name}: {}", word(*ty))).collect();
    let result = function.result.map(|ty| format!(" → {}", word(ty))).unwrap_or_default();
    format!("({}){result}", parameters.join(", "))
}

fn in_json(function: &HostFunction) -> Value {
    let cost = gas::host(function.cost);
    let parameters = function.parameters.iter().map(|(name, ty)| json!({ "name": name, "type": word(*ty) }));
    json!({
        "module": function.module,
        "name": function.name,
        "alias": function.aliased.then(|| format!("seal_{}", function.name)),
        "parameters": parameters.collect::<Vec<_>>(),
        "result": function.result.map(word),
        "service": format!("{:?}", function.service),
        "pure": function.pure,
        "mutating": function.mutating,
        "cost_class": format!("{:?}", function.cost),
        "base_gas": cost.base,
        "gas_per_byte_taken": cost.per_byte_taken,
        "gas_per_byte_given": cost.per_byte_given,
        "doc": function.doc.trim(),
    })
}
