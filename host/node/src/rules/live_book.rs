//! A continuous book as its orders see it: what every operation did, and what is open after it.
//!
//! Rebuilt from the rule's trades alone. A trade that no operation can have made is a fault.

use super::fault::Fault;
use contract_interface::{Clearing, Op, Order, Side, Trade};
use runtime_primitives::{Energy, Price, Seq};
use std::collections::{BTreeMap, BTreeSet};

/// One match of an incoming order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The order that was there.
    pub maker: Seq,
    /// The order that came.
    pub taker: Seq,
    /// Energy.
    pub energy: Energy,
    /// What the seller gets and the buyer pays.
    pub price: Price,
}

/// What one operation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpResult {
    /// An order came.
    New {
        /// Its matches.
        fills: Vec<Fill>,
        /// What rests of it in the book.
        leaves: Energy,
        /// What the rule withdrew of it because it met an order of its own entity.
        withdrawn: Option<Energy>,
    },
    /// An order left with so much unfilled; nothing if it was gone before.
    Cancelled(Energy),
}

/// Open orders by seq; their energy is what remains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveBook {
    open: BTreeMap<Seq, Order>,
}

impl LiveBook {
    /// The open orders by seq.
    pub fn resting(&self) -> Vec<Order> {
        self.open.values().copied().collect()
    }

    /// Whether an order is open.
    pub fn has(&self, seq: Seq) -> bool {
        self.open.contains_key(&seq)
    }

    /// Open energy of one side by price, best first.
    pub fn levels(&self, side: Side) -> Vec<(Price, u128)> {
        let mut levels: BTreeMap<Price, u128> = BTreeMap::new();
        for order in self.open.values().filter(|order| order.side == side) {
            *levels.entry(order.price).or_default() += u128::from(order.energy.wh());
        }
        let levels = levels.into_iter();
        if side == Side::Buy { levels.rev().collect() } else { levels.collect() }
    }

    /// Play a batch of operations with what the rule answered to it.
    ///
    /// # Errors
    /// The first trade or withdrawal that cannot have been.
    pub fn play(&mut self, ops: &[Op], clearing: &Clearing) -> Result<Vec<OpResult>, Fault> {
        let mut withdrawn: BTreeSet<Seq> = clearing.cancelled.iter().copied().collect();
        let mut trades = clearing.trades.iter().peekable();
        let mut results = Vec::with_capacity(ops.len());
        for op in ops {
            results.push(match op {
                Op::Cancel { target, .. } => {
                    OpResult::Cancelled(self.open.remove(target).map_or(Energy::ZERO, |order| order.energy))
                }
                Op::New(order) => {
                    let mut left = *order;
                    let mut fills = Vec::new();
                    while let Some(trade) = trades.next_if(|trade| trade.buy.max(trade.sell) == order.seq) {
                        fills.push(self.fill(&mut left, trade)?);
                    }
                    let taken_out = withdrawn.remove(&order.seq);
                    if !taken_out && !left.energy.is_zero() {
                        self.open.insert(left.seq, left);
                    }
                    let leaves = if taken_out { Energy::ZERO } else { left.energy };
                    OpResult::New { fills, leaves, withdrawn: taken_out.then_some(left.energy) }
                }
            });
        }
        if let Some(Trade { buy, sell, .. }) = trades.next() {
            let reason =
                format!("no operation makes {buy} and {sell} meet at that place in the list of trades");
            return Err(Fault::new("OutOfOrder", reason));
        }
        match withdrawn.first() {
            Some(seq) => Err(Fault::new("NoSelfTrade", format!("order {seq} is withdrawn and no new order"))),
            None => Ok(results),
        }
    }

    fn fill(&mut self, taker: &mut Order, trade: &Trade) -> Result<Fill, Fault> {
        let maker_seq = trade.buy.min(trade.sell);
        let Some(maker) = self.open.get_mut(&maker_seq) else {
            let reason = format!("order {maker_seq} is not open when order {} arrives", taker.seq);
            return Err(Fault::new("Gone", reason));
        };
        let (buy, sell) =
            if taker.side == Side::Buy { (taker.seq, maker_seq) } else { (maker_seq, taker.seq) };
        if maker.side == taker.side || (trade.buy, trade.sell) != (buy, sell) {
            return Err(Fault::new("WrongSide", format!("{trade:?} takes an order for the other side's")));
        }
        for order in [&mut *maker, &mut *taker] {
            let Some(left) = order.energy.checked_sub(trade.energy) else {
                let reason =
                    format!("order {} has {} Wh left, not {}", order.seq, order.energy, trade.energy);
                return Err(Fault::new("Overfill", reason));
            };
            order.energy = left;
        }
        if maker.energy.is_zero() {
            self.open.remove(&maker_seq);
        }
        Ok(Fill { maker: maker_seq, taker: taker.seq, energy: trade.energy, price: trade.sell_price })
    }
}
