//! Curtailment: the market's grid operator limits what connections move in a slot, with its reason.
//!
//! While the slot takes orders, a cap binds them: nothing beyond it is admitted, and what stands beyond it is withdrawn
//! without a penalty. From the gate on, in real time, the meter owes no deviation charge instead. The rule: whoever
//! could obey is held to its trades, so a cap exempts a meter only if its trades exceed it; of caps from before the gate
//! only a continuous book's fills from before the cap can do that.

use super::{
    At, BOOK, CAPS, CURTAILED, ENTITY_SLOTS, Error, Event, Live, SEALED, SLOTS, SealState, SlotState,
    continuous, live, market, meters, orders, rules, sealed,
};
use crate::archive::{ArchiveEntry, CurtailRecord};
use crate::context::Context;
use crate::modules::registry::{self, METERS};
use crate::origin::Origin;
use contract_interface::{CertifiedTrade, MeterSlot, roles};
use parity_scale_codec::{Compact, Decode};
use runtime_primitives::limits::{CURTAILED_PER_CALL_MAX, ORDERS_PER_PAGE, WITHDRAWN_PER_CALL_MAX};
use runtime_primitives::{Energy, EntityId, MeterId, Seq};
use runtime_state::Overlay;
use std::collections::BTreeMap;

/// A meter and the most it may move in the slot, import and export together.
pub type Cap = (MeterId, Energy);

/// Bytes of a stored [`Cap`].
const CAP_BYTES: usize = 4 + 8;

/// What stands of an order of a capped meter.
struct Piece {
    seq: Seq,
    entity: EntityId,
    meter: MeterId,
    open: Energy,
    /// Whether its cancellation waits already.
    leaves: bool,
}

/// Limit what meters move in a slot.
///
/// # Errors
/// Wrong entity, nothing or too much to curtail, unknown meters, one named twice, a slot that has ended.
pub fn curtail(
    ctx: &mut Context,
    origin: &Origin,
    at: At,
    mut items: Vec<Cap>,
    reason: u8,
) -> Result<(), crate::DispatchError> {
    registry::ensure_role(ctx, origin, roles::GRID_OPERATOR)?;
    let (operator, entity) = (market(&ctx.state, at.0)?.grid, origin.entity()?);
    if operator != entity {
        return Err(Error::NotGridOperator { operator, entity }.into());
    }
    let mut live = live(&ctx.state, at)?;
    items.sort_unstable();
    check_items(ctx, &live, &items)?;
    let before_gate = match live.slot.state {
        SlotState::Open => {
            bind_orders(ctx, &mut live, &items)?;
            true
        }
        SlotState::Revealing
        | SlotState::Clearing
        | SlotState::Proposed
        | SlotState::Confirmed
        | SlotState::Certified
        | SlotState::Delivering => {
            let mut all = CURTAILED.get_or_default(&ctx.state, &at);
            all.extend(items.iter().copied());
            // Of each meter the lowest: what it could not move for a while it cannot catch up with.
            all.sort_unstable();
            all.dedup_by_key(|(meter, _)| *meter);
            CURTAILED.put(&mut ctx.state, &at, &all);
            false
        }
        state => return Err(Error::NotCurtailable { slot: at.1, state }.into()),
    };
    let (height, authorised_by) = (ctx.env.height, ctx.extrinsic);
    for (meter, cap) in &items {
        let record = CurtailRecord { meter: *meter, cap: *cap, reason, before_gate, height, authorised_by };
        ctx.archive(ArchiveEntry::curtailment(at, &record));
    }
    ctx.emit(Event::Curtailed { market: at.0, slot: at.1, items, reason });
    Ok(())
}

fn check_items(ctx: &Context, live: &Live, items: &[Cap]) -> Result<(), Error> {
    if items.is_empty() {
        return Err(Error::NothingCurtailed);
    }
    if items.len() > CURTAILED_PER_CALL_MAX {
        return Err(Error::TooManyCurtailed(super::clearing::count(CURTAILED_PER_CALL_MAX)));
    }
    if let Some(twice) = items.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Error::CurtailedTwice(twice[0].0));
    }
    let known = meters::meters_of(&ctx.state, live);
    match items.iter().find(|(meter, _)| known.binary_search(meter).is_err()) {
        Some((stranger, _)) => Err(Error::UnknownMeter(*stranger)),
        None => Ok(()),
    }
}

/// What caps allow the meter's orders in the slot, found in the stored bytes, so that an order does not cost the list.
pub(super) fn cap(state: &Overlay, at: At, meter: MeterId) -> Option<Energy> {
    state.read(&CAPS.key(&at), |bytes| {
        let mut caps = bytes?;
        Compact::<u32>::decode(&mut caps).ok()?;
        let (caps, _) = caps.as_chunks::<CAP_BYTES>();
        let number = |cap: &[u8; CAP_BYTES]| MeterId::decode(&mut &cap[..]).ok();
        let found = caps.binary_search_by_key(&Some(meter), number).ok()?;
        Cap::decode(&mut caps.get(found)?.as_slice()).ok().map(|(_, cap)| cap)
    })
}

/// Store caps, the latest of each meter, and withdraw what stands beyond them.
fn bind_orders(ctx: &mut Context, live: &mut Live, items: &[Cap]) -> Result<(), Error> {
    let mut caps: BTreeMap<MeterId, Energy> = CAPS.get_or_default(&ctx.state, &live.at).into_iter().collect();
    caps.extend(items.iter().copied());
    CAPS.put(&mut ctx.state, &live.at, &caps.into_iter().collect());
    let sealed = live.terms.is_sealed();
    let mut beyond = beyond_caps(ctx, live, items, sealed);
    if beyond.is_empty() {
        return Ok(());
    }
    let is_continuous = rules::is_continuous(&ctx.state, &live.terms);
    let pieces = if sealed {
        commitments(&ctx.state, live, &beyond)
    } else {
        standing(&ctx.state, live, &beyond, is_continuous)
    };
    for leaving in pieces.iter().filter(|piece| piece.leaves) {
        take(&mut beyond, leaving);
    }
    // Newest first: who came early keeps its place.
    let mut going = Vec::new();
    for piece in pieces.iter().rev().filter(|piece| !piece.leaves) {
        let is_beyond = beyond.get(&piece.meter).is_some_and(|left| !left.is_zero());
        // Nobody knows what a sealed order is for, and its owner may seal another until the gate.
        if !sealed && !is_beyond {
            continue;
        }
        take(&mut beyond, piece);
        going.push(piece);
    }
    let (orders, most) = (super::clearing::count(going.len()), WITHDRAWN_PER_CALL_MAX);
    if orders > most {
        return Err(Error::TooManyWithdrawn { orders, most });
    }
    for piece in going {
        withdraw(ctx, live, piece, sealed, is_continuous)?;
    }
    SLOTS.put(&mut ctx.state, &live.at, &live.slot);
    Ok(())
}

/// By how much each meter's orders exceed its cap, of those that do or, with sealed orders, may.
fn beyond_caps(ctx: &Context, live: &Live, items: &[Cap], sealed: bool) -> BTreeMap<MeterId, Energy> {
    let of_meter = |(meter, cap): &Cap| {
        let entity = METERS.get(&ctx.state, meter)?.entity;
        let going = ENTITY_SLOTS.get(&ctx.state, &(live.at.0, live.at.1, entity))?;
        let own = going.energy.iter().filter(|(id, _)| id == meter).map(|(_, energy)| *energy);
        let energy = super::sum(own);
        (sealed || energy > *cap).then(|| (*meter, energy.saturating_sub(*cap)))
    };
    items.iter().filter_map(of_meter).collect()
}

fn take(beyond: &mut BTreeMap<MeterId, Energy>, piece: &Piece) {
    if let Some(left) = beyond.get_mut(&piece.meter) {
        *left = left.saturating_sub(piece.open);
    }
}

/// Orders of these meters of which something is open, in order of arrival.
fn standing(state: &Overlay, live: &Live, of: &BTreeMap<MeterId, Energy>, is_continuous: bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for page in 0..live.slot.next_seq.number().div_ceil(ORDERS_PER_PAGE) {
        let first = page * ORDERS_PER_PAGE;
        let orders = BOOK.rest_of_page(state, live.at, first).into_iter().map(|entry| entry.order);
        let piece = |seq, entity, meter, open, leaves| Piece { seq, entity, meter, open, leaves };
        let whole = orders.map(|order| piece(order.seq, order.entity, order.meter, order.energy, false));
        let mut of_page: Vec<Piece> = whole.collect();
        if is_continuous {
            for (piece, place) in
                of_page.iter_mut().zip(continuous::PLACES.rest_of_page(state, live.at, first))
            {
                piece.open = place.remaining;
                piece.leaves = place.is_leaving();
            }
        }
        of_page.retain(|piece| !piece.open.is_zero() && of.contains_key(&piece.meter));
        pieces.append(&mut of_page);
    }
    pieces
}

/// Sealed orders of these meters, in order of arrival.
fn commitments(state: &Overlay, live: &Live, of: &BTreeMap<MeterId, Energy>) -> Vec<Piece> {
    let places = live.slot.next_seq.number();
    let entries = (0u32..).map(Seq::from_number).zip(SEALED.load(state, live.at, places));
    let sealed =
        entries.filter(|(_, entry)| entry.state == SealState::Sealed && of.contains_key(&entry.meter));
    let piece = |(seq, entry): (Seq, super::SealedEntry)| {
        let (open, leaves) = (Energy::ZERO, false);
        Piece { seq, entity: entry.entity, meter: entry.meter, open, leaves }
    };
    sealed.map(piece).collect()
}

fn withdraw(
    ctx: &mut Context,
    live: &mut Live,
    piece: &Piece,
    sealed: bool,
    is_continuous: bool,
) -> Result<(), Error> {
    let ((market, slot), seq, meter) = (live.at, piece.seq, piece.meter);
    if is_continuous {
        // What is open when the cancellation's turn comes is released then.
        continuous::cancel(ctx, live, piece.entity, seq)?;
    } else {
        if sealed {
            sealed::withdraw(ctx, live, piece.entity, seq)?;
        } else {
            orders::take_out(ctx, live, piece.entity, seq)?;
        }
        ctx.emit(Event::OrderCancelled { market, slot, seq });
    }
    ctx.emit(Event::OrderCurtailed { market, slot, seq, meter });
    Ok(())
}

/// What a capped meter trades in a slot, beside the lowest of its caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capped {
    /// The lowest cap.
    pub cap: Energy,
    /// What it trades.
    pub traded: Energy,
}

impl Capped {
    /// Whether it owes no deviation charge: it could not obey and deliver.
    pub fn is_exempt(&self) -> bool {
        self.traded > self.cap
    }
}

/// The capped meters of a slot; `trades` are energies with the meters between which they go.
pub fn capped(
    state: &Overlay,
    at: At,
    trades: impl IntoIterator<Item = ([MeterId; 2], Energy)>,
) -> BTreeMap<MeterId, Capped> {
    let mut all: BTreeMap<MeterId, Capped> = BTreeMap::new();
    for (meter, cap) in
        CAPS.get_or_default(state, &at).into_iter().chain(CURTAILED.get_or_default(state, &at))
    {
        let own = all.entry(meter).or_insert(Capped { cap, traded: Energy::ZERO });
        own.cap = cap.min(own.cap);
    }
    for (meters, energy) in trades {
        for meter in meters {
            if let Some(own) = all.get_mut(&meter) {
                own.traded = own.traded.saturating_add(energy);
            }
        }
    }
    all
}

/// Mark the meters that owe no deviation charge: those whose trades exceed a cap.
pub(super) fn exempt(state: &Overlay, at: At, trades: &[CertifiedTrade], slots: &mut [MeterSlot]) {
    let trades = trades.iter().map(|trade| ([trade.buy_meter, trade.sell_meter], trade.energy));
    let capped = capped(state, at, trades);
    for slot in slots {
        slot.curtailed = capped.get(&slot.meter).is_some_and(Capped::is_exempt);
    }
}

/// Drop the working set of a settled slot.
pub(super) fn forget(state: &mut Overlay, at: At) {
    CAPS.remove(state, &at);
    CURTAILED.remove(state, &at);
}
