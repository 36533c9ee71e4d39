//! Stage 4: meters join markets, post signed readings, and are interrupted by the grid operator.
//!
//! Registers are cumulative: a slot's energy is the reading less what settled slots have used up, so a
//! substitute is trued up by the next real reading without anybody computing a correction.

use super::slots;
use super::{
    At, Error, Event, INTERRUPTED, Live, MARKETS, METERS_OF, Posted, READINGS, REGISTERS, Registers, SLOTS,
    SlotState, live, market,
};
use crate::archive::{ArchiveEntry, SignedReading};
use crate::context::Context;
use crate::modules::registry::{self, METERS};
use crate::origin::Origin;
use contract_interface::{Reading, ReadingStatus, Stage, reading_message, roles};
use parity_scale_codec::{Compact, Decode, Encode};
use runtime_primitives::crypto::{Signature, Statement};
use runtime_primitives::limits::READING_REVISIONS_MAX;
use runtime_primitives::{AccountId, Energy, MarketId, MeterId};
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

/// Place of a meter in the slot's list.
fn position(state: &Overlay, live: &Live, meter: MeterId) -> Result<u32, Error> {
    let found = meters_of(state, live).binary_search(&meter);
    found.map(super::clearing::count).map_err(|_| Error::UnknownMeter(meter))
}

const fn place(position: u32) -> (u32, usize) {
    (position / METERS_PER_PAGE, (position % METERS_PER_PAGE) as usize)
}

/// Registers of the meter at `position`.
pub fn registers(state: &Overlay, market: MarketId, position: u32) -> Registers {
    let (page, index) = place(position);
    REGISTERS.get_or_default(state, &(market, page)).get(index).copied().unwrap_or_default()
}

/// Readings posted for the meter at `position`, by revision.
pub fn posted(state: &Overlay, at: At, position: u32) -> Vec<Posted> {
    let (page, index) = place(position);
    READINGS.get_or_default(state, &(at.0, at.1, page)).get(index).cloned().unwrap_or_default()
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
pub(super) fn load_registers(state: &Overlay, market: MarketId) -> Vec<Registers> {
    let meters = super::clearing::count(METERS_OF.get_or_default(state, &market).len());
    let pages = 0..meters.div_ceil(METERS_PER_PAGE);
    pages.flat_map(|page| REGISTERS.get_or_default(state, &(market, page))).collect()
}

/// The statement a reading's signature makes, if the meter is known.
pub fn reading_statement(
    state: &Overlay,
    genesis: &runtime_primitives::Hash,
    reading: &Reading,
    signature: Signature,
) -> Option<Statement> {
    let signer = METERS.get(state, &reading.meter)?.key;
    Some(Statement { signer, message: reading_message(genesis, reading), signature })
}

/// Post a reading signed by its meter.
///
/// # Errors
/// One per rule; see [`Error`].
pub fn post(ctx: &mut Context, reading: &Reading, signature: Signature) -> Result<(), Error> {
    let at = (reading.market, reading.slot);
    let mut live = live(&ctx.state, at)?;
    let position = position(&ctx.state, &live, reading.meter)?;
    check_phase(&live, reading)?;
    let latest = posted(&ctx.state, at, position).last().map(|posted| posted.revision);
    if let Some(latest) = latest.filter(|latest| reading.revision <= *latest) {
        return Err(Error::StaleRevision { got: reading.revision, latest });
    }
    if reading.revision >= READING_REVISIONS_MAX {
        return Err(Error::TooManyRevisions(reading.revision));
    }
    let is_correction = reading.status == ReadingStatus::Corrected;
    if latest.is_some() != is_correction || reading.status == ReadingStatus::Substituted {
        return Err(Error::WrongStatus);
    }
    let before = registers(&ctx.state, at.0, position);
    let floor = if is_correction { before.certified } else { before.measured };
    if reading.import_wh < floor.0 || reading.export_wh < floor.1 {
        return Err(Error::RegisterWentBack(reading.meter));
    }
    check_plausible(ctx, &live, reading, &before)?;
    let statement = reading_statement(&ctx.state, &ctx.env.genesis, reading, signature)
        .ok_or(Error::UnknownMeter(reading.meter))?;
    if !ctx.verifier.verify(&statement) {
        return Err(Error::WrongMeterKey(reading.meter));
    }
    let signed = SignedReading { reading: *reading, key: statement.signer, signature };
    append(ctx, &mut live, position, &signed);
    if live.slot.state == SlotState::Payable {
        super::lists::reopen(ctx, &mut live);
    } else if live.slot.state == SlotState::Metering && live.slot.unread == 0 {
        let now = ctx.env.now;
        slots::set_due(ctx, &mut live, Some(now));
    } else {
        SLOTS.put(&mut ctx.state, &at, &live.slot);
    }
    Ok(())
}

/// A connection cannot have moved more than its capacity since its registers were certified: a meter key that is
/// lost must not empty the retailer.
fn check_plausible(ctx: &Context, live: &Live, reading: &Reading, before: &Registers) -> Result<(), Error> {
    let meter = METERS.get(&ctx.state, &reading.meter).ok_or(Error::UnknownMeter(reading.meter))?;
    let slots = live.at.1.since(before.certified_to).map_or(0, |span| u64::from(span.count()) + 1);
    let per_slot = live.terms.capacity(meter.p_max_w).wh();
    let most = Energy::from_wh(per_slot.saturating_mul(slots));
    let moved = (reading.import_wh.saturating_sub(before.certified.0))
        .max(reading.export_wh.saturating_sub(before.certified.1));
    if moved > most {
        return Err(Error::ImplausibleReading { meter: reading.meter, most });
    }
    Ok(())
}

/// First readings while they are awaited, corrections until the slot is settled (section 2: once).
fn check_phase(live: &Live, reading: &Reading) -> Result<(), Error> {
    let open = match live.slot.state {
        SlotState::Metering | SlotState::Voting => true,
        SlotState::Payable => {
            reading.status == ReadingStatus::Corrected && live.slot.round != super::lists::DISPUTE_ROUND
        }
        _ => false,
    };
    if open { Ok(()) } else { Err(Error::NotMetering { slot: live.at.1 }) }
}

/// Append an accepted reading to the working set, the stage's tree and the archive.
fn append(ctx: &mut Context, live: &mut Live, position: u32, signed: &SignedReading) {
    let reading = &signed.reading;
    let (page, index) = place(position);
    let key = (live.at.0, live.at.1, page);
    let mut readings = READINGS.get_or_default(&ctx.state, &key);
    if readings.len() <= index {
        readings.resize(index + 1, Vec::new());
    }
    if readings[index].is_empty() {
        live.slot.unread -= 1;
    }
    let replaced = readings[index].last().map(|posted| (posted.import_wh, posted.export_wh));
    readings[index].push(Posted {
        hash: reading.hash(),
        revision: reading.revision,
        import_wh: reading.import_wh,
        export_wh: reading.export_wh,
    });
    READINGS.put(&mut ctx.state, &key, &readings);
    follow_registers(&mut ctx.state, live.at.0, position, reading, replaced);
    let leaf = signed.encode();
    let index = live.slot.readings.push(&leaf);
    ctx.archive(ArchiveEntry::leaf(live.at, Stage::Execution, index, leaf));
    ctx.archive(ArchiveEntry::reading(live.at, signed));
    let (market, slot) = live.at;
    ctx.emit(Event::ReadingPosted { market, slot, meter: reading.meter, revision: reading.revision });
}

/// Registers only rise, unless the reading that raised them is the one that this reading corrects: kept, a wrong value
/// would refuse the meter's next readings, and the next substitute would build on it.
fn follow_registers(
    state: &mut Overlay,
    market: MarketId,
    position: u32,
    reading: &Reading,
    replaced: Option<(Energy, Energy)>,
) {
    let (page, index) = place(position);
    let mut registers = REGISTERS.get_or_default(state, &(market, page));
    let own = &mut registers[index];
    let follow = |register: &mut Energy, shown: Energy, replaced: Option<Energy>| {
        *register = if replaced == Some(*register) { shown } else { shown.max(*register) };
    };
    let follow = |pair: &mut (Energy, Energy)| {
        follow(&mut pair.0, reading.import_wh, replaced.map(|replaced| replaced.0));
        follow(&mut pair.1, reading.export_wh, replaced.map(|replaced| replaced.1));
    };
    follow(&mut own.assumed);
    if reading.status != ReadingStatus::Substituted {
        follow(&mut own.measured);
    }
    REGISTERS.put(state, &(market, page), &registers);
}

/// Put a substitute in the place of every missing reading: no export, import as bought (trued up later).
pub(super) fn substitute(ctx: &mut Context, live: &mut Live, bought: impl Fn(MeterId) -> Energy) {
    for (position, meter) in (0u32..).zip(meters_of(&ctx.state, live)) {
        if !posted(&ctx.state, live.at, position).is_empty() {
            continue;
        }
        let own = registers(&ctx.state, live.at.0, position);
        let assumed = (own.assumed.0.max(own.certified.0), own.assumed.1.max(own.certified.1));
        let reading = Reading {
            market: live.at.0,
            meter,
            slot: live.at.1,
            revision: 0,
            import_wh: assumed.0.saturating_add(bought(meter)),
            export_wh: assumed.1,
            voltage_dv: None,
            frequency_mhz: None,
            measured_at: live.terms.delivery_end(live.at.1),
            status: ReadingStatus::Substituted,
        };
        let signed = SignedReading { reading, key: AccountId::ZERO, signature: Signature([0; 64]) };
        append(ctx, live, position, &signed);
    }
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
