//! The entities that could trade with themselves, numbered; and which of them owns most.
//!
//! In most books there is none, and then nothing here costs more than finding that out.

use crate::auction::sorted_by_upper_half;
use alloc::{vec, vec::Vec};
use contract_interface::{Order, Side};
use runtime_primitives::Energy;

const NONE: u32 = u32::MAX;

/// The entities with a bid that reaches an ask of their own.
pub struct Owners {
    /// Number of each order's entity, or [`NONE`]; empty if there are no such entities.
    numbers: Vec<u32>,
    count: u32,
}

impl Owners {
    /// Those of a book.
    pub fn of(orders: &[Order]) -> Self {
        let keys = (0u64..).zip(orders).map(|(at, order)| u64::from(order.entity.number()) << 32 | at);
        let mut owners = Self { numbers: Vec::new(), count: 0 };
        for group in sorted_by_upper_half(keys.collect()).chunk_by(|a, b| a >> 32 == b >> 32) {
            #[allow(clippy::cast_possible_truncation, reason = "the position is the key's lower half")]
            let positions = || group.iter().map(|&key| key as u32 as usize);
            let prices = |side| {
                let own = positions().map(|at| &orders[at]).filter(move |order| order.side == side);
                own.map(|order| order.price)
            };
            if let (Some(bid), Some(ask)) = (prices(Side::Buy).max(), prices(Side::Sell).min())
                && bid >= ask
            {
                owners.numbers.resize(orders.len(), NONE);
                positions().for_each(|at| owners.numbers[at] = owners.count);
                owners.count += 1;
            }
        }
        owners
    }

    /// Whether nobody can trade with itself.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The number of the entity of the order at `position`, if it is one of these.
    #[inline]
    pub fn number(&self, position: usize) -> Option<usize> {
        self.numbers.get(position).filter(|&&number| number != NONE).map(|&number| number as usize)
    }

    /// How much each of them has at `positions`, an order counting as `energy` says.
    pub fn shares<'a>(
        &self,
        positions: impl IntoIterator<Item = &'a u32>,
        energy: impl Fn(usize) -> Energy,
    ) -> Vec<Energy> {
        let mut shares = vec![Energy::ZERO; self.count as usize];
        if !self.is_empty() {
            for &position in positions {
                let position = position as usize;
                if let Some(owner) = self.number(position) {
                    shares[owner] = shares[owner].saturating_add(energy(position));
                }
            }
        }
        shares
    }
}

/// Energies of numbered owners, with the largest always known: a tournament, so that a change costs O(log n).
pub struct Shares {
    /// Node `i` holds the larger of its children `2i` and `2i + 1`; leaves are the second half.
    tree: Vec<Energy>,
}

impl From<Vec<Energy>> for Shares {
    fn from(shares: Vec<Energy>) -> Self {
        let leaves = shares.len().next_power_of_two();
        let mut tree = vec![Energy::ZERO; 2 * leaves];
        tree[leaves..leaves + shares.len()].copy_from_slice(&shares);
        for node in (1..leaves).rev() {
            tree[node] = tree[2 * node].max(tree[2 * node + 1]);
        }
        Self { tree }
    }
}

impl Shares {
    /// The share of an owner.
    pub fn of(&self, owner: usize) -> Energy {
        self.tree[self.tree.len() / 2 + owner]
    }

    /// Changes it.
    pub fn set(&mut self, owner: usize, share: Energy) {
        let mut node = self.tree.len() / 2 + owner;
        self.tree[node] = share;
        while node > 1 {
            let larger = self.tree[node].max(self.tree[node ^ 1]);
            node /= 2;
            if self.tree[node] == larger {
                return;
            }
            self.tree[node] = larger;
        }
    }

    /// The largest share; nothing if there is no owner.
    pub fn largest(&self) -> Energy {
        self.tree[1]
    }

    /// An owner of the largest share.
    pub fn largest_owner(&self) -> usize {
        let leaves = self.tree.len() / 2;
        let mut node = 1;
        while node < leaves {
            node *= 2;
            if self.tree[node] < self.tree[node + 1] {
                node += 1;
            }
        }
        node - leaves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_share_is_known_after_every_change() {
        for count in [0usize, 1, 2, 3, 5, 8, 13] {
            let mut shares = Shares::from(vec![Energy::ZERO; count]);
            let mut model = vec![0u64; count];
            let mut random = 7u64;
            for _ in 0..200 * count {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let owner = usize::try_from(random >> 33).expect("64 bits") % count;
                let share = random >> 20 & 15;
                shares.set(owner, Energy::from_wh(share));
                model[owner] = share;
                let largest = model.iter().max().copied().unwrap_or(0);
                assert_eq!(shares.largest().wh(), largest, "{model:?}");
                assert_eq!(model[shares.largest_owner()], largest, "{model:?}");
                assert_eq!(shares.of(owner).wh(), share);
            }
            assert!(count > 0 || shares.largest().is_zero());
        }
    }
}
