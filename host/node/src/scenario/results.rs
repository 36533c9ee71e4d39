//! What each slot of a play came to, in three hashes, so that another run or another version can be compared with it.
//!
//! They follow from the orders, the terms, the rules and the readings. Nothing that depends on a signature, on a
//! block's time or on its height may enter them: two runs of one market have equal results and different headers.

use super::play::PlayError;
use contract_interface::{Stage, TransferRecord};
use host_storage::Snapshot;
use parity_scale_codec::{DecodeAll, Encode};
use runtime_execution::archive::{stage_key, tables};
use runtime_execution::leaves;
use runtime_execution::modules::markets::{At, RECORDS};
use runtime_primitives::{Hash, Slot, blake2_256, merkle_root};
use runtime_state::{ArchiveRow, Overlay};

/// A slot's results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
pub struct SlotResults {
    /// Which slot.
    pub slot: Slot,
    /// Root of stage 1: the orders. Zero where nothing was recorded.
    pub book: Hash,
    /// Root of stage 2: the trade orders that both parties confirmed. Zero where there are none.
    pub clearing: Hash,
    /// Root of stage 7's transfers, each without its provenance. Zero where there are none.
    pub settlement: Hash,
}

impl SlotResults {
    /// Read a slot's results.
    pub(super) fn read(snapshot: &Snapshot, state: &Overlay, at: At) -> Result<Self, PlayError> {
        let rows = snapshot.archive_scan(tables::STAGE, &stage_key(at, Stage::Settlement), usize::MAX)?;
        Ok(Self::of(state, &rows, at))
    }

    /// A slot's results, from a state and the archive's rows of the slot's stage 7.
    pub fn of(state: &Overlay, settlement: &[ArchiveRow], at: At) -> Self {
        let root = |stage| RECORDS.get(state, &(at.0, at.1, stage)).map_or(Hash::ZERO, |one| one.merkle_root);
        // Rows that cannot be read give no leaves, and the results differ.
        let leaves = leaves::read(settlement).unwrap_or_default();
        Self {
            slot: at.1,
            book: root(Stage::Declaration),
            clearing: root(Stage::Matching),
            settlement: merkle_root(leaves.iter().map(|leaf| payment(leaf))),
        }
    }
}

/// One hash over the results of all slots.
pub fn results_hash(slots: &[SlotResults]) -> Hash {
    blake2_256(&slots.encode())
}

/// A transfer of stage 7 without `spends` and `authorised_by`. Both lead to hashes of signed extrinsics, which change
/// with the signer's randomness, the genesis and every renumbered call while the same money goes to the same account.
/// The recorded root covers them; the invariant `stage_records_match_archive` compares it with these leaves.
fn payment(leaf: &[u8]) -> Vec<u8> {
    match TransferRecord::decode_all(&mut &leaf[..]) {
        Ok(record) => TransferRecord { spends: Hash::ZERO, authorised_by: Hash::ZERO, ..record }.encode(),
        // Not to be left out: a leaf that is no transfer is a difference.
        Err(_) => leaf.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract_interface::kinds;
    use runtime_primitives::{AccountId, MarketId, MeterId, Money};

    fn record() -> TransferRecord {
        TransferRecord {
            slot: Some((MarketId::from_number(0), Slot::from_number(41))),
            payer: AccountId([1; 32]),
            payee: AccountId([2; 32]),
            amount: Money::from_units(67_000_000),
            kind: kinds::ENERGY,
            trade: Some(3),
            meter: None,
            spends: blake2_256(b"a hold"),
            authorised_by: blake2_256(b"an extrinsic"),
        }
    }

    #[test]
    fn a_payment_is_what_moves_and_not_who_signed() {
        type Change = fn(&mut TransferRecord);
        let rows: [(&str, bool, Change); 8] = [
            ("spends", true, |one| one.spends = Hash::ZERO),
            ("authorised_by", true, |one| one.authorised_by = blake2_256(b"another extrinsic")),
            ("payer", false, |one| one.payer = AccountId([3; 32])),
            ("payee", false, |one| one.payee = AccountId([3; 32])),
            ("amount", false, |one| one.amount = Money::from_units(67_000_001)),
            ("kind", false, |one| one.kind = kinds::FEE),
            ("trade", false, |one| one.trade = Some(4)),
            ("meter", false, |one| one.meter = Some(MeterId::from_number(7))),
        ];
        let before = payment(&record().encode());
        for (field, is_equal, change) in rows {
            let mut changed = record();
            change(&mut changed);
            assert_eq!(payment(&changed.encode()) == before, is_equal, "{field}");
        }
        assert_eq!(payment(b"no transfer"), b"no transfer");
    }

    #[test]
    fn the_day_has_every_hash_of_every_slot() {
        let slot = |number| SlotResults {
            slot: Slot::from_number(number),
            book: blake2_256(b"book"),
            clearing: blake2_256(b"clearing"),
            settlement: blake2_256(b"settlement"),
        };
        let day = [slot(0), slot(1)];
        type Change = fn(&mut SlotResults);
        let rows: [Change; 4] = [
            |one| one.slot = Slot::from_number(2),
            |one| one.book = Hash::ZERO,
            |one| one.clearing = Hash::ZERO,
            |one| one.settlement = Hash::ZERO,
        ];
        for change in rows {
            let mut other = day;
            change(&mut other[1]);
            assert_ne!(results_hash(&other), results_hash(&day), "{other:?}");
        }
        assert_ne!(results_hash(&day[..1]), results_hash(&day));
    }
}
