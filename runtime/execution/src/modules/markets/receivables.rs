//! Receivables: what debtors could not pay when it was due, and how it is collected.
//!
//! A debtor owes each creditor one sum; they are paid oldest first, from whatever money comes in. Who owes does not
//! trade, and its free money goes to nobody else.

use super::{Error, Event, RECEIVABLE, RECEIVABLE_TO, RECEIVABLES, Receivable};
use crate::context::Context;
use crate::error::DispatchError;
use crate::modules::{balances, registry};
use crate::origin::Origin;
use contract_interface::{TransferRecord, kinds};
use runtime_primitives::limits::RECEIVABLES_PER_PASS;
use runtime_primitives::{AccountId, EntityId, Hash, Money};
use runtime_state::Overlay;

/// What an entity owes, all in all.
pub(super) fn owed(state: &Overlay, debtor: EntityId) -> Money {
    RECEIVABLES.get(state, &debtor).map_or(Money::ZERO, |owing| owing.total)
}

/// Who owes pays before its free money goes anywhere else.
///
/// # Errors
/// [`Error::OpenReceivables`].
pub(crate) fn ensure_none(state: &Overlay, entity: EntityId) -> Result<(), Error> {
    match owed(state, entity) {
        owed if owed.is_zero() => Ok(()),
        owed => Err(Error::OpenReceivables { owed }),
    }
}

/// Who signs for an entity that owes spends nothing of its owner's. A key beside the owner's has money of its own.
///
/// # Errors
/// [`Error::OpenReceivables`]; nobody signed, or the entity is unknown.
pub(crate) fn ensure_spendable(state: &Overlay, origin: &Origin) -> Result<(), DispatchError> {
    let payer = origin.signer()?;
    if let Ok(entity) = origin.entity()
        && registry::entity(state, entity)?.owner == payer
    {
        ensure_none(state, entity)?;
    }
    Ok(())
}

/// `debtor` owes `creditor` so much more, by the settlement whose record of stage 7 is `origin`.
pub(super) fn owe(ctx: &mut Context, debtor: EntityId, creditor: AccountId, amount: Money, origin: Hash) {
    let mut owing = RECEIVABLES.get_or_default(&ctx.state, &debtor);
    let key = (debtor, creditor);
    let number = RECEIVABLE_TO.get(&ctx.state, &key).unwrap_or_else(|| {
        let number = owing.next;
        owing.next += 1;
        RECEIVABLE_TO.put(&mut ctx.state, &key, &number);
        number
    });
    let new = || Receivable { creditor, amount: Money::ZERO, origin };
    let mut open = RECEIVABLE.get(&ctx.state, &(debtor, number)).unwrap_or_else(new);
    open.amount = open.amount.saturating_add(amount);
    owing.total = owing.total.saturating_add(amount);
    RECEIVABLE.put(&mut ctx.state, &(debtor, number), &open);
    RECEIVABLES.put(&mut ctx.state, &debtor, &owing);
    ctx.emit(Event::Owed { debtor, amount });
}

/// Pay what `debtor` owes from its free money, oldest first and at most `creditors` of them. Called whenever the
/// market or a bank credits an entity, when money that was held for it is free again, and on its own request.
pub(super) fn collect(ctx: &mut Context, debtor: EntityId, creditors: u32) {
    let Some(mut owing) = RECEIVABLES.get(&ctx.state, &debtor) else { return };
    let payer = registry::entity(&ctx.state, debtor).expect("a debtor is registered").owner;
    for _ in 0..creditors {
        let key = (debtor, owing.first);
        let Some(mut open) = RECEIVABLE.get(&ctx.state, &key) else { break };
        let amount = balances::account(&ctx.state, &payer).data.free.min(open.amount);
        if amount.is_zero() {
            break;
        }
        let record = TransferRecord {
            kind: kinds::RECEIVABLE,
            spends: open.origin,
            ..balances::plain(ctx, payer, open.creditor, amount)
        };
        balances::transfer(ctx, &record).expect("no more than is free");
        open.amount = open.amount.saturating_sub(amount);
        owing.total = owing.total.saturating_sub(amount);
        if !open.amount.is_zero() {
            RECEIVABLE.put(&mut ctx.state, &key, &open);
            break;
        }
        RECEIVABLE.remove(&mut ctx.state, &key);
        RECEIVABLE_TO.remove(&mut ctx.state, &(debtor, open.creditor));
        owing.first += 1;
    }
    if owing.total.is_zero() {
        RECEIVABLES.remove(&mut ctx.state, &debtor);
    } else {
        RECEIVABLES.put(&mut ctx.state, &debtor, &owing);
    }
}

/// A debtor pays from its free money without waiting for the next credit.
///
/// # Errors
/// Another key than the owner's, no entity.
pub fn pay(ctx: &mut Context, origin: &Origin) -> Result<(), crate::DispatchError> {
    registry::ensure_scope(origin, registry::scopes::OWNER)?;
    let debtor = origin.entity()?;
    collect(ctx, debtor, RECEIVABLES_PER_PASS);
    Ok(())
}
