//! A curtailment of more orders than one call withdraws.

use super::{audited, on_vm_thread, open};
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use contract_interface::Side;
use runtime_execution::Outcome;
use runtime_execution::modules::markets::{self, Error, Event};
use runtime_primitives::limits::{ORDERS_PER_ENTITY_MAX, WITHDRAWN_PER_CALL_MAX};
use runtime_primitives::{Energy, Seq};

#[test]
fn a_curtailment_withdraws_so_many_orders_and_declares_them() {
    on_vm_thread(|| {
        let (homes, each) = (17, 120);
        let mut plan = Plan { homes, ..Plan::default() };
        (plan.limits.orders_per_slot, plan.limits.orders_per_entity) = (homes * each, each);
        plan.rules[3] = plan.rules[1].clone();
        let mut world = open(&plan);
        for _ in 0..each {
            for home in 0..homes as usize {
                let request = world.request(home, FIRST, Side::Sell, 10, 6_000);
                let delegate = world.homes[home].delegate.clone();
                world.chain.submit(&delegate, markets::Call::Place { request });
            }
        }
        world.chain.block_of_successes();
        let call = |homes: std::ops::Range<usize>, world: &World| {
            let items = world.homes[homes].iter().map(|home| (home.meter, Energy::ZERO)).collect();
            markets::Call::Curtail { market: MARKET, slot: FIRST, items, reason: 1 }
        };
        let grid = world.owners[entities::GRID as usize].clone();
        let all = call(0..17, &world);
        let hash = world.chain.submit(&grid, all);
        world.chain.block();
        let wrong = Error::TooManyWithdrawn { orders: homes * each, most: WITHDRAWN_PER_CALL_MAX };
        let outcome = world.chain.outcome(&hash);
        assert!(matches!(outcome, Outcome::Failed { error, .. } if *error == wrong.into()), "{outcome:?}");
        assert_eq!(world.slot(FIRST).orders, homes * each);
        for some in [0..16, 16..17] {
            let call = call(some.clone(), &world);
            world.chain.must(&grid, call);
        }
        let withdrawn =
            world.chain.market_events().filter(|event| matches!(event, Event::OrderCurtailed { .. }));
        assert_eq!(withdrawn.count(), (homes * each) as usize);
        assert_eq!(world.slot(FIRST).orders, 0);
        audited(&world);
        // A meter is declared with as many withdrawals as it may have orders.
        let [none, one] = [0..0, 0..1].map(|homes| call(homes, &world).gas().units());
        let cancel = markets::Call::Cancel { market: MARKET, slot: FIRST, seq: Seq::ZERO }.gas().units();
        assert!(one - none >= u64::from(ORDERS_PER_ENTITY_MAX) * cancel);
    });
}
