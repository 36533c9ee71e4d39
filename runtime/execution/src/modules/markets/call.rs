//! Calls of the market and where they lead.

use super::adjustments::{Adjustment, Grounds};
use super::registration::NewMarket;
use super::sealed::Commitment;
use super::standing::Template;
use super::{
    At, Error, adjustments, agreement, confirm, curtailment, deposits, lists, money, orders, readings,
    receivables, registration, sealed, settle, standing,
};
use crate::context::Context;
use crate::origin::Origin;
use contract_interface::{ExecutionList, OrderRequest, Reading, Terms};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::crypto::Signature;
use runtime_primitives::limits::{
    ADMIT_GAS_MAX, DEPOSITS_PER_CREDIT, DESCRIBE_GAS_MAX, MAX_ORDERS_PER_SLOT, ORDERS_PER_ENTITY_MAX,
    RECEIVABLES_PER_CREDIT, RECEIVABLES_PER_PASS, RULES_CHECK_GAS_MAX, SCHEDULE_MAX, WITHDRAWN_PER_CALL_MAX,
};
use runtime_primitives::{AccountId, EntityId, Gas, Hash, MarketId, Money, Seq, Slot};
use scale_info::TypeInfo;

/// A party's signature under one trade order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ConfirmItem {
    /// Position of the trade.
    pub trade: u32,
    /// Hash of the trade order that was signed.
    pub order_hash: Hash,
    /// Over `confirm_message`.
    pub signature: Signature,
}

/// Calls.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Call {
    /// Place an order.
    Place {
        /// What the trader signed.
        request: OrderRequest,
    },
    /// Withdraw an order.
    Cancel {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Order.
        seq: Seq,
    },
    /// Replace an order; the new one queues anew.
    Amend {
        /// Order to replace.
        seq: Seq,
        /// Its replacement, in the same market and slot.
        request: OrderRequest,
    },
    /// Confirm trades.
    Confirm {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Trades with signatures.
        items: Vec<ConfirmItem>,
    },
    /// Refuse a trade; costs δ per kWh.
    Refuse {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Trade.
        trade: u32,
    },
    /// Post a meter's reading; bare.
    PostReading {
        /// The reading.
        reading: Reading,
        /// The meter's, over `reading_message`.
        signature: Signature,
    },
    /// Post an execution list.
    PostList {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// The list.
        list: ExecutionList,
    },
    /// Limit what meters move in a slot; by the market's grid operator.
    Curtail {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Meters, at most `CURTAILED_PER_CALL_MAX`, each once, with the most it may move: zero is an interruption.
        items: Vec<curtailment::Cap>,
        /// The operator's reason code.
        reason: u8,
    },
    /// Ask for a settlement that is due.
    Settle {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
    },
    /// Create a market; by a market operator.
    Create {
        /// What is asked for.
        new: Box<NewMarket>,
    },
    /// Schedule terms; by the market's operator.
    ScheduleTerms {
        /// Market.
        market: MarketId,
        /// First slot they govern.
        slot: Slot,
        /// The terms.
        terms: Box<Terms>,
    },
    /// Credit an entity's account; by a bank.
    Fund {
        /// Whose.
        entity: EntityId,
        /// How much.
        amount: Money,
    },
    /// Take free money back to a bank; by the owner.
    Withdraw {
        /// To which bank.
        bank: EntityId,
        /// How much.
        amount: Money,
    },
    /// Give back what is held for connections in a market beyond what is needed; by the owner.
    ReleaseDeposit {
        /// Market.
        market: MarketId,
    },
    /// Pay what is owed from free money, oldest first; by the owner.
    PayReceivables,
    /// Add to the deposit for market steps; by the market's operator.
    TopUp {
        /// Market.
        market: MarketId,
        /// How much.
        amount: Money,
    },
    /// Agree to terms of a market; by a party that it names.
    Agree {
        /// Market.
        market: MarketId,
        /// Hash of the terms.
        terms: Hash,
    },
    /// Post readings of many meters; by any entity, such as a data concentrator.
    PostReadings {
        /// Readings with their meters' signatures, at most `READINGS_PER_BATCH_MAX`; of any market and slot.
        readings: Vec<readings::Signed>,
    },
    /// Post a substitute for the reading of a silent meter; bare.
    PostSubstitute {
        /// The reading, with status `Substituted`.
        reading: Reading,
        /// Owner key of the market's meter operator.
        key: AccountId,
        /// Its signature over `reading_message`.
        signature: Signature,
    },
    /// Correct a meter's reading; bare.
    PostCorrection {
        /// The reading, with status `Corrected`.
        reading: Reading,
        /// blake2-256 of the document that explains it, which stays with those whom it concerns.
        evidence: Hash,
        /// The meter's, over `correction_message`.
        signature: Signature,
    },
    /// Commit to an order of a sealed slot.
    Commit {
        /// The commitment.
        commit: Commitment,
    },
    /// Set a standing order.
    SetStanding {
        /// What the trader signed.
        template: Box<Template>,
    },
    /// Remove a standing order.
    RemoveStanding {
        /// Market.
        market: MarketId,
        /// Its number.
        id: u32,
    },
    /// Reveal the order behind a commitment.
    Reveal {
        /// The commitment's place.
        seq: Seq,
        /// The order.
        request: OrderRequest,
        /// What the commitment was salted with.
        salt: [u8; 32],
    },
    /// Put a settled slot right by paying out of free money; by the payer's owner.
    Adjust {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Payments, at most `ADJUSTMENTS_PER_CALL_MAX`.
        items: Vec<Adjustment>,
        /// Why.
        grounds: Grounds,
    },
    /// Post an execution list by the revision of each meter's reading: the list of a market with more than seven
    /// thousand meters is longer than an extrinsic.
    PostRevisions {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Hash of the list that the revisions select.
        list: Hash,
        /// For each meter of the slot, in order.
        revisions: Vec<u16>,
    },
    /// Take back the deposit for market steps while the market is not agreed to; by its operator.
    TakeBackDeposit {
        /// Market.
        market: MarketId,
    },
    /// Take back scheduled terms that some party has not agreed to; by the market's operator.
    WithdrawTerms {
        /// Market.
        market: MarketId,
        /// Hash of the terms.
        terms: Hash,
    },
}

/// Signature, account and book-keeping of one call.
const BASE_GAS: u64 = 50_000_000;
/// One reading of a batch: a signature that is verified alone, and a page of registers and readings of its own.
const READING_GAS: u64 = 80_000_000;
/// Reading the whole book of the largest slot once.
const BOOK_GAS: u64 = 20_000_000_000;
/// One meter of an execution list: its readings in all revisions, and its leaf in the list's hash, both twice.
const LISTED_GAS: u64 = 2_000_000;
/// One order of the worst books for rule and fallback: written, encoded, and judged by the referee.
const WORST_ORDER_GAS: u64 = 2_000_000;
/// Reading one entry of a schedule with its terms, twice.
const TERMS_GAS: u64 = 10_000_000;
/// Payment of one receivable, or filling of one deposit.
const RECEIVABLE_GAS: u64 = 20_000_000;

/// One payment of an adjustment, to a payee that pays what it owes.
const ADJUSTMENT_GAS: u64 = BASE_GAS + RECEIVABLE_GAS * RECEIVABLES_PER_CREDIT as u64;

/// What checking terms takes beside the rules' runs on the worst book.
fn check_gas(terms: &Terms) -> u64 {
    let rules = [terms.bid, terms.matching, terms.settlement, terms.fallback].len() as u64;
    let orders = terms.limits.orders_per_slot.min(MAX_ORDERS_PER_SLOT);
    rules * DESCRIBE_GAS_MAX + WORST_ORDER_GAS * u64::from(orders)
}

/// Finding the orders of so many meters, and withdrawing them.
fn curtail_gas(meters: u64) -> u64 {
    let orders =
        meters.saturating_mul(u64::from(ORDERS_PER_ENTITY_MAX)).min(u64::from(WITHDRAWN_PER_CALL_MAX));
    BOOK_GAS + BASE_GAS.saturating_mul(meters.saturating_add(orders))
}

impl Call {
    /// Gas the call declares of what the block has for extrinsics.
    pub fn gas(&self) -> Gas {
        let extra = match self {
            Self::Place { .. } | Self::Amend { .. } | Self::Reveal { .. } => ADMIT_GAS_MAX,
            Self::Confirm { items, .. } => BASE_GAS.saturating_mul(items.len() as u64),
            Self::PostReadings { readings } => READING_GAS.saturating_mul(readings.len() as u64),
            Self::Refuse { .. } | Self::TakeBackDeposit { .. } => {
                RECEIVABLE_GAS * u64::from(RECEIVABLES_PER_CREDIT)
            }
            Self::PayReceivables => RECEIVABLE_GAS * u64::from(RECEIVABLES_PER_PASS),
            Self::Fund { .. } => {
                RECEIVABLE_GAS * u64::from(RECEIVABLES_PER_PASS) + RECEIVABLE_GAS * DEPOSITS_PER_CREDIT as u64
            }
            Self::ReleaseDeposit { .. } => {
                RECEIVABLE_GAS * u64::from(RECEIVABLES_PER_PASS) + TERMS_GAS * u64::from(SCHEDULE_MAX)
            }
            Self::PostList { list, .. } => LISTED_GAS.saturating_mul(list.0.len() as u64),
            Self::PostRevisions { revisions, .. } => LISTED_GAS.saturating_mul(revisions.len() as u64),
            Self::Curtail { items, .. } => curtail_gas(items.len() as u64),
            Self::Adjust { items, .. } => ADJUSTMENT_GAS.saturating_mul(items.len() as u64),
            Self::Create { new } => check_gas(&new.terms),
            Self::ScheduleTerms { terms, .. } => check_gas(terms),
            _ => 0,
        };
        Gas::from_units(BASE_GAS.saturating_add(extra))
    }

    /// Gas that the call may take of what the block has for market steps: its rules' runs on the worst book.
    pub const fn step_gas(&self) -> Gas {
        match self {
            Self::Create { .. } | Self::ScheduleTerms { .. } => Gas::from_units(RULES_CHECK_GAS_MAX),
            _ => Gas::ZERO,
        }
    }

    /// Whether the call is submitted bare.
    pub const fn is_bare(&self) -> bool {
        matches!(self, Self::PostReading { .. } | Self::PostSubstitute { .. } | Self::PostCorrection { .. })
    }
}

/// Handle a bare call.
///
/// # Errors
/// One per rule; the extrinsic is then skipped.
pub fn validate_bare(ctx: &mut Context, call: &Call) -> Result<(), Error> {
    readings::post(ctx, call)
}

/// Handle a signed call.
///
/// # Errors
/// As the call says.
pub fn dispatch(ctx: &mut Context, origin: &Origin, call: Call) -> Result<(), crate::DispatchError> {
    let at = |market, slot| -> At { (market, slot) };
    match call {
        Call::Place { request } => orders::place(ctx, origin, request).map(|_| ()),
        Call::Cancel { market, slot, seq } => orders::cancel(ctx, origin, at(market, slot), seq),
        Call::Amend { seq, request } => orders::amend(ctx, origin, seq, request).map(|_| ()),
        Call::Confirm { market, slot, items } => confirm::confirm(ctx, origin, at(market, slot), &items),
        Call::Refuse { market, slot, trade } => confirm::refuse(ctx, origin, at(market, slot), trade),
        Call::PostReading { .. } | Call::PostSubstitute { .. } | Call::PostCorrection { .. } => {
            Err(crate::DispatchError::BadOrigin)
        }
        Call::PostReadings { readings } => readings::post_batch(ctx, origin, readings),
        Call::PostList { market, slot, list } => lists::post(ctx, origin, at(market, slot), &list),
        Call::PostRevisions { market, slot, list, revisions } => {
            lists::post_revisions(ctx, origin, at(market, slot), list, &revisions)
        }
        Call::Curtail { market, slot, items, reason } => {
            curtailment::curtail(ctx, origin, at(market, slot), items, reason)
        }
        Call::Adjust { market, slot, items, grounds } => {
            adjustments::adjust(ctx, origin, at(market, slot), &items, grounds)
        }
        Call::Settle { market, slot } => Ok(settle::request(ctx, at(market, slot))?),
        Call::Create { new } => registration::create(ctx, origin, *new).map(|_| ()),
        Call::ScheduleTerms { market, slot, terms } => {
            registration::schedule(ctx, origin, market, slot, &terms)
        }
        Call::Agree { market, terms } => agreement::agree(ctx, origin, market, terms),
        Call::Fund { entity, amount } => money::fund(ctx, origin, entity, amount),
        Call::Withdraw { bank, amount } => money::withdraw(ctx, origin, bank, amount),
        Call::PayReceivables => receivables::pay(ctx, origin),
        Call::ReleaseDeposit { market } => deposits::release(ctx, origin, market),
        Call::TopUp { market, amount } => registration::top_up(ctx, origin, market, amount),
        Call::TakeBackDeposit { market } => registration::take_back(ctx, origin, market),
        Call::WithdrawTerms { market, terms } => registration::withdraw_terms(ctx, origin, market, terms),
        Call::Commit { commit } => sealed::commit(ctx, origin, &commit).map(|_| ()),
        Call::SetStanding { template } => standing::set(ctx, origin, *template).map(|_| ()),
        Call::RemoveStanding { market, id } => standing::remove(ctx, origin, market, id),
        Call::Reveal { seq, request, salt } => sealed::reveal(ctx, origin, seq, request, &salt),
    }
}
