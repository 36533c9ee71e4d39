//! What was delivered, and what was not.

use super::{A, B, C, audited, expected, lines, open, scenario, trade};
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use contract_interface::{Fee, OrderRequest, Side, flags, kinds};
use runtime_execution::modules::markets;
use runtime_primitives::{Energy, Price};

/// The slot of the paper's trade with these meters, and the lines it leaves.
fn delivered(plan: &Plan, moved: &[(u64, u64)], due: &[(u8, &str, &str, u128)]) -> World {
    let mut world = open(plan);
    trade(&mut world, 10_000, 6_700);
    world.finish(FIRST, moved);
    let book = audited(&world);
    assert_eq!(lines(&world, &book, FIRST), expected(due));
    for home in &world.homes {
        assert!(world.chain.money(&home.account()).1.is_zero(), "nothing stays held");
    }
    world
}

#[test]
fn the_papers_case() {
    scenario(|plan| {
        let mut world = open(&plan);
        let whole = |world: &World| {
            let parties = [world.homes[A].account(), world.homes[B].account(), world.account(entities::GRID)];
            parties.map(|account| {
                let (free, reserved) = world.chain.money(&account);
                free.units() + reserved.units()
            })
        };
        let before = whole(&world);
        trade(&mut world, 10_000, 6_700);
        world.finish(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
        let after = whole(&world);
        let (seller, buyer, grid) = (after[0] - before[0], before[1] - after[1], after[2] - before[2]);
        assert_eq!((seller, grid), (67_000_000, 2_000_000));
        assert_eq!(seller + grid, buyer, "A and C gain what B loses");
        let book = audited(&world);
        let due = [(kinds::ENERGY, "B", "A", 67_000_000), (kinds::FEE, "B", "grid", 2_000_000)];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}

#[test]
fn partial_delivery_leaves_the_rest_to_the_retailer() {
    scenario(|plan| {
        // 6 kWh of 10: the buyer takes 4 from the retailer, the seller is charged for 4 less the band of 5 %.
        let moved = [(0, 6_000), (10_000, 0), (0, 0)];
        let due = [
            (kinds::ENERGY, "B", "A", 40_200_000),
            (kinds::FEE, "B", "grid", 1_200_000),
            (kinds::DEVIATION, "A", "retailer", 3_500_000),
            (kinds::RETAIL, "B", "retailer", 36_000_000),
        ];
        delivered(&plan, &moved, &due);
    });
}

#[test]
fn a_seller_that_delivers_nothing_pays_its_deviation() {
    scenario(|plan| {
        let moved = [(300, 0), (10_000, 0), (0, 0)];
        let due = [
            (kinds::DEVIATION, "A", "retailer", 9_500_000),
            (kinds::RETAIL, "A", "retailer", 2_700_000),
            (kinds::RETAIL, "B", "retailer", 90_000_000),
        ];
        delivered(&plan, &moved, &due);
    });
}

#[test]
fn a_buyer_that_takes_nothing_pays_its_deviation() {
    scenario(|plan| {
        let moved = [(0, 10_000), (0, 0), (0, 0)];
        let due =
            [(kinds::DEVIATION, "B", "retailer", 9_500_000), (kinds::FEED_IN, "retailer", "A", 30_000_000)];
        delivered(&plan, &moved, &due);
    });
}

#[test]
fn inside_the_band_nobody_is_charged() {
    scenario(|plan| {
        let moved = [(0, 9_500), (10_000, 0), (0, 0)];
        let due = [
            (kinds::ENERGY, "B", "A", 63_650_000),
            (kinds::FEE, "B", "grid", 1_900_000),
            (kinds::RETAIL, "B", "retailer", 4_500_000),
        ];
        delivered(&plan, &moved, &due);
    });
}

/// A and B trade 10 kWh; A is limited to each of `caps` in turn while it delivers, and gives 1 kWh.
fn curtailed(caps: &[u64], charged: bool) {
    scenario(|plan| {
        let mut world = open(&plan);
        trade(&mut world, 10_000, 6_700);
        world.close_gate(FIRST);
        world.confirm_all(FIRST);
        world.attest(FIRST);
        world.chain.pass_to(world.terms.delivery_start(FIRST));
        let grid = world.owners[entities::GRID as usize].clone();
        for cap in caps {
            let items = vec![(world.homes[A].meter, Energy::from_wh(*cap))];
            world.chain.must(&grid, markets::Call::Curtail { market: MARKET, slot: FIRST, items, reason: 2 });
        }
        world.chain.pass_to(world.terms.delivery_end(FIRST));
        world.measure_all(FIRST, &[(0, 1_000), (4_000, 0), (0, 0)]);
        world.certify(FIRST);
        world.settle(FIRST);
        let book = audited(&world);
        let mut due = vec![
            (kinds::ENERGY, "B", "A", 6_700_000),
            (kinds::FEE, "B", "grid", 200_000),
            (kinds::DEVIATION, "B", "retailer", 5_500_000),
            (kinds::RETAIL, "B", "retailer", 27_000_000),
        ];
        if charged {
            due.insert(2, (kinds::DEVIATION, "A", "retailer", 8_500_000));
        }
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}

#[test]
fn a_meter_curtailed_below_its_trades_is_not_charged() {
    curtailed(&[0], false);
    curtailed(&[9_999], false);
    // It was interrupted for a while.
    curtailed(&[0, 20_000], false);
}

#[test]
fn a_meter_curtailed_above_its_trades_is_charged() {
    curtailed(&[10_000], true);
}

#[test]
fn energy_goes_to_trades_in_clearing_order() {
    scenario(|plan| {
        // C bids most and is served first; A delivers for both only in part. Trades: C 4 kWh at 6500, B 5 kWh at 6250.
        let mut world = open(&plan);
        world.place(A, FIRST, Side::Sell, 9_000, 6_000);
        world.place(B, FIRST, Side::Buy, 5_000, 6_500);
        world.place(C, FIRST, Side::Buy, 4_000, 7_000);
        world.finish(FIRST, &[(0, 6_000), (5_000, 0), (4_000, 0)]);
        let book = audited(&world);
        let due = [
            (kinds::ENERGY, "C", "A", 26_000_000),
            (kinds::FEE, "C", "grid", 800_000),
            (kinds::ENERGY, "B", "A", 12_500_000),
            (kinds::FEE, "B", "grid", 400_000),
            (kinds::DEVIATION, "A", "retailer", 2_550_000),
            (kinds::RETAIL, "B", "retailer", 27_000_000),
        ];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}

#[test]
fn the_seller_may_pay_the_fee() {
    scenario(|mut plan| {
        plan.rates.fee = Fee { buyer: Price::ZERO, seller: plan.rates.fee.buyer };
        plan.limits.price_min = Price::from_ticks(3_200);
        let mut world = open(&plan);
        trade(&mut world, 10_000, 6_700);
        // The buyer's hold is without the fee: 6700 ticks.
        assert_eq!(world.chain.money(&world.homes[B].account()).1.units(), 67_000_000);
        world.finish(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
        let book = audited(&world);
        let due = [(kinds::ENERGY, "B", "A", 67_000_000), (kinds::FEE, "A", "grid", 2_000_000)];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}

#[test]
fn prior_consent_needs_no_answer() {
    scenario(|plan| {
        let mut world = open(&plan);
        for (home, side) in [(A, Side::Sell), (B, Side::Buy)] {
            let request = world.request(home, FIRST, side, 10_000, 6_700);
            world.place_request(home, OrderRequest { flags: flags::AUTO_CONFIRM, ..request });
        }
        world.close_gate(FIRST);
        world.expect(FIRST, markets::SlotState::Confirmed);
        world.finish_certified(&[(0, 10_000), (10_000, 0), (0, 0)]);
        let book = audited(&world);
        let due = [(kinds::ENERGY, "B", "A", 67_000_000), (kinds::FEE, "B", "grid", 2_000_000)];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}

#[test]
fn cancelled_and_amended_orders_release_their_holds() {
    scenario(|plan| {
        let mut world = open(&plan);
        trade(&mut world, 10_000, 6_700);
        let (seller, buyer) = (world.homes[A].delegate.clone(), world.homes[B].delegate.clone());
        let seq = runtime_primitives::Seq::from_number(1);
        let request = world.request(B, FIRST, Side::Buy, 5_000, 7_000);
        let minimum = OrderRequest { min_energy: Energy::from_wh(5_000), ..request };
        world.chain.must(&buyer, markets::Call::Amend { seq, request: minimum });
        assert_eq!(world.chain.money(&world.homes[B].account()).1.units(), 36_000_000);
        let seq = runtime_primitives::Seq::ZERO;
        world.chain.must(&seller, markets::Call::Cancel { market: MARKET, slot: FIRST, seq });
        assert!(world.chain.money(&world.homes[A].account()).1.is_zero());
        world.place(A, FIRST, Side::Sell, 5_000, 6_000);
        world.finish(FIRST, &[(0, 5_000), (5_000, 0), (0, 0)]);
        let book = audited(&world);
        let due = [(kinds::ENERGY, "B", "A", 32_500_000), (kinds::FEE, "B", "grid", 1_000_000)];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}
