//! What a meter moved between its registration and its first slot, and readings that come late.

use super::{A, audited, expected, lines, open, scenario};
use busbar_tests::world::{FIRST, World};
use contract_interface::{Reading, ReadingStatus, kinds};
use runtime_execution::modules::markets::SlotState;
use runtime_primitives::{Energy, Slot};

/// A's meter took 3 kWh and gave 40 before its first slot, in which it takes 0.5 kWh and gives 2: what it pays and gets.
fn joined(base: impl FnOnce(&mut World) + Send, pays: u128, gets: u128) {
    scenario(|plan| {
        let mut world = open(&plan);
        world.deliver(FIRST);
        let registers = &mut world.homes[A].registers;
        *registers = (registers.0 + 3_000, registers.1 + 40_000);
        base(&mut world);
        world.measure_all(FIRST, &[(500, 2_000), (0, 0), (0, 0)]);
        world.certify(FIRST);
        world.settle(FIRST);
        let book = audited(&world);
        let due = [(kinds::FEED_IN, "retailer", "A", gets), (kinds::RETAIL, "A", "retailer", pays)];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}

/// The meter operator signs what A's meter showed at the start of its first slot.
fn estimate(world: &mut World, revision: u16, less: u64) {
    let before = Slot::from_number(FIRST.number() - 1);
    let reading = world.reading(A, before, revision, ReadingStatus::Substituted);
    let less = Energy::from_wh(less);
    let (import_wh, export_wh) =
        (reading.import_wh.saturating_sub(less), reading.export_wh.saturating_sub(less));
    let call = world.sign_substitute(Reading { import_wh, export_wh, ..reading });
    world.chain.submit_bare(call);
    world.chain.block_of_successes();
}

#[test]
fn what_a_meter_moved_before_its_first_slot_is_not_billed() {
    joined(|world| world.post_base(A, FIRST), 4_500_000, 6_000_000);
}

#[test]
fn the_meter_operator_may_say_where_a_meter_began() {
    joined(|world| estimate(world, 1, 1_000), 13_500_000, 9_000_000);
    let improved = |world: &mut World| {
        estimate(world, 1, 1_000);
        estimate(world, 2, 0);
    };
    joined(improved, 4_500_000, 6_000_000);
    let corrected = |world: &mut World| {
        estimate(world, 7, 1_000);
        world.post_base(A, FIRST);
    };
    joined(corrected, 4_500_000, 6_000_000);
}

#[test]
fn without_a_base_a_slot_bills_what_the_connection_can_move() {
    // 66 kW for ten minutes are 11 kWh; the 3.5 kWh taken since the meter joined are fewer.
    joined(|_| {}, 31_500_000, 33_000_000);
}

#[test]
fn a_reading_may_come_after_that_of_the_next_slot() {
    scenario(|plan| {
        let mut world = open(&plan);
        world.deliver(FIRST);
        world.homes[A].registers.1 += 6_000;
        let late = world.reading(A, FIRST, 1, ReadingStatus::Measured);
        let next = Slot::from_number(501);
        world.chain.pass_to(world.after_end(next, 0));
        world.measure_all(next, &[(0, 3_000), (0, 0), (0, 0)]);
        world.expect(FIRST, SlotState::Voting);
        let call = world.sign_reading(A, late);
        world.chain.submit_bare(call);
        world.chain.block_of_successes();
        world.certify(FIRST);
        world.certify(next);
        world.settle(next);
        let book = audited(&world);
        for (slot, units) in [(FIRST, 18_000_000), (next, 9_000_000)] {
            assert_eq!(lines(&world, &book, slot), expected(&[(kinds::FEED_IN, "retailer", "A", units)]));
        }
    });
}
