//! What the network costs: by the feeders of both meters, split between the sides.

use super::{A, B, C, audited, expected, lines, open, scenario};
use busbar_tests::world::{FIRST, Plan};
use contract_interface::{Fee, FeederFee, Side, kinds};
use runtime_primitives::{FeederId, Price};

/// A and B on feeder 1, C on feeder 2. Within feeder 1 the buyer pays 50 ticks; from 1 to 2 the buyer pays 300 and the
/// seller 50; from 2 to 1 the market's own fee holds: 200 by the buyer.
fn feeders(mut plan: Plan) -> Plan {
    let pair = |seller, buyer, buyer_pays, seller_pays| FeederFee {
        seller: FeederId::from_number(seller),
        buyer: FeederId::from_number(buyer),
        fee: Fee { buyer: Price::from_ticks(buyer_pays), seller: Price::from_ticks(seller_pays) },
    };
    plan.feeders = vec![1, 1, 2];
    plan.fees = vec![pair(1, 1, 50, 0), pair(1, 2, 300, 50)];
    plan.limits.price_min = Price::from_ticks(3_050);
    plan.limits.price_max = Price::from_ticks(8_700);
    plan
}

#[test]
fn a_pair_of_feeders_pays_its_own_fee_and_either_side_its_part() {
    scenario(|plan| {
        let mut world = open(&feeders(plan));
        world.place(A, FIRST, Side::Sell, 8_000, 6_000);
        world.place(B, FIRST, Side::Buy, 4_000, 6_500);
        world.place(C, FIRST, Side::Buy, 4_000, 6_400);
        // Whoever the order will trade with, the dearest feeder is held for.
        assert_eq!(world.chain.money(&world.homes[B].account()).1.units(), (6_500 + 300) * 4_000);
        world.finish(FIRST, &[(0, 8_000), (4_000, 0), (4_000, 0)]);
        let book = audited(&world);
        let due = [
            (kinds::ENERGY, "B", "A", 6_250 * 4_000),
            (kinds::FEE, "B", "grid", 50 * 4_000),
            (kinds::ENERGY, "C", "A", 6_200 * 4_000),
            (kinds::FEE, "C", "grid", 300 * 4_000),
            (kinds::FEE, "A", "grid", 50 * 4_000),
        ];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}

#[test]
fn feeders_that_are_not_listed_pay_the_markets_fee() {
    scenario(|plan| {
        let mut world = open(&feeders(plan));
        world.place(C, FIRST, Side::Sell, 4_000, 6_500);
        world.place(B, FIRST, Side::Buy, 4_000, 6_500);
        world.finish(FIRST, &[(0, 0), (4_000, 0), (0, 3_000)]);
        let book = audited(&world);
        // C delivers a kWh less than it sold: 200 Wh are within its band.
        let due = [
            (kinds::ENERGY, "B", "C", 6_500 * 3_000),
            (kinds::FEE, "B", "grid", 200 * 3_000),
            (kinds::DEVIATION, "C", "retailer", 1_000 * 800),
            (kinds::RETAIL, "B", "retailer", 9_000 * 1_000),
        ];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}
