//! What stands behind a payment of a slot: the energy, the meter, the reading that counted, and what became of the trade.

use super::{BillError, Records};
use crate::report::{Source, reading_status};
use contract_interface::{ExecutionList, SettleInput, Side, TransferRecord, kinds};
use parity_scale_codec::DecodeAll;
use runtime_execution::archive::{
    AdjustmentRecord, Consent, SettleRecord, SignedReading, adjustment_key, consent_key, reading_key,
    slot_key, tables,
};
use runtime_execution::modules::markets::adjustments::Grounds;
use runtime_execution::modules::markets::{At, Outcomes, SLOTS, TERMS, TradeOutcome};
use runtime_primitives::{Energy, EntityId, Hash, MeterId, Price, Timestamp};
use runtime_state::Overlay;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A settled slot.
#[derive(Debug)]
pub(super) struct Settled {
    at: At,
    record: SettleRecord,
    owners: BTreeMap<MeterId, EntityId>,
    trades: BTreeMap<u32, usize>,
    readings: BTreeMap<MeterId, Hash>,
}

impl Settled {
    /// The slot `at`, if it is settled.
    fn read(records: &dyn Records, state: &Overlay, at: At) -> Result<Option<Self>, BillError> {
        let Some(record) = decoded::<SettleRecord>(records, tables::SETTLE, &slot_key(at))? else {
            return Ok(None);
        };
        let chosen = SLOTS.get(state, &at).and_then(|slot| slot.chosen);
        let list = match chosen {
            Some(hash) => {
                let key = [&slot_key(at)[..], hash.as_bytes()].concat();
                decoded::<ExecutionList>(records, tables::LIST, &key)?.unwrap_or_default()
            }
            None => ExecutionList::default(),
        };
        let SettleInput { meters, trades, .. } = &record.input;
        Ok(Some(Self {
            at,
            owners: meters.iter().map(|meter| (meter.meter, meter.entity)).collect(),
            trades: (0..).zip(trades).map(|(index, trade)| (trade.id, index)).collect(),
            readings: list.0.iter().map(|entry| (entry.meter, entry.reading)).collect(),
            record,
        }))
    }

    /// The energy that `record` pays for.
    pub(super) fn energy(&self, record: &TransferRecord) -> Option<Energy> {
        let rates = &self.record.input.rates;
        let per_kwh = |price: Price| {
            let wh = record.amount.units().checked_div(u128::from(price.ticks()))?;
            u64::try_from(wh).ok().map(Energy::from_wh)
        };
        match record.kind {
            kinds::ENERGY | kinds::FEE | kinds::SURPLUS => {
                let index = self.trades.get(&record.trade?)?;
                self.record.report.settled.get(*index).copied()
            }
            kinds::FEED_IN => per_kwh(rates.feed_in),
            kinds::RETAIL => per_kwh(rates.retail),
            kinds::DEVIATION => per_kwh(rates.deviation),
            _ => None,
        }
    }

    /// The meter that `record` is about; of a trade's two that of `entity`, else that of the payer, else the buyer's.
    pub(super) fn meter(
        &self,
        record: &TransferRecord,
        entity: EntityId,
        payer: impl FnOnce() -> Option<EntityId>,
    ) -> Option<MeterId> {
        if record.meter.is_some() {
            return record.meter;
        }
        let trade = self.record.input.trades.get(*self.trades.get(&record.trade?)?)?;
        let both = [trade.buy_meter, trade.sell_meter];
        let of = |party: EntityId| both.into_iter().find(|meter| self.owners.get(meter) == Some(&party));
        of(entity).or_else(|| of(payer()?)).or(Some(trade.buy_meter))
    }

    /// The reading of `meter` that counted, and where it is from.
    pub(super) fn reading(&self, records: &dyn Records, meter: MeterId) -> Result<Option<Source>, BillError> {
        let Some(hash) = self.readings.get(&meter).copied() else { return Ok(None) };
        let prefix = reading_key(self.at, meter, 0);
        let rows = records.rows(tables::READING, &prefix[..prefix.len() - size_of::<u16>()])?;
        let all = rows.iter().filter_map(|row| SignedReading::decode_all(&mut &row.value[..]).ok());
        let found = all.into_iter().find(|signed| signed.reading.hash() == hash);
        Ok(Some(Source { hash, status: found.map(|signed| reading_status(&signed)) }))
    }
}

/// What is known of a slot.
#[derive(Debug)]
pub(super) struct Known {
    at: At,
    /// Its settlement, if it is settled.
    pub(super) settled: Option<Settled>,
    /// When its delivery starts.
    pub(super) delivery_start: Option<Timestamp>,
    outcomes: Outcomes,
}

impl Known {
    /// What became of the trade that `record` pays for.
    pub(super) fn outcome(
        &self,
        records: &dyn Records,
        record: &TransferRecord,
    ) -> Result<Option<TradeOutcome>, BillError> {
        let Some(trade) = record.trade else { return Ok(None) };
        self.outcomes.of_trade(trade, |side: Side| {
            let key = consent_key(self.at, trade, side as u8);
            let consent = decoded::<Consent>(records, tables::CONSENT, &key)?;
            Ok(consent.is_none_or(|consent| consent.is_yes()))
        })
    }
}

/// Evidence of the slots that payments name; payments of a slot come together, so one slot is kept.
pub(super) struct Evidence<'a> {
    records: &'a dyn Records,
    state: &'a Overlay<'a>,
    latest: Option<Rc<Known>>,
}

impl<'a> Evidence<'a> {
    pub(super) const fn new(records: &'a dyn Records, state: &'a Overlay<'a>) -> Self {
        Self { records, state, latest: None }
    }

    /// Why `record` puts a settled slot right, if it does.
    pub(super) fn grounds(&self, record: &TransferRecord) -> Result<Option<Grounds>, BillError> {
        let (kinds::ADJUSTMENT, Some(at)) = (record.kind, record.slot) else { return Ok(None) };
        let key = adjustment_key(at, &record.hash());
        let kept = decoded::<AdjustmentRecord>(self.records, tables::ADJUSTMENT, &key)?;
        Ok(kept.map(|kept| kept.grounds))
    }

    /// What stands behind payments of `at`.
    pub(super) fn of(&mut self, at: At) -> Result<Rc<Known>, BillError> {
        if let Some(known) = &self.latest
            && known.at == at
        {
            return Ok(known.clone());
        }
        let settled = Settled::read(self.records, self.state, at)?;
        let outcomes = Outcomes::read(self.state, at, settled.as_ref().map(|settled| &settled.record));
        let terms = SLOTS.get(self.state, &at).and_then(|slot| TERMS.get(self.state, &slot.terms));
        let delivery_start = terms.map(|terms| terms.delivery_start(at.1));
        let known = Rc::new(Known { at, settled, delivery_start, outcomes });
        self.latest = Some(known.clone());
        Ok(known)
    }
}

fn decoded<T: DecodeAll>(records: &dyn Records, table: u8, key: &[u8]) -> Result<Option<T>, BillError> {
    let Some(bytes) = records.row(table, key)? else { return Ok(None) };
    Ok(T::decode_all(&mut &bytes[..]).ok())
}
