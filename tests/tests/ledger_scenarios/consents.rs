//! Trades that one side, or both, did not want in the end.

use super::{A, B, C, audited, expected, lines, open, scenario, trade};
use busbar_tests::world::{FIRST, MARKET, Plan, World};
use contract_interface::{Side, kinds};
use runtime_execution::modules::markets::{self, Event, SlotState};
use runtime_primitives::EntityId;

/// What each party of the one trade does.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Confirms,
    Refuses,
    Silent,
}

/// Seller's and buyer's answers, and who pays δ = 1000 ticks on 10 kWh to whom.
fn answered(plan: &Plan, answers: [Answer; 2], paid: Option<(&str, &str)>) -> World {
    let mut world = open(plan);
    trade(&mut world, 10_000, 6_700);
    world.close_gate(FIRST);
    world.expect(FIRST, SlotState::Proposed);
    for (home, answer) in [A, B].into_iter().zip(answers) {
        let delegate = world.homes[home].delegate.clone();
        match answer {
            Answer::Confirms => world.confirm(home, FIRST, 0),
            Answer::Refuses => {
                let call = markets::Call::Refuse { market: MARKET, slot: FIRST, trade: 0 };
                world.chain.submit(&delegate, call);
            }
            Answer::Silent => {}
        }
    }
    world.chain.block_of_successes();
    if answers.contains(&Answer::Silent) {
        world.expect(FIRST, SlotState::Proposed);
        world.chain.pass_to(world.before_start(FIRST, 150));
    }
    world.expect(FIRST, SlotState::Confirmed);
    for home in &world.homes {
        assert!(world.chain.money(&home.account()).1.is_zero(), "holds for the trade end with it");
    }
    world.finish_certified(&[(0, 10_000), (10_000, 0), (0, 0)]);
    let book = audited(&world);
    let mut due: Vec<_> = paid.map(|(from, to)| (kinds::REFUSAL, from, to, 10_000_000)).into_iter().collect();
    due.extend([(kinds::FEED_IN, "retailer", "A", 30_000_000), (kinds::RETAIL, "B", "retailer", 90_000_000)]);
    assert_eq!(lines(&world, &book, FIRST), expected(&due));
    world
}

fn cancelled_by(world: &World) -> Vec<Option<EntityId>> {
    let events = world.chain.market_events().filter_map(|event| match event {
        Event::TradeCancelled { party, .. } => Some(*party),
        _ => None,
    });
    events.collect()
}

#[test]
fn who_fails_alone_pays_the_other() {
    use Answer::{Confirms, Refuses, Silent};
    let (from_a, from_b) = (Some(("A", "B")), Some(("B", "A")));
    let rows = [
        ([Refuses, Confirms], from_a),
        ([Confirms, Refuses], from_b),
        ([Silent, Confirms], from_a),
        ([Confirms, Silent], from_b),
        ([Refuses, Refuses], None),
        ([Silent, Silent], None),
        ([Refuses, Silent], None),
    ];
    scenario(|plan| {
        for (answers, paid) in rows {
            let world = answered(&plan, answers, paid);
            let party = paid.map(|(from, _)| world.homes[if from == "A" { A } else { B }].entity);
            assert_eq!(cancelled_by(&world), [party]);
        }
    });
}

#[test]
fn one_refusal_leaves_the_other_trades() {
    scenario(|plan| {
        // A sells to C at 6500 (trade 0) and to B at 6250 (trade 1); B refuses.
        let mut world = open(&plan);
        world.place(A, FIRST, Side::Sell, 9_000, 6_000);
        world.place(B, FIRST, Side::Buy, 5_000, 6_500);
        world.place(C, FIRST, Side::Buy, 4_000, 7_000);
        world.close_gate(FIRST);
        let buyer = world.homes[B].delegate.clone();
        world.chain.must(&buyer, markets::Call::Refuse { market: MARKET, slot: FIRST, trade: 1 });
        world.confirm_all(FIRST);
        world.finish_certified(&[(0, 9_000), (5_000, 0), (4_000, 0)]);
        let book = audited(&world);
        let due = [
            (kinds::REFUSAL, "B", "A", 5_000_000),
            (kinds::ENERGY, "C", "A", 26_000_000),
            (kinds::FEE, "C", "grid", 800_000),
            (kinds::FEED_IN, "retailer", "A", 15_000_000),
            (kinds::RETAIL, "B", "retailer", 45_000_000),
        ];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}
