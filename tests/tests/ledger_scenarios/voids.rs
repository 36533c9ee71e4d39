//! Slots without trades in the end: everything is released, meters are still billed.

use super::{A, B, audited, expected, lines, open, scenario, trade};
use busbar_tests::evil;
use busbar_tests::two_faced::{self, Deed};
use busbar_tests::world::{FIRST, Plan, World};
use contract_interface::{Side, Stage, kinds};
use runtime_execution::modules::markets::{SlotState, VoidReason};
use runtime_primitives::{Hash, Money};

/// A gave 10 kWh and B took them, at the retailer's rates.
const RESIDUAL: [(u8, &str, &str, u128); 2] =
    [(kinds::FEED_IN, "retailer", "A", 30_000_000), (kinds::RETAIL, "B", "retailer", 90_000_000)];

fn ends_void(mut world: World, reason: VoidReason) {
    world.expect(FIRST, SlotState::Void);
    assert_eq!(world.slot(FIRST).void, Some(reason));
    for home in &world.homes {
        assert!(world.chain.money(&home.account()).1.is_zero(), "holds are released");
    }
    world.chain.pass_to(world.terms.delivery_end(FIRST));
    world.measure_all(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
    world.certify(FIRST);
    world.settle(FIRST);
    let book = audited(&world);
    assert_eq!(lines(&world, &book, FIRST), expected(&RESIDUAL));
}

fn proposed(plan: &Plan) -> World {
    let mut world = open(plan);
    trade(&mut world, 10_000, 6_700);
    world.close_gate(FIRST);
    world
}

#[test]
fn without_a_certificate() {
    scenario(|plan| {
        let mut world = proposed(&plan);
        world.confirm_all(FIRST);
        world.chain.pass_to(world.before_start(FIRST, 10));
        ends_void(world, VoidReason::NotCertified);
    });
}

#[test]
fn with_a_certificate_of_something_else() {
    scenario(|plan| {
        let mut world = proposed(&plan);
        world.confirm_all(FIRST);
        world.vote_all(FIRST, Stage::Authentication, Hash([1; 32]));
        world.chain.block_of_successes();
        world.chain.pass_to(world.before_start(FIRST, 10));
        ends_void(world, VoidReason::NotCertified);
    });
}

#[test]
fn with_one_validator_of_three() {
    scenario(|plan| {
        let mut world = proposed(&plan);
        world.confirm_all(FIRST);
        let claim = world.claim(FIRST, Stage::Authentication);
        let vote = world.vote(runtime_primitives::EntityId::from_number(6), claim);
        world.chain.submit_bare(vote);
        world.chain.block_of_successes();
        world.chain.pass_to(world.before_start(FIRST, 10));
        ends_void(world, VoidReason::NotCertified);
    });
}

#[test]
fn without_a_clearing() {
    scenario(|mut plan| {
        plan.limits.orders_per_slot = 5;
        plan.rules[1] = two_faced::rule(&evil::DESCRIPTOR, 5, &Deed::Trap);
        plan.rules[3] = two_faced::rule(&evil::DESCRIPTOR, 5, &Deed::Loop);
        let mut world = proposed(&plan);
        world.chain.block();
        ends_void(world, VoidReason::NoClearing);
    });
}

#[test]
fn without_a_deposit() {
    scenario(|mut plan| {
        plan.deposit = Money::from_units(1);
        ends_void(proposed(&plan), VoidReason::NoDeposit);
    });
}

#[test]
fn after_an_outage_past_the_gate() {
    scenario(|plan| {
        let mut world = open(&plan);
        trade(&mut world, 10_000, 6_700);
        // The next block comes when delivery has begun.
        world.chain.block_at(world.terms.delivery_start(FIRST));
        for _ in 0..8 {
            world.chain.block();
        }
        ends_void(world, VoidReason::TooLate);
    });
}

#[test]
fn an_empty_book_is_cleared_certified_and_billed() {
    scenario(|plan| {
        let mut world = open(&plan);
        world.finish(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
        let book = audited(&world);
        assert_eq!(lines(&world, &book, FIRST), expected(&RESIDUAL));
    });
}

#[test]
fn orders_that_do_not_cross_are_released() {
    scenario(|plan| {
        let mut world = open(&plan);
        world.place(A, FIRST, Side::Sell, 10_000, 6_700);
        world.place(B, FIRST, Side::Buy, 10_000, 6_690);
        world.close_gate(FIRST);
        world.expect(FIRST, SlotState::Confirmed);
        for home in &world.homes {
            assert!(world.chain.money(&home.account()).1.is_zero());
        }
        world.finish_certified(&[(0, 10_000), (10_000, 0), (0, 0)]);
        let book = audited(&world);
        assert_eq!(lines(&world, &book, FIRST), expected(&RESIDUAL));
    });
}
