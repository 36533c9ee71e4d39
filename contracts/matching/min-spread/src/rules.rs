//! The min-spread algorithm (MARKET section 6, formula 2 with its legend put right: Δ = bid − ask ≥ 0).
//!
//! Pairs are taken in the order (spread, larger seq, bid's seq, ask's seq). Each bid keeps only its next pair in a heap:
//! for one bid that order is a fixed walk over the asks, from its own price downwards.

use alloc::{collections::BinaryHeap, vec::Vec};
use contract_interface::{
    Book, ClearParams, Clearing, Descriptor, INTERFACE, Order, Pricing, RuleError, Side, Trade, flags,
};
use contract_sdk::auction;
use core::cmp::Reverse;
use runtime_primitives::{Energy, Price, midpoint_floor};

/// What this rule says of itself.
pub const DESCRIPTOR: Descriptor = Descriptor {
    interface: INTERFACE,
    name: *b"min-spread\0\0\0\0\0\0",
    version: 1,
    pricing: Pricing::Single,
    flags_supported: flags::AUTO_CONFIRM,
    min_energy: true,
    continuous: false,
    no_residual_cross: false,
    max_orders: 2_000,
};

/// Answers [`DESCRIPTOR`].
///
/// # Errors
/// None.
pub const fn describe() -> Result<Descriptor, RuleError> {
    Ok(DESCRIPTOR)
}

/// Clears a call auction.
///
/// # Errors
/// Any [`auction::Fault`] of the book.
pub fn clear(params: ClearParams, book: Book) -> Result<Clearing, RuleError> {
    let orders = auction::check(&params, book, &DESCRIPTOR)?;
    let bids = auction::merit_order(&orders, Side::Buy);
    let mut asks = Asks::new(&orders);
    let mut pairs = BinaryHeap::with_capacity(bids.len());
    Ok(auction::with_min_energy(&orders, |left| Clearing {
        trades: pair(&orders, &bids, &mut asks, &mut pairs, left),
        ..Clearing::default()
    }))
}

/// A bid's next feasible pair; its order is the rule's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    spread: u32,
    newest: u32,
    bid: u32,
    ask: u32,
    /// Where the ask stands in [`Asks`].
    index: u32,
}

fn pair(
    orders: &[Order],
    bids: &[u32],
    asks: &mut Asks,
    pairs: &mut BinaryHeap<Reverse<Pair>>,
    left: &mut [Energy],
) -> Vec<Trade> {
    asks.rewind(left);
    pairs.clear();
    pairs.extend(bids.iter().filter(|&&bid| !left[bid as usize].is_zero()).filter_map(|&bid| {
        let start = asks.at_most(orders[bid as usize].price, orders);
        asks.next_pair(bid, start, orders).map(Reverse)
    }));
    let mut trades = Vec::new();
    while let Some(Reverse(Pair { bid, ask, index, .. })) = pairs.pop() {
        let (buyer, seller) = (&orders[bid as usize], &orders[ask as usize]);
        let energy = left[bid as usize].min(left[ask as usize]);
        if !energy.is_zero() {
            for order in [bid, ask] {
                left[order as usize] = left[order as usize].saturating_sub(energy);
            }
            let price = midpoint_floor(buyer.price, seller.price);
            trades.push(Trade {
                buy: buyer.seq,
                sell: seller.seq,
                energy,
                buy_price: price,
                sell_price: price,
            });
        }
        if left[ask as usize].is_zero() {
            asks.remove(index);
        }
        if !left[bid as usize].is_zero() {
            pairs.extend(asks.next_pair(bid, index, orders).map(Reverse));
        }
    }
    trades
}

/// The asks by price downwards, then seq, with a way to step over exhausted ones.
struct Asks {
    positions: Vec<u32>,
    /// For each index, and one past the last: an index at or after it, itself if its ask has energy left.
    onwards: Vec<u32>,
}

impl Asks {
    fn new(orders: &[Order]) -> Self {
        let mut positions = auction::merit_order(orders, Side::Sell);
        positions.sort_by_key(|&position| Reverse(orders[position as usize].price));
        Self { positions, onwards: Vec::new() }
    }

    fn rewind(&mut self, left: &[Energy]) {
        self.onwards.clear();
        self.onwards.extend((0..).zip(&self.positions).map(|(index, &position)| {
            let exhausted = left[position as usize].is_zero();
            index + u32::from(exhausted)
        }));
        let past_the_last = self.onwards.len().try_into().expect("positions are counted in u32");
        self.onwards.push(past_the_last);
    }

    fn remove(&mut self, index: u32) {
        self.onwards[index as usize] = index + 1;
    }

    /// The first index whose price is at most `limit`.
    fn at_most(&self, limit: Price, orders: &[Order]) -> u32 {
        let above = self.positions.partition_point(|&position| orders[position as usize].price > limit);
        above.try_into().expect("positions are counted in u32")
    }

    /// The first index at or after `index` whose ask has energy left; halves the path it walks.
    fn alive_from(&mut self, mut index: u32) -> u32 {
        while self.onwards[index as usize] != index {
            let next = self.onwards[index as usize];
            self.onwards[index as usize] = self.onwards[next as usize];
            index = next;
        }
        index
    }

    /// The first pair of `bid` with an ask of another entity at or after `index`.
    fn next_pair(&mut self, bid: u32, index: u32, orders: &[Order]) -> Option<Pair> {
        let buyer = &orders[bid as usize];
        let mut index = self.alive_from(index);
        while let Some(&ask) = self.positions.get(index as usize) {
            let seller = &orders[ask as usize];
            if seller.entity != buyer.entity {
                let spread = buyer.price.checked_sub(seller.price)?.ticks();
                return Some(Pair { spread, newest: bid.max(ask), bid, ask, index });
            }
            index = self.alive_from(index + 1);
        }
        None
    }
}
