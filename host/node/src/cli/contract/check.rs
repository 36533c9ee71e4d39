//! `busbar contract check`: the verdict that an upload would get, with the rule and the place.

use super::file::CodeFile;
use super::shown::table;
use super::{ContractKind, Ending};
use crate::report::grouped;
use clap::Args;
use runtime_vm::{Kind, examine};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Say whether the chain accepts a contract.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The contract: WebAssembly or WAT. Offsets are of the assembled module.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Accept it as this kind only [default: either].
    #[arg(long, value_enum)]
    kind: Option<ContractKind>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl CheckArgs {
    /// Judge and print.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn run(self) -> anyhow::Result<Ending> {
        let kinds = self.kind.map_or(vec![Kind::Pure, Kind::Stateful], |kind| vec![kind.into()]);
        let file = match CodeFile::read(&self.file)? {
            Ok(file) => file,
            Err(verdict) => {
                if self.json {
                    let verdicts: Vec<Value> =
                        kinds.iter().map(|kind| refused(*kind, verdict.json())).collect();
                    println!("{}", json!({ "file": self.file, "accepted": false, "verdicts": verdicts }));
                } else {
                    println!("{}: {}", self.file.display(), verdict.words());
                }
                return Ok(Ending::Refused);
            }
        };
        let verdicts: Vec<_> = kinds.iter().map(|kind| (*kind, file.judge(*kind))).collect();
        let accepted = verdicts.iter().any(|(_, verdict)| verdict.is_ok());
        if self.json {
            let verdicts: Vec<Value> = verdicts
                .iter()
                .map(|(kind, verdict)| match verdict {
                    Ok(()) => json!({ "kind": kind.to_string(), "accepted": true }),
                    Err(verdict) => refused(*kind, verdict.json()),
                })
                .collect();
            let found = json!({
                "file": self.file,
                "bytes": file.code.len(),
                "code_hash": file.hash().to_string(),
                "accepted": accepted,
                "verdicts": verdicts,
            });
            println!("{found}");
        } else {
            println!(
                "{}: {} bytes, code hash\n{}",
                file.path.display(),
                grouped(file.code.len() as u64),
                file.hash()
            );
            let mut shown = table();
            shown.set_header(["As", "Verdict", ""]);
            for (kind, verdict) in &verdicts {
                let (word, why) = match verdict {
                    Ok(()) => ("accepted", instrumented(&file, *kind)),
                    Err(verdict) => ("refused", verdict.words()),
                };
                shown.add_row([kind.to_string(), word.to_owned(), why]);
            }
            println!("{shown}");
        }
        Ok(if accepted { Ending::Success } else { Ending::Refused })
    }
}

fn instrumented(file: &CodeFile, kind: Kind) -> String {
    examine(&file.code, kind).map_or_else(
        |refusal| refusal.to_string(),
        |checked| {
            format!("{} bytes with gas and stack counters", grouped(checked.instrumented().len() as u64))
        },
    )
}

/// A refusal with its kind.
fn refused(kind: Kind, verdict: Value) -> Value {
    let mut all = json!({ "kind": kind.to_string(), "accepted": false });
    if let (Value::Object(all), Value::Object(verdict)) = (&mut all, verdict) {
        all.extend(verdict);
    }
    all
}
