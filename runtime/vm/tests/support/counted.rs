//! Modules that count their own work, so that a test sees how far one came before it was stopped.

use runtime_vm::gas;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{ConstExpr, ExportKind, GlobalType, Instruction as I, ValType};

/// Gas of the four instructions that count.
fn counting() -> u64 {
    use wasmparser::Operator as O;
    let price = |operator| gas::instruction(&operator).unwrap();
    price(O::GlobalGet { global_index: 0 })
        + price(O::I64Const { value: 0 })
        + price(O::I64Add)
        + price(O::GlobalSet { global_index: 0 })
}

/// Adds a global to `code` that holds the price of everything executed so far, this counting included; its index is
/// the number of globals before. The module must have a global.
pub fn count_work(code: &[u8]) -> (Vec<u8>, u32) {
    let mut this = Counted { global: 0 };
    for payload in wasmparser::Parser::new(0).parse_all(code) {
        if let wasmparser::Payload::GlobalSection(section) = payload.unwrap() {
            this.global = section.count();
        }
    }
    let mut module = wasm_encoder::Module::new();
    this.parse_core_module(&mut module, wasmparser::Parser::new(0), code).unwrap();
    (module.finish(), this.global)
}

struct Counted {
    global: u32,
}

impl Reencode for Counted {
    type Error = std::convert::Infallible;

    fn parse_global_section(
        &mut self,
        globals: &mut wasm_encoder::GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        reencode::utils::parse_global_section(self, globals, section)?;
        let ty = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i64_const(0));
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut wasm_encoder::CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Result<(), reencode::Error> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let declared: u32 = body.get_locals_reader()?.into_iter().map(|group| group.unwrap().0).sum();
        let mut first = gas::FUNCTION + gas::LOCAL * u64::from(declared);
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            let cost = first + gas::instruction(&operator).unwrap();
            if cost > 0 {
                function.instruction(&I::GlobalGet(self.global));
                function.instruction(&I::I64Const((cost + counting()).cast_signed()));
                function.instruction(&I::I64Add);
                function.instruction(&I::GlobalSet(self.global));
            }
            function.instruction(&self.instruction(operator)?);
            first = 0;
        }
        code.function(&function);
        Ok(())
    }
}

/// Exports a global of an instrumented module as `work`.
pub fn export_global(instrumented: &[u8], global: u32) -> Vec<u8> {
    struct Exported(u32);
    impl Reencode for Exported {
        type Error = std::convert::Infallible;
        fn parse_export_section(
            &mut self,
            exports: &mut wasm_encoder::ExportSection,
            section: wasmparser::ExportSectionReader<'_>,
        ) -> Result<(), reencode::Error> {
            reencode::utils::parse_export_section(self, exports, section)?;
            exports.export("work", ExportKind::Global, self.0);
            Ok(())
        }
    }
    let mut module = wasm_encoder::Module::new();
    let parser = wasmparser::Parser::new(0);
    Exported(global).parse_core_module(&mut module, parser, instrumented).unwrap();
    module.finish()
}
