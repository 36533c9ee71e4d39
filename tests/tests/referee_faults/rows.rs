//! One row for each fault.

use crate::testing::books::{ask, bid, order};
use crate::testing::slots::{RATES, curtailed, input, meter, trade as certified};
use crate::{naive, seq, ticks, units, wh};
use contract_interface::{
    Clearing, Descriptor, Order, Party, Pricing, SettleInput, SettlementReport, Side, Trade, Transfer, kinds,
};
use runtime_execution::referee::{
    ClearingFault as Fault, PaymentFault, SettlementFault, check_clearing, check_settlement,
};
use runtime_primitives::{EntityId, MeterId};

const SINGLE: Descriptor = contract_high_low::DESCRIPTOR;
const UNIFORM: Descriptor = Descriptor { pricing: Pricing::Uniform, ..SINGLE };
const TWO: Descriptor = Descriptor { pricing: Pricing::TwoPrice, ..SINGLE };

/// Bids 1: 100 at 60, 3: 50 at 40, 7: 30 at 70 by the entity of ask 2. Asks 2: 80 at 50, 5: 90 at 55, at least 60.
fn book() -> Vec<Order> {
    vec![
        bid(1, 100, 60),
        ask(2, 80, 50),
        bid(3, 50, 40),
        Order { min_energy: wh(60), ..ask(5, 90, 55) },
        order(7, 2, Side::Buy, 30, 70),
    ]
}

fn trade(buy: u32, sell: u32, energy: u64, prices: (u32, u32)) -> Trade {
    Trade {
        buy: seq(buy),
        sell: seq(sell),
        energy: wh(energy),
        buy_price: ticks(prices.0),
        sell_price: ticks(prices.1),
    }
}

const MID: (u32, u32) = (56, 56);

fn clearing(trades: &[Trade]) -> Clearing {
    Clearing { trades: trades.to_vec(), ..Clearing::default() }
}

/// A clearing of the book and its verdict, `None` if it passes.
type ClearingRow = (&'static str, Descriptor, Clearing, Option<Fault>);

fn clearing_rows() -> Vec<ClearingRow> {
    let loose = Descriptor { no_residual_cross: false, ..SINGLE };
    let row = |name, trades: &[Trade], fault| (name, loose.clone(), clearing(trades), fault);
    let limit = |buy_price, sell_price| {
        let [ask, sell_price, buy_price, bid] = [50, sell_price, buy_price, 60].map(ticks);
        Some(Fault::Limit { trade: 0, ask, sell_price, buy_price, bid })
    };
    vec![
        row("empty", &[], None),
        row("at the buyer's limit", &[trade(1, 2, 80, (60, 60))], None),
        row("at the seller's limit", &[trade(1, 2, 80, (50, 50))], None),
        row("split", &[trade(1, 2, 40, MID), trade(1, 5, 60, MID)], None),
        row("unknown bid", &[trade(4, 2, 1, MID)], Some(Fault::UnknownOrder { trade: 0, seq: seq(4) })),
        row("unknown ask", &[trade(1, 9, 1, MID)], Some(Fault::UnknownOrder { trade: 0, seq: seq(9) })),
        row("ask as bid", &[trade(5, 2, 1, MID)], Some(Fault::WrongSide { trade: 0, seq: seq(5) })),
        row("bid as ask", &[trade(1, 3, 1, MID)], Some(Fault::WrongSide { trade: 0, seq: seq(3) })),
        row(
            "pair twice",
            &[trade(1, 2, 1, MID), trade(1, 2, 1, (57, 57))],
            Some(Fault::RepeatedPair { buy: seq(1), sell: seq(2) }),
        ),
        row(
            "entity with itself",
            &[trade(7, 2, 30, MID)],
            Some(Fault::SelfTrade { trade: 0, entity: EntityId::from_number(2) }),
        ),
        row("no energy", &[trade(1, 2, 0, MID)], Some(Fault::ZeroEnergy { trade: 0 })),
        row(
            "ask overfilled",
            &[trade(1, 2, 81, MID)],
            Some(Fault::Overfill { seq: seq(2), fill: wh(81), energy: wh(80) }),
        ),
        row(
            "bid overfilled by two",
            &[trade(1, 2, 80, MID), trade(1, 5, 60, MID)],
            Some(Fault::Overfill { seq: seq(1), fill: wh(140), energy: wh(100) }),
        ),
        row(
            "overflow",
            &[trade(1, 2, 1, MID), trade(7, 5, u64::MAX, (60, 60))],
            Some(Fault::Overfill { seq: seq(7), fill: wh(u64::MAX), energy: wh(30) }),
        ),
        row(
            "below the minimum",
            &[trade(1, 5, 59, MID)],
            Some(Fault::Underfill { seq: seq(5), fill: wh(59), min: wh(60) }),
        ),
        row("above the bid", &[trade(1, 2, 1, (61, 61))], limit(61, 61)),
        row("below the ask", &[trade(1, 2, 1, (49, 49))], limit(49, 49)),
        row("seller gets more", &[trade(1, 2, 1, (55, 56))], limit(55, 56)),
        row("two prices", &[trade(1, 2, 1, (57, 56))], Some(Fault::TwoPrices { trade: 0 })),
        row(
            "more trades than orders",
            &[trade(1, 2, 1, MID); 6],
            Some(Fault::TooManyTrades { trades: 6, orders: 5 }),
        ),
        (
            "withdrawn",
            loose.clone(),
            Clearing { cancelled: vec![seq(1)], ..clearing(&[]) },
            Some(Fault::Withdrawn),
        ),
        (
            "surplus",
            Descriptor { no_residual_cross: false, ..TWO },
            clearing(&[trade(1, 2, 1, (57, 56))]),
            None,
        ),
        residual("cross left", &[trade(1, 2, 20, MID)], Some((1, 2))),
        residual("an ask with a minimum may stay", &[trade(1, 2, 80, MID)], None),
        residual("only an entity's own cross is left", &[trade(1, 2, 40, MID), trade(1, 5, 60, MID)], None),
        uniform("uniform", &[trade(1, 2, 80, MID)], Some(56), None),
        uniform(
            "uniform without its price",
            &[trade(1, 2, 80, MID)],
            None,
            Some(Fault::NotUniform { trade: 0 }),
        ),
        uniform(
            "uniform at another price",
            &[trade(1, 2, 80, MID)],
            Some(57),
            Some(Fault::NotUniform { trade: 0 }),
        ),
        uniform(
            "uniform twice",
            &[trade(1, 2, 40, MID), trade(1, 5, 60, (57, 57))],
            Some(56),
            Some(Fault::NotUniform { trade: 1 }),
        ),
    ]
}

fn residual(name: &'static str, trades: &[Trade], cross: Option<(u32, u32)>) -> ClearingRow {
    let fault = cross.map(|(buy, sell)| Fault::ResidualCross { buy: seq(buy), sell: seq(sell) });
    (name, SINGLE, clearing(trades), fault)
}

fn uniform(name: &'static str, trades: &[Trade], price: Option<u32>, fault: Option<Fault>) -> ClearingRow {
    let rule = Descriptor { no_residual_cross: false, ..UNIFORM };
    (name, rule, Clearing { uniform_price: price.map(ticks), ..clearing(trades) }, fault)
}

#[test]
fn each_clearing_fault_has_its_name() {
    for (name, rule, clearing, fault) in clearing_rows() {
        let verdict = check_clearing(&rule, &book(), &clearing).err();
        assert_eq!(verdict, fault, "{name}");
        assert_eq!(naive::clears(&rule, &book(), &clearing), fault.is_none(), "{name}: the restatement");
    }
}

/// Entity 9 bids 90 and asks 10; others ask 70 and bid 30. One price serves the upper two or the lower two.
#[test]
fn a_uniform_price_is_not_blamed_for_whom_it_excludes() {
    let strangers = [bid(1, 10, 90), ask(2, 10, 10), ask(3, 10, 70), bid(4, 10, 30)];
    let owner = EntityId::from_number(9);
    let of_one =
        strangers.map(|order| if order.seq < seq(3) { Order { entity: owner, ..order } } else { order });
    let cross = |buy, sell| Some(Fault::ResidualCross { buy: seq(buy), sell: seq(sell) });
    let (upper, lower) = (trade(1, 3, 10, (80, 80)), trade(4, 2, 10, (20, 20)));
    let upper_part = trade(1, 3, 9, (80, 80));
    for (rule, book, traded, fault) in [
        (&UNIFORM, &of_one, Some(upper), None),
        (&UNIFORM, &of_one, Some(lower), None),
        (&UNIFORM, &of_one, Some(upper_part), cross(1, 3)),
        (&UNIFORM, &of_one, None, cross(1, 3)),
        (&UNIFORM, &strangers, Some(upper), cross(4, 2)),
        (&UNIFORM, &strangers, Some(lower), cross(1, 3)),
        (&SINGLE, &of_one, Some(upper), cross(4, 2)),
    ] {
        let clearing =
            Clearing { uniform_price: traded.map(|trade| trade.buy_price), ..clearing(traded.as_slice()) };
        assert_eq!(check_clearing(rule, book, &clearing).err(), fault, "{traded:?} {book:?}");
        assert_eq!(naive::clears(rule, book, &clearing), fault.is_none(), "{traded:?}: the restatement");
    }
}

/// Meter 1 sells 100 Wh to 2 at 50 and 60 Wh to 3 at 55/53; 1 exports 120 and takes 7, 2 takes 90, 3 takes 200 and is
/// curtailed.
fn slot() -> SettleInput {
    let trades = [certified(0, 2, 1, 100, (50, 50)), certified(1, 3, 1, 60, (55, 53))];
    input(RATES, &trades, &[meter(1, 7, 120), meter(2, 90, 0), curtailed(3, 200, 0)])
}

fn honest() -> SettlementReport {
    contract_settlement::settle(slot()).unwrap().into()
}

fn line(kind: u8, from: Party, to: Party, amount: u128, meter: u32) -> Transfer {
    Transfer { from, to, amount: units(amount), kind, trade: None, meter: Some(MeterId::from_number(meter)) }
}

fn owner(meter: u32) -> Party {
    Party::Entity(EntityId::from_number(meter + 100))
}

type SettlementRow = (&'static str, fn(&mut SettlementReport), Option<SettlementFault>);

/// Settled: 90 and 30. Lines: energy 0, fee 0, energy 1, surplus 1, fee 1, retail of 1, deviation of 1 (160 − 120 − 8),
/// deviation of 2 (100 − 90 − 5), retail of 3 (200 − 30).
fn settlement_rows() -> Vec<SettlementRow> {
    use SettlementFault as Fault;
    const fn wrong(index: u32, detail: PaymentFault) -> Option<SettlementFault> {
        Some(Fault::Mispriced { index, detail })
    }
    const NOT_DUE: PaymentFault = PaymentFault::NotDue;
    vec![
        ("as it is", |_| (), None),
        ("in another order", |report| report.transfers.reverse(), None),
        ("deviation forgiven", |report| _ = report.transfers.remove(6), None),
        ("deviation without tolerance", |report| report.transfers[6].amount = units(40_000), None),
        (
            "deviation beyond δ · D",
            |report| report.transfers[6].amount = units(40_001),
            wrong(6, PaymentFault::AboveDeviation { most: units(40_000) }),
        ),
        ("deviation twice", |report| report.transfers.push(report.transfers[6]), wrong(9, NOT_DUE)),
        (
            "deviation of a curtailed meter",
            |report| report.transfers.push(line(kinds::DEVIATION, owner(3), Party::Retailer, 1, 3)),
            wrong(9, NOT_DUE),
        ),
        (
            "feed-in for energy that was sold",
            |report| report.transfers.push(line(kinds::FEED_IN, Party::Retailer, owner(1), 3_000, 1)),
            wrong(9, NOT_DUE),
        ),
        ("surplus to the grid", |report| report.transfers[3].to = Party::Grid, wrong(3, NOT_DUE)),
        (
            "surplus with the price",
            |report| report.transfers[2].amount = units(55 * 30),
            wrong(2, PaymentFault::Amount { due: units(53 * 30) }),
        ),
        ("kind of nothing", |report| report.transfers[0].kind = kinds::FUNDING, wrong(0, NOT_DUE)),
        ("trade of another", |report| report.transfers[0].trade = Some(1), wrong(0, NOT_DUE)),
        ("one line less", |report| _ = report.transfers.pop(), Some(Fault::Missing { missing: 1 })),
        (
            "allocated out of order",
            |report| report.settled = vec![wh(60), wh(60)],
            Some(Fault::Withheld { trade: 0, settled: wh(60), possible: wh(90) }),
        ),
        (
            "buyer's meter overdrawn",
            |report| report.settled = vec![wh(91), wh(29)],
            Some(Fault::InventedEnergy { meter: MeterId::from_number(2) }),
        ),
        (
            "seller's meter overdrawn",
            |report| report.settled = vec![wh(90), wh(31)],
            Some(Fault::InventedEnergy { meter: MeterId::from_number(1) }),
        ),
        (
            "above the trade",
            |report| report.settled = vec![wh(101), wh(0)],
            Some(Fault::AboveTrade { trade: 0, settled: wh(101), energy: wh(100) }),
        ),
        (
            "a trade less",
            |report| report.settled = vec![wh(90)],
            Some(Fault::SettledCount { expected: 2, got: 1 }),
        ),
    ]
}

#[test]
fn each_settlement_fault_has_its_name() {
    for (name, forge, fault) in settlement_rows() {
        let mut report = honest();
        assert_eq!(report.transfers.len(), 9, "rows name lines by their place: {:#?}", report.transfers);
        forge(&mut report);
        assert_eq!(check_settlement(&slot(), &report).err(), fault, "{name}");
        assert_eq!(naive::settles(&slot(), &report), fault.is_none(), "{name}: the restatement");
    }
}
