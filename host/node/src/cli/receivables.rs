//! What entities owe and have to come, as commands show it: read from the state, one row for each debtor and creditor.

use super::remote::{Answer, address, table};
use runtime_execution::modules::balances;
use runtime_execution::modules::markets::{RECEIVABLE, Receivable};
use runtime_execution::modules::registry::{ENTITIES, KEYS};
use runtime_primitives::{AccountId, EntityId, Money};
use runtime_state::Overlay;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One debt.
#[derive(Clone, Debug)]
pub struct Debt {
    /// Who owes.
    pub debtor: EntityId,
    /// To whom, how much, since which settlement.
    pub open: Receivable,
}

/// What `debtor` owes, oldest first.
pub fn of_debtor(state: &Overlay, debtor: EntityId) -> Vec<Debt> {
    debts(RECEIVABLE.entries_under(state, &debtor))
}

fn debts(entries: BTreeMap<(EntityId, u32), Receivable>) -> Vec<Debt> {
    entries.into_iter().map(|((debtor, _), open)| Debt { debtor, open }).collect()
}

/// The sum of debts.
pub fn sum(debts: &[Debt]) -> Money {
    debts.iter().fold(Money::ZERO, |sum, debt| sum.saturating_add(debt.open.amount))
}

/// The entity that an account is the owner's of, or the account.
fn creditor(state: &Overlay, account: AccountId) -> (Option<u32>, String) {
    let entity = KEYS.get(state, &account).map(|binding| binding.entity.number());
    (entity, entity.map_or_else(|| address(account), |entity| format!("entity {entity}")))
}

/// Debts that `entity` has and that others have to it, or everybody's.
pub fn shown(state: &Overlay, entity: Option<EntityId>) -> Answer {
    let mut rows = table(["Debtor", "Creditor", "Yuan", "Settlement's record"]);
    let owner = entity.and_then(|entity| Some(ENTITIES.get(state, &entity)?.owner));
    let (mut shown, mut owes, mut to_come) = (Vec::new(), Money::ZERO, Money::ZERO);
    for Debt { debtor, open } in debts(RECEIVABLE.entries(state)) {
        let (owed, coming) = (entity == Some(debtor), owner == Some(open.creditor));
        if entity.is_some() && !owed && !coming {
            continue;
        }
        owes = if owed { owes.saturating_add(open.amount) } else { owes };
        to_come = if coming { to_come.saturating_add(open.amount) } else { to_come };
        let (number, name) = creditor(state, open.creditor);
        let (amount, record) = (open.amount.to_string(), open.origin.to_string());
        rows.add_row([format!("entity {debtor}"), name, amount.clone(), record.clone()]);
        shown.push(json!({
            "debtor": debtor.number(),
            "creditor": number,
            "creditor_account": address(open.creditor),
            "amount": amount,
            "record": record,
        }));
    }
    let mut text = if shown.is_empty() { "nothing is owed".to_owned() } else { rows.to_string() };
    let mut json = json!({ "debts": Value::from(shown) });
    if let (Some(entity), Some(owner)) = (entity, owner) {
        let free = balances::account(state, &owner).data.free;
        text = format!("entity {entity} owes {owes} yuan, has {free} free and {to_come} to come\n{text}");
        if !owes.is_zero() {
            text += "\nwho owes does not trade: busbar bank pay pays from free money";
        }
        json["entity"] = entity.number().into();
        json["owes"] = owes.to_string().into();
        json["to_come"] = to_come.to_string().into();
        json["free"] = free.to_string().into();
    }
    Answer::new(text, json)
}
