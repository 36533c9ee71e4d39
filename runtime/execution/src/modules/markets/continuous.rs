//! The continuous book of a slot: orders and cancellations queue, and each block clears them as one batch.
//!
//! Fills stay held; what is withdrawn is released. A batch that does not fit a block waits with everything behind it:
//! operations are never reordered, and none is cleared twice.

use super::batch::{Batch, BatchRecord, Change, Place, PlaceKind, changes, input_root, ops_of};
use super::money::{can_step, release, step_fee};
use super::slots::{self, Step};
use super::{
    At, BOOK, BookEntry, ClearFailure, ENTITY_SLOTS, Error, Event, Live, SLOTS, SlotState, VoidReason,
    clearing, rules,
};
use crate::archive::{ArchiveEntry, ClearingRecord};
use crate::context::Context;
use crate::referee::{self, ClearingFault};
use crate::storage::{Map, Paged, storage};
use contract_interface::{Clearing, Op, Order};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::{CLEAR_GAS_MAX, ORDERS_PER_PAGE};
use runtime_primitives::{Energy, EntityId, Gas, Hash, MeterId, Money, Seq, Timestamp, blake2_256};
use runtime_state::Overlay;
use scale_info::TypeInfo;
use std::collections::BTreeMap;

storage! {
    "Markets":
    /// Places of continuous books, beside [`BOOK`].
    pub static PLACES: Paged<Place> = "Places";
    /// Batches of live continuous slots.
    pub static BATCHES: Paged<BatchRecord> = "Batches";
    /// How far live continuous slots are cleared.
    pub static QUEUES: Map<At, Queue> = "Queues";
}

/// How far a continuous slot is cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Queue {
    /// Batches so far.
    pub batches: u32,
    /// The operations before this one are cleared.
    pub cleared: Seq,
    /// Places of cancellations so far.
    pub cancellations: u32,
    /// Whether the pinned rule failed on the next batch and the fallback is due.
    pub fallback: bool,
}

/// How far a slot is cleared.
pub fn queue(state: &Overlay, at: At) -> Queue {
    QUEUES.get_or_default(state, &at)
}

/// Whether operations wait for their batch.
pub fn is_waiting(state: &Overlay, live: &Live) -> bool {
    queue(state, live.at).cleared < live.slot.next_seq
}

/// The place of the next order. Cancellations have places beside the orders', at most one for each, so that nobody is
/// caught in a full slot.
///
/// # Errors
/// [`Error::SlotFull`].
pub fn next_place(state: &Overlay, live: &Live) -> Result<Seq, Error> {
    let limit = live.terms.limits.orders_per_slot;
    let orders = live.slot.next_seq.number() - queue(state, live.at).cancellations;
    if orders >= limit {
        return Err(Error::SlotFull(limit));
    }
    Ok(live.slot.next_seq)
}

/// Give an order that is in the book its place. The caller stores the slot.
pub fn enqueue(ctx: &mut Context, live: &mut Live, order: &Order) {
    let place = Place { kind: PlaceKind::Order, order: order.seq, remaining: order.energy };
    PLACES.push(&mut ctx.state, live.at, order.seq.number(), &place);
    wake(ctx, live);
}

/// Queue the withdrawal of what will be open of an order when the withdrawal's turn comes. An order has at most one.
///
/// # Errors
/// Nothing open, foreign order, or already being withdrawn.
pub fn cancel(ctx: &mut Context, live: &mut Live, entity: EntityId, target: Seq) -> Result<(), Error> {
    let at = live.at;
    let place = PLACES.get(&ctx.state, at, target.number()).ok_or(Error::UnknownOrder(target))?;
    let entry = BOOK.get(&ctx.state, at, target.number()).ok_or(Error::UnknownOrder(target))?;
    if place.kind == PlaceKind::Cancellation || place.remaining.is_zero() {
        return Err(Error::UnknownOrder(target));
    }
    if entry.order.entity != entity {
        return Err(Error::ForeignOrder { seq: target, owner: entry.order.entity });
    }
    if place.kind == PlaceKind::Leaving {
        return Err(Error::AlreadyLeaving(target));
    }
    PLACES.set(&mut ctx.state, at, target.number(), &Place { kind: PlaceKind::Leaving, ..place });
    let seq = live.slot.next_seq;
    // No energy: it is no order, as everywhere in the book.
    let order = Order { seq, energy: Energy::ZERO, ..entry.order };
    let withdrawal = BookEntry { order, authorised_by: ctx.extrinsic, hold: entry.hold };
    BOOK.push(&mut ctx.state, at, seq.number(), &withdrawal);
    let place = Place { kind: PlaceKind::Cancellation, order: target, remaining: Energy::ZERO };
    PLACES.push(&mut ctx.state, at, seq.number(), &place);
    let mut queue = queue(&ctx.state, at);
    queue.cancellations += 1;
    QUEUES.put(&mut ctx.state, &at, &queue);
    stand_down(ctx, at, entity, &Leave { orders: 1, ..Leave::default() });
    live.slot.orders -= 1;
    live.slot.next_seq = seq.next();
    wake(ctx, live);
    SLOTS.put(&mut ctx.state, &at, &live.slot);
    ctx.emit(Event::CancellationQueued { market: at.0, slot: at.1, seq, order: target });
    Ok(())
}

/// The batch is due in this block.
fn wake(ctx: &mut Context, live: &mut Live) {
    let now = ctx.env.now;
    if live.slot.due.is_none_or(|due| due > now) {
        slots::set_due(ctx, live, Some(now));
    }
}

/// Clear what waits in an open slot, whose next trigger is then the gate.
pub fn clear_open(ctx: &mut Context, live: &mut Live, gate: Timestamp) -> Step {
    let step = clear_batch(ctx, live);
    if step != Step::Postponed && live.slot.state == SlotState::Open {
        let due = if is_waiting(&ctx.state, live) { ctx.env.now } else { gate };
        slots::set_due(ctx, live, Some(due));
    }
    // Each batch pays for itself out of the block's gas; a market may clear several slots in a block.
    if step == Step::Heavy { Step::Light } else { step }
}

/// After the gate: clear what still waits, then ask both sides of every trade.
pub fn clear(ctx: &mut Context, live: &mut Live) -> Step {
    if !is_waiting(&ctx.state, live) {
        propose(ctx, live);
        return Step::Light;
    }
    let step = clear_batch(ctx, live);
    if step != Step::Postponed && live.slot.state == SlotState::Clearing {
        let now = ctx.env.now;
        slots::set_due(ctx, live, Some(now));
    }
    step
}

/// The book of a slot: orders in it, with what is open, and what happened since the last batch.
struct Loaded {
    open: Vec<Order>,
    resting: Vec<Order>,
    ops: Vec<Op>,
}

impl Loaded {
    /// Reads the places before `end`, and of the book the pages in which something is open.
    fn read(state: &Overlay, live: &Live, cleared: Seq, end: Seq) -> Self {
        let mut loaded = Self { open: Vec::new(), resting: Vec::new(), ops: Vec::new() };
        for page in 0..end.number().div_ceil(ORDERS_PER_PAGE) {
            let first = page * ORDERS_PER_PAGE;
            let mut places = PLACES.rest_of_page(state, live.at, first);
            places.truncate((end.number() - first) as usize);
            let is_new = |index: u32| first + index >= cleared.number();
            let matters = |(index, place): (u32, &Place)| is_new(index) || !place.remaining.is_zero();
            if !(0u32..).zip(&places).any(matters) {
                continue;
            }
            let orders = BOOK.look_at_page(state, live.at, first, BookEntry::order_of);
            for ((index, mut order), place) in (0u32..).zip(orders).zip(&places) {
                if is_new(index) {
                    loaded.ops.push(place.op(order.seq, &order));
                }
                if !place.remaining.is_zero() {
                    order.energy = place.remaining;
                    if !is_new(index) {
                        loaded.resting.push(order);
                    }
                    loaded.open.push(order);
                }
            }
        }
        loaded
    }
}

/// All batches of a slot have at most as many trades as it may have orders: each trade should fill one.
fn check_room(live: &Live, clearing: &Clearing) -> Result<(), ClearingFault> {
    let orders = live.terms.limits.orders_per_slot;
    let trades = live.slot.trades.saturating_add(clearing::count(clearing.trades.len()));
    if trades > orders { Err(ClearingFault::TooManyTrades { trades, orders }) } else { Ok(()) }
}

fn clear_batch(ctx: &mut Context, live: &mut Live) -> Step {
    let most = Gas::from_units(CLEAR_GAS_MAX);
    if !can_step(&ctx.state, live.at, most) {
        slots::void(ctx, live, VoidReason::NoDeposit);
        return Step::Heavy;
    }
    if ctx.market_gas_left < most {
        return Step::Postponed;
    }
    let mut queue = queue(&ctx.state, live.at);
    let code = if queue.fallback { live.terms.fallback } else { live.terms.matching };
    let rule = rules::describe(ctx, &code).expect("described at registration");
    // A rule takes as many operations as orders.
    let most = queue.cleared.number().saturating_add(live.terms.limits.orders_per_slot);
    let end = live.slot.next_seq.min(Seq::from_number(most));
    let loaded = Loaded::read(&ctx.state, live, queue.cleared, end);
    let batch = Batch::readable(&rule, &loaded.resting, &loaded.ops);
    let params = live.terms.clear_params(live.at.0, live.at.1, queue.batches);
    let run = rules::clear(ctx, &code, &batch.input(&params));
    ctx.market_gas_left = ctx.market_gas_left.saturating_sub(run.gas);
    step_fee(ctx, live.at, run.gas);
    let checked = run.answer.map_err(ClearFailure::from).and_then(|clearing| {
        referee::check_batch(&batch.resting, &batch.ops, &clearing)
            .and_then(|()| check_room(live, &clearing))
            .map_err(ClearFailure::Refused)?;
        Ok(clearing)
    });
    let (market, slot) = live.at;
    match checked {
        Ok(clearing) => {
            let trades = clearing::count(clearing.trades.len());
            ctx.emit(Event::Cleared { market, slot, code, trades, gas: run.gas });
            let output = clearing.encode();
            let fallback = queue.fallback;
            let record = BatchRecord { end, fallback, gas: run.gas, output: blake2_256(&output) };
            BATCHES.push(&mut ctx.state, live.at, queue.batches, &record);
            // What rests follows from the batches before.
            let input = Batch { resting: Vec::new(), ..batch }.input(&params);
            let record = ClearingRecord { code, fallback, input, output, gas: run.gas };
            ctx.archive(ArchiveEntry::clearing(live.at, queue.batches, &record));
            live.slot.clear_gas =
                Gas::from_units(live.slot.clear_gas.units().saturating_add(run.gas.units()));
            live.slot.fallback |= fallback;
            live.slot.cleared_by = live.terms.matching;
            queue = Queue { batches: queue.batches + 1, cleared: end, fallback: false, ..queue };
            apply(ctx, live, &loaded, &clearing);
        }
        Err(failure) => {
            ctx.emit(Event::ClearingFailed { market, slot, code, failure });
            if queue.fallback {
                slots::void(ctx, live, VoidReason::NoClearing);
                return Step::Heavy;
            }
            queue.fallback = true;
        }
    }
    QUEUES.put(&mut ctx.state, &live.at, &queue);
    Step::Heavy
}

/// Note the trades, what is open now, and release what was withdrawn.
fn apply(ctx: &mut Context, live: &mut Live, loaded: &Loaded, clearing: &Clearing) {
    clearing::add_trades(ctx, live, &loaded.open, &clearing.trades);
    let changes = changes(&loaded.resting, &loaded.ops, clearing);
    let mut leaving: BTreeMap<EntityId, Leave> = BTreeMap::new();
    for page in changes.chunk_by(|a, b| page_of(a) == page_of(b)) {
        let first = page_of(&page[0]) * ORDERS_PER_PAGE;
        let mut places = PLACES.rest_of_page(&ctx.state, live.at, first);
        for change in page {
            let place = &mut places[(change.order.seq.number() - first) as usize];
            place.remaining = change.remaining;
            let leave = leaving.entry(change.order.entity).or_default();
            if change.remaining.is_zero() && place.kind == PlaceKind::Order {
                leave.orders += 1;
                live.slot.orders -= 1;
            }
            let Some(open) = change.withdrawn.filter(|open| !open.is_zero()) else { continue };
            let (market, slot, seq) = (live.at.0, live.at.1, change.order.seq);
            if place.kind == PlaceKind::Order {
                ctx.emit(Event::SelfTradePrevented { market, slot, seq });
            } else {
                ctx.emit(Event::OrderCancelled { market, slot, seq });
            }
            leave.energy.push((change.order.meter, open));
            let hold = live.terms.hold(change.order.side, change.order.price, open);
            leave.hold = leave.hold.saturating_add(hold);
        }
        PLACES.put_page(&mut ctx.state, live.at, first, &places);
    }
    for (entity, leave) in leaving {
        release(ctx, live.at, entity, leave.hold);
        stand_down(ctx, live.at, entity, &leave);
    }
}

const fn page_of(change: &Change) -> u32 {
    change.order.seq.number() / ORDERS_PER_PAGE
}

/// What an entity no longer has going in a slot.
#[derive(Default)]
struct Leave {
    orders: u32,
    energy: Vec<(MeterId, Energy)>,
    hold: Money,
}

fn stand_down(ctx: &mut Context, at: At, entity: EntityId, leave: &Leave) {
    if leave.orders == 0 && leave.energy.is_empty() {
        return;
    }
    let key = (at.0, at.1, entity);
    let mut standing = ENTITY_SLOTS.get(&ctx.state, &key).expect("an order's owner has a record");
    standing.orders -= leave.orders;
    for (meter, energy) in &leave.energy {
        let of_meter = standing.energy.iter_mut().find(|(id, _)| id == meter);
        let (_, standing) = of_meter.expect("an order's energy is in its owner's record");
        *standing = standing.saturating_sub(*energy);
    }
    ENTITY_SLOTS.put(&mut ctx.state, &key, &standing);
}

/// Release what is open and ask both sides of every trade.
fn propose(ctx: &mut Context, live: &mut Live) {
    let cleared = queue(&ctx.state, live.at).cleared;
    let loaded = Loaded::read(&ctx.state, live, cleared, cleared);
    clearing::release_open(ctx, live, &loaded.resting);
    live.slot.cleared_by = live.terms.matching;
    clearing::enter_proposed(ctx, live);
}

/// The entries and operations of a slot, in order: what stage 1 records.
pub fn operations(state: &Overlay, live: &Live) -> (Vec<BookEntry>, Vec<Op>) {
    let places = live.slot.next_seq.number();
    let entries = BOOK.load(state, live.at, places);
    let ops = ops_of(&entries, &PLACES.load(state, live.at, places));
    (entries, ops)
}

/// The batches of a slot, in order.
pub fn batches(state: &Overlay, at: At) -> Vec<BatchRecord> {
    BATCHES.load(state, at, queue(state, at).batches)
}

/// What validators sign that they ran a slot on.
pub fn claim_input(state: &Overlay, at: At, operations: &Hash) -> Hash {
    input_root(operations, &batches(state, at))
}

/// Drop the working set of a settled slot with so many places.
pub fn forget(state: &mut Overlay, at: At, places: u32) {
    let queue = queue(state, at);
    BATCHES.clear(state, at, queue.batches);
    PLACES.clear(state, at, places);
    QUEUES.remove(state, &at);
}
