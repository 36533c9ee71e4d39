//! Valid clearings of every pricing, and what a malicious rule could make of them.
//!
//! Some changes keep a clearing valid: a referee that refuses those is as wrong as one that passes the others.

use super::super::referee::check_clearing;
use super::super::testing::books::{PARAMS, Shape, book, random_orders};
use super::{Choices, Judged, judged, naive};
use contract_interface::{Clearing, Descriptor, Order, Pricing, Side, Trade, flags};
use runtime_primitives::{Energy, EntityId, Price, Seq};

/// Clear a random book honestly, change book or clearing up to five times, and let both judge.
pub fn attack_clearing(choices: &mut Choices) -> Judged {
    let shape = Shape::small(&mut choices.random, flags::AUTO_CONFIRM);
    let mut orders = random_orders(&mut choices.random, shape);
    let (rule, mut clearing) = honest(choices, &orders);
    let valid = check_clearing(&rule, &orders, &clearing);
    assert!(valid.is_ok(), "an honest clearing is refused: {valid:?}\n{rule:?}\n{orders:#?}\n{clearing:#?}");
    for _ in 0..choices.below(6) {
        if choices.once_in(5) {
            change_order(choices, &mut orders);
        } else {
            change_clearing(choices, &orders, &mut clearing);
        }
    }
    let verdict = check_clearing(&rule, &orders, &clearing);
    let valid = naive::clears(&rule, &orders, &clearing);
    judged(verdict.is_ok(), valid, || format!("{verdict:?}\n{rule:?}\n{orders:#?}\n{clearing:#?}"))
}

/// A valid clearing of the book, and what its rule says of itself.
fn honest(choices: &mut Choices, orders: &[Order]) -> (Descriptor, Clearing) {
    if choices.once_in(3) {
        // The rules that ship with prices of these kinds, as they describe themselves.
        let (rule, clear): (_, fn(_, _) -> _) = if choices.once_in(2) {
            (contract_huang::DESCRIPTOR, contract_huang::clear)
        } else {
            (contract_uniform_price::DESCRIPTOR, contract_uniform_price::clear)
        };
        return (rule, clear(PARAMS, book(orders)).unwrap());
    }
    let is_high_low = choices.once_in(2);
    let clear = if is_high_low { contract_high_low::clear } else { contract_min_spread::clear };
    let mut clearing = clear(PARAMS, book(orders)).unwrap();
    let no_residual_cross = is_high_low && choices.once_in(2);
    let mut rule = Descriptor { no_residual_cross, ..contract_high_low::DESCRIPTOR };
    let limits = |trade: &Trade| {
        let price = |seq| orders.iter().find(|order| order.seq == seq).unwrap().price;
        (price(trade.sell), price(trade.buy))
    };
    match choices.below(3) {
        0 => {}
        1 => {
            rule.pricing = Pricing::TwoPrice;
            for trade in &mut clearing.trades {
                (trade.sell_price, trade.buy_price) = limits(trade);
            }
        }
        _ => {
            // One price, and the trades within whose limits it lies; what they leave may cross.
            (rule.pricing, rule.no_residual_cross) = (Pricing::Uniform, false);
            let middle = clearing.trades.len() / 2;
            if let Some(price) = clearing.trades.get(middle).map(|trade| trade.sell_price) {
                let within = |trade: &Trade| {
                    let (ask, bid) = limits(trade);
                    ask <= price && price <= bid
                };
                clearing.trades.retain(within);
                for trade in &mut clearing.trades {
                    (trade.sell_price, trade.buy_price) = (price, price);
                }
                clearing.uniform_price = Some(price);
                keep_minimums(orders, &mut clearing);
            }
        }
    }
    (rule, clearing)
}

/// Drop the trades of orders that are now filled below their minimum, until there are none.
fn keep_minimums(orders: &[Order], clearing: &mut Clearing) {
    loop {
        let filled = |seq: Seq| -> u64 {
            let own = clearing.trades.iter().filter(|trade| trade.buy == seq || trade.sell == seq);
            own.map(|trade| trade.energy.wh()).sum()
        };
        let short = |order: &&Order| (1..order.min_energy.wh()).contains(&filled(order.seq));
        let Some(seq) = orders.iter().find(short).map(|order| order.seq) else { return };
        clearing.trades.retain(|trade| trade.buy != seq && trade.sell != seq);
    }
}

fn nudged_price(choices: &mut Choices, price: Price) -> Price {
    Price::from_ticks(u32::try_from(choices.nudged(u64::from(price.ticks()))).unwrap_or(u32::MAX))
}

/// The book differs from what the rule was shown: an order was changed behind its back.
fn change_order(choices: &mut Choices, orders: &mut [Order]) {
    let other = orders[choices.below(orders.len())].entity;
    let Some(order) = choices.one(orders) else { return };
    let energy = order.energy.wh();
    match choices.below(5) {
        0 => order.energy = Energy::from_wh(choices.nudged(energy)),
        1 => order.min_energy = Energy::from_wh(choices.nudged(energy)),
        2 => order.price = nudged_price(choices, order.price),
        3 => order.entity = other,
        _ => order.side = if order.side == Side::Buy { Side::Sell } else { Side::Buy },
    }
    order.partner = EntityId::ZERO;
}

fn change_clearing(choices: &mut Choices, orders: &[Order], clearing: &mut Clearing) {
    let any = |choices: &mut Choices| orders[choices.below(orders.len())];
    let count = clearing.trades.len();
    match choices.below(18) {
        0 => clearing.cancelled.push(any(choices).seq),
        1 => {
            let (buy, sell) = (any(choices), any(choices));
            let energy = Energy::from_wh(choices.nudged(buy.energy.wh()));
            let (buy_price, sell_price) = (buy.price, sell.price);
            clearing.trades.push(Trade { buy: buy.seq, sell: sell.seq, energy, buy_price, sell_price });
        }
        2 => {
            let price = clearing.uniform_price.unwrap_or_default();
            clearing.uniform_price =
                if choices.once_in(3) { None } else { Some(nudged_price(choices, price)) };
        }
        3 => clearing.trades.clear(),
        // As before, in another order.
        4 => clearing.trades.rotate_left(choices.below(count)),
        5 => shift_all(choices, clearing),
        _ if count == 0 => {}
        6 => {
            let (one, other) = (choices.below(count), choices.below(count));
            let sell = clearing.trades[one].sell;
            clearing.trades[one].sell = std::mem::replace(&mut clearing.trades[other].sell, sell);
        }
        7 => {
            // The sum stays, its parts move.
            let (one, other) = (choices.below(count), choices.below(count));
            let moved = Energy::from_wh(choices.nudged(1).min(clearing.trades[one].energy.wh()));
            let take = &mut clearing.trades[one].energy;
            *take = take.saturating_sub(moved);
            let give = &mut clearing.trades[other].energy;
            *give = give.saturating_add(moved);
        }
        8 => {
            let at = choices.below(count);
            let half = Energy::from_wh(clearing.trades[at].energy.wh() / 2);
            let rest = clearing.trades[at].energy.saturating_sub(half);
            let half = Trade { energy: half, ..clearing.trades[at] };
            clearing.trades[at].energy = rest;
            clearing.trades.push(half);
        }
        9 => _ = clearing.trades.swap_remove(choices.below(count)),
        10 => {
            let copy = clearing.trades[choices.below(count)];
            let times = choices.below(orders.len() + 2);
            clearing.trades.extend(std::iter::repeat_n(copy, times));
        }
        field => change_trade(choices, orders, clearing, field),
    }
}

/// All prices move together, with the stated one.
fn shift_all(choices: &mut Choices, clearing: &mut Clearing) {
    let up = choices.once_in(2);
    let shifted = |price: Price| {
        if up {
            price.saturating_add(Price::from_ticks(1))
        } else {
            price.checked_sub(Price::from_ticks(1)).unwrap_or_default()
        }
    };
    for trade in &mut clearing.trades {
        (trade.buy_price, trade.sell_price) = (shifted(trade.buy_price), shifted(trade.sell_price));
    }
    clearing.uniform_price = clearing.uniform_price.map(shifted);
}

fn change_trade(choices: &mut Choices, orders: &[Order], clearing: &mut Clearing, field: usize) {
    let own = orders[choices.below(orders.len())].seq;
    let foreign = Seq::from_number(u32::try_from(choices.below(200)).unwrap());
    let seq = if choices.once_in(2) { own } else { foreign };
    let Some(trade) = choices.one(&mut clearing.trades) else { return };
    match field {
        11 => trade.energy = Energy::from_wh(choices.nudged(trade.energy.wh())),
        12 => trade.buy_price = nudged_price(choices, trade.buy_price),
        13 => trade.sell_price = nudged_price(choices, trade.sell_price),
        14 => {
            trade.buy_price = nudged_price(choices, trade.buy_price);
            trade.sell_price = trade.buy_price;
        }
        15 => trade.buy = seq,
        16 => trade.sell = seq,
        _ => (trade.buy, trade.sell) = (trade.sell, trade.buy),
    }
}
