//! What the tests of the rules share: books, vectors, hostile bytes, and the promises that a clearing must keep.
//!
//! Included by path from the tests of each rule; nothing here knows one.
#![allow(dead_code, reason = "each rule's tests use a part")]
#![allow(clippy::unwrap_used, reason = "tests")]

pub mod auction;
pub mod batches;
pub mod books;
pub mod hostile;
pub mod promises;
pub mod properties;
pub mod requests;
pub mod slots;
pub mod vectors;
