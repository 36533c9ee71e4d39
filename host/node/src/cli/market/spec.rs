//! `busbar market spec new | check | show`: the document that a market operator writes.

use super::agree::parse_hash;
use crate::cli::remote::{Answer, NodeArgs};
use crate::market_spec::{self, First, MarketSpec, Problem, RuleSource, Rules};
use crate::rules::RuleKind;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use contract_interface::Windows;
use runtime_execution::modules::markets;
use runtime_primitives::{EntityId, Hash, MarketId, Slot};
use runtime_state::Overlay;
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
    New(NewArgs),
    /// Print the spec of a market that is on a chain, as its slots are governed now.
    Show {
        /// The market.
        #[arg(long, value_name = "N", default_value_t = 0)]
        market: u32,
        /// Show the terms that govern this slot [default: the next one to open].
        #[arg(long, value_name = "N")]
        slot: Option<u32>,
        /// Show the terms with this hash, such as those that wait for agreement.
        #[arg(long, value_name = "HASH", conflicts_with = "slot", value_parser = parse_hash)]
        terms: Option<Hash>,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Check a spec: say everything that is wrong with it, and where. The exit code says whether something is.
    Check {
        /// The spec.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct NewArgs {
    /// The market's name.
    #[arg(long)]
    name: Option<String>,
    /// Entity number of the backstop supplier.
    #[arg(long, value_name = "N")]
    retailer: Option<u32>,
    /// Entity number of the grid operator.
    #[arg(long, value_name = "N")]
    grid: Option<u32>,
    /// Entity number of the meter operator.
    #[arg(long, value_name = "N")]
    meter_operator: Option<u32>,
    /// The matching rule: one that ships with busbar, or 0x and a code hash.
    #[arg(long, value_name = "RULE")]
    matching: Option<String>,
    /// Slots of a minute with windows to match, for a node with a fast clock.
    #[arg(long)]
    rehearsal: bool,
}

impl NewArgs {
    /// The default with what is asked for.
    fn spec(self) -> anyhow::Result<MarketSpec> {
        let default = market_spec::read(market_spec::DEFAULT, Path::new(""));
        let mut spec = default.map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        spec.name = self.name.unwrap_or(spec.name);
        spec.retailer = self.retailer.map_or(spec.retailer, EntityId::from_number);
        spec.grid = self.grid.map_or(spec.grid, EntityId::from_number);
        spec.meter_operator = self.meter_operator.map_or(spec.meter_operator, EntityId::from_number);
        if let Some(rule) = self.matching {
            spec.rules.matching = RuleSource::find(&rule, Path::new(""))?.of_kind(RuleKind::Matching)?;
            spec.terms.matching = spec.rules.matching.hash();
        }
        if self.rehearsal {
            spec.terms.slot_minutes = 1;
            spec.terms.windows = REHEARSAL;
            spec.terms.deposit_slots = REHEARSAL_DEPOSIT_SLOTS;
        }
        Ok(spec)
    }
}

/// Slots from the start of delivery to payment in a rehearsal: 1 min + 130 s.
const REHEARSAL_DEPOSIT_SLOTS: u16 = 4;
/// Windows for slots of a minute: time enough for programs, and a slot is paid two minutes after its end.
const REHEARSAL: Windows = Windows {
    open_before_s: 240,
    gate_before_s: 60,
    reveal_s: 0,
    confirm_s: 50,
    certify_before_s: 5,
    readings_s: 60,
    voting_s: 120,
    objection_s: 130,
    dispute_s: 300,
};

impl SpecArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// If a file cannot be read or the node does not answer.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            SpecCommand::New(args) => print!("{}", market_spec::write(&args.spec()?)),
            SpecCommand::Show { market, slot, terms, node } => {
                let market = MarketId::from_number(market);
                let spec = node.session()?.read(|state| on_chain(state, market, slot, terms))??;
                let text = market_spec::write(&spec);
                let json = json!({ "terms_hash": spec.terms.hash().to_string(), "spec": text });
                node.print(&Answer::new(text.trim_end(), json));
            }
            SpecCommand::Check { file, json } => return check(&file, json),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What the chain keeps of a market; its name and description are not among it.
fn on_chain(
    state: &Overlay,
    id: MarketId,
    slot: Option<u32>,
    named: Option<Hash>,
) -> anyhow::Result<MarketSpec> {
    let market = markets::market(state, id)?;
    let slot = slot.map_or(market.next_slot, Slot::from_number);
    let offer = market.schedule.first().filter(|_| !market.is_agreed());
    let found = named.or_else(|| market.governing(slot).or(offer).map(|scheduled| scheduled.terms));
    let hash = found.with_context(|| format!("market {id} starts at slot {}", market.first_slot))?;
    let terms = markets::TERMS.get(state, &hash).with_context(|| format!("no terms {hash} are published"))?;
    Ok(MarketSpec {
        name: format!("market {id}"),
        description: "as its chain has it".to_owned(),
        retailer: market.retailer,
        grid: market.grid,
        meter_operator: market.meter_operator,
        first: First::Slot(market.first_slot),
        deposit: market.deposit,
        rules: Rules::of_terms(&terms),
        terms,
    })
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
