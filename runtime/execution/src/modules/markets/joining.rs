//! The base: what a meter showed when its first slot began. It joined hours before, and what it moved meanwhile is the
//! affair of whoever supplied it then.
//!
//! The base is the reading of the slot before the meter's first, signed like any other, by the meter or for it by the market's
//! meter operator. The rule: it comes before anything of the meter's slots is known to be voted on, and without it no slot
//! is billed for more than the connection can have moved since the first began.

use super::meters;
use super::readings::{self, Voucher};
use super::{Error, Live, READINGS, REGISTERS, Registers, SlotState, live};
use crate::archive::ArchiveEntry;
use crate::context::Context;
use crate::modules::registry::METERS;
use contract_interface::{Reading, ReadingStatus};
use runtime_primitives::crypto::Signature;
use runtime_primitives::limits::READING_REVISIONS_MAX;
use runtime_primitives::{Energy, Slot, SlotCount};
use runtime_state::Overlay;

/// A meter whose first slot follows the one that a reading is for.
pub(super) struct Joining {
    /// Its first slot.
    first: Live,
    page: u32,
    index: usize,
    registers: Vec<Registers>,
}

/// The meter that the reading would be the base of.
pub(super) fn joining(state: &Overlay, reading: &Reading) -> Option<Joining> {
    let first = reading.slot.checked_add(SlotCount::from_count(1))?;
    let first = live(state, (reading.market, first)).ok()?;
    let (page, index) = meters::place(meters::position(state, &first, reading.meter).ok()?);
    let registers = REGISTERS.get_or_default(state, &(reading.market, page));
    let own = registers.get(index).filter(|own| own.first == first.at.1);
    own.is_some().then_some(Joining { first, page, index, registers })
}

/// Take a base. A meter's own is final; the meter operator's estimate stands until then, or until it signs a later one.
///
/// # Errors
/// One per rule; see [`Error`].
pub(super) fn post(
    ctx: &mut Context,
    mut joining: Joining,
    reading: &Reading,
    voucher: Voucher,
    signature: Signature,
) -> Result<(), Error> {
    let first = joining.first.at.1;
    check_time(ctx, &joining.first)?;
    let own = joining.registers[joining.index];
    let posted = READINGS.get_or_default(&ctx.state, &(reading.market, first, joining.page));
    let has_read = posted.get(joining.index).is_some_and(|posted| !posted.is_empty());
    if has_read || own.read_to >= first || own.measured_in.is_some() {
        return Err(Error::AlreadyRead(reading.meter));
    }
    readings::check_status(reading, voucher, None)?;
    check_revision(reading, own.base)?;
    if reading.import_wh < own.read.0 || reading.export_wh < own.read.1 {
        return Err(Error::RegisterWentBack(reading.meter));
    }
    let meter = METERS.get(&ctx.state, &reading.meter).ok_or(Error::UnknownMeter(reading.meter))?;
    readings::check_plausible(&joining.first, reading, &own, meter.p_max_w)?;
    let signed = voucher.signed(reading, meter.key, signature);
    readings::check_signature(ctx, &signed, voucher)?;
    set(&mut joining.registers[joining.index], reading);
    REGISTERS.put(&mut ctx.state, &(reading.market, joining.page), &joining.registers);
    ctx.archive(ArchiveEntry::reading((reading.market, reading.slot), &signed));
    readings::announce(ctx, reading);
    Ok(())
}

/// From the start of the meter's first slot until its readings are in: voters must know what energies they vote on.
fn check_time(ctx: &Context, first: &Live) -> Result<(), Error> {
    let slot = first.at.1;
    let moves = matches!(first.slot.state, SlotState::Delivering | SlotState::Void | SlotState::Metering);
    let start = first.terms.delivery_start(slot);
    if moves && ctx.env.now >= start { Ok(()) } else { Err(Error::NoTimeForBase { slot, start }) }
}

/// Revision 0 is the meter's own, so that no estimate can take its place; `latest` is the last one of the meter operator.
fn check_revision(reading: &Reading, latest: u16) -> Result<(), Error> {
    let is_estimate = reading.status == ReadingStatus::Substituted;
    let end = if is_estimate { READING_REVISIONS_MAX } else { 1 };
    if reading.revision >= end {
        return Err(Error::TooManyRevisions(reading.revision));
    }
    if is_estimate && reading.revision <= latest {
        return Err(Error::StaleRevision { got: reading.revision, latest });
    }
    Ok(())
}

fn set(own: &mut Registers, reading: &Reading) {
    let shown = (reading.import_wh, reading.export_wh);
    own.certified = shown;
    own.assumed = shown;
    own.base = reading.revision;
    if reading.status != ReadingStatus::Substituted {
        own.read = shown;
        own.read_to = own.first;
        own.measured = shown;
    }
}

/// Before the first reading of a meter without a base of its own settles, raise what counts as used up: energy beyond what
/// the connection can have moved since its first slot is from before.
pub(super) fn drop_earlier(own: &mut Registers, slot: Slot, shown: (Energy, Energy), per_slot: Energy) {
    if own.read_to >= own.first {
        return;
    }
    let slots = slot.since(own.first).map_or(0, |span| u64::from(span.count()) + 1);
    let most = Energy::from_wh(per_slot.wh().saturating_mul(slots));
    own.certified.0 = own.certified.0.max(shown.0.saturating_sub(most));
    own.certified.1 = own.certified.1.max(shown.1.saturating_sub(most));
}
