//! The plain course of a slot, from genesis to settlement: what every other test of the market departs from.
#![allow(clippy::unwrap_used, reason = "tests")]

use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{FIRST, Plan, World, entities};
use contract_interface::Side;

#[test]
fn the_papers_case_settles_to_the_unit() {
    on_vm_thread(|| {
        let mut world = World::new(&Plan::default());
        world.open(FIRST);
        let (seller, buyer) = (0, 1);
        world.place(seller, FIRST, Side::Sell, 10_000, 6_700);
        world.place(buyer, FIRST, Side::Buy, 10_000, 6_700);
        let before = [world.homes[0].account(), world.homes[1].account(), world.account(entities::GRID)].map(
            |account| {
                let (f, r) = world.chain.money(&account);
                f.units() + r.units()
            },
        );
        world.finish(FIRST, &[(0, 10_000), (10_000, 0)]);
        let after = [world.homes[0].account(), world.homes[1].account(), world.account(entities::GRID)].map(
            |account| {
                let (f, r) = world.chain.money(&account);
                f.units() + r.units()
            },
        );
        assert_eq!(after[0] - before[0], 67_000_000);
        assert_eq!(before[1] - after[1], 69_000_000);
        assert_eq!(after[2] - before[2], 2_000_000);
    });
}
