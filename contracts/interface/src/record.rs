//! What anyone can check from bytes alone: stage records, trade orders, claims, votes and transfers.
//!
//! Signed messages start with a domain string and the genesis hash, so that a signature means one thing on one
//! chain.

use crate::{OrderRequest, Reading};
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode, MaxEncodedLen};
use runtime_primitives::{
    AccountId, Energy, EntityId, Hash, MarketId, MeterId, Money, Price, Seq, Slot, Timestamp, blake2_256,
};

/// The paper's seven stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub enum Stage {
    /// Orders (formula 1).
    Declaration = 1,
    /// Trade orders signed by both sides (formulas 2 and 3).
    Matching = 2,
    /// Validators' signatures (formula 4).
    Authentication = 3,
    /// Meter readings.
    Execution = 4,
    /// Votes on the execution list (formula 5).
    Certification = 5,
    /// Net positions.
    Clearing = 6,
    /// Transfers (formula 6).
    Settlement = 7,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 7] = [
        Self::Declaration,
        Self::Matching,
        Self::Authentication,
        Self::Execution,
        Self::Certification,
        Self::Clearing,
        Self::Settlement,
    ];
}

/// The header that formula 1 attaches to each stage's data.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct StageRecord {
    /// `N-version`: version of this layout.
    pub version: u16,
    /// Which stage.
    pub stage: Stage,
    /// Hash of the record before it in the same slot; stage 1 names stage 1 of the slot recorded before.
    pub prev_hash: Hash,
    /// Time of the block that closed the stage.
    pub timestamp: Timestamp,
    /// Number of leaves. The paper's field; carries no proof of work.
    pub nonce: u64,
    /// Always 0. The paper's field; carries no proof of work.
    pub bits: u32,
    /// Merkle root over the stage's bodies.
    pub merkle_root: Hash,
}

impl StageRecord {
    /// blake2-256 of the SCALE encoding.
    pub fn hash(&self) -> Hash {
        blake2_256(&self.encode())
    }
}

/// One side of a trade order: the paper's `(P, C, T)` with its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Leg {
    /// The signed order behind it.
    pub seq: Seq,
    /// Who.
    pub entity: EntityId,
    /// Where.
    pub meter: MeterId,
    /// P: volume.
    pub energy: Energy,
    /// C: price.
    pub price: Price,
    /// T: delivery slot.
    pub slot: Slot,
}

/// Formula 3. Input is the declaring seller's leg, output the buyer's, as in the paper's case.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct TradeOrder {
    /// Version of this layout.
    pub version: u16,
    /// Market.
    pub market: MarketId,
    /// Position of the trade in clearing order.
    pub trade: u32,
    /// Sellers' legs.
    pub inputs: Vec<Leg>,
    /// Buyers' legs.
    pub outputs: Vec<Leg>,
}

impl TradeOrder {
    /// blake2-256 of the SCALE encoding: what both parties sign.
    pub fn hash(&self) -> Hash {
        blake2_256(&self.encode())
    }
}

/// What a vote is about (DESIGN section 3). The voter's own result hash is part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Claim {
    /// Market.
    pub market: MarketId,
    /// Slot.
    pub slot: Slot,
    /// 3 or 5.
    pub stage: Stage,
    /// Voting round: 0; 1 after a correction; 2 for the validators' choice in a dispute.
    pub round: u8,
    /// Code that was run: matching for stage 3, settlement for stage 5.
    pub code_hash: Hash,
    /// What it was run on: stage 3 the root of orders, stage 5 the root of readings.
    pub input_root: Hash,
    /// What came out: stage 3 the root of confirmed trade orders, stage 5 the execution list's hash.
    pub result_hash: Hash,
    /// Epoch of the validator set.
    pub epoch: u32,
    /// blake2-256 of the SCALE encoding of the eligible entities.
    pub electorate_hash: Hash,
}

/// A vote as recorded: leaf of stages 3 and 5.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Vote {
    /// Who voted.
    pub voter: EntityId,
    /// The key that signed.
    pub key: AccountId,
    /// The entity whose key that is, if it votes as the voter's proxy.
    pub proxy: Option<EntityId>,
    /// The claim, with the voter's result hash.
    pub claim: Claim,
    /// sr25519 signature over [`Vote::message`].
    pub signature: [u8; 64],
}

impl Vote {
    /// The bytes that were signed.
    pub fn message(&self, genesis: &Hash) -> Vec<u8> {
        vote_message(genesis, &self.claim, self.voter, self.proxy)
    }
}

/// Net result of a slot for one entity: leaf of stage 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct NetPosition {
    /// Whose.
    pub entity: EntityId,
    /// Settled energy bought.
    pub bought: Energy,
    /// Settled energy sold.
    pub sold: Energy,
    /// Money received.
    pub received: Money,
    /// Money paid.
    pub paid: Money,
}

/// See [`crate::kinds`].
pub type TransferKind = u8;

/// One payment as recorded (formula 6): leaf of stage 7 and line of a bill.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct TransferRecord {
    /// Market and slot, for payments of a settlement.
    pub slot: Option<(MarketId, Slot)>,
    /// Payer's account.
    pub payer: AccountId,
    /// Payee's account (`scriptPubkey`).
    pub payee: AccountId,
    /// Amount, > 0.
    pub amount: Money,
    /// What for; see [`crate::kinds`].
    pub kind: TransferKind,
    /// The trade paid for, if any.
    pub trade: Option<u32>,
    /// The meter billed, if any.
    pub meter: Option<MeterId>,
    /// Hash of the record that funded it: a hold, a transfer, or a funding.
    pub spends: Hash,
    /// Hash of the extrinsic by which the payer authorised it (`scriptSign`); zero for genesis.
    pub authorised_by: Hash,
}

impl TransferRecord {
    /// blake2-256 of the SCALE encoding: what a later record's `spends` names.
    pub fn hash(&self) -> Hash {
        blake2_256(&self.encode())
    }
}

/// The bytes that are signed for a vote of `voter`. A proxy names whom it votes for: its own vote is nobody else's.
pub fn vote_message(genesis: &Hash, claim: &Claim, voter: EntityId, proxy: Option<EntityId>) -> Vec<u8> {
    match proxy {
        None => attest_message(genesis, claim),
        Some(_) => ("busbar/proxy-vote/v1", genesis, claim, voter).encode(),
    }
}

/// The bytes a voter signs.
pub fn attest_message(genesis: &Hash, claim: &Claim) -> Vec<u8> {
    ("busbar/attest/v1", genesis, claim).encode()
}

/// The bytes a trading party signs; `order` is [`TradeOrder::hash`].
pub fn confirm_message(genesis: &Hash, order: &Hash) -> Vec<u8> {
    ("busbar/confirm/v1", genesis, order).encode()
}

/// The bytes a meter signs.
pub fn reading_message(genesis: &Hash, reading: &Reading) -> Vec<u8> {
    ("busbar/reading/v1", genesis, reading).encode()
}

/// The bytes a meter signs for a correction; `evidence` is the blake2-256 hash of the document that explains it.
pub fn correction_message(genesis: &Hash, reading: &Reading, evidence: &Hash) -> Vec<u8> {
    ("busbar/correction/v1", genesis, reading, evidence).encode()
}

/// What a sealed order commits to: blake2-256 of the SCALE encoding of
/// `("busbar/seal/v1", genesis, request, salt, entity)`. Market and slot are in the request; the entity makes a copied
/// commitment worthless to others. The salt keeps the few plausible orders from being tried out: 32 random bytes.
pub fn seal(genesis: &Hash, request: &OrderRequest, salt: &[u8; 32], entity: EntityId) -> Hash {
    blake2_256(&("busbar/seal/v1", genesis, request, salt, entity).encode())
}
