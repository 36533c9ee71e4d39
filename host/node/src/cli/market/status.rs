//! `busbar market status | list`: where markets and their slots stand.

use super::scheduled;
use crate::agent::Desk;
use crate::bill::Curtailment;
use crate::cli::book;
use crate::cli::remote::{Answer, NodeArgs, table};
use crate::cli::reserves::held_and_needed;
use crate::client::Session;
use crate::market_spec::RuleSource;
use crate::quantity::instant_text;
use crate::report::utc_clock;
use anyhow::Context as _;
use clap::Args;
use parity_scale_codec::DecodeAll;
use runtime_execution::archive::{CurtailRecord, slot_key, tables};
use runtime_execution::modules::attestation::BALLOTS;
use runtime_execution::modules::markets::deposits::Backing;
use runtime_execution::modules::markets::{
    self, At, LISTS_POSTED, Live, MARKETS, METERS_OF, Market, SLOTS, SlotRecord, VoidReason,
};
use runtime_execution::modules::registry::METERS;
use runtime_execution::modules::timestamp;
use runtime_primitives::{Hash, MarketId, Slot, Timestamp};
use runtime_state::Overlay;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Slots that are shown around the one that delivers.
const SLOTS_SHOWN_MAX: u32 = 12;
/// Caps of a slot that are shown to people.
const CAPS_SHOWN_MAX: usize = 20;

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
        let session = self.node.session()?;
        let slot = self.slot.map(Slot::from_number);
        let caps = slot.map_or_else(|| Ok(Vec::new()), |slot| caps(&session, (id, slot)))?;
        let answer = session.read(|state| {
            let market = markets::market(state, id)?;
            match slot {
                Some(slot) => one_slot(state, (id, slot), &caps),
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

/// Caps of the grid operator in the slot, in the order of meters and blocks.
fn caps(session: &Session, at: At) -> anyhow::Result<Vec<CurtailRecord>> {
    let rows = session.node().archive(tables::CURTAIL, &slot_key(at))?;
    let decoded = rows.iter().map(|row| CurtailRecord::decode_all(&mut &row.value[..]));
    let mut caps =
        decoded.collect::<Result<Vec<_>, _>>().ok().context("the node's archive has another format")?;
    caps.sort_by_key(|cap| (cap.meter, cap.height));
    Ok(caps)
}

fn caps_text(caps: &[CurtailRecord]) -> String {
    let mut text = String::new();
    for cap in caps.iter().take(CAPS_SHOWN_MAX) {
        text += &format!("meter {} is {}\n", cap.meter, Curtailment::words(cap));
    }
    match caps.len().saturating_sub(CAPS_SHOWN_MAX) {
        0 => text,
        more => format!("{text}and {more} caps more: --json lists all\n"),
    }
}

fn caps_json(state: &Overlay, caps: &[CurtailRecord]) -> Vec<Value> {
    let one = |cap: &CurtailRecord| {
        json!({
            "meter": cap.meter.number(),
            "entity": METERS.get(state, &cap.meter).map(|meter| meter.entity.number()),
            "cap_wh": cap.cap.wh(),
            "before_gate": cap.before_gate,
            "reason": cap.reason,
        })
    };
    caps.iter().map(one).collect()
}

/// Why the trades of a slot are void, and what to do about it.
fn void_words(market: MarketId, reason: VoidReason) -> String {
    let why = match reason {
        VoidReason::NoClearing => {
            "the matching rule and its fallback both failed: busbar market try shows why".to_owned()
        }
        VoidReason::NotCertified => "validators did not certify its clearing in time".to_owned(),
        VoidReason::NoDeposit => {
            let more = format!("busbar market top-up YUAN --market {market}");
            format!("the market's deposit did not pay for its steps: the operator adds to it by {more}")
        }
        VoidReason::TooLate => "an outage pushed its gate past its delivery".to_owned(),
    };
    format!("void ({reason:?}): {why}\n")
}

/// One slot: its record, its book and its trades as long as they are in the state.
fn one_slot(state: &Overlay, at: At, caps: &[CurtailRecord]) -> anyhow::Result<Answer> {
    markets::live(state, at)?;
    let desk = Desk::open(state, at).context("the slot has opened")?;
    let Live { slot: record, terms, .. } = desk.live();
    let mut json = of_slot(at.1, record);
    // Once the slot is settled, its orders and trades are in the archive alone.
    let (trades, orders) = (book::trades(&desk.matches()), book::orders(&desk, None));
    let archived =
        "orders and trades are in the archive: busbar trade list, busbar export --data DIR, with the node stopped \
         or on a copy of its folder"
            .to_owned();
    let shown = orders.as_ref().map_or(archived, |orders| format!("{}\n{}", orders.rows, trades.rows));
    let lists = LISTS_POSTED.get_or_default(state, &at);
    let ballots = BALLOTS.entries(state).into_keys().filter(|key| (key.0, key.1) == at).count();
    let by = cleared_by(record).map_or_else(String::new, |rule| format!("\ncleared by {rule}"));
    let void = record.void.map_or_else(String::new, |reason| void_words(at.0, reason));
    let told = format!("{void}{}", caps_text(caps));
    let text = format!(
        "slot {} of market {}: {:?} since {}, delivery {} to {}\n\
         {} orders, {} trades ({} answers missing), {} of {} meters unread, {lists} lists, {ballots} open votes{by}\n{told}{shown}",
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
    json["caps"] = caps_json(state, caps).into();
    Ok(Answer::new(text, json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_void_slot_says_why_and_what_to_do() {
        let market = MarketId::from_number(3);
        let words = |reason| void_words(market, reason);
        let deposit = words(VoidReason::NoDeposit);
        assert!(deposit.starts_with("void (NoDeposit): "), "{deposit}");
        assert!(deposit.contains("busbar market top-up YUAN --market 3"), "{deposit}");
        assert!(words(VoidReason::NoClearing).contains("busbar market try"));
        assert!(words(VoidReason::NotCertified).contains("validators did not certify"));
        assert!(words(VoidReason::TooLate).contains("outage"));
    }
}
