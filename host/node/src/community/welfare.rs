//! Yardsticks for a market: the most that trading could gain, and what people pay without a market.

use super::model::Metered;
use super::tariff::Tariff;
use crate::report::Amount;
use contract_interface::{Order, Side};
use runtime_primitives::{Energy, Money, Price};
use std::cmp::Reverse;

/// The largest total gain `Σ (bid − ask) · q` that any matching of `orders` can reach.
///
/// Bids falling against asks rising, until they no longer cross: optimal where no entity stands on both sides.
/// Where one does, this counts trades with itself too and is an upper bound. Minimum fills are ignored.
///
/// # Panics
/// If the gain exceeds 2¹²⁸ units, for which no book has orders enough.
pub fn optimum<'a>(orders: impl IntoIterator<Item = &'a Order>) -> Money {
    let (bids, asks): (Vec<&Order>, Vec<&Order>) =
        orders.into_iter().partition(|order| order.side == Side::Buy);
    let levels = |orders: Vec<&Order>| orders.iter().map(|o| (o.price, o.energy)).collect::<Vec<_>>();
    let (mut bids, mut asks) = (levels(bids), levels(asks));
    bids.sort_unstable_by_key(|(price, _)| Reverse(*price));
    asks.sort_unstable_by_key(|(price, _)| *price);
    gain(bids, asks)
}

fn gain(bids: Vec<(Price, Energy)>, asks: Vec<(Price, Energy)>) -> Money {
    let (mut bids, mut asks) = (bids.into_iter(), asks.into_iter());
    let (mut bid, mut ask) = (bids.next(), asks.next());
    let mut total = Money::ZERO;
    while let (Some((bid_price, wanted)), Some((ask_price, offered))) = (bid, ask) {
        let Some(spread) = bid_price.checked_sub(ask_price) else { break };
        let energy = wanted.min(offered);
        total =
            total.checked_add(spread.times(energy)).expect("2³² ticks × 2⁶⁴ Wh × 2³² orders fit 128 bits");
        let rest = |price, had: Energy| {
            Some((price, had.saturating_sub(energy))).filter(|(_, left)| !left.is_zero())
        };
        bid = rest(bid_price, wanted).or_else(|| bids.next());
        ask = rest(ask_price, offered).or_else(|| asks.next());
    }
    total
}

/// What a connection pays and gets where there is only the retailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetailBill {
    /// Paid for import at the retail rate.
    pub pays: Money,
    /// Received for export at the feed-in rate.
    pub receives: Money,
}

impl RetailBill {
    /// The bill for one slot.
    pub const fn of(tariff: &Tariff, metered: Metered) -> Self {
        let pays = tariff.retail().times(metered.import);
        let receives = tariff.feed_in().times(metered.export);
        Self { pays, receives }
    }

    /// Both bills in one; `None` beyond 2¹²⁸ units.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            pays: self.pays.checked_add(other.pays)?,
            receives: self.receives.checked_add(other.receives)?,
        })
    }

    /// What remains for the connection, negative if it pays; `None` beyond 2¹²⁷ units.
    pub fn balance(self) -> Option<Amount> {
        Amount::received(self.receives)?.checked_add(Amount::paid(self.pays)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use runtime_primitives::{EntityId, MeterId, Seq};
    use serde_json::Value;

    fn order(side: Side, energy: u64, price: u64) -> Order {
        Order {
            seq: Seq::ZERO,
            entity: EntityId::ZERO,
            meter: MeterId::ZERO,
            side,
            energy: Energy::from_wh(energy),
            min_energy: Energy::ZERO,
            price: Price::from_ticks(u32::try_from(price).unwrap()),
            flags: 0,
            partner: EntityId::ZERO,
        }
    }

    #[test]
    fn optima_equal_those_of_a_linear_program() {
        let text = include_str!("../../../../tests/vectors/auction.json");
        let vectors: Value = serde_json::from_str(text).unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 120);
        let mut traded = 0;
        for case in cases {
            let orders: Vec<Order> = case["orders"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| {
                    let side = if row["side"] == "buy" { Side::Buy } else { Side::Sell };
                    order(side, row["qty"].as_u64().unwrap(), row["price"].as_u64().unwrap())
                })
                .collect();
            let program = &case["pymarket_welfare_lp"];
            let expected = program["max_welfare"].to_string();
            let expected = expected.strip_suffix(".0").unwrap_or(&expected);
            assert_eq!(optimum(&orders).units().to_string(), expected, "case {}: {program}", case["case"]);
            traded += u32::from(!optimum(&orders).is_zero());
        }
        assert!(traded > 90, "only {traded} books cross");
    }

    #[test]
    fn optimum_of_small_books() {
        let (buy, sell) = (Side::Buy, Side::Sell);
        // The worked example of the market's rules, and the paper's case, where nobody gains.
        let worked = [
            (buy, 100, 6_000),
            (buy, 100, 5_000),
            (buy, 100, 4_500),
            (sell, 100, 3_000),
            (sell, 150, 4_000),
            (sell, 100, 5_800),
        ];
        type Book<'a> = &'a [(Side, u64, u64)];
        let rows: [(Book<'_>, u128); 5] = [
            (&worked, 100 * 3_000 + 100 * 1_000 + 50 * 500),
            (&[(buy, 10_000, 6_700), (sell, 10_000, 6_700)], 0),
            (&[(buy, 5, 10)], 0),
            (&[(buy, 5, 10), (sell, 5, 11)], 0),
            (
                &[(buy, u64::MAX, u32::MAX as u64), (sell, u64::MAX, 0)],
                u128::from(u64::MAX) * u128::from(u32::MAX),
            ),
        ];
        for (book, expected) in rows {
            let orders: Vec<Order> =
                book.iter().map(|(side, energy, price)| order(*side, *energy, *price)).collect();
            assert_eq!(optimum(&orders).units(), expected);
        }
    }

    #[test]
    fn retail_bills_are_exact() {
        let tariff = Tariff::default();
        let metered =
            |import, export| Metered { import: Energy::from_wh(import), export: Energy::from_wh(export) };
        let (evening, noon) =
            (RetailBill::of(&tariff, metered(1_000, 0)), RetailBill::of(&tariff, metered(0, 500)));
        assert_eq!(evening.balance().unwrap().to_string(), "-0.5600000");
        assert_eq!(noon.balance().unwrap().to_string(), "0.1950000");
        assert_eq!(evening.checked_add(noon).unwrap().balance().unwrap().units(), -3_650_000);
        let most = RetailBill { pays: Money::MAX, receives: Money::ZERO };
        assert_eq!((most.checked_add(evening), most.balance()), (None, None));
    }
}
