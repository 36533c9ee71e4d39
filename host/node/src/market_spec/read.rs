//! From a document to a spec.

use super::document::{Document, Problem};
use super::faults::fault;
use super::rule::RuleSource;
use super::{First, MarketSpec, Rules};
use crate::files::{MARKET_SPEC_BYTES_MAX, text_at_most};
use crate::quantity::{self, QuantityError};
use crate::rules::RuleKind;
use contract_interface::{Fee, FeederFee, Limits, Rates, Terms, Windows};
use runtime_execution::modules::markets::registration::faults;
use runtime_primitives::{EntityId, FeederId, Price, Slot, Timestamp};
use std::path::Path;
use std::str::FromStr;

/// Bytes of a market's name and of its description.
const TEXT_BYTES_MAX: usize = 1_000;

/// Read the spec in the file at `path`.
///
/// # Errors
/// All [`Problem`]s of the spec.
pub fn load(path: &Path) -> anyhow::Result<Result<MarketSpec, Vec<Problem>>> {
    let text = text_at_most(path, MARKET_SPEC_BYTES_MAX);
    let text = text.map_err(|error| {
        anyhow::anyhow!("{}: {error}; `busbar market spec new > FILE` writes a spec", path.display())
    })?;
    Ok(read(&text, path.parent().unwrap_or(Path::new(""))))
}

/// Read a spec; files in it are relative to `folder`.
///
/// # Errors
/// All [`Problem`]s of the spec, by place.
pub fn read(text: &str, folder: &Path) -> Result<MarketSpec, Vec<Problem>> {
    let mut document = Document::parse(text);
    let spec = spec(&mut document, folder);
    if let Some(spec) = &spec {
        for found in faults(&spec.terms) {
            fault(&mut document, &spec.terms, found);
        }
    }
    let problems = document.finish();
    spec.filter(|_| problems.is_empty()).ok_or(problems)
}

/// Every part is read before any is missed, so that all problems show.
fn spec(document: &mut Document, folder: &Path) -> Option<MarketSpec> {
    let name = document.value("name", short_text);
    let description = document.value("description", short_text);
    let retailer = document.value("parties.retailer", entity);
    let grid = document.value("parties.grid", entity);
    let meter_operator = document.value("parties.meter_operator", entity);
    let minutes = document.value("slots.length", slot_minutes);
    let zero = document.value("slots.zero", quantity::instant);
    let billing = document.value("slots.billing", whole::<u32>);
    let deposit_slots = document.value("slots.deposit", whole::<u16>);
    let windows = windows(document);
    let limits = limits(document);
    let rates = rates(document);
    let fees = document.value("fees.feeders", feeder_fees);
    let rules = rules(document, folder);
    let deposit = document.value("deposit.amount", quantity::money);
    let first = match (minutes, zero) {
        (Some(minutes), Some(zero)) => document.value("slots.first", |text| first(text, minutes, zero)),
        _ => document.value("slots.first", |_| Ok::<_, QuantityError>(First::Next)),
    };
    let rules = rules?;
    let terms = Terms {
        slot_minutes: minutes?,
        slot_zero: zero?,
        windows: windows?,
        limits: limits?,
        rates: rates?,
        fees: fees?,
        billing_slots: billing?,
        deposit_slots: deposit_slots?,
        bid: rules.bid.hash(),
        matching: rules.matching.hash(),
        settlement: rules.settlement.hash(),
        fallback: rules.fallback.hash(),
    };
    Some(MarketSpec {
        name: name?,
        description: description?,
        retailer: retailer?,
        grid: grid?,
        meter_operator: meter_operator?,
        first: first?,
        deposit: deposit?,
        terms,
        rules,
    })
}

fn windows(document: &mut Document) -> Option<Windows> {
    let mut seconds = |key: &str| document.value(&format!("windows.{key}"), quantity::seconds);
    let [open, gate, reveal, confirm, certify] =
        ["open_before", "gate_before", "reveal", "confirm", "certify_before"].map(&mut seconds);
    let [readings, voting, objection, dispute] =
        ["readings", "voting", "objection", "dispute"].map(&mut seconds);
    Some(Windows {
        open_before_s: open?,
        gate_before_s: gate?,
        reveal_s: reveal?,
        confirm_s: confirm?,
        certify_before_s: certify?,
        readings_s: readings?,
        voting_s: voting?,
        objection_s: objection?,
        dispute_s: dispute?,
    })
}

fn limits(document: &mut Document) -> Option<Limits> {
    let [tick, low, high] =
        ["tick", "price_min", "price_max"].map(|key| price(document, &format!("limits.{key}")));
    let [slot, entity] = ["orders_per_slot", "orders_per_entity"]
        .map(|key| document.value(&format!("limits.{key}"), whole::<u32>));
    Some(Limits {
        tick_size: tick?,
        price_min: low?,
        price_max: high?,
        orders_per_slot: slot?,
        orders_per_entity: entity?,
    })
}

fn rates(document: &mut Document) -> Option<Rates> {
    let [feed_in, retail, deviation, buyer, seller] =
        ["rates.feed_in", "rates.retail", "rates.deviation", "fees.buyer", "fees.seller"]
            .map(|key| price(document, key));
    let tolerance = document.value("rates.tolerance", quantity::energy);
    let share = document.value("rates.tolerance_share", quantity::basis_points);
    Some(Rates {
        feed_in: feed_in?,
        retail: retail?,
        fee: Fee { buyer: buyer?, seller: seller? },
        deviation: deviation?,
        tol_wh: tolerance?,
        tol_bp: share?,
    })
}

/// Fees between feeders, such as `1>2 0.03/0.01, 2>1 0.02/0`: seller's and buyer's feeder, buyer's and seller's part.
fn feeder_fees(text: &str) -> Result<Vec<FeederFee>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let mut fees: Vec<FeederFee> = parts.map(feeder_fee).collect::<Result<_, _>>()?;
    fees.sort_by_key(FeederFee::pair);
    Ok(fees)
}

fn feeder_fee(part: &str) -> Result<FeederFee, String> {
    let wrong = || format!("`{part}` is no pair with its fee; write it like \"1>2 0.03/0.01\"");
    let (pair, fee) = part.split_once(' ').ok_or_else(wrong)?;
    let (seller, buyer) = pair.split_once('>').ok_or_else(wrong)?;
    let (of_buyer, of_seller) = fee.trim().split_once('/').ok_or_else(wrong)?;
    let feeder = |text: &str| text.parse().map(FeederId::from_number).map_err(|_| wrong());
    let price = |text| quantity::price(text).map_err(|_| wrong());
    let fee = Fee { buyer: price(of_buyer)?, seller: price(of_seller)? };
    Ok(FeederFee { seller: feeder(seller)?, buyer: feeder(buyer)?, fee })
}

fn rules(document: &mut Document, folder: &Path) -> Option<Rules> {
    let [bid, matching, settlement, fallback] = [
        ("bid", RuleKind::Bid),
        ("matching", RuleKind::Matching),
        ("settlement", RuleKind::Settlement),
        ("fallback", RuleKind::Matching),
    ]
    .map(|(key, kind)| {
        document.value(&format!("rules.{key}"), |text| RuleSource::find(text, folder)?.of_kind(kind))
    });
    Some(Rules { bid: bid?, matching: matching?, settlement: settlement?, fallback: fallback? })
}

fn price(document: &mut Document, key: &str) -> Option<Price> {
    document.value(key, quantity::price)
}

fn short_text(text: &str) -> Result<String, String> {
    match text.len() {
        1..=TEXT_BYTES_MAX => Ok(text.to_owned()),
        found => Err(format!("{found} bytes; write 1 to {TEXT_BYTES_MAX}")),
    }
}

fn entity(text: &str) -> Result<EntityId, String> {
    whole(text).map(EntityId::from_number)
}

fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "no whole number that fits; write digits alone".to_owned())
}

fn slot_minutes(text: &str) -> Result<u16, String> {
    let seconds = quantity::seconds(text).map_err(|error| error.to_string())?;
    let minutes = u16::try_from(seconds / 60).ok().filter(|_| seconds.is_multiple_of(60));
    minutes.ok_or_else(|| "slots last whole minutes, at most 24 h; write \"15 min\"".to_owned())
}

/// A slot by its number, by its delivery start, or the next.
fn first(text: &str, minutes: u16, zero: Timestamp) -> Result<First, String> {
    if text == "next" {
        return Ok(First::Next);
    }
    if let Ok(number) = text.parse() {
        return Ok(First::Slot(Slot::from_number(number)));
    }
    let help =
        "write \"next\", a slot's number, or a delivery start on the grid of slots.zero and slots.length";
    let time = quantity::instant(text).map_err(|_| format!("no slot; {help}"))?;
    let (slot_ms, since) = (u64::from(minutes) * 60_000, time.ms().checked_sub(zero.ms()));
    let number = since.filter(|ms| slot_ms > 0 && ms.is_multiple_of(slot_ms)).map(|ms| ms / slot_ms);
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.map(|number| First::Slot(Slot::from_number(number))).ok_or_else(|| format!("off the grid; {help}"))
}
