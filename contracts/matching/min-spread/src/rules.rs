//! The min-spread algorithm (MARKET section 6, formula 2 with its legend put right: Δ = bid − ask ≥ 0).
//!
//! Pairs are taken in the order (spread, younger seq, bid's seq, ask's seq). A heap holds the next pair of some bids; a
//! bid that some other bid is sure to precede waits outside it (see [`Bids`]), or books of one shape would be quadratic.

use crate::{asks::Asks, bids::Bids};
use alloc::{collections::BinaryHeap, vec::Vec};
use contract_interface::{
    Book, ClearParams, Clearing, Descriptor, INTERFACE, Order, Pricing, RuleError, Trade, flags,
};
use contract_sdk::auction;
use core::cmp::Reverse;
use runtime_primitives::{Energy, midpoint_floor};

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
    let mut run =
        Run { bids: Bids::new(&orders), asks: Asks::new(&orders), pairs: BinaryHeap::new(), orders: &orders };
    let mut trades = Vec::new();
    auction::with_min_energy(&orders, |left| run.clear(left, &mut trades));
    Ok(Clearing { trades, ..Clearing::default() })
}

/// A bid's next feasible pair; the smallest goes first. From the top: spread, position of the younger order, of the bid.
///
/// A bid has one pair at a time, so that tells all pairs apart; [`Asks::met`] knows the ask.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair(u64);

// Two positions share the lower half.
const _: () = assert!(DESCRIPTOR.max_orders <= 1 << 16);

impl Pair {
    fn new(spread: u32, bid: u32, ask: u32) -> Self {
        Self(u64::from(spread) << 32 | u64::from(bid.max(ask)) << 16 | u64::from(bid))
    }

    /// Position of the bid.
    const fn bid(self) -> u32 {
        #[allow(clippy::cast_possible_truncation, reason = "the mask leaves 16 bits")]
        let bid = (self.0 & 0xffff) as u32;
        bid
    }
}

struct Run<'a> {
    orders: &'a [Order],
    bids: Bids,
    asks: Asks,
    pairs: BinaryHeap<Reverse<Pair>>,
}

impl Run<'_> {
    fn clear(&mut self, left: &mut [Energy], trades: &mut Vec<Trade>) {
        trades.clear();
        self.bids.rewind(left);
        self.asks.rewind(left);
        self.pairs.clear();
        for rank in 0..self.bids.count() {
            if let Some(bid) = self.bids.at(rank)
                && !left[bid as usize].is_zero()
            {
                self.pair_up(bid);
            }
        }
        while let Some(Reverse(pair)) = self.pairs.pop() {
            let bid = pair.bid();
            let ask = self.asks.met(bid);
            let (buyer_left, seller_left) = (left[bid as usize], left[ask as usize]);
            let energy = buyer_left.min(seller_left);
            if !energy.is_zero() {
                trades.push(trade(&self.orders[bid as usize], &self.orders[ask as usize], energy));
                left[bid as usize] = buyer_left.saturating_sub(energy);
                left[ask as usize] = seller_left.saturating_sub(energy);
            }
            if energy == seller_left {
                self.asks.remove_met(bid);
            }
            if energy == buyer_left {
                self.retire(bid);
            } else {
                self.pair_up(bid);
            }
        }
    }

    /// Finds the next pair of `bid`, for the heap unless the bid can wait, and of the bids that stop waiting for it.
    fn pair_up(&mut self, bid: u32) {
        let mut next = Some(bid);
        while let Some(bid) = next {
            let found = self.asks.next_for(bid, self.orders);
            let Some(ask) = found.ask else {
                next = self.bids.remove(bid);
                continue;
            };
            // Who waits for a bid relies on it to take every ask that is not its own.
            next = if found.skipped_own { self.bids.release_next(bid) } else { None };
            let (buyer, seller) = (&self.orders[bid as usize], &self.orders[ask as usize]);
            if !self.bids.wait(bid, seller, self.orders) {
                let spread = buyer.price.ticks().saturating_sub(seller.price.ticks());
                self.pairs.push(Reverse(Pair::new(spread, bid, ask)));
            }
        }
    }

    /// Takes out a bid that is filled.
    fn retire(&mut self, bid: u32) {
        if let Some(released) = self.bids.remove(bid) {
            self.pair_up(released);
        }
    }
}

fn trade(buyer: &Order, seller: &Order, energy: Energy) -> Trade {
    let price = midpoint_floor(buyer.price, seller.price);
    Trade { buy: buyer.seq, sell: seller.seq, energy, buy_price: price, sell_price: price }
}
