//! A continuous slot in the accountant's book: operations queue, and every batch is cleared by price and time.

use super::Ledger;
use super::calls::agrees_in_advance;
use super::slots::Entry;
use crate::price_time::Book;
use contract_interface::{Op, Order};
use runtime_execution::modules::markets::At;
use runtime_primitives::Seq;
use std::collections::BTreeMap;

/// What a continuous slot has beside an auction's.
#[derive(Clone, Default)]
pub struct Queue {
    waiting: Vec<Op>,
    book: Book,
    /// Wh of orders that were withdrawn, by place.
    withdrawn: BTreeMap<u32, u64>,
}

impl Queue {
    /// Wh of an order that are traded, and Wh that are open and do not leave.
    pub(super) fn parts(&self, order: &Order, trades: &[Entry]) -> (u64, u64) {
        let own = trades.iter().filter(|entry| [entry.trade.buy, entry.trade.sell].contains(&order.seq));
        let filled = own.map(|entry| entry.trade.energy.wh()).sum();
        let leaves = |op: &Op| matches!(op, Op::Cancel { target, .. } if *target == order.seq);
        let waits = |op: &Op| matches!(op, Op::New(new) if new.seq == order.seq);
        if self.waiting.iter().any(leaves) {
            return (filled, 0);
        }
        if self.waiting.iter().any(waits) {
            return (filled, order.energy.wh());
        }
        let open = self.book.open.iter().find(|open| open.seq == order.seq);
        (filled, open.map_or(0, |open| open.energy.wh()))
    }
}

impl Ledger {
    pub(super) fn is_continuous(&self, slot: At) -> bool {
        self.continuous.contains(&self.slots[&slot].terms.matching)
    }

    /// An order or a cancellation waits for its batch.
    pub(super) fn queue_order(&mut self, slot: At, order: Order) {
        self.book(slot).queue.waiting.push(Op::New(order));
    }

    pub(super) fn queue_cancellation(&mut self, slot: At, target: u32) {
        let book = self.book(slot);
        let seq = Seq::from_number(book.next_seq);
        book.next_seq += 1;
        book.queue.waiting.push(Op::Cancel { seq, target: Seq::from_number(target) });
    }

    /// All that waits is a batch.
    pub(super) fn clear_batch(&mut self, slot: At) {
        let book = self.book(slot);
        let ops = std::mem::take(&mut book.queue.waiting);
        let clearing = book.queue.book.apply(&ops);
        let agreed = |seq: Seq| agrees_in_advance(&book.orders[&seq.number()]);
        for trade in clearing.trades {
            let (bid, ask) = (book.orders[&trade.buy.number()], book.orders[&trade.sell.number()]);
            assert!(ask.price <= trade.sell_price && trade.buy_price <= bid.price, "within signed limits");
            book.trades.push(Entry { trade, buyer: agreed(trade.buy), seller: agreed(trade.sell) });
        }
        self.release_withdrawn(slot);
    }

    /// The gate: nothing rests any longer.
    pub(super) fn close_book(&mut self, slot: At) {
        self.book(slot).queue.book.open.clear();
        self.release_withdrawn(slot);
    }

    /// What an order came with is filled, open, or withdrawn; what was withdrawn since is released.
    fn release_withdrawn(&mut self, slot: At) {
        let book = &self.slots[&slot];
        let waits = |seq: u32| {
            book.queue.waiting.iter().any(|op| matches!(op, Op::New(order) if order.seq.number() == seq))
        };
        let mut released = Vec::new();
        for (seq, order) in book.orders.iter().filter(|(seq, _)| !waits(**seq)) {
            let own = |entry: &&Entry| [entry.trade.buy, entry.trade.sell].contains(&order.seq);
            let filled: u64 = book.trades.iter().filter(own).map(|entry| entry.trade.energy.wh()).sum();
            let open = book.queue.book.open.iter().find(|open| open.seq == order.seq);
            let open = open.map_or(0, |open| open.energy.wh());
            let before = book.queue.withdrawn.get(seq).copied().unwrap_or_default();
            let rest = order.energy.wh() - filled - open - before;
            if rest > 0 {
                released.push((*seq, order.entity.number(), rest));
            }
        }
        for (seq, entity, rest) in released {
            *self.book(slot).queue.withdrawn.entry(seq).or_default() += rest;
            self.release(slot, entity, self.hold_of(slot, seq, rest));
        }
    }
}
