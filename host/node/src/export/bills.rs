//! The lines of bills: every movement of money as its payer and its payee see it, in the order of booking.
//!
//! The rule: an entity's lines without a selection of slots are all its lines, so they add up to what its account has
//! gained or lost since genesis, free and held together.

use super::{Cell, ExportError, Scope};
use crate::bill::{BillError, Lines, Movement, movements};
use crate::report::{BillLine, OutcomeWords, kind_name};
use contract_interface::TransferRecord;
use host_storage::Snapshot;
use runtime_execution::modules::registry::ENTITIES;
use runtime_primitives::{AccountId, EntityId, Timestamp};
use runtime_state::Overlay;
use std::collections::BTreeMap;

/// Give every selected line to `take`.
pub(super) fn each(
    snapshot: &Snapshot,
    scope: &Scope,
    mut take: impl FnMut(Vec<Cell>) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let state = Overlay::new(snapshot);
    let entities = ENTITIES.entries(&state).into_iter();
    let owners: BTreeMap<AccountId, EntityId> = entities.map(|(id, entity)| (entity.owner, id)).collect();
    let starts: BTreeMap<_, _> = scope.slots.iter().map(|slot| (slot.at, slot.starts)).collect();
    let mut lines = Lines::new(snapshot, &state);
    for movement in movements(snapshot, &state)? {
        let movement = movement?;
        let starts = movement.record.slot.and_then(|at| starts.get(&at).copied());
        if starts.is_none() && !scope.is_whole {
            continue;
        }
        for account in parties(&movement.record) {
            let Some(entity) = owners.get(&account).copied() else { continue };
            if scope.entity.is_some_and(|only| only != entity) {
                continue;
            }
            let line = lines.line_of(&movement, &account, entity, &|account| account.to_string())?;
            let Some(line) = line else { continue };
            take(row(&movement, &line, &owners, starts)?)?;
        }
    }
    Ok(())
}

/// The accounts between which money moved; one if it stayed.
fn parties(record: &TransferRecord) -> impl Iterator<Item = AccountId> + use<> {
    let payee = (record.payee != record.payer).then_some(record.payee);
    std::iter::once(record.payer).chain(payee)
}

fn row(
    movement: &Movement,
    line: &BillLine,
    owners: &BTreeMap<AccountId, EntityId>,
    starts: Option<Timestamp>,
) -> Result<Vec<Cell>, ExportError> {
    let record = &movement.record;
    let paid = line.amount.units() < 0;
    let (account, counterparty) =
        if paid { (record.payer, record.payee) } else { (record.payee, record.payer) };
    let number = |number: Option<u32>| number.map_or(Cell::None, |number| Cell::Number(number.into()));
    let word = |word: Option<&str>| word.map_or(Cell::None, |word| Cell::Text(word.to_owned()));
    let OutcomeWords { outcome, reason, party } = OutcomeWords::of(line.outcome);
    Ok(vec![
        Cell::Number(movement.height.number()),
        Cell::Time(line.time),
        Cell::Number(line.entity.number().into()),
        Cell::Text(account.to_string()),
        Cell::Text(kind_name(line.kind).into_owned()),
        number(owners.get(&counterparty).map(|entity| entity.number())),
        Cell::Text(counterparty.to_string()),
        number(line.market.map(|market| market.number())),
        number(line.slot.map(|slot| slot.number())),
        starts.map_or(Cell::None, Cell::Time),
        number(line.trade),
        word(outcome),
        word(reason),
        word(party),
        number(line.meter.map(|meter| meter.number())),
        line.energy.map_or(Cell::None, |energy| Cell::Number(energy.wh())),
        line.reading.map_or(Cell::None, |reading| Cell::Text(reading.to_string())),
        line.grounds.map_or(Cell::None, |grounds| Cell::Number(grounds.reason.into())),
        line.grounds.map_or(Cell::None, |grounds| Cell::Text(grounds.evidence.to_string())),
        Cell::Decimal(line.amount.units()),
        Cell::Text(line.record.to_string()),
    ])
}

impl From<BillError> for ExportError {
    fn from(error: BillError) -> Self {
        match error {
            BillError::Store(error) => Self::Store(error),
            other => Self::Bill(Box::new(other)),
        }
    }
}
