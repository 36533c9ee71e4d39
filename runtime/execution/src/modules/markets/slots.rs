//! The state machine of a slot (MARKET section 2), driven by the agenda.
//!
//! A trigger fires in the first block whose time reaches it, before that block's extrinsics; what an extrinsic
//! completes (the last signature, the last reading) moves on at the end of the same block. A market takes at
//! most one heavy step (reveals' end, clear, cancel trades, settle, refunds) a block; the rest stays in the agenda, which is the queue.

use super::money::release_all;
use super::{
    AGENDA, At, BOOK, Elector, Event, Live, MARKETS, METERS_OF, PINNED, Pinned, SLOTS, SlotRecord, SlotState,
    VoidReason,
};
use super::{
    agreement, clearing, confirm, continuous, deposits, lists, records, refunds, rules, sealed, settle,
    standing, terms,
};
use crate::context::Context;
use crate::modules::attestation;
use crate::modules::registry::{roll, validators};
use crate::storage::Due;
use contract_interface::{Stage, Terms};
use runtime_primitives::limits::{AGENDA_STEPS_MAX, PEOPLE_WINDOW_BLOCKS_MIN};
use runtime_primitives::{EntityId, Gas, Hash, MarketId, MerkleAccumulator, Seq, Slot, SlotCount, Timestamp};
use runtime_state::Overlay;
use std::collections::BTreeSet;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Book-keeping.
    Light,
    /// Ran a rule, or a page of a long list: the market's one step of this block.
    Heavy,
    /// Nothing yet: no gas or no opening left in this block, or a window for people is still too short.
    Postponed,
}

/// Work off what is due. `stepped` holds the markets that had their heavy step in this block.
pub fn run_due(ctx: &mut Context, stepped: &mut BTreeSet<MarketId>) {
    let mut after = None;
    ctx.agenda_from = None;
    for _ in 0..AGENDA_STEPS_MAX {
        // Entries that were used up stay in the overlay until the block ends, and walking over them adds up.
        let next = match ctx.agenda_from {
            Some(from) if after.is_none_or(|after| after < from) => AGENDA.first(&ctx.state, from),
            _ => AGENDA.next(&ctx.state, after),
        };
        let Some(due) = next else { break };
        if due.time_ms > ctx.env.now.ms() {
            break;
        }
        ctx.agenda_from = Some(due);
        let heavy = stepped.contains(&due.market) && is_heavy(&ctx.state, (due.market, due.slot));
        let step = if heavy { Step::Postponed } else { step(ctx, due) };
        match step {
            Step::Light => {}
            Step::Heavy => _ = stepped.insert(due.market),
            Step::Postponed => after = Some(due),
        }
    }
}

/// When something is due next; blocks before that are needed only for extrinsics.
pub fn next_due(state: &Overlay) -> Option<Timestamp> {
    let slot = AGENDA.next(state, None).map(|due| Timestamp::from_ms(due.time_ms));
    slot.into_iter().chain(standing::next_due(state)).min()
}

fn is_heavy(state: &Overlay, at: At) -> bool {
    let heavy = [SlotState::Revealing, SlotState::Clearing, SlotState::Payable, SlotState::Settled];
    let cancels = |slot: &SlotRecord| slot.state == SlotState::Proposed && slot.pending.max(slot.closed) > 0;
    SLOTS.get(state, &at).is_some_and(|slot| heavy.contains(&slot.state) || cancels(&slot))
}

fn step(ctx: &mut Context, due: Due) -> Step {
    let at = (due.market, due.slot);
    let Some(slot) = SLOTS.get(&ctx.state, &at) else {
        let Some(left) = ctx.openings_left.checked_sub(1) else { return Step::Postponed };
        ctx.openings_left = left;
        AGENDA.remove(&mut ctx.state, due);
        open(ctx, at);
        return Step::Light;
    };
    let terms = terms(&ctx.state, &slot.terms);
    let mut live = Live { at, slot, terms };
    // The entry is used up before the step: the next trigger may be due at the very same time.
    AGENDA.remove(&mut ctx.state, due);
    live.slot.due = None;
    let step = advance(ctx, &mut live);
    if step == Step::Postponed {
        AGENDA.insert(&mut ctx.state, due);
    }
    step
}

fn advance(ctx: &mut Context, live: &mut Live) -> Step {
    let state = live.slot.state;
    let window_over = is_window_over(ctx, live);
    let is_late = ctx.env.now >= live.terms.delivery_start(live.at.1);
    match state {
        SlotState::Open if is_batch_due(ctx, live, window_over) => {
            return continuous::clear_open(ctx, live, gate(live));
        }
        SlotState::Open if !window_over => return Step::Postponed,
        SlotState::Open if is_late => void(ctx, live, VoidReason::TooLate),
        SlotState::Open if live.slot.sealed > 0 => sealed::open(ctx, live),
        SlotState::Open => clearing::close_gate(ctx, live),
        SlotState::Revealing if live.slot.sealed > 0 && !window_over => return Step::Postponed,
        SlotState::Revealing => return sealed::close(ctx, live),
        // Nobody could certify the trades any more, so nobody pays for not confirming them.
        SlotState::Clearing | SlotState::Proposed if is_late => void(ctx, live, VoidReason::TooLate),
        SlotState::Clearing => return clearing::clear(ctx, live),
        SlotState::Proposed if live.slot.pending > 0 && !window_over => return Step::Postponed,
        SlotState::Proposed => return confirm::close(ctx, live),
        SlotState::Confirmed => certify(ctx, live),
        SlotState::Certified => {
            let end = live.terms.delivery_end(live.at.1);
            enter(ctx, live, SlotState::Delivering, Some(end));
        }
        SlotState::Delivering | SlotState::Void => await_readings(ctx, live),
        SlotState::Metering => lists::open_vote(ctx, live),
        SlotState::Voting if live.slot.chosen.is_some() => lists::close_vote(ctx, live),
        SlotState::Voting if !window_over => return Step::Postponed,
        SlotState::Voting => lists::dispute(ctx, live),
        SlotState::Disputed if live.slot.chosen.is_none() && !window_over => return Step::Postponed,
        SlotState::Disputed => lists::close_dispute(ctx, live),
        SlotState::Payable if live.slot.round != lists::DISPUTE_ROUND && !window_over => {
            return Step::Postponed;
        }
        SlotState::Payable => return settle::step(ctx, live),
        SlotState::Settled => return refunds::step(ctx, live),
    }
    Step::Light
}

/// Whether people have had the blocks that every window of theirs contains, however late the slot came into its state.
pub(super) fn is_window_over(ctx: &Context, live: &Live) -> bool {
    ctx.env.height.number() - live.slot.entered_height >= PEOPLE_WINDOW_BLOCKS_MIN
}

/// When the time for objections to a slot's readings ends, if its vote was over by then.
pub(super) fn objections_end(live: &Live) -> Timestamp {
    let window = u64::from(live.terms.windows.objection_s) * 1_000;
    live.terms.delivery_end(live.at.1).plus_ms(window)
}

fn open(ctx: &mut Context, at: At) {
    let mut market = super::market(&ctx.state, at.0).expect("the agenda names markets that exist");
    agreement::lapse(ctx, &mut market, at);
    let terms_hash = market.governing(at.1).expect("a market that runs has agreed terms").terms;
    let terms = terms(&ctx.state, &terms_hash);
    market.next_slot = after(at.1);
    MARKETS.put(&mut ctx.state, &at.0, &market);
    schedule(ctx, opening(&terms, (at.0, market.next_slot)));
    pin(ctx, at);
    let meters = clearing::count(METERS_OF.get_or_default(&ctx.state, &at.0).len());
    let slot = SlotRecord {
        state: SlotState::Open,
        terms: terms_hash,
        due: None,
        entered_at: ctx.env.now,
        entered_height: ctx.env.height.number(),
        void: None,
        next_seq: Seq::ZERO,
        orders: 0,
        sealed: 0,
        minimums: 0,
        swept: Seq::ZERO,
        trades: 0,
        pending: 0,
        closed: 0,
        cleared_by: Hash::ZERO,
        clear_gas: Gas::ZERO,
        fallback: false,
        meters,
        unread: meters,
        readings: MerkleAccumulator::default(),
        round: 0,
        chosen: None,
        waiting: false,
    };
    let mut live = Live { at, slot, terms };
    let gate = gate(&live);
    enter(ctx, &mut live, SlotState::Open, Some(gate));
    deposits::prefund(ctx, at, &market, &live.terms);
    standing::slot_opened(ctx, at);
}

/// When the slot's gate closes.
fn gate(live: &Live) -> Timestamp {
    let before = u64::from(live.terms.windows.gate_before_s) * 1_000;
    live.terms.delivery_start(live.at.1).minus_ms(before)
}

/// Whether an open slot clears a batch now. Once the gate is due, what still waits is cleared behind it.
fn is_batch_due(ctx: &Context, live: &Live, window_over: bool) -> bool {
    let takes_orders = !window_over || ctx.env.now < gate(live);
    takes_orders && rules::is_continuous(&ctx.state, &live.terms) && continuous::is_waiting(&ctx.state, live)
}

/// The agenda entry that opens a slot.
pub(super) fn opening(terms: &Terms, at: At) -> Due {
    let before = u64::from(terms.windows.open_before_s) * 1_000;
    let time = terms.delivery_start(at.1).minus_ms(before);
    Due { time_ms: time.ms(), market: at.0, slot: at.1 }
}

fn pin(ctx: &mut Context, at: At) {
    let electors = validators::current(&ctx.state).into_iter().map(|validator| Elector {
        entity: validator.entity,
        key: validator.session_key,
        proxy: None,
    });
    let pinned = Pinned {
        epoch: validators::epoch(&ctx.state),
        validators: electors.collect(),
        roll: roll::hold(&mut ctx.state),
    };
    PINNED.put(&mut ctx.state, &at, &pinned);
}

/// What was pinned when the slot opened.
///
/// # Panics
/// After the slot is settled: the pins live as long as its working set.
pub fn pinned(state: &Overlay, at: At) -> Pinned {
    PINNED.get(state, &at).expect("pins live as long as the working set")
}

/// Drop what was pinned.
pub(super) fn unpin(state: &mut Overlay, at: At) {
    let edition = pinned(state, at).roll;
    PINNED.remove(state, &at);
    roll::release(state, edition);
}

fn certify(ctx: &mut Context, live: &mut Live) {
    let expected = attestation::expected(&ctx.state, live.at, Stage::Authentication);
    let passed = attestation::passed(&ctx.state, live.at, Stage::Authentication, 0, &expected);
    if !passed {
        void(ctx, live, VoidReason::NotCertified);
        return;
    }
    let votes = attestation::votes(&ctx.state, live.at, Stage::Authentication, 0);
    records::record(ctx, live.at, Stage::Authentication, votes.root(), votes.len());
    let start = live.terms.delivery_start(live.at.1);
    enter(ctx, live, SlotState::Certified, Some(start));
}

fn await_readings(ctx: &mut Context, live: &mut Live) {
    let end = live.terms.delivery_end(live.at.1);
    let readings = u64::from(live.terms.windows.readings_s) * 1_000;
    let due = if live.slot.unread == 0 { ctx.env.now } else { end.plus_ms(readings) };
    enter(ctx, live, SlotState::Metering, Some(due));
}

/// The slot's trades are void: every hold is released; meters still run.
pub fn void(ctx: &mut Context, live: &mut Live, reason: VoidReason) {
    for entity in holders(ctx, live) {
        release_all(ctx, live.at, entity);
    }
    live.slot.void = Some(reason);
    let (market, slot) = live.at;
    ctx.emit(Event::SlotVoid { market, slot, reason });
    let end = live.terms.delivery_end(live.at.1);
    enter(ctx, live, SlotState::Void, Some(end));
}

/// Entities that placed orders in a slot, cancelled ones included, ascending.
pub(super) fn holders(ctx: &Context, live: &Live) -> BTreeSet<EntityId> {
    let places = BOOK.load(&ctx.state, live.at, live.slot.next_seq.number());
    places.iter().map(|entry| entry.order.entity).collect()
}

/// Move a slot to `state`, with its next trigger.
pub fn enter(ctx: &mut Context, live: &mut Live, state: SlotState, due: Option<Timestamp>) {
    live.slot.state = state;
    live.slot.entered_at = ctx.env.now;
    live.slot.entered_height = ctx.env.height.number();
    set_due(ctx, live, due);
    ctx.emit(Event::SlotMoved { market: live.at.0, slot: live.at.1, state });
}

/// Change a slot's trigger and store its record.
pub fn set_due(ctx: &mut Context, live: &mut Live, due: Option<Timestamp>) {
    let entry = |time: Timestamp| Due { time_ms: time.ms(), market: live.at.0, slot: live.at.1 };
    if let Some(old) = live.slot.due {
        AGENDA.remove(&mut ctx.state, entry(old));
    }
    if let Some(new) = due {
        schedule(ctx, entry(new));
    }
    live.slot.due = due;
    SLOTS.put(&mut ctx.state, &live.at, &live.slot);
}

fn schedule(ctx: &mut Context, due: Due) {
    AGENDA.insert(&mut ctx.state, due);
    ctx.agenda_from = ctx.agenda_from.map(|from| from.min(due));
}

/// The slot after `slot`.
///
/// # Panics
/// At the last slot number, 2³² − 1.
pub fn after(slot: Slot) -> Slot {
    slot.checked_add(SlotCount::from_count(1)).expect("fewer than 2^32 slots")
}

/// The slot before, unless this is the market's first.
pub(super) fn predecessor(first: Slot, slot: Slot) -> Option<Slot> {
    slot.since(first).filter(|distance| !distance.is_zero())?;
    slot.number().checked_sub(1).map(Slot::from_number)
}
