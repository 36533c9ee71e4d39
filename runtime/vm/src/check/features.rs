//! Which WebAssembly features contracts may use, and which one a refused module used.
//!
//! The accepted set is consensus. It is what `wasm32v1-none` emits, plus multi-value, `memory.copy` and
//! `memory.fill`.

use crate::{CodeError, Feature};
use wasmparser::{Validator, WasmFeatures};

/// What contracts may use. `GC_TYPES` is a switch of the parser, not a feature: without it no reference exists at all.
pub(crate) const ACCEPTED: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY_OPT)
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG)
    .union(WasmFeatures::GC_TYPES);

/// Why a module that is not valid under [`ACCEPTED`] is refused: the feature it needs, if one would make it valid.
pub(crate) fn refusal(code: &[u8], error: &wasmparser::Error) -> CodeError {
    missing_feature(code).map_or_else(|| CodeError::Invalid(error.message().to_owned()), CodeError::Feature)
}

/// The first feature without which the module is invalid although every other one is on.
fn missing_feature(code: &[u8]) -> Option<Feature> {
    let every = WasmFeatures::all();
    let valid = |features| Validator::new_with_features(features).validate_all(code).is_ok();
    if !valid(every) {
        return None;
    }
    let singly = [
        (WasmFeatures::FLOATS, Feature::Floats),
        (WasmFeatures::SIMD, Feature::Simd),
        (WasmFeatures::RELAXED_SIMD, Feature::Simd),
        (WasmFeatures::THREADS, Feature::Threads),
        (WasmFeatures::MEMORY64, Feature::Memory64),
        (WasmFeatures::MULTI_MEMORY, Feature::MultiMemory),
        (WasmFeatures::TAIL_CALL, Feature::TailCalls),
        (WasmFeatures::EXCEPTIONS, Feature::Exceptions),
        (WasmFeatures::LEGACY_EXCEPTIONS, Feature::Exceptions),
        (WasmFeatures::EXTENDED_CONST, Feature::ExtendedConst),
        (WasmFeatures::BULK_MEMORY, Feature::BulkMemory),
        (WasmFeatures::REFERENCE_TYPES, Feature::ReferenceTypes),
    ];
    let needed = |feature: WasmFeatures| !valid(every.difference(feature).union(ACCEPTED));
    let found = singly.into_iter().find(|(feature, _)| needed(*feature));
    Some(found.map_or(Feature::Other, |(_, name)| name))
}
