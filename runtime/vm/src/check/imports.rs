//! What a contract may import, asked of the one table of host functions.

use super::module::FunctionImport;
use crate::{CodeError, Kind};
use runtime_abi::{HostFunction, MEMORY_IMPORT, Service, ValueType};
use wasmparser::{FuncType, Import, TypeRef, ValType};

/// An import that is accepted.
pub(super) enum Accepted<'a> {
    Memory(wasmparser::MemoryType),
    Function(FunctionImport<'a>),
}

/// Accepts `import` for contracts of `kind`, or says why not.
pub(super) fn accept<'a>(
    import: Import<'a>,
    kind: Kind,
    types: &[FuncType],
) -> Result<Accepted<'a>, CodeError> {
    let (module, name) = (import.module.to_owned(), import.name.to_owned());
    let type_index = match import.ty {
        TypeRef::Memory(memory) if (import.module, import.name) == MEMORY_IMPORT => {
            return Ok(Accepted::Memory(memory));
        }
        TypeRef::Func(type_index) => type_index,
        _ => return Err(CodeError::UnknownImport { module, name }),
    };
    let Some(function) = runtime_abi::find(import.module, import.name) else {
        return Err(CodeError::UnknownImport { module, name });
    };
    match function.service {
        Service::Served => {}
        Service::Unstable => return Err(CodeError::Unstable { module, name }),
        Service::Deprecated => return Err(CodeError::Deprecated { module, name }),
    }
    if kind == Kind::Pure && !function.pure {
        return Err(CodeError::NotPure { module, name });
    }
    if !types.get(type_index as usize).is_some_and(|found| same_signature(found, function)) {
        return Err(CodeError::ImportSignature { module, name });
    }
    Ok(Accepted::Function(FunctionImport { module: import.module, name: import.name, type_index, function }))
}

fn same_signature(found: &FuncType, function: &HostFunction) -> bool {
    let wasm = |ty: &ValueType| match ty {
        ValueType::I32 => ValType::I32,
        ValueType::I64 => ValType::I64,
    };
    let parameters = function.parameters.iter().map(|(_, ty)| wasm(ty));
    found.params().iter().copied().eq(parameters)
        && found.results().iter().copied().eq(function.result.iter().map(wasm))
}
