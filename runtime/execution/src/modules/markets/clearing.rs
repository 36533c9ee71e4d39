//! Stage 2, first half: the gate closes, the matching rule clears the book, the referee checks it.
//!
//! A rule that fails in any way is replaced once by the fallback; if that fails too the slot is void.

use super::money::{can_step, release_each, step_fee};
use super::slots::{self, Step};
use super::{
    Agreed, BOOK, BookEntry, ClearFailure, Event, Live, SlotState, TRADES, TradeEntry, VoidReason,
    continuous, records, rules,
};
use crate::archive::{ArchiveEntry, ClearingRecord};
use crate::context::Context;
use crate::leaves::Leaves;
use crate::referee;
use contract_interface::{Clearing, Order, Stage, Trade, flags};
use parity_scale_codec::Encode;
use runtime_primitives::limits::CLEAR_GAS_MAX;
use runtime_primitives::{EntityId, Gas, Money, Seq};
use runtime_state::Overlay;

/// Close the gate: the book is final, stage 1 is recorded.
pub fn close_gate(ctx: &mut Context, live: &mut Live) {
    let leaves = if rules::is_continuous(&ctx.state, &live.terms) {
        Leaves::of(live.at, Stage::Declaration, continuous::operations(&ctx.state, live).1)
    } else {
        Leaves::of(live.at, Stage::Declaration, book(&ctx.state, live))
    };
    records::record_all(ctx, leaves);
    slots::enter(ctx, live, SlotState::Clearing, Some(ctx.env.now));
}

/// The orders that are not cancelled, by seq.
pub fn book(state: &Overlay, live: &Live) -> Vec<Order> {
    let mut orders = places(state, live);
    orders.retain(|order| !order.energy.is_zero());
    orders
}

/// The order at each place of a slot.
pub(super) fn places(state: &Overlay, live: &Live) -> Vec<Order> {
    BOOK.look_at(state, live.at, live.slot.next_seq.number(), BookEntry::order_of)
}

/// Clear the book with the pinned rule, or with the fallback after it failed.
pub fn clear(ctx: &mut Context, live: &mut Live) -> Step {
    if rules::is_continuous(&ctx.state, &live.terms) {
        return continuous::clear(ctx, live);
    }
    let most = Gas::from_units(CLEAR_GAS_MAX);
    if !can_step(&ctx.state, live.at, most) {
        slots::void(ctx, live, VoidReason::NoDeposit);
        return Step::Heavy;
    }
    if ctx.market_gas_left < most {
        return Step::Postponed;
    }
    let code = if live.slot.fallback { live.terms.fallback } else { live.terms.matching };
    let book = book(&ctx.state, live);
    let params = live.terms.clear_params(live.at.0, live.at.1, 0);
    let rule = rules::describe(ctx, &code).expect("described at registration");
    let readable = rules::readable_book(&rule, &book);
    let input = rules::clear_input(&params, &readable);
    let run = rules::clear(ctx, &code, &input);
    ctx.market_gas_left = ctx.market_gas_left.saturating_sub(run.gas);
    step_fee(ctx, live.at, run.gas);
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
            ctx.archive(ArchiveEntry::clearing(live.at, 0, &record));
            live.slot.cleared_by = code;
            live.slot.clear_gas = run.gas;
            propose(ctx, live, book, &clearing);
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
fn propose(ctx: &mut Context, live: &mut Live, mut book: Vec<Order>, clearing: &Clearing) {
    for trade in &clearing.trades {
        for seq in [trade.buy, trade.sell] {
            let at = position(&book, seq);
            book[at].energy = book[at].energy.saturating_sub(trade.energy);
        }
    }
    release_open(ctx, live, &book);
    add_trades(ctx, live, &book, &clearing.trades);
    enter_proposed(ctx, live);
}

/// Release the holds of what is open of orders.
pub(super) fn release_open(ctx: &mut Context, live: &Live, open: &[Order]) {
    let hold = |order: &Order| (order.entity, live.terms.hold(order.side, order.price, order.energy));
    let mut holds: Vec<(EntityId, Money)> = open.iter().map(hold).collect();
    holds.sort_unstable_by_key(|(entity, _)| *entity);
    let sum = |own: &[(EntityId, Money)]| {
        let amount = own.iter().fold(Money::ZERO, |sum, (_, hold)| sum.saturating_add(*hold));
        (own[0].0, amount)
    };
    let mut releases: Vec<(EntityId, Money)> = holds.chunk_by(|(a, _), (b, _)| a == b).map(sum).collect();
    releases.retain(|(_, amount)| !amount.is_zero());
    release_each(ctx, live.at, &releases);
}

/// Append trades of orders in `book` to the slot's, with the consents that are in the orders.
pub(super) fn add_trades(ctx: &mut Context, live: &mut Live, book: &[Order], trades: &[Trade]) {
    let mut entries = Vec::with_capacity(trades.len());
    for trade in trades {
        let [buyer, seller] = [trade.buy, trade.sell].map(|seq| {
            if book[position(book, seq)].flags & flags::AUTO_CONFIRM == 0 {
                live.slot.pending += 1;
                return Agreed::Pending;
            }
            Agreed::Auto
        });
        entries.push(TradeEntry { trade: *trade, buyer, seller });
    }
    TRADES.extend(&mut ctx.state, live.at, live.slot.trades, &entries);
    live.slot.trades += count(entries.len());
}

/// Where an order that traded stands in its book: at its own place, if nothing before it was cancelled.
fn position(book: &[Order], seq: Seq) -> usize {
    referee::place(book, seq).expect("the referee found the order")
}

/// Both sides of every trade are asked until the window for it ends.
pub(super) fn enter_proposed(ctx: &mut Context, live: &mut Live) {
    let windows = live.terms.windows;
    let gate = live.terms.delivery_start(live.at.1).minus_ms(u64::from(windows.gate_before_s) * 1_000);
    let due =
        if live.slot.pending == 0 { ctx.env.now } else { gate.plus_ms(u64::from(windows.confirm_s) * 1_000) };
    slots::enter(ctx, live, SlotState::Proposed, Some(due));
}

/// A count that the referee or a limit has bounded.
pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).expect("bounded by MAX_ORDERS_PER_SLOT")
}
