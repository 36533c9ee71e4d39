//! Is this a clearing of that batch of a continuous book? O(n log n), one fault per rule.
//!
//! An order meets the book at the moment it arrives, so a trade is the later order's: what had been withdrawn or
//! filled by then is not in the book, and the earlier order sets the price. Who of several trades first is the rule's.

use super::clearing::{ClearingFault, check_count, check_residual, check_trade, fill, find};
use contract_interface::{Clearing, Op, Order, Side, Trade};
use runtime_primitives::{Energy, EntityId, Price, Seq};
use std::collections::{BTreeMap, BinaryHeap};

/// Check `clearing` of `ops` on a book of `resting` orders, both ascending by seq and `resting` before `ops`.
///
/// # Errors
/// The first rule that is broken.
pub fn check_batch(resting: &[Order], ops: &[Op], clearing: &Clearing) -> Result<(), ClearingFault> {
    let mut batch = Batch::new(resting, ops);
    check_count(clearing, batch.orders.len())?;
    let withdrawals = batch.withdraw(&clearing.cancelled)?;
    let mut own = OwnOrders::of(withdrawals.iter().map(|index| batch.orders[*index].entity));
    let mut waiting = withdrawals.into_iter().peekable();
    let mut latest = 0;
    for (number, trade) in (0u32..).zip(&clearing.trades) {
        let buy = find(&batch.orders, number, trade.buy, Side::Buy)?;
        let sell = find(&batch.orders, number, trade.sell, Side::Sell)?;
        let later = buy.max(sell);
        if later < latest {
            return Err(ClearingFault::OutOfOrder { trade: number });
        }
        latest = later;
        while let Some(index) = waiting.next_if(|index| *index < later) {
            batch.check_withdrawal(index, &mut own)?;
        }
        batch.trade(number, trade, buy, sell)?;
    }
    for index in waiting {
        batch.check_withdrawal(index, &mut own)?;
    }
    check_residual(batch.open())
}

/// Not withdrawn.
const STAYS: Seq = Seq::MAX;

struct Batch {
    /// Resting orders, then new ones.
    orders: Vec<Order>,
    resting: usize,
    /// Filled so far, by order.
    fills: Vec<Energy>,
    /// When each order leaves the book: by its owner at the cancellation's seq, by the rule at its own.
    leaves: Vec<Seq>,
    /// The later order of each order's last trade: a pair trades once.
    met: Vec<Option<usize>>,
}

impl Batch {
    fn new(resting: &[Order], ops: &[Op]) -> Self {
        let mut orders = Vec::with_capacity(resting.len() + ops.len());
        orders.extend_from_slice(resting);
        orders.extend(ops.iter().filter_map(|op| match op {
            Op::New(order) => Some(*order),
            Op::Cancel { .. } => None,
        }));
        let mut leaves = vec![STAYS; orders.len()];
        for op in ops {
            if let Op::Cancel { seq, target } = op
                && let Ok(index) = orders.binary_search_by_key(target, |order| order.seq)
                && orders[index].seq < *seq
            {
                leaves[index] = leaves[index].min(*seq);
            }
        }
        let (fills, met) = (vec![Energy::ZERO; orders.len()], vec![None; orders.len()]);
        Self { orders, resting: resting.len(), fills, leaves, met }
    }

    /// Note what the rule withdraws: new orders, each once. Ascending.
    fn withdraw(&mut self, cancelled: &[Seq]) -> Result<Vec<usize>, ClearingFault> {
        let mut withdrawals = Vec::with_capacity(cancelled.len());
        for seq in cancelled {
            let index = self.orders.binary_search_by_key(seq, |order| order.seq);
            let index = index.ok().filter(|index| *index >= self.resting && self.leaves[*index] != *seq);
            let index = index.ok_or(ClearingFault::NoSelfTrade(*seq))?;
            self.leaves[index] = *seq;
            withdrawals.push(index);
        }
        withdrawals.sort_unstable();
        Ok(withdrawals)
    }

    fn trade(&mut self, number: u32, trade: &Trade, buy: usize, sell: usize) -> Result<(), ClearingFault> {
        let (earlier, later) = (buy.min(sell), buy.max(sell));
        if later < self.resting {
            return Err(ClearingFault::BothResting { trade: number });
        }
        let first = &self.orders[earlier];
        if self.leaves[earlier] < self.orders[later].seq {
            return Err(ClearingFault::Gone { trade: number, seq: first.seq });
        }
        if self.met[earlier].replace(later) == Some(later) {
            return Err(ClearingFault::RepeatedPair { buy: trade.buy, sell: trade.sell });
        }
        check_trade(number, trade, &self.orders[buy], &self.orders[sell])?;
        if (trade.buy_price, trade.sell_price) != (first.price, first.price) {
            return Err(ClearingFault::NotRestingPrice { trade: number, resting: first.price });
        }
        for index in [buy, sell] {
            fill(&self.orders[index], &mut self.fills[index], trade.energy)?;
        }
        Ok(())
    }

    fn is_open(&self, index: usize) -> bool {
        self.fills[index] < self.orders[index].energy
    }

    /// The order at `index` was unfilled when it met a crossing order of its own entity that was still open. To be
    /// asked before any trade of a later order.
    fn check_withdrawal(&self, index: usize, own: &mut OwnOrders) -> Result<(), ClearingFault> {
        let order = &self.orders[index];
        let crosses = |price: Price| match order.side {
            Side::Buy => price <= order.price,
            Side::Sell => price >= order.price,
        };
        own.add_until(index, &self.orders);
        let best = own.best(order, |other| self.is_open(other) && self.leaves[other] > order.seq);
        if self.is_open(index) && best.is_some_and(|other| crosses(self.orders[other].price)) {
            return Ok(());
        }
        Err(ClearingFault::NoSelfTrade(order.seq))
    }

    fn open(&self) -> impl Iterator<Item = &Order> + Clone {
        let stays = |index: &usize| self.is_open(*index) && self.leaves[*index] == STAYS;
        (0..self.orders.len()).filter(stays).map(|index| &self.orders[index])
    }
}

/// Orders of entities that had one withdrawn, best price first: enough to say in O(log n) whether there was a cross.
struct OwnOrders {
    heaps: BTreeMap<(EntityId, Side), BinaryHeap<(u32, usize)>>,
    added: usize,
}

impl OwnOrders {
    fn of(entities: impl Iterator<Item = EntityId>) -> Self {
        let heaps = entities.flat_map(|entity| [(entity, Side::Buy), (entity, Side::Sell)]);
        Self { heaps: heaps.map(|key| (key, BinaryHeap::new())).collect(), added: 0 }
    }

    /// Add the orders before `index`.
    fn add_until(&mut self, index: usize, orders: &[Order]) {
        if self.heaps.is_empty() {
            return;
        }
        for (at, order) in orders.iter().enumerate().take(index).skip(self.added) {
            if let Some(heap) = self.heaps.get_mut(&(order.entity, order.side)) {
                let ticks = order.price.ticks();
                heap.push((if order.side == Side::Buy { ticks } else { u32::MAX - ticks }, at));
            }
        }
        self.added = index;
    }

    /// The best order of the other side that is still `there`; what is not will never be again.
    fn best(&mut self, order: &Order, there: impl Fn(usize) -> bool) -> Option<usize> {
        let other = if order.side == Side::Buy { Side::Sell } else { Side::Buy };
        let heap = self.heaps.get_mut(&(order.entity, other))?;
        while let Some((_, index)) = heap.peek() {
            if there(*index) {
                return Some(*index);
            }
            heap.pop();
        }
        None
    }
}
