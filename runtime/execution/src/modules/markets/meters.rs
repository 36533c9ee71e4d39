//! Stage 4: meters join markets and are interrupted by the grid operator; [`readings`](super::readings) takes what
//! they post.
//!
//! Registers are cumulative: a slot's energy is the reading less what settled slots have used up, so a
//! substitute is trued up by the next real reading without anybody computing a correction.

use super::{
    At, Error, Event, INTERRUPTED, Live, MARKETS, METERS_OF, Posted, READINGS, REGISTERS, Registers,
    SlotState, live, market,
};
use crate::context::Context;
use crate::modules::registry;
use crate::origin::Origin;
use contract_interface::roles;
use parity_scale_codec::{Compact, Decode};
use runtime_primitives::{Energy, MarketId, MeterId};
use runtime_state::Overlay;

/// Meters in one page of registers and readings.
pub const METERS_PER_PAGE: u32 = 64;

/// Add a meter to a market's list, with its registers at registration. `None`: no such market.
pub(crate) fn join(
    state: &mut Overlay,
    market: MarketId,
    id: MeterId,
    import_wh: Energy,
    export_wh: Energy,
) -> Option<()> {
    let certified_to = MARKETS.get(state, &market)?.next_slot;
    let mut meters = METERS_OF.get_or_default(state, &market);
    let page_key = (market, super::clearing::count(meters.len()) / METERS_PER_PAGE);
    let mut page = REGISTERS.get_or_default(state, &page_key);
    let start = (import_wh, export_wh);
    page.push(Registers { certified: start, certified_to, measured: start, assumed: start });
    REGISTERS.put(state, &page_key, &page);
    meters.push(id);
    METERS_OF.put(state, &market, &meters);
    Some(())
}

/// The meters that settle in a slot, ascending.
pub fn meters_of(state: &Overlay, live: &Live) -> Vec<MeterId> {
    let mut meters = METERS_OF.get_or_default(state, &live.at.0);
    meters.truncate(live.slot.meters as usize);
    meters
}

/// Whether a meter of the market settles in the slot: it joined before the slot opened. Ids ascend, so the last of
/// the slot's list tells, and the list need not be decoded for every order.
pub(super) fn settles(state: &Overlay, live: &Live, meter: MeterId) -> bool {
    let Some(last) = live.slot.meters.checked_sub(1) else { return false };
    let listed = state.read(&METERS_OF.key(&live.at.0), |bytes| {
        let mut bytes = bytes?;
        Compact::<u32>::decode(&mut bytes).ok()?;
        MeterId::decode(&mut bytes.get(last as usize * size_of::<u32>()..)?).ok()
    });
    listed.is_some_and(|last| meter <= last)
}

/// Place of a meter in the slot's list: found in the stored bytes, so that a reading does not cost the list.
pub(super) fn position(state: &Overlay, live: &Live, meter: MeterId) -> Result<u32, Error> {
    let found = state.read(&METERS_OF.key(&live.at.0), |bytes| {
        let mut ids = bytes?;
        Compact::<u32>::decode(&mut ids).ok()?;
        let ids = ids.get(..live.slot.meters as usize * size_of::<u32>())?;
        let (ids, _) = ids.as_chunks::<{ size_of::<u32>() }>();
        ids.binary_search_by_key(&meter.number(), |id| u32::from_le_bytes(*id)).ok()
    });
    found.map(super::clearing::count).ok_or(Error::UnknownMeter(meter))
}

pub(super) const fn place(position: u32) -> (u32, usize) {
    (position / METERS_PER_PAGE, (position % METERS_PER_PAGE) as usize)
}

/// Readings posted for all meters of the slot, in order; empty where none is.
pub fn all_posted(state: &Overlay, live: &Live) -> Vec<Vec<Posted>> {
    let pages = 0..live.slot.meters.div_ceil(METERS_PER_PAGE);
    let mut all: Vec<_> = pages
        .flat_map(|page| {
            let mut readings = READINGS.get_or_default(state, &(live.at.0, live.at.1, page));
            readings.resize(METERS_PER_PAGE as usize, Vec::new());
            readings
        })
        .collect();
    all.truncate(live.slot.meters as usize);
    all
}

/// Replace the registers of all meters of a market, in order.
pub(super) fn store_registers(state: &mut Overlay, market: MarketId, registers: &[Registers]) {
    for (page, chunk) in (0u32..).zip(registers.chunks(METERS_PER_PAGE as usize)) {
        REGISTERS.put(state, &(market, page), &chunk.to_vec());
    }
}

/// Registers of all meters of a market, in order.
pub fn load_registers(state: &Overlay, market: MarketId) -> Vec<Registers> {
    let meters = super::clearing::count(METERS_OF.get_or_default(state, &market).len());
    let pages = 0..meters.div_ceil(METERS_PER_PAGE);
    pages.flat_map(|page| REGISTERS.get_or_default(state, &(market, page))).collect()
}

/// The grid operator reports meters it interrupted: their owners pay no deviation charge in this slot.
///
/// # Errors
/// Wrong entity, a slot that has ended, unknown meters.
pub fn interrupt(
    ctx: &mut Context,
    origin: &Origin,
    at: At,
    meters: Vec<MeterId>,
    reason: u8,
) -> Result<(), crate::DispatchError> {
    registry::ensure_role(ctx, origin, roles::GRID_OPERATOR)?;
    if market(&ctx.state, at.0)?.grid != origin.entity()? {
        return Err(crate::DispatchError::BadOrigin);
    }
    let live = live(&ctx.state, at)?;
    let state = live.slot.state;
    if !matches!(state, SlotState::Certified | SlotState::Delivering) {
        return Err(Error::NotInterruptible { slot: at.1, state }.into());
    }
    let known = meters_of(&ctx.state, &live);
    if let Some(stranger) = meters.iter().find(|meter| known.binary_search(meter).is_err()) {
        return Err(Error::UnknownMeter(*stranger).into());
    }
    let mut all = INTERRUPTED.get_or_default(&ctx.state, &at);
    all.extend_from_slice(&meters);
    all.sort_unstable();
    all.dedup();
    INTERRUPTED.put(&mut ctx.state, &at, &all);
    ctx.emit(Event::Interrupted { market: at.0, slot: at.1, meters, reason });
    Ok(())
}
