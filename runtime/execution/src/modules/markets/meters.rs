//! Stage 4: the meters of a market and their registers; [`readings`](super::readings) takes what they post.
//!
//! Registers are cumulative: a slot's energy is the reading less what settled slots have used up, so a
//! substitute is trued up by the next real reading without anybody computing a correction. That is also why one stays as
//! it is when a value that it was built on is corrected: what it takes too much, the next reading lacks. All slots together
//! bill what the meter has counted, each at its own rates; until the vote is over, the meter or its operator may say
//! better.

use super::{Error, Live, METERS_OF, Market, Posted, READINGS, REGISTERS, Registers, deposits};
use crate::context::Context;
use crate::modules::registry::{self, Meter};
use parity_scale_codec::{Compact, Decode};
use runtime_primitives::limits::METERS_PER_MARKET_MAX;
use runtime_primitives::{Energy, MarketId, MeterId, Slot};
use runtime_state::Overlay;

/// Meters in one page of registers and readings.
pub const METERS_PER_PAGE: u32 = 64;

/// Add a meter to its market's list, with its import and export registers at registration. The market runs: its first slot
/// is what they count from.
///
/// # Errors
/// [`registry::Error::MarketNotAgreed`], [`registry::Error::MarketFull`], [`Error::RetailerFunding`]; the caller undoes what was written.
pub(crate) fn join(
    ctx: &mut Context,
    market: &Market,
    id: MeterId,
    meter: &Meter,
    start: (Energy, Energy),
) -> Result<(), crate::DispatchError> {
    if !market.is_agreed() {
        let missing = market.missing();
        return Err(registry::Error::MarketNotAgreed { market: meter.market, missing }.into());
    }
    ensure_room(meter.market, METERS_OF.get_or_default(&ctx.state, &meter.market).len())?;
    deposits::join(ctx, meter.market, market, meter.entity, meter.p_max_w)?;
    let state = &mut ctx.state;
    let mut meters = METERS_OF.get_or_default(state, &meter.market);
    let page_key = (meter.market, super::clearing::count(meters.len()) / METERS_PER_PAGE);
    let mut page = REGISTERS.get_or_default(state, &page_key);
    let first = market.next_slot;
    let scheduled = market.governing(first).expect("a market that runs has agreed terms").terms;
    let terms = super::terms(state, &scheduled);
    let passed = ctx.env.now.ms().saturating_sub(terms.slot_zero.ms()) / terms.slot_ms();
    let running = u32::try_from(passed).map_or(first, Slot::from_number);
    page.push(Registers {
        certified: start,
        read: start,
        read_to: running.min(first),
        measured: start,
        measured_in: None,
        assumed: start,
        first,
        base: 0,
    });
    REGISTERS.put(state, &page_key, &page);
    meters.push(id);
    METERS_OF.put(state, &meter.market, &meters);
    Ok(())
}

/// A market of so many meters takes another: its settlements can still be reported.
fn ensure_room(market: MarketId, meters: usize) -> Result<(), registry::Error> {
    if meters < METERS_PER_MARKET_MAX as usize {
        return Ok(());
    }
    Err(registry::Error::MarketFull { market, most: METERS_PER_MARKET_MAX })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_takes_so_many_meters() {
        let (market, most) = (MarketId::ZERO, METERS_PER_MARKET_MAX);
        assert_eq!(ensure_room(market, most as usize - 1), Ok(()));
        assert_eq!(ensure_room(market, most as usize), Err(registry::Error::MarketFull { market, most }));
    }
}
