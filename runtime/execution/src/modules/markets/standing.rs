//! Standing orders: templates that become orders when a slot opens.
//!
//! A template is as good as the key that set it: each time it is looked at, that key must be bound and its caps hold.
//! Placing goes through the one function that places orders, so whatever refuses an order refuses a template's, as an
//! event. A template becomes at most one order a slot: it remembers the last slot it was looked at for.

use super::money::{can_step, step_fee};
use super::orders::{self, Bidder};
use super::{At, Error, Event, Live, SlotState, TERMS, live};
use crate::context::Context;
use crate::modules::registry::{self, METERS, scopes};
use crate::origin::Origin;
use crate::storage::{Agenda, Due, Map, storage};
use contract_interface::{Fee, OrderRequest, Side, Terms};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::{
    ADMIT_GAS_MAX, STANDING_GAS_MAX, STANDING_PER_ENTITY_MAX, STANDING_PER_MARKET_MAX, STANDING_PERIOD_MAX,
};
use runtime_primitives::{AccountId, Energy, EntityId, Gas, Hash, MarketId, MeterId, Price, Slot, Timestamp};
use runtime_state::Overlay;
use scale_info::TypeInfo;
use thiserror::Error as ThisError;

/// Which slots of a period a template is for: slot `s` iff bit `s % period` is set, the lowest bit of a byte first.
/// With slots of 15 minutes a day is a period of 96.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Mask {
    /// Slots in the period.
    pub period: u16,
    /// A bit for each.
    pub bits: Vec<u8>,
}

impl Mask {
    /// Whether it says this slot.
    pub fn has(&self, slot: Slot) -> bool {
        let index = slot.number() % u32::from(self.period);
        self.bits.get((index / 8) as usize).is_some_and(|byte| byte & (1 << (index % 8)) != 0)
    }
}

/// What a change of terms may come to while the template stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Within {
    /// Highest network fee of either side, between whichever feeders.
    pub fee: Fee,
    /// Highest deviation rate.
    pub deviation: Price,
    /// Least absolute tolerance.
    pub tol_wh: Energy,
    /// Least relative tolerance in basis points.
    pub tol_bp: u16,
    /// Whether bid, matching, settlement and fallback rules may be others.
    pub other_rules: bool,
}

impl Within {
    fn accepts(&self, agreed: &Terms, new: &Terms) -> bool {
        let rules = |terms: &Terms| [terms.bid, terms.matching, terms.settlement, terms.fallback];
        let (rates, fee) = (new.rates, new.highest_fee());
        fee.buyer <= self.fee.buyer
            && fee.seller <= self.fee.seller
            && rates.deviation <= self.deviation
            && rates.tol_wh >= self.tol_wh
            && rates.tol_bp >= self.tol_bp
            && (self.other_rules || rules(new) == rules(agreed))
    }
}

/// An order for many slots, as signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Template {
    /// Market.
    pub market: MarketId,
    /// Hash of the terms the trader read.
    pub terms: Hash,
    /// What other terms may be; `None`: it expires with the first slot under other terms.
    pub accept_within: Option<Within>,
    /// First slot it is for; only slots that open later count.
    pub first: Slot,
    /// Last slot it is for.
    pub last: Slot,
    /// Which slots between; `None` for all.
    pub mask: Option<Mask>,
    /// Connection.
    pub meter: MeterId,
    /// Direction.
    pub side: Side,
    /// Energy in each slot.
    pub energy: Energy,
    /// Least acceptable fill.
    pub min_energy: Energy,
    /// Limit price.
    pub price: Price,
    /// Bits of [`contract_interface::flags`].
    pub flags: u8,
    /// Preferred counterparty.
    pub partner: EntityId,
}

impl Template {
    /// What the trader would have signed for `slot` under `terms`.
    pub const fn request(&self, slot: Slot, terms: Hash) -> OrderRequest {
        OrderRequest {
            market: self.market,
            slot,
            terms,
            meter: self.meter,
            side: self.side,
            energy: self.energy,
            min_energy: self.min_energy,
            price: self.price,
            flags: self.flags,
            partner: self.partner,
            valid_until: Timestamp::MAX,
        }
    }

    /// Whether it is for `slot`.
    pub fn is_for(&self, slot: Slot) -> bool {
        self.first <= slot && slot <= self.last && self.mask.as_ref().is_none_or(|mask| mask.has(slot))
    }

    /// Whether it is for a slot that opens after all before `next` have.
    fn is_ahead(&self, next: Slot) -> bool {
        let first = self.first.max(next).number();
        let period = self.mask.as_ref().map_or(1, |mask| u32::from(mask.period));
        let last = self.last.number().min(first.saturating_add(period - 1));
        (first..=last).any(|number| self.is_for(Slot::from_number(number)))
    }
}

/// A template as the state keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Standing {
    /// Its number in the market.
    pub id: u32,
    /// Whose.
    pub entity: EntityId,
    /// The key that set it.
    pub key: AccountId,
    /// The extrinsic that set it: what authorises its orders.
    pub authorised_by: Hash,
    /// Last slot it was looked at for.
    pub looked_at: Option<Slot>,
    /// What was signed.
    pub template: Template,
}

/// What is wrong with a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum BadTemplate {
    /// No slot is between the first and the last.
    #[error("the last slot is not before the first")]
    Slots,
    /// A mask has a bit for each slot of its period.
    #[error("a mask has a period of 1 to {max} slots and a bit for each", max = STANDING_PERIOD_MAX)]
    Mask,
    /// Orders of sealed slots are committed to, one by one.
    #[error("these terms seal orders: commit to each")]
    Sealed,
}

/// Why a template is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Removal {
    /// Its entity removed it.
    Withdrawn = 0,
    /// Its last slot has opened.
    Ended = 1,
    /// The slot's terms are beyond what it accepts.
    TermsChanged = 2,
    /// The key that set it may bid no longer.
    KeyGone = 3,
}

storage! {
    "Markets":
    /// Templates by position, which changes when others are removed.
    pub static STANDING: Map<(MarketId, u32), Standing> = "Standing";
    /// How many a market has.
    pub static STANDING_LEN: Map<MarketId, u32> = "StandingLen";
    /// Position of a template by its id.
    pub static STANDING_AT: Map<(MarketId, u32), u32> = "StandingAt";
    /// Next id of a market's templates.
    pub static NEXT_STANDING: Map<MarketId, u32> = "NextStanding";
    /// How many an entity has in a market.
    pub static STANDING_COUNTS: Map<(MarketId, EntityId), u32> = "StandingCounts";
    /// Slots that have opened and whose templates are not all looked at; in the order of their opening.
    pub static STANDING_AGENDA: Agenda = "StandingAgenda";
    /// Positions of such a slot that are still to be looked at: those below.
    pub static STANDING_LEFT: Map<At, u32> = "StandingLeft";
}

/// Gas of looking at a template that becomes an order, as an order's extrinsic declares.
const ORDER_GAS: u64 = 50_000_000 + ADMIT_GAS_MAX;
/// Gas of looking at one that does not.
const LOOK_GAS: u64 = 1_000_000;

/// Set a template.
///
/// # Errors
/// One per rule; see [`Error`].
pub fn set(ctx: &mut Context, origin: &Origin, template: Template) -> Result<u32, crate::DispatchError> {
    let bidder = Bidder::of(ctx, origin)?;
    let (entity, market) = (bidder.entity, template.market);
    let next = super::market(&ctx.state, market)?.next_slot;
    orders::trader(ctx, entity)?;
    let meter = METERS.get(&ctx.state, &template.meter).filter(|meter| meter.market == market);
    let owner = meter.ok_or(Error::UnknownMeter(template.meter))?.entity;
    if owner != entity {
        return Err(Error::ForeignMeter { meter: template.meter, owner }.into());
    }
    check(ctx, &template)?;
    if !template.is_ahead(next) {
        return Err(Error::StandingPast { last: template.last, next }.into());
    }
    bidder.may_order(template.energy)?;
    let count = STANDING_COUNTS.get_or_default(&ctx.state, &(market, entity));
    if count >= STANDING_PER_ENTITY_MAX {
        return Err(Error::TooManyStanding(STANDING_PER_ENTITY_MAX).into());
    }
    let len = STANDING_LEN.get_or_default(&ctx.state, &market);
    if len >= STANDING_PER_MARKET_MAX {
        return Err(Error::StandingFull(STANDING_PER_MARKET_MAX).into());
    }
    let id = NEXT_STANDING.get_or_default(&ctx.state, &market);
    let (key, authorised_by) = (origin.signer()?, ctx.extrinsic);
    let standing = Standing { id, entity, key, authorised_by, looked_at: None, template };
    NEXT_STANDING.put(&mut ctx.state, &market, &(id + 1));
    STANDING_COUNTS.put(&mut ctx.state, &(market, entity), &(count + 1));
    STANDING_LEN.put(&mut ctx.state, &market, &(len + 1));
    STANDING.put(&mut ctx.state, &(market, len), &standing);
    STANDING_AT.put(&mut ctx.state, &(market, id), &len);
    ctx.emit(Event::StandingSet { market, id, entity });
    Ok(id)
}

fn check(ctx: &Context, template: &Template) -> Result<(), Error> {
    let terms = TERMS.get(&ctx.state, &template.terms).ok_or(Error::UnknownTerms(template.terms))?;
    if template.energy.is_zero() {
        return Err(Error::ZeroEnergy);
    }
    let (min, energy) = (template.min_energy, template.energy);
    if min > energy {
        return Err(Error::MinAboveEnergy { min, energy });
    }
    if template.first > template.last {
        return Err(Error::BadTemplate(BadTemplate::Slots));
    }
    let fits = |mask: &Mask| {
        (1..=STANDING_PERIOD_MAX).contains(&mask.period)
            && mask.bits.len() == usize::from(mask.period.div_ceil(8))
    };
    if template.mask.as_ref().is_some_and(|mask| !fits(mask)) {
        return Err(Error::BadTemplate(BadTemplate::Mask));
    }
    if terms.is_sealed() {
        return Err(Error::BadTemplate(BadTemplate::Sealed));
    }
    Ok(())
}

/// Remove a template. Orders that came of it stand.
///
/// # Errors
/// Unknown or foreign template, wrong scope.
pub fn remove(
    ctx: &mut Context,
    origin: &Origin,
    market: MarketId,
    id: u32,
) -> Result<(), crate::DispatchError> {
    registry::ensure_scope(origin, scopes::BID)?;
    let entity = origin.entity()?;
    let position = STANDING_AT.get(&ctx.state, &(market, id)).ok_or(Error::UnknownStanding(id))?;
    let standing = STANDING.get(&ctx.state, &(market, position)).expect("positions name templates");
    if standing.entity != entity {
        return Err(Error::ForeignStanding { id, owner: standing.entity }.into());
    }
    drop_at(ctx, market, position, &standing, Removal::Withdrawn);
    Ok(())
}

/// Remove the template at `position`; the last one takes its position.
fn drop_at(ctx: &mut Context, market: MarketId, position: u32, standing: &Standing, reason: Removal) {
    let last = STANDING_LEN.get_or_default(&ctx.state, &market) - 1;
    STANDING_LEN.put(&mut ctx.state, &market, &last);
    STANDING_AT.remove(&mut ctx.state, &(market, standing.id));
    if position != last {
        let moved = STANDING.get(&ctx.state, &(market, last)).expect("positions are dense");
        STANDING_AT.put(&mut ctx.state, &(market, moved.id), &position);
        STANDING.put(&mut ctx.state, &(market, position), &moved);
    }
    STANDING.remove(&mut ctx.state, &(market, last));
    let key = (market, standing.entity);
    let count = STANDING_COUNTS.get_or_default(&ctx.state, &key) - 1;
    STANDING_COUNTS.put(&mut ctx.state, &key, &count);
    ctx.emit(Event::StandingRemoved { market, id: standing.id, reason });
}

/// A slot has opened: its market's templates are due.
pub(super) fn slot_opened(ctx: &mut Context, at: At) {
    let len = STANDING_LEN.get_or_default(&ctx.state, &at.0);
    if len > 0 {
        STANDING_LEFT.put(&mut ctx.state, &at, &len);
        let due = Due { time_ms: ctx.env.now.ms(), market: at.0, slot: at.1 };
        STANDING_AGENDA.insert(&mut ctx.state, due);
    }
}

/// When templates are due; the block after a slot has opened.
pub fn next_due(state: &Overlay) -> Option<Timestamp> {
    STANDING_AGENDA.next(state, None).map(|due| Timestamp::from_ms(due.time_ms))
}

/// Look at templates that are due, as many as a block has gas for; the market pays for the look.
pub fn run_due(ctx: &mut Context) {
    let mut left = STANDING_GAS_MAX;
    while left >= ORDER_GAS {
        let Some(due) = STANDING_AGENDA.next(&ctx.state, None) else { break };
        let at = (due.market, due.slot);
        let before = left;
        let can_pay = can_step(&ctx.state, at, Gas::from_units(left));
        if can_pay && !look(ctx, at, &mut left) {
            step_fee(ctx, at, Gas::from_units(before - left));
            continue;
        }
        STANDING_AGENDA.remove(&mut ctx.state, due);
        STANDING_LEFT.remove(&mut ctx.state, &at);
        if can_pay {
            step_fee(ctx, at, Gas::from_units(before - left));
        } else {
            ctx.emit(Event::StandingUnpaid { market: at.0, slot: at.1 });
        }
    }
}

/// Look at templates of a slot from the last position down: what is removed meanwhile moves one that was looked at.
/// Whether all were.
fn look(ctx: &mut Context, at: At, gas: &mut u64) -> bool {
    let Ok(mut live) = live(&ctx.state, at) else { return true };
    let mut position = STANDING_LEFT.get_or_default(&ctx.state, &at);
    while position > 0 && *gas >= ORDER_GAS && live.slot.state == SlotState::Open {
        position -= 1;
        let Some(standing) = STANDING.get(&ctx.state, &(at.0, position)) else { continue };
        if standing.looked_at.is_some_and(|slot| slot >= at.1) || at.1 < standing.template.first {
            *gas -= LOOK_GAS;
            continue;
        }
        *gas -= if standing.template.is_for(at.1) { ORDER_GAS } else { LOOK_GAS };
        look_at(ctx, &mut live, position, standing);
    }
    STANDING_LEFT.put(&mut ctx.state, &at, &position);
    position == 0 || live.slot.state != SlotState::Open
}

/// Place an order from a template, or remove the template.
fn look_at(ctx: &mut Context, live: &mut Live, position: u32, mut standing: Standing) {
    let (market, slot) = live.at;
    let bidder = match standing_bidder(ctx, live, &standing) {
        Ok(bidder) => bidder,
        Err(reason) => {
            drop_at(ctx, market, position, &standing, reason);
            return;
        }
    };
    let id = standing.id;
    if standing.template.is_for(slot) {
        let request = standing.template.request(slot, live.slot.terms);
        match ctx.transactional(|ctx| orders::append(ctx, live, &bidder, &request)) {
            Ok(seq) => ctx.emit(Event::StandingPlaced { market, slot, id, seq }),
            Err(error) => ctx.emit(Event::StandingSkipped { market, slot, id, error }),
        }
    }
    if slot >= standing.template.last {
        drop_at(ctx, market, position, &standing, Removal::Ended);
        return;
    }
    standing.looked_at = Some(slot);
    STANDING.put(&mut ctx.state, &(market, position), &standing);
}

/// Who bids by a template in this slot, or why it stands no longer.
fn standing_bidder(ctx: &Context, live: &Live, standing: &Standing) -> Result<Bidder, Removal> {
    let template = &standing.template;
    if live.at.1 > template.last {
        return Err(Removal::Ended);
    }
    if live.slot.terms != template.terms {
        let agreed = TERMS.get(&ctx.state, &template.terms).expect("terms are kept");
        let accepts = |within: Within| !live.terms.is_sealed() && within.accepts(&agreed, &live.terms);
        if !template.accept_within.is_some_and(accepts) {
            return Err(Removal::TermsChanged);
        }
    }
    let binding = registry::binding(&ctx.state, &standing.key, ctx.env.now);
    let may = |binding: &registry::KeyBinding| {
        binding.entity == standing.entity && binding.scopes & (scopes::BID | scopes::OWNER) != 0
    };
    let binding = binding.filter(may).ok_or(Removal::KeyGone)?;
    Ok(Bidder { entity: standing.entity, caps: binding.caps, authorised_by: standing.authorised_by })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_repeats_with_its_period() {
        let mask = Mask { period: 10, bits: vec![0b0000_0001, 0b0000_0010] };
        let slots: Vec<u32> = (95..115).filter(|slot| mask.has(Slot::from_number(*slot))).collect();
        assert_eq!(slots, [99, 100, 109, 110]);
    }
}
