//! The formulas of MARKET section 4, computed by hand, and their consequences on random slots.
//!
//! The consequences are checked per meter from the input alone, not with code of the rule.

#[path = "../../testing/mod.rs"]
mod testing;

use contract_interface::{
    CertifiedTrade, Fee, LangError, MeterSlot, Party, Rates, RuleError, SETTLE, SettleInput,
    SettlementReport, Transfer, kinds,
};
use contract_settlement::{Fault, dispatch, settle};
use parity_scale_codec::Encode;
use runtime_primitives::{Energy, EntityId, MeterId, Money, Price};
use std::collections::BTreeMap;
use testing::books::Random;
use testing::hostile;
use testing::slots::{RATES, curtailed, input, meter, random_input, trade};

fn report(input: SettleInput) -> SettlementReport {
    settle(input).expect("the input is well-formed").into()
}

/// A line: kind, payer, payee, amount, and the trade (positive) or meter (negative) it is for.
type Line = (u8, Party, Party, u128, i64);

fn entity(number: u32) -> Party {
    Party::Entity(EntityId::from_number(number))
}

fn check(rates: Rates, trades: &[CertifiedTrade], meters: &[MeterSlot], settled: &[u64], lines: &[Line]) {
    let report = report(input(rates, trades, meters));
    assert_eq!(report.settled.iter().map(|energy| energy.wh()).collect::<Vec<_>>(), settled);
    let got: Vec<Line> = report.transfers.iter().map(line).collect();
    assert_eq!(got, lines);
}

fn line(transfer: &Transfer) -> Line {
    let about = match (transfer.trade, transfer.meter) {
        (Some(trade), None) => i64::from(trade),
        (None, Some(meter)) => -i64::from(meter.number()),
        both => panic!("a line is about a trade or a meter, not {both:?}"),
    };
    (transfer.kind, transfer.from, transfer.to, transfer.amount.units(), about)
}

/// A trade that the network costs nothing.
fn free(trade: CertifiedTrade) -> CertifiedTrade {
    CertifiedTrade { fee: Fee::default(), ..trade }
}

use Party::{Grid, Pool, Retailer};
use kinds::{DEVIATION, ENERGY, FEE, FEED_IN, RETAIL, SURPLUS};

#[test]
fn the_papers_case() {
    // 10 kWh at 0.67 yuan; 0.02 yuan/kWh to the grid operator: 6.7 and 0.2 yuan.
    let trades = [trade(1, 2, 1, 10_000, (6_700, 6_700))];
    let lines = [(ENERGY, entity(102), entity(101), 67_000_000, 1), (FEE, entity(102), Grid, 2_000_000, 1)];
    check(RATES, &trades, &[meter(1, 0, 10_000), meter(2, 10_000, 0)], &[10_000], &lines);
}

#[test]
fn full_delivery_leaves_residuals_to_the_retailer() {
    let trades = [trade(1, 2, 1, 1_000, (6_000, 6_000))];
    let lines = [
        (ENERGY, entity(102), entity(101), 6_000_000, 1),
        (FEE, entity(102), Grid, 200_000, 1),
        (FEED_IN, Retailer, entity(101), 3_000 * 500, -1),
        (RETAIL, entity(102), Retailer, 9_000 * 250, -2),
        (RETAIL, entity(103), Retailer, 9_000 * 7, -3),
    ];
    check(RATES, &trades, &[meter(1, 0, 1_500), meter(2, 1_250, 0), meter(3, 7, 0)], &[1_000], &lines);
}

#[test]
fn a_seller_who_delivers_less_pays_outside_its_band() {
    // 1000 sold, 600 exported: D = 400, tol = max(5, 50) = 50; the buyer takes the rest from the retailer.
    let trades = [trade(1, 2, 1, 1_000, (6_000, 6_000))];
    let lines = [
        (ENERGY, entity(102), entity(101), 6_000 * 600, 1),
        (FEE, entity(102), Grid, 200 * 600, 1),
        (DEVIATION, entity(101), Retailer, 1_000 * 350, -1),
        (RETAIL, entity(102), Retailer, 9_000 * 400, -2),
    ];
    check(RATES, &trades, &[meter(1, 0, 600), meter(2, 1_000, 0)], &[600], &lines);
}

#[test]
fn a_buyer_who_takes_less_pays_outside_its_band() {
    let trades = [trade(1, 2, 1, 1_000, (6_000, 6_000))];
    let lines = [
        (ENERGY, entity(102), entity(101), 6_000 * 900, 1),
        (FEE, entity(102), Grid, 200 * 900, 1),
        (FEED_IN, Retailer, entity(101), 3_000 * 100, -1),
        (DEVIATION, entity(102), Retailer, 1_000 * 50, -2),
    ];
    check(RATES, &trades, &[meter(1, 0, 1_000), meter(2, 900, 0)], &[900], &lines);
}

#[test]
fn an_interrupted_meter_pays_no_deviation() {
    let trades = [trade(1, 2, 1, 1_000, (6_000, 6_000))];
    check(
        RATES,
        &trades,
        &[curtailed(1, 0, 0), meter(2, 0, 0)],
        &[0],
        &[(DEVIATION, entity(102), Retailer, 950_000, -2)],
    );
    check(RATES, &trades, &[curtailed(1, 0, 0), curtailed(2, 0, 0)], &[0], &[]);
}

#[test]
fn the_band_rounds_down_and_has_a_floor() {
    for (confirmed, missing, charged) in [
        (1_000, 50, 0),
        (1_000, 51, 1),
        (1_019, 50, 0), // floor(50.95) = 50
        (1_019, 51, 1),
        (1_020, 51, 0), // floor(51.00) = 51
        (80, 5, 0),     // floor(4.00) < 5
        (80, 6, 1),
        (3, 3, 0),
    ] {
        let trades = [trade(1, 2, 1, confirmed, (6_000, 6_000))];
        let report =
            report(input(RATES, &trades, &[meter(1, 0, confirmed - missing), meter(2, confirmed, 0)]));
        let charges: u128 =
            report.transfers.iter().filter(|t| t.kind == DEVIATION).map(|t| t.amount.units()).sum();
        assert_eq!(charges, 1_000 * charged, "{confirmed} confirmed, {missing} missing");
    }
}

#[test]
fn the_fee_is_the_trades_own_and_either_side_pays_its_part() {
    // The rates' fee is the market's default; what counts is in the trade.
    let meters = [meter(1, 0, 1_000), meter(2, 1_000, 0)];
    for (buyer, seller) in [(0, 200), (70, 130), (0, 0), (333, 1)] {
        let fee = Fee { buyer: Price::from_ticks(buyer), seller: Price::from_ticks(seller) };
        let trades = [CertifiedTrade { fee, ..trade(1, 2, 1, 1_000, (6_000, 6_000)) }];
        let mut lines = vec![(ENERGY, entity(102), entity(101), 6_000_000, 1)];
        for (payer, ticks) in [(102, buyer), (101, seller)] {
            if ticks > 0 {
                lines.push((FEE, entity(payer), Grid, u128::from(ticks) * 1_000, 1));
            }
        }
        check(RATES, &trades, &meters, &[1_000], &lines);
    }
}

#[test]
fn two_prices_feed_the_pool() {
    let trades = [trade(1, 2, 1, 100, (4_500, 4_000))];
    let lines = [
        (ENERGY, entity(102), entity(101), 400_000, 1),
        (SURPLUS, entity(102), Pool, 50_000, 1),
        (FEE, entity(102), Grid, 20_000, 1),
    ];
    check(RATES, &trades, &[meter(1, 0, 100), meter(2, 100, 0)], &[100], &lines);
}

#[test]
fn metered_energy_goes_to_trades_in_clearing_order() {
    // Meter 1 sold 100 + 100 + 100 and exported 150; meter 3's purchase is limited by its own import.
    let at = (5_000, 5_000);
    let trades = [(4, 2), (5, 3), (6, 2)].map(|(id, buyer)| free(trade(id, buyer, 1, 100, at)));
    let rates = Rates { tol_wh: Energy::ZERO, tol_bp: 0, ..RATES };
    let lines = [
        (ENERGY, entity(102), entity(101), 500_000, 4),
        (ENERGY, entity(103), entity(101), 150_000, 5),
        (ENERGY, entity(102), entity(101), 100_000, 6),
        (DEVIATION, entity(101), Retailer, 1_000 * 150, -1),
        (RETAIL, entity(102), Retailer, 9_000 * 80, -2),
        (DEVIATION, entity(103), Retailer, 1_000 * 70, -3),
    ];
    check(rates, &trades, &[meter(1, 0, 150), meter(2, 200, 0), meter(3, 30, 0)], &[100, 30, 20], &lines);
}

#[test]
fn a_meter_may_both_buy_and_sell() {
    let at = (5_000, 5_000);
    let trades = [trade(1, 1, 2, 10, at), trade(2, 2, 1, 20, at)].map(free);
    let rates = Rates { tol_wh: Energy::ZERO, tol_bp: 0, ..RATES };
    let lines = [
        (ENERGY, entity(101), entity(102), 20_000, 1),
        (ENERGY, entity(102), entity(101), 50_000, 2),
        (FEED_IN, Retailer, entity(101), 15_000, -1),
        (DEVIATION, entity(101), Retailer, 5_000, -1),
        (DEVIATION, entity(101), Retailer, 6_000, -1),
        (FEED_IN, Retailer, entity(102), 3_000, -2),
        (DEVIATION, entity(102), Retailer, 5_000, -2),
        (DEVIATION, entity(102), Retailer, 10_000, -2),
    ];
    check(rates, &trades, &[meter(1, 4, 15), meter(2, 10, 5)], &[4, 10], &lines);
}

#[test]
fn inputs_that_contradict_themselves_are_refused() {
    let (good, meters) = (trade(1, 2, 1, 10, (5_000, 5_000)), [meter(1, 0, 10), meter(2, 10, 0)]);
    let refuses = |input: SettleInput, fault: Fault| {
        assert_eq!(settle(input).map(SettlementReport::from), Err(RuleError::from(fault)), "{fault:?}");
    };
    refuses(SettleInput { interface: 3, ..input(RATES, &[good], &meters) }, Fault::Interface(3));
    refuses(input(RATES, &[good], &[meters[1], meters[0]]), Fault::MetersNotAscending);
    refuses(input(RATES, &[good], &[meters[0], meters[0], meters[1]]), Fault::MetersNotAscending);
    refuses(input(RATES, &[good], &meters[..1]), Fault::UnknownMeter);
    refuses(input(RATES, &[trade(1, 2, 3, 10, (5_000, 5_000))], &meters), Fault::UnknownMeter);
    refuses(input(RATES, &[trade(1, 2, 1, 10, (4_999, 5_000))], &meters), Fault::PricesReversed);
    refuses(input(RATES, &[trade(1, 2, 1, u64::MAX, (5, 5)), good], &meters), Fault::EnergyOverflow);
}

#[test]
fn random_slots_balance_and_stay_within_what_was_metered() {
    for seed in 0..2_000 {
        let input = random_input(&mut Random(seed));
        let report = report(input.clone());
        let mut net: BTreeMap<Party, i128> = BTreeMap::new();
        for transfer in &report.transfers {
            assert!(!transfer.amount.is_zero(), "seed {seed} {transfer:?}");
            let amount = i128::try_from(transfer.amount.units()).expect("amounts are small");
            *net.entry(transfer.from).or_default() -= amount;
            *net.entry(transfer.to).or_default() += amount;
        }
        assert_eq!(net.values().sum::<i128>(), 0, "seed {seed}");
        assert_eq!(net, expected_net(&input, &report.settled), "seed {seed}");
        within_what_was_metered(&input, &report.settled, seed);
    }
}

/// Nobody is settled beyond its meter, no trade beyond its energy, and nothing that could be settled is left over.
fn within_what_was_metered(input: &SettleInput, settled: &[Energy], seed: u64) {
    assert_eq!(settled.len(), input.trades.len());
    let of = |side: fn(&CertifiedTrade) -> MeterId, meter: &MeterSlot| -> u64 {
        let own = input.trades.iter().zip(settled).filter(|(trade, _)| side(trade) == meter.meter);
        own.map(|(_, settled)| settled.wh()).sum()
    };
    for meter in &input.meters {
        assert!(of(|trade| trade.sell_meter, meter) <= meter.export_wh.wh(), "seed {seed}");
        assert!(of(|trade| trade.buy_meter, meter) <= meter.import_wh.wh(), "seed {seed}");
    }
    for (trade, settled) in input.trades.iter().zip(settled) {
        assert!(*settled <= trade.energy, "seed {seed}");
        let find = |id| input.meters.iter().find(|meter| meter.meter == id).expect("listed");
        let (buyer, seller) = (find(trade.buy_meter), find(trade.sell_meter));
        let exhausted = of(|trade| trade.sell_meter, seller) == seller.export_wh.wh()
            || of(|trade| trade.buy_meter, buyer) == buyer.import_wh.wh();
        assert!(*settled == trade.energy || exhausted, "seed {seed} {trade:?}");
    }
}

/// Every party's balance from the formulas, given the settled energies; parties without a line are absent.
fn expected_net(input: &SettleInput, settled: &[Energy]) -> BTreeMap<Party, i128> {
    let mut net: BTreeMap<Party, i128> = BTreeMap::new();
    let mut pay = |from: Party, to: Party, price: u32, energy: u64| {
        if price > 0 && energy > 0 {
            let amount = i128::from(price) * i128::from(energy);
            *net.entry(from).or_default() -= amount;
            *net.entry(to).or_default() += amount;
        }
    };
    let rates = input.rates;
    for meter in &input.meters {
        let owner = Party::Entity(meter.entity);
        let (mut sold, mut bought, mut out, mut into) = (0, 0, 0, 0);
        for (trade, settled) in input.trades.iter().zip(settled) {
            if trade.sell_meter == meter.meter {
                (sold, out) = (sold + trade.energy.wh(), out + settled.wh());
                let buyer = input.meters.iter().find(|other| other.meter == trade.buy_meter).expect("listed");
                let buyer = Party::Entity(buyer.entity);
                pay(buyer, owner, trade.sell_price.ticks(), settled.wh());
                pay(buyer, Pool, trade.buy_price.ticks() - trade.sell_price.ticks(), settled.wh());
                pay(buyer, Grid, trade.fee.buyer.ticks(), settled.wh());
                pay(owner, Grid, trade.fee.seller.ticks(), settled.wh());
            }
            if trade.buy_meter == meter.meter {
                (bought, into) = (bought + trade.energy.wh(), into + settled.wh());
            }
        }
        pay(Retailer, owner, rates.feed_in.ticks(), meter.export_wh.wh() - out);
        pay(owner, Retailer, rates.retail.ticks(), meter.import_wh.wh() - into);
        for (confirmed, metered) in [(sold, meter.export_wh.wh()), (bought, meter.import_wh.wh())] {
            let band = rates.tol_wh.wh().max(confirmed * u64::from(rates.tol_bp) / 10_000);
            let charged =
                if meter.curtailed { 0 } else { confirmed.saturating_sub(metered).saturating_sub(band) };
            pay(owner, Retailer, rates.deviation.ticks(), charged);
        }
    }
    net
}

#[test]
fn the_answer_is_the_encoded_report() {
    for seed in 0..200 {
        let input = random_input(&mut Random(seed));
        let expected = Ok::<_, LangError>(Ok::<_, RuleError>(report(input.clone()))).encode();
        let settlement = settle(input.clone()).expect("the input is well-formed");
        assert!(settlement.size_hint() >= settlement.encoded_size(), "seed {seed}");
        assert_eq!(dispatch(&(SETTLE, input).encode()), (0, expected), "seed {seed}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    assert_eq!(dispatch(&[]), hostile::unreadable());
    let trades = [trade(1, 2, 1, 1_000, (6_000, 6_000)); 20];
    let valid = (SETTLE, input(RATES, &trades, &[meter(1, 0, 600), meter(2, 1_000, 0)])).encode();
    let reached = hostile::survive::<SettlementReport>(dispatch, &valid, 5);
    assert!(reached > 500, "only {reached} inputs reached the rule");
}

#[test]
fn amounts_are_exact_at_the_extremes() {
    let trades = [trade(1, 2, 1, u64::MAX, (u32::MAX, u32::MAX))];
    let report = report(input(RATES, &trades, &[meter(1, 0, u64::MAX), meter(2, u64::MAX, 0)]));
    let exact = u128::from(u32::MAX) * u128::from(u64::MAX);
    assert_eq!(report.transfers[0].amount, Money::from_units(exact));
}
