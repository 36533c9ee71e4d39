//! Sealed slots: orders that are committed to, revealed, withdrawn, or lost with their deposits.
//!
//! A deposit is δ for the connection's 11 kWh a slot: 1000 ticks, so 1.1 yuan.

use super::{A, B, C, audited, expected, lines, scenario};
use busbar_tests::world::{FIRST, MARKET, Plan, World};
use contract_interface::{Order, OrderRequest, Side, Stage, kinds};
use parity_scale_codec::{Compact, Decode};
use runtime_execution::archive::{CommitRecord, HoldRecord, tables};
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::balances;
use runtime_execution::modules::markets::{self, Event, Forfeit, RECORDS, SEALED, SlotState, VoidReason};
use runtime_primitives::{Money, Seq};

const DEPOSIT: u128 = 11_000_000;

/// An open sealed slot in which A and then B committed to trade 10 kWh at 6700.
fn committed(mut plan: Plan) -> (World, [OrderRequest; 2]) {
    plan.windows.reveal_s = 60;
    let mut world = World::new(&plan);
    world.open(FIRST);
    let requests = [
        world.request(A, FIRST, Side::Sell, 10_000, 6_700),
        world.request(B, FIRST, Side::Buy, 10_000, 6_700),
    ];
    world.commit(A, &requests[0]);
    world.commit(B, &requests[1]);
    for home in [A, B] {
        assert_eq!(world.chain.money(&world.homes[home].account()).1.units(), DEPOSIT);
    }
    (world, requests)
}

/// The gate closes on sealed orders.
fn revealing(plan: Plan) -> (World, [OrderRequest; 2]) {
    let (mut world, requests) = committed(plan);
    world.close_gate(FIRST);
    world.expect(FIRST, SlotState::Revealing);
    (world, requests)
}

fn forfeits(world: &World) -> Vec<(u32, Forfeit)> {
    let events = world.chain.market_events().filter_map(|event| match event {
        Event::SealForfeited { seq, reason, .. } => Some((seq.number(), *reason)),
        _ => None,
    });
    events.collect()
}

fn finish(world: &mut World) {
    world.confirm_all(FIRST);
    world.finish_certified(&[(0, 10_000), (10_000, 0), (0, 0)]);
}

#[test]
fn what_everybody_reveals_trades_before_the_time_is_over() {
    scenario(|plan| {
        let (mut world, [ask, bid]) = revealing(plan);
        // In the other order: places are those of the commitments.
        world.reveal(B, Seq::from_number(1), &bid);
        world.chain.block_of_successes();
        world.expect(FIRST, SlotState::Revealing);
        world.reveal(A, Seq::ZERO, &ask);
        world.chain.block_of_successes();
        assert!(world.chain.now < world.before_start(FIRST, 240), "before the window's end");
        world.expect(FIRST, SlotState::Proposed);
        finish(&mut world);
        let book = audited(&world);
        let due = [(kinds::ENERGY, "B", "A", 67_000_000), (kinds::FEE, "B", "grid", 2_000_000)];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
        let holds: Vec<HoldRecord> = world
            .chain
            .archived(tables::HOLD)
            .map(|row| HoldRecord::decode(&mut &row.value[..]).unwrap())
            .collect();
        let places: Vec<Order> = holds.iter().map(|hold| hold.order).collect();
        let entities = [B, A].map(|home| world.homes[home].entity);
        let request =
            |request: &OrderRequest, seq, entity| request.clone().into_order(Seq::from_number(seq), entity);
        assert_eq!(places, [request(&bid, 1, entities[0]), request(&ask, 0, entities[1])]);
        assert!(SEALED.load(&world.chain.view(), (MARKET, FIRST), 0).is_empty());
    });
}

#[test]
fn who_does_not_reveal_pays_the_pool() {
    scenario(|plan| {
        let (mut world, [ask, _]) = revealing(plan);
        world.reveal(A, Seq::ZERO, &ask);
        world.chain.block_of_successes();
        world.chain.pass_to(world.before_start(FIRST, 240));
        assert_eq!(forfeits(&world), [(1, Forfeit::NotRevealed)]);
        world.chain.block();
        world.expect(FIRST, SlotState::Confirmed);
        world.finish_certified(&[(0, 10_000), (10_000, 0), (0, 0)]);
        let book = audited(&world);
        let due = [
            (kinds::FORFEIT, "B", "pool", DEPOSIT),
            (kinds::FEED_IN, "retailer", "A", 30_000_000),
            (kinds::RETAIL, "B", "retailer", 90_000_000),
        ];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
        // The record of stage 1 has what was revealed; commitments are archived, and the forfeit names one.
        let record = RECORDS.get(&world.chain.view(), &(MARKET, FIRST, Stage::Declaration)).unwrap();
        assert_eq!(record.nonce, 1);
        let commits: Vec<CommitRecord> = world
            .chain
            .archived(tables::COMMIT)
            .map(|row| CommitRecord::decode(&mut &row.value[..]).unwrap())
            .collect();
        assert_eq!(commits.iter().map(|commit| commit.seq.number()).collect::<Vec<_>>(), [0, 1]);
        let movements = world.chain.movements();
        let forfeit = movements.iter().find(|record| record.kind == kinds::FORFEIT).unwrap();
        assert_eq!((forfeit.spends, forfeit.authorised_by), (commits[1].hash(), commits[1].authorised_by));
    });
}

#[test]
fn who_cannot_pay_for_what_it_reveals_pays_the_pool() {
    scenario(|plan| {
        let (mut world, [ask, bid]) = revealing(plan);
        // Leaves one unit too little: 6900 ticks for 10 kWh, of which the deposit is a part.
        let owner = world.homes[B].owner.clone();
        let (free, _) = world.chain.money(&owner.account());
        let rest = 69_000_000 - DEPOSIT - 1;
        let dest = MultiAddress::Id(world.homes[C].account());
        let value = Compact(free.units() - rest);
        world.chain.must(&owner, balances::Call::TransferAllowDeath { dest, value });
        world.reveal(B, Seq::from_number(1), &bid);
        world.reveal(A, Seq::ZERO, &ask);
        world.chain.block_of_successes();
        assert_eq!(forfeits(&world), [(1, Forfeit::Insolvent)]);
        assert_eq!(world.chain.money(&owner.account()), (Money::from_units(rest), Money::ZERO));
        world.chain.block();
        world.chain.block();
        world.expect(FIRST, SlotState::Confirmed);
        world.finish_certified(&[(0, 10_000), (0, 0), (0, 0)]);
        let book = audited(&world);
        let due = [(kinds::FORFEIT, "B", "pool", DEPOSIT), (kinds::FEED_IN, "retailer", "A", 30_000_000)];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}

#[test]
fn a_commitment_withdrawn_before_the_gate_costs_nothing() {
    scenario(|plan| {
        let (mut world, _) = committed(plan);
        for (home, seq) in [(A, 0), (B, 1)] {
            let (delegate, seq) = (world.homes[home].delegate.clone(), Seq::from_number(seq));
            world.chain.must(&delegate, markets::Call::Cancel { market: MARKET, slot: FIRST, seq });
            assert!(world.chain.money(&world.homes[home].account()).1.is_zero());
        }
        world.close_gate(FIRST);
        // Nothing is sealed, so nobody is waited for.
        world.chain.block();
        world.chain.block();
        world.expect(FIRST, SlotState::Confirmed);
        world.finish_certified(&[(0, 10_000), (10_000, 0), (0, 0)]);
        let book = audited(&world);
        let due =
            [(kinds::FEED_IN, "retailer", "A", 30_000_000), (kinds::RETAIL, "B", "retailer", 90_000_000)];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}

#[test]
fn the_window_has_eight_blocks_and_an_outage_into_delivery_costs_nobody_a_deposit() {
    scenario(|plan| {
        let (mut world, _) = revealing(plan);
        let entered = world.slot(FIRST).entered_height;
        world.chain.block_at(world.before_start(FIRST, 200));
        while world.chain.header.number < entered + 7 {
            world.expect(FIRST, SlotState::Revealing);
            world.chain.block();
        }
        world.expect(FIRST, SlotState::Revealing);
        let mut late = world.clone();
        world.chain.block();
        assert_eq!(forfeits(&world).len(), 2);
        late.chain.block_at(late.terms.delivery_start(FIRST));
        late.expect(FIRST, SlotState::Void);
        assert_eq!((late.slot(FIRST).void, forfeits(&late)), (Some(VoidReason::TooLate), Vec::new()));
        for world in [&world, &late] {
            assert!(world.homes.iter().all(|home| world.chain.money(&home.account()).1.is_zero()));
            audited(world);
        }
    });
}

#[test]
fn more_commitments_than_a_page_are_swept() {
    scenario(|mut plan| {
        plan.windows.reveal_s = 60;
        (plan.limits.orders_per_slot, plan.limits.orders_per_entity) = (450, 128);
        (plan.homes, plan.funds) = (4, Money::from_units(10_000_000_000));
        let mut world = World::new(&plan);
        world.open(FIRST);
        for (wh, home) in (0..401).zip((0..4).cycle()) {
            let delegate = world.homes[home].delegate.clone();
            let commit = world.commitment(home, &world.request(home, FIRST, Side::Sell, 1 + wh, 6_700));
            world.chain.submit(&delegate, markets::Call::Commit { commit });
        }
        world.chain.block_of_successes();
        world.close_gate(FIRST);
        let last = world.request(A, FIRST, Side::Sell, 401, 6_700);
        world.reveal(A, Seq::from_number(400), &last);
        world.chain.block_of_successes();
        world.chain.pass_to(world.before_start(FIRST, 240));
        assert_eq!(forfeits(&world).len(), 400);
        world.chain.block();
        let held = world.chain.money(&world.homes[A].account()).1;
        assert_eq!(held, Money::ZERO, "the revealed ask found no bid");
        audited(&world);
    });
}
