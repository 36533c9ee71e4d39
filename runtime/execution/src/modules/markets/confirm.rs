//! Stage 2, second half: both parties sign the trade order, or refuse and pay.

use super::slots::{self, Step};
use super::{
    Agreed, At, BOOK, BookEntry, ConfirmItem, Error, Event, Live, SLOTS, SlotState, TRADES, TradeEntry,
    continuous, live, rules,
};
use super::{cancellations, clearing, records};
use crate::archive::{ArchiveEntry, Consent};
use crate::context::Context;
use crate::leaves::Leaves;
use crate::modules::attestation;
use crate::modules::registry::{self, scopes};
use crate::origin::Origin;
use contract_interface::{Claim, Leg, Order, Side, Stage, TradeOrder, confirm_message};
use runtime_primitives::crypto::Statement;
use runtime_primitives::{EntityId, Hash, MerkleAccumulator, Price, Seq};
use runtime_state::Overlay;

/// Version of the trade order's layout.
pub const TRADE_ORDER_VERSION: u16 = 1;

/// The trade order of trade `index` (formula 3): input is the seller's leg, output the buyer's.
pub fn trade_order(at: At, index: u32, entry: &TradeEntry, buy: &Order, sell: &Order) -> TradeOrder {
    let leg = |order: &Order, energy, price: Price| Leg {
        seq: order.seq,
        entity: order.entity,
        meter: order.meter,
        energy,
        price,
        slot: at.1,
    };
    TradeOrder {
        version: TRADE_ORDER_VERSION,
        market: at.0,
        trade: index,
        inputs: vec![leg(sell, entry.trade.energy, entry.trade.sell_price)],
        outputs: vec![leg(buy, entry.trade.energy, entry.trade.buy_price)],
    }
}

/// The bid and the ask behind a trade.
///
/// # Panics
/// If the book is gone: it lives as long as its trades.
pub fn orders_of(state: &Overlay, at: At, entry: &TradeEntry) -> (BookEntry, BookEntry) {
    let order = |seq: Seq| BOOK.get(state, at, seq.number()).expect("the book lives as long as its trades");
    (order(entry.trade.buy), order(entry.trade.sell))
}

/// All places of a slot: for those who ask for the orders of many trades, which [`orders_of`] reads one by one.
///
/// # Panics
/// If the slot is settled; see [`crate::storage::Paged::load`].
pub fn places(state: &Overlay, live: &Live) -> Vec<BookEntry> {
    BOOK.load(state, live.at, live.slot.next_seq.number())
}

/// The bid and the ask behind a trade, in the [`places`] of its slot.
pub fn parties<'a>(places: &'a [BookEntry], entry: &TradeEntry) -> (&'a BookEntry, &'a BookEntry) {
    let place = |seq: Seq| &places[seq.number() as usize];
    (place(entry.trade.buy), place(entry.trade.sell))
}

struct Party {
    entry: TradeEntry,
    side: Side,
    hash: Hash,
}

/// The side on which `entity` stands in trade `index`, with what it would sign.
fn party(ctx: &Context, live: &Live, index: u32, entity: EntityId) -> Result<Party, Error> {
    if live.slot.state != SlotState::Proposed {
        return Err(Error::NotProposed { slot: live.at.1, state: live.slot.state });
    }
    if live.slot.closed > 0 {
        return Err(Error::ConsentOver(live.at.1));
    }
    let entry = TRADES.get(&ctx.state, live.at, index).ok_or(Error::UnknownTrade(index))?;
    let (buy, sell) = orders_of(&ctx.state, live.at, &entry);
    let (side, agreed) = if buy.order.entity == entity {
        (Side::Buy, entry.buyer)
    } else if sell.order.entity == entity {
        (Side::Sell, entry.seller)
    } else {
        return Err(Error::NotAParty(index));
    };
    if agreed != Agreed::Pending {
        return Err(Error::AlreadyAnswered(index));
    }
    Ok(Party { entry, side, hash: trade_order(live.at, index, &entry, &buy.order, &sell.order).hash() })
}

/// Confirm trades by signing their orders' hashes.
///
/// # Errors
/// One per rule; then none of the items counts.
pub fn confirm(
    ctx: &mut Context,
    origin: &Origin,
    at: At,
    items: &[ConfirmItem],
) -> Result<(), crate::DispatchError> {
    registry::ensure_scope(origin, scopes::CONFIRM)?;
    let (key, entity) = (origin.signer()?, origin.entity()?);
    let mut live = live(&ctx.state, at)?;
    if live.slot.state != SlotState::Proposed {
        return Err(Error::NotProposed { slot: at.1, state: live.slot.state }.into());
    }
    if items.is_empty() {
        return Err(Error::NothingConfirmed.into());
    }
    for item in items {
        let party = party(ctx, &live, item.trade, entity)?;
        if item.order_hash != party.hash {
            let (signed, current) = (item.order_hash, party.hash);
            return Err(Error::TradeOrderMismatch { signed, current }.into());
        }
        let message = confirm_message(&ctx.env.genesis, &party.hash);
        let statement = Statement { signer: key, message, signature: item.signature };
        if !ctx.verifier.verify(&statement) {
            return Err(Error::BadConfirmation(item.trade).into());
        }
        let consent = Consent::Signed { key, signature: item.signature };
        answer(ctx, &mut live, item.trade, party, Agreed::Signed, &consent);
        let (market, slot) = at;
        ctx.emit(Event::TradeAnswered { market, slot, trade: item.trade, entity, agreed: true });
    }
    finish(ctx, live);
    Ok(())
}

/// Refuse a trade: the refuser pays δ per kWh to the counterparty.
///
/// # Errors
/// One per rule.
pub fn refuse(ctx: &mut Context, origin: &Origin, at: At, trade: u32) -> Result<(), crate::DispatchError> {
    registry::ensure_scope(origin, scopes::CONFIRM)?;
    let (key, entity) = (origin.signer()?, origin.entity()?);
    let mut live = live(&ctx.state, at)?;
    let party = party(ctx, &live, trade, entity)?;
    answer(ctx, &mut live, trade, party, Agreed::Refused, &Consent::Refused { key });
    ctx.emit(Event::TradeAnswered { market: at.0, slot: at.1, trade, entity, agreed: false });
    finish(ctx, live);
    Ok(())
}

fn answer(ctx: &mut Context, live: &mut Live, index: u32, party: Party, agreed: Agreed, consent: &Consent) {
    let mut entry = party.entry;
    match party.side {
        Side::Buy => entry.buyer = agreed,
        Side::Sell => entry.seller = agreed,
    }
    TRADES.set(&mut ctx.state, live.at, index, &entry);
    ctx.archive(ArchiveEntry::consent(live.at, index, party.side as u8, consent));
    live.slot.pending -= 1;
}

/// Only ever after an answer was taken: moving another state's trigger would skip what it waits for.
fn finish(ctx: &mut Context, mut live: Live) {
    assert_eq!(live.slot.state, SlotState::Proposed, "answers are taken while trades are proposed");
    if live.slot.pending == 0 {
        let now = ctx.env.now;
        slots::set_due(ctx, &mut live, Some(now));
    } else {
        SLOTS.put(&mut ctx.state, &live.at, &live.slot);
    }
}

/// End the window: cancel what is not confirmed, some pages a block; then record stage 2 and open the validators' claim.
pub fn close(ctx: &mut Context, live: &mut Live) -> Step {
    let step = cancellations::cancel_some(ctx, live);
    if live.slot.closed < live.slot.trades {
        let now = ctx.env.now;
        slots::set_due(ctx, live, Some(now));
        return step;
    }
    let entries = TRADES.load(&ctx.state, live.at, live.slot.trades);
    let confirmed = (0u32..).zip(&entries).filter(|(_, entry)| entry.is_confirmed());
    let orders = clearing::places(&ctx.state, live);
    let order = |seq: Seq| &orders[seq.number() as usize];
    let agreed = confirmed.map(|(index, entry)| {
        trade_order(live.at, index, entry, order(entry.trade.buy), order(entry.trade.sell))
    });
    let leaves = Leaves::of(live.at, Stage::Matching, agreed);
    let root = leaves.root();
    records::record_all(ctx, leaves);
    open_claim(ctx, live, root);
    let start = live.terms.delivery_start(live.at.1);
    let deadline = start.minus_ms(u64::from(live.terms.windows.certify_before_s) * 1_000);
    slots::enter(ctx, live, SlotState::Confirmed, Some(deadline));
    step
}

fn open_claim(ctx: &mut Context, live: &Live, result_hash: Hash) {
    let pinned = slots::pinned(&ctx.state, live.at);
    let input_root = super::RECORDS
        .get(&ctx.state, &(live.at.0, live.at.1, Stage::Declaration))
        .map_or(Hash::ZERO, |record| record.merkle_root);
    let input_root = if rules::is_continuous(&ctx.state, &live.terms) {
        continuous::claim_input(&ctx.state, live.at, &input_root)
    } else {
        input_root
    };
    let claim = Claim {
        market: live.at.0,
        slot: live.at.1,
        stage: Stage::Authentication,
        round: 0,
        code_hash: live.slot.cleared_by,
        input_root,
        result_hash,
        epoch: pinned.epoch,
        electorate_hash: Hash::ZERO,
    };
    attestation::open(ctx, claim, pinned.validators, MerkleAccumulator::default());
}
