//! Stage 4: readings that meters signed are posted, one by one or in a batch that a data concentrator submits.
//!
//! A reading counts by its meter's signature alone, whoever brings it; a correction's covers the hash of its evidence. Where
//! a meter was silent, the market's meter operator may sign a substitute for it. The rule: whatever is posted goes through
//! [`Sheet`], one page of meters at a time, so that a batch costs its pages and not a page for each reading.

use super::joining;
use super::meters::{self, METERS_PER_PAGE};
use super::slots;
use super::{At, Call, Error, Event, Live, Posted, READINGS, REGISTERS, Registers, SLOTS, SlotState, live};
use crate::archive::{ArchiveEntry, SignedReading};
use crate::context::Context;
use crate::leaves;
use crate::modules::registry::{self, METERS, scopes};
use crate::origin::Origin;
use contract_interface::{Reading, ReadingStatus, Stage, reading_message};
use parity_scale_codec::Encode;
use runtime_primitives::crypto::{Signature, Statement};
use runtime_primitives::limits::{READING_REVISIONS_MAX, READINGS_PER_BATCH_MAX};
use runtime_primitives::{AccountId, Energy, Hash, MeterId, Slot, SlotCount};
use runtime_state::Overlay;

/// A reading and its meter's signature over `reading_message`.
pub type Signed = (Reading, Signature);

/// Who vouches for a reading, beside its signature.
#[derive(Clone, Copy)]
pub(super) enum Voucher {
    /// Its meter.
    Meter,
    /// Its meter, with the hash of the document that explains the correction.
    Evidence(Hash),
    /// The market's meter operator, by this key.
    Operator(AccountId),
}

impl Voucher {
    /// The reading with its proof; `meter` is the meter's key.
    pub(super) const fn signed(
        self,
        reading: &Reading,
        meter: AccountId,
        signature: Signature,
    ) -> SignedReading {
        let (key, evidence) = match self {
            Self::Meter => (meter, None),
            Self::Evidence(evidence) => (meter, Some(evidence)),
            Self::Operator(key) => (key, None),
        };
        SignedReading { reading: *reading, key, signature, evidence }
    }
}

/// One page of readings and registers, taken out to be changed.
struct Sheet {
    page: u32,
    readings: Vec<Vec<Posted>>,
    registers: Vec<Registers>,
}

impl Sheet {
    fn load(state: &Overlay, at: At, page: u32) -> Self {
        let readings = READINGS.get_or_default(state, &(at.0, at.1, page));
        Self { page, readings, registers: REGISTERS.get_or_default(state, &(at.0, page)) }
    }

    fn store(&self, state: &mut Overlay, at: At) {
        READINGS.put(state, &(at.0, at.1, self.page), &self.readings);
        REGISTERS.put(state, &(at.0, self.page), &self.registers);
    }

    /// The last reading posted for the meter at `index`.
    fn last(&self, index: usize) -> Option<&Posted> {
        self.readings.get(index)?.last()
    }
}

/// The statement a reading's signature makes, if the meter is known.
pub fn statement(
    state: &Overlay,
    genesis: &Hash,
    reading: &Reading,
    signature: Signature,
) -> Option<Statement> {
    let signer = METERS.get(state, &reading.meter)?.key;
    Some(Statement { signer, message: reading_message(genesis, reading), signature })
}

/// What the signature of a bare call says, if it posts a reading of a known meter.
pub fn bare_statement(state: &Overlay, genesis: &Hash, call: &Call) -> Option<Statement> {
    let (reading, voucher, signature) = bare_parts(call)?;
    let meter = METERS.get(state, &reading.meter)?.key;
    Some(voucher.signed(reading, meter, *signature).statement(genesis))
}

const fn bare_parts(call: &Call) -> Option<(&Reading, Voucher, &Signature)> {
    match call {
        Call::PostReading { reading, signature } => Some((reading, Voucher::Meter, signature)),
        Call::PostCorrection { reading, evidence, signature } => {
            Some((reading, Voucher::Evidence(*evidence), signature))
        }
        Call::PostSubstitute { reading, key, signature } => {
            Some((reading, Voucher::Operator(*key), signature))
        }
        _ => None,
    }
}

/// Post the reading of a bare call: one that its meter signed, a correction with the hash of its evidence, or a
/// substitute by the owner key of the market's meter operator. A substitute is taken once the meters' own time is over,
/// as a later revision than the one made by rule, and never in the place of what the meter itself has said. The reading of
/// the slot before the meter's first is its base; see [`joining`].
///
/// # Errors
/// One per rule; see [`Error`].
pub fn post(ctx: &mut Context, call: &Call) -> Result<(), Error> {
    let (reading, voucher, signature) = bare_parts(call).expect("only readings come here");
    let at = (reading.market, reading.slot);
    let found =
        live(&ctx.state, at).and_then(|live| Ok((meters::position(&ctx.state, &live, reading.meter)?, live)));
    let (position, mut live) = match found {
        Ok(found) => found,
        Err(error) => {
            let joining = joining::joining(&ctx.state, reading).ok_or(error)?;
            return joining::post(ctx, joining, reading, voucher, *signature);
        }
    };
    let (page, index) = meters::place(position);
    let mut sheet = Sheet::load(&ctx.state, at, page);
    accept(ctx, &mut live, &mut sheet, index, reading, voucher, *signature)?;
    sheet.store(&mut ctx.state, at);
    conclude(ctx, &mut live);
    Ok(())
}

/// Post many readings in the order of market, slot, meter and revision. One that does not count is left out, with an
/// event that says why: it must not take the others with it.
///
/// # Errors
/// [`Error::NothingRead`], [`Error::TooManyReadings`]; the submitter is no entity.
pub fn post_batch(
    ctx: &mut Context,
    origin: &Origin,
    mut readings: Vec<Signed>,
) -> Result<(), crate::DispatchError> {
    origin.entity()?;
    if readings.is_empty() {
        return Err(Error::NothingRead.into());
    }
    if readings.len() > READINGS_PER_BATCH_MAX {
        return Err(Error::TooManyReadings(super::clearing::count(READINGS_PER_BATCH_MAX)).into());
    }
    readings.sort_by_key(|(reading, _)| (reading.market, reading.slot, reading.meter, reading.revision));
    let at = |(reading, _): &Signed| (reading.market, reading.slot);
    for of_slot in readings.chunk_by(|left, right| at(left) == at(right)) {
        match live(&ctx.state, at(&of_slot[0])) {
            Ok(live) => post_to_slot(ctx, live, of_slot),
            Err(error) => of_slot.iter().for_each(|(reading, _)| refuse(ctx, reading, error.clone())),
        }
    }
    Ok(())
}

fn post_to_slot(ctx: &mut Context, mut live: Live, readings: &[Signed]) {
    let mut open: Option<Sheet> = None;
    for (reading, signature) in readings {
        let place = meters::position(&ctx.state, &live, reading.meter).map(meters::place);
        let posted = place.and_then(|(page, index)| {
            let sheet = match open.take() {
                Some(sheet) if sheet.page == page => sheet,
                other => {
                    if let Some(full) = other {
                        full.store(&mut ctx.state, live.at);
                    }
                    Sheet::load(&ctx.state, live.at, page)
                }
            };
            accept(ctx, &mut live, open.insert(sheet), index, reading, Voucher::Meter, *signature)
        });
        if let Err(error) = posted {
            refuse(ctx, reading, error);
        }
    }
    if let Some(last) = open {
        last.store(&mut ctx.state, live.at);
    }
    conclude(ctx, &mut live);
}

fn refuse(ctx: &mut Context, reading: &Reading, error: Error) {
    let (market, slot, meter, revision) = (reading.market, reading.slot, reading.meter, reading.revision);
    ctx.emit(Event::ReadingRefused { market, slot, meter, revision, error });
}

/// Take a reading that keeps all rules into `sheet`; nothing has changed if it breaks one.
fn accept(
    ctx: &mut Context,
    live: &mut Live,
    sheet: &mut Sheet,
    index: usize,
    reading: &Reading,
    voucher: Voucher,
    signature: Signature,
) -> Result<(), Error> {
    check_phase(ctx, live, reading, voucher)?;
    let latest = sheet.last(index).map(|posted| posted.revision);
    if let Some(latest) = latest.filter(|latest| reading.revision <= *latest) {
        return Err(Error::StaleRevision { got: reading.revision, latest });
    }
    if reading.revision >= READING_REVISIONS_MAX {
        return Err(Error::TooManyRevisions(reading.revision));
    }
    check_status(reading, voucher, sheet.last(index))?;
    let before = sheet.registers[index];
    check_order(&ctx.state, sheet.page, index, reading, &before)?;
    let meter = METERS.get(&ctx.state, &reading.meter).ok_or(Error::UnknownMeter(reading.meter))?;
    check_plausible(live, reading, &before, meter.p_max_w)?;
    let signed = voucher.signed(reading, meter.key, signature);
    check_signature(ctx, &signed, voucher)?;
    append(ctx, live, sheet, index, &signed);
    if live.slot.state == SlotState::Payable {
        super::lists::reopen(ctx, live);
    }
    Ok(())
}

/// Registers rise from slot to slot. A reading that comes late, after one of a later slot, lies between its neighbours. A
/// correction may undo whatever is not settled.
fn check_order(
    state: &Overlay,
    page: u32,
    index: usize,
    reading: &Reading,
    before: &Registers,
) -> Result<(), Error> {
    let in_slot = |slot: Option<Slot>| {
        let posted = READINGS.get_or_default(state, &(reading.market, slot?, page));
        let own = posted.get(index)?.iter().rfind(|posted| !posted.substituted)?;
        Some((own.import_wh, own.export_wh))
    };
    let (floor, ceiling) = match before.measured_in {
        _ if reading.status == ReadingStatus::Corrected => (before.read, None),
        Some(last) if reading.slot < last => {
            let earlier = in_slot(reading.slot.number().checked_sub(1).map(Slot::from_number));
            let later = in_slot(reading.slot.checked_add(SlotCount::from_count(1)));
            (earlier.unwrap_or(before.read), Some(later.unwrap_or(before.measured)))
        }
        _ => (before.measured, None),
    };
    if reading.import_wh < floor.0 || reading.export_wh < floor.1 {
        return Err(Error::RegisterWentBack(reading.meter));
    }
    if ceiling.is_some_and(|most| reading.import_wh > most.0 || reading.export_wh > most.1) {
        return Err(Error::AboveLaterReading(reading.meter));
    }
    Ok(())
}

/// The status fits who vouches for the reading and what is posted already.
pub(super) const fn check_status(
    reading: &Reading,
    voucher: Voucher,
    last: Option<&Posted>,
) -> Result<(), Error> {
    match (voucher, reading.status, last) {
        (Voucher::Meter, ReadingStatus::Corrected, _) => Err(Error::NoEvidence),
        (Voucher::Operator(_), ReadingStatus::Substituted, Some(Posted { substituted: false, .. })) => {
            Err(Error::AlreadyRead(reading.meter))
        }
        // A meter that was silent may still say what it measured.
        (
            Voucher::Meter,
            ReadingStatus::Measured | ReadingStatus::Interrupted,
            None | Some(Posted { substituted: true, .. }),
        )
        | (Voucher::Evidence(_), ReadingStatus::Corrected, Some(_))
        | (Voucher::Operator(_), ReadingStatus::Substituted, _) => Ok(()),
        _ => Err(Error::WrongStatus),
    }
}

pub(super) fn check_signature(ctx: &Context, signed: &SignedReading, voucher: Voucher) -> Result<(), Error> {
    let meter = signed.reading.meter;
    let wrong = match voucher {
        Voucher::Meter | Voucher::Evidence(_) => Error::WrongMeterKey(meter),
        Voucher::Operator(key) => {
            let binding = registry::binding(&ctx.state, &key, ctx.env.now);
            let owner = binding.filter(|binding| binding.scopes & scopes::OWNER != 0);
            let named = super::market(&ctx.state, signed.reading.market)?.meter_operator;
            let entity = owner.filter(|owner| owner.entity == named);
            let entity = entity.and_then(|owner| registry::entity(&ctx.state, owner.entity).ok());
            if entity.is_none_or(|entity| entity.suspended) {
                return Err(Error::NoMeterOperator(key));
            }
            Error::WrongOperatorKey(meter)
        }
    };
    if ctx.verifier.verify(&signed.statement(&ctx.env.genesis)) { Ok(()) } else { Err(wrong) }
}

/// Store the slot's record; when no reading is missing the wait for readings is over.
fn conclude(ctx: &mut Context, live: &mut Live) {
    if live.slot.state == SlotState::Metering && live.slot.unread == 0 {
        let now = ctx.env.now;
        slots::set_due(ctx, live, Some(now));
    } else {
        SLOTS.put(&mut ctx.state, &live.at, &live.slot);
    }
}

/// A connection cannot have moved more than its capacity since its last measured reading that settled: a meter key that
/// is lost must not empty the retailer. Substitutes do not count: they assume next to nothing, and a meter that was
/// silent for a day must not be refused for what it moved meanwhile.
pub(super) fn check_plausible(
    live: &Live,
    reading: &Reading,
    before: &Registers,
    p_max_w: u32,
) -> Result<(), Error> {
    let slots = reading.slot.since(before.read_to).map_or(0, |span| u64::from(span.count()) + 1);
    let per_slot = live.terms.capacity(p_max_w).wh();
    let most = Energy::from_wh(per_slot.saturating_mul(slots));
    let moved = (reading.import_wh.saturating_sub(before.read.0))
        .max(reading.export_wh.saturating_sub(before.read.1));
    if moved > most {
        return Err(Error::ImplausibleReading { meter: reading.meter, most });
    }
    Ok(())
}

/// First readings while they are awaited, substitutes when the meters' own time is over, corrections until the time for
/// objections is over (section 2: once), also if the slot must wait for its settlement.
fn check_phase(ctx: &Context, live: &Live, reading: &Reading, voucher: Voucher) -> Result<(), Error> {
    if live.slot.state == SlotState::Metering && matches!(voucher, Voucher::Operator(_)) {
        return Err(Error::SubstituteTooEarly(live.at.1));
    }
    let open = match live.slot.state {
        SlotState::Metering | SlotState::Voting => true,
        SlotState::Payable => {
            reading.status == ReadingStatus::Corrected && live.slot.round != super::lists::DISPUTE_ROUND
        }
        _ => false,
    };
    if !open {
        return Err(Error::NotMetering { slot: live.at.1 });
    }
    let until = slots::objections_end(live);
    if live.slot.state == SlotState::Payable && ctx.env.now >= until && slots::is_window_over(ctx, live) {
        return Err(Error::ObjectionsOver { slot: live.at.1, until });
    }
    Ok(())
}

/// Append an accepted reading to the working set, the stage's tree and the archive.
fn append(ctx: &mut Context, live: &mut Live, sheet: &mut Sheet, index: usize, signed: &SignedReading) {
    let reading = &signed.reading;
    let readings = &mut sheet.readings;
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
        substituted: reading.status == ReadingStatus::Substituted,
    });
    follow_registers(&mut sheet.registers[index], reading, replaced);
    let leaf = signed.encode();
    let number = live.slot.readings.push(&leaf);
    ctx.archive(leaves::single(live.at, Stage::Execution, number, leaf));
    ctx.archive(ArchiveEntry::reading(live.at, signed));
    announce(ctx, reading);
}

pub(super) fn announce(ctx: &mut Context, reading: &Reading) {
    let Reading { market, slot, meter, revision, .. } = *reading;
    ctx.emit(Event::ReadingPosted { market, slot, meter, revision });
}

/// Registers only rise, unless the reading that raised them is the one that this reading corrects: kept, a wrong value
/// would refuse the meter's next readings, and the next substitute would build on it. Once the meter has read a later slot,
/// it is that reading which raised them.
fn follow_registers(own: &mut Registers, reading: &Reading, replaced: Option<(Energy, Energy)>) {
    let replaced = replaced.filter(|_| own.measured_in.is_none_or(|last| last <= reading.slot));
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
        own.measured_in = own.measured_in.max(Some(reading.slot));
    }
}

/// Put a substitute in the place of every missing reading: no export, import as bought (trued up later).
pub(super) fn substitute(ctx: &mut Context, live: &mut Live, bought: impl Fn(MeterId) -> Energy) {
    let all = meters::meters_of(&ctx.state, live);
    for (page, of_page) in (0u32..).zip(all.chunks(METERS_PER_PAGE as usize)) {
        let mut sheet = Sheet::load(&ctx.state, live.at, page);
        let missing: Vec<usize> = (0..of_page.len()).filter(|index| sheet.last(*index).is_none()).collect();
        for index in &missing {
            let reading = substitute_of(live, of_page[*index], &sheet.registers[*index], &bought);
            let signed = SignedReading {
                reading,
                key: AccountId::ZERO,
                signature: Signature([0; 64]),
                evidence: None,
            };
            append(ctx, live, &mut sheet, *index, &signed);
        }
        if !missing.is_empty() {
            sheet.store(&mut ctx.state, live.at);
        }
    }
}

fn substitute_of(
    live: &Live,
    meter: MeterId,
    own: &Registers,
    bought: impl Fn(MeterId) -> Energy,
) -> Reading {
    let assumed = (own.assumed.0.max(own.certified.0), own.assumed.1.max(own.certified.1));
    Reading {
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
    }
}
