//! All batches of a continuous slot have at most as many trades as the slot may have orders.
//!
//! No rule of price and time comes near it, for each of its trades fills an order. The rule here trades by crumbs, which the
//! referee cannot tell from bad manners: only the cap keeps what settles, and what settling costs, in bounds.

use super::{A, B, C};
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{FIRST, MARKET, Plan, World};
use busbar_tests::{artifacts, invariants, plodding};
use contract_interface::Side;
use runtime_execution::modules::markets::{ClearFailure, Event, SlotState, VoidReason, continuous};
use runtime_execution::referee::ClearingFault;

/// The fourth household, which sells as the first does.
const D: usize = 3;

/// `sellers` offers of 5 kWh, then three bids of 1 kWh, in a slot of so many orders.
fn play(orders: u32, sellers: &[usize]) -> World {
    let mut plan = Plan { homes: 4, ..Plan::default() };
    plan.limits.orders_per_slot = orders;
    plan.rules[1] = plodding::crumbling(&plodding::DESCRIPTOR);
    plan.rules[3] = artifacts::CONTINUOUS.to_vec();
    let mut world = super::open(&plan);
    for home in sellers {
        world.place(*home, FIRST, Side::Sell, 5_000, 6_000);
    }
    for home in [B, C, B] {
        world.place(home, FIRST, Side::Buy, 1_000, 6_500);
    }
    world.chain.block();
    world
}

/// Whose clearings were refused because of the cap: whether the fallback's, and with how many trades.
fn refusals(world: &World) -> Vec<(bool, u32, u32)> {
    let events = world.chain.past.iter().flat_map(|past| &past.events);
    let refused = events.filter_map(|record| match &record.event {
        runtime_execution::Event::Markets(Event::ClearingFailed { code, failure, .. }) => match failure {
            ClearFailure::Refused(ClearingFault::TooManyTrades { trades, orders }) => {
                Some((*code == world.terms.fallback, *trades, *orders))
            }
            other => panic!("{other}"),
        },
        _ => None,
    });
    refused.collect()
}

/// Two of three batches have two trades each; the third batch's two would be the sixth, of five orders.
#[test]
fn the_batch_that_reaches_the_cap_is_the_fallbacks() {
    on_vm_thread(|| {
        let mut world = play(5, &[A, D]);
        assert_eq!(refusals(&world), [(false, 6, 5)]);
        assert_eq!(world.slot(FIRST).trades, 5, "two and two, and one of the fallback");
        let batches = continuous::batches(&world.chain.view(), (MARKET, FIRST));
        assert_eq!(
            batches.iter().map(|batch| batch.fallback).collect::<Vec<_>>(),
            [false, false, false, false, true]
        );
        world.finish(FIRST, &[(0, 5_000), (2_000, 0), (1_000, 0), (0, 5_000)]);
        assert_eq!(invariants::check(&world), Ok(1));
    });
}

/// Three trades each of two batches are as many as the slot may have: nobody can clear the third, and nobody pays for it.
#[test]
fn a_slot_whose_cap_leaves_no_room_is_void() {
    on_vm_thread(|| {
        let mut world = play(6, &[A, D, A]);
        assert_eq!(refusals(&world), [(false, 9, 6), (true, 7, 6)]);
        world.expect(FIRST, SlotState::Void);
        assert_eq!(world.slot(FIRST).void, Some(VoidReason::NoClearing));
        for home in &world.homes {
            assert!(world.chain.money(&home.account()).1.is_zero(), "holds are released");
        }
        world.chain.pass_to(world.terms.delivery_end(FIRST));
        world.measure_all(FIRST, &[(0, 0); 4]);
        world.certify(FIRST);
        world.settle(FIRST);
        assert_eq!(invariants::check(&world), Ok(1));
    });
}
