//! Chain specs: what a chain starts with, as a file that people write and machines check.

mod preset;

pub use preset::Preset;
