//! Which readings count: substitutes, corrections, votes and disputes.

use super::{A, audited, expected, lines, open, scenario, trade};
use busbar_tests::days::{Day, Moved, Wish};
use busbar_tests::world::{FIRST, MARKET, P_MAX_W, Plan, World, entities};
use contract_interface::{ExecutionList, Reading, ReadingStatus, Side, Stage, kinds};
use runtime_execution::modules::markets::{self, SlotState};
use runtime_primitives::{Energy, Hash, Slot};

/// Readings are posted: A delivered 10 kWh, B took them.
fn voting(plan: &Plan) -> World {
    let mut world = open(plan);
    trade(&mut world, 10_000, 6_700);
    world.deliver(FIRST);
    world.measure_all(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
    world
}

/// A's meter corrects its export to 8 kWh.
fn correct(world: &mut World, revision: u16) -> Reading {
    let reading = world.reading(A, FIRST, revision, ReadingStatus::Corrected);
    let export_wh = reading.export_wh.checked_sub(Energy::from_wh(2_000)).unwrap();
    let reading = Reading { export_wh, ..reading };
    let call = world.sign_reading(A, reading);
    world.chain.submit_bare(call);
    world.chain.block_of_successes();
    reading
}

const FULL: [(u8, &str, &str, u128); 2] =
    [(kinds::ENERGY, "B", "A", 67_000_000), (kinds::FEE, "B", "grid", 2_000_000)];
const CORRECTED: [(u8, &str, &str, u128); 4] = [
    (kinds::ENERGY, "B", "A", 53_600_000),
    (kinds::FEE, "B", "grid", 1_600_000),
    (kinds::DEVIATION, "A", "retailer", 1_500_000),
    (kinds::RETAIL, "B", "retailer", 18_000_000),
];

fn settled(world: &World, due: &[(u8, &str, &str, u128)]) {
    world.expect(FIRST, SlotState::Settled);
    let book = audited(world);
    assert_eq!(lines(world, &book, FIRST), expected(due));
}

#[test]
fn a_correction_before_the_vote_is_chosen_by_the_vote() {
    scenario(|plan| {
        for (corrected, due) in [(false, &FULL[..]), (true, &CORRECTED[..])] {
            let mut world = voting(&plan);
            let first = world.latest_list(FIRST);
            correct(&mut world, 1);
            let second = world.latest_list(FIRST);
            let platform = world.post_list(FIRST, &first);
            // The voters prevail over the platform's list.
            let home = world.homes[A].delegate.clone();
            let call = markets::Call::PostList { market: MARKET, slot: FIRST, list: second.clone() };
            world.chain.must(&home, call);
            world.vote_all(FIRST, Stage::Certification, if corrected { second.hash() } else { platform });
            world.chain.block();
            world.settle(FIRST);
            settled(&world, due);
        }
    });
}

#[test]
fn a_correction_after_the_vote_opens_a_second_one() {
    scenario(|plan| {
        let mut world = voting(&plan);
        world.certify(FIRST);
        correct(&mut world, 1);
        world.expect(FIRST, SlotState::Voting);
        assert_eq!(world.slot(FIRST).round, 1);
        world.certify(FIRST);
        world.settle(FIRST);
        settled(&world, &CORRECTED);
    });
}

#[test]
fn a_second_correction_is_a_dispute_that_validators_decide() {
    scenario(|plan| {
        let mut world = voting(&plan);
        let first = world.latest_list(FIRST);
        world.certify(FIRST);
        correct(&mut world, 1);
        world.certify(FIRST);
        correct(&mut world, 2);
        world.expect(FIRST, SlotState::Disputed);
        world.vote_all(FIRST, Stage::Certification, first.hash());
        world.chain.block();
        world.expect(FIRST, SlotState::Settled);
        settled(&world, &FULL);
    });
}

/// Nobody votes until the window ends.
fn disputed(plan: &Plan, list: impl FnOnce(&mut World) -> Option<ExecutionList>) -> World {
    let mut world = voting(plan);
    if let Some(list) = list(&mut world) {
        world.post_list(FIRST, &list);
    }
    world.chain.pass_to(world.after_end(FIRST, 1_200));
    world.expect(FIRST, SlotState::Disputed);
    world
}

fn end_dispute(world: &mut World) {
    world.chain.pass_to(world.after_end(FIRST, 86_400));
}

#[test]
fn without_a_majority_validators_choose_a_posted_list() {
    scenario(|plan| {
        let mut posted = Hash::ZERO;
        let mut world = disputed(&plan, |world| {
            let first = world.latest_list(FIRST);
            posted = world.post_list(FIRST, &first);
            correct(world, 1);
            Some(world.latest_list(FIRST))
        });
        world.vote_all(FIRST, Stage::Certification, posted);
        world.chain.block();
        settled(&world, &FULL);
    });
}

#[test]
fn validators_cannot_choose_what_nobody_posted() {
    scenario(|plan| {
        let mut world = disputed(&plan, |world| Some(world.latest_list(FIRST)));
        world.vote_all(FIRST, Stage::Certification, Hash([1; 32]));
        world.chain.block();
        world.expect(FIRST, SlotState::Disputed);
        end_dispute(&mut world);
        settled(&world, &FULL);
    });
}

#[test]
fn an_undecided_dispute_takes_the_platforms_last_list() {
    scenario(|plan| {
        let mut world = disputed(&plan, |world| {
            let first = world.latest_list(FIRST);
            correct(world, 1);
            let second = world.latest_list(FIRST);
            world.post_list(FIRST, &second);
            Some(first)
        });
        end_dispute(&mut world);
        settled(&world, &FULL);
    });
}

#[test]
fn an_undecided_dispute_without_a_list_takes_the_latest_readings() {
    scenario(|plan| {
        let mut world = disputed(&plan, |world| {
            correct(world, 1);
            None
        });
        end_dispute(&mut world);
        settled(&world, &CORRECTED);
    });
}

#[test]
fn one_vote_short_of_51_per_cent_is_no_majority() {
    scenario(|plan| {
        // Five electors: A, B and three operators. Two of five are 40 %, three are 60 %.
        let mut world = voting(&plan);
        let list = world.latest_list(FIRST);
        let hash = world.post_list(FIRST, &list);
        let claim =
            contract_interface::Claim { result_hash: hash, ..world.claim(FIRST, Stage::Certification) };
        let operators = [entities::GRID, entities::PLATFORM, entities::METER_OPERATOR];
        for (number, operator) in operators.into_iter().enumerate() {
            world.expect(FIRST, SlotState::Voting);
            let vote = world.vote(runtime_primitives::EntityId::from_number(operator), claim);
            world.chain.submit_bare(vote);
            world.chain.block_of_successes();
            let expected = if number < 2 { SlotState::Voting } else { SlotState::Payable };
            world.expect(FIRST, expected);
        }
        world.settle(FIRST);
        settled(&world, &FULL);
    });
}

#[test]
fn a_substitute_is_trued_up_by_the_next_reading() {
    scenario(|plan| {
        // Slot 500: A delivers 6 of 10 kWh, B takes 7; neither posts. The substitutes say 0 and 10. Slot 501: nothing is
        // traded, nothing moves, both post: A's 6 kWh come in as feed-in, B is 3 kWh ahead of its meter.
        let still = |posted| Moved { import: 0, export: 0, posted };
        let wish = |home, side| Wish { home, side, wh: 10_000, ticks: 6_700, flags: 0, least: 0 };
        let first = Day {
            wishes: vec![wish(0, Side::Sell), wish(1, Side::Buy)],
            moved: vec![
                Moved { import: 0, export: 6_000, posted: false },
                Moved { import: 7_000, export: 0, posted: false },
                still(true),
            ],
        };
        let second = Day { wishes: Vec::new(), moved: vec![still(true); 3] };
        let third = Day {
            wishes: Vec::new(),
            moved: vec![still(true), Moved { import: 5_000, export: 0, posted: true }, still(true)],
        };
        let mut world = World::new(&plan);
        world.play(FIRST, &[first, second, third]);
        let book = audited(&world);
        let at = |slot| lines(&world, &book, runtime_primitives::Slot::from_number(slot));
        let undelivered =
            [(kinds::DEVIATION, "A", "retailer", 9_500_000), (kinds::RETAIL, "B", "retailer", 90_000_000)];
        assert_eq!(at(500), expected(&undelivered));
        assert_eq!(at(501), expected(&[(kinds::FEED_IN, "retailer", "A", 18_000_000)]));
        // B took 12 kWh in all and paid for 10 already.
        assert_eq!(at(502), expected(&[(kinds::RETAIL, "B", "retailer", 18_000_000)]));
    });
}

#[test]
fn a_meter_that_was_silent_for_hours_is_still_believed() {
    scenario(|plan| {
        // A exports what its connection can, is silent for eleven slots of which six settle meanwhile, and then reads.
        const SILENT: usize = 11;
        let still = Moved { import: 0, export: 0, posted: true };
        let day = |posted| Day {
            wishes: Vec::new(),
            moved: vec![Moved { import: 0, export: 11_000, posted }, still, still],
        };
        let mut days = vec![day(false); SILENT];
        days.push(day(true));
        let mut world = World::new(&plan);
        assert_eq!(world.terms.capacity(P_MAX_W).wh(), 11_000);
        world.play(FIRST, &days);
        let book = audited(&world);
        let last = Slot::from_number(511);
        let due = [(kinds::FEED_IN, "retailer", "A", 12 * 11_000 * 3_000)];
        assert_eq!(lines(&world, &book, last), expected(&due));
    });
}

/// Slot 500 with a reading of A that is 2 kWh too high and its correction; then A's true registers in slot 501.
fn corrected_then(plan: &Plan, next: impl FnOnce(&mut World, Slot)) -> World {
    let mut world = voting(plan);
    correct(&mut world, 1);
    world.certify(FIRST);
    world.homes[A].registers.1 -= 2_000;
    let slot = Slot::from_number(501);
    world.chain.pass_to(world.after_end(slot, 0));
    world.expect(slot, SlotState::Metering);
    next(&mut world, slot);
    world.certify(slot);
    world.settle(slot);
    world
}

#[test]
fn a_corrected_register_goes_on_from_its_true_value() {
    scenario(|plan| {
        let slot = Slot::from_number(501);
        let world = corrected_then(&plan, |world, slot| {
            world.measure_all(slot, &[(0, 500), (0, 0), (0, 0)]);
        });
        let book = audited(&world);
        assert_eq!(lines(&world, &book, FIRST), expected(&CORRECTED));
        assert_eq!(lines(&world, &book, slot), expected(&[(kinds::FEED_IN, "retailer", "A", 1_500_000)]));
    });
}

#[test]
fn a_substitute_builds_on_the_corrected_register() {
    scenario(|plan| {
        let slot = Slot::from_number(501);
        let world = corrected_then(&plan, |world, slot| {
            world.measure(1, slot, 0, 0);
            world.measure(2, slot, 0, 0);
            world.chain.block_of_successes();
            world.chain.pass_to(world.after_end(slot, 300));
        });
        let book = audited(&world);
        assert_eq!(lines(&world, &book, slot), expected(&[]), "a substitute exports nothing");
    });
}
