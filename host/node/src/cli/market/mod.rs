//! `busbar market …`: a market's spec, its rules on the author's desk, and its life on a chain; one file a command.

mod spec;

use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Describe, try, create and watch markets.
#[derive(Debug, Args)]
pub struct MarketArgs {
    #[command(subcommand)]
    command: MarketCommand,
}

#[derive(Debug, Subcommand)]
enum MarketCommand {
    /// Write a market's spec.
    Spec(spec::SpecArgs),
}

impl MarketArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// What stopped it, in words for people.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            MarketCommand::Spec(args) => args.run(),
        }
    }
}
