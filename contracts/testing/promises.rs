//! What every clearing must keep, whatever the rule: the referee's list (MARKET section 5) and determinism.
//!
//! Each promise is checked from the orders and the trades alone, never with code of a rule.

use contract_interface::{Clearing, Order, Pricing, Side};
use runtime_primitives::{Energy, Seq};
use std::collections::{BTreeMap, BTreeSet};

/// Energy filled per order.
pub fn fills(clearing: &Clearing) -> BTreeMap<Seq, u64> {
    let mut fills = BTreeMap::new();
    for trade in &clearing.trades {
        *fills.entry(trade.buy).or_default() += trade.energy.wh();
        *fills.entry(trade.sell).or_default() += trade.energy.wh();
    }
    fills
}

/// Every trade joins a bid and an ask of two entities within both limits, at prices as `pricing` says; no pair twice; no
/// order above its energy or below its minimum; no more trades than orders.
pub fn respects_orders(orders: &[Order], clearing: &Clearing, pricing: Pricing) {
    let by_seq: BTreeMap<Seq, &Order> = orders.iter().map(|order| (order.seq, order)).collect();
    let mut pairs = BTreeSet::new();
    for trade in &clearing.trades {
        let (buy, sell) = (by_seq[&trade.buy], by_seq[&trade.sell]);
        assert_eq!((buy.side, sell.side), (Side::Buy, Side::Sell), "{trade:?}");
        assert_ne!(buy.entity, sell.entity, "self-trade {trade:?}");
        assert!(!trade.energy.is_zero(), "{trade:?}");
        assert!(sell.price <= trade.sell_price && trade.buy_price <= buy.price, "{trade:?} {buy:?} {sell:?}");
        assert!(trade.sell_price <= trade.buy_price, "{trade:?}");
        assert!(pricing == Pricing::TwoPrice || trade.buy_price == trade.sell_price, "{trade:?}");
        let price = (pricing == Pricing::Uniform).then_some(trade.buy_price);
        assert_eq!(clearing.uniform_price, price, "{trade:?}");
        assert!(pairs.insert((trade.buy, trade.sell)), "twice {trade:?}");
    }
    for (seq, filled) in fills(clearing) {
        let order = by_seq[&seq];
        assert!(order.min_energy.wh() <= filled && filled <= order.energy.wh(), "{order:?} filled {filled}");
    }
    assert!(clearing.trades.len() <= orders.len());
    assert!(!clearing.trades.is_empty() || clearing.uniform_price.is_none());
}

/// No bid and ask of two entities that cross have both energy left. Orders with a minimum fill are exempt: dropping one
/// is how its minimum is respected.
///
/// At a uniform price, a pair in which an entity's own bid and ask cross counts only if both would trade at that price.
pub fn leaves_no_cross(orders: &[Order], clearing: &Clearing) {
    let fills = fills(clearing);
    let open: Vec<&Order> = orders
        .iter()
        .filter(|order| order.min_energy.is_zero())
        .filter(|order| order.energy > Energy::from_wh(fills.get(&order.seq).copied().unwrap_or(0)))
        .collect();
    for bid in open.iter().filter(|order| order.side == Side::Buy) {
        for ask in open.iter().filter(|order| order.side == Side::Sell) {
            let crosses = match clearing.uniform_price {
                Some(price) if crosses_itself(orders, bid) || crosses_itself(orders, ask) => {
                    bid.price >= price && price >= ask.price
                }
                _ => bid.price >= ask.price,
            };
            assert!(!crosses || bid.entity == ask.entity, "left {bid:?} {ask:?}");
        }
    }
}

/// Whether the entity of `order` has a bid that reaches an ask of its own.
pub fn crosses_itself(orders: &[Order], order: &Order) -> bool {
    let own = |side| orders.iter().filter(move |other| other.side == side && other.entity == order.entity);
    own(Side::Buy).any(|bid| own(Side::Sell).any(|ask| bid.price >= ask.price))
}
