//! Sealed orders: committed to before the gate, revealed after it, and only then in the book.
//!
//! A commitment takes a place in the order of arrival and a flat deposit that tells nothing of the order. Whoever does not
//! reveal, or cannot cover what it revealed, loses the deposit to the pool: without a price, not revealing would be
//! an option on the others' orders. The last one to reveal still sees the others; only the deposit binds it. Nobody can
//! count sealed minimum fills, so more are revealed than a clearing takes: then those of the first places take part, and the
//! others' holds are released as of orders that found no counterparty.

use super::money::{pool_account, release};
use super::slots::{self, Step};
use super::{
    At, BOOK, BookEntry, ENTITY_SLOTS, Error, Event, FUNDINGS, Forfeit, Live, SEALED, SLOTS, SealState,
    SealedEntry, SlotState, VoidReason, clearing, deposits, live, orders,
};
use crate::archive::{ArchiveEntry, CommitRecord};
use crate::context::Context;
use crate::modules::balances;
use crate::modules::registry;
use crate::origin::Origin;
use contract_interface::{Order, OrderRequest, Side, TransferRecord, kinds, seal};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::limits::SWEPT_PAGES_MAX;
use runtime_primitives::{Energy, EntityId, Hash, MarketId, MeterId, Price, Seq, Slot, Timestamp};
use scale_info::TypeInfo;

/// What a trader signs before the gate.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Commitment {
    /// Market.
    pub market: MarketId,
    /// Delivery slot.
    pub slot: Slot,
    /// Hash of the terms the trader read.
    pub terms: Hash,
    /// Connection of the order: the deposit is for its capacity.
    pub meter: MeterId,
    /// See [`seal`].
    pub commitment: Hash,
    /// Last block time at which the commitment may be admitted.
    pub valid_until: Timestamp,
}

/// Commit to an order: it gets the place that it will have in the book.
///
/// # Errors
/// One per rule; see [`Error`].
pub fn commit(ctx: &mut Context, origin: &Origin, commit: &Commitment) -> Result<Seq, crate::DispatchError> {
    let bidder = orders::Bidder::of(ctx, origin)?;
    let id = bidder.entity;
    let at = (commit.market, commit.slot);
    let mut live = live(&ctx.state, at)?;
    orders::ensure_open(&live)?;
    if !live.terms.is_sealed() {
        return Err(Error::OpenSlot(at.1).into());
    }
    let seq = orders::next_place(&live)?;
    let entity = orders::trader(ctx, id)?;
    let meter = orders::own_meter(ctx, &live, commit.meter, id)?;
    let standing = ENTITY_SLOTS.get(&ctx.state, &(at.0, at.1, id));
    orders::check_validity(ctx, &live, commit.terms, commit.valid_until)?;
    orders::check_counts(&live, standing.as_ref())?;
    let deposit = live.terms.seal_deposit(meter.p_max_w);
    bidder.may_hold(deposit, standing.as_ref())?;
    deposits::require(ctx, at.0, &live.terms, id)?;
    orders::reserve(ctx, &entity, deposit)?;
    let record = CommitRecord {
        seq,
        entity: id,
        meter: commit.meter,
        commitment: commit.commitment,
        deposit,
        account: entity.owner,
        authorised_by: ctx.extrinsic,
        spends: FUNDINGS.get_or_default(&ctx.state, &entity.owner),
    };
    ctx.archive(ArchiveEntry::commit(at, &record));
    BOOK.push(&mut ctx.state, at, seq.number(), &empty_place(&record));
    let entry = SealedEntry {
        entity: id,
        meter: commit.meter,
        commitment: commit.commitment,
        deposit,
        authorised_by: ctx.extrinsic,
        record: record.hash(),
        state: SealState::Sealed,
    };
    SEALED.push(&mut ctx.state, at, seq.number(), &entry);
    ENTITY_SLOTS.put(&mut ctx.state, &(at.0, at.1, id), &orders::stand(deposit, standing));
    live.slot.next_seq = seq.next();
    live.slot.orders += 1;
    live.slot.sealed += 1;
    SLOTS.put(&mut ctx.state, &at, &live.slot);
    ctx.emit(Event::OrderSealed { market: at.0, slot: at.1, seq, entity: id, deposit });
    Ok(seq)
}

/// What the book has at the place of an order that nobody knows: one of no energy, as a cancelled one.
const fn empty_place(record: &CommitRecord) -> BookEntry {
    let order = Order {
        seq: record.seq,
        entity: record.entity,
        meter: record.meter,
        side: Side::Buy,
        energy: Energy::ZERO,
        min_energy: Energy::ZERO,
        price: Price::ZERO,
        flags: 0,
        partner: EntityId::ZERO,
    };
    BookEntry { order, authorised_by: record.authorised_by, hold: Hash::ZERO }
}

/// The entity's own commitment at `seq`, still sealed.
fn own(ctx: &Context, at: At, entity: EntityId, seq: Seq) -> Result<SealedEntry, Error> {
    let entry = SEALED.get(&ctx.state, at, seq.number()).ok_or(Error::UnknownOrder(seq))?;
    if entry.entity != entity {
        return Err(Error::ForeignOrder { seq, owner: entry.entity });
    }
    match entry.state {
        SealState::Sealed => Ok(entry),
        SealState::Revealed => Err(Error::AlreadyRevealed(seq)),
        SealState::Withdrawn | SealState::Forfeited => Err(Error::UnknownOrder(seq)),
    }
}

/// Withdraw a commitment before the gate; the caller stores the slot.
pub(super) fn withdraw(ctx: &mut Context, live: &mut Live, entity: EntityId, seq: Seq) -> Result<(), Error> {
    let entry = own(ctx, live.at, entity, seq)?;
    unseal(ctx, live, seq, &entry, SealState::Withdrawn);
    Ok(())
}

/// End a commitment: its deposit is released and it counts no longer; its place stays.
fn unseal(ctx: &mut Context, live: &mut Live, seq: Seq, entry: &SealedEntry, state: SealState) {
    let at = live.at;
    release(ctx, at, entry.entity, entry.deposit);
    let key = (at.0, at.1, entry.entity);
    let mut standing = ENTITY_SLOTS.get(&ctx.state, &key).expect("who committed has a record");
    standing.orders -= 1;
    if state == SealState::Revealed {
        // The order takes the place again.
        standing.places -= 1;
    }
    ENTITY_SLOTS.put(&mut ctx.state, &key, &standing);
    SEALED.set(&mut ctx.state, at, seq.number(), &SealedEntry { state, ..entry.clone() });
    live.slot.orders -= 1;
    live.slot.sealed -= 1;
}

/// The gate has closed on sealed orders.
pub(super) fn open(ctx: &mut Context, live: &mut Live) {
    let windows = live.terms.windows;
    let gate = live.terms.delivery_start(live.at.1).minus_ms(u64::from(windows.gate_before_s) * 1_000);
    let due = gate.plus_ms(u64::from(windows.reveal_s) * 1_000);
    slots::enter(ctx, live, SlotState::Revealing, Some(due));
}

/// Reveal an order. It enters the book at its commitment's place if it could have been placed; its deposit becomes its
/// hold. If its owner cannot cover the hold, the deposit is lost instead and the call succeeds.
///
/// # Errors
/// One per rule; see [`Error`]. The order stays sealed then and may be revealed again.
pub fn reveal(
    ctx: &mut Context,
    origin: &Origin,
    seq: Seq,
    request: OrderRequest,
    salt: &[u8; 32],
) -> Result<(), crate::DispatchError> {
    let bidder = orders::Bidder::of(ctx, origin)?;
    let entity = bidder.entity;
    let at = (request.market, request.slot);
    let mut live = live(&ctx.state, at)?;
    if live.slot.state != SlotState::Revealing {
        return Err(Error::NotRevealing { slot: at.1, state: live.slot.state }.into());
    }
    let sealed = own(ctx, at, entity, seq)?;
    let (committed, revealed) = (sealed.commitment, seal(&ctx.env.genesis, &request, salt, entity));
    if committed != revealed {
        return Err(Error::SealMismatch { committed, revealed }.into());
    }
    if request.meter != sealed.meter {
        return Err(Error::SealedMeter { committed: sealed.meter, revealed: request.meter }.into());
    }
    unseal(ctx, &mut live, seq, &sealed, SealState::Revealed);
    match ctx.transactional(|ctx| orders::enter(ctx, &mut live, &bidder, &request, seq)) {
        Ok((entry, hold)) => {
            BOOK.set(&mut ctx.state, at, seq.number(), &entry);
            ctx.emit(Event::OrderRevealed { market: at.0, slot: at.1, seq, hold });
        }
        Err(crate::DispatchError::Markets(Error::InsufficientFunds { .. })) => {
            forfeit(ctx, at, seq, sealed, Forfeit::Insolvent);
        }
        Err(refused) => return Err(refused),
    }
    if live.slot.sealed == 0 {
        let now = ctx.env.now;
        slots::set_due(ctx, &mut live, Some(now));
    } else {
        SLOTS.put(&mut ctx.state, &at, &live.slot);
    }
    Ok(())
}

/// The deposit of a commitment that has ended goes to the pool. It was released a moment ago, so it is there.
fn forfeit(ctx: &mut Context, at: At, seq: Seq, entry: SealedEntry, reason: Forfeit) {
    let payer = registry::entity(&ctx.state, entry.entity).expect("who committed is registered").owner;
    let record = TransferRecord {
        slot: Some(at),
        payer,
        payee: pool_account(at.0),
        amount: entry.deposit,
        kind: kinds::FORFEIT,
        trade: None,
        meter: Some(entry.meter),
        spends: entry.record,
        authorised_by: entry.authorised_by,
    };
    if !record.amount.is_zero() {
        balances::transfer(ctx, &record).expect("the deposit was just released");
    }
    let deposit = entry.deposit;
    SEALED.set(&mut ctx.state, at, seq.number(), &SealedEntry { state: SealState::Forfeited, ..entry });
    ctx.emit(Event::SealForfeited { market: at.0, slot: at.1, seq, deposit, reason });
}

/// The time to reveal is over: what is still sealed is lost, some pages a block; then the book is final. After an outage
/// into delivery nobody loses anything.
pub(super) fn close(ctx: &mut Context, live: &mut Live) -> Step {
    if ctx.env.now >= live.terms.delivery_start(live.at.1) {
        slots::void(ctx, live, VoidReason::TooLate);
        return Step::Light;
    }
    if live.slot.sealed == 0 {
        clearing::close_gate(ctx, live);
        return Step::Light;
    }
    for _ in 0..SWEPT_PAGES_MAX {
        sweep_page(ctx, live);
    }
    if live.slot.sealed > 0 {
        let now = ctx.env.now;
        slots::set_due(ctx, live, Some(now));
    } else {
        clearing::close_gate(ctx, live);
    }
    Step::Heavy
}

/// Forfeit what is sealed in the page where the sweep stands.
fn sweep_page(ctx: &mut Context, live: &mut Live) {
    for entry in SEALED.rest_of_page(&ctx.state, live.at, live.slot.swept.number()) {
        let seq = live.slot.swept;
        live.slot.swept = seq.next();
        if entry.state == SealState::Sealed {
            unseal(ctx, live, seq, &entry, SealState::Forfeited);
            forfeit(ctx, live.at, seq, entry, Forfeit::NotRevealed);
        }
    }
}
