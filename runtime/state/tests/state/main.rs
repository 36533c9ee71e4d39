//! The overlay against a naive model, and the state in memory against `build_trie`.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

mod memory;
mod overlay;
mod random;
