//! Where a trade's records come from: leaves and rows of the archive, extrinsics of block bodies, the ledger.
//!
//! A row that is missing or does not decode is an error with its name; only searches may find nothing.

use super::TradeError;
use contract_interface::{Clearing, Stage, Trade, TransferRecord};
use host_storage::{Snapshot, StoreError};
use parity_scale_codec::DecodeAll;
use runtime_execution::archive::{
    AdjustmentRecord, ClearingRecord, CommitRecord, Consent, CurtailRecord, HoldRecord, SettleRecord,
};
use runtime_execution::archive::{consent_key, curtailment_key, hold_key, slot_key, stage_key, tables};
use runtime_execution::extrinsic::{Era, MultiAddress, UncheckedExtrinsic};
use runtime_execution::leaves;
use runtime_execution::modules::markets::{At, Outcomes, TradeOutcome};
use runtime_primitives::{AccountId, Hash, Height, MeterId, Seq, Timestamp, blake2_256};
use runtime_state::{ArchiveRow, Overlay};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Ledger rows read at once while searching.
const PAGE: usize = 1_024;

/// An extrinsic found in a block.
#[derive(Clone, Debug)]
pub struct Located {
    /// Height of the block.
    pub height: Height,
    /// The extrinsic.
    pub extrinsic: UncheckedExtrinsic,
    /// Who signed it, if its signature is valid.
    pub signer: Option<AccountId>,
}

/// The records of one slot.
pub struct Source<'a> {
    snapshot: &'a Snapshot,
    at: At,
    located: RefCell<BTreeMap<Hash, Option<Located>>>,
}

impl<'a> Source<'a> {
    /// Read `at` from `snapshot`.
    pub fn new(snapshot: &'a Snapshot, at: At) -> Self {
        Self { snapshot, at, located: RefCell::default() }
    }

    /// The chain.
    pub fn genesis(&self) -> Hash {
        self.snapshot.genesis_hash()
    }

    /// The leaves of a stage, in order.
    pub fn leaves(&self, stage: Stage) -> Result<Vec<Vec<u8>>, TradeError> {
        let rows = self.snapshot.archive_scan(tables::STAGE, &stage_key(self.at, stage), usize::MAX)?;
        leaves::read(&rows).map_err(|_| self.unreadable("stage"))
    }

    /// What the matching rule was given and answered: once in an auction, for each batch of a continuous book; nothing
    /// before the slot is cleared.
    pub fn clearings(&self) -> Result<Vec<ClearingRecord>, TradeError> {
        let rows = self.snapshot.archive_scan(tables::CLEARING, &slot_key(self.at), usize::MAX)?;
        let decode = |row: ArchiveRow| ClearingRecord::decode_all(&mut &row.value[..]);
        rows.into_iter().map(|row| decode(row).map_err(|_| self.unreadable("clearing"))).collect()
    }

    /// The trades of all clearings, in order.
    pub fn trades(&self) -> Result<Vec<Trade>, TradeError> {
        let mut trades = Vec::new();
        for record in self.clearings()? {
            let clearing = Clearing::decode_all(&mut &record.output[..]);
            trades.extend(clearing.map_err(|_| self.unreadable("clearing"))?.trades);
        }
        Ok(trades)
    }

    /// What the settlement rule was given and answered, if the slot was settled.
    pub fn settlement(&self) -> Result<Option<SettleRecord>, TradeError> {
        self.row(tables::SETTLE, &slot_key(self.at), "settlement")
    }

    /// The order at `seq` with what it holds.
    pub fn hold(&self, seq: Seq) -> Result<HoldRecord, TradeError> {
        let what = format!("order {seq}");
        self.row(tables::HOLD, &hold_key(self.at, seq), &what)?.ok_or_else(|| self.unreadable(&what))
    }

    /// The commitment at `seq`, in a sealed slot.
    pub fn commitment(&self, seq: Seq) -> Result<Option<CommitRecord>, TradeError> {
        self.row(tables::COMMIT, &hold_key(self.at, seq), "commitment")
    }

    /// How a party answered a trade, unless its order agreed in advance.
    pub fn consent(&self, trade: u32, side: u8) -> Result<Option<Consent>, TradeError> {
        self.row(tables::CONSENT, &consent_key(self.at, trade, side), "consent")
    }

    /// What is known of the slot's trades.
    pub fn outcomes(&self, state: &Overlay) -> Result<Outcomes, TradeError> {
        Ok(Outcomes::read(state, self.at, self.settlement()?.as_ref()))
    }

    /// What became of a trade; `outcomes` are the slot's.
    pub fn outcome(&self, outcomes: &Outcomes, trade: u32) -> Result<Option<TradeOutcome>, TradeError> {
        outcomes.of_trade(trade, |side| {
            Ok(self.consent(trade, side as u8)?.is_none_or(|consent| consent.is_yes()))
        })
    }

    /// Curtailments of a meter in the slot.
    pub fn curtailments(&self, meter: MeterId) -> Result<Vec<CurtailRecord>, TradeError> {
        let rows =
            self.snapshot.archive_scan(tables::CURTAIL, &curtailment_key(self.at, meter), usize::MAX)?;
        let decode = |row: ArchiveRow| CurtailRecord::decode_all(&mut &row.value[..]);
        rows.into_iter().map(|row| decode(row).map_err(|_| self.unreadable("curtailment"))).collect()
    }

    /// Payments after the slot's settlement, in the order of blocks.
    pub fn adjustments(&self) -> Result<Vec<AdjustmentRecord>, TradeError> {
        let rows = self.snapshot.archive_scan(tables::ADJUSTMENT, &slot_key(self.at), usize::MAX)?;
        let decode = |row: ArchiveRow| AdjustmentRecord::decode_all(&mut &row.value[..]);
        let records = rows.into_iter().map(|row| decode(row).map_err(|_| self.unreadable("adjustment")));
        let mut records = records.collect::<Result<Vec<_>, _>>()?;
        records.sort_by_key(|record| record.height);
        Ok(records)
    }

    fn row<T: DecodeAll>(&self, table: u8, key: &[u8], what: &str) -> Result<Option<T>, TradeError> {
        let Some(bytes) = self.snapshot.archive_get(table, key)? else { return Ok(None) };
        T::decode_all(&mut &bytes[..]).map(Some).map_err(|_| self.unreadable(what))
    }

    /// The error for a row that is missing or damaged.
    pub fn unreadable(&self, what: &str) -> TradeError {
        TradeError::Unreadable { what: what.to_owned(), market: self.at.0, slot: self.at.1 }
    }

    /// The applied extrinsic with this hash in the blocks up to `latest`, newest first.
    pub fn extrinsic(&self, hash: &Hash, latest: Height) -> Result<Option<Located>, StoreError> {
        if let Some(known) = self.located.borrow().get(hash) {
            return Ok(known.clone());
        }
        let mut found = None;
        for number in (1..=latest.number()).rev() {
            found = self.extrinsic_in(hash, Height::from_number(number))?;
            if found.is_some() {
                break;
            }
        }
        self.located.borrow_mut().insert(*hash, found.clone());
        Ok(found)
    }

    /// The applied extrinsic with this hash in the block at `height`.
    pub fn extrinsic_in(&self, hash: &Hash, height: Height) -> Result<Option<Located>, StoreError> {
        let body = self.snapshot.body(height)?.unwrap_or_default();
        let Some(bytes) = body.iter().find(|bytes| blake2_256(bytes) == *hash) else { return Ok(None) };
        let Ok(extrinsic) = UncheckedExtrinsic::from_bytes(bytes) else { return Ok(None) };
        let signer = self.signer(&extrinsic, height)?;
        Ok(Some(Located { height, extrinsic, signer }))
    }

    fn signer(
        &self,
        extrinsic: &UncheckedExtrinsic,
        height: Height,
    ) -> Result<Option<AccountId>, StoreError> {
        let Some(envelope) = &extrinsic.envelope else { return Ok(None) };
        let MultiAddress::Id(signer) = envelope.signer;
        let birth = match envelope.extra.era {
            Era::Immortal => 0,
            era @ Era::Mortal { .. } => era.birth(height.number().saturating_sub(1)),
        };
        let birth = self.snapshot.header(Height::from_number(birth))?.map(|header| header.hash());
        let statement = birth.map(|birth| envelope.statement(&extrinsic.call, &self.genesis(), &birth));
        Ok(statement.filter(runtime_primitives::crypto::Statement::verify).map(|_| signer))
    }

    /// The last height whose block is not later than `time`.
    pub fn height_at(&self, time: Timestamp) -> Result<Height, StoreError> {
        let (mut low, mut high) = (0, self.snapshot.height().number());
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let block = self.snapshot.block(Height::from_number(middle))?;
            if block.is_some_and(|block| block.timestamp <= time) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(Height::from_number(low))
    }

    /// The movement of money with this hash, with the height at which it happened.
    pub fn movement(&self, hash: &Hash) -> Result<Option<(Height, TransferRecord)>, StoreError> {
        let mut after = Vec::new();
        loop {
            let rows = match after.as_slice() {
                [] => self.snapshot.archive_scan(tables::LEDGER, &[], PAGE)?,
                after => self.snapshot.archive_scan_after(tables::LEDGER, &[], after, PAGE)?,
            };
            let Some(last) = rows.last() else { return Ok(None) };
            after = last.key.clone();
            if let Some(row) = rows.iter().find(|row| blake2_256(&row.value) == *hash) {
                let height = row.key.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
                let record = TransferRecord::decode_all(&mut &row.value[..]).ok();
                return Ok(height.map(Height::from_number).zip(record));
            }
        }
    }
}
