//! Rules are run on the worst book when terms name them: it comes out of what a block has for market steps, and who asks
//! declares it.

use busbar_tests::evil;
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{Plan, World};
use runtime_execution::modules::markets::{self, NEXT_MARKET};
use runtime_execution::modules::payment;
use runtime_execution::{Call, Invalid, Outcome};
use runtime_primitives::limits::{DESCRIBE_GAS_MAX, MARKET_STEPS_GAS_MAX, RULES_CHECK_GAS_MAX};
use runtime_primitives::{EntityId, MarketId};
use std::sync::Arc;

/// Rounds of a rule that costs some 5 * 10^11 gas.
const DEAR: u32 = 600_000_000;

/// A chain that has the rules and no market.
fn prepared(plan: &Plan) -> World {
    let mut world = World::at_genesis(plan);
    world.upload(&plan.rules);
    world
}

/// Two markets are asked for in one block; gives what became of both, and how many markets there are.
fn two_in_a_block(world: &mut World, plan: &Plan) -> ([Outcome; 2], MarketId) {
    let (platform, call) = (Arc::clone(world.platform()), world.new_market(plan));
    let sent = [0, 1].map(|_| world.chain.submit(&platform, call.clone()));
    world.chain.block();
    let outcomes = sent.map(|hash| world.chain.outcome(&hash).clone());
    (outcomes, NEXT_MARKET.get(&world.chain.view()).unwrap_or_default())
}

#[test]
fn cheap_rules_are_checked_in_one_block_and_dear_ones_wait_for_the_next() {
    on_vm_thread(|| {
        let plan = Plan { homes: 0, ..Plan::default() };
        let (outcomes, markets) = two_in_a_block(&mut prepared(&plan), &plan);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied { .. })), "{outcomes:?}");
        assert_eq!(markets, MarketId::from_number(2));

        let mut dear = plan;
        dear.rules[3] = evil::dear(DEAR);
        let mut world = prepared(&dear);
        let (outcomes, markets) = two_in_a_block(&mut world, &dear);
        assert!(matches!(outcomes[0], Outcome::Applied { .. }), "{outcomes:?}");
        let Outcome::Skipped { reason: Invalid::BlockGas { declared, left } } = outcomes[1] else {
            panic!("the second is {:?}", outcomes[1]);
        };
        assert_eq!(declared.units(), RULES_CHECK_GAS_MAX);
        let used = MARKET_STEPS_GAS_MAX - left.units();
        assert!((400_000_000_000..700_000_000_000).contains(&used), "{used} gas were used");
        assert_eq!(markets, MarketId::from_number(1));
        // Nothing has changed, so it is good in the next block.
        let (platform, call) = (Arc::clone(world.platform()), world.new_market(&dear));
        world.chain.must(&platform, call);
    });
}

/// What is declared counts against the operator's quota, whether the check succeeds or not.
#[test]
fn who_asks_for_a_check_declares_it() {
    on_vm_thread(|| {
        let mut plan = Plan { homes: 0, ..Plan::default() };
        for is_sound in [true, false] {
            if !is_sound {
                plan.rules[3] = evil::traps();
            }
            let mut world = prepared(&plan);
            let platform = Arc::clone(world.platform());
            let operator = EntityId::from_number(busbar_tests::world::entities::PLATFORM);
            let used =
                |world: &World| payment::usage(&world.chain.view(), operator, world.chain.now).gas.units();
            let (before, call) = (used(&world), world.new_market(&plan));
            world.chain.submit(&platform, call.clone());
            world.chain.block();
            assert_eq!(NEXT_MARKET.get(&world.chain.view()).is_some(), is_sound);
            let declared = used(&world) - before;
            assert_eq!(declared, Call::Markets(call.clone()).weight().units());
            let orders = u64::from(plan.limits.orders_per_slot);
            let of_host = 50_000_000 + 4 * DESCRIBE_GAS_MAX + 2_000_000 * orders;
            assert_eq!(declared, RULES_CHECK_GAS_MAX + of_host);
            assert!(matches!(call, markets::Call::Create { .. }));
        }
    });
}
