//! Chain specs: what a chain starts with, as a file that people write and machines check.
//!
//! The spec of a chain is kept beside its data, so that a replay needs nothing else.

mod code;
mod engines;
mod error;
mod preset;
mod roles;
mod spec;

pub use code::{Code, CodeName, Rule};
pub use engines::engine_addresses;
pub use error::SpecError;
pub use preset::Preset;
pub use roles::Role;
pub use spec::{
    ChainSpec, FILE_NAME, INTERVAL_MS, INTERVAL_MS_MAX, INTERVAL_MS_MIN, NAME_BYTES_MAX, SpecEntity,
};
