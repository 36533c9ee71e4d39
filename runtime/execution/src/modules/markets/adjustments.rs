//! Adjustments: what is put right after a settlement. A slot is never reopened; money moves once more, with evidence.
//!
//! The rule: an adjustment moves its signer's free money and nobody else's, but for what a payee owes, and it makes no debt.
//! Anybody may be paid: a landlord or an insurer has no meter in the slot.

use super::{At, Error, Event, Live, RECORDS, SlotState, clearing, live, meters, receivables};
use crate::archive::{AdjustmentRecord, ArchiveEntry};
use crate::context::Context;
use crate::modules::{balances, registry};
use crate::origin::Origin;
use contract_interface::{Stage, TransferRecord, kinds};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::{ADJUSTMENTS_PER_CALL_MAX, RECEIVABLES_PER_CREDIT};
use runtime_primitives::{EntityId, Hash, MeterId, Money};
use scale_info::TypeInfo;

/// One payment of an adjustment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Adjustment {
    /// Who is paid.
    pub payee: EntityId,
    /// How much.
    pub amount: Money,
    /// The trade of the slot that it is about, if any.
    pub trade: Option<u32>,
    /// The meter of the slot that it is about, if any.
    pub meter: Option<MeterId>,
}

/// Why an adjustment is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Grounds {
    /// blake2-256 of the document that explains it, which stays with those whom it concerns.
    pub evidence: Hash,
    /// The payer's reason code.
    pub reason: u8,
}

/// The signer pays `items` out of its free money: all of them or none.
///
/// # Errors
/// Another key than the owner's, a slot that is not settled, nothing or too much to pay, the same payment twice, a payee that
/// is not registered, a trade or meter that the slot does not know, the signer itself as payee, open receivables,
/// insufficient balance.
pub fn adjust(
    ctx: &mut Context,
    origin: &Origin,
    at: At,
    items: &[Adjustment],
    grounds: Grounds,
) -> Result<(), crate::DispatchError> {
    registry::ensure_scope(origin, registry::scopes::OWNER)?;
    let entity = origin.entity()?;
    let live = live(&ctx.state, at)?;
    if live.slot.state != SlotState::Settled {
        return Err(Error::NotSettled { slot: at.1, state: live.slot.state }.into());
    }
    check_list(items)?;
    receivables::ensure_none(&ctx.state, entity)?;
    let payer = registry::entity(&ctx.state, entity)?.owner;
    let record = RECORDS.get(&ctx.state, &(at.0, at.1, Stage::Settlement));
    let spends = record.expect("a settled slot has its record").hash();
    let known = meters::meters_of(&ctx.state, &live);
    let mut amount = Money::ZERO;
    for item in items {
        check(&live, &known, entity, item)?;
        let payee = registry::entity(&ctx.state, item.payee)?.owner;
        let transfer = TransferRecord {
            slot: Some(at),
            kind: kinds::ADJUSTMENT,
            trade: item.trade,
            meter: item.meter,
            spends,
            ..balances::plain(ctx, payer, payee, item.amount)
        };
        balances::transfer(ctx, &transfer)?;
        let record = AdjustmentRecord { transfer, grounds, height: ctx.env.height };
        ctx.archive(ArchiveEntry::adjustment(at, &record));
        receivables::collect(ctx, item.payee, RECEIVABLES_PER_CREDIT);
        amount = amount.saturating_add(item.amount);
    }
    let (market, slot) = at;
    let payments = clearing::count(items.len());
    ctx.emit(Event::Adjusted { market, slot, entity, payments, amount, grounds });
    Ok(())
}

fn check_list(items: &[Adjustment]) -> Result<(), Error> {
    if items.is_empty() {
        return Err(Error::NothingAdjusted);
    }
    if items.len() > ADJUSTMENTS_PER_CALL_MAX {
        return Err(Error::TooManyAdjustments(clearing::count(ADJUSTMENTS_PER_CALL_MAX)));
    }
    // Twins would be one record, which the archive keeps once.
    let twin = (1..items.len()).find(|index| items[..*index].contains(&items[*index]));
    if let Some(index) = twin {
        return Err(Error::AdjustmentTwice(clearing::count(index)));
    }
    Ok(())
}

fn check(
    live: &Live,
    known: &[MeterId],
    payer: EntityId,
    item: &Adjustment,
) -> Result<(), crate::DispatchError> {
    if item.payee == payer {
        return Err(Error::AdjustsItself(payer).into());
    }
    if item.amount.is_zero() {
        return Err(balances::Error::ExistentialDeposit.into());
    }
    if let Some(trade) = item.trade.filter(|trade| *trade >= live.slot.trades) {
        return Err(Error::UnknownTrade(trade).into());
    }
    match item.meter.filter(|meter| known.binary_search(meter).is_err()) {
        Some(meter) => Err(Error::UnknownMeter(meter).into()),
        None => Ok(()),
    }
}
