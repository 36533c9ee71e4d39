//! The market spec: everything that a market operator decides, as a TOML document with units.
//!
//! It converts exactly to what the chain keeps and back; nothing in it is a floating-point number.

/// The default spec, with a comment for each key.
pub const DEFAULT: &str = include_str!("default.toml");
