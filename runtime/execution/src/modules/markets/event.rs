//! What the market tells the world.

use super::adjustments::Grounds;
use super::standing::Removal;
use super::{Error, SlotState, VoidReason, curtailment};
use crate::referee::{ClearingFault, SettlementFault};
use contract_interface::{RuleError, Stage};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{EntityId, Gas, Hash, MarketId, MeterId, Money, Seq, Slot};
use scale_info::TypeInfo;
use thiserror::Error as ThisError;

/// Why a matching rule's run does not count.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum ClearFailure {
    /// It trapped, ran out of gas or of stack, or touched what a pure contract must not.
    #[error("trapped")]
    Trapped,
    /// Its answer does not decode.
    #[error("garbage")]
    Garbage,
    /// It refused the book.
    #[error("rule error {0:?}")]
    Rule(RuleError),
    /// The referee refused its clearing.
    #[error("refused by the referee: {0}")]
    Refused(ClearingFault),
}

/// Why a settlement rule's run does not count.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum SettleFailure {
    /// It trapped, ran out of gas or of stack, or touched what a pure contract must not.
    #[error("trapped")]
    Trapped,
    /// Its answer does not decode.
    #[error("garbage")]
    Garbage,
    /// It refused the input.
    #[error("rule error {0:?}")]
    Rule(RuleError),
    /// The referee refused its report.
    #[error("refused by the referee: {0}")]
    Refused(SettlementFault),
}

/// Why a sealed order's deposit is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Forfeit {
    /// It was not revealed in time.
    NotRevealed = 0,
    /// It was, and its owner could not cover its hold.
    Insolvent = 1,
}

/// Events of the `Markets` module.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Event {
    /// A market was created.
    MarketCreated {
        /// Its id.
        market: MarketId,
        /// Who runs it.
        operator: EntityId,
    },
    /// Terms were scheduled.
    TermsScheduled {
        /// Market.
        market: MarketId,
        /// First slot they govern.
        slot: Slot,
        /// Their hash.
        terms: Hash,
        /// Parties that agree to them before they govern anything.
        awaits: Vec<EntityId>,
    },
    /// A slot changed its state.
    SlotMoved {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Where it stands now.
        state: SlotState,
    },
    /// An order was admitted.
    OrderPlaced {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Its position.
        seq: Seq,
        /// Whose.
        entity: EntityId,
        /// Money held for it.
        hold: Money,
    },
    /// An order was cancelled (or replaced by an amendment).
    OrderCancelled {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Which.
        seq: Seq,
    },
    /// A book was cleared.
    Cleared {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// By which code.
        code: Hash,
        /// Trades.
        trades: u32,
        /// Gas used.
        gas: Gas,
    },
    /// A matching rule's run does not count.
    ClearingFailed {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Which code.
        code: Hash,
        /// Why.
        failure: ClearFailure,
    },
    /// A party answered a trade.
    TradeAnswered {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Trade.
        trade: u32,
        /// Who.
        entity: EntityId,
        /// Whether it agreed.
        agreed: bool,
    },
    /// A trade was cancelled because a party refused or never answered.
    TradeCancelled {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Trade.
        trade: u32,
        /// Who failed; `None` if both.
        party: Option<EntityId>,
        /// What it paid to the other.
        compensation: Money,
    },
    /// A slot's trades are void; all holds are released.
    SlotVoid {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Why.
        reason: VoidReason,
    },
    /// A reading was posted.
    ReadingPosted {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Meter.
        meter: MeterId,
        /// Revision.
        revision: u16,
    },
    /// The grid operator limited what meters move in a slot.
    Curtailed {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Meters with the most each may move.
        items: Vec<curtailment::Cap>,
        /// The operator's reason code.
        reason: u8,
    },
    /// An execution list was posted.
    ListPosted {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Its hash.
        list: Hash,
        /// By whom.
        poster: EntityId,
    },
    /// A stage was recorded.
    StageRecorded {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Stage.
        stage: Stage,
        /// Hash of the record.
        record: Hash,
    },
    /// A slot was settled.
    Settled {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Payments.
        transfers: u32,
        /// Money moved.
        amount: Money,
    },
    /// A settlement rule's run does not count.
    SettlementFailed {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Which code.
        code: Hash,
        /// Why.
        failure: SettleFailure,
    },
    /// A payment was not covered; the rest is owed.
    Owed {
        /// Who owes.
        debtor: EntityId,
        /// How much.
        amount: Money,
    },
    /// The bank credited an account.
    Funded {
        /// Whose.
        entity: EntityId,
        /// How much.
        amount: Money,
        /// Hash of the funding record.
        record: Hash,
    },
    /// A reading of a batch does not count; the others do.
    ReadingRefused {
        /// Market it names.
        market: MarketId,
        /// Slot it names.
        slot: Slot,
        /// Meter it names.
        meter: MeterId,
        /// Its revision.
        revision: u16,
        /// Why.
        error: Error,
    },
    /// A sealed order took its place; [`Event::OrderCancelled`] if it is withdrawn.
    OrderSealed {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Its position.
        seq: Seq,
        /// Whose.
        entity: EntityId,
        /// Money held until it is revealed.
        deposit: Money,
    },
    /// A sealed order was revealed and is in the book; its deposit is released.
    OrderRevealed {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Its position.
        seq: Seq,
        /// Money held for it.
        hold: Money,
    },
    /// A standing order was set.
    StandingSet {
        /// Market.
        market: MarketId,
        /// Its number.
        id: u32,
        /// Whose.
        entity: EntityId,
    },
    /// A standing order became an order, as [`Event::OrderPlaced`] says.
    StandingPlaced {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Its number.
        id: u32,
        /// The order.
        seq: Seq,
    },
    /// A standing order was refused in this slot, and stands.
    StandingSkipped {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Its number.
        id: u32,
        /// Why.
        error: crate::DispatchError,
    },
    /// A standing order is no more.
    StandingRemoved {
        /// Market.
        market: MarketId,
        /// Its number.
        id: u32,
        /// Why.
        reason: Removal,
    },
    /// The operator's deposit does not pay for looking at more standing orders in this slot.
    StandingUnpaid {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
    },
    /// The deposit of a sealed order went to the pool, and the order is out.
    SealForfeited {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Its position.
        seq: Seq,
        /// The deposit.
        deposit: Money,
        /// Why.
        reason: Forfeit,
    },
    /// A cancellation was queued in a continuous book; it withdraws what is open when its turn comes.
    CancellationQueued {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Its place.
        seq: Seq,
        /// The order.
        order: Seq,
    },
    /// A continuous rule withdrew an order because it met one of its own entity.
    SelfTradePrevented {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Which.
        seq: Seq,
    },
    /// An order was withdrawn because of a cap, in a continuous book as far as it was open.
    OrderCurtailed {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Which.
        seq: Seq,
        /// The capped meter.
        meter: MeterId,
    },
    /// A party agreed to terms.
    TermsAgreed {
        /// Market.
        market: MarketId,
        /// Their hash.
        terms: Hash,
        /// Who.
        entity: EntityId,
    },
    /// Other terms took the place of scheduled ones: answers to these are void.
    TermsReplaced {
        /// Market.
        market: MarketId,
        /// First slot they would have governed.
        slot: Slot,
        /// Their hash.
        terms: Hash,
        /// Parties whose agreement is void: none, if all had agreed and are bound as before.
        agreed: Vec<EntityId>,
    },
    /// The operator took terms back that some party had not agreed to.
    TermsWithdrawn {
        /// Market.
        market: MarketId,
        /// First slot they would have governed.
        slot: Slot,
        /// Their hash.
        terms: Hash,
    },
    /// All parties have agreed to a market's first terms: it runs.
    MarketAgreed {
        /// Market.
        market: MarketId,
        /// Its first slot.
        slot: Slot,
    },
    /// Terms were not agreed when their first slot opened: they will govern none.
    TermsLapsed {
        /// Market.
        market: MarketId,
        /// First slot they would have governed.
        slot: Slot,
        /// Their hash.
        terms: Hash,
    },
    /// A billing period is over: its pool went back to who traded in it.
    PoolRefunded {
        /// Market.
        market: MarketId,
        /// First slot of the period.
        first: Slot,
        /// Last slot of the period.
        last: Slot,
        /// How many got something.
        entities: u32,
        /// What they got together.
        amount: Money,
    },
    /// A settled slot was put right.
    Adjusted {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Who paid.
        entity: EntityId,
        /// How many payments.
        payments: u32,
        /// What they come to.
        amount: Money,
        /// Why.
        grounds: Grounds,
    },
    /// The retailer lacks money to pre-fund what a slot's meters may give.
    PrefundingShort {
        /// Market.
        market: MarketId,
        /// The slot that opened or was settled.
        slot: Slot,
        /// For all connections of the market.
        needed: Money,
        /// Of it.
        held: Money,
    },
    /// A payment took from a supply deposit, or from what the retailer pre-funded.
    ReserveDrawn {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Whose deposit; `None` for the retailer's pre-funding.
        entity: Option<EntityId>,
        /// How much.
        amount: Money,
    },
    /// What was held for connections beyond what is needed is free again.
    DepositReleased {
        /// Market.
        market: MarketId,
        /// Whose.
        entity: EntityId,
        /// How much.
        amount: Money,
    },
    /// An entity took money back to a bank.
    Withdrawn {
        /// Whose.
        entity: EntityId,
        /// How much.
        amount: Money,
        /// Hash of the record.
        record: Hash,
    },
    /// The operator took back the deposit of a market that its parties have not agreed to.
    DepositTakenBack {
        /// Market.
        market: MarketId,
        /// How much.
        amount: Money,
    },
}
