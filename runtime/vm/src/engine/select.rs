//! Keeps the interpreter from fusing a `select` with the comparison before it, which it does wrongly.
//!
//! wasmi 2.0.0 drops an `i32.eqz x`, `i32.eq x 0` or `i32.ne x 0` in front of a `select` to test `x` itself. Where `x` is
//! a local it goes on to test its accumulator, which then holds something else. A comparison whose result a local keeps
//! is not dropped: so every condition goes through a local of its own. `tests/differential.rs` found it,
//! `tests/engines.rs` holds it; without this file both fail.

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, Function, FunctionSection, Instruction, Module, TypeSection, ValType};
use wasmparser::{CodeSectionReader, FunctionBody, FunctionSectionReader, TypeSectionReader};

/// `module`, which is valid, with the condition of every `select` kept by a local.
pub(super) fn unfused(module: &[u8]) -> Result<Vec<u8>, Error> {
    let mut unfused = Module::new();
    Unfused::default().parse_core_module(&mut unfused, wasmparser::Parser::new(0), module)?;
    Ok(unfused.finish())
}

#[derive(Default)]
struct Unfused {
    /// Parameters of each type.
    parameters: Vec<u32>,
    /// Type of each function that is defined.
    functions: Vec<u32>,
}

impl Unfused {
    /// The first local that function `index` does not have.
    fn condition(&self, index: usize, body: &FunctionBody<'_>) -> Result<u32, Error> {
        let type_index = self.functions.get(index).copied().unwrap_or_default();
        let mut locals = self.parameters.get(type_index as usize).copied().unwrap_or_default();
        for group in body.get_locals_reader()? {
            locals += group?.0;
        }
        Ok(locals)
    }
}

impl Reencode for Unfused {
    type Error = std::convert::Infallible;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: TypeSectionReader<'_>,
    ) -> Result<(), Error> {
        for ty in section.clone().into_iter_err_on_gc_types() {
            self.parameters.push(u32::try_from(ty?.params().len()).expect("parameters are limited"));
        }
        utils::parse_type_section(self, types, section)
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        self.functions = section.clone().into_iter().collect::<Result<_, _>>()?;
        utils::parse_function_section(self, functions, section)
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error> {
        for (index, body) in section.into_iter().enumerate() {
            let body = body?;
            let condition = self.condition(index, &body)?;
            let mut locals = Vec::new();
            for group in body.get_locals_reader()? {
                let (count, ty) = group?;
                locals.push((count, self.val_type(ty)?));
            }
            locals.push((1, ValType::I32));
            let mut function = Function::new(locals);
            let mut operators = body.get_operators_reader()?;
            while !operators.eof() {
                let instruction = self.parse_instruction(&mut operators)?;
                if matches!(instruction, Instruction::Select) {
                    function.instruction(&Instruction::LocalTee(condition));
                }
                function.instruction(&instruction);
            }
            code.function(&function);
        }
        Ok(())
    }
}
