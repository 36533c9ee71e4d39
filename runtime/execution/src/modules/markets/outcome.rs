//! What became of a trade (MARKET section 4): delivered, in part, or cancelled; why, and on whose side.
//!
//! The rule: an outcome is computed from what the archive keeps, by this file alone, and stored nowhere. So a bill, a
//! list, an export and an auditor cannot tell different stories of one trade.

use super::{At, RECORDS, SLOTS, VoidReason};
use crate::archive::SettleRecord;
use contract_interface::{CertifiedTrade, SettleInput, SettlementReport, Side, Stage};
use runtime_primitives::{Energy, MeterId};
use runtime_state::Overlay;
use std::collections::BTreeMap;

/// What became of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TradeOutcome {
    /// All of it was settled.
    Delivered,
    /// Some of it was.
    Partial {
        /// What was settled: more than nothing, less than the trade.
        settled: Energy,
        /// Why no more.
        failure: Failure,
    },
    /// Nothing of it was.
    Cancelled(Failure),
}

/// Why a trade came to less than was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kept it from being settled.
    pub reason: FailureReason,
    /// On whose side; nobody's if the slot is void.
    pub party: Option<FailedParty>,
}

/// What keeps a trade from being settled in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureReason {
    /// A party refused, or did not answer in time.
    NotConfirmed,
    /// The slot's trades are void.
    Void(VoidReason),
    /// A meter moved less than was left of it for this trade.
    NotDelivered,
    /// The same, and the grid operator had curtailed every meter that did.
    Curtailed,
}

/// The side on which a trade failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedParty {
    /// The seller's.
    Seller,
    /// The buyer's.
    Buyer,
    /// Both.
    Both,
}

impl FailedParty {
    const fn of(seller: bool, buyer: bool) -> Option<Self> {
        match (seller, buyer) {
            (true, true) => Some(Self::Both),
            (true, false) => Some(Self::Seller),
            (false, true) => Some(Self::Buyer),
            (false, false) => None,
        }
    }
}

impl TradeOutcome {
    /// Why it is less than agreed, if it is.
    pub const fn failure(&self) -> Option<Failure> {
        match self {
            Self::Delivered => None,
            Self::Partial { failure, .. } | Self::Cancelled(failure) => Some(*failure),
        }
    }
}

/// The outcomes of a slot's certified trades, in their order. A side fell short if its meter had less left, when the
/// trade's turn came, than the trade asks for; both may.
pub fn outcomes_of(input: &SettleInput, report: &SettlementReport) -> Vec<TradeOutcome> {
    let meters = input.meters.iter();
    let mut left: BTreeMap<MeterId, Left> =
        meters.map(|slot| (slot.meter, Left::new(slot.export_wh, slot.import_wh, slot.curtailed))).collect();
    let pairs = input.trades.iter().zip(&report.settled);
    pairs.map(|(trade, settled)| outcome_of(trade, *settled, &mut left)).collect()
}

/// What a meter has not used up for the trades before.
#[derive(Clone, Copy, Default)]
struct Left {
    export: Energy,
    import: Energy,
    curtailed: bool,
}

impl Left {
    const fn new(export: Energy, import: Energy, curtailed: bool) -> Self {
        Self { export, import, curtailed }
    }
}

fn outcome_of(trade: &CertifiedTrade, settled: Energy, left: &mut BTreeMap<MeterId, Left>) -> TradeOutcome {
    let seller = left.entry(trade.sell_meter).or_default();
    let (seller_short, seller_curtailed) = (seller.export < trade.energy, seller.curtailed);
    seller.export = seller.export.saturating_sub(settled);
    let buyer = left.entry(trade.buy_meter).or_default();
    let (buyer_short, buyer_curtailed) = (buyer.import < trade.energy, buyer.curtailed);
    buyer.import = buyer.import.saturating_sub(settled);
    if settled == trade.energy {
        return TradeOutcome::Delivered;
    }
    let excused = (!seller_short || seller_curtailed) && (!buyer_short || buyer_curtailed);
    let reason = if excused { FailureReason::Curtailed } else { FailureReason::NotDelivered };
    let failure = Failure { reason, party: FailedParty::of(seller_short, buyer_short) };
    match settled.is_zero() {
        true => TradeOutcome::Cancelled(failure),
        false => TradeOutcome::Partial { settled, failure },
    }
}

/// What is known of a slot's trades, as far as it has come.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    /// By number, once the slot is settled.
    settled: BTreeMap<u32, TradeOutcome>,
    void: Option<VoidReason>,
    /// Whether the time for consent is over.
    answered: bool,
}

impl Outcomes {
    /// Of the slot `at`, in a state that knows it, with the archive's record of its settlement if there is one.
    pub fn read(state: &Overlay, at: At, settlement: Option<&SettleRecord>) -> Self {
        let settled = settlement.map(|record| {
            let numbers = record.input.trades.iter().map(|trade| trade.id);
            numbers.zip(outcomes_of(&record.input, &record.report)).collect()
        });
        Self {
            settled: settled.unwrap_or_default(),
            void: SLOTS.get(state, &at).and_then(|slot| slot.void),
            answered: RECORDS.contains(state, &(at.0, at.1, Stage::Matching)),
        }
    }

    /// The outcome of trade `trade`, or `None` while that is open; `agreed` says whether a side agreed:
    /// it answered yes, or the archive has no answer because its order agreed in advance.
    ///
    /// # Errors
    /// What `agreed` fails with.
    pub fn of_trade<E>(
        &self,
        trade: u32,
        mut agreed: impl FnMut(Side) -> Result<bool, E>,
    ) -> Result<Option<TradeOutcome>, E> {
        if let Some(outcome) = self.settled.get(&trade) {
            return Ok(Some(*outcome));
        }
        if self.answered
            && let Some(party) = FailedParty::of(!agreed(Side::Sell)?, !agreed(Side::Buy)?)
        {
            let failure = Failure { reason: FailureReason::NotConfirmed, party: Some(party) };
            return Ok(Some(TradeOutcome::Cancelled(failure)));
        }
        let void = |reason| Failure { reason: FailureReason::Void(reason), party: None };
        Ok(self.void.map(|reason| TradeOutcome::Cancelled(void(reason))))
    }
}
