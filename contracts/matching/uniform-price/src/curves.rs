//! Demand and supply of a book, where they meet, and the price there.
//!
//! With D(p) the bids at p or above and S(p) the asks at p or below, merit order finds V, the maximum of min(D, S),
//! without looking for it. But nobody trades with itself: an entity x that fills b bids and a asks of V takes part in
//! b + a of it, and b + a > V cannot be. Then V is the most that different entities can trade at one price, the maximum
//! of
//!
//! ```text
//! T(p) = min(D(p), S(p), D₋ₓ(p) + S₋ₓ(p))         D₋ₓ, S₋ₓ: without x
//! ```
//!
//! the least cut between bids and asks: x's bids meet S₋ₓ at most, x's asks D₋ₓ. There is one such x at most, as all
//! shares add up to 2 V; and no other z can bind, at any p. Where D(p) ≤ V, for instance, z would need bids there above
//! S₋z(p), but these are at most V − b, which is less than a, which is at most S₋z(p).

use alloc::vec::Vec;
use contract_interface::{Order, Side};
use contract_sdk::auction::{self, Cleared};
use contract_sdk::{Owners, pairing::Fills};
use runtime_primitives::{Energy, Price, midpoint_floor};

/// A book's two curves.
pub struct Curves<'a> {
    orders: &'a [Order],
    bids: Vec<u32>,
    asks: Vec<u32>,
    owners: Owners,
}

impl<'a> Curves<'a> {
    /// Sorts the orders.
    pub fn new(orders: &'a [Order]) -> Self {
        let [bids, asks] = [Side::Buy, Side::Sell].map(|side| auction::merit_order(orders, side));
        Self { orders, bids, asks, owners: Owners::of(orders) }
    }

    /// The book, to be paired.
    pub fn fills(&self) -> Fills<'_> {
        Fills { orders: self.orders, bids: &self.bids, asks: &self.asks, owners: &self.owners }
    }

    /// Takes from `left` what each order trades: in merit order, as far as different entities can trade at one price.
    ///
    /// `before` is room for a copy of `left`.
    pub fn fill(&self, left: &mut [Energy], before: &mut Vec<Energy>) {
        if self.owners.is_empty() {
            self.consume(left);
            return;
        }
        before.clear();
        before.extend_from_slice(left);
        let (volume, [bids, asks]) = self.consume(left);
        let fill = |order: usize| before[order].saturating_sub(left[order]);
        let shares = self.owners.shares(bids.iter().chain(asks), fill);
        let Some(owner) = shares.iter().position(|share| *share > volume) else { return };
        left.copy_from_slice(before);
        let best = self.volume(owner, left);
        let bought = self.take(&self.bids, best.volume, owner, best.supply_of_others, left);
        let unsold = best.volume.saturating_sub(bought);
        self.take(&self.asks, best.volume, owner, unsold, left);
    }

    /// Takes bids and asks in merit order from `left` while they cross: the maximum over all prices of min(D, S), and the
    /// orders that it took from.
    fn consume(&self, left: &mut [Energy]) -> (Energy, [&[u32]; 2]) {
        let mut volume = Energy::ZERO;
        let (mut bids, mut asks) = (0, 0);
        while let (Some(&bid), Some(&ask)) = (self.bids.get(bids), self.asks.get(asks)) {
            let (bid, ask) = (bid as usize, ask as usize);
            if self.orders[bid].price < self.orders[ask].price {
                break;
            }
            let energy = left[bid].min(left[ask]);
            volume = volume.saturating_add(energy);
            left[bid] = left[bid].saturating_sub(energy);
            left[ask] = left[ask].saturating_sub(energy);
            bids += usize::from(left[bid].is_zero());
            asks += usize::from(left[ask].is_zero());
        }
        let taken = |side: &'_ [u32], count: usize| side.len().min(count + 1);
        (volume, [&self.bids[..taken(&self.bids, bids)], &self.asks[..taken(&self.asks, asks)]])
    }

    /// Takes `volume` in merit order, at most `cap` of it from `owner`; returns what it took from it.
    fn take(&self, side: &[u32], volume: Energy, owner: usize, cap: Energy, left: &mut [Energy]) -> Energy {
        let (mut missing, mut of_owner) = (volume, Energy::ZERO);
        for &order in side {
            let order = order as usize;
            let mut energy = left[order].min(missing);
            if self.owners.number(order) == Some(owner) {
                energy = energy.min(cap.saturating_sub(of_owner));
                of_owner = of_owner.saturating_add(energy);
            }
            missing = missing.saturating_sub(energy);
            left[order] = left[order].saturating_sub(energy);
            if missing.is_zero() {
                break;
            }
        }
        of_owner
    }

    /// The maximum of T over all prices, at the lowest price where it is reached.
    fn volume(&self, owner: usize, energies: &[Energy]) -> Best {
        let is_own = |order: u32| self.owners.number(order as usize) == Some(owner);
        let (mut demand, mut demand_of_others) = (Energy::ZERO, Energy::ZERO);
        for &bid in &self.bids {
            let energy = energies[bid as usize];
            demand = demand.saturating_add(energy);
            if !is_own(bid) {
                demand_of_others = demand_of_others.saturating_add(energy);
            }
        }
        let (mut supply, mut supply_of_others) = (Energy::ZERO, Energy::ZERO);
        let mut best = Best::default();
        let mut bids = self.bids.iter().rev().peekable();
        let mut asks = self.asks.iter().peekable();
        let price_of = |order: &&u32| self.orders[**order as usize].price;
        // Between two asks' prices only demand changes, and falls: T's maximum is at an ask's price.
        while let Some(price) = asks.peek().map(price_of) {
            while let Some(&bid) = bids.next_if(|bid| price_of(bid) < price) {
                let energy = energies[bid as usize];
                demand = demand.saturating_sub(energy);
                if !is_own(bid) {
                    demand_of_others = demand_of_others.saturating_sub(energy);
                }
            }
            while let Some(&ask) = asks.next_if(|ask| price_of(ask) == price) {
                let energy = energies[ask as usize];
                supply = supply.saturating_add(energy);
                if !is_own(ask) {
                    supply_of_others = supply_of_others.saturating_add(energy);
                }
            }
            let volume = demand.min(supply).min(demand_of_others.saturating_add(supply_of_others));
            if volume > best.volume {
                best = Best { volume, supply_of_others };
            }
        }
        best
    }

    /// The middle, rounded down, between the bounds that the orders set, or `None` if nothing is filled.
    ///
    /// The dearest filled ask and the cheapest filled bid are bounds, and between these the best orders with something
    /// left. Beyond these only an order of an entity without partners can have something left; it sets no price.
    pub fn price(&self, cleared: &Cleared) -> Option<Price> {
        let price_of = |order: &u32| self.orders[*order as usize].price;
        let filled = |order: &&u32| !cleared.fills[**order as usize].is_zero();
        let open = |order: &&u32| !cleared.left[**order as usize].is_zero();
        let ask = price_of(self.asks.iter().rev().find(filled)?);
        let bid = price_of(self.bids.iter().rev().find(filled)?);
        let mut open_bids = self.bids.iter().filter(open).map(price_of).skip_while(|price| *price > bid);
        let mut open_asks = self.asks.iter().filter(open).map(price_of).skip_while(|price| *price < ask);
        let low = open_bids.next().map_or(ask, |open| open.max(ask));
        let high = open_asks.next().map_or(bid, |open| open.min(bid));
        Some(midpoint_floor(high, low))
    }
}

/// What can be traded at the best price.
#[derive(Default)]
struct Best {
    volume: Energy,
    /// S₋ₓ there: what x's bids can meet.
    supply_of_others: Energy,
}
