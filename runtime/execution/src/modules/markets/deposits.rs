//! Supply deposits, and what the retailer pre-funds: money that is held for energy that nobody traded.
//!
//! ```text
//! of an entity     slots · R · its ΣP_max · L / 60     pays the retailer for what its meters took, and for deviations
//! of a retailer    slots · F · all ΣP_max · L / 60     pays for what the market's meters gave
//! ```
//! A reserve pays only its own lines, and only what the slot's hold and free money do not. A connection is a fact, so no
//! household is kept from joining: its deposit is filled as far as it can pay, by every credit again, and in full before
//! it orders. The retailer is a professional party: it pre-funds a meter, or the meter does not join.

use super::{
    At, Error, Event, Market, PREFUNDINGS, SLOTS, SUPPLIED_IN, SUPPLY_DEPOSITS, SlotState, market,
    receivables, terms,
};
use crate::context::Context;
use crate::modules::balances;
use crate::modules::registry;
use crate::origin::Origin;
use contract_interface::{Party, Terms, Transfer, kinds};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::{DEPOSITS_PER_CREDIT, RECEIVABLES_PER_CREDIT, RECEIVABLES_PER_PASS};
use runtime_primitives::{EntityId, MarketId, Money, Slot};
use runtime_state::Overlay;
use scale_info::TypeInfo;

/// Money that is held for connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Reserve {
    /// Capacity of the connections together in watts.
    pub p_max_w: u64,
    /// What is held for them.
    pub held: Money,
}

/// Whose reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// An entity's supply deposit in a market.
    Supply(MarketId, EntityId),
    /// What a market's retailer has pre-funded.
    Retailer(MarketId),
}

/// What a reserve lacked before it took what was free.
struct Shortage {
    needed: Money,
    held: Money,
    /// Beyond what the payer owes.
    free: Money,
}

impl Backing {
    /// The reserve that stands behind a line of a market's settlement, if one does.
    pub(super) const fn of(market: MarketId, line: &Transfer) -> Option<Self> {
        match (line.kind, line.from) {
            (kinds::RETAIL | kinds::DEVIATION, Party::Entity(payer)) => Some(Self::Supply(market, payer)),
            (kinds::FEED_IN, Party::Retailer) => Some(Self::Retailer(market)),
            _ => None,
        }
    }

    /// The reserve as it stands.
    pub fn get(self, state: &Overlay) -> Reserve {
        match self {
            // A deposit is for no slot in particular; it has its place under slot 0.
            Self::Supply(market, entity) => SUPPLY_DEPOSITS.get(state, &(market, Slot::ZERO, entity)),
            Self::Retailer(market) => PREFUNDINGS.get(state, &market),
        }
        .unwrap_or_default()
    }

    fn put(self, state: &mut Overlay, reserve: &Reserve) {
        match self {
            Self::Supply(market, entity) => {
                SUPPLY_DEPOSITS.put(state, &(market, Slot::ZERO, entity), reserve);
            }
            Self::Retailer(market) => PREFUNDINGS.put(state, &market, reserve),
        }
    }

    /// What `terms` ask of it for `p_max_w` watts.
    pub fn needed(self, terms: &Terms, p_max_w: u64) -> Money {
        match self {
            Self::Supply(..) => terms.supply_deposit(p_max_w),
            Self::Retailer(_) => terms.prefunding(p_max_w),
        }
    }

    /// A connection of `p_max_w` watts more.
    fn connect(self, state: &mut Overlay, p_max_w: u32) {
        let mut reserve = self.get(state);
        reserve.p_max_w = reserve.p_max_w.saturating_add(p_max_w.into());
        self.put(state, &reserve);
    }

    /// Hold what `terms` ask of `payer` beyond what is held, or what it has free beyond its debts if that is less.
    fn fill(self, ctx: &mut Context, payer: EntityId, terms: &Terms) -> Result<(), Shortage> {
        let mut reserve = self.get(&ctx.state);
        let (needed, held) = (self.needed(terms, reserve.p_max_w), reserve.held);
        let missing = needed.saturating_sub(held);
        if missing.is_zero() {
            return Ok(());
        }
        let owner = registry::entity(&ctx.state, payer).expect("who has a reserve is registered").owner;
        let free = balances::account(&ctx.state, &owner).data.free;
        let free = free.saturating_sub(receivables::owed(&ctx.state, payer));
        let part = missing.min(free);
        if !part.is_zero() {
            balances::reserve(ctx, &owner, part).expect("no more than is free");
            reserve.held = held.saturating_add(part);
            self.put(&mut ctx.state, &reserve);
        }
        if part == missing { Ok(()) } else { Err(Shortage { needed, held, free }) }
    }

    /// Take from it what a payment spends; the money is moved by the caller.
    pub(super) fn draw(self, ctx: &mut Context, at: At, amount: Money) {
        let mut reserve = self.get(&ctx.state);
        reserve.held = reserve.held.checked_sub(amount).expect("no more than is held");
        self.put(&mut ctx.state, &reserve);
        let entity = match self {
            Self::Supply(_, entity) => Some(entity),
            Self::Retailer(_) => None,
        };
        ctx.emit(Event::ReserveDrawn { market: at.0, slot: at.1, entity, amount });
    }
}

/// A meter of `p_max_w` watts joins a market: the retailer pre-funds it, and its owner deposits what it can.
///
/// # Errors
/// [`Error::RetailerFunding`]; the caller undoes what was written.
pub(super) fn join(
    ctx: &mut Context,
    id: MarketId,
    market: &Market,
    entity: EntityId,
    p_max_w: u32,
) -> Result<(), Error> {
    let terms = terms_to_come(&ctx.state, market).expect("meters join markets that run");
    let (retailer, supply) = (Backing::Retailer(id), Backing::Supply(id, entity));
    retailer.connect(&mut ctx.state, p_max_w);
    supply.connect(&mut ctx.state, p_max_w);
    let mut supplied_in = SUPPLIED_IN.get_or_default(&ctx.state, &entity);
    if !supplied_in.contains(&id) {
        supplied_in.push(id);
        SUPPLIED_IN.put(&mut ctx.state, &entity, &supplied_in);
    }
    retailer.fill(ctx, market.retailer, &terms).map_err(|Shortage { needed, held, free }| {
        Error::RetailerFunding { retailer: market.retailer, needed, held, free }
    })?;
    // What is missing is asked for again with every credit, and before an order.
    let _ = supply.fill(ctx, entity, &terms);
    Ok(())
}

/// Whoever orders in a market has its whole deposit there; what is missing is taken from free money.
///
/// # Errors
/// [`Error::SupplyDeposit`]; the caller undoes what was written.
pub(super) fn require(
    ctx: &mut Context,
    market: MarketId,
    terms: &Terms,
    entity: EntityId,
) -> Result<(), Error> {
    if terms.deposit_slots == 0 {
        return Ok(());
    }
    let filled = Backing::Supply(market, entity).fill(ctx, entity, terms);
    filled.map_err(|Shortage { needed, held, free }| Error::SupplyDeposit { needed, held, free })
}

/// The market has credited an entity: it pays what it owes, then what its deposit there lacks by the terms to come. What
/// settled slots might have asked for is no reason to hold anything.
pub(super) fn credited(ctx: &mut Context, market: MarketId, to_come: &Terms, entity: EntityId) {
    receivables::collect(ctx, entity, RECEIVABLES_PER_CREDIT);
    let _ = require(ctx, market, to_come, entity);
}

/// A bank has credited an entity, which has paid what it owes: it pays what its deposits lack.
pub(super) fn restore(ctx: &mut Context, entity: EntityId) {
    let markets = SUPPLIED_IN.get_or_default(&ctx.state, &entity);
    for id in markets.into_iter().take(DEPOSITS_PER_CREDIT) {
        let market = market(&ctx.state, id).expect("meters join markets that exist");
        let terms = terms_to_come(&ctx.state, &market).expect("meters join markets that run");
        let _ = require(ctx, id, &terms, entity);
    }
}

/// The retailer pre-funds what its market lacks when a slot opens, by its terms, and when one is settled, by the terms to
/// come. A shortage stops nothing: everybody sees it.
pub(super) fn prefund(ctx: &mut Context, at: At, market: &Market, terms: &Terms) {
    if let Err(Shortage { needed, held, free }) = Backing::Retailer(at.0).fill(ctx, market.retailer, terms) {
        let held = held.saturating_add(free);
        ctx.emit(Event::PrefundingShort { market: at.0, slot: at.1, needed, held });
    }
}

/// Give back what is held beyond what slots that are not settled may ask for: after terms of lower rates or fewer slots.
/// Debts come first.
///
/// # Errors
/// Another key than the owner's, no entity, no market, [`Error::NothingToRelease`].
pub fn release(ctx: &mut Context, origin: &Origin, id: MarketId) -> Result<(), crate::DispatchError> {
    registry::ensure_scope(origin, registry::scopes::OWNER)?;
    let entity = origin.entity()?;
    let market = market(&ctx.state, id)?;
    let own = (market.retailer == entity).then_some(Backing::Retailer(id));
    let mut amount = Money::ZERO;
    let (mut all_needed, mut all_held) = (Money::ZERO, Money::ZERO);
    for backing in own.into_iter().chain([Backing::Supply(id, entity)]) {
        let mut reserve = backing.get(&ctx.state);
        let binding = binding(&ctx.state, id, &market);
        let needed = binding.map(|terms| backing.needed(&terms, reserve.p_max_w)).max().unwrap_or_default();
        (all_needed, all_held) = (all_needed.saturating_add(needed), all_held.saturating_add(reserve.held));
        let excess = reserve.held.saturating_sub(needed);
        if !excess.is_zero() {
            reserve.held = needed;
            backing.put(&mut ctx.state, &reserve);
            amount = amount.saturating_add(excess);
        }
    }
    if amount.is_zero() {
        return Err(Error::NothingToRelease { held: all_held, needed: all_needed }.into());
    }
    let owner = registry::entity(&ctx.state, entity)?.owner;
    balances::unreserve(ctx, &owner, amount);
    ctx.emit(Event::DepositReleased { market: id, entity, amount });
    receivables::collect(ctx, entity, RECEIVABLES_PER_PASS);
    Ok(())
}

/// Terms of the slot that opens next: what a deposit is filled by between slots. `None` until the market's parties agree.
pub fn terms_to_come(state: &Overlay, market: &Market) -> Option<Terms> {
    market.governing(market.next_slot).map(|next| terms(state, &next.terms))
}

/// Agreed terms that govern a slot which is not settled, or a later one; the schedule keeps them until then.
fn binding(state: &Overlay, id: MarketId, market: &Market) -> impl Iterator<Item = Terms> {
    let oldest = oldest_unsettled(state, id, market);
    let governing = market.governing(oldest).map_or(oldest, |scheduled| scheduled.from);
    let agreed = market.schedule.iter().filter(move |next| next.from >= governing && next.is_agreed());
    agreed.map(|scheduled| terms(state, &scheduled.terms))
}

/// The first slot of a market that is not settled; slots settle in order, so halving finds it.
pub fn oldest_unsettled(state: &Overlay, id: MarketId, market: &Market) -> Slot {
    let (mut settled, mut open) = (market.first_slot.number(), market.next_slot.number());
    while settled < open {
        let middle = settled + (open - settled) / 2;
        let record = SLOTS.get(state, &(id, Slot::from_number(middle)));
        if record.is_none_or(|record| record.state == SlotState::Settled) {
            settled = middle + 1;
        } else {
            open = middle;
        }
    }
    Slot::from_number(open)
}
