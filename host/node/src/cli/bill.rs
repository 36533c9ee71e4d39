//! `busbar bill`: what an entity was paid and paid, from a node's archive or over RPC.

use super::remote::{self, address};
use super::slots::unopened;
use super::trade::open;
use crate::bill::{Bill, Curtailment, Hurt, Period, Records, RemoteRecords};
use crate::chain_spec::{ChainSpec, FILE_NAME};
use crate::client::{Party, Session};
use crate::export::{write_bills_csv, write_bills_json};
use crate::quantity;
use crate::report::{Amount, BillLine, OutcomeWords, kind_name, utc_date_time};
use crate::trade::Names;
use anyhow::{Context as _, bail, ensure};
use clap::Args;
use comfy_table::Table;
use host_rpc::RemoteNode;
use runtime_execution::modules::balances;
use runtime_execution::modules::markets::adjustments::Grounds;
use runtime_execution::modules::registry::Entity;
use runtime_primitives::{AccountId, Hash, Height, MarketId, Money, Slot, Timestamp};
use runtime_state::Overlay;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Show an entity's bill: every line names its trade, reading and record, and lines add up to the change of the account.
#[derive(Debug, Args)]
pub struct BillArgs {
    /// The entity: its number, or an address of one of its keys.
    entity: Party,
    /// Data folder of a node or a demo, instead of a node.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The node's RPC address, http:// or ws://; from the environment's BUSBAR_RPC if that is set.
    #[arg(long, value_name = "URL", default_value_t = remote::default_url(), conflicts_with = "data")]
    rpc: String,
    /// The chain's spec, for what accounts had at genesis [default: that of the data folder].
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// First moment, such as 2026-01-01T00:00:00Z [default: genesis].
    #[arg(long, value_name = "TIME", value_parser = quantity::instant)]
    from: Option<Timestamp>,
    /// The moment after the last [default: now].
    #[arg(long, value_name = "TIME", value_parser = quantity::instant)]
    until: Option<Timestamp>,
    /// Only payments of these slots, such as 500..595, whenever they were booked.
    #[arg(long, value_name = "A..B", value_parser = quantity::slots, conflicts_with_all = ["from", "until"])]
    slots: Option<(Slot, Slot)>,
    /// The market of these slots.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "slots")]
    market: u32,
    /// Print one JSON object: the lines, with the columns that busbar export --columns lists for bills; caps of the grid
    /// operator on its meters and on those it traded with; notes on slots that have not opened; whether the bill adds up.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print the lines as CSV, with the same columns.
    #[arg(long)]
    csv: bool,
}

impl BillArgs {
    /// Read the bill and print it.
    ///
    /// # Errors
    /// If the archive cannot be read, there is no such entity, or the bill does not add up.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let (bill, notes) = match &self.data {
            Some(data) => {
                let store = open(data)?;
                let snapshot = store.snapshot();
                let state = Overlay::new(&snapshot);
                let spec = self.spec.clone().or_else(|| data.is_dir().then(|| data.join(FILE_NAME)));
                let genesis = |account, _: &Entity| at_genesis(spec.as_deref(), account);
                self.read(&snapshot, &state, genesis)?
            }
            None => {
                let session = Session::connect(&self.rpc)?;
                let records = RemoteRecords(session.node());
                session.read(|state| {
                    let genesis = |account, entity: &Entity| match &self.spec {
                        // Whoever was admitted later began with nothing.
                        None if entity.admitted_by != Hash::ZERO => Ok(Money::ZERO),
                        None => genesis_state(&session, account),
                        Some(spec) => at_genesis(Some(spec), account),
                    };
                    self.read(&records, state, genesis)
                })??
            }
        };
        if self.json {
            print_json(&bill, &notes)?;
        } else {
            notes.iter().for_each(|note| eprintln!("busbar: {note}"));
            if self.csv {
                write_bills_csv(&bill.lines, io::stdout().lock())?;
            } else {
                print(&bill)?;
            }
        }
        ensure!(
            bill.adds_up,
            "the account's lines since genesis do not add up to what it has: archive, spec and state are not of one chain, or the \
             node began with a snapshot and has no lines of before (busbar status: history); name that chain's own spec with \
             --spec, or ask a node that has them"
        );
        Ok(ExitCode::SUCCESS)
    }

    /// The bill, and which of the slots asked for have not opened.
    fn read(
        &self,
        records: &dyn Records,
        state: &Overlay,
        genesis: impl Fn(AccountId, &Entity) -> anyhow::Result<Money>,
    ) -> anyhow::Result<(Bill, Vec<String>)> {
        let (id, entity) = self.entity.find(state)?;
        let market = Some(MarketId::from_number(self.market));
        let notes = self.slots.map_or_else(|| Ok(Vec::new()), |slots| unopened(state, market, slots))?;
        let (money, names) = (genesis(entity.owner, &entity)?, Names::of(state));
        let name = |account: &AccountId| names.account(state, account);
        Ok((Bill::read(records, state, (id, &entity), money, &self.period(), &name)?, notes))
    }

    fn period(&self) -> Period {
        if let Some((first, last)) = self.slots {
            return Period::Slots { market: MarketId::from_number(self.market), first, last };
        }
        Period::Time {
            from: self.from.unwrap_or(Timestamp::ZERO),
            until: self.until.unwrap_or(Timestamp::MAX),
        }
    }
}

/// What an account had at genesis, by the chain's spec.
fn at_genesis(spec: Option<&Path>, account: AccountId) -> anyhow::Result<Money> {
    let spec = spec.context("name the chain's spec with --spec: it says what accounts had at genesis")?;
    let (_, config) = ChainSpec::load(spec)?;
    let owned = config.entities.iter().find(|entity| entity.owner == account);
    Ok(owned.map_or(Money::ZERO, |entity| entity.balance))
}

/// What an account had at genesis, by a node that still keeps that state.
fn genesis_state(session: &Session, account: AccountId) -> anyhow::Result<Money> {
    let node = session.node();
    let genesis = node.block_hash(Height::ZERO)?.context("the node has no genesis block")?;
    let state = node.state(genesis);
    let read = || balances::account(&Overlay::new(&state), &account).data;
    match RemoteNode::reading(read) {
        Ok(money) => Ok(money.free.saturating_add(money.reserved)),
        Err(error) => {
            bail!("{error}\nname the chain's spec with --spec: it says what accounts had at genesis")
        }
    }
}

fn print_json(bill: &Bill, notes: &[String]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{{\"lines\":")?;
    write_bills_json(&bill.lines, &mut out)?;
    let caps: Vec<Value> = bill.curtailments.iter().map(capped).collect();
    let (notes, caps, adds_up) = (json!(notes), json!(caps), bill.adds_up);
    writeln!(out, ",\"curtailments\":{caps},\"notes\":{notes},\"adds_up\":{adds_up}}}")?;
    Ok(())
}

/// A cap for scripts.
fn capped(found: &Curtailment) -> Value {
    let trade =
        |hurt: &Hurt| json!({ "trade": hurt.trade, "meter": hurt.meter.number(), "short": hurt.is_short });
    json!({
        "market": found.at.0.number(),
        "slot": found.at.1.number(),
        "meter": found.record.meter.number(),
        "own": found.trades.is_empty(),
        "trades": found.trades.iter().map(trade).collect::<Vec<_>>(),
        "cap_wh": found.record.cap.wh(),
        "before_gate": found.record.before_gate,
        "reason": found.record.reason,
    })
}

/// A cap for people.
fn cap_words(found: &Curtailment) -> String {
    let ((market, slot), words) = (found.at, Curtailment::words(&found.record));
    let trades: Vec<String> = found.trades.iter().map(|hurt| hurt.trade.to_string()).collect();
    let whose = if trades.is_empty() {
        String::new()
    } else {
        format!(", the other side of trade {},", trades.join(", "))
    };
    format!("{market}/{slot}: meter {}{whose} was {words}", found.record.meter)
}

/// The kind of a line, and what became of its trade if that is less than was agreed.
fn what(bill: &Bill, line: &BillLine) -> String {
    if bill.curtailments.iter().any(|found| found.explains(line)) {
        return format!("{}, trade curtailed", kind_name(line.kind));
    }
    let OutcomeWords { outcome, reason, .. } = OutcomeWords::of(line.outcome);
    let kind = kind_name(line.kind);
    match (outcome, reason) {
        (Some(outcome), Some(_)) => format!("{kind}, {outcome}"),
        _ => kind.into_owned(),
    }
}

/// The first digits of a hash.
fn short(hash: &Hash) -> String {
    let text = hash.to_string();
    text.get(..10).unwrap_or(&text).to_owned()
}

/// The trade as busbar trade show takes it, or the slot of a line about none.
fn about(line: &BillLine) -> String {
    match (line.market, line.slot, line.trade) {
        (Some(market), Some(slot), Some(trade)) => format!("{market}/{slot}/{trade}"),
        (Some(market), Some(slot), None) => format!("{market}/{slot}"),
        _ => String::new(),
    }
}

/// The reading of a line, and that it was not plainly measured.
fn reading(line: &BillLine) -> String {
    let Some(reading) = line.reading else { return String::new() };
    match reading.status {
        None | Some("measured") => short(&reading.hash),
        Some(status) => format!("{} {status}", short(&reading.hash)),
    }
}

fn rows(bill: &Bill) -> Table {
    let header = ["Time", "What", "Trade", "Meter", "Wh", "Reading", "With", "Yuan", "Record"];
    let mut table = remote::table(header);
    for line in &bill.lines {
        table.add_row([
            utc_date_time(line.time),
            what(bill, line),
            about(line),
            line.meter.map_or_else(String::new, |meter| meter.to_string()),
            line.energy.map_or_else(String::new, |energy| energy.wh().to_string()),
            reading(line),
            line.counterparty.name.clone(),
            line.amount.to_string(),
            short(&line.record),
        ]);
    }
    table
}

fn print(bill: &Bill) -> io::Result<()> {
    let mut kinds: BTreeMap<u8, (u32, Amount)> = BTreeMap::new();
    for line in &bill.lines {
        let sum = kinds.entry(line.kind).or_default();
        *sum = (sum.0 + 1, sum.1.checked_add(line.amount).unwrap_or(sum.1));
    }
    let mut out = io::stdout().lock();
    let number = format!("entity {}", bill.entity);
    let whose = if bill.name == number { number } else { format!("{} ({number})", bill.name) };
    writeln!(out, "Bill of {whose}, account {}, up to block {}", address(bill.account), bill.height)?;
    if !bill.lines.is_empty() {
        writeln!(out, "{}", rows(bill))?;
    }
    for line in &bill.lines {
        if let Some(Grounds { evidence, reason }) = line.grounds {
            writeln!(out, "{}: reason {reason}, evidence {evidence}", short(&line.record))?;
        }
    }
    for found in &bill.curtailments {
        writeln!(out, "{}", cap_words(found))?;
    }
    let mut row = |what: &str, lines: &str, amount: Amount| {
        writeln!(out, "{what:<24} {lines:>10} {:>24} yuan", amount.to_string())
    };
    if let Some(opening) = bill.opening {
        row("before, free and held", "", opening)?;
    }
    for (kind, (lines, amount)) in kinds {
        row(&kind_name(kind), &format!("{lines} lines"), amount)?;
    }
    row("total", &format!("{} lines", bill.lines.len()), bill.total)?;
    if let Some(closing) = bill.closing {
        row("after, free and held", "", closing)?;
    }
    if bill.adds_up {
        writeln!(out, "All lines since genesis add up to what the account has, to the unit.")?;
    }
    Ok(())
}
