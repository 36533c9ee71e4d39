//! Bounds that must hold, as rows of a table or as JSON. The rule: a benchmark ends with 1 if one of them does not.

use serde_json::{Value, json};
use std::process::ExitCode;

/// Something that must hold.
pub struct Verdict {
    pub what: String,
    pub measured: String,
    pub bound: String,
    pub holds: bool,
}

pub fn print(verdicts: &[Verdict]) {
    if verdicts.is_empty() {
        return;
    }
    println!("\n| bound | measured | at most | |\n|---|--:|--:|---|");
    for Verdict { what, measured, bound, holds } in verdicts {
        println!("| {what} | {measured} | {bound} | {} |", if *holds { "PASS" } else { "FAIL" });
    }
}

pub fn json(verdicts: &[Verdict]) -> Value {
    let row = |one: &Verdict| json!({ "what": one.what, "measured": one.measured, "bound": one.bound, "holds": one.holds });
    verdicts.iter().map(row).collect()
}

pub fn exit_code(verdicts: &[Verdict]) -> ExitCode {
    if verdicts.iter().all(|verdict| verdict.holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
