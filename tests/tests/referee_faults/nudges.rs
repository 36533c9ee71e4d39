//! Numbers near others, for batches that are changed at random.
//!
//! A seed gives the same changes on every machine.

use crate::testing::books::Random;
use runtime_primitives::Price;

pub(crate) fn seed() -> u64 {
    let seed = std::env::var("BUSBAR_SEED").map_or(1, |seed| seed.parse().expect("BUSBAR_SEED is a number"));
    println!("BUSBAR_SEED={seed}");
    seed
}

/// A number near `value`: one more, one less, or something else altogether.
pub(crate) fn nudged(random: &mut Random, value: u64) -> u64 {
    match random.below(4) {
        0 => value.saturating_add(1),
        1 => value.saturating_sub(1),
        2 => u64::from(random.below(6_000)),
        _ => random.bits(),
    }
}

pub(crate) fn nudged_price(random: &mut Random, price: Price) -> Price {
    Price::from_ticks(u32::try_from(nudged(random, u64::from(price.ticks()))).unwrap_or(u32::MAX))
}

pub(crate) fn pick<'a, T>(random: &mut Random, all: &'a mut [T]) -> Option<&'a mut T> {
    let count = u32::try_from(all.len()).unwrap();
    (count > 0).then(|| &mut all[random.below(count) as usize])
}
