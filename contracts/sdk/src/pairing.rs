//! Who trades with whom, once a rule has fixed how much each order trades and at what prices.
//!
//! Nobody may trade with itself, and whoever fills `b` of its bids and `a` of its asks out of a volume `V` takes part in
//! `b + a` of it: [`Fills::pair`] leaves nobody out if and only if no entity has `b + a > V`. [`Fills::fit`] sees to that.

use crate::{Owners, Queue, Shares};
use alloc::vec::Vec;
use contract_interface::{Order, Trade};
use runtime_primitives::{Energy, Price};

/// A book whose fills are fixed.
pub struct Fills<'a> {
    /// The orders by seq.
    pub orders: &'a [Order],
    /// Positions of the bids in merit order.
    pub bids: &'a [u32],
    /// Positions of the asks in merit order.
    pub asks: &'a [u32],
    /// Who could trade with itself.
    pub owners: &'a Owners,
}

impl Fills<'_> {
    /// The energy that `fills` (by position) moves.
    pub fn volume(&self, fills: &[Energy]) -> Energy {
        let energies = self.bids.iter().map(|&bid| fills[bid as usize]);
        energies.fold(Energy::ZERO, Energy::saturating_add)
    }

    /// Takes what an entity could only trade with itself from the worst of its fills, on both sides alike.
    ///
    /// At most one entity can be concerned, since the shares of all add up to twice the volume.
    pub fn fit(&self, fills: &mut [Energy]) {
        if self.owners.is_empty() {
            return;
        }
        let shares =
            Shares::from(self.owners.shares(self.bids.iter().chain(self.asks), |order| fills[order]));
        let excess = shares.largest().saturating_sub(self.volume(fills));
        for side in [self.bids, self.asks] {
            let mut excess = excess;
            for &order in side.iter().rev().filter(|&&order| self.is_of(shares.largest_owner(), order)) {
                let fill = &mut fills[order as usize];
                let taken = excess.min(*fill);
                *fill = fill.saturating_sub(taken);
                excess = excess.saturating_sub(taken);
            }
        }
    }

    /// Trades that fill each order as `left` says, at these prices for buyers and sellers: two pointers in merit order,
    /// and where both point at one entity's orders, the bid looks further for an ask of another's.
    ///
    /// That could end with an entity alone among its own orders. So a trade never takes more than leaves the others a
    /// partner; and as soon as somebody must take part in all that is left, its bids and its asks are served apart.
    /// Every trade but one exhausts a bid or an ask: pairs meet once, and trades are at most as many as orders.
    pub fn pair(&self, mut left: Vec<Energy>, [buy_price, sell_price]: [Price; 2]) -> Vec<Trade> {
        let mut remaining = self.volume(&left);
        let mut shares =
            Shares::from(self.owners.shares(self.bids.iter().chain(self.asks), |order| left[order]));
        let mut asks = Queue::from(self.asks.to_vec());
        let mut deal =
            Deal { orders: self.orders, left: &mut left, trades: Vec::new(), buy_price, sell_price };
        for &bid in self.bids {
            let bid = bid as usize;
            while !deal.left[bid].is_zero()
                && let Some(ask) = asks.first_not_of(self.orders[bid].entity, self.orders, deal.left)
            {
                let parties = [bid, ask].map(|order| {
                    let party = self.owners.number(order)?;
                    let share = shares.of(party);
                    shares.set(party, Energy::ZERO);
                    Some((party, share))
                });
                let room = remaining.saturating_sub(shares.largest());
                let busiest = shares.largest_owner();
                let energy = if room.is_zero() { room } else { deal.trade(bid, ask, room) };
                for (party, share) in parties.into_iter().flatten() {
                    shares.set(party, share.saturating_sub(energy));
                }
                if room.is_zero() {
                    self.serve(busiest, &mut deal);
                    return deal.trades;
                }
                remaining = remaining.saturating_sub(energy);
            }
        }
        deal.trades
    }

    /// Ends a pairing in which `owner` takes part in all that is left.
    fn serve(&self, owner: usize, deal: &mut Deal<'_>) {
        let of = |side: &[u32], own: bool| -> Vec<u32> {
            side.iter().copied().filter(|&order| self.is_of(owner, order) == own).collect()
        };
        for own in [true, false] {
            let asks = of(self.asks, !own);
            let mut ask = 0;
            for bid in of(self.bids, own) {
                while !deal.left[bid as usize].is_zero()
                    && let Some(&seller) = asks.get(ask)
                {
                    if deal.left[seller as usize].is_zero() {
                        ask += 1;
                    } else {
                        deal.trade(bid as usize, seller as usize, Energy::MAX);
                    }
                }
            }
        }
    }

    fn is_of(&self, owner: usize, order: u32) -> bool {
        self.owners.number(order as usize) == Some(owner)
    }
}

/// A pairing under way.
struct Deal<'a> {
    orders: &'a [Order],
    left: &'a mut [Energy],
    trades: Vec<Trade>,
    buy_price: Price,
    sell_price: Price,
}

impl Deal<'_> {
    /// Trades as much as both orders have left, at most `room`.
    fn trade(&mut self, bid: usize, ask: usize, room: Energy) -> Energy {
        let energy = self.left[bid].min(self.left[ask]).min(room);
        self.left[bid] = self.left[bid].saturating_sub(energy);
        self.left[ask] = self.left[ask].saturating_sub(energy);
        let (buy, sell) = (self.orders[bid].seq, self.orders[ask].seq);
        let (buy_price, sell_price) = (self.buy_price, self.sell_price);
        self.trades.push(Trade { buy, sell, energy, buy_price, sell_price });
        energy
    }
}
