//! Which calls may lead to the host, and so may not come back.

use crate::check::Facts;
use wasmparser::Operator;

/// For each function, imported or defined, whether it may call the host; and whether an indirect call may.
pub(super) struct HostReach {
    functions: Vec<bool>,
    indirect: bool,
}

/// What a function body calls.
#[derive(Default)]
struct Calls {
    functions: Vec<u32>,
    indirect: bool,
}

impl HostReach {
    pub(super) fn new(facts: &Facts<'_>) -> Result<Self, wasmparser::Error> {
        let imports = facts.imports.len();
        let calls = facts.bodies.iter().map(|body| calls(&body.body)).collect::<Result<Vec<_>, _>>()?;
        let count = imports + calls.len();
        let mut in_table = vec![false; count];
        for function in table_functions(facts)? {
            in_table[function as usize] = true;
        }
        // Callers of each function; those that call indirectly call everything in the table.
        let mut callers = vec![Vec::new(); count];
        let mut indirect_callers = Vec::new();
        for (index, calls) in (imports..).zip(&calls) {
            calls.functions.iter().for_each(|callee| callers[*callee as usize].push(index));
            if calls.indirect {
                indirect_callers.push(index);
            }
        }
        let mut this = Self { functions: vec![false; count], indirect: false };
        let mut found: Vec<usize> = (0..imports).collect();
        while let Some(function) = found.pop() {
            if std::mem::replace(&mut this.functions[function], true) {
                continue;
            }
            found.append(&mut callers[function]);
            if in_table[function] {
                this.indirect = true;
                found.append(&mut indirect_callers);
            }
        }
        Ok(this)
    }

    /// Whether `operator` is a call that may lead to the host.
    pub(super) fn by(&self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::Call { function_index } => self.functions[*function_index as usize],
            Operator::CallIndirect { .. } => self.indirect,
            _ => false,
        }
    }
}

fn calls(body: &wasmparser::FunctionBody<'_>) -> Result<Calls, wasmparser::Error> {
    let mut calls = Calls::default();
    for operator in body.get_operators_reader()? {
        match operator? {
            Operator::Call { function_index } => calls.functions.push(function_index),
            Operator::CallIndirect { .. } => calls.indirect = true,
            _ => {}
        }
    }
    Ok(calls)
}

/// Without reference types, segments list functions by index, never by expression.
fn table_functions(facts: &Facts<'_>) -> Result<Vec<u32>, wasmparser::Error> {
    let mut functions = Vec::new();
    for element in &facts.elements {
        if let wasmparser::ElementItems::Functions(items) = &element.items {
            for function in items.clone() {
                functions.push(function?);
            }
        }
    }
    Ok(functions)
}
