//! From a spec to a document: the default one with other values, so that every key keeps its comment.

use super::{DEFAULT, First, MarketSpec, Rules};
use crate::quantity::{energy_text, instant_text, money_text, price_text, seconds_text, share_text};
use contract_interface::{FeederFee, Terms};
use serde::Serialize;
use std::collections::BTreeMap;

/// The spec as a document that reads back as the same spec.
pub fn write(spec: &MarketSpec) -> String {
    let mut values = values(spec);
    let mut text = String::new();
    let mut section = "";
    for line in DEFAULT.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        }
        let key = line.split_once(" = ").map_or("", |(name, _)| name);
        let path = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
        match values.remove(&path) {
            Some(value) => text += &format!("{key} = {value}\n"),
            None => text += &format!("{line}\n"),
        }
    }
    debug_assert!(values.is_empty(), "the default spec has every key");
    text
}

/// A figure of terms that others have otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The key of a spec, with its section: `rates.retail`.
    pub key: &'static str,
    /// As it was.
    pub before: String,
    /// As it is to be.
    pub after: String,
}

/// What a spec with the terms `after` says otherwise than one with `before`, in a spec's order.
pub fn changes(before: &Terms, after: &Terms) -> Vec<Change> {
    let text = |value: &str| value.trim_matches('"').to_owned();
    let pairs =
        of_terms(before, &Rules::of_terms(before)).into_iter().zip(of_terms(after, &Rules::of_terms(after)));
    pairs
        .filter(|(before, after)| before.1 != after.1)
        .map(|((key, before), (_, after))| Change { key, before: text(&before), after: text(&after) })
        .collect()
}

fn values(spec: &MarketSpec) -> BTreeMap<String, String> {
    let first = match spec.first {
        First::Next => quoted("next"),
        First::Slot(slot) => slot.to_string(),
    };
    let rows = [
        ("name", quoted(&spec.name)),
        ("description", quoted(&spec.description)),
        ("parties.retailer", spec.retailer.to_string()),
        ("parties.grid", spec.grid.to_string()),
        ("parties.meter_operator", spec.meter_operator.to_string()),
        ("slots.first", first),
        ("deposit.amount", quoted(&money_text(spec.deposit))),
    ];
    let all = rows.into_iter().chain(of_terms(&spec.terms, &spec.rules));
    all.map(|(key, value)| (key.to_owned(), value)).collect()
}

/// What terms say, by the keys of a spec.
fn of_terms(terms: &Terms, rules: &Rules) -> Vec<(&'static str, String)> {
    let (windows, limits, rates) = (&terms.windows, &terms.limits, &terms.rates);
    let pair = |listed: &FeederFee| {
        let [buyer, seller] = [listed.fee.buyer, listed.fee.seller].map(price_text);
        format!("{}>{} {buyer}/{seller}", listed.seller, listed.buyer)
    };
    let feeders = terms.fees.iter().map(pair).collect::<Vec<_>>().join(", ");
    vec![
        ("slots.length", quoted(&seconds_text(u32::from(terms.slot_minutes) * 60))),
        ("slots.zero", quoted(&instant_text(terms.slot_zero))),
        ("slots.billing", terms.billing_slots.to_string()),
        ("slots.deposit", terms.deposit_slots.to_string()),
        ("windows.open_before", quoted(&seconds_text(windows.open_before_s))),
        ("windows.gate_before", quoted(&seconds_text(windows.gate_before_s))),
        ("windows.reveal", quoted(&seconds_text(windows.reveal_s))),
        ("windows.confirm", quoted(&seconds_text(windows.confirm_s))),
        ("windows.certify_before", quoted(&seconds_text(windows.certify_before_s))),
        ("windows.readings", quoted(&seconds_text(windows.readings_s))),
        ("windows.voting", quoted(&seconds_text(windows.voting_s))),
        ("windows.objection", quoted(&seconds_text(windows.objection_s))),
        ("windows.dispute", quoted(&seconds_text(windows.dispute_s))),
        ("limits.tick", quoted(&price_text(limits.tick_size))),
        ("limits.price_min", quoted(&price_text(limits.price_min))),
        ("limits.price_max", quoted(&price_text(limits.price_max))),
        ("limits.orders_per_slot", limits.orders_per_slot.to_string()),
        ("limits.orders_per_entity", limits.orders_per_entity.to_string()),
        ("rates.feed_in", quoted(&price_text(rates.feed_in))),
        ("rates.retail", quoted(&price_text(rates.retail))),
        ("rates.deviation", quoted(&price_text(rates.deviation))),
        ("rates.tolerance", quoted(&energy_text(rates.tol_wh))),
        ("rates.tolerance_share", quoted(&share_text(rates.tol_bp))),
        ("fees.buyer", quoted(&price_text(rates.fee.buyer))),
        ("fees.seller", quoted(&price_text(rates.fee.seller))),
        ("fees.feeders", quoted(&feeders)),
        ("rules.bid", quoted(&rules.bid.to_string())),
        ("rules.matching", quoted(&rules.matching.to_string())),
        ("rules.settlement", quoted(&rules.settlement.to_string())),
        ("rules.fallback", quoted(&rules.fallback.to_string())),
    ]
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
