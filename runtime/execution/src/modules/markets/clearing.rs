//! Stage 2, first half: the gate closes, the matching rule clears the book, the referee checks it.
//!
//! A rule that fails in any way is replaced once by the fallback; if that fails too the slot is void.

use super::money::{release, step_fee};
use super::slots::{self, Step};
use super::{
    Agreed, At, BOOK, BookEntry, ClearFailure, Event, Live, SlotState, TRADES, TradeEntry, VoidReason,
    records, rules,
};
use crate::archive::{ArchiveEntry, ClearingRecord, Consent};
use crate::context::Context;
use crate::referee;
use contract_interface::{Book, Clearing, Order, Side, Stage, flags};
use parity_scale_codec::Encode;
use runtime_primitives::limits::CLEAR_GAS_MAX;
use runtime_primitives::{Energy, EntityId, Gas, Money, merkle_root};
use std::collections::BTreeMap;

/// Close the gate: the book is final, stage 1 is recorded.
pub fn close_gate(ctx: &mut Context, live: &mut Live) {
    let leaves: Vec<Vec<u8>> = book(ctx, live).iter().map(|entry| entry.order.encode()).collect();
    records::record(ctx, live.at, Stage::Declaration, merkle_root(&leaves), live.slot.orders);
    for (index, leaf) in (0u32..).zip(leaves) {
        ctx.archive(ArchiveEntry::leaf(live.at, Stage::Declaration, index, leaf));
    }
    slots::enter(ctx, live, SlotState::Clearing, Some(ctx.env.now));
}

/// The orders that are not cancelled, by seq.
pub fn book(ctx: &Context, live: &Live) -> Vec<BookEntry> {
    let mut entries = BOOK.load(&ctx.state, live.at, live.slot.next_seq.number());
    entries.retain(|entry| !entry.order.energy.is_zero());
    entries
}

/// Clear the book with the pinned rule, or with the fallback after it failed.
pub fn clear(ctx: &mut Context, live: &mut Live) -> Step {
    if ctx.market_gas_left < Gas::from_units(CLEAR_GAS_MAX) {
        return Step::Postponed;
    }
    let code = if live.slot.fallback { live.terms.fallback } else { live.terms.matching };
    let orders: Vec<Order> = book(ctx, live).into_iter().map(|entry| entry.order).collect();
    let params = live.terms.clear_params(live.at.0, live.at.1, 0);
    let rule = rules::describe(ctx, &code).expect("described at registration");
    let readable = rules::readable_book(&rule, &orders);
    let input = rules::clear_input(&params, &Book::Auction(readable.clone()));
    let run = rules::clear(ctx, &code, &input);
    ctx.market_gas_left = ctx.market_gas_left.saturating_sub(run.gas);
    if !step_fee(ctx, live.at, run.gas) {
        slots::void(ctx, live, VoidReason::NoDeposit);
        return Step::Heavy;
    }
    let checked = run.answer.map_err(ClearFailure::from).and_then(|clearing| {
        referee::check_clearing(&rule, &readable, &clearing).map_err(ClearFailure::Refused)?;
        Ok(clearing)
    });
    match checked {
        Ok(clearing) => {
            let (market, slot) = live.at;
            let trades = count(clearing.trades.len());
            ctx.emit(Event::Cleared { market, slot, code, trades, gas: run.gas });
            let fallback = live.slot.fallback;
            let record = ClearingRecord { code, fallback, input, output: clearing.encode(), gas: run.gas };
            ctx.archive(ArchiveEntry::clearing(live.at, &record));
            live.slot.cleared_by = code;
            live.slot.clear_gas = run.gas;
            propose(ctx, live, &orders, &clearing);
        }
        Err(failure) => {
            ctx.emit(Event::ClearingFailed { market: live.at.0, slot: live.at.1, code, failure });
            if live.slot.fallback {
                slots::void(ctx, live, VoidReason::NoClearing);
            } else {
                live.slot.fallback = true;
                slots::set_due(ctx, live, Some(ctx.env.now));
            }
        }
    }
    Step::Heavy
}

/// Release what did not trade and ask both sides of every trade.
fn propose(ctx: &mut Context, live: &mut Live, orders: &[Order], clearing: &Clearing) {
    let by_seq: BTreeMap<_, _> = orders.iter().map(|order| (order.seq, *order)).collect();
    let mut fills = BTreeMap::new();
    for trade in &clearing.trades {
        for seq in [trade.buy, trade.sell] {
            let fill: &mut Energy = fills.entry(seq).or_default();
            *fill = fill.saturating_add(trade.energy);
        }
    }
    let mut released: BTreeMap<EntityId, Money> = BTreeMap::new();
    for order in orders {
        let fill = fills.get(&order.seq).copied().unwrap_or_default();
        let rest = order.energy.saturating_sub(fill);
        let free = released.entry(order.entity).or_default();
        *free = free.saturating_add(live.terms.hold(order.side, order.price, rest));
    }
    for (entity, amount) in released {
        release(ctx, live.at, entity, amount);
    }
    let entries: Vec<TradeEntry> = clearing
        .trades
        .iter()
        .map(|trade| TradeEntry {
            trade: *trade,
            buyer: prior_consent(&by_seq[&trade.buy]),
            seller: prior_consent(&by_seq[&trade.sell]),
        })
        .collect();
    archive_prior_consents(ctx, live.at, &entries);
    TRADES.store(&mut ctx.state, live.at, 0, &entries);
    live.slot.trades = count(entries.len());
    let pending = |entry: &TradeEntry| {
        u32::from(entry.buyer == Agreed::Pending) + u32::from(entry.seller == Agreed::Pending)
    };
    live.slot.pending = entries.iter().map(pending).sum();
    let windows = live.terms.windows;
    let gate = live.terms.delivery_start(live.at.1).minus_ms(u64::from(windows.gate_before_s) * 1_000);
    let due =
        if live.slot.pending == 0 { ctx.env.now } else { gate.plus_ms(u64::from(windows.confirm_s) * 1_000) };
    slots::enter(ctx, live, SlotState::Proposed, Some(due));
}

const fn prior_consent(order: &Order) -> Agreed {
    if order.flags & flags::AUTO_CONFIRM != 0 { Agreed::Auto } else { Agreed::Pending }
}

fn archive_prior_consents(ctx: &mut Context, at: At, entries: &[TradeEntry]) {
    for (index, entry) in (0u32..).zip(entries) {
        for (side, agreed, seq) in
            [(Side::Buy, entry.buyer, entry.trade.buy), (Side::Sell, entry.seller, entry.trade.sell)]
        {
            if agreed == Agreed::Auto {
                let order = BOOK.get(&ctx.state, at, seq.number()).expect("a trade names orders of the book");
                let consent = Consent::Auto { order: order.authorised_by };
                ctx.archive(ArchiveEntry::consent(at, index, side as u8, &consent));
            }
        }
    }
}

/// A count that the referee or a limit has bounded.
pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).expect("bounded by MAX_ORDERS_PER_SLOT")
}
