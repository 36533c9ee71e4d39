//! Stage 1: orders are admitted, held for, cancelled and amended while the slot is open.
//!
//! The runtime checks what its own guarantees rest on (limits, capacity, funds); the bid rule decides the rest.

use super::money::release;
use super::rules::{self, DESCRIPTORS};
use super::{
    At, BOOK, BookEntry, ENTITY_SLOTS, EntitySlot, Error, Event, FUNDINGS, Live, MEMOS, RECEIVABLES, SLOTS,
    SlotState, continuous, curtailment, deposits, live, meters, sealed,
};
use crate::archive::{ArchiveEntry, HoldRecord};
use crate::context::Context;
use crate::modules::balances;
use crate::modules::registry::{self, Caps, Entity, METERS, Meter, scopes};
use crate::origin::Origin;
use contract_interface::{Admission, AdmitInput, INTERFACE, Order, OrderRequest, Side, flags, roles};
use runtime_primitives::limits::{MEMO_BYTES_MAX, MINIMUMS_PER_SLOT_MAX, PLACES_PER_ORDER};
use runtime_primitives::{Energy, EntityId, Hash, MeterId, Money, Seq, Timestamp};

/// Who bids, as far as the key that signed may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bidder {
    /// The entity.
    pub entity: EntityId,
    /// What the key's orders may come to.
    pub caps: Caps,
    /// The extrinsic that says so.
    pub authorised_by: Hash,
}

impl Bidder {
    /// Whoever signed, if its key may bid.
    pub(super) fn of(ctx: &Context, origin: &Origin) -> Result<Self, crate::DispatchError> {
        registry::ensure_scope(origin, scopes::BID)?;
        let binding = origin.binding()?;
        Ok(Self { entity: binding.entity, caps: binding.caps, authorised_by: ctx.extrinsic })
    }

    /// Whether `held` more for one more order in the slot is within the key's cap.
    pub(super) fn may_hold(&self, held: Money, standing: Option<&EntitySlot>) -> Result<(), Error> {
        let held = standing.map_or(Money::ZERO, |standing| standing.held).saturating_add(held);
        match self.caps.held {
            Some(cap) if held > cap => Err(Error::AboveHeldCap { held, cap }),
            _ => Ok(()),
        }
    }

    /// Whether one order may be for so much.
    pub(super) fn may_order(&self, energy: Energy) -> Result<(), Error> {
        match self.caps.energy {
            Some(cap) if energy > cap => Err(Error::AboveEnergyCap { energy, cap }),
            _ => Ok(()),
        }
    }
}

/// Admit an order.
///
/// # Errors
/// One per rule; see [`Error`].
pub fn place(ctx: &mut Context, origin: &Origin, request: OrderRequest) -> Result<Seq, crate::DispatchError> {
    let bidder = Bidder::of(ctx, origin)?;
    let mut live = live(&ctx.state, (request.market, request.slot))?;
    append(ctx, &mut live, &bidder, &request)
}

/// Put an order at the end of an open book: what every order goes through, whoever asks for it.
pub(super) fn append(
    ctx: &mut Context,
    live: &mut Live,
    bidder: &Bidder,
    request: &OrderRequest,
) -> Result<Seq, crate::DispatchError> {
    let at = live.at;
    ensure_open(live)?;
    if live.terms.is_sealed() {
        return Err(Error::SealedSlot(at.1).into());
    }
    let continuous = rules::is_continuous(&ctx.state, &live.terms);
    if !request.min_energy.is_zero() && live.slot.minimums >= MINIMUMS_PER_SLOT_MAX {
        return Err(Error::TooManyMinimums(MINIMUMS_PER_SLOT_MAX).into());
    }
    let seq = if continuous { continuous::next_place(&ctx.state, live) } else { next_place(live) }?;
    let (entry, hold) = enter(ctx, live, bidder, request, seq)?;
    BOOK.push(&mut ctx.state, at, seq.number(), &entry);
    live.slot.next_seq = seq.next();
    if continuous {
        continuous::enqueue(ctx, live, &entry.order);
    }
    SLOTS.put(&mut ctx.state, &at, &live.slot);
    let entity = bidder.entity;
    ctx.emit(Event::OrderPlaced { market: at.0, slot: at.1, seq, entity, hold });
    Ok(seq)
}

/// The place of the next order. Cancelled orders keep theirs, so the limit is on places.
pub(super) fn next_place(live: &Live) -> Result<Seq, Error> {
    let limit = live.terms.limits.orders_per_slot;
    if live.slot.next_seq.number() >= limit {
        return Err(Error::SlotFull(limit));
    }
    Ok(live.slot.next_seq)
}

/// Check an order by every rule, hold for it, and give what the caller writes at its place, with the hold. Whether the
/// slot takes orders at this moment is the caller's to know.
pub(super) fn enter(
    ctx: &mut Context,
    live: &mut Live,
    bidder: &Bidder,
    request: &OrderRequest,
    seq: Seq,
) -> Result<(BookEntry, Money), crate::DispatchError> {
    let (at, id) = (live.at, bidder.entity);
    let entity = trader(ctx, id)?;
    let meter = own_meter(ctx, live, request.meter, id)?;
    let standing = ENTITY_SLOTS.get(&ctx.state, &(at.0, at.1, id));
    check_validity(ctx, live, request.terms, request.valid_until)?;
    check_request(ctx, live, request)?;
    check_counts(live, standing.as_ref())?;
    let continuous = rules::is_continuous(&ctx.state, &live.terms);
    check_standing(ctx, live, request, &meter, standing.as_ref(), continuous)?;
    let hold = live.terms.hold(request.side, request.price, request.energy);
    bidder.may_order(request.energy)?;
    bidder.may_hold(hold, standing.as_ref())?;
    ask_bid_rule(ctx, live, request, id, &entity, &meter, standing.as_ref())?;
    deposits::require(ctx, at.0, &live.terms, id)?;
    reserve(ctx, &entity, hold)?;
    let order = request.clone().into_order(seq, id);
    let record = HoldRecord {
        order,
        amount: hold,
        account: entity.owner,
        authorised_by: bidder.authorised_by,
        spends: FUNDINGS.get_or_default(&ctx.state, &entity.owner),
    };
    ctx.archive(ArchiveEntry::hold(at, &record));
    let mut standing = stand(hold, standing);
    standing.side = order.side;
    match standing.energy.iter_mut().find(|(meter, _)| *meter == order.meter) {
        Some((_, energy)) => *energy = energy.saturating_add(order.energy),
        None => standing.energy.push((order.meter, order.energy)),
    }
    ENTITY_SLOTS.put(&mut ctx.state, &(at.0, at.1, id), &standing);
    live.slot.orders += 1;
    live.slot.minimums += u32::from(!order.min_energy.is_zero());
    Ok((BookEntry { order, authorised_by: bidder.authorised_by, hold: record.hash() }, hold))
}

/// Hold `amount` on the entity's account.
pub(super) fn reserve(ctx: &mut Context, entity: &Entity, amount: Money) -> Result<(), Error> {
    balances::reserve(ctx, &entity.owner, amount).map_err(|_| {
        let free = balances::account(&ctx.state, &entity.owner).data.free;
        Error::InsufficientFunds { hold: amount, free }
    })
}

/// Withdraw an order and release what is held for it.
///
/// # Errors
/// Gate closed, unknown or foreign order, wrong scope.
pub fn cancel(ctx: &mut Context, origin: &Origin, at: At, seq: Seq) -> Result<(), crate::DispatchError> {
    registry::ensure_scope(origin, scopes::BID)?;
    let entity = origin.entity()?;
    let mut live = live(&ctx.state, at)?;
    ensure_open(&live)?;
    if rules::is_continuous(&ctx.state, &live.terms) {
        return Ok(continuous::cancel(ctx, &mut live, entity, seq)?);
    }
    if live.terms.is_sealed() {
        sealed::withdraw(ctx, &mut live, entity, seq)?;
    } else {
        take_out(ctx, &mut live, entity, seq)?;
    }
    SLOTS.put(&mut ctx.state, &at, &live.slot);
    ctx.emit(Event::OrderCancelled { market: at.0, slot: at.1, seq });
    Ok(())
}

/// Take an order out of an auction's book; the caller stores the slot.
pub(super) fn take_out(ctx: &mut Context, live: &mut Live, entity: EntityId, seq: Seq) -> Result<(), Error> {
    let at = live.at;
    let mut entry = BOOK.get(&ctx.state, at, seq.number()).ok_or(Error::UnknownOrder(seq))?;
    let order = entry.order;
    if order.energy.is_zero() {
        return Err(Error::UnknownOrder(seq));
    }
    if order.entity != entity {
        return Err(Error::ForeignOrder { seq, owner: order.entity });
    }
    release(ctx, at, entity, live.terms.hold(order.side, order.price, order.energy));
    entry.order.energy = Energy::ZERO;
    BOOK.set(&mut ctx.state, at, seq.number(), &entry);
    step_down(ctx, at, &order);
    live.slot.orders -= 1;
    live.slot.minimums -= u32::from(!order.min_energy.is_zero());
    Ok(())
}

/// Replace an order: the new one gets a new place in the order of arrival.
///
/// # Errors
/// As [`cancel`] and [`place`]; then the old order stands.
pub fn amend(
    ctx: &mut Context,
    origin: &Origin,
    seq: Seq,
    request: OrderRequest,
) -> Result<Seq, crate::DispatchError> {
    cancel(ctx, origin, (request.market, request.slot), seq)?;
    place(ctx, origin, request)
}

pub(super) fn trader(ctx: &Context, id: EntityId) -> Result<Entity, crate::DispatchError> {
    let entity = registry::entity(&ctx.state, id)?;
    if entity.roles & roles::TRADER == 0 {
        return Err(registry::Error::WrongRole { needed: roles::TRADER, has: entity.roles }.into());
    }
    if entity.suspended || RECEIVABLES.contains(&ctx.state, &id) {
        return Err(registry::Error::Suspended(id).into());
    }
    Ok(entity)
}

/// The meter must settle in the slot: a trade at one that does not could never be settled.
pub(super) fn own_meter(ctx: &Context, live: &Live, id: MeterId, entity: EntityId) -> Result<Meter, Error> {
    let meter = METERS
        .get(&ctx.state, &id)
        .filter(|meter| meter.market == live.at.0 && meters::settles(&ctx.state, live, id));
    let meter = meter.ok_or(Error::UnknownMeter(id))?;
    if meter.entity != entity {
        return Err(Error::ForeignMeter { meter: id, owner: meter.entity });
    }
    Ok(meter)
}

pub(super) fn ensure_open(live: &Live) -> Result<(), Error> {
    match live.slot.state {
        SlotState::Open => Ok(()),
        state => Err(Error::GateClosed { slot: live.at.1, state }),
    }
}

/// What was signed is about these terms and this time.
pub(super) fn check_validity(
    ctx: &Context,
    live: &Live,
    signed: Hash,
    until: Timestamp,
) -> Result<(), Error> {
    let current = live.slot.terms;
    if signed != current {
        return Err(Error::TermsChanged { signed, current });
    }
    let now = ctx.env.now;
    if until < now {
        return Err(Error::RequestExpired { until, now });
    }
    Ok(())
}

fn check_request(ctx: &Context, live: &Live, request: &OrderRequest) -> Result<(), Error> {
    let limits = live.terms.limits;
    if request.energy.is_zero() {
        return Err(Error::ZeroEnergy);
    }
    if request.min_energy > request.energy {
        return Err(Error::MinAboveEnergy { min: request.min_energy, energy: request.energy });
    }
    let (price, tick) = (request.price, limits.tick_size);
    if price.ticks() % tick.ticks() != 0 {
        return Err(Error::OffTick { price, tick });
    }
    let (min, max) = (limits.price_min, limits.price_max);
    if price < min || price > max {
        return Err(Error::PriceOutOfBounds { price, min, max });
    }
    let rule = DESCRIPTORS.get(&ctx.state, &live.terms.matching).expect("described at registration");
    let supported = rule.flags_supported | flags::AUTO_CONFIRM;
    if request.flags & !supported != 0 || (!request.min_energy.is_zero() && !rule.min_energy) {
        return Err(Error::Unsupported { flags: request.flags });
    }
    Ok(())
}

/// The entity may have one order more in the slot.
pub(super) fn check_counts(live: &Live, standing: Option<&EntitySlot>) -> Result<(), Error> {
    let Some(standing) = standing else { return Ok(()) };
    let limit = live.terms.limits.orders_per_entity;
    // Without this, placing and cancelling would use up the slot's places for everybody.
    let places = limit.saturating_mul(PLACES_PER_ORDER);
    if standing.places >= places {
        return Err(Error::EntityPlaceLimit(places));
    }
    if standing.orders >= limit {
        return Err(Error::EntityOrderLimit(limit));
    }
    Ok(())
}

fn check_standing(
    ctx: &Context,
    live: &Live,
    request: &OrderRequest,
    meter: &Meter,
    standing: Option<&EntitySlot>,
    continuous: bool,
) -> Result<(), Error> {
    let mut energy = request.energy;
    if let Some(standing) = standing {
        // A sealed order has no side yet, and no energy. A continuous rule sees to it that nobody trades with itself.
        let trades = standing.energy.iter().any(|(_, energy)| !energy.is_zero());
        if trades && standing.side != request.side && !continuous {
            return Err(Error::BothSides);
        }
        let others = standing.energy.iter().filter(|(id, _)| *id == request.meter);
        energy = energy.saturating_add(super::sum(others.map(|(_, energy)| *energy)));
    }
    let capacity = live.terms.capacity(meter.p_max_w);
    if energy > capacity {
        return Err(Error::AboveCapacity { energy, capacity });
    }
    if let Some(cap) = curtailment::cap(&ctx.state, live.at, request.meter).filter(|cap| energy > *cap) {
        return Err(Error::AboveCurtailment { energy, cap });
    }
    Ok(())
}

fn ask_bid_rule(
    ctx: &mut Context,
    live: &Live,
    request: &OrderRequest,
    id: EntityId,
    entity: &Entity,
    meter: &Meter,
    standing: Option<&EntitySlot>,
) -> Result<(), Error> {
    let memo_key = (live.at.0, id);
    let before = MEMOS.get_or_default(&ctx.state, &memo_key);
    let input = AdmitInput {
        interface: INTERFACE,
        request: request.clone(),
        entity: id,
        roles: entity.roles,
        params: live.terms.clear_params(live.at.0, live.at.1, 0),
        orders_in_slot: live.slot.orders,
        orders_of_entity: standing.map_or(0, |standing| standing.orders),
        p_max_w: meter.p_max_w,
        memo: before.clone(),
    };
    match rules::admit(ctx, &live.terms.bid, &input).answer {
        Ok(Admission::Accept { memo }) if memo.len() <= MEMO_BYTES_MAX => {
            if memo != before {
                MEMOS.put(&mut ctx.state, &memo_key, &memo);
            }
            Ok(())
        }
        Ok(Admission::Refuse { rule }) => Err(Error::AdmissionRefused { rule }),
        _ => Err(Error::AdmissionFailed),
    }
}

/// One order more, and `held` for it, in what its entity has going in the slot; the caller stores it.
pub(super) fn stand(held: Money, standing: Option<EntitySlot>) -> EntitySlot {
    let new = || EntitySlot { side: Side::Buy, orders: 0, places: 0, energy: Vec::new(), held: Money::ZERO };
    let mut standing = standing.unwrap_or_else(new);
    standing.orders += 1;
    standing.places += 1;
    standing.held = standing.held.checked_add(held).expect("bounded by the issuance");
    standing
}

/// Take an order out of what its entity has going in the slot; its hold is released already.
fn step_down(ctx: &mut Context, at: At, order: &Order) {
    let key = (at.0, at.1, order.entity);
    let mut standing = ENTITY_SLOTS.get(&ctx.state, &key).expect("an order's owner has a record");
    standing.orders -= 1;
    if let Some((_, energy)) = standing.energy.iter_mut().find(|(meter, _)| *meter == order.meter) {
        *energy = energy.saturating_sub(order.energy);
    }
    ENTITY_SLOTS.put(&mut ctx.state, &key, &standing);
}
