//! Trades that are not confirmed in time are cancelled: whoever alone failed pays the other, and their holds end.
//!
//! A step takes some pages of trades, and with them what entities have going is written once. No trade is answered once
//! the first step is done, so what a later one finds is what was there at the window's end.

use super::money::release_each;
use super::slots::Step;
use super::{
    Agreed, BookEntry, ENTITY_SLOTS, Event, Live, TRADES, TradeEntry, clearing, confirm, deposits, market,
};
use crate::archive::{ArchiveEntry, Consent};
use crate::context::Context;
use crate::modules::{balances, registry};
use contract_interface::{Side, TransferRecord, kinds};
use runtime_primitives::limits::CANCELLED_PAGES_MAX;
use runtime_primitives::{EntityId, Money};
use std::collections::BTreeMap;

/// What the trades that a step cancels come to for an entity.
#[derive(Default)]
struct Ended {
    /// No longer held.
    released: Money,
    /// Paid out of what was held.
    paid: Money,
    /// Whether it was paid.
    is_credited: bool,
}

/// What they come to for everybody.
type AllEnded = BTreeMap<EntityId, Ended>;

/// Cancel what is not confirmed in the next pages of trades, and move on. It is [`Step::Heavy`] if anything was.
pub(super) fn cancel_some(ctx: &mut Context, live: &mut Live) -> Step {
    let (mut pages, mut book, mut ended) = (0, None, AllEnded::new());
    while live.slot.closed < live.slot.trades && pages < CANCELLED_PAGES_MAX {
        let first = live.slot.closed;
        let mut entries = TRADES.rest_of_page(&ctx.state, live.at, first);
        live.slot.closed += clearing::count(entries.len());
        if entries.iter().all(TradeEntry::is_confirmed) {
            continue;
        }
        pages += 1;
        let book = book.get_or_insert_with(|| confirm::places(&ctx.state, live));
        let failed = (first..).zip(&mut entries).filter(|(_, entry)| !entry.is_confirmed());
        for (index, entry) in failed {
            let parties = confirm::parties(book, entry);
            cancel(ctx, live, index, entry, parties, &mut ended);
        }
        TRADES.put_page(&mut ctx.state, live.at, first, &entries);
    }
    if pages == 0 {
        return Step::Light;
    }
    end_holds(ctx, live, &ended);
    Step::Heavy
}

fn cancel(
    ctx: &mut Context,
    live: &Live,
    index: u32,
    entry: &mut TradeEntry,
    (buy, sell): (&BookEntry, &BookEntry),
    ended: &mut AllEnded,
) {
    for (side, agreed) in [(Side::Buy, &mut entry.buyer), (Side::Sell, &mut entry.seller)] {
        if *agreed == Agreed::Pending {
            *agreed = Agreed::Refused;
            ctx.archive(ArchiveEntry::consent(live.at, index, side as u8, &Consent::Silent));
        }
    }
    for side in [buy, sell] {
        let hold = live.terms.hold(side.order.side, side.order.price, entry.trade.energy);
        let own = ended.entry(side.order.entity).or_default();
        own.released = own.released.saturating_add(hold);
    }
    let failed = match (entry.buyer.is_yes(), entry.seller.is_yes()) {
        (false, true) => Some((buy, sell)),
        (true, false) => Some((sell, buy)),
        _ => None,
    };
    let mut paid = Money::ZERO;
    if let Some((refuser, counterparty)) = failed {
        paid = live.terms.rates.deviation.times(entry.trade.energy);
        compensate(ctx, live, index, refuser, counterparty, paid);
        if let Some(own) = ended.get_mut(&refuser.order.entity) {
            own.released = own.released.saturating_sub(paid);
            own.paid = own.paid.saturating_add(paid);
        }
        if let Some(other) = ended.get_mut(&counterparty.order.entity) {
            other.is_credited |= !paid.is_zero();
        }
    }
    let (market, slot) = live.at;
    let party = failed.map(|(refuser, _)| refuser.order.entity);
    ctx.emit(Event::TradeCancelled { market, slot, trade: index, party, compensation: paid });
}

/// δ · q from the refuser's hold, which covers it by construction (MARKET section 3).
fn compensate(
    ctx: &mut Context,
    live: &Live,
    index: u32,
    refuser: &BookEntry,
    counterparty: &BookEntry,
    amount: Money,
) {
    if amount.is_zero() {
        return;
    }
    let owner = |id| registry::entity(&ctx.state, id).expect("traders are registered").owner;
    let record = TransferRecord {
        slot: Some(live.at),
        payer: owner(refuser.order.entity),
        payee: owner(counterparty.order.entity),
        amount,
        kind: kinds::REFUSAL,
        trade: Some(index),
        meter: None,
        spends: refuser.hold,
        authorised_by: refuser.authorised_by,
    };
    balances::pay(ctx, &record, amount).expect("the hold covers the deviation rate");
}

/// Write what entities have going, release what is no longer held; whoever was paid pays what it owes.
fn end_holds(ctx: &mut Context, live: &Live, ended: &AllEnded) {
    let payers: Vec<EntityId> =
        ended.iter().filter(|(_, own)| !own.paid.is_zero()).map(|(entity, _)| *entity).collect();
    ENTITY_SLOTS.change_each(&mut ctx.state, live.at, &payers, |entity, slot| {
        slot.held = slot.held.checked_sub(ended[&entity].paid).expect("the hold covers the deviation rate");
    });
    let releases: Vec<(EntityId, Money)> = ended
        .iter()
        .filter(|(_, own)| !own.released.is_zero())
        .map(|(entity, own)| (*entity, own.released))
        .collect();
    release_each(ctx, live.at, &releases);
    let market = market(&ctx.state, live.at.0).expect("a slot has a market");
    let to_come = deposits::terms_to_come(&ctx.state, &market).expect("the market runs");
    for (entity, _) in ended.iter().filter(|(_, own)| own.is_credited) {
        deposits::credited(ctx, live.at.0, &to_come, *entity);
    }
}
