//! Movements of money in the order in which they were booked, each with what stands behind it.

use super::evidence::{Evidence, Settled};
use super::{BillError, Records};
use crate::report::{Amount, BillLine};
use contract_interface::TransferRecord;
use parity_scale_codec::DecodeAll;
use runtime_execution::modules::registry::KEYS;
use runtime_execution::modules::system::NUMBER;
use runtime_primitives::{AccountId, Energy, EntityId, Height, Timestamp};
use runtime_state::{ArchiveRow, Overlay};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// One movement of money.
#[derive(Clone, Debug)]
pub struct Movement {
    /// Time of the block that booked it.
    pub time: Timestamp,
    /// The record.
    pub record: TransferRecord,
    /// The payer, if an entity.
    pub payer: Option<EntityId>,
    /// The payee, if an entity.
    pub payee: Option<EntityId>,
    settled: Option<Rc<Settled>>,
}

impl Movement {
    /// Energy paid for, if any.
    pub fn energy(&self) -> Option<Energy> {
        self.settled.as_ref()?.energy(&self.record)
    }

    /// The line on the bill of `entity` with this `account`, if it paid or was paid.
    pub fn line_of(
        &self,
        account: &AccountId,
        entity: EntityId,
        name: &dyn Fn(&AccountId) -> String,
    ) -> Option<BillLine> {
        let record = &self.record;
        let (counterparty, amount) = if record.payer == *account {
            (&record.payee, Amount::paid(record.amount)?)
        } else if record.payee == *account {
            (&record.payer, Amount::received(record.amount)?)
        } else {
            return None;
        };
        let settled = self.settled.as_ref();
        let meter = settled.map_or(record.meter, |settled| settled.meter(record, [Some(entity), self.payer]));
        Some(BillLine {
            entity,
            name: name(account),
            time: self.time,
            kind: record.kind,
            counterparty: name(counterparty),
            market: record.slot.map(|(market, _)| market),
            slot: record.slot.map(|(_, slot)| slot),
            trade: record.trade,
            meter,
            energy: self.energy(),
            reading: meter.and_then(|meter| settled?.reading(meter)),
            amount,
            record: record.hash(),
        })
    }
}

/// Height of the block that left `state`.
pub(super) fn height_of(state: &Overlay) -> Height {
    Height::from_number(u64::from(NUMBER.get(state).unwrap_or_default()))
}

/// All movements up to the block that left `state`, oldest first.
///
/// # Errors
/// If the first rows cannot be read; later ones are errors of the items.
pub fn movements<'a>(records: &'a dyn Records, state: &'a Overlay<'a>) -> Result<Movements<'a>, BillError> {
    Ok(Movements {
        rows: records.ledger(None)?.into(),
        last: height_of(state),
        at: (Height::ZERO, Timestamp::ZERO),
        entities: BTreeMap::new(),
        evidence: Evidence::new(records, state),
        records,
        state,
    })
}

/// See [`movements`].
pub struct Movements<'a> {
    records: &'a dyn Records,
    state: &'a Overlay<'a>,
    evidence: Evidence<'a>,
    rows: VecDeque<ArchiveRow>,
    last: Height,
    /// The block read last, with its time.
    at: (Height, Timestamp),
    entities: BTreeMap<AccountId, Option<EntityId>>,
}

impl Movements<'_> {
    fn movement(&mut self, row: &ArchiveRow, height: Height) -> Result<Movement, BillError> {
        if self.at.0 != height {
            self.at = (height, self.records.time(height)?);
        }
        let unreadable = |_| BillError::Unreadable { what: "ledger", height };
        let record = TransferRecord::decode_all(&mut &row.value[..]).map_err(unreadable)?;
        let settled = record.slot.map_or(Ok(None), |at| self.evidence.of(at))?;
        let (payer, payee) = (self.entity(record.payer), self.entity(record.payee));
        Ok(Movement { time: self.at.1, record, payer, payee, settled })
    }

    fn entity(&mut self, account: AccountId) -> Option<EntityId> {
        let state = self.state;
        let find = || KEYS.get(state, &account).map(|binding| binding.entity);
        *self.entities.entry(account).or_insert_with(find)
    }
}

impl Iterator for Movements<'_> {
    type Item = Result<Movement, BillError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.pop_front()?;
        let height = row.key.get(..8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        let height = Height::from_number(height.unwrap_or(u64::MAX));
        if height > self.last {
            return None;
        }
        if self.rows.is_empty() {
            match self.records.ledger(Some(&row.key)) {
                Ok(more) => self.rows.extend(more),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(self.movement(&row, height))
    }
}
