//! The rows of a slot, from the archive.

use super::{Cell, ExportError, Selected, What};
use crate::report::{OutcomeWords, reading_status};
use contract_interface::{Clearing, Op, Order, Side, Stage, Trade, flags};
use host_storage::Snapshot;
use parity_scale_codec::{Decode, DecodeAll};
use runtime_execution::archive::{
    ClearingRecord, Consent, HoldRecord, SettleRecord, SignedReading, slot_key, stage_key, tables,
};
use runtime_execution::leaves;
use runtime_execution::modules::markets::{At, Outcomes, RECORDS};
use runtime_execution::modules::registry::METERS;
use runtime_primitives::{AccountId, Energy, EntityId, Price, Seq};
use runtime_state::{ArchiveRow, Overlay};
use std::collections::{BTreeMap, BTreeSet};

type Row = Vec<Cell>;

/// The rows of one slot, in the order of the archive; of one entity if one is named.
pub(super) fn of_slot(
    snapshot: &Snapshot,
    what: What,
    slot: &Selected,
    entity: Option<EntityId>,
) -> Result<Vec<Row>, ExportError> {
    let source = Source { snapshot, slot, entity };
    match what {
        What::Orders => orders(&source),
        What::Trades => trades(&source),
        What::Readings => readings(&source),
        // They are in the order of booking, not of slots.
        What::Bills => Ok(Vec::new()),
    }
}

/// One slot's rows of the archive.
struct Source<'a> {
    snapshot: &'a Snapshot,
    slot: &'a Selected,
    entity: Option<EntityId>,
}

impl Source<'_> {
    /// Whether rows of an entity are asked for.
    fn wants(&self, entity: EntityId) -> bool {
        self.entity.is_none_or(|only| only == entity)
    }

    const fn at(&self) -> At {
        self.slot.at
    }

    fn scan(&self, table: u8, prefix: &[u8]) -> Result<Vec<ArchiveRow>, ExportError> {
        Ok(self.snapshot.archive_scan(table, prefix, usize::MAX)?)
    }

    /// All rows of the slot in a table, decoded.
    fn all<T: Decode>(&self, table: u8, what: &'static str) -> Result<Vec<T>, ExportError> {
        let rows = self.scan(table, &slot_key(self.at()))?;
        rows.iter().map(|row| self.decode(&row.value, what)).collect()
    }

    fn decode<T: Decode>(&self, mut bytes: &[u8], what: &'static str) -> Result<T, ExportError> {
        T::decode_all(&mut bytes).map_err(|_| self.unreadable(what))
    }

    const fn unreadable(&self, what: &'static str) -> ExportError {
        let (market, slot) = self.slot.at;
        ExportError::Unreadable { what, market, slot }
    }

    /// The columns that every table begins with.
    fn row(&self) -> Row {
        let (market, slot) = self.at();
        vec![number(market.number()), number(slot.number()), Cell::Time(self.slot.starts)]
    }

    /// Orders that nobody had cancelled at the gate, once it has closed.
    fn book(&self) -> Result<Option<BTreeSet<Seq>>, ExportError> {
        let (market, slot) = self.at();
        let state = Overlay::new(self.snapshot);
        if !RECORDS.contains(&state, &(market, slot, Stage::Declaration)) {
            return Ok(None);
        }
        let rows = self.scan(tables::STAGE, &stage_key(self.at(), Stage::Declaration))?;
        let mut orders = BTreeSet::new();
        for leaf in leaves::read(&rows).map_err(|_| self.unreadable("order"))? {
            // An auction records its orders, a continuous book its operations.
            match Order::decode_all(&mut &leaf[..]) {
                Ok(order) => _ = orders.insert(order.seq),
                Err(_) => match self.decode(&leaf, "order")? {
                    Op::New(order) => _ = orders.insert(order.seq),
                    Op::Cancel { target, .. } => _ = orders.remove(&target),
                },
            }
        }
        Ok(Some(orders))
    }

    /// The trades of all clearings, if there was one.
    fn trades(&self) -> Result<Option<Vec<Trade>>, ExportError> {
        let records = self.all::<ClearingRecord>(tables::CLEARING, "clearing")?;
        let mut trades = (!records.is_empty()).then(Vec::new);
        for record in records {
            let clearing: Clearing = self.decode(&record.output, "clearing")?;
            trades.get_or_insert_default().extend(clearing.trades);
        }
        Ok(trades)
    }
}

fn number(value: impl Into<u64>) -> Cell {
    Cell::Number(value.into())
}

const fn energy(energy: Energy) -> Cell {
    Cell::Number(energy.wh())
}

fn price(price: Price) -> Cell {
    Cell::Decimal(price.ticks().into())
}

fn text(value: impl ToString) -> Cell {
    Cell::Text(value.to_string())
}

fn maybe<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell) -> Cell {
    value.map_or(Cell::None, cell)
}

fn orders(source: &Source) -> Result<Vec<Row>, ExportError> {
    let (book, trades) = (source.book()?, source.trades()?);
    let traded = trades.map(|trades| {
        let mut traded: BTreeMap<Seq, Energy> = BTreeMap::new();
        for trade in &trades {
            for seq in [trade.buy, trade.sell] {
                let sum = traded.entry(seq).or_default();
                *sum = sum.saturating_add(trade.energy);
            }
        }
        traded
    });
    let holds = source.all::<HoldRecord>(tables::HOLD, "hold")?;
    let own = holds.into_iter().filter(|hold| source.wants(hold.order.entity));
    let rows = own.map(|HoldRecord { order, amount, account, authorised_by, .. }| {
        let hold = i128::try_from(amount.units()).map_err(|_| source.unreadable("hold"))?;
        let has = |flag: u8| order.flags & flag != 0;
        let partner = has(flags::PARTNER).then(|| order.partner.number());
        let mut row = source.row();
        row.extend([
            number(order.seq.number()),
            number(order.entity.number()),
            number(order.meter.number()),
            text(if order.side == Side::Buy { "buy" } else { "sell" }),
            energy(order.energy),
            energy(order.min_energy),
            price(order.price),
            Cell::Flag(has(flags::GREEN)),
            Cell::Flag(has(flags::AUTO_CONFIRM)),
            maybe(partner, number),
            Cell::Decimal(hold),
            text(account),
            text(authorised_by),
            maybe(book.as_ref(), |book| Cell::Flag(book.contains(&order.seq))),
            maybe(traded.as_ref(), |traded| energy(traded.get(&order.seq).copied().unwrap_or_default())),
        ]);
        Ok(row)
    });
    rows.collect()
}

fn trades(source: &Source) -> Result<Vec<Row>, ExportError> {
    let Some(trades) = source.trades()? else { return Ok(Vec::new()) };
    let holds = source.all::<HoldRecord>(tables::HOLD, "hold")?;
    let orders: BTreeMap<Seq, Order> = holds.iter().map(|hold| (hold.order.seq, hold.order)).collect();
    let consents = consents(source)?;
    let record = source.all::<SettleRecord>(tables::SETTLE, "settlement")?.pop();
    let outcomes = Outcomes::read(&Overlay::new(source.snapshot), source.at(), record.as_ref());
    let settled: Option<BTreeMap<u32, Energy>> = record.map(|record| {
        let pairs = record.input.trades.iter().zip(record.report.settled);
        pairs.map(|(trade, energy)| (trade.id, energy)).collect()
    });
    let mut rows = Vec::new();
    for (index, trade) in (0u32..).zip(&trades) {
        let order = |seq: &Seq| orders.get(seq).ok_or_else(|| source.unreadable("hold"));
        let (buy, sell) = (order(&trade.buy)?, order(&trade.sell)?);
        if !source.wants(buy.entity) && !source.wants(sell.entity) {
            continue;
        }
        let consent = |order: &Order, side: Side| match consents.get(&(index, side as u8)) {
            Some(consent) => maybe(answer(consent), text),
            None => maybe((order.flags & flags::AUTO_CONFIRM != 0).then_some("auto"), text),
        };
        let agreed = |side: Side| consents.get(&(index, side as u8)).is_none_or(Consent::is_yes);
        let outcome = outcomes.of_trade(index, |side| Ok::<_, ExportError>(agreed(side)))?;
        let OutcomeWords { outcome, reason, party } = OutcomeWords::of(outcome);
        let mut row = source.row();
        row.extend([
            number(index),
            number(trade.buy.number()),
            number(trade.sell.number()),
            number(buy.entity.number()),
            number(sell.entity.number()),
            number(buy.meter.number()),
            number(sell.meter.number()),
            energy(trade.energy),
            price(trade.buy_price),
            price(trade.sell_price),
            consent(buy, Side::Buy),
            consent(sell, Side::Sell),
            maybe(settled.as_ref(), |settled| energy(settled.get(&index).copied().unwrap_or_default())),
            maybe(outcome, text),
            maybe(reason, text),
            maybe(party, text),
        ]);
        rows.push(row);
    }
    Ok(rows)
}

/// Answers by trade and side; who agreed in advance has none.
fn consents(source: &Source) -> Result<BTreeMap<(u32, u8), Consent>, ExportError> {
    let prefix = slot_key(source.at());
    let rows = source.scan(tables::CONSENT, &prefix)?;
    let answers = rows.iter().map(|row| {
        let key = row.key.get(prefix.len()..).and_then(|rest| rest.split_first_chunk::<4>());
        let Some((trade, [side])) = key else { return Err(source.unreadable("consent")) };
        Ok(((u32::from_be_bytes(*trade), *side), source.decode(&row.value, "consent")?))
    });
    answers.collect()
}

const fn answer(consent: &Consent) -> Option<&'static str> {
    match consent {
        Consent::Signed { .. } => Some("signed"),
        Consent::Refused { .. } => Some("refused"),
        Consent::Silent => None,
    }
}

fn readings(source: &Source) -> Result<Vec<Row>, ExportError> {
    let state = Overlay::new(source.snapshot);
    let readings = source.all::<SignedReading>(tables::READING, "reading")?.into_iter();
    let own = readings.filter(|signed| {
        let meter = &signed.reading.meter;
        source.entity.is_none() || METERS.get(&state, meter).is_some_and(|meter| source.wants(meter.entity))
    });
    let rows = own.map(|read| {
        let SignedReading { reading, key, signature, evidence } = &read;
        let signed = (*key != AccountId::ZERO).then_some(());
        let mut row = source.row();
        row.extend([
            number(reading.meter.number()),
            number(reading.revision),
            energy(reading.import_wh),
            energy(reading.export_wh),
            maybe(reading.voltage_dv, |voltage| Cell::Decimal(voltage.into())),
            maybe(reading.frequency_mhz, |frequency| Cell::Decimal(frequency.into())),
            Cell::Time(reading.measured_at),
            text(reading_status(&read)),
            text(reading.hash()),
            maybe(signed, |()| text(key)),
            maybe(signed, |()| Cell::Text(format!("{signature:?}"))),
            maybe(*evidence, text),
        ]);
        row
    });
    Ok(rows.collect())
}
