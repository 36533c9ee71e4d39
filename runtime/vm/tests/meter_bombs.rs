//! The hardest modules to compile: what limits let through, both engines and the first tier take.
//!
//! How long that takes is measured by `examples/bombs.rs`, not here.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use runtime_vm::{CodeError, Kind, Trap, check};
use support::nasty::{SHAPES, bomb, shape_name};
use support::{on_vm_thread, pure_code};

/// Bytes of a bomb here: small, because tests compile unoptimised compilers.
const BYTES: usize = 24 << 10;

#[test]
fn what_is_accepted_compiles_everywhere_and_runs_alike() {
    let mut first_tier = wasmtime::Config::new();
    first_tier.strategy(wasmtime::Strategy::Winch);
    let first_tier = wasmtime::Engine::new(&first_tier).unwrap();
    on_vm_thread(|| {
        for shape in 0..SHAPES {
            let name = shape_name(shape);
            // Complexity may refuse the larger ones.
            let sizes = (1..=16).rev().map(|part| bomb(shape, 0, BYTES * part / 16, 32 << 10));
            let accepted =
                sizes.filter_map(|code| check(&code, Kind::Pure).ok().map(|checked| (code, checked)));
            let (code, checked) = accepted.into_iter().next().unwrap_or_else(|| panic!("{name} is refused"));
            assert!(code.len() > 2_000, "{name}: {} bytes", code.len());
            first_tier.precompile_module(checked.instrumented()).unwrap();
            let outcome = pure_code(&code, b"", 9_000_000);
            assert!(matches!(outcome.result, Ok(_) | Err(Trap::OutOfGas)), "{name}: {outcome:?}");
        }
    });
}

#[test]
fn what_would_compile_too_long_is_refused() {
    let refusal = |shape, bytes| check(&bomb(shape, 0, bytes, 32 << 10), Kind::Pure).err();
    for shape in [1, 2] {
        let error = refusal(shape, 128 << 10);
        let is_complexity = |error: &CodeError| {
            matches!(error, CodeError::TooComplex { .. } | CodeError::FunctionTooComplex { .. })
        };
        assert!(error.as_ref().is_some_and(is_complexity), "{}: {error:?}", shape_name(shape));
    }
}
