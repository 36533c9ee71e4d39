//! Valid answers of the shipped rules, changed at random: the referee and the restatement must agree on each.

use crate::testing::books::{PARAMS, Random, Shape, book, random_orders};
use crate::testing::slots::random_input;
use crate::{naive, units};
use contract_interface::{
    Clearing, Descriptor, Order, Party, Pricing, SettleInput, SettlementReport, Trade, Transfer, flags, kinds,
};
use runtime_execution::referee::{check_clearing, check_settlement};
use runtime_primitives::{Energy, EntityId, MeterId, Price, Seq};

/// Answers to start from; each is mutated [`MUTATIONS`] times.
const BASES: u32 = 300;
const MUTATIONS: u32 = 20;

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

fn mutate_clearing(random: &mut Random, orders: &[Order], clearing: &mut Clearing) {
    let any = |random: &mut Random| orders[random.below(u32::try_from(orders.len()).unwrap()) as usize];
    let kind = random.below(10);
    if kind == 0 {
        clearing.cancelled.push(any(random).seq);
        return;
    }
    if kind == 1 {
        let (buy, sell) = (any(random), any(random));
        let energy = Energy::from_wh(u64::from(1 + random.below(500)));
        let (buy_price, sell_price) = (buy.price, sell.price);
        clearing.trades.push(Trade { buy: buy.seq, sell: sell.seq, energy, buy_price, sell_price });
        return;
    }
    let foreign = Seq::from_number(random.below(200));
    let own = any(random).seq;
    let other = random.either(own, foreign);
    let Some(trade) = pick(random, &mut clearing.trades) else { return };
    match kind {
        2 => trade.energy = Energy::from_wh(nudged(random, trade.energy.wh())),
        3 => trade.buy_price = nudged_price(random, trade.buy_price),
        4 => trade.sell_price = nudged_price(random, trade.sell_price),
        5 => {
            trade.buy_price = nudged_price(random, trade.buy_price);
            trade.sell_price = trade.buy_price;
        }
        6 => trade.buy = other,
        7 => trade.sell = other,
        8 => {
            let copy = *trade;
            clearing.trades.push(copy);
        }
        _ => {
            let index = clearing.trades.len() - 1;
            clearing.trades.swap_remove(random.below(u32::try_from(index + 1).unwrap()) as usize);
        }
    }
}

#[test]
fn mutated_clearings_are_judged_as_the_restatement_judges_them() {
    let seed = seed();
    let mut random = Random(seed);
    let (mut passed, mut refused) = (0, 0);
    for base in 0..BASES {
        let shape = Shape::small(&mut random, flags::AUTO_CONFIRM);
        let orders = random_orders(&mut random, shape);
        let clear = if random.once_in(2) { contract_high_low::clear } else { contract_min_spread::clear };
        let valid = clear(PARAMS, book(&orders)).unwrap();
        let mut rule = Descriptor { no_residual_cross: false, ..contract_high_low::DESCRIPTOR };
        assert_eq!(check_clearing(&rule, &orders, &valid), Ok(()), "seed {seed}, base {base}");
        for mutation in 0..MUTATIONS {
            rule.pricing = [Pricing::Single, Pricing::TwoPrice, Pricing::Uniform][random.below(3) as usize];
            rule.no_residual_cross = random.either(true, false);
            let mut mutated = valid.clone();
            if rule.pricing == Pricing::Uniform {
                let price = mutated.trades.first().map(|trade| trade.buy_price);
                mutated.uniform_price = price;
                if random.either(true, false) {
                    mutated.trades.truncate(1);
                }
            }
            for _ in 0..random.below(3) {
                mutate_clearing(&mut random, &orders, &mut mutated);
            }
            let verdict = check_clearing(&rule, &orders, &mutated);
            let expected = naive::clears(&rule, &orders, &mutated);
            assert_eq!(
                verdict.is_ok(),
                expected,
                "seed {seed}, base {base}, mutation {mutation}: {verdict:?}\n{rule:?}\n{orders:#?}\n{mutated:#?}"
            );
            if expected { passed += 1 } else { refused += 1 }
        }
    }
    assert!(passed > BASES && refused > BASES, "{passed} passed, {refused} refused: both must be tried");
}

fn any_party(random: &mut Random) -> Party {
    match random.below(4) {
        0 => Party::Retailer,
        1 => Party::Grid,
        2 => Party::Pool,
        _ => Party::Entity(EntityId::from_number(random.below(6))),
    }
}

fn mutate_line(random: &mut Random, line: &mut Transfer) {
    match random.below(8) {
        0 => {
            let amount = u64::try_from(line.amount.units()).unwrap_or(u64::MAX);
            line.amount = units(u128::from(nudged(random, amount)));
        }
        1 => line.from = any_party(random),
        2 => line.to = any_party(random),
        3 => std::mem::swap(&mut line.from, &mut line.to),
        4 => line.kind = u8::try_from(random.below(8)).unwrap(),
        5 => line.trade = random.either(None, Some(17)),
        6 => line.meter = random.either(None, Some(MeterId::from_number(3))),
        _ => line.amount = units(line.amount.units() / 2),
    }
}

fn mutate_report(random: &mut Random, report: &mut SettlementReport) {
    let count = u32::try_from(report.transfers.len()).unwrap();
    match random.below(8) {
        0 => {
            if let Some(settled) = pick(random, &mut report.settled) {
                *settled = Energy::from_wh(nudged(random, settled.wh()));
            }
        }
        1 if count > 0 => _ = report.transfers.remove(random.below(count) as usize),
        2 if count > 0 => report.transfers.push(report.transfers[random.below(count) as usize]),
        3 if count > 0 => report.transfers.rotate_left(random.below(count) as usize),
        4 => report.transfers.retain(|line| line.kind != kinds::DEVIATION),
        5 => {
            let deviations = report.transfers.iter_mut().filter(|line| line.kind == kinds::DEVIATION);
            deviations.for_each(|line| line.amount = units(line.amount.units().div_ceil(2)));
        }
        _ => {
            if let Some(line) = pick(random, &mut report.transfers) {
                mutate_line(random, line);
            }
        }
    }
}

#[test]
fn mutated_settlements_are_judged_as_the_restatement_judges_them() {
    let seed = seed();
    let mut random = Random(seed);
    let (mut passed, mut refused) = (0, 0);
    for base in 0..BASES {
        let input: SettleInput = random_input(&mut random);
        let valid: SettlementReport = contract_settlement::settle(input.clone()).unwrap().into();
        assert_eq!(check_settlement(&input, &valid), Ok(()), "seed {seed}, base {base}");
        for mutation in 0..MUTATIONS {
            let mut mutated = valid.clone();
            for _ in 0..random.below(3) {
                mutate_report(&mut random, &mut mutated);
            }
            let verdict = check_settlement(&input, &mutated);
            let expected = naive::settles(&input, &mutated);
            assert_eq!(
                verdict.is_ok(),
                expected,
                "seed {seed}, base {base}, mutation {mutation}: {verdict:?}\n{input:#?}\n{mutated:#?}"
            );
            if expected { passed += 1 } else { refused += 1 }
        }
    }
    assert!(passed > BASES && refused > BASES, "{passed} passed, {refused} refused: both must be tried");
}
