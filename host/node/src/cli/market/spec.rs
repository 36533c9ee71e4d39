//! `busbar market spec new`: the document that a market operator writes.

use crate::market_spec;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Write a market's spec.
#[derive(Debug, Args)]
pub struct SpecArgs {
    #[command(subcommand)]
    command: SpecCommand,
}

#[derive(Debug, Subcommand)]
enum SpecCommand {
    /// Print a default spec with a comment for each key.
    New,
}

impl SpecArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// None today.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            SpecCommand::New => print!("{}", market_spec::DEFAULT),
        }
        Ok(ExitCode::SUCCESS)
    }
}
