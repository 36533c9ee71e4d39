//! Random markets within the bounds that the chain checks.

use crate::books::Random;
use busbar_tests::world::Plan;
use busbar_tests::{artifacts, evil, two_faced};
use contract_interface::{Fee, Rates};
use runtime_primitives::{Energy, Money, Price};

/// A market of five to eight households.
pub fn plan(random: &mut Random) -> Plan {
    let mut plan = Plan { homes: 5 + random.below(4), ..Plan::default() };
    plan.slot_minutes = [10, 15, 30][random.below(3) as usize];
    // Poor households run out of money, poor operators of their deposit.
    plan.funds = Money::from_units([30_000_000, 1_000_000_000, 1_000_000_000][random.below(3) as usize]);
    if random.once_in(12) {
        plan.deposit = Money::from_units(u128::from(random.below(40_000)));
    }
    plan.rates = rates(random);
    limits(random, &mut plan);
    plan.windows.open_before_s = 1_800;
    (plan.windows.objection_s, plan.windows.dispute_s) = (2_400, 3_600);
    if random.once_in(5) && !plan.rates.deviation.is_zero() {
        // Sealed until a minute after the gate.
        plan.windows.reveal_s = 60;
    }
    rules(random, &mut plan);
    plan
}

fn rates(random: &mut Random) -> Rates {
    let feed_in = 100 * random.below(40);
    let [of_buyer, of_seller] = [0, 0].map(|_| if random.once_in(3) { 0 } else { random.below(400) });
    let retail = feed_in + 2 * (of_buyer + of_seller) + 100 + random.below(8_000);
    Rates {
        feed_in: Price::from_ticks(feed_in),
        retail: Price::from_ticks(retail),
        fee: Fee { buyer: Price::from_ticks(of_buyer), seller: Price::from_ticks(of_seller) },
        deviation: Price::from_ticks([0, random.below(1_500), retail][random.below(3) as usize].min(retail)),
        tol_wh: Energy::from_wh(u64::from(random.below(50))),
        tol_bp: u16::try_from(random.below(2_000)).unwrap(),
    }
}

fn limits(random: &mut Random, plan: &mut Plan) {
    let rates = plan.rates;
    let tick = [1, 10, 50][random.below(3) as usize];
    let (low, high) =
        (rates.feed_in.ticks() + rates.fee.seller.ticks(), rates.retail.ticks() - rates.fee.buyer.ticks());
    plan.limits.tick_size = Price::from_ticks(tick);
    plan.limits.price_min = Price::from_ticks(low);
    plan.limits.price_max = Price::from_ticks(high);
    plan.limits.orders_per_entity = 1 + random.below(5);
}

/// Each rule that ships clears some of the markets; now and then one that fails on the book.
fn rules(random: &mut Random, plan: &mut Plan) {
    let matching = [artifacts::HIGH_LOW, artifacts::MIN_SPREAD, artifacts::UNIFORM_PRICE];
    plan.rules[1] = matching[random.below(3) as usize].to_vec();
    plan.rules[3] = matching[random.below(3) as usize].to_vec();
    if random.once_in(6) {
        // It knows the worst book by its length, so no real book may be as long.
        let trap = two_faced::Deed::Trap;
        plan.rules[1] = two_faced::rule(&evil::DESCRIPTOR, plan.limits.orders_per_slot, &trap);
    }
    if random.once_in(20) {
        plan.rules[3] = evil::traps();
    }
    if random.once_in(10) {
        plan.rules[2] = evil::traps();
    }
}
