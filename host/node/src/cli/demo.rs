//! `busbar demo`: three acts on a real node. Exits non-zero if any invariant fails.

use crate::community::{ATTRIBUTION, Season};
use crate::export::{write_bills_csv, write_bills_json};
use crate::node::Statistics;
use crate::report::{Progress, Summary, kind_name, peak_memory_bytes};
use crate::scenario::{
    Cast, Casting, Malice, Outcome, Play, Saved, Script, SlotResults, TransferSum, day, expose, outcome,
    paper, results_hash,
};
use crate::trade::Life;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use host_storage::Store;
use runtime_primitives::{Energy, Money};
use runtime_state::Overlay;
use serde::Serialize;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Play scenarios on a real node with a virtual clock.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Play one scenario only; by default the paper's case, the summer day and the malicious rule.
    #[arg(long)]
    scenario: Option<Scenario>,
    /// Data folder. A play that was interrupted there is resumed; default: a fresh folder busbar-data.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

/// The paper's trade: the first of slot 500.
const PAPER_TRADE: &str = "500/0";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// The paper's case: one trade of 10 kWh.
    Paper,
    /// Generation well above use.
    Summer,
    /// Generation near use.
    Shoulder,
    /// Use well above generation.
    Winter,
}

impl Scenario {
    fn script(self) -> anyhow::Result<Script> {
        Ok(match self {
            Self::Paper => paper()?,
            Self::Summer => day(Season::Summer),
            Self::Shoulder => day(Season::Shoulder),
            Self::Winter => day(Season::Winter),
        })
    }
}

/// A scenario that was played.
struct Played {
    outcome: Outcome,
    wall: Duration,
    /// What the node did in this run; less than the chain has after a resume.
    node: Statistics,
    folder: PathBuf,
}

impl DemoArgs {
    /// Play.
    ///
    /// # Errors
    /// If the node, an agent or the disk fails.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let root = self.folder()?;
        match self.scenario {
            Some(scenario) => {
                let played = self.play(scenario.script()?, &root)?;
                self.show(&played, "")?;
                self.finish(&played, BTreeMap::new())
            }
            None => self.three_acts(&root),
        }
    }

    fn three_acts(&self, root: &Path) -> anyhow::Result<ExitCode> {
        let trade = self.play(Scenario::Paper.script()?, &root.join("paper"))?;
        self.show(&trade, "Act 1: the paper's trade")?;
        let summer = self.play(Scenario::Summer.script()?, &root.join("summer"))?;
        self.show(&summer, "Act 2: a real community's summer day")?;
        let malice = expose(&root.join("malice")).context("act 3")?;
        if !self.json {
            println!("{}", malice_summary(&malice));
        }
        let mut others: BTreeMap<String, bool> =
            trade.outcome.invariants.iter().map(|(name, held)| (format!("paper_{name}"), *held)).collect();
        others.insert("malicious_rule_refused".to_owned(), malice.refusal.is_some() && malice.settled == 1);
        let exposed = malice.liar.is_some_and(|lie| lie.signature_valid && lie.signed != lie.chain);
        others.insert("lying_validator_exposed".to_owned(), exposed);
        self.finish(&summer, others)
    }

    /// The data folder: the one asked for, or a fresh default.
    fn folder(&self) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.data {
            return Ok(folder.clone());
        }
        let name = self.scenario.and_then(|scenario| scenario.to_possible_value());
        let name = name.map_or_else(|| "demo".to_owned(), |value| value.get_name().to_owned());
        let folder = PathBuf::from("busbar-data").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot clear {}", folder.display()))?;
        }
        Ok(folder)
    }

    fn play(&self, script: Script, folder: &Path) -> anyhow::Result<Played> {
        let began = Instant::now();
        let slots = script.slots.1.since(script.slots.0).map_or(1, |span| u64::from(span.count()) + 1);
        let progress = Progress::start("slots settled", slots, self.json);
        let mut play = Play::open(script, Casting::default(), folder)?;
        let (settled, conserved) = (Cell::new(false), Cell::new(true));
        play.run_watching(
            |slot| {
                settled.set(true);
                progress.advance(1);
                progress.note(format!("slot {slot}"));
            },
            |state| {
                if settled.replace(false) {
                    conserved.set(conserved.get() && is_conserved(state));
                }
            },
        )?;
        drop(progress);
        let wall = began.elapsed();
        let outcome = outcome(&play, conserved.get())?;
        let node = play.chain().statistics();
        let played = Played { outcome, wall, node, folder: folder.to_owned() };
        write_bills(&played)?;
        Ok(played)
    }

    fn show(&self, played: &Played, title: &str) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        if !title.is_empty() {
            println!("{title}\n");
        }
        if played.outcome.scenario == "paper" {
            let store = Store::open(&played.folder.join("chain.redb"))?;
            println!("{}", Life::read(&store.snapshot(), PAPER_TRADE.parse()?)?);
            println!("{}", transfer_lines(&played.outcome.transfers));
        }
        println!("{}", summary(played));
        println!("{}", invariant_lines(&played.outcome));
        let folder = played.folder.display();
        println!("Bills and savings: {folder} (bills.csv, bills.json, savings.csv)");
        println!("Next: busbar trade list --data {folder}, busbar replay {folder}\n");
        Ok(())
    }

    /// Report, and turn the invariants into an exit code.
    fn finish(&self, played: &Played, others: BTreeMap<String, bool>) -> anyhow::Result<ExitCode> {
        let own = played.outcome.invariants.iter().map(|(name, held)| ((*name).to_owned(), *held));
        let all: BTreeMap<String, bool> = own.chain(others).collect();
        let held = all.values().all(|held| *held);
        if self.json {
            println!("{}", serde_json::to_string(&report(played, &all)?)?);
        } else {
            if played.outcome.scenario != "paper" {
                println!("Data: {ATTRIBUTION}");
            }
        }
        for (name, _) in all.iter().filter(|(_, held)| !**held) {
            eprintln!("busbar: invariant {name} does not hold; look at {}", played.folder.display());
        }
        Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn is_conserved(state: &Overlay) -> bool {
    use runtime_execution::modules::balances::TOTAL_ISSUANCE;
    TOTAL_ISSUANCE.get(state) == Some(Cast::money(state))
}

fn write_bills(played: &Played) -> anyhow::Result<()> {
    let open = |name: &str| -> anyhow::Result<BufWriter<File>> {
        let path = played.folder.join(name);
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(BufWriter::new(file))
    };
    write_bills_csv(&played.outcome.bills, open("bills.csv")?)?;
    write_bills_json(&played.outcome.bills, open("bills.json")?)?;
    let mut savings = csv::Writer::from_writer(open("savings.csv")?);
    savings.write_record(["household", "entity", "saved_units", "saved_yuan"])?;
    for Saved { entity, name, amount } in &played.outcome.saved {
        savings.write_record([
            name,
            &entity.to_string(),
            &amount.units().to_string(),
            &amount.to_string(),
        ])?;
    }
    savings.flush()?;
    Ok(())
}

fn per_second(count: u64, wall: Duration) -> u64 {
    let ms = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1_000) / ms
}

/// `part` of `whole` in tenths of a percent, as text.
fn percent(part: u128, whole: u128) -> String {
    match (part * 1_000).checked_div(whole) {
        Some(tenths) => format!("{}.{} %", tenths / 10, tenths % 10),
        None => "–".to_owned(),
    }
}

fn kwh(energy: Energy) -> String {
    format!("{}.{:03} kWh", energy.wh() / 1_000, energy.wh() % 1_000)
}

fn yuan(money: Money) -> String {
    format!("{money} yuan")
}

fn summary(played: &Played) -> Summary {
    let Outcome { welfare, import, prices, saved, .. } = &played.outcome;
    let outcome = &played.outcome;
    let mut table = Summary::new(format!("{}: summary", outcome.scenario));
    table.count("orders", outcome.orders).count("trades settled", outcome.trades);
    table.line("energy traded", kwh(outcome.energy));
    if let Some((low, median, high)) = prices {
        table.line("price min / median / max", format!("{low} / {median} / {high} yuan/kWh"));
    }
    table.line(
        "welfare against the optimum",
        format!("{} of {} yuan ({})", welfare.0, welfare.1, percent(welfare.0.units(), welfare.1.units())),
    );
    table.line(
        "self-sufficiency of imports",
        format!(
            "{} of {} from neighbours",
            percent(import.1.wh().into(), import.0.wh().into()),
            kwh(import.0)
        ),
    );
    let mut ranked: Vec<_> = saved.iter().collect();
    ranked.sort_by_key(|saved| (saved.amount, saved.entity));
    if let (Some(least), Some(most)) = (ranked.first(), ranked.last()) {
        let total: i128 = ranked.iter().map(|saved| saved.amount.units()).sum();
        table
            .line("saved against the retailer", format!("{} yuan", crate::report::Amount::from_units(total)));
        // busbar bill takes the entity's number.
        let told = |saved: &Saved| format!("{} yuan ({}, entity {})", saved.amount, saved.name, saved.entity);
        table.line("  least", told(least));
        table.line("  most", told(most));
    }
    table.line("network fees", yuan(outcome.fees)).line("deviation charges", yuan(outcome.deviation));
    table.count("attestations", outcome.attestations).count("votes", outcome.votes);
    table.count("blocks", outcome.blocks).count("extrinsics", outcome.extrinsics);
    if played.node.extrinsics == outcome.extrinsics {
        table.count("extrinsics per second", per_second(played.node.extrinsics, played.wall));
    } else {
        table.line("extrinsics per second", "– (the run was resumed)");
    }
    table.line("wall time", format!("{:.2?}", played.wall));
    let Statistics { verifying, executing, committing, .. } = played.node;
    table.line(
        "  signatures / execution / commits",
        format!("{verifying:.2?} / {executing:.2?} / {committing:.2?}"),
    );
    if let Some(peak) = peak_memory_bytes() {
        table.line("peak memory", format!("{} MiB", peak >> 20));
    }
    table.line("final header", outcome.final_header_hash);
    table
}

fn invariant_lines(outcome: &Outcome) -> String {
    let line = |(name, held): (&&str, &bool)| format!("  {} {name}", if *held { "✓" } else { "✗" });
    let lines: Vec<String> = outcome.invariants.iter().map(line).collect();
    format!("Invariants\n{}", lines.join("\n"))
}

fn transfer_lines(transfers: &[TransferSum]) -> String {
    let line = |sum: &TransferSum| {
        format!("  {} → {}  {} yuan  ({})", sum.from, sum.to, sum.amount, kind_name(sum.kind))
    };
    let lines: Vec<String> = transfers.iter().map(line).collect();
    format!("Transfers\n{}", lines.join("\n"))
}

fn malice_summary(malice: &Malice) -> Summary {
    let mut table = Summary::new("Act 3: malice");
    let refusal = malice.refusal.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    table.line("malicious rule", refusal);
    table.count("trades by the fallback rule", malice.settled);
    if let Some(lie) = &malice.liar {
        table.line("lying validator", format!("entity {}", lie.validator));
        table.line("it signed", lie.signed).line("the others signed", lie.chain);
        table.line("its signature", if lie.signature_valid { "valid: it is exposed" } else { "invalid" });
    }
    table
}

/// The `--json` object. Money is in units of 10⁻⁷ yuan.
#[derive(Serialize)]
struct Report<'a> {
    scenario: &'a str,
    orders: u64,
    trades: u64,
    energy_wh: u64,
    transfers: Vec<ReportTransfer<'a>>,
    bills_total: i64,
    blocks: u64,
    extrinsics: u64,
    extrinsics_per_second: u64,
    wall_seconds: f64,
    peak_memory_bytes: Option<u64>,
    final_header_hash: String,
    results_hash: String,
    slots: Vec<ReportSlot>,
    invariants: &'a BTreeMap<String, bool>,
}

#[derive(Serialize)]
struct ReportTransfer<'a> {
    from: &'a str,
    to: &'a str,
    amount: u64,
    kind: Cow<'static, str>,
}

/// What a slot came to; equal in two runs whose blocks and signatures differ.
#[derive(Serialize)]
struct ReportSlot {
    slot: u32,
    book: String,
    clearing: String,
    settlement: String,
}

impl From<&SlotResults> for ReportSlot {
    fn from(results: &SlotResults) -> Self {
        let SlotResults { slot, book, clearing, settlement } = results;
        let [book, clearing, settlement] = [book, clearing, settlement].map(ToString::to_string);
        Self { slot: slot.number(), book, clearing, settlement }
    }
}

fn report<'a>(played: &'a Played, invariants: &'a BTreeMap<String, bool>) -> anyhow::Result<Report<'a>> {
    let outcome = &played.outcome;
    let transfers = outcome.transfers.iter().map(|sum| {
        Ok(ReportTransfer {
            from: &sum.from,
            to: &sum.to,
            amount: u64::try_from(sum.amount.units()).context("an amount beyond 2^64 units")?,
            kind: kind_name(sum.kind),
        })
    });
    Ok(Report {
        scenario: &outcome.scenario,
        orders: outcome.orders,
        trades: outcome.trades,
        energy_wh: outcome.energy.wh(),
        transfers: transfers.collect::<anyhow::Result<_>>()?,
        bills_total: i64::try_from(outcome.bills_total.units()).context("a total beyond 2^63 units")?,
        blocks: outcome.blocks,
        extrinsics: outcome.extrinsics,
        extrinsics_per_second: per_second(played.node.extrinsics, played.wall),
        wall_seconds: played.wall.as_secs_f64(),
        peak_memory_bytes: peak_memory_bytes(),
        final_header_hash: outcome.final_header_hash.to_string(),
        results_hash: results_hash(&outcome.results).to_string(),
        slots: outcome.results.iter().map(ReportSlot::from).collect(),
        invariants,
    })
}
