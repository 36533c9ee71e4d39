//! Movements of money in the order in which they were booked, and the lines of bills that they are.
//!
//! What a line says beyond its record (time, energy, meter, reading) is looked up for that line alone: a bill passes over
//! everybody else's movements, and over RPC each look is a request.

use super::evidence::Evidence;
use super::{BillError, Records};
use crate::report::{Amount, BillLine, Side};
use contract_interface::TransferRecord;
use parity_scale_codec::DecodeAll;
use runtime_execution::archive::tables;
use runtime_execution::modules::registry::{ENTITIES, KEYS};
use runtime_execution::modules::system::NUMBER;
use runtime_primitives::{AccountId, EntityId, Height, Timestamp};
use runtime_state::{ArchiveRow, Overlay};
use std::collections::{BTreeMap, VecDeque};

/// One movement of money.
#[derive(Clone, Debug)]
pub struct Movement {
    /// The block that booked it.
    pub height: Height,
    /// The record.
    pub record: TransferRecord,
}

/// Height of the block that left `state`.
pub(super) fn height_of(state: &Overlay) -> Height {
    Height::from_number(u64::from(NUMBER.get(state).unwrap_or_default()))
}

/// All movements up to the block that left `state`, oldest first.
///
/// # Errors
/// If the first rows cannot be read; later ones are errors of the items.
pub fn movements<'a>(records: &'a dyn Records, state: &Overlay) -> Result<Movements<'a>, BillError> {
    Ok(Movements { rows: records.page(tables::LEDGER, None)?.into(), last: height_of(state), records })
}

/// See [`movements`].
pub struct Movements<'a> {
    records: &'a dyn Records,
    rows: VecDeque<ArchiveRow>,
    last: Height,
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
            match self.records.page(tables::LEDGER, Some(&row.key)) {
                Ok(more) => self.rows.extend(more),
                Err(error) => return Some(Err(error)),
            }
        }
        let record = TransferRecord::decode_all(&mut &row.value[..]);
        let record = record.map_err(|_| BillError::Unreadable { what: "ledger", height });
        Some(record.map(|record| Movement { height, record }))
    }
}

/// Makes lines of movements.
pub struct Lines<'a> {
    records: &'a dyn Records,
    state: &'a Overlay<'a>,
    name: &'a dyn Fn(&AccountId) -> String,
    evidence: Evidence<'a>,
    /// The block read last, with its time.
    at: Option<(Height, Timestamp)>,
    /// Accounts met so far.
    sides: BTreeMap<AccountId, Side>,
}

impl<'a> Lines<'a> {
    /// Lines of the archive of `records`; `state` is the one after the last block counted, `name` knows accounts.
    pub const fn new(
        records: &'a dyn Records,
        state: &'a Overlay<'a>,
        name: &'a dyn Fn(&AccountId) -> String,
    ) -> Self {
        Self {
            records,
            state,
            name,
            evidence: Evidence::new(records, state),
            at: None,
            sides: BTreeMap::new(),
        }
    }

    /// The line of `movement` on the bill of `entity` with this `account`, if it paid or was paid.
    ///
    /// # Errors
    /// If what stands behind it cannot be read.
    pub fn line_of(
        &mut self,
        movement: &Movement,
        account: &AccountId,
        entity: EntityId,
    ) -> Result<Option<BillLine>, BillError> {
        let record = &movement.record;
        let (counterparty, amount) = if record.payer == record.payee && record.payer == *account {
            (account, Some(Amount::ZERO))
        } else if record.payer == *account {
            (&record.payee, Amount::paid(record.amount))
        } else if record.payee == *account {
            (&record.payer, Amount::received(record.amount))
        } else {
            return Ok(None);
        };
        let (own, counterparty) = (self.side(account), self.side(counterparty));
        let time = self.time(movement.height)?;
        let known = record.slot.map(|at| self.evidence.of(at)).transpose()?;
        let outcome = known.as_ref().map_or(Ok(None), |known| known.outcome(self.records, record))?;
        let settled = known.as_ref().and_then(|known| known.settled.as_ref());
        let payer = || KEYS.get(self.state, &record.payer).map(|binding| binding.entity);
        let meter = settled.map_or(record.meter, |settled| settled.meter(record, entity, payer));
        let reading = match (settled, meter) {
            (Some(settled), Some(meter)) => settled.reading(self.records, meter)?,
            _ => None,
        };
        Ok(Some(BillLine {
            entity,
            own,
            height: movement.height,
            time,
            kind: record.kind,
            counterparty,
            market: record.slot.map(|(market, _)| market),
            slot: record.slot.map(|(_, slot)| slot),
            delivery_start: known.as_ref().and_then(|known| known.delivery_start),
            trade: record.trade,
            outcome,
            meter,
            energy: settled.and_then(|settled| settled.energy(record)),
            reading,
            grounds: self.evidence.grounds(record)?,
            amount: amount.ok_or(BillError::Sum)?,
            record: record.hash(),
        }))
    }

    /// Who an account is: looked up once.
    fn side(&mut self, account: &AccountId) -> Side {
        if let Some(known) = self.sides.get(account) {
            return known.clone();
        }
        let bound = KEYS.get(self.state, account).map(|binding| binding.entity);
        let owns = |id: &EntityId| ENTITIES.get(self.state, id).is_some_and(|found| found.owner == *account);
        let side = Side { account: *account, entity: bound.filter(owns), name: (self.name)(account) };
        self.sides.insert(*account, side.clone());
        side
    }

    fn time(&mut self, height: Height) -> Result<Timestamp, BillError> {
        if let Some((known, time)) = self.at
            && known == height
        {
            return Ok(time);
        }
        let time = self.records.time(height)?;
        self.at = Some((height, time));
        Ok(time)
    }
}
