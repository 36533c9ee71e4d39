//! What each prosumer intends to trade, from what it knows when the gate closes.
//!
//! The forecast is persistence over two slots: when slot t's gate closes, slot t − 1 is still running, so t − 2
//! is the last one metered. Slots 0 and 1 have no such slot and trade nothing.

use super::model::{Community, Metered};
use super::tariff::Tariff;
use contract_interface::Side;
use runtime_primitives::{Energy, Price};

/// Less than this is not worth an order: the error of the forecast is larger.
pub const INTENT_ENERGY_MIN: Energy = Energy::from_wh(10);

/// Slots between the last metered one and the one traded.
const LAG: u32 = 2;

/// An order that a prosumer would place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Who.
    pub prosumer: u32,
    /// For which slot of the day.
    pub slot: u32,
    /// Direction.
    pub side: Side,
    /// How much, ≥ [`INTENT_ENERGY_MIN`].
    pub energy: Energy,
    /// Limit price.
    pub price: Price,
}

impl Community {
    /// The intents for `slot`, by prosumer; the same `seed` gives the same prices.
    pub fn intents(&self, slot: u32, tariff: &Tariff, seed: u64) -> Vec<Intent> {
        let Some(known) = slot.checked_sub(LAG) else { return Vec::new() };
        self.prosumers
            .iter()
            .filter_map(|prosumer| {
                let (side, energy) = wish(self.metered(prosumer.index, known)?)?;
                let price = tariff.quote(side, seed, prosumer.index, slot);
                Some(Intent { prosumer: prosumer.index, slot, side, energy, price })
            })
            .collect()
    }
}

/// What to trade if the next slot is like the one metered.
fn wish(metered: Metered) -> Option<(Side, Energy)> {
    let side = if metered.export.is_zero() { Side::Buy } else { Side::Sell };
    (metered.net() >= INTENT_ENERGY_MIN).then(|| (side, metered.net()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::community::{SLOTS, Season};

    const SLOTS_U32: u32 = 96;

    #[test]
    fn intents_follow_the_slot_before_last() {
        let community = Community::embedded(Season::Summer);
        let tariff = Tariff::default();
        assert_eq!(SLOTS, 96);
        for slot in [0, 1, SLOTS_U32 + LAG] {
            assert_eq!(community.intents(slot, &tariff, 1), vec![], "slot {slot}");
        }
        for slot in LAG..SLOTS_U32 {
            let intents = community.intents(slot, &tariff, 1);
            assert!(intents.is_sorted_by_key(|intent| intent.prosumer));
            for prosumer in 0..100 {
                let metered = community.metered(prosumer, slot - LAG).unwrap();
                let found = intents.iter().find(|intent| intent.prosumer == prosumer);
                let (import, export) = (metered.import.wh(), metered.export.wh());
                let expected = match (import, export) {
                    (10.., _) => Some((Side::Buy, import)),
                    (_, 10..) => Some((Side::Sell, export)),
                    _ => None,
                };
                assert_eq!(found.map(|intent| (intent.side, intent.energy.wh())), expected);
            }
            for intent in intents {
                assert!((tariff.feed_in()..=tariff.ceiling()).contains(&intent.price));
                let prosumer = community.prosumers[usize::try_from(intent.prosumer).unwrap()];
                assert!(intent.energy.wh() * 4 <= u64::from(prosumer.capacity_w));
            }
        }
    }

    #[test]
    fn without_the_lag_the_wishes_are_the_published_orders() {
        // order_id,slot,prosumer,side,qty_wh,price
        let published = include_str!("../../../../tests/data/simbench/orders_summer_2016-05-26.csv");
        let published: Vec<(u32, u32, String, u64)> = published
            .lines()
            .skip(1)
            .map(|line| {
                let fields: Vec<&str> = line.split(',').collect();
                let number = |at: usize| fields[at].parse().unwrap();
                (number(1), number(2), fields[3].to_owned(), fields[4].parse().unwrap())
            })
            .collect();
        assert_eq!(published.len(), 9_250);
        let community = Community::embedded(Season::Summer);
        let mut wishes = Vec::new();
        for prosumer in 0..100 {
            for slot in 0..SLOTS_U32 {
                if let Some((side, energy)) = wish(community.metered(prosumer, slot).unwrap()) {
                    let side = if side == Side::Buy { "buy" } else { "sell" };
                    wishes.push((slot, prosumer, side.to_owned(), energy.wh()));
                }
            }
        }
        let sorted = |mut orders: Vec<(u32, u32, String, u64)>| {
            orders.sort();
            orders
        };
        assert_eq!(sorted(wishes), sorted(published));
    }

    #[test]
    fn another_seed_changes_prices_and_nothing_else() {
        let community = Community::embedded(Season::Shoulder);
        let of = |seed| community.intents(48, &Tariff::default(), seed);
        assert_eq!(of(1), of(1));
        let without_price = |intents: Vec<Intent>| {
            intents
                .into_iter()
                .map(|intent| (intent.prosumer, intent.side, intent.energy))
                .collect::<Vec<_>>()
        };
        assert_ne!(of(1), of(2));
        assert_eq!(without_price(of(1)), without_price(of(2)));
    }
}
