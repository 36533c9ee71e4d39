//! The retailer's rates, and the prices at which a prosumer would rather trade.
//!
//! All in ticks of 10⁻⁴ yuan/kWh. A quote lies between the feed-in rate and the retail rate less the network
//! fee, where both sides gain; how eager it is comes from a seed, so that a day can be repeated.

use super::error::CommunityError;
use contract_interface::Side;
use runtime_primitives::{Price, blake2_256};

/// Part of the span that a quote may give away, in tenths.
const EAGERNESS_TENTHS: u128 = 6;

/// Rates outside the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tariff {
    feed_in: Price,
    retail: Price,
    network_fee: Price,
}

impl Default for Tariff {
    /// Feed-in 0.39, retail 0.56, network fee 0.02 yuan/kWh: assumptions of the example, not data.
    fn default() -> Self {
        let [feed_in, retail, network_fee] = [3_900, 5_600, 200].map(Price::from_ticks);
        Self { feed_in, retail, network_fee }
    }
}

impl Tariff {
    /// Rates that leave room to trade.
    ///
    /// # Errors
    /// [`CommunityError::Tariff`] if feed-in and fee exceed retail.
    pub fn new(feed_in: Price, retail: Price, network_fee: Price) -> Result<Self, CommunityError> {
        let tariff = Self { feed_in, retail, network_fee };
        let room = retail.checked_sub(network_fee).and_then(|ceiling| ceiling.checked_sub(feed_in));
        match room {
            Some(_) => Ok(tariff),
            None => Err(CommunityError::Tariff {
                feed_in: feed_in.ticks(),
                network_fee: network_fee.ticks(),
                retail: retail.ticks(),
            }),
        }
    }

    /// F: what the retailer pays for energy fed in; the lowest price worth asking.
    pub const fn feed_in(&self) -> Price {
        self.feed_in
    }

    /// R: what the retailer charges.
    pub const fn retail(&self) -> Price {
        self.retail
    }

    /// n: network fee on traded energy.
    pub const fn network_fee(&self) -> Price {
        self.network_fee
    }

    /// R − n: the highest price worth bidding.
    pub fn ceiling(&self) -> Price {
        self.retail.checked_sub(self.network_fee).expect("a tariff leaves room to trade")
    }

    /// The limit price of `prosumer` on `side` in `slot`: sellers ask `F + 0.6·u·span`, buyers bid
    /// `(R − n) − 0.6·u·span`, where span = R − n − F and u in [0, 1) is drawn from the seed.
    pub fn quote(&self, side: Side, seed: u64, prosumer: u32, slot: u32) -> Price {
        let (floor, ceiling) = (self.feed_in, self.ceiling());
        let span = ceiling.checked_sub(floor).expect("a tariff leaves room to trade");
        let given = u128::from(span.ticks()) * EAGERNESS_TENTHS * u128::from(draw(seed, prosumer, slot));
        let given = Price::from_ticks(
            u32::try_from((given / 10) >> u32::BITS).expect("less than the span, which is a u32"),
        );
        match side {
            Side::Sell => floor.saturating_add(given),
            Side::Buy => ceiling.checked_sub(given).expect("less than the span is given away"),
        }
    }
}

/// u · 2³² for one prosumer and slot: uniform, and independent for different arguments.
fn draw(seed: u64, prosumer: u32, slot: u32) -> u32 {
    let mut input = b"busbar/quote/v1".to_vec();
    input.extend(seed.to_le_bytes());
    input.extend(prosumer.to_le_bytes());
    input.extend(slot.to_le_bytes());
    let [a, b, c, d, ..] = blake2_256(&input).0;
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn tariff(feed_in: u32, retail: u32, fee: u32) -> Result<Tariff, CommunityError> {
        Tariff::new(Price::from_ticks(feed_in), Price::from_ticks(retail), Price::from_ticks(fee))
    }

    #[test]
    fn quotes_stay_inside_the_bounds_for_any_tariff() {
        let tariffs =
            [(3_900, 5_600, 200), (0, u32::MAX, 0), (5_400, 5_600, 200), (0, 1, 0), (0, 10, 10), (7, 9, 0)];
        for (feed_in, retail, fee) in tariffs {
            let tariff = tariff(feed_in, retail, fee).unwrap();
            let span = retail - fee - feed_in;
            let six_tenths = u32::try_from(u64::from(span) * 6 / 10).unwrap();
            for seed in 0..4 {
                for (prosumer, slot) in (0..50).flat_map(|p| (0..20).map(move |s| (p, s))) {
                    let ask = tariff.quote(Side::Sell, seed, prosumer, slot).ticks();
                    let bid = tariff.quote(Side::Buy, seed, prosumer, slot).ticks();
                    assert!((feed_in..=feed_in + six_tenths).contains(&ask), "{tariff:?}: ask {ask}");
                    assert!(
                        (retail - fee - six_tenths..=retail - fee).contains(&bid),
                        "{tariff:?}: bid {bid}"
                    );
                }
            }
        }
    }

    #[test]
    fn draws_are_uniform_enough_and_repeat() {
        let draws: Vec<u32> = (0..100).flat_map(|p| (0..96).map(move |s| draw(9, p, s))).collect();
        let mut quarters = [0u32; 4];
        draws.iter().for_each(|draw| quarters[usize::try_from(draw >> 30).unwrap()] += 1);
        assert!(quarters.iter().all(|count| (2_250..2_550).contains(count)), "{quarters:?}");
        let mut distinct = draws.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert!(distinct.len() > 9_590);
        assert_eq!(draw(9, 3, 4), draws[3 * 96 + 4]);
        assert_ne!(draw(10, 3, 4), draw(9, 3, 4));
        // Frozen: a change here changes every demo day.
        let tariff = Tariff::default();
        let quotes: Vec<u32> = (0..4).map(|slot| tariff.quote(Side::Sell, 1, 0, slot).ticks()).collect();
        assert_eq!(quotes, [4_257, 4_538, 4_330, 4_238]);
    }

    #[test]
    fn a_tariff_leaves_room() {
        assert_eq!(Tariff::default(), tariff(3_900, 5_600, 200).unwrap());
        assert_eq!(Tariff::default().ceiling().ticks(), 5_400);
        for (feed_in, retail, fee) in [(5_401, 5_600, 200), (0, 5, 6), (u32::MAX, u32::MAX, 1)] {
            assert!(matches!(tariff(feed_in, retail, fee), Err(CommunityError::Tariff { .. })));
        }
    }
}
