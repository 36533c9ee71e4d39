//! `busbar trade show | list`: a trade's life from a data folder, as the paper's Table 2.

use crate::quantity::energy_text;
use crate::trade::{Life, ListedTrade, TradeId, list};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table, presets};
use host_storage::Store;
use runtime_primitives::{Energy, Slot};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Show trades of a data folder.
#[derive(Debug, Args)]
pub struct TradeArgs {
    #[command(subcommand)]
    command: TradeCommand,
}

#[derive(Debug, Subcommand)]
enum TradeCommand {
    /// Show a trade's seven stages, check every root and signature, and walk its payments back to their funding.
    Show {
        /// The trade: market/slot/trade such as 0/500/0, or slot/trade.
        id: TradeId,
        #[command(flatten)]
        from: From,
    },
    /// List trades.
    List {
        /// Only this slot's.
        #[arg(long)]
        slot: Option<u32>,
        #[command(flatten)]
        from: From,
    },
}

#[derive(Debug, Args)]
struct From {
    /// Data folder of a node or a demo.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl TradeArgs {
    /// Do it and print the answer. The exit code says whether everything shown holds.
    ///
    /// # Errors
    /// If the folder cannot be read or there is no such trade.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            TradeCommand::Show { id, from } => {
                let store = open(&from.data)?;
                let life = in_history(&store, Life::read(&store.snapshot(), id))?;
                if from.json {
                    println!("{}", serde_json::to_string_pretty(&life)?);
                } else {
                    println!("{life}");
                }
                Ok(if life.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            TradeCommand::List { slot, from } => {
                let store = open(&from.data)?;
                let trades = in_history(&store, list(&store.snapshot(), slot.map(Slot::from_number)))?;
                if from.json {
                    println!("{}", serde_json::to_string(&trades)?);
                } else if trades.is_empty() {
                    println!("no trades yet");
                } else {
                    println!("{}", listing(&trades));
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// The store of a data folder, or of the file itself.
pub(super) fn open(data: &Path) -> anyhow::Result<Store> {
    let path = if data.is_dir() { data.join("chain.redb") } else { data.to_owned() };
    Store::open(&path).with_context(|| format!("cannot open {}", path.display()))
}

/// What came of reading `store`; where it fails, with the block that the store's history begins with.
pub(super) fn in_history<T, E>(store: &Store, read: Result<T, E>) -> anyhow::Result<T>
where
    E: Into<anyhow::Error>,
{
    read.map_err(|error| {
        let error = error.into();
        match store.snapshot().base() {
            Some(base) => error.context(format!(
                "the history of this folder begins with block {}, it was made from a snapshot: what is of before needs a node \
                 that has it",
                base.height.next()
            )),
            None => error,
        }
    })
}

fn listing(trades: &[ListedTrade]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["Trade", "Seller", "Buyer", "Energy", "Value", "Settled", "Outcome"]);
    for trade in trades {
        let energy = |wh| energy_text(Energy::from_wh(wh));
        let settled = trade.settled_wh.map_or_else(|| "–".to_owned(), energy);
        let agreed = energy(trade.energy_wh);
        let outcome = trade.outcome.sentence();
        let cells = [&trade.id, &trade.seller, &trade.buyer, &agreed, &trade.value, &settled, &outcome];
        table.add_row(cells);
    }
    table.to_string()
}
