//! The command line: one file a command, errors that say what to do next, exit codes for scripts.

mod agent;
mod bank;
mod bill;
mod book;
mod chain_spec;
mod contract;
mod demo;
mod entity;
mod events;
mod export;
mod failures;
mod market;
mod meter;
mod node;
mod order;
mod receivables;
mod refusals;
mod remote;
mod replay;
mod reserves;
mod slots;
mod snapshot;
mod status;
mod trade;
mod validator;
mod verify;

pub use failures::Failures;
pub use refusals::told;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A host chain for peer-to-peer electricity markets whose rules are deployable WASM contracts.
#[derive(Debug, Parser)]
#[command(name = "busbar", version, propagate_version = true, after_help = refusals::help())]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play the paper's trade, a real community's day and a malicious rule, on a real node.
    Demo(demo::DemoArgs),
    /// Run a node on this machine's clock, until it is interrupted.
    Node(node::NodeArgs),
    /// Show how far a running node is, what it has done and where it disagrees with others.
    Status(status::StatusArgs),
    /// Announce, admit, change and list the validators of coming epochs.
    Validator(validator::ValidatorArgs),
    /// Play one household against a running node.
    Agent(agent::AgentArgs),
    /// Describe, try, create and watch markets.
    Market(market::MarketArgs),
    /// Admit entities, bind their keys, show and suspend them.
    Entity(entity::EntityArgs),
    /// Admit meters, post what they read, show them.
    Meter(meter::MeterArgs),
    /// Credit accounts, pay back, show balances and debts, pay them.
    Bank(bank::BankArgs),
    /// Place, cancel, amend and list orders.
    Order(order::OrderArgs),
    /// Show an entity's bill.
    Bill(bill::BillArgs),
    /// Show and check a trade's life, or list trades.
    Trade(trade::TradeArgs),
    /// Write orders, trades, readings and bills as CSV, JSON or Parquet.
    Export(export::ExportArgs),
    /// Execute a chain again from its own blocks and compare every header.
    Replay(replay::ReplayArgs),
    /// Verify which block a quorum of validators has signed, from the chain spec alone.
    Verify(verify::VerifyArgs),
    /// Write the state of a stopped node to a file, check such a file, begin a node from it.
    Snapshot(snapshot::SnapshotArgs),
    /// Check, inspect and run contracts without a node.
    Contract(contract::ContractArgs),
    /// Print, write or check a chain spec.
    ChainSpec(chain_spec::ChainSpecArgs),
    /// Generate, inspect, import and list keys.
    Keys(crate::keys::KeysArgs),
}

impl Cli {
    /// Read the command line.
    ///
    /// # Errors
    /// The exit code of a help text or a wrong argument, which was printed.
    pub fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            let is_help = error.exit_code() == 0;
            if !is_help && refusals::asks_for_json() {
                eprintln!("{}", refusals::of_arguments(&error));
            } else {
                // Nobody reads what cannot be printed.
                let _ = error.print();
            }
            if is_help { ExitCode::SUCCESS } else { ExitCode::from(Failures::MISUSED) }
        })
    }

    /// The exit codes of errors of [`Cli::run`].
    pub const fn failures(&self) -> Failures {
        let is_of_an_author = match &self.command {
            Command::Contract(_) => true,
            Command::Market(args) => args.is_of_an_author(),
            _ => false,
        };
        Failures { is_of_an_author }
    }

    /// Run the command.
    ///
    /// # Errors
    /// What stopped it, in words for people.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Demo(args) => args.run(),
            Command::Node(args) => args.run(),
            Command::Status(args) => args.run(),
            Command::Validator(args) => args.run(),
            Command::Agent(args) => args.run(),
            Command::Market(args) => args.run(),
            Command::Entity(args) => args.run(),
            Command::Meter(args) => args.run(),
            Command::Bank(args) => args.run(),
            Command::Order(args) => args.run(),
            Command::Bill(args) => args.run(),
            Command::Trade(args) => args.run(),
            Command::Export(args) => args.run(),
            Command::Replay(args) => args.run(),
            Command::Verify(args) => args.run(),
            Command::Snapshot(args) => args.run(),
            Command::Contract(args) => args.run(),
            Command::ChainSpec(args) => args.run(),
            Command::Keys(args) => args.run().map(|()| ExitCode::SUCCESS),
        }
    }
}
