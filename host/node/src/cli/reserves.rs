//! What is held for connections, as commands show it.

use super::remote::table;
use comfy_table::Table;
use contract_interface::Terms;
use runtime_execution::modules::markets::deposits::{Backing, terms_to_come};
use runtime_execution::modules::markets::{self, MARKETS, SUPPLIED_IN};
use runtime_primitives::{EntityId, MarketId, Money};
use runtime_state::Overlay;
use serde_json::{Value, json};

/// What is held in a reserve, and what `terms` ask for.
pub fn held_and_needed(state: &Overlay, backing: Backing, terms: &Terms) -> (Money, Money) {
    let reserve = backing.get(state);
    (reserve.held, backing.needed(terms, reserve.p_max_w))
}

/// Deposits of an entity by market, and what it pre-funds as a retailer.
pub fn of_entity(state: &Overlay, entity: EntityId) -> (Table, Vec<Value>) {
    let supply = SUPPLIED_IN.get_or_default(state, &entity).into_iter();
    let supply = supply.map(|id| (id, "supply deposit", Backing::Supply(id, entity)));
    let retail = MARKETS.entries(state).into_iter().filter(|(_, market)| market.retailer == entity);
    let retail = retail.map(|(id, _)| (id, "pre-funding", Backing::Retailer(id)));
    let all: Vec<(MarketId, &str, Backing)> = supply.chain(retail).collect();
    let mut rows = table(["Market", "Held as", "Held, yuan", "Needed, yuan"]);
    let mut values = Vec::new();
    for (id, kind, backing) in all {
        let market = markets::market(state, id).expect("it is listed");
        // A market whose parties have not agreed to any terms has no meters.
        let Some(terms) = terms_to_come(state, &market) else { continue };
        let (held, needed) = held_and_needed(state, backing, &terms);
        rows.add_row([id.to_string(), kind.to_owned(), held.to_string(), needed.to_string()]);
        values.push(json!({
            "market": id.number(),
            "kind": kind,
            "held": held.to_string(),
            "needed": needed.to_string(),
        }));
    }
    (rows, values)
}
