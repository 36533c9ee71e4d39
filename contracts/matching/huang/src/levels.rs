//! One side of a book in merit order, orders of one price merged into a level; and how levels share what they trade.
//!
//! Levels are found once; their energies change with every run of the minimum-fill loop. A level without energy is none.

use alloc::vec::Vec;
use contract_interface::{Order, Side};
use contract_sdk::auction;
use runtime_primitives::{Energy, Price};

/// Orders of one price.
pub struct Level {
    /// Their price.
    pub price: Price,
    /// Where they end in merit order.
    end: usize,
    /// t: the energy that they have.
    pub energy: Energy,
}

/// One side of a book.
pub struct Levels {
    orders: Vec<u32>,
    levels: Vec<Level>,
    /// Room for the energies whose reduction is looked for.
    open: Vec<Energy>,
}

impl Levels {
    /// Sorts one side; its levels have no energy yet.
    pub fn new(orders: &[Order], side: Side) -> Self {
        let merit = auction::merit_order(orders, side);
        let price_of = |order: &u32| orders[*order as usize].price;
        let mut levels = Vec::new();
        let mut end = 0;
        for level in merit.chunk_by(|a, b| price_of(a) == price_of(b)) {
            end += level.len();
            levels.push(Level { price: price_of(&level[0]), end, energy: Energy::ZERO });
        }
        Self { orders: merit, levels, open: Vec::new() }
    }

    /// Positions in merit order.
    pub fn orders(&self) -> &[u32] {
        &self.orders
    }

    /// The level with this number, from the best.
    pub fn get(&self, level: usize) -> Option<&Level> {
        self.levels.get(level)
    }

    /// Adds up what the orders of each level have left.
    pub fn add_up(&mut self, left: &[Energy]) {
        let mut start = 0;
        for level in &mut self.levels {
            let energies = self.orders[start..level.end].iter().map(|&order| left[order as usize]);
            level.energy = energies.fold(Energy::ZERO, Energy::saturating_add);
            start = level.end;
        }
    }

    /// The energy of the best `count` levels.
    pub fn energy(&self, count: usize) -> Energy {
        self.levels[..count].iter().fold(Energy::ZERO, |sum, level| sum.saturating_add(level.energy))
    }

    /// Fills `traded` at the best `count` levels: each level gives up the same, one that has less gives up everything, and
    /// the single Wh that cannot be shared are the worst levels'. Within a level, orders are filled in proportion.
    ///
    /// `traded` is above zero and at most the levels' energy.
    pub fn fill(&mut self, count: usize, traded: Energy, left: &[Energy], fills: &mut [Energy]) {
        let (cut, mut odd) = self.reduction(count, self.energy(count).saturating_sub(traded));
        for level in (0..count).rev() {
            let start = level.checked_sub(1).map_or(0, |better| self.levels[better].end);
            let Level { end, energy, .. } = self.levels[level];
            let mut kept = energy.saturating_sub(cut);
            if !odd.is_zero() && !kept.is_zero() {
                (kept, odd) = (kept.saturating_sub(WH), odd.saturating_sub(WH));
            }
            share(&self.orders[start..end], energy, kept, left, fills);
        }
    }

    /// c and r: the largest c with Σ min(t, c) ≤ `excess`, and what that leaves of it.
    ///
    /// Levels with less than the mean of what is still to be given up give up everything, which raises the mean for the
    /// others. A rise that again reaches few levels is a fraction of the one before, so there are few rounds.
    fn reduction(&mut self, count: usize, excess: Energy) -> (Energy, Energy) {
        self.open.clear();
        self.open.extend(self.levels[..count].iter().map(|level| level.energy));
        let mut rest = excess.wh();
        loop {
            let sharing = self.open.len();
            // `excess` is less than all energy, so some level always has more than its share.
            let number = u64::try_from(sharing).unwrap_or(u64::MAX).max(1);
            let (mean, odd) = (Energy::from_wh(rest / number), Energy::from_wh(rest % number));
            self.open.retain(|energy| {
                let closes = *energy <= mean;
                rest = rest.saturating_sub(if closes { energy.wh() } else { 0 });
                !closes
            });
            if self.open.len() == sharing {
                return (mean, odd);
            }
        }
    }
}

const WH: Energy = Energy::from_wh(1);

/// Fills `kept` of the `energy` of a level's orders in proportion, rounded down; the remainder goes 1 Wh each by seq.
fn share(orders: &[u32], energy: Energy, kept: Energy, left: &[Energy], fills: &mut [Energy]) {
    let mut remainder = kept;
    for &order in orders {
        let fill = part(left[order as usize], kept, energy);
        fills[order as usize] = fill;
        remainder = remainder.saturating_sub(fill);
    }
    for &order in orders {
        if remainder.is_zero() {
            return;
        }
        let order = order as usize;
        if fills[order] < left[order] {
            fills[order] = fills[order].saturating_add(WH);
            remainder = remainder.saturating_sub(WH);
        }
    }
}

/// ⌊`energy` · `kept` / `whole`⌋, where `energy` and `kept` are at most `whole`.
fn part(energy: Energy, kept: Energy, whole: Energy) -> Energy {
    if energy == whole {
        return kept;
    }
    if kept == whole || energy.is_zero() {
        return energy;
    }
    let product = u128::from(energy.wh()) * u128::from(kept.wh());
    Energy::from_wh(match u64::try_from(product) {
        Ok(product) => product / whole.wh(),
        Err(_) => quotient(product, whole.wh()),
    })
}

const LOW: u64 = 0xffff_ffff;

/// ⌊`dividend` / `divisor`⌋ below 2⁶⁴, in two digits of 32 bits (Knuth, TAOCP 4.3.1, algorithm D).
///
/// The compiler's division of 128 bits takes several times as much gas, which counts in 65 runs over a full book.
#[allow(clippy::cast_possible_truncation, reason = "takes a number to pieces")]
const fn quotient(dividend: u128, divisor: u64) -> u64 {
    let shift = divisor.leading_zeros();
    let (dividend, divisor) = (dividend << shift, divisor << shift);
    let (high, low) = ((dividend >> 64) as u64, dividend as u64);
    let (first, rest) = digit(high, low >> 32, divisor);
    let (second, _) = digit(rest, low & LOW, divisor);
    first << 32 | second
}

/// A digit of the quotient of `rest` and the digit `next` behind it, and what it leaves. `rest` is below `divisor`, whose
/// first bit is set.
const fn digit(rest: u64, next: u64, divisor: u64) -> (u64, u64) {
    let (top, bottom) = (divisor >> 32, divisor & LOW);
    let (mut digit, mut over) = (rest / top, rest % top);
    // The guess is too large by two at most.
    while over <= LOW && (digit > LOW || digit.wrapping_mul(bottom) > (over << 32 | next)) {
        digit -= 1;
        over += top;
    }
    (digit, (rest << 32 | next).wrapping_sub(digit.wrapping_mul(divisor)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotient_by_digits_is_the_quotient() {
        let mut random = 1u64;
        let mut next = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let bits = random ^ (random >> 29);
            [bits, bits >> (bits & 31), u64::MAX - (bits & 3), bits | LOW << 32, bits & !LOW | 1 << 63]
                [usize::try_from((random >> 40) % 5).expect("small")]
        };
        for _ in 0..200_000 {
            let divisor = next().max(2);
            let (one, other) = (next() % divisor, next() % divisor);
            let dividend = u128::from(one) * u128::from(other);
            let expected = dividend / u128::from(divisor);
            assert_eq!(u128::from(quotient(dividend, divisor)), expected, "{one} {other} {divisor}");
        }
    }
}
