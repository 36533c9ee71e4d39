//! `busbar market …`: a market's spec, its rules on the author's desk, and its life on a chain; one file a command.

mod adjust;
mod agree;
mod chain;
mod check;
mod curtail;
mod ending;
mod operate;
mod scheduled;
mod spec;
mod status;
mod try_book;
mod wait;

pub(super) use scheduled::not_running;
pub(super) use wait::Passed;

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
    /// Create a market from its spec. Signed by a market operator; the rules are on chain before.
    Create(chain::CreateArgs),
    /// Agree to a market's terms. Signed by the retailer, the grid operator or the meter operator that it names.
    ///
    /// The signature is for the hash of the terms, so for every figure of slots, windows, limits, rates, fees and rules. What
    /// the operator changes later by 24 h of notice alone is borne with: bid, matching and fallback rules, and limits.
    /// Whatever else changes asks the parties anew.
    Agree(agree::AgreeArgs),
    /// Schedule a spec's rules, limits and rates, 24 h ahead. Signed by the market's operator.
    Schedule(chain::ScheduleArgs),
    /// Withdraw scheduled terms that some party has not agreed to. Signed by the market's operator.
    Withdraw(chain::WithdrawArgs),
    /// Add to the deposit that pays for a market's steps. Signed by the market's operator.
    TopUp(chain::TopUpArgs),
    /// Take that deposit back from a market that its parties have not agreed to. Signed by its operator.
    TakeBack(chain::TakeBackArgs),
    /// Limit what meters move in a slot. Signed by the market's grid operator.
    Curtail(curtail::CurtailArgs),
    /// Pay somebody once more for a settled slot, with evidence. Signed by the payer's owner.
    Adjust(adjust::AdjustArgs),
    /// Post execution lists and vote on them. Signed by the market's operator, or by the grid operator.
    Operate(operate::OperateArgs),
    /// Show where a market stands, or one of its slots.
    Status(status::StatusArgs),
    /// Wait until a slot has come to a state, and print its number. Exits with 4 at once if the slot is beyond it.
    Wait(wait::WaitArgs),
    /// List markets.
    List(status::ListArgs),
    /// Clear a book with a matching rule and show trades, verdict, price, welfare and gas; no node is needed.
    #[command(after_help = try_book::help())]
    Try(try_book::TryArgs),
    /// Check a rule for what every rule of its kind must keep, on generated inputs; no node is needed.
    #[command(after_help = check::help())]
    Check(check::CheckArgs),
}

impl MarketArgs {
    /// Whether it is about a rule on its author's desk, whose exit codes tell what the rule did.
    pub(super) const fn is_of_an_author(&self) -> bool {
        matches!(self.command, MarketCommand::Try(_) | MarketCommand::Check(_))
    }

    /// Do it and print the answer.
    ///
    /// # Errors
    /// What stopped it, in words for people.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            MarketCommand::Spec(args) => args.run(),
            MarketCommand::Create(args) => args.run(),
            MarketCommand::Agree(args) => args.run(),
            MarketCommand::Schedule(args) => args.run(),
            MarketCommand::Withdraw(args) => args.run(),
            MarketCommand::TopUp(args) => args.run(),
            MarketCommand::TakeBack(args) => args.run(),
            MarketCommand::Curtail(args) => args.run(),
            MarketCommand::Adjust(args) => args.run(),
            MarketCommand::Operate(args) => args.run(),
            MarketCommand::Status(args) => args.run(),
            MarketCommand::Wait(args) => args.run(),
            MarketCommand::List(args) => args.run(),
            MarketCommand::Try(args) => args.run().map(|ending| ExitCode::from(ending.code())),
            MarketCommand::Check(args) => args.run().map(|ending| ExitCode::from(ending.code())),
        }
    }
}
