//! The store against a model of plain maps: histories, crashes, failing disks, damaged files.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tests")]

mod chain;
mod crash;
mod damage;
mod faults;
mod history;
mod refusals;
mod restore;
