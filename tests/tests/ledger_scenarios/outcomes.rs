//! What became of a trade, told by everybody's one function: beside the accountant's opinion, which the audit compares,
//! and beside what the story makes of it.

use super::{A, B, C, audited, open, scenario, trade};
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use contract_interface::{Side, Stage};
use runtime_execution::modules::markets::{
    self, FailedParty, Failure, FailureReason, SlotState, TradeOutcome, VoidReason,
};
use runtime_primitives::{Energy, Hash};

const fn failure(reason: FailureReason, party: Option<FailedParty>) -> Failure {
    Failure { reason, party }
}

const fn partial(wh: u64, reason: FailureReason, party: FailedParty) -> TradeOutcome {
    TradeOutcome::Partial { settled: Energy::from_wh(wh), failure: failure(reason, Some(party)) }
}

const fn cancelled(reason: FailureReason, party: FailedParty) -> TradeOutcome {
    TradeOutcome::Cancelled(failure(reason, Some(party)))
}

fn outcomes(world: &World, trades: u32) -> Vec<Option<TradeOutcome>> {
    let book = audited(world);
    let found: Vec<_> = (0..trades).map(|trade| world.outcome((MARKET, FIRST), trade)).collect();
    let fates = &book.slots[&(MARKET, FIRST)].fates;
    assert_eq!(found, (0..trades).map(|trade| fates.get(&trade).copied()).collect::<Vec<_>>());
    found
}

/// A sells B 10 kWh; both confirm, the validators certify, and delivery begins.
fn delivering(plan: &Plan) -> World {
    let mut world = open(plan);
    trade(&mut world, 10_000, 6_700);
    world.close_gate(FIRST);
    world.confirm_all(FIRST);
    world.attest(FIRST);
    world.chain.pass_to(world.terms.delivery_start(FIRST));
    world
}

#[test]
fn what_both_meters_moved_decides() {
    use FailedParty::{Both, Buyer, Seller};
    use FailureReason::{Curtailed, NotDelivered};
    // What A gave and B took, who was curtailed, and what came of 10 kWh.
    let rows: [(u64, u64, &[usize], TradeOutcome); 12] = [
        (10_000, 10_000, &[], TradeOutcome::Delivered),
        (11_000, 10_500, &[A, B], TradeOutcome::Delivered),
        (6_000, 10_000, &[], partial(6_000, NotDelivered, Seller)),
        (10_000, 9_999, &[], partial(9_999, NotDelivered, Buyer)),
        (6_000, 7_000, &[], partial(6_000, NotDelivered, Both)),
        (0, 10_000, &[], cancelled(NotDelivered, Seller)),
        (10_000, 0, &[], cancelled(NotDelivered, Buyer)),
        (0, 0, &[], cancelled(NotDelivered, Both)),
        (6_000, 10_000, &[A], partial(6_000, Curtailed, Seller)),
        (6_000, 10_000, &[B], partial(6_000, NotDelivered, Seller)),
        (0, 7_000, &[A], cancelled(NotDelivered, Both)),
        (0, 7_000, &[A, B], cancelled(Curtailed, Both)),
    ];
    scenario(|plan| {
        for (given, taken, curtailed, expected) in rows {
            let mut world = delivering(&plan);
            assert_eq!(outcomes(&world, 1), [None], "not before it is settled");
            if !curtailed.is_empty() {
                let grid = world.owners[entities::GRID as usize].clone();
                let items = curtailed.iter().map(|home| (world.homes[*home].meter, Energy::ZERO)).collect();
                let call = markets::Call::Curtail { market: MARKET, slot: FIRST, items, reason: 2 };
                world.chain.must(&grid, call);
            }
            world.chain.pass_to(world.terms.delivery_end(FIRST));
            world.measure_all(FIRST, &[(0, given), (taken, 0), (0, 0)]);
            world.certify(FIRST);
            world.settle(FIRST);
            assert_eq!(outcomes(&world, 1), [Some(expected)], "{given} {taken} {curtailed:?}");
        }
    });
}

#[test]
fn what_is_left_at_a_trades_turn_decides() {
    use FailedParty::{Both, Seller};
    use FailureReason::NotDelivered;
    scenario(|plan| {
        // Trade 0: A to C 4 kWh; trade 1: A to B 5 kWh, for which A has 2 kWh left and B, below, has taken 3.
        for (b_took, party) in [(5_000, Seller), (3_000, Both)] {
            let mut world = open(&plan);
            world.place(A, FIRST, Side::Sell, 9_000, 6_000);
            world.place(B, FIRST, Side::Buy, 5_000, 6_500);
            world.place(C, FIRST, Side::Buy, 4_000, 7_000);
            world.finish(FIRST, &[(0, 6_000), (b_took, 0), (4_000, 0)]);
            let expected = [TradeOutcome::Delivered, partial(2_000, NotDelivered, party)].map(Some);
            assert_eq!(outcomes(&world, 2), expected);
        }
    });
}

#[test]
fn want_of_consent_cancels_before_the_slot_can_be_void() {
    use FailedParty::{Both, Buyer, Seller};
    // Who confirms; who refuses, and who is silent instead.
    let rows: [(&[usize], &[usize], FailedParty); 5] =
        [(&[A], &[B], Buyer), (&[A], &[], Buyer), (&[B], &[A], Seller), (&[], &[A], Both), (&[], &[], Both)];
    scenario(|plan| {
        for (confirms, refuses, party) in rows {
            let mut world = open(&plan);
            trade(&mut world, 10_000, 6_700);
            world.close_gate(FIRST);
            for home in confirms {
                world.confirm(*home, FIRST, 0);
            }
            for home in refuses {
                let delegate = world.homes[*home].delegate.clone();
                let call = markets::Call::Refuse { market: MARKET, slot: FIRST, trade: 0 };
                world.chain.submit(&delegate, call);
            }
            world.chain.block_of_successes();
            world.chain.pass_to(world.before_start(FIRST, 150));
            world.expect(FIRST, SlotState::Confirmed);
            let expected = [Some(cancelled(FailureReason::NotConfirmed, party))];
            assert_eq!(outcomes(&world, 1), expected);
            // Nobody certifies: the slot is void, which changes nothing for this trade.
            world.chain.pass_to(world.before_start(FIRST, 10));
            world.expect(FIRST, SlotState::Void);
            assert_eq!(outcomes(&world, 1), expected);
        }
    });
}

#[test]
fn a_void_slot_cancels_on_nobodys_side() {
    scenario(|plan| {
        let mut world = open(&plan);
        trade(&mut world, 10_000, 6_700);
        world.close_gate(FIRST);
        world.confirm_all(FIRST);
        assert_eq!(outcomes(&world, 1), [None]);
        world.vote_all(FIRST, Stage::Authentication, Hash([1; 32]));
        world.chain.block_of_successes();
        world.chain.pass_to(world.before_start(FIRST, 10));
        let void = failure(FailureReason::Void(VoidReason::NotCertified), None);
        assert_eq!(outcomes(&world, 1), [Some(TradeOutcome::Cancelled(void))]);
        world.chain.pass_to(world.terms.delivery_end(FIRST));
        world.measure_all(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
        world.certify(FIRST);
        world.settle(FIRST);
        assert_eq!(outcomes(&world, 1), [Some(TradeOutcome::Cancelled(void))], "settled, without trades");
    });
}
