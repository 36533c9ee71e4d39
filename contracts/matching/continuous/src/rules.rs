//! The continuous algorithm (MARKET section 6): price–time priority over operations.
//!
//! An order is addressed by its position: resting ones first, then one for each operation. Positions ascend with seq.

use crate::{Fault, ladder::Ladder};
use alloc::{vec, vec::Vec};
use contract_interface::{
    Book, ClearParams, Clearing, Descriptor, INTERFACE, Op, Order, Pricing, RuleError, Side, Trade, flags,
};
use contract_sdk::auction;
use runtime_primitives::{Energy, Seq, limits};

/// What this rule says of itself.
pub const DESCRIPTOR: Descriptor = Descriptor {
    interface: INTERFACE,
    name: *b"continuous\0\0\0\0\0\0",
    version: 1,
    pricing: Pricing::Single,
    flags_supported: flags::AUTO_CONFIRM,
    min_energy: false,
    continuous: true,
    no_residual_cross: true,
    max_orders: limits::MAX_ORDERS_PER_SLOT,
};

/// Bytes of the longest batch: as many orders as the rule accepts, all of them new, and as many cancellations as go with
/// orders that all rest.
pub const INPUT_MAX: usize =
    auction::input_bytes_max(DESCRIPTOR.max_orders) + DESCRIPTOR.max_orders as usize * CANCEL_BYTES;
const CANCEL_BYTES: usize = 9;

/// Answers [`DESCRIPTOR`].
///
/// # Errors
/// None.
pub const fn describe() -> Result<Descriptor, RuleError> {
    Ok(DESCRIPTOR)
}

/// Clears a batch of operations on a continuous book.
///
/// `cancelled` of the answer are the orders that the rule itself withdrew, ascending by seq: an order that came to trade
/// with its own entity's loses what it has left at that moment, and keeps what it traded before. Orders that a `Cancel`
/// withdrew are not listed. A pair trades once at most, in this batch and in all.
///
/// # Errors
/// Any [`Fault`] of the batch.
pub fn clear(params: ClearParams, book: Book) -> Result<Clearing, RuleError> {
    if params.interface != INTERFACE {
        return Err(Fault::Interface(params.interface).into());
    }
    let Book::Continuous { resting, ops } = book else { return Err(Fault::Auction.into()) };
    check(&resting, &ops)?;
    let mut exchange = Exchange::new(&resting, &ops);
    if exchange.is_crossed() {
        return Err(Fault::Crossed.into());
    }
    for (position, op) in (exchange.resting.len()..).zip(&ops) {
        match op {
            Op::New(order) => exchange.enter(position, order),
            Op::Cancel { target, .. } => exchange.withdraw(*target),
        }
    }
    Ok(exchange.clearing)
}

/// Whether resting orders and operations are what the rule can take.
fn check(resting: &[Order], ops: &[Op]) -> Result<(), Fault> {
    let new = || ops.iter().filter_map(order_of);
    let orders = resting.len() + new().count();
    let count = u32::try_from(orders.max(ops.len())).unwrap_or(u32::MAX);
    if count > DESCRIPTOR.max_orders {
        return Err(Fault::TooManyOrders(count));
    }
    for order in resting.iter().chain(new()) {
        if order.energy.is_zero() {
            return Err(Fault::ZeroEnergy);
        }
        if order.flags & !DESCRIPTOR.flags_supported != 0 || !order.min_energy.is_zero() {
            return Err(Fault::Unsupported(order.seq));
        }
    }
    let seqs = resting.iter().map(|order| order.seq).chain(ops.iter().map(seq_of));
    if seqs.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(Fault::NotAscending) }
}

const fn order_of(op: &Op) -> Option<&Order> {
    match op {
        Op::New(order) => Some(order),
        Op::Cancel { .. } => None,
    }
}

const fn seq_of(op: &Op) -> Seq {
    match op {
        Op::New(order) => order.seq,
        Op::Cancel { seq, .. } => *seq,
    }
}

/// A book under way.
struct Exchange<'a> {
    resting: &'a [Order],
    ops: &'a [Op],
    /// Energy that rests, by position: nothing of what is filled, withdrawn, yet to come, or no order.
    left: Vec<Energy>,
    bids: Ladder,
    asks: Ladder,
    clearing: Clearing,
}

impl<'a> Exchange<'a> {
    fn new(resting: &'a [Order], ops: &'a [Op]) -> Self {
        let mut left = vec![Energy::ZERO; resting.len() + ops.len()];
        for (left, order) in left.iter_mut().zip(resting) {
            *left = order.energy;
        }
        let [bids, asks] = [Side::Buy, Side::Sell].map(|side| Ladder::new(resting, side));
        Self { resting, ops, left, bids, asks, clearing: Clearing::default() }
    }

    fn is_crossed(&mut self) -> bool {
        let best = [&mut self.bids, &mut self.asks].map(|side| side.best(self.resting, &self.left));
        let [bid, ask] = best.map(|best| self.resting.get(best? as usize));
        bid.zip(ask).is_some_and(|(bid, ask)| bid.price >= ask.price)
    }

    /// The order at a position, if there is one.
    fn order(&self, position: usize) -> Option<&'a Order> {
        self.resting.get(position).or_else(|| order_of(self.ops.get(position - self.resting.len())?))
    }

    /// Trades a new order with what rests, best first; the remainder rests, or goes if its own entity's order is next.
    fn enter(&mut self, position: usize, order: &Order) {
        let mut left = order.energy;
        while !left.is_zero()
            && let Some(maker) = self.next_for(order)
        {
            let Some(rests) = self.order(maker) else { break };
            if rests.entity == order.entity {
                self.clearing.cancelled.push(order.seq);
                return;
            }
            let energy = left.min(self.left[maker]);
            left = left.saturating_sub(energy);
            self.left[maker] = self.left[maker].saturating_sub(energy);
            self.clearing.trades.push(trade(order, rests, energy));
        }
        if !left.is_zero() {
            self.left[position] = left;
            let own = if order.side == Side::Buy { &mut self.bids } else { &mut self.asks };
            own.add(order.price, u32::try_from(position).unwrap_or(u32::MAX));
        }
    }

    /// Position of the best order that `order` can trade with at its limit.
    fn next_for(&mut self, order: &Order) -> Option<usize> {
        let opposite = if order.side == Side::Buy { &mut self.asks } else { &mut self.bids };
        let maker = opposite.best(self.resting, &self.left)? as usize;
        let price = self.order(maker)?.price;
        let crosses = if order.side == Side::Buy { price <= order.price } else { price >= order.price };
        crosses.then_some(maker)
    }

    /// Takes an order off the book, if it is there.
    fn withdraw(&mut self, target: Seq) {
        let position = match self.resting.binary_search_by_key(&target, |order| order.seq) {
            Ok(position) => position,
            Err(_) => match self.ops.binary_search_by_key(&target, seq_of) {
                Ok(position) => self.resting.len() + position,
                Err(_) => return,
            },
        };
        self.left[position] = Energy::ZERO;
    }
}

fn trade(taker: &Order, maker: &Order, energy: Energy) -> Trade {
    let (buy, sell) = match taker.side {
        Side::Buy => (taker.seq, maker.seq),
        Side::Sell => (maker.seq, taker.seq),
    };
    Trade { buy, sell, energy, buy_price: maker.price, sell_price: maker.price }
}
