//! `busbar market spec new | check | show`: the document that a market operator writes.

use crate::market_spec::{self, MarketSpec, Problem};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write and check a market's spec.
#[derive(Debug, Args)]
pub struct SpecArgs {
    #[command(subcommand)]
    command: SpecCommand,
}

#[derive(Debug, Subcommand)]
enum SpecCommand {
    /// Print a default spec with a comment for each key.
    New,
    /// Check a spec: say everything that is wrong with it, and where. The exit code says whether something is.
    Check {
        /// The spec.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

impl SpecArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            SpecCommand::New => print!("{}", market_spec::DEFAULT),
            SpecCommand::Check { file, json } => return check(&file, json),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn check(file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let read = market_spec::load(file)?;
    if json {
        println!("{:#}", as_json(&read));
    } else {
        match &read {
            Ok(spec) => println!("{}: sound; hash of its terms {}", file.display(), spec.terms.hash()),
            Err(problems) => problems.iter().for_each(|problem| println!("{}:{problem}", file.display())),
        }
    }
    Ok(if read.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn as_json(read: &Result<MarketSpec, Vec<Problem>>) -> serde_json::Value {
    match read {
        Ok(spec) => json!({ "sound": true, "problems": [], "terms_hash": spec.terms.hash().to_string() }),
        Err(problems) => json!({ "sound": false, "problems": problems }),
    }
}
