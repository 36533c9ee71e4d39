//! `busbar market status | list`: where markets and their slots stand.

use super::scheduled;
use crate::agent::Desk;
use crate::cli::book;
use crate::cli::remote::{Answer, NodeArgs, table};
use crate::cli::reserves::held_and_needed;
use crate::market_spec::RuleSource;
use crate::quantity::instant_text;
use crate::report::utc_clock;
use anyhow::Context as _;
use clap::Args;
use runtime_execution::modules::attestation::BALLOTS;
use runtime_execution::modules::markets::deposits::Backing;
use runtime_execution::modules::markets::{
    self, At, LISTS_POSTED, Live, MARKETS, METERS_OF, Market, SLOTS, SlotRecord,
};
use runtime_execution::modules::timestamp;
use runtime_primitives::{Hash, MarketId, Slot, Timestamp};
use runtime_state::Overlay;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Slots that are shown around the one that delivers.
const SLOTS_SHOWN_MAX: u32 = 12;

/// List markets.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    node: NodeArgs,
}

/// Show where a market stands, or one of its slots.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    /// Show this slot, with its book and its trades.
    #[arg(long, value_name = "N")]
    slot: Option<u32>,
    #[command(flatten)]
    node: NodeArgs,
}

impl ListArgs {
    /// Print the markets.
    ///
    /// # Errors
    /// If the node does not answer.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let answer = self.node.session()?.read(|state| {
            let mut rows =
                table(["Market", "Operator", "Retailer", "Grid", "Slot", "Next to open", "Matching"]);
            let mut all = Vec::new();
            for (id, market) in MARKETS.entries(state) {
                let json = of_market(state, id, &market);
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                rows.add_row(
                    ["market", "operator", "retailer", "grid", "slot_minutes", "next_slot", "matching"]
                        .map(|name| text(&json[name])),
                );
                all.push(json);
            }
            Answer::new(rows.to_string(), all.into())
        })?;
        self.node.print(&answer);
        Ok(ExitCode::SUCCESS)
    }
}

impl StatusArgs {
    /// Print where the market or the slot stands.
    ///
    /// # Errors
    /// If the node does not answer, or there is no such market or slot.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let id = MarketId::from_number(self.market);
        let answer = self.node.session()?.read(|state| {
            let market = markets::market(state, id)?;
            match self.slot.map(Slot::from_number) {
                Some(slot) => one_slot(state, (id, slot)),
                None => Ok(whole(state, id, &market)),
            }
        })??;
        self.node.print(&answer);
        Ok(ExitCode::SUCCESS)
    }
}

fn of_market(state: &Overlay, id: MarketId, market: &Market) -> Value {
    let governing = market.governing(market.next_slot).unwrap_or(&market.schedule[0]);
    let terms = markets::terms(state, &governing.terms);
    let (held, needed) = held_and_needed(state, Backing::Retailer(id), &terms);
    json!({
        "market": id.number(),
        "operator": market.operator.number(),
        "retailer": market.retailer.number(),
        "grid": market.grid.number(),
        "meter_operator": market.meter_operator.number(),
        "missing": scheduled::numbers(&market.missing()),
        "slot_minutes": terms.slot_minutes,
        "first_slot": market.first_slot.number(),
        "next_slot": market.next_slot.number(),
        "deposit": market.deposit.to_string(),
        "deposit_slots": terms.deposit_slots,
        "prefunding": { "held": held.to_string(), "needed": needed.to_string() },
        "matching": RuleSource::of_hash(&terms.matching).to_string(),
        "fallback": RuleSource::of_hash(&terms.fallback).to_string(),
        "meters": METERS_OF.get_or_default(state, &id).len(),
        "schedule": scheduled::as_json(state, id, market),
    })
}

/// The market and the slots that live around now.
fn whole(state: &Overlay, id: MarketId, market: &Market) -> Answer {
    let mut json = of_market(state, id, market);
    let now = timestamp::NOW.get(state).unwrap_or_default();
    let mut rows = table(["Slot", "Delivery", "State", "Since", "Orders", "Trades", "Cleared by"]);
    let mut all: Vec<Value> = Vec::new();
    let terms = markets::terms(state, &market.schedule[0].terms);
    let passed = now.ms().saturating_sub(terms.slot_zero.ms()) / terms.slot_ms();
    let delivering = u32::try_from(passed).unwrap_or(u32::MAX);
    let first = delivering.saturating_sub(SLOTS_SHOWN_MAX / 2).max(market.first_slot.number());
    let last = market.next_slot.number().min(first.saturating_add(SLOTS_SHOWN_MAX));
    for slot in (first..last).map(Slot::from_number) {
        let Some(record) = SLOTS.get(state, &(id, slot)) else { continue };
        rows.add_row([
            slot.to_string(),
            instant_text(terms.delivery_start(slot)),
            format!("{:?}", record.state),
            utc_clock(Timestamp::from_ms(record.entered_at.ms() / 1_000 * 1_000)),
            record.orders.to_string(),
            record.trades.to_string(),
            cleared_by(&record).unwrap_or_default(),
        ]);
        all.push(of_slot(slot, &record));
    }
    let text = format!(
        "market {id}: operator {}, retailer {}, grid {}, meter_operator {}; {} meters, deposit {} yuan\n\
         the retailer has pre-funded {} of {} yuan; supply deposits cover {} slots\n\
         slots of {} min, next to open {}; matching {}, fallback {}; chain time {}\n{}{rows}",
        json["operator"],
        json["retailer"],
        json["grid"],
        json["meter_operator"],
        json["meters"],
        market.deposit,
        json["prefunding"]["held"].as_str().unwrap_or_default(),
        json["prefunding"]["needed"].as_str().unwrap_or_default(),
        json["deposit_slots"],
        json["slot_minutes"],
        market.next_slot,
        json["matching"].as_str().unwrap_or_default(),
        json["fallback"].as_str().unwrap_or_default(),
        instant_text(now),
        scheduled::text(state, id, market),
    );
    json["time"] = instant_text(now).into();
    json["slots"] = all.into();
    Answer::new(text, json)
}

/// The rule that cleared the slot, as a spec names it; nothing before.
fn cleared_by(record: &SlotRecord) -> Option<String> {
    (record.cleared_by != Hash::ZERO).then(|| RuleSource::of_hash(&record.cleared_by).to_string())
}

fn of_slot(slot: Slot, record: &SlotRecord) -> Value {
    json!({
        "slot": slot.number(),
        "state": format!("{:?}", record.state),
        "since": instant_text(record.entered_at),
        "due": record.due.map(instant_text),
        "void": record.void.map(|reason| format!("{reason:?}")),
        "orders": record.orders,
        "trades": record.trades,
        "unconfirmed": record.pending,
        "meters": record.meters,
        "unread": record.unread,
        "cleared_by": cleared_by(record),
        "fallback": record.fallback,
        "terms_hash": record.terms.to_string(),
    })
}

/// One slot: its record, its book and its trades as long as they are in the state.
fn one_slot(state: &Overlay, at: At) -> anyhow::Result<Answer> {
    markets::live(state, at)?;
    let desk = Desk::open(state, at).context("the slot has opened")?;
    let Live { slot: record, terms, .. } = desk.live();
    let mut json = of_slot(at.1, record);
    // Once the slot is settled, its orders and trades are in the archive alone.
    let (trades, orders) = (book::trades(&desk.matches()), book::orders(&desk, None));
    let archived =
        "orders and trades are in the archive: busbar trade list, busbar export --data DIR".to_owned();
    let shown = orders.as_ref().map_or(archived, |orders| format!("{}\n{}", orders.rows, trades.rows));
    let lists = LISTS_POSTED.get_or_default(state, &at);
    let ballots = BALLOTS.entries(state).into_keys().filter(|key| (key.0, key.1) == at).count();
    let by = cleared_by(record).map_or_else(String::new, |rule| format!("\ncleared by {rule}"));
    let text = format!(
        "slot {} of market {}: {:?} since {}, delivery {} to {}\n\
         {} orders, {} trades ({} answers missing), {} of {} meters unread, {lists} lists, {ballots} open votes{by}\n{shown}",
        at.1,
        at.0,
        record.state,
        instant_text(record.entered_at),
        instant_text(terms.delivery_start(at.1)),
        instant_text(terms.delivery_end(at.1)),
        record.orders,
        record.trades,
        record.pending,
        record.unread,
        record.meters,
    );
    json["book"] = orders.map(|orders| orders.all).into();
    json["trade_list"] = trades.all.into();
    json["lists"] = lists.into();
    Ok(Answer::new(text, json))
}
