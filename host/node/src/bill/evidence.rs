//! What stands behind a payment of a slot: the energy, the meter, the reading that counted, and what became of the trade.

use super::curtailments::Hurt;
use super::{BillError, Records};
use crate::report::{Source, reading_status};
use contract_interface::{CertifiedTrade, ExecutionList, SettleInput, Side, TransferRecord, kinds};
use parity_scale_codec::DecodeAll;
use runtime_execution::archive::{
    AdjustmentRecord, Consent, SettleRecord, SignedReading, adjustment_key, consent_key, reading_key,
    slot_key, tables,
};
use runtime_execution::modules::markets::adjustments::Grounds;
use runtime_execution::modules::markets::{At, Outcomes, SLOTS, TERMS, TradeOutcome};
use runtime_primitives::{Energy, EntityId, Hash, MeterId, Price, Timestamp};
use runtime_state::Overlay;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A settled slot.
#[derive(Debug)]
pub(super) struct Settled {
    record: SettleRecord,
    owners: BTreeMap<MeterId, EntityId>,
    trades: BTreeMap<u32, usize>,
    readings: Readings,
}

/// The readings of a settled slot that counted.
#[derive(Debug)]
struct Readings {
    at: At,
    hashes: BTreeMap<MeterId, Hash>,
    /// Those that were looked up: several lines follow from one.
    found: RefCell<BTreeMap<MeterId, Source>>,
}

impl Readings {
    fn of_list(at: At, list: &ExecutionList) -> Self {
        let hashes = list.0.iter().map(|entry| (entry.meter, entry.reading)).collect();
        Self { at, hashes, found: RefCell::default() }
    }

    /// That of `meter`, and where it is from.
    fn source(&self, records: &dyn Records, meter: MeterId) -> Result<Option<Source>, BillError> {
        let Some(hash) = self.hashes.get(&meter).copied() else { return Ok(None) };
        if let Some(found) = self.found.borrow().get(&meter) {
            return Ok(Some(*found));
        }
        let prefix = reading_key(self.at, meter, 0);
        let mut source = Source { hash, status: None };
        for row in records.rows(tables::READING, &prefix[..prefix.len() - size_of::<u16>()])? {
            let signed: SignedReading = whole(&row.value, ("reading", self.at))?;
            if signed.reading.hash() == hash {
                source.status = Some(reading_status(&signed));
                break;
            }
        }
        self.found.borrow_mut().insert(meter, source);
        Ok(Some(source))
    }
}

impl Settled {
    /// The slot `at`, if it is settled.
    fn read(records: &dyn Records, state: &Overlay, at: At) -> Result<Option<Self>, BillError> {
        let Some(record) =
            decoded::<SettleRecord>(records, tables::SETTLE, &slot_key(at), ("settlement", at))?
        else {
            return Ok(None);
        };
        let chosen = SLOTS.get(state, &at).and_then(|slot| slot.chosen);
        let list = match chosen {
            Some(hash) => {
                let key = [&slot_key(at)[..], hash.as_bytes()].concat();
                decoded::<ExecutionList>(records, tables::LIST, &key, ("execution list", at))?
                    .unwrap_or_default()
            }
            None => ExecutionList::default(),
        };
        let SettleInput { meters, trades, .. } = &record.input;
        Ok(Some(Self {
            owners: meters.iter().map(|meter| (meter.meter, meter.entity)).collect(),
            trades: (0..).zip(trades).map(|(index, trade)| (trade.id, index)).collect(),
            readings: Readings::of_list(at, &list),
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

    fn trades_between(&self, entity: EntityId, other: MeterId) -> Vec<Hurt> {
        let SettleRecord { input, report, .. } = &self.record;
        let hurt = |(trade, settled): (&CertifiedTrade, &Energy)| {
            let (buy, sell) = (trade.buy_meter, trade.sell_meter);
            let meter = if buy == other { sell } else { buy };
            let is_ours = [buy, sell].contains(&other) && self.owners.get(&meter) == Some(&entity);
            is_ours.then_some(Hurt { trade: trade.id, meter, is_short: *settled < trade.energy })
        };
        input.trades.iter().zip(&report.settled).filter_map(hurt).collect()
    }

    /// The reading of `meter` that counted, and where it is from.
    pub(super) fn reading(&self, records: &dyn Records, meter: MeterId) -> Result<Option<Source>, BillError> {
        self.readings.source(records, meter)
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
    /// The settled trades between meters of `entity` and `other`.
    pub(super) fn trades_between(&self, entity: EntityId, other: MeterId) -> Vec<Hurt> {
        self.settled.as_ref().map_or_else(Vec::new, |settled| settled.trades_between(entity, other))
    }

    /// What became of the trade that `record` pays for.
    pub(super) fn outcome(
        &self,
        records: &dyn Records,
        record: &TransferRecord,
    ) -> Result<Option<TradeOutcome>, BillError> {
        let Some(trade) = record.trade else { return Ok(None) };
        self.outcomes.of_trade(trade, |side: Side| {
            let key = consent_key(self.at, trade, side as u8);
            let consent = decoded::<Consent>(records, tables::CONSENT, &key, ("consent", self.at))?;
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
        let kept = decoded::<AdjustmentRecord>(self.records, tables::ADJUSTMENT, &key, ("adjustment", at))?;
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

/// What a row is, and of which slot.
type Meant = (&'static str, At);

fn decoded<T: DecodeAll>(
    records: &dyn Records,
    table: u8,
    key: &[u8],
    meant: Meant,
) -> Result<Option<T>, BillError> {
    records.row(table, key)?.map(|bytes| whole(&bytes, meant)).transpose()
}

fn whole<T: DecodeAll>(bytes: &[u8], (what, (market, slot)): Meant) -> Result<T, BillError> {
    T::decode_all(&mut &bytes[..]).map_err(|_| BillError::UnreadableOfSlot { what, market, slot })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use contract_interface::ExecutionEntry;
    use runtime_primitives::{Height, MarketId, Slot};
    use runtime_state::ArchiveRow;
    use std::cell::Cell;

    /// Has these values under every prefix, and counts who asks.
    struct Kept {
        values: Vec<Vec<u8>>,
        asked: Cell<u32>,
    }

    impl Records for Kept {
        fn page(&self, _: u8, _: Option<&[u8]>) -> Result<Vec<ArchiveRow>, BillError> {
            Ok(Vec::new())
        }

        fn row(&self, _: u8, _: &[u8]) -> Result<Option<Vec<u8>>, BillError> {
            Ok(self.values.first().cloned())
        }

        fn rows(&self, table: u8, prefix: &[u8]) -> Result<Vec<ArchiveRow>, BillError> {
            self.asked.set(self.asked.get() + 1);
            let row = |value: &Vec<u8>| ArchiveRow { table, key: prefix.to_vec(), value: value.clone() };
            Ok(self.values.iter().map(row).collect())
        }

        fn time(&self, _: Height) -> Result<Timestamp, BillError> {
            Ok(Timestamp::ZERO)
        }
    }

    #[test]
    fn a_reading_is_looked_up_once_and_damage_is_told() {
        let at = (MarketId::ZERO, Slot::from_number(500));
        let meter = MeterId::from_number(3);
        let list = ExecutionList(vec![ExecutionEntry { meter, reading: Hash::ZERO }]);
        let readings = Readings::of_list(at, &list);
        let lost = Kept { values: Vec::new(), asked: Cell::default() };
        for _ in 0..3 {
            let source = readings.source(&lost, meter).unwrap();
            assert_eq!(source, Some(Source { hash: Hash::ZERO, status: None }));
        }
        assert_eq!(readings.source(&lost, MeterId::from_number(4)).unwrap(), None);
        assert_eq!(lost.asked.get(), 1);

        let damaged = Kept { values: vec![vec![1, 2, 3]], asked: Cell::default() };
        let readings = Readings::of_list(at, &list);
        for error in [
            readings.source(&damaged, meter).unwrap_err(),
            decoded::<ExecutionList>(&damaged, tables::LIST, &[], ("reading", at)).unwrap_err(),
        ] {
            assert!(
                error.to_string().starts_with("the archive's reading of slot 500 of market 0 "),
                "{error}"
            );
        }
    }
}
