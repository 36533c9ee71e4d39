//! What a benchmark is asked and how it ends. The rule: with 1 if a bound does not hold, with 2 if the arguments are wrong.

use serde_json::{Value, json};
use std::process::ExitCode;

/// Something that must hold.
pub struct Verdict {
    pub what: String,
    pub measured: String,
    pub bound: String,
    pub holds: bool,
}

/// What the command line asks for; `None` for help. Otherwise how to end at once.
pub fn asked<O>(
    read: impl FnOnce(std::iter::Skip<std::env::Args>) -> Result<Option<O>, String>,
    help: &str,
) -> Result<O, ExitCode> {
    match read(std::env::args().skip(1)) {
        Ok(Some(options)) => Ok(options),
        Ok(None) => {
            println!("{help}");
            Err(ExitCode::SUCCESS)
        }
        Err(message) => {
            eprintln!("{message}\n\n{help}");
            Err(ExitCode::from(2))
        }
    }
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
