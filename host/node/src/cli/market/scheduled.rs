//! Terms that a market has scheduled: what they change, from which slot, and what each party says to them.
//!
//! The rule: text and JSON name a party alike, by the keys of a market's spec.

use crate::market_spec::{Change, changes};
use crate::quantity::instant_text;
use runtime_execution::modules::markets::{self, Consent, Market, Scheduled};
use runtime_primitives::{EntityId, Slot};
use runtime_state::Overlay;
use serde_json::{Value, json};

/// What an entity is to a market, such as `["grid", "meter_operator"]`.
pub(super) fn parts(market: &Market, entity: EntityId) -> Vec<&'static str> {
    let all = [
        ("operator", market.operator),
        ("retailer", market.retailer),
        ("grid", market.grid),
        ("meter_operator", market.meter_operator),
    ];
    all.into_iter().filter(|(_, of)| *of == entity).map(|(name, _)| name).collect()
}

/// Entity numbers.
pub(super) fn numbers(entities: &[EntityId]) -> Vec<u32> {
    entities.iter().map(|entity| entity.number()).collect()
}

/// Entities in a sentence, such as `2, 3`.
pub(super) fn listed(entities: &[EntityId]) -> String {
    entities.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// That a market does not run, and whose answer it waits for.
pub(super) fn not_running(market: &Market) -> String {
    let missing = listed(&market.missing());
    format!("does not run: entities {missing} have not agreed to its terms; busbar market agree does")
}

/// What terms change; those before them are the last agreed ones. Nothing is before a market's first terms.
fn changed(state: &Overlay, market: &Market, scheduled: &Scheduled) -> Option<Vec<Change>> {
    let before =
        scheduled.from.number().checked_sub(1).and_then(|slot| market.governing(Slot::from_number(slot)))?;
    Some(changes(&markets::terms(state, &before.terms), &markets::terms(state, &scheduled.terms)))
}

/// Where terms stand: `waiting` for answers, `agreed` for slots to come, `governing`, or `past`.
fn standing(market: &Market, scheduled: &Scheduled) -> &'static str {
    let governing = market.governing(market.next_slot).map(|governing| governing.from);
    match governing {
        _ if !scheduled.is_agreed() => "waiting",
        Some(from) if from == scheduled.from => "governing",
        Some(from) if scheduled.from < from => "past",
        _ => "agreed",
    }
}

/// For scripts.
pub(super) fn as_json(state: &Overlay, market: &Market) -> Vec<Value> {
    let answer = |consent: &Consent| {
        json!({
            "entity": consent.party.number(),
            "as": parts(market, consent.party),
            "answer": if consent.agreed_at.is_some() { "agreed" } else { "none yet" },
            "agreed_at": consent.agreed_at.map(instant_text),
        })
    };
    let one = |scheduled: &Scheduled| {
        let terms = markets::terms(state, &scheduled.terms);
        json!({
            "from_slot": scheduled.from.number(),
            "delivery_start": instant_text(terms.delivery_start(scheduled.from)),
            "terms_hash": scheduled.terms.to_string(),
            "standing": standing(market, scheduled),
            "changes": changed(state, market, scheduled),
            "answers": scheduled.consents.iter().map(answer).collect::<Vec<_>>(),
            "awaits": numbers(&scheduled.missing()),
        })
    };
    market.schedule.iter().map(one).collect()
}

/// For people: terms that wait, and terms for slots to come; a line a figure that changes, a line a party.
pub(super) fn text(state: &Overlay, market: &Market) -> String {
    let mut text = String::new();
    for scheduled in &market.schedule {
        let standing = standing(market, scheduled);
        if !["waiting", "agreed"].contains(&standing) {
            continue;
        }
        let start = instant_text(markets::terms(state, &scheduled.terms).delivery_start(scheduled.from));
        text += &format!("{standing}: terms {} from slot {} on, {start}\n", scheduled.terms, scheduled.from);
        for Change { key, before, after } in changed(state, market, scheduled).unwrap_or_default() {
            text += &format!("  {key}: {before} -> {after}\n");
        }
        if scheduled.consents.is_empty() {
            text += "  binds the parties as before: nobody is asked\n";
        }
        for Consent { party, agreed_at } in &scheduled.consents {
            let answer = match agreed_at {
                Some(at) => format!("agreed at {}", instant_text(*at)),
                None if market.is_agreed() => {
                    format!("no answer yet; the terms lapse when slot {} opens", scheduled.from)
                }
                None => "no answer yet; the market waits".to_owned(),
            };
            text += &format!("  {} (entity {party}): {answer}\n", parts(market, *party).join(", "));
        }
    }
    text
}
