//! What nothing depends on: scenarios, vectors, harness, conformance, properties, crash, tidy.

pub mod evil;
