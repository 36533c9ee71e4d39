//! What is known of a valid module: its parts, still in the parser's types.
//!
//! Built once by `validate`; `meter` writes the instrumented module from it and never reads the bytes again.

use crate::limits::TABLE_ELEMENTS_MAX;
use crate::{CodeError, Kind};
use runtime_abi::HostFunction;
use wasmparser::{Data, Element, FuncType, FunctionBody, Global, MemoryType, TableType};

/// The parts of a valid module.
#[derive(Default)]
pub(crate) struct Facts<'a> {
    pub(crate) types: Vec<FuncType>,
    pub(crate) imports: Vec<FunctionImport<'a>>,
    /// Type index of every defined function.
    pub(crate) functions: Vec<u32>,
    /// The one memory, imported or defined.
    pub(crate) memory: Option<MemoryType>,
    /// The one table of functions.
    pub(crate) table: Option<TableType>,
    pub(crate) globals: Vec<Global<'a>>,
    /// Index of the function exported as `call`.
    pub(crate) call: Option<u32>,
    /// Index of the function exported as `deploy`.
    pub(crate) deploy: Option<u32>,
    /// Index of the start function.
    pub(crate) start: Option<u32>,
    pub(crate) elements: Vec<Element<'a>>,
    pub(crate) bodies: Vec<Body<'a>>,
    pub(crate) data: Vec<Data<'a>>,
    /// Basic blocks × (locals + 1), summed over the functions.
    pub(crate) complexity: u64,
    pub(crate) places: Places,
}

/// Where in the bytes stands what is judged after the walk.
#[derive(Clone, Copy, Default)]
pub(crate) struct Places {
    pub(crate) memory: Option<u64>,
    pub(crate) table: Option<u64>,
    /// The export `call`, whatever it exports.
    pub(crate) call: Option<u64>,
    /// The export `deploy`, whatever it exports.
    pub(crate) deploy: Option<u64>,
}

/// An imported host function.
pub(crate) struct FunctionImport<'a> {
    pub(crate) module: &'a str,
    pub(crate) name: &'a str,
    pub(crate) type_index: u32,
    pub(crate) function: &'static HostFunction,
}

/// A function body and what validation learned of it.
pub(crate) struct Body<'a> {
    pub(crate) body: FunctionBody<'a>,
    /// Parameters and declared locals.
    pub(crate) locals: u32,
    /// The highest operand stack between any two instructions.
    pub(crate) operands_max: u32,
}

impl Facts<'_> {
    /// The type of function `index`, imported or defined.
    pub(crate) fn function_type(&self, index: u32) -> Option<&FuncType> {
        let index = index as usize;
        let type_index = match self.imports.get(index) {
            Some(import) => import.type_index,
            None => *self.functions.get(index.checked_sub(self.imports.len())?)?,
        };
        self.types.get(type_index as usize)
    }

    /// Pages of memory at the start, and the most it may grow to under `kind`.
    pub(crate) fn memory_pages(&self, kind: Kind) -> Result<(u32, u32), CodeError> {
        let Some(memory) = &self.memory else { return Ok((0, 0)) };
        let max = kind.memory_pages_max();
        let too_large = CodeError::MemoryTooLarge { pages: memory.initial, max };
        let min = u32::try_from(memory.initial).ok().filter(|pages| *pages <= max).ok_or(too_large)?;
        let declared = memory.maximum.and_then(|pages| u32::try_from(pages).ok()).unwrap_or(u32::MAX);
        Ok((min, declared.min(max)))
    }

    /// Entries of the table; it cannot grow without reference types.
    pub(crate) fn table_elements(&self) -> Result<u32, CodeError> {
        let Some(table) = &self.table else { return Ok(0) };
        let (elements, max) = (table.initial, TABLE_ELEMENTS_MAX);
        let too_large = CodeError::TableTooLarge { elements, max };
        u32::try_from(elements).ok().filter(|elements| *elements <= max).ok_or(too_large)
    }
}
