//! Holds, funding, receivables and step fees: who can be made to pay, and how.
//!
//! A hold is made at admission and only ever shrinks: by release or by payment out of it. A shortfall never
//! stops a settlement: what no [reserve](super::deposits) covers becomes a receivable.

use super::deposits::{self, Backing};
use super::{At, ENTITY_SLOTS, EntitySlot, Error, Event, FUNDINGS, MARKETS, Market, market, receivables};
use crate::context::Context;
use crate::modules::{balances, payment, registry};
use crate::origin::Origin;
use contract_interface::{TransferRecord, kinds, roles};
use runtime_primitives::limits::RECEIVABLES_PER_PASS;
use runtime_primitives::{AccountId, EntityId, Gas, Hash, MarketId, Money};
use runtime_state::Overlay;

/// Account that collects step and weight fees. No key signs for it and no call pays from it: what it gets is out of use.
pub fn fee_account() -> AccountId {
    AccountId::of_module(b"bb/fees", 0)
}

/// Account of a market's surplus pool.
pub fn pool_account(market: MarketId) -> AccountId {
    AccountId::of_module(b"bb/pool", market.number())
}

/// Release part of what an entity has held in a slot.
///
/// # Panics
/// If less is held: holds are the runtime's own book-keeping.
pub fn release(ctx: &mut Context, at: At, entity: EntityId, amount: Money) {
    if !amount.is_zero() {
        release_each(ctx, at, &[(entity, amount)]);
    }
}

/// As [`release`], for several entities, ascending; each amount is more than nothing.
///
/// # Panics
/// If less is held.
pub fn release_each(ctx: &mut Context, at: At, releases: &[(EntityId, Money)]) {
    let entities: Vec<EntityId> = releases.iter().map(|(entity, _)| *entity).collect();
    let mut amounts = releases.iter().map(|(_, amount)| *amount);
    ENTITY_SLOTS.change_each(&mut ctx.state, at, &entities, |_, slot| {
        let amount = amounts.next().expect("one for each entity");
        slot.held = slot.held.checked_sub(amount).expect("a hold is released once");
    });
    let owners = registry::owners(&ctx.state, &entities);
    balances::warm(&ctx.state, &owners);
    for (owner, (_, amount)) in owners.iter().zip(releases) {
        balances::unreserve(ctx, owner, *amount);
    }
}

/// Release all that an entity has held in a slot and forget its record.
pub fn release_all(ctx: &mut Context, at: At, entity: EntityId) {
    let key = (at.0, at.1, entity);
    if let Some(EntitySlot { held, .. }) = ENTITY_SLOTS.get(&ctx.state, &key) {
        release(ctx, at, entity, held);
        ENTITY_SLOTS.remove(&mut ctx.state, &key);
    }
}

/// Pay `record` for `payer`: from its hold in the slot, then from free money, then from the reserve that stands behind
/// the payment, if one does. Gives the record as paid, or `None` if nothing could be paid, and what is missing, for the caller
/// to let `payer` owe. What an account pays itself is on its bill and moves nothing, so that nobody owes itself.
pub fn pay_what_is_there(
    ctx: &mut Context,
    at: At,
    payer: EntityId,
    record: &TransferRecord,
    backing: Option<Backing>,
) -> (Option<TransferRecord>, Money) {
    if record.payer == record.payee {
        balances::note(ctx, record);
        return (Some(record.clone()), Money::ZERO);
    }
    let key = (at.0, at.1, payer);
    let mut slot = ENTITY_SLOTS.get(&ctx.state, &key);
    let held = slot.as_ref().map_or(Money::ZERO, |slot| slot.held);
    let free = balances::account(&ctx.state, &record.payer).data.free;
    let from_hold = held.min(record.amount);
    let uncovered = record.amount.saturating_sub(from_hold).saturating_sub(free);
    let backing = backing.filter(|_| !uncovered.is_zero());
    let drawn = backing.map_or(Money::ZERO, |backing| backing.get(&ctx.state).held.min(uncovered));
    let missing = uncovered.saturating_sub(drawn);
    let paid = TransferRecord { amount: record.amount.saturating_sub(missing), ..record.clone() };
    if paid.amount.is_zero() {
        return (None, missing);
    }
    balances::pay(ctx, &paid, from_hold.saturating_add(drawn)).expect("no more than is there");
    if let Some(slot) = &mut slot {
        slot.held = slot.held.saturating_sub(from_hold);
        ENTITY_SLOTS.put(&mut ctx.state, &key, slot);
    }
    if let Some(backing) = backing.filter(|_| !drawn.is_zero()) {
        backing.draw(ctx, at, drawn);
    }
    (Some(paid), missing)
}

/// The bank credits an entity's account; open receivables are paid first, then what its supply deposits lack. A bank with a
/// connection of its own may owe like anybody, and then pays first.
///
/// # Errors
/// Wrong role, unknown entity, nothing, the bank's open receivables, its own funds.
pub fn fund(
    ctx: &mut Context,
    origin: &Origin,
    entity: EntityId,
    amount: Money,
) -> Result<(), crate::DispatchError> {
    registry::ensure_role(ctx, origin, roles::BANK)?;
    let payee = registry::entity(&ctx.state, entity)?.owner;
    if amount.is_zero() {
        return Err(balances::Error::ExistentialDeposit.into());
    }
    receivables::ensure_none(&ctx.state, origin.entity()?)?;
    let spends = FUNDINGS.get_or_default(&ctx.state, &payee);
    let record = TransferRecord {
        kind: kinds::FUNDING,
        spends,
        ..balances::plain(ctx, origin.signer()?, payee, amount)
    };
    balances::transfer(ctx, &record)?;
    FUNDINGS.put(&mut ctx.state, &payee, &record.hash());
    ctx.emit(Event::Funded { entity, amount, record: record.hash() });
    receivables::collect(ctx, entity, RECEIVABLES_PER_PASS);
    deposits::restore(ctx, entity);
    Ok(())
}

/// An entity takes free money back to a bank. Who owes pays first.
///
/// # Errors
/// Another key than the owner's, no bank, nothing, open receivables, insufficient balance.
pub fn withdraw(
    ctx: &mut Context,
    origin: &Origin,
    bank: EntityId,
    amount: Money,
) -> Result<(), crate::DispatchError> {
    registry::ensure_scope(origin, registry::scopes::OWNER)?;
    let id = origin.entity()?;
    let to = registry::entity(&ctx.state, bank)?;
    if to.roles & roles::BANK == 0 {
        return Err(Error::PartyRole { entity: bank, needed: roles::BANK }.into());
    }
    if amount.is_zero() {
        return Err(balances::Error::ExistentialDeposit.into());
    }
    receivables::ensure_none(&ctx.state, id)?;
    let payer = registry::entity(&ctx.state, id)?.owner;
    let record = TransferRecord {
        kind: kinds::WITHDRAWAL,
        spends: FUNDINGS.get_or_default(&ctx.state, &payer),
        ..balances::plain(ctx, payer, to.owner, amount)
    };
    balances::transfer(ctx, &record)?;
    ctx.emit(Event::Withdrawn { entity: id, amount, record: record.hash() });
    Ok(())
}

/// Take a deposit for market steps from the operator, who owes nothing.
///
/// # Errors
/// [`Error::OpenReceivables`], [`balances::Error::InsufficientBalance`].
pub fn take_deposit(
    ctx: &mut Context,
    market: &mut Market,
    amount: Money,
) -> Result<(), crate::DispatchError> {
    receivables::ensure_none(&ctx.state, market.operator)?;
    let owner = registry::entity(&ctx.state, market.operator)?.owner;
    balances::reserve(ctx, &owner, amount)?;
    market.deposit = market.deposit.saturating_add(amount);
    Ok(())
}

/// Whether the operator's deposit pays for a step that uses up to `gas`: asked before, for work that is done is done.
pub fn can_step(state: &Overlay, at: At, gas: Gas) -> bool {
    market(state, at.0).expect("a slot has a market").deposit >= payment::rates(state).price(gas)
}

/// Charge the operator's deposit for a market step, at the chain's price of gas; nothing if it does not suffice.
pub fn step_fee(ctx: &mut Context, at: At, gas: Gas) {
    let mut market = market(&ctx.state, at.0).expect("a slot has a market");
    let amount = payment::rates(&ctx.state).price(gas);
    let Some(left) = market.deposit.checked_sub(amount) else { return };
    if amount.is_zero() {
        return;
    }
    let payer = registry::entity(&ctx.state, market.operator).expect("an operator is registered").owner;
    let record = TransferRecord {
        slot: Some(at),
        kind: kinds::STEP_FEE,
        spends: FUNDINGS.get_or_default(&ctx.state, &payer),
        authorised_by: Hash::ZERO,
        ..balances::plain(ctx, payer, fee_account(), amount)
    };
    balances::pay(ctx, &record, amount).expect("the deposit is reserved");
    market.deposit = left;
    MARKETS.put(&mut ctx.state, &at.0, &market);
}
