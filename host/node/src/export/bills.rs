//! The lines of bills: every movement of money as its payer and its payee see it, in the order of booking.
//!
//! The rule: an entity's lines without a selection of slots are all its lines, so they add up to what its account has
//! gained or lost since genesis, free and held together.

use super::text::{Csv, Json};
use super::{Cell, ExportError, Scope, What};
use crate::bill::{BillError, Lines, movements};
use crate::report::{BillLine, OutcomeWords, kind_name};
use crate::trade::Names;
use contract_interface::TransferRecord;
use host_storage::Snapshot;
use runtime_execution::modules::markets::At;
use runtime_execution::modules::registry::ENTITIES;
use runtime_primitives::{AccountId, EntityId};
use runtime_state::Overlay;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// Give every selected line to `take`.
pub(super) fn each(
    snapshot: &Snapshot,
    scope: &Scope,
    mut take: impl FnMut(Vec<Cell>) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let state = Overlay::new(snapshot);
    let entities = ENTITIES.entries(&state).into_iter();
    let owners: BTreeMap<AccountId, EntityId> = entities.map(|(id, entity)| (entity.owner, id)).collect();
    let selected: BTreeSet<At> = scope.slots.iter().map(|slot| slot.at).collect();
    let names = Names::of(&state);
    let name = |account: &AccountId| names.account(&state, account);
    let mut lines = Lines::new(snapshot, &state, &name);
    for movement in movements(snapshot, &state)? {
        let movement = movement?;
        if !scope.is_whole && movement.record.slot.is_none_or(|at| !selected.contains(&at)) {
            continue;
        }
        for account in parties(&movement.record) {
            let Some(entity) = owners.get(&account).copied() else { continue };
            if scope.entity.is_some_and(|only| only != entity) {
                continue;
            }
            let Some(line) = lines.line_of(&movement, &account, entity)? else { continue };
            take(row(&line))?;
        }
    }
    Ok(())
}

/// The accounts between which money moved; one if it stayed.
fn parties(record: &TransferRecord) -> impl Iterator<Item = AccountId> + use<> {
    let payee = (record.payee != record.payer).then_some(record.payee);
    std::iter::once(record.payer).chain(payee)
}

/// A line as the columns of bills have it.
fn row(line: &BillLine) -> Vec<Cell> {
    let number = |number: Option<u32>| number.map_or(Cell::None, |number| Cell::Number(number.into()));
    let word = |word: Option<&str>| word.map_or(Cell::None, |word| Cell::Text(word.to_owned()));
    let OutcomeWords { outcome, reason, party } = OutcomeWords::of(line.outcome);
    vec![
        Cell::Number(line.height.number()),
        Cell::Time(line.time),
        Cell::Number(line.entity.number().into()),
        Cell::Text(line.own.name.clone()),
        Cell::Text(line.own.account.to_string()),
        Cell::Text(kind_name(line.kind).into_owned()),
        number(line.counterparty.entity.map(EntityId::number)),
        Cell::Text(line.counterparty.name.clone()),
        Cell::Text(line.counterparty.account.to_string()),
        number(line.market.map(|market| market.number())),
        number(line.slot.map(|slot| slot.number())),
        line.delivery_start.map_or(Cell::None, Cell::Time),
        number(line.trade),
        word(outcome),
        word(reason),
        word(party),
        number(line.meter.map(|meter| meter.number())),
        line.energy.map_or(Cell::None, |energy| Cell::Number(energy.wh())),
        line.reading.map_or(Cell::None, |reading| Cell::Text(reading.hash.to_string())),
        word(line.reading.and_then(|reading| reading.status)),
        line.grounds.map_or(Cell::None, |grounds| Cell::Number(grounds.reason.into())),
        line.grounds.map_or(Cell::None, |grounds| Cell::Text(grounds.evidence.to_string())),
        Cell::Decimal(line.amount.units()),
        Cell::Text(line.record.to_string()),
    ]
}

/// Write lines of bills as CSV with a header.
///
/// # Errors
/// If `to` cannot be written; so for both.
pub fn write_bills_csv(lines: &[BillLine], to: impl Write) -> Result<(), ExportError> {
    let mut csv = Csv::new(to, What::Bills.columns())?;
    lines.iter().try_for_each(|line| csv.write(&row(line)))?;
    csv.into_inner()?;
    Ok(())
}

/// Write lines of bills as a JSON array, one object a line of text.
///
/// # Errors
/// If `to` cannot be written.
pub fn write_bills_json(lines: &[BillLine], to: impl Write) -> Result<(), ExportError> {
    let mut json = Json::new(to, What::Bills.columns())?;
    lines.iter().try_for_each(|line| json.write(&row(line)))?;
    json.into_inner()?;
    Ok(())
}

impl From<BillError> for ExportError {
    fn from(error: BillError) -> Self {
        match error {
            BillError::Store(error) => Self::Store(error),
            other => Self::Bill(Box::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::report::{Amount, Side, Source};
    use contract_interface::kinds;
    use runtime_execution::modules::markets::TradeOutcome;
    use runtime_execution::modules::markets::adjustments::Grounds;
    use runtime_primitives::{Energy, Hash, Height, MarketId, MeterId, Slot, Timestamp};
    use serde_json::Value;

    fn side(name: &str, entity: Option<u32>, byte: u8) -> Side {
        Side {
            account: AccountId([byte; 32]),
            entity: entity.map(EntityId::from_number),
            name: name.to_owned(),
        }
    }

    /// The paper's case from B's side: 6.7 yuan to A; then a payment of the pool, which is no entity and names no market.
    fn bill() -> [BillLine; 2] {
        let energy = BillLine {
            entity: EntityId::from_number(2),
            own: side("B, the buyer", Some(2), 1),
            height: Height::from_number(9),
            time: Timestamp::from_ms(1_464_264_000_000),
            kind: kinds::ENERGY,
            counterparty: side("A", Some(1), 2),
            market: Some(MarketId::from_number(1)),
            slot: Some(Slot::from_number(500)),
            delivery_start: Some(Timestamp::from_ms(1_464_263_000_250)),
            trade: Some(0),
            outcome: Some(TradeOutcome::Delivered),
            meter: Some(MeterId::from_number(7)),
            energy: Some(Energy::from_wh(10_000)),
            reading: Some(Source { hash: Hash([0xcd; 32]), status: Some("estimated") }),
            grounds: None,
            amount: Amount::from_units(-67_000_000),
            record: Hash([0xab; 32]),
        };
        let refund = BillLine {
            kind: kinds::POOL_REFUND,
            counterparty: side("pool", None, 3),
            market: None,
            slot: None,
            delivery_start: None,
            trade: None,
            outcome: None,
            meter: None,
            energy: None,
            reading: None,
            grounds: Some(Grounds { evidence: Hash([0xef; 32]), reason: 3 }),
            amount: Amount::from_units(i128::from(u64::MAX) * 4),
            ..energy.clone()
        };
        [energy, refund]
    }

    #[test]
    fn csv_and_json_say_the_same_in_the_columns_words() {
        let (mut csv, mut json) = (Vec::new(), Vec::new());
        write_bills_csv(&bill(), &mut csv).unwrap();
        write_bills_json(&bill(), &mut json).unwrap();
        let names: Vec<_> = What::Bills.columns().iter().map(|column| column.name).collect();
        let mut reader = csv::Reader::from_reader(&csv[..]);
        assert_eq!(reader.headers().unwrap(), names);
        let objects: Vec<Value> = serde_json::from_slice(&json).unwrap();
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!((objects.len(), records.len()), (2, 2));
        for (object, record) in objects.iter().zip(&records) {
            assert_eq!(object.as_object().unwrap().len(), names.len());
            for (name, field) in names.iter().zip(record) {
                let text = match &object[name] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    number => number.to_string(),
                };
                assert_eq!(text, field, "{name}");
            }
        }
        for (line, name, expected) in [
            (0, "time", "2016-05-26T12:00:00.000Z"),
            (0, "delivery_start", "2016-05-26T11:43:20.250Z"),
            (0, "name", "B, the buyer"),
            (0, "amount", "-6.7000000"),
            (0, "reading_status", "estimated"),
            (1, "amount", "7378697629483.8206460"),
            (1, "counterparty_name", "pool"),
        ] {
            assert_eq!(objects[line][name], expected, "{name}");
        }
        assert_eq!(
            [&objects[1]["slot"], &objects[1]["counterparty"], &objects[1]["adjustment"]],
            [&Value::Null, &Value::Null, &Value::from(3)]
        );
    }

    #[test]
    fn an_empty_bill_has_a_header_and_brackets() {
        let (mut csv, mut json) = (Vec::new(), Vec::new());
        write_bills_csv(&[], &mut csv).unwrap();
        write_bills_json(&[], &mut json).unwrap();
        assert_eq!(csv.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(json, b"[\n]\n");
    }
}
