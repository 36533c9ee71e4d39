//! The archive: what the state only keeps roots of. Append-only, outside the trie, keyed so that scans are
//! in order.
//!
//! ```text
//! table 0 STAGE    market be32 | slot be32 | stage u8 | first be32   leaves of the stage's Merkle tree (`leaves.rs`)
//! table 1 LEDGER   height be64 | index be32                          TransferRecord, every movement of money
//! table 2 CONSENT  market be32 | slot be32 | trade be32 | side u8    Consent: a party's answer to a trade
//! table 3 LIST     market be32 | slot be32 | hash                    ExecutionList, as posted
//! table 4 CLEARING market be32 | slot be32 | batch be32              ClearingRecord: input, output, gas
//! table 5 SETTLE   market be32 | slot be32                           SettleRecord: input, report, gas
//! table 6 READING  market be32 | slot be32 | meter be32 | rev be16   SignedReading
//! table 7 HOLD     market be32 | slot be32 | seq be32                HoldRecord: the signed order behind a hold
//! table 12 COMMIT  market be32 | slot be32 | seq be32                CommitRecord: a sealed order, revealed or not
//! table 13 CURTAIL  market be32 | slot be32 | meter be32 | extrinsic    CurtailRecord: a cap of the grid operator
//! table 14 ADJUSTMENT  market be32 | slot be32 | transfer hash      AdjustmentRecord: a payment after settlement, and why
//! ```
//! Entries are never read by execution: a validator without an archive derives the same headers.

use crate::modules::markets::adjustments::Grounds;
use contract_interface::{
    Order, Reading, SettleInput, SettlementReport, Stage, TransferRecord, correction_message, reading_message,
};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::crypto::{Signature, Statement};
use runtime_primitives::{
    AccountId, Energy, EntityId, Gas, Hash, Height, MarketId, MeterId, Money, Seq, Slot, blake2_256,
};
use runtime_state::ArchiveRow;

/// Tables of the archive.
pub mod tables {
    /// Leaves of stages.
    pub const STAGE: u8 = 0;
    /// Movements of money.
    pub const LEDGER: u8 = 1;
    /// Answers of parties, but no consents in advance.
    pub const CONSENT: u8 = 2;
    /// Execution lists.
    pub const LIST: u8 = 3;
    /// Clearings.
    pub const CLEARING: u8 = 4;
    /// Settlements.
    pub const SETTLE: u8 = 5;
    /// Readings with their signatures.
    pub const READING: u8 = 6;
    /// Orders with the extrinsics that authorised them.
    pub const HOLD: u8 = 7;
    /// Commitments to sealed orders.
    pub const COMMIT: u8 = 12;
    /// Curtailments.
    pub const CURTAIL: u8 = 13;
    /// Payments after settlement.
    pub const ADJUSTMENT: u8 = 14;
}

/// How a party answered a trade. Who agreed in advance has no record here: the consent is in its signed order. So once
/// the time for answers is over, a party without one agreed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Consent {
    /// Signed the trade order's hash.
    #[codec(index = 0)]
    Signed {
        /// The party's key.
        key: AccountId,
        /// Over `confirm_message`.
        signature: Signature,
    },
    /// Refused.
    #[codec(index = 1)]
    Refused {
        /// The party's key.
        key: AccountId,
    },
    /// Did not answer in time.
    #[codec(index = 2)]
    Silent,
}

impl Consent {
    /// Whether this is a yes.
    pub const fn is_yes(&self) -> bool {
        matches!(self, Self::Signed { .. })
    }
}

/// A reading with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedReading {
    /// The reading.
    pub reading: Reading,
    /// The key that signed: the meter's, or for a substitute a meter operator's; zero for one made by rule.
    pub key: AccountId,
    /// Over `reading_message`, or for a correction over `correction_message`; zero for a substitute made by rule.
    pub signature: Signature,
    /// Hash of the document that explains a correction.
    pub evidence: Option<Hash>,
}

impl SignedReading {
    /// What was signed.
    pub fn statement(&self, genesis: &Hash) -> Statement {
        let message = match &self.evidence {
            Some(evidence) => correction_message(genesis, &self.reading, evidence),
            None => reading_message(genesis, &self.reading),
        };
        Statement { signer: self.key, message, signature: self.signature }
    }
}

/// An order with what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HoldRecord {
    /// The order.
    pub order: Order,
    /// What was held for it at admission.
    pub amount: Money,
    /// Owner account it is held on.
    pub account: AccountId,
    /// The extrinsic that placed it.
    pub authorised_by: Hash,
    /// The funding it spends.
    pub spends: Hash,
}

impl HoldRecord {
    /// blake2-256 of the SCALE encoding: what an energy transfer's `spends` names.
    pub fn hash(&self) -> Hash {
        blake2_256(&self.encode())
    }
}

/// A commitment to a sealed order. An order revealed has a [`HoldRecord`] at the same key; one that was not has a
/// forfeit in the ledger that spends this record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CommitRecord {
    /// Its place.
    pub seq: Seq,
    /// Who committed.
    pub entity: EntityId,
    /// The connection whose capacity the deposit is for.
    pub meter: MeterId,
    /// See [`contract_interface::seal`].
    pub commitment: Hash,
    /// What was held for it.
    pub deposit: Money,
    /// Owner account it was held on.
    pub account: AccountId,
    /// The extrinsic that committed.
    pub authorised_by: Hash,
    /// The funding it spends.
    pub spends: Hash,
}

impl CommitRecord {
    /// blake2-256 of the SCALE encoding: what a forfeit's `spends` names.
    pub fn hash(&self) -> Hash {
        blake2_256(&self.encode())
    }
}

/// What the grid operator allowed a meter in a slot, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CurtailRecord {
    /// Which meter.
    pub meter: MeterId,
    /// The most it may move.
    pub cap: Energy,
    /// The operator's reason code.
    pub reason: u8,
    /// Whether it binds orders; from the gate on it exempts from the deviation charge instead.
    pub before_gate: bool,
    /// The block that announced it.
    pub height: Height,
    /// The extrinsic that did.
    pub authorised_by: Hash,
}

/// A payment after a settlement, with its grounds.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AdjustmentRecord {
    /// The payment. It spends the slot's record of stage 7.
    pub transfer: TransferRecord,
    /// Why it was made.
    pub grounds: Grounds,
    /// The block that made it.
    pub height: Height,
}

/// What the matching rule was given and answered.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ClearingRecord {
    /// Code that cleared (the pinned rule or its fallback).
    pub code: Hash,
    /// Whether it was the fallback.
    pub fallback: bool,
    /// SCALE of `(ClearParams, Book)`. A batch of a continuous book is kept without its resting orders, which follow
    /// from the batches before.
    pub input: Vec<u8>,
    /// SCALE of `Clearing`.
    pub output: Vec<u8>,
    /// Gas used.
    pub gas: Gas,
}

/// What the settlement rule was given and answered.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SettleRecord {
    /// Code that settled (the pinned rule or the default).
    pub code: Hash,
    /// Its input.
    pub input: SettleInput,
    /// Its output, accepted by the referee.
    pub report: SettlementReport,
    /// Gas used.
    pub gas: Gas,
}

/// An entry before it becomes a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveEntry(pub ArchiveRow);

impl ArchiveEntry {
    /// A movement of money; see [`crate::modules::balances::ledger`].
    pub fn ledger(height: Height, index: u32, record: Vec<u8>) -> Self {
        let key = [&height.number().to_be_bytes()[..], &index.to_be_bytes()].concat();
        Self(ArchiveRow { table: tables::LEDGER, key, value: record })
    }

    /// A party's consent.
    pub fn consent(at: (MarketId, Slot), trade: u32, side: u8, consent: &Consent) -> Self {
        let key = consent_key(at, trade, side);
        Self(ArchiveRow { table: tables::CONSENT, key, value: consent.encode() })
    }

    /// A posted execution list.
    pub fn list(at: (MarketId, Slot), hash: &Hash, list: Vec<u8>) -> Self {
        let key = [&slot_key(at)[..], hash.as_bytes()].concat();
        Self(ArchiveRow { table: tables::LIST, key, value: list })
    }

    /// A clearing: batch 0 of an auction, or any of a continuous book.
    pub fn clearing(at: (MarketId, Slot), batch: u32, record: &ClearingRecord) -> Self {
        Self(ArchiveRow { table: tables::CLEARING, key: clearing_key(at, batch), value: record.encode() })
    }

    /// A settlement.
    pub fn settle(at: (MarketId, Slot), record: &SettleRecord) -> Self {
        Self(ArchiveRow { table: tables::SETTLE, key: slot_key(at), value: record.encode() })
    }

    /// A reading.
    pub fn reading(at: (MarketId, Slot), signed: &SignedReading) -> Self {
        let key = reading_key(at, signed.reading.meter, signed.reading.revision);
        Self(ArchiveRow { table: tables::READING, key, value: signed.encode() })
    }

    /// A hold.
    pub fn hold(at: (MarketId, Slot), record: &HoldRecord) -> Self {
        let key = hold_key(at, record.order.seq);
        Self(ArchiveRow { table: tables::HOLD, key, value: record.encode() })
    }

    /// A curtailment.
    pub fn curtailment(at: (MarketId, Slot), record: &CurtailRecord) -> Self {
        let key = [&curtailment_key(at, record.meter)[..], record.authorised_by.as_bytes()].concat();
        Self(ArchiveRow { table: tables::CURTAIL, key, value: record.encode() })
    }

    /// A payment after settlement.
    pub fn adjustment(at: (MarketId, Slot), record: &AdjustmentRecord) -> Self {
        let key = adjustment_key(at, &record.transfer.hash());
        Self(ArchiveRow { table: tables::ADJUSTMENT, key, value: record.encode() })
    }

    /// A commitment.
    pub fn commit(at: (MarketId, Slot), record: &CommitRecord) -> Self {
        let key = hold_key(at, record.seq);
        Self(ArchiveRow { table: tables::COMMIT, key, value: record.encode() })
    }
}

/// Key prefix of everything of a market and slot.
pub fn slot_key(at: (MarketId, Slot)) -> Vec<u8> {
    [at.0.number().to_be_bytes(), at.1.number().to_be_bytes()].concat()
}

/// Key prefix of a stage's leaves.
pub fn stage_key(at: (MarketId, Slot), stage: Stage) -> Vec<u8> {
    let mut key = slot_key(at);
    key.extend_from_slice(&stage.encode());
    key
}

/// Key of a party's consent.
pub fn consent_key(at: (MarketId, Slot), trade: u32, side: u8) -> Vec<u8> {
    [&slot_key(at)[..], &trade.to_be_bytes(), &[side]].concat()
}

/// Key of a clearing.
pub fn clearing_key(at: (MarketId, Slot), batch: u32) -> Vec<u8> {
    [&slot_key(at)[..], &batch.to_be_bytes()].concat()
}

/// Key of a reading.
pub fn reading_key(at: (MarketId, Slot), meter: MeterId, revision: u16) -> Vec<u8> {
    [&slot_key(at)[..], &meter.number().to_be_bytes(), &revision.to_be_bytes()].concat()
}

/// Key prefix of the curtailments of a meter in a slot.
pub fn curtailment_key(at: (MarketId, Slot), meter: MeterId) -> Vec<u8> {
    [&slot_key(at)[..], &meter.number().to_be_bytes()].concat()
}

/// Key of a payment after settlement.
pub fn adjustment_key(at: (MarketId, Slot), transfer: &Hash) -> Vec<u8> {
    [&slot_key(at)[..], transfer.as_bytes()].concat()
}

/// Key of a hold, and of a commitment.
pub fn hold_key(at: (MarketId, Slot), seq: Seq) -> Vec<u8> {
    [&slot_key(at)[..], &seq.number().to_be_bytes()].concat()
}
