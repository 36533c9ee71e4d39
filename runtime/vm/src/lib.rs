//! Validate, instrument, compile, run: the only crate that names wasmtime and wasmi; forbids knowing what an account is.
