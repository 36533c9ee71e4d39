//! More orders with a minimum fill than a clearing takes: an open book refuses them, of sealed ones the first count.

use super::{A, B, C, audited, scenario};
use busbar_tests::world::{FIRST, MARKET, Plan, World};
use contract_interface::{OrderRequest, Side};
use runtime_execution::Outcome;
use runtime_execution::modules::markets::{self, Error, SlotState};
use runtime_primitives::limits::MINIMUMS_PER_SLOT_MAX;
use runtime_primitives::{Money, Seq};

fn large(mut plan: Plan) -> Plan {
    (plan.limits.orders_per_slot, plan.limits.orders_per_entity) = (150, 70);
    plan
}

/// 100 Wh or nothing.
fn whole(world: &World, home: usize) -> OrderRequest {
    let request = world.request(home, FIRST, Side::Sell, 100, 6_000);
    OrderRequest { min_energy: request.energy, ..request }
}

fn refused(world: &mut World, home: usize, request: OrderRequest) -> bool {
    let delegate = world.homes[home].delegate.clone();
    let hash = world.chain.submit(&delegate, markets::Call::Place { request });
    world.chain.block();
    let wrong = Error::TooManyMinimums(MINIMUMS_PER_SLOT_MAX).into();
    matches!(world.chain.outcome(&hash), Outcome::Failed { error, .. } if *error == wrong)
}

fn trades_by_the_first_rule(world: &World) -> u32 {
    assert!(!world.slot(FIRST).fallback, "the rule takes what the chain hands over");
    world.slot(FIRST).trades
}

#[test]
fn an_open_book_refuses_one_more() {
    scenario(|plan| {
        let mut world = super::open(&large(plan));
        let delegate = world.homes[A].delegate.clone();
        for _ in 0..MINIMUMS_PER_SLOT_MAX {
            let request = whole(&world, A);
            world.chain.submit(&delegate, markets::Call::Place { request });
        }
        world.chain.block_of_successes();
        let request = whole(&world, C);
        assert!(refused(&mut world, C, request.clone()), "the slot has its 64");
        world.place(C, FIRST, Side::Sell, 100, 6_000);
        // An amendment keeps its count, a cancellation gives it back.
        let (seq, amended) = (Seq::ZERO, whole(&world, A));
        world.chain.must(&delegate, markets::Call::Amend { seq, request: amended });
        assert!(refused(&mut world, C, request.clone()), "an amended order counts once");
        let seq = Seq::from_number(1);
        world.chain.must(&delegate, markets::Call::Cancel { market: MARKET, slot: FIRST, seq });
        world.place_request(C, request.clone());
        assert!(refused(&mut world, C, request), "the place that was free is taken");
        world.place(B, FIRST, Side::Buy, 6_500, 6_700);
        world.close_gate(FIRST);
        world.expect(FIRST, SlotState::Proposed);
        assert_eq!(trades_by_the_first_rule(&world), 65);
        world.confirm_all(FIRST);
        world.finish_certified(&[(0, 6_300), (6_500, 0), (0, 200)]);
        audited(&world);
    });
}

#[test]
fn of_sealed_orders_the_first_take_part() {
    scenario(|plan| {
        let mut plan = large(plan);
        plan.windows.reveal_s = 60;
        let mut world = World::new(&plan);
        world.open(FIRST);
        let bid = world.request(B, FIRST, Side::Buy, 6_600, 6_700);
        let asks: Vec<OrderRequest> = vec![whole(&world, A); MINIMUMS_PER_SLOT_MAX as usize];
        let last = whole(&world, C);
        let all: Vec<(usize, OrderRequest)> =
            asks.into_iter().map(|ask| (A, ask)).chain([(C, last), (B, bid)]).collect();
        for (home, request) in &all {
            world.commit(*home, request);
        }
        world.close_gate(FIRST);
        for ((home, request), seq) in all.iter().zip(0..) {
            world.reveal(*home, Seq::from_number(seq), request);
        }
        world.chain.block_of_successes();
        world.expect(FIRST, SlotState::Proposed);
        assert_eq!(trades_by_the_first_rule(&world), MINIMUMS_PER_SLOT_MAX);
        // Nothing is lost by whoever came later.
        assert_eq!(world.chain.money(&world.homes[C].account()), (plan.funds, Money::ZERO));
        world.confirm_all(FIRST);
        world.finish_certified(&[(0, 6_400), (6_400, 0), (0, 0)]);
        audited(&world);
    });
}
