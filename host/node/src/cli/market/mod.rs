//! `busbar market …`: a market's spec, its rules on the author's desk, and its life on a chain; one file a command.

mod ending;
mod spec;
mod try_book;

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
    /// Clear a book with a matching rule and show trades, verdict, price, welfare and gas; no node is needed.
    #[command(after_help = try_book::help())]
    Try(try_book::TryArgs),
}

impl MarketArgs {
    /// Whether it is about a rule on its author's desk, whose exit codes tell what the rule did.
    pub(super) const fn is_of_an_author(&self) -> bool {
        matches!(self.command, MarketCommand::Try(_))
    }

    /// Do it and print the answer.
    ///
    /// # Errors
    /// What stopped it, in words for people.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            MarketCommand::Spec(args) => args.run(),
            MarketCommand::Try(args) => args.run().map(|ending| ExitCode::from(ending.code())),
        }
    }
}
