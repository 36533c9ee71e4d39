//! Is this a clearing of that book? O(n log n), one fault per rule.

use contract_interface::{Clearing, Descriptor, Order, Pricing, Side, Trade};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{Energy, EntityId, Price, Seq};
use scale_info::TypeInfo;
use thiserror::Error as ThisError;

/// The rule that a clearing breaks.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum ClearingFault {
    /// A trade names an order that is not in the book: foreign, closed or invented.
    #[error("trade {trade} references order {seq}, which is not open in this slot")]
    UnknownOrder {
        /// Position of the trade.
        trade: u32,
        /// The order.
        seq: Seq,
    },
    /// A trade's bid is an ask, or the other way round.
    #[error("trade {trade} uses order {seq} on the wrong side")]
    WrongSide {
        /// Position of the trade.
        trade: u32,
        /// The order.
        seq: Seq,
    },
    /// A pair occurs twice.
    #[error("the pair ({buy}, {sell}) occurs twice")]
    RepeatedPair {
        /// The bid.
        buy: Seq,
        /// The ask.
        sell: Seq,
    },
    /// Both sides are the same entity's.
    #[error("trade {trade} pairs entity {entity} with itself")]
    SelfTrade {
        /// Position of the trade.
        trade: u32,
        /// The entity.
        entity: EntityId,
    },
    /// A trade of no energy.
    #[error("trade {trade} is of no energy")]
    ZeroEnergy {
        /// Position of the trade.
        trade: u32,
    },
    /// An order is filled beyond its energy.
    #[error("order {seq} is overfilled: {fill} of {energy} Wh")]
    Overfill {
        /// The order.
        seq: Seq,
        /// Its fill.
        fill: Energy,
        /// Its energy.
        energy: Energy,
    },
    /// An order is filled below its minimum.
    #[error("order {seq} is filled {fill} Wh, its minimum is {min} Wh")]
    Underfill {
        /// The order.
        seq: Seq,
        /// Its fill.
        fill: Energy,
        /// Its minimum.
        min: Energy,
    },
    /// A price is outside `ask ≤ sell_price ≤ buy_price ≤ bid`.
    #[error(
        "trade {trade} breaks a limit: ask {ask}, seller gets {sell_price}, buyer pays {buy_price}, bid {bid}"
    )]
    Limit {
        /// Position of the trade.
        trade: u32,
        /// The seller's limit.
        ask: Price,
        /// What the seller gets.
        sell_price: Price,
        /// What the buyer pays.
        buy_price: Price,
        /// The buyer's limit.
        bid: Price,
    },
    /// A single-price rule priced the sides differently.
    #[error("trade {trade}: a single-price rule priced its sides differently")]
    TwoPrices {
        /// Position of the trade.
        trade: u32,
    },
    /// A uniform rule used another price, or misstated it.
    #[error("trade {trade}: a uniform rule used or stated another price")]
    NotUniform {
        /// Position of the trade.
        trade: u32,
    },
    /// More trades than orders.
    #[error("{trades} trades from {orders} orders")]
    TooManyTrades {
        /// Trades.
        trades: u32,
        /// Orders.
        orders: u32,
    },
    /// An auction withdrew orders.
    #[error("an auction withdraws no order")]
    Withdrawn,
    /// A crossing pair was left although the rule declares that it leaves none.
    #[error("residual cross: unfilled bid {buy} and unfilled ask {sell} of another entity")]
    ResidualCross {
        /// The bid.
        buy: Seq,
        /// The ask.
        sell: Seq,
    },
    /// A continuous rule paired two orders that both rested before the batch.
    #[error("trade {trade} pairs orders that both rested in the book before")]
    BothResting {
        /// Position of the trade.
        trade: u32,
    },
    /// Trades of a continuous book come in the order in which the later of their orders arrived.
    #[error("trade {trade} comes after a trade of an order that arrived later")]
    OutOfOrder {
        /// Position of the trade.
        trade: u32,
    },
    /// An order traded with one that arrived after it was withdrawn.
    #[error("trade {trade}: order {seq} was withdrawn before the other order arrived")]
    Gone {
        /// Position of the trade.
        trade: u32,
        /// The order.
        seq: Seq,
    },
    /// A continuous trade was not at the price of the order that was there first.
    #[error("trade {trade} is not at {resting}, the price of the order that was there first")]
    NotRestingPrice {
        /// Position of the trade.
        trade: u32,
        /// That price.
        resting: Price,
    },
    /// A continuous rule withdrew an order that met no crossing order of its own entity when it arrived.
    #[error("order {0} was withdrawn although it met no order of its own entity")]
    NoSelfTrade(Seq),
}

/// Check `clearing` of `book` (ascending by seq) by a rule that says `rule` of itself.
///
/// # Errors
/// The first rule that is broken.
pub fn check_clearing(rule: &Descriptor, book: &[Order], clearing: &Clearing) -> Result<(), ClearingFault> {
    if !clearing.cancelled.is_empty() {
        return Err(ClearingFault::Withdrawn);
    }
    check_count(clearing, book.len())?;
    let mut fills = vec![Energy::ZERO; book.len()];
    let repeated = first_repeated(&clearing.trades);
    for (number, trade) in (0u32..).zip(&clearing.trades) {
        let buy = find(book, number, trade.buy, Side::Buy)?;
        let sell = find(book, number, trade.sell, Side::Sell)?;
        if repeated == Some(number) {
            return Err(ClearingFault::RepeatedPair { buy: trade.buy, sell: trade.sell });
        }
        check_trade(number, trade, &book[buy], &book[sell])?;
        check_price(rule, clearing, number, trade)?;
        for index in [buy, sell] {
            fill(&book[index], &mut fills[index], trade.energy)?;
        }
    }
    for (order, fill) in book.iter().zip(&fills) {
        if !fill.is_zero() && *fill < order.min_energy {
            return Err(ClearingFault::Underfill { seq: order.seq, fill: *fill, min: order.min_energy });
        }
    }
    if !rule.no_residual_cross {
        return Ok(());
    }
    // Orders with a minimum may stay unfilled: their minimum is why.
    let open = book.iter().zip(&fills);
    let open = open.filter(|(order, fill)| **fill < order.energy && order.min_energy.is_zero());
    let open = open.map(|(order, _)| order);
    match clearing.trades.first() {
        Some(trade) if rule.pricing == Pricing::Uniform => {
            check_uniform_residual(book, open, trade.buy_price)
        }
        _ => check_residual(open),
    }
}

/// Position of the first trade whose pair an earlier one has.
fn first_repeated(trades: &[Trade]) -> Option<u32> {
    let mut pairs: Vec<(Seq, Seq, u32)> =
        (0u32..).zip(trades).map(|(number, trade)| (trade.buy, trade.sell, number)).collect();
    pairs.sort_unstable();
    let repeats = pairs.windows(2).filter(|two| (two[0].0, two[0].1) == (two[1].0, two[1].1));
    repeats.map(|two| two[1].2).min()
}

/// As [`check_residual`], at a uniform price.
///
/// No uniform price can promise that where an entity's own bid and ask cross: the entity is no partner of its own, and
/// its bid may be worth more, its ask less, than any price at which others trade. A pair with such an order counts if
/// both would trade at the price that there is.
fn check_uniform_residual<'a>(
    book: &[Order],
    open: impl Iterator<Item = &'a Order> + Clone,
    price: Price,
) -> Result<(), ClearingFault> {
    let selves = crossing_selves(book);
    check_residual(open.clone().filter(|order| selves.binary_search(&order.entity).is_err()))?;
    check_residual(open.filter(|order| match order.side {
        Side::Buy => order.price >= price,
        Side::Sell => order.price <= price,
    }))
}

/// Entities with a bid that reaches an ask of their own, ascending.
fn crossing_selves(book: &[Order]) -> Vec<EntityId> {
    let mut orders: Vec<(EntityId, Side, Price)> =
        book.iter().map(|order| (order.entity, order.side, order.price)).collect();
    orders.sort_unstable();
    let crosses = |own: &[(EntityId, Side, Price)]| {
        // Bids come first, and prices ascend: the dearest bid is the last of them, the cheapest ask follows it.
        let bids = own.partition_point(|order| order.1 == Side::Buy);
        bids > 0 && own.get(bids).is_some_and(|ask| own[bids - 1].2 >= ask.2)
    };
    orders.chunk_by(|a, b| a.0 == b.0).filter(|own| crosses(own)).map(|own| own[0].0).collect()
}

/// A clearing of so many orders has at most as many trades.
pub(super) fn check_count(clearing: &Clearing, orders: usize) -> Result<(), ClearingFault> {
    if clearing.trades.len() <= orders {
        return Ok(());
    }
    let count = |length| u32::try_from(length).unwrap_or(u32::MAX);
    let (trades, orders) = (count(clearing.trades.len()), count(orders));
    Err(ClearingFault::TooManyTrades { trades, orders })
}

/// Fill `order` by `energy` more, at most to its energy.
pub(super) fn fill(order: &Order, filled: &mut Energy, energy: Energy) -> Result<(), ClearingFault> {
    let fill = filled.checked_add(energy).unwrap_or(Energy::MAX);
    if fill > order.energy {
        return Err(ClearingFault::Overfill { seq: order.seq, fill, energy: order.energy });
    }
    *filled = fill;
    Ok(())
}

/// Where an order stands in `book`, ascending by seq: at its own place, if nothing before it was cancelled.
pub fn place(book: &[Order], seq: Seq) -> Option<usize> {
    let own = seq.number() as usize;
    if book.get(own).is_some_and(|order| order.seq == seq) {
        return Some(own);
    }
    book.binary_search_by_key(&seq, |order| order.seq).ok()
}

/// Where the order that trade number `trade` names stands in `book`.
pub(super) fn find(book: &[Order], trade: u32, seq: Seq, side: Side) -> Result<usize, ClearingFault> {
    let index = place(book, seq).ok_or(ClearingFault::UnknownOrder { trade, seq })?;
    if book[index].side == side { Ok(index) } else { Err(ClearingFault::WrongSide { trade, seq }) }
}

/// What holds for a trade whatever the mechanism: two entities, some energy, both limits.
pub(super) fn check_trade(
    number: u32,
    trade: &Trade,
    buy: &Order,
    sell: &Order,
) -> Result<(), ClearingFault> {
    if buy.entity == sell.entity {
        return Err(ClearingFault::SelfTrade { trade: number, entity: buy.entity });
    }
    if trade.energy.is_zero() {
        return Err(ClearingFault::ZeroEnergy { trade: number });
    }
    let in_limits =
        sell.price <= trade.sell_price && trade.sell_price <= trade.buy_price && trade.buy_price <= buy.price;
    if in_limits {
        return Ok(());
    }
    Err(ClearingFault::Limit {
        trade: number,
        ask: sell.price,
        sell_price: trade.sell_price,
        buy_price: trade.buy_price,
        bid: buy.price,
    })
}

fn check_price(
    rule: &Descriptor,
    clearing: &Clearing,
    number: u32,
    trade: &Trade,
) -> Result<(), ClearingFault> {
    let one_price = trade.buy_price == trade.sell_price;
    match rule.pricing {
        Pricing::TwoPrice => Ok(()),
        Pricing::Single if one_price => Ok(()),
        Pricing::Single => Err(ClearingFault::TwoPrices { trade: number }),
        Pricing::Uniform if one_price && clearing.uniform_price == Some(trade.buy_price) => Ok(()),
        Pricing::Uniform => Err(ClearingFault::NotUniform { trade: number }),
    }
}

/// The best open bid against the best open ask; if both are one entity's, against the best of others.
pub(super) fn check_residual<'a>(open: impl Iterator<Item = &'a Order> + Clone) -> Result<(), ClearingFault> {
    let side = |side| open.clone().filter(move |order| order.side == side);
    let bids = best_of_two(side(Side::Buy), |a, b| a.price > b.price);
    let asks = best_of_two(side(Side::Sell), |a, b| a.price < b.price);
    for bid in bids.iter().flatten() {
        for ask in asks.iter().flatten() {
            if bid.entity != ask.entity && bid.price >= ask.price {
                return Err(ClearingFault::ResidualCross { buy: bid.seq, sell: ask.seq });
            }
        }
    }
    Ok(())
}

/// The best order, and the best order of any other entity: enough to find a crossing pair if there is one.
fn best_of_two<'a>(
    orders: impl Iterator<Item = &'a Order>,
    better: impl Fn(&Order, &Order) -> bool,
) -> [Option<&'a Order>; 2] {
    let (mut first, mut second): (Option<&Order>, Option<&Order>) = (None, None);
    for order in orders {
        match first {
            None => first = Some(order),
            Some(top) if better(order, top) => {
                if top.entity != order.entity {
                    second = first;
                }
                first = Some(order);
            }
            Some(top) if top.entity != order.entity && second.is_none_or(|next| better(order, next)) => {
                second = Some(order);
            }
            Some(_) => {}
        }
    }
    [first, second]
}
