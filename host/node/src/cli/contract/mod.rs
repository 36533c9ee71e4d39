//! `busbar contract new | check | inspect | run | abi`: contracts on an author's desk, without a node; `deploy` to one.
//!
//! Exit codes tell what the contract did, so an error of ours must never look like one of them: see [`Ending`].

mod abi;
mod arguments;
mod check;
mod deploy;
mod file;
mod inspect;
mod new;
mod run;
mod shown;
mod state;
mod step;

pub(super) use file::CodeFile;
pub(super) use shown::{escaped, table};

use super::Failures;
use clap::{Args, Subcommand};
use runtime_vm::Kind;
use std::process::ExitCode;
use thiserror::Error;

const EXIT_CODES: &str = "Exit codes:
  0   success: the code is accepted, the contract answered
  1   reverted: the contract answered with the revert flag
  2   trapped: the contract trapped or ran out of gas
  3   refused: a rule of the chain forbids the code or the call
  64  wrong arguments, or a file that cannot be read or written";

/// Check, inspect and run contracts without a node. Everywhere FILE is WebAssembly or its text form, WAT.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct ContractArgs {
    #[command(subcommand)]
    command: ContractCommand,
}

#[derive(Debug, Subcommand)]
enum ContractCommand {
    /// Make a project for a market rule, that stock cargo builds.
    #[command(after_help = EXIT_CODES)]
    New(new::NewArgs),
    /// Say whether the chain accepts a contract; if not, which rule it breaks and at which byte.
    #[command(after_help = EXIT_CODES)]
    Check(check::CheckArgs),
    /// Show imports, exports, sizes, and where gas goes, by function.
    #[command(after_help = EXIT_CODES)]
    Inspect(inspect::InspectArgs),
    /// Run a contract as a chain would and show all that it did.
    #[command(after_help = run::help())]
    Run(run::RunArgs),
    /// Upload code to a chain. Signed by an author or a market operator.
    #[command(after_help = deploy::EXIT_CODES)]
    Deploy(deploy::DeployArgs),
    /// List the host functions that a contract may import: signatures, gas, what they do.
    Abi(abi::AbiArgs),
}

impl ContractArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// Wrong arguments, or a file that cannot be read or written: 64.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let ending = match self.command {
            ContractCommand::New(args) => args.run()?,
            ContractCommand::Check(args) => args.run()?,
            ContractCommand::Inspect(args) => args.run()?,
            ContractCommand::Run(args) => args.run()?,
            ContractCommand::Deploy(args) => return args.run(),
            ContractCommand::Abi(args) => args.run()?,
        };
        Ok(ExitCode::from(ending.code()))
    }
}

/// Code that the chain would refuse, so it is not sent.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct Forbidden(String);

/// How a contract ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Success,
    Reverted,
    Trapped,
    Refused,
}

impl Ending {
    const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Reverted => 1,
            Self::Trapped => 2,
            Self::Refused => Failures::REFUSED,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Reverted => "reverted",
            Self::Trapped => "trapped",
            Self::Refused => "refused",
        }
    }
}

/// What a contract is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ContractKind {
    /// A rule of a market: input to output.
    Pure,
    /// A contract with storage, money and events.
    Stateful,
}

impl From<ContractKind> for Kind {
    fn from(kind: ContractKind) -> Self {
        match kind {
            ContractKind::Pure => Self::Pure,
            ContractKind::Stateful => Self::Stateful,
        }
    }
}
