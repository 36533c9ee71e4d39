//! Terms that a market has scheduled: what they change, from which slot, and what each party says to them.
//!
//! The rule: text and JSON name a party alike, by the keys of a market's spec.

use crate::market_spec::{Change, changes};
use crate::quantity::instant_text;
use runtime_execution::modules::markets::deposits::oldest_unsettled;
use runtime_execution::modules::markets::{self, Consent, Market, Scheduled};
use runtime_primitives::{EntityId, MarketId, Slot};
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
pub fn not_running(id: MarketId, market: &Market) -> String {
    let missing = listed(&market.missing());
    format!(
        "market {id} does not run yet: entities {missing} have not agreed to its terms; busbar market agree does"
    )
}

/// What terms change; those before them are the last agreed ones. Nothing is before a market's first terms.
fn changed(state: &Overlay, market: &Market, scheduled: &Scheduled) -> Option<Vec<Change>> {
    let before =
        scheduled.from.number().checked_sub(1).and_then(|slot| market.governing(Slot::from_number(slot)))?;
    Some(changes(&markets::terms(state, &before.terms), &markets::terms(state, &scheduled.terms)))
}

/// Where terms stand: `waiting` for answers, `agreed` for slots to come, `governing` slots from the `oldest` that is not
/// settled to the next to open, or `past`.
fn standing(market: &Market, oldest: Slot, scheduled: &Scheduled) -> &'static str {
    let governing = market.governing(oldest).map(|governing| governing.from);
    match governing {
        _ if !scheduled.is_agreed() => "waiting",
        Some(from) if scheduled.from < from => "past",
        _ if scheduled.from <= market.next_slot => "governing",
        _ => "agreed",
    }
}

/// For scripts.
pub(super) fn as_json(state: &Overlay, id: MarketId, market: &Market) -> Vec<Value> {
    let oldest = oldest_unsettled(state, id, market);
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
            "standing": standing(market, oldest, scheduled),
            "changes": changed(state, market, scheduled),
            "answers": scheduled.consents.iter().map(answer).collect::<Vec<_>>(),
            "awaits": numbers(&scheduled.missing()),
        })
    };
    market.schedule.iter().map(one).collect()
}

/// For people: terms that wait, and terms for slots to come; a line a figure that changes, a line a party.
pub(super) fn text(state: &Overlay, id: MarketId, market: &Market) -> String {
    let (oldest, mut text) = (oldest_unsettled(state, id, market), String::new());
    for scheduled in &market.schedule {
        let standing = standing(market, oldest, scheduled);
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

#[cfg(test)]
mod tests {
    use super::*;
    use runtime_primitives::{AccountId, Hash, Money, Timestamp};

    #[test]
    fn terms_govern_until_their_last_slot_is_settled() {
        let slot = Slot::from_number;
        let party = EntityId::ZERO;
        let from = |number, agreed_at| {
            let consents = vec![Consent { party, agreed_at }];
            Scheduled { from: slot(number), terms: Hash::ZERO, consents }
        };
        let agreed = Some(Timestamp::ZERO);
        let market = Market {
            operator: party,
            retailer: party,
            grid: party,
            meter_operator: party,
            pool: AccountId([0; 32]),
            deposit: Money::ZERO,
            default_settlement: Hash::ZERO,
            first_slot: slot(100),
            next_slot: slot(220),
            schedule: vec![from(100, agreed), from(200, agreed), from(230, agreed), from(240, None)],
            last_declaration: Hash::ZERO,
        };
        for (oldest, expected) in [
            (100, ["governing", "governing", "agreed", "waiting"]),
            (199, ["governing", "governing", "agreed", "waiting"]),
            (200, ["past", "governing", "agreed", "waiting"]),
            (220, ["past", "governing", "agreed", "waiting"]),
        ] {
            let found: Vec<_> =
                market.schedule.iter().map(|one| standing(&market, slot(oldest), one)).collect();
            assert_eq!(found, expected, "slot {oldest} is the oldest that is not settled");
        }
    }
}
