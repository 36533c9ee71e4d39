//! The command line: one file a command, errors that say what to do next, exit codes for scripts.

mod agent;
mod chain_spec;
mod demo;
mod node;
mod replay;
mod trade;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A host chain for peer-to-peer electricity markets whose rules are deployable WASM contracts.
#[derive(Debug, Parser)]
#[command(name = "busbar", version, propagate_version = true)]
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
    /// Play one household against a running node.
    Agent(agent::AgentArgs),
    /// Show and check a trade's life, or list trades.
    Trade(trade::TradeArgs),
    /// Execute a chain again from its own blocks and compare every header.
    Replay(replay::ReplayArgs),
    /// Print, write or check a chain spec.
    ChainSpec(chain_spec::ChainSpecArgs),
    /// Generate, inspect, import and list keys.
    Keys(crate::keys::KeysArgs),
}

impl Cli {
    /// Run the command.
    ///
    /// # Errors
    /// What stopped it, in words for people.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Demo(args) => args.run(),
            Command::Node(args) => args.run(),
            Command::Agent(args) => args.run(),
            Command::Trade(args) => args.run(),
            Command::Replay(args) => args.run(),
            Command::ChainSpec(args) => args.run(),
            Command::Keys(args) => args.run().map(|()| ExitCode::SUCCESS),
        }
    }
}
