//! What a clearing must keep, each promise by itself: from the orders and the trades alone.
//!
//! The referee stops at the first fault; here every promise has its own answer. Nothing is shared with the referee.

use contract_interface::{Book, Clearing, Descriptor, Op, Order, Pricing, Side, Trade};
use runtime_primitives::{EntityId, Price, Seq};
use std::collections::{BTreeMap, BTreeSet};

/// A book's orders and the trades among them that name a bid and an ask.
pub struct Scene<'a> {
    pub rule: &'a Descriptor,
    pub orders: BTreeMap<Seq, Order>,
    pub clearing: &'a Clearing,
    continuous: bool,
}

impl<'a> Scene<'a> {
    pub fn new(rule: &'a Descriptor, book: &Book, clearing: &'a Clearing) -> Self {
        let orders: Vec<Order> = match book {
            Book::Auction(orders) => orders.clone(),
            Book::Continuous { ops, .. } => ops.iter().filter_map(placed).collect(),
        };
        let continuous = matches!(book, Book::Continuous { .. });
        let orders = orders.into_iter().map(|order| (order.seq, order)).collect();
        Self { rule, orders, clearing, continuous }
    }

    fn pairs(&self) -> impl Iterator<Item = (&Trade, &Order, &Order)> {
        self.clearing.trades.iter().filter_map(|trade| {
            let (buy, sell) = (self.orders.get(&trade.buy)?, self.orders.get(&trade.sell)?);
            (buy.side == Side::Buy && sell.side == Side::Sell).then_some((trade, buy, sell))
        })
    }

    fn fills(&self) -> BTreeMap<Seq, u128> {
        let mut fills = BTreeMap::new();
        for trade in &self.clearing.trades {
            for seq in [trade.buy, trade.sell] {
                *fills.entry(seq).or_default() += u128::from(trade.energy.wh());
            }
        }
        fills
    }
}

fn placed(op: &Op) -> Option<Order> {
    match op {
        Op::New(order) => Some(*order),
        Op::Cancel { .. } => None,
    }
}

fn all<T>(items: impl IntoIterator<Item = T>, wrong: impl Fn(T) -> Option<String>) -> Result<(), String> {
    items.into_iter().find_map(wrong).map_or(Ok(()), Err)
}

/// Trades join a bid and an ask of the book, each pair once, with some energy; there are no more than orders.
pub fn trades_are_of_the_book(scene: &Scene) -> Result<(), String> {
    let trades = &scene.clearing.trades;
    if trades.len() > scene.orders.len() {
        return Err(format!("{} trades of {} orders", trades.len(), scene.orders.len()));
    }
    if !scene.continuous && !scene.clearing.cancelled.is_empty() {
        return Err("an auction withdraws no order".to_owned());
    }
    let is = |seq: Seq, side| scene.orders.get(&seq).is_some_and(|order: &Order| order.side == side);
    let mut seen = BTreeSet::new();
    for trade in trades {
        if !is(trade.buy, Side::Buy) || !is(trade.sell, Side::Sell) {
            return Err(format!("no bid {} and ask {} are in the book", trade.buy, trade.sell));
        }
        if trade.energy.is_zero() {
            return Err(format!("bid {} and ask {} trade nothing", trade.buy, trade.sell));
        }
        if !seen.insert((trade.buy, trade.sell)) {
            return Err(format!("bid {} and ask {} trade twice", trade.buy, trade.sell));
        }
    }
    Ok(())
}

/// No order is filled above its energy.
pub fn no_overfill(scene: &Scene) -> Result<(), String> {
    all(scene.fills(), |(seq, filled)| {
        let energy = scene.orders.get(&seq)?.energy;
        (filled > u128::from(energy.wh()))
            .then(|| format!("order {seq} of {energy} Wh is filled {filled} Wh"))
    })
}

/// No order is filled below its minimum.
pub fn minimums(scene: &Scene) -> Result<(), String> {
    all(scene.fills(), |(seq, filled)| {
        let least = scene.orders.get(&seq)?.min_energy;
        let short = filled > 0 && filled < u128::from(least.wh());
        short.then(|| format!("order {seq} wants {least} Wh or nothing and is filled {filled} Wh"))
    })
}

/// Nobody pays more than it bid or gets less than it asked, and no energy is sold dearer than bought.
pub fn limits(scene: &Scene) -> Result<(), String> {
    all(scene.pairs(), |(trade, buy, sell)| {
        let Trade { buy_price, sell_price, .. } = *trade;
        let within = sell.price <= sell_price && sell_price <= buy_price && buy_price <= buy.price;
        (!within).then(|| {
            let (ask, bid) = (ticks(sell.price), ticks(buy.price));
            let (gets, pays) = (ticks(sell_price), ticks(buy_price));
            format!("bid {} at {bid} pays {pays}, ask {} at {ask} gets {gets}", buy.seq, sell.seq)
        })
    })
}

/// Nobody trades with itself.
pub fn no_self_trade(scene: &Scene) -> Result<(), String> {
    all(scene.pairs(), |(_, buy, sell)| {
        (buy.entity == sell.entity)
            .then(|| format!("bid {} and ask {} are both entity {}'s", buy.seq, sell.seq, buy.entity))
    })
}

/// Prices are of the declared kind; in a continuous book they are the earlier order's.
pub fn pricing(scene: &Scene) -> Result<(), String> {
    all(scene.pairs(), |(trade, buy, sell)| {
        let named = format!("bid {} and ask {}", buy.seq, sell.seq);
        let one = trade.buy_price == trade.sell_price;
        if scene.continuous {
            let first = if buy.seq < sell.seq { buy } else { sell };
            let right = one && trade.buy_price == first.price;
            return (!right)
                .then(|| format!("{named} do not trade at {}, the earlier's", ticks(first.price)));
        }
        match scene.rule.pricing {
            Pricing::TwoPrice => None,
            Pricing::Single => (!one).then(|| format!("{named} trade at two prices, one is declared")),
            Pricing::Uniform => {
                let right = one && scene.clearing.uniform_price == Some(trade.buy_price);
                (!right).then(|| format!("{named} do not trade at the one price that the answer states"))
            }
        }
    })
}

/// No bid and ask of two entities that cross both have energy left, minimums apart. At a uniform price, a pair in which an
/// entity's own bid and ask cross counts only if both would trade at that price.
pub fn no_residual_cross(scene: &Scene) -> Result<(), String> {
    let fills = scene.fills();
    let open = |order: &&Order| {
        order.min_energy.is_zero()
            && fills.get(&order.seq).copied().unwrap_or(0) < u128::from(order.energy.wh())
    };
    let mut open: Vec<&Order> = scene.orders.values().filter(open).collect();
    let price = match scene.clearing.trades.first() {
        Some(trade) if scene.rule.pricing == Pricing::Uniform => trade.buy_price,
        _ => return crossing(&open),
    };
    let strangers: Vec<&Order> = open.iter().copied().filter(|order| !crosses_itself(scene, order)).collect();
    crossing(&strangers)?;
    open.retain(|order| if order.side == Side::Buy { order.price >= price } else { order.price <= price });
    crossing(&open)
}

/// Whether the owner of `order` has a bid that reaches an ask of its own.
fn crosses_itself(scene: &Scene, order: &Order) -> bool {
    let own = |side| {
        let own = scene.orders.values().filter(move |own| own.entity == order.entity && own.side == side);
        own.map(|own| own.price)
    };
    own(Side::Buy).max().is_some_and(|bid| own(Side::Sell).any(|ask| ask <= bid))
}

/// No two of these orders cross that are of two entities.
pub fn crossing(open: &[&Order]) -> Result<(), String> {
    let best: BTreeMap<EntityId, &Order> =
        open.iter().filter(|order| order.side == Side::Sell).fold(BTreeMap::new(), |mut best, ask| {
            let known = best.entry(ask.entity).or_insert(*ask);
            if ask.price < known.price {
                *known = ask;
            }
            best
        });
    all(open.iter().filter(|order| order.side == Side::Buy), |bid| {
        let ask = best.values().find(|ask| ask.entity != bid.entity && ask.price <= bid.price)?;
        Some(format!("bid {} and ask {} cross and both have energy left", bid.seq, ask.seq))
    })
}

/// Ticks as books write them.
const fn ticks(price: Price) -> u32 {
    price.ticks()
}
