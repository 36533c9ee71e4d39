//! A household that sends more than its quota: it pays, runs dry, is refused, and may again in the next hour.

use super::{A, audited, scenario};
use busbar_tests::world::World;
use contract_interface::kinds;
use parity_scale_codec::Compact;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::payment::{HOUR_MS, Usage, WeightRates, usage};
use runtime_execution::modules::system::Pays;
use runtime_execution::modules::{balances, system};
use runtime_execution::{Event, Invalid, Outcome};
use runtime_primitives::{Gas, Hash, Money, Timestamp};
use std::num::NonZeroU64;

/// What a note or a transfer declares.
const BASE: u64 = 50_000_000;
/// Forty of them and two fifths.
const QUOTA: u64 = 40 * BASE + 20_000_000;
/// The fee of one that is all beyond.
const FEE: u128 = 500;
/// The fee of the one that crosses.
const CROSSING: u128 = 300;

fn note(world: &mut World) -> Hash {
    let delegate = world.homes[A].delegate.clone();
    world.chain.submit(&delegate, system::Call::Remark { remark: b"note".to_vec() })
}

fn free(world: &World) -> u128 {
    world.chain.money(&world.homes[A].account()).0.units()
}

fn used(world: &World) -> Usage {
    usage(&world.chain.view(), world.homes[A].entity, world.chain.now)
}

/// Pass to the first second of the next hour.
fn next_hour(world: &mut World) {
    let hour = world.chain.now.ms() / HOUR_MS + 1;
    world.chain.pass_to(Timestamp::from_ms(hour * HOUR_MS));
    assert_eq!(used(world).gas, Gas::ZERO);
}

/// Give away free money but `left`, and what this itself costs.
fn give(world: &mut World, left: u128, fee: u128) -> Hash {
    let owner = world.homes[A].owner.clone();
    let (dest, value) = (MultiAddress::Id(world.bank().account()), Compact(free(world) - fee - left));
    world.chain.submit(&owner, balances::Call::TransferAllowDeath { dest, value })
}

#[test]
fn beyond_the_quota_gas_costs_money_until_the_hour_is_over() {
    scenario(|mut plan| {
        let rate = NonZeroU64::new(100_000).unwrap();
        plan.weight = WeightRates { quota: Gas::from_units(QUOTA), gas_per_unit: rate };
        let mut world = World::new(&plan);
        next_hour(&mut world);
        let funds = free(&world);
        for _ in 0..40 {
            note(&mut world);
        }
        world.chain.block_of_successes();
        assert_eq!((used(&world).gas.units(), free(&world)), (40 * BASE, funds));

        // The next crosses, the one after is all beyond; one that fails pays as well.
        note(&mut world);
        note(&mut world);
        world.chain.block_of_successes();
        assert_eq!(free(&world), funds - CROSSING - FEE);
        let failing = give(&mut world, 0, 0);
        world.chain.block();
        assert!(matches!(world.chain.outcome(&failing), Outcome::Failed { .. }));
        assert_eq!(free(&world), funds - CROSSING - 2 * FEE);
        let paid = |event: &Event| match event {
            Event::System(system::Event::ExtrinsicFailed { dispatch_info, .. }) => {
                dispatch_info.pays_fee == Pays::Yes
            }
            _ => false,
        };
        assert!(world.chain.last().events.iter().any(|record| paid(&record.event)));

        // What is left pays for one more, not for two.
        give(&mut world, 700, FEE);
        world.chain.block_of_successes();
        note(&mut world);
        world.chain.block_of_successes();
        assert_eq!(free(&world), 200);
        let before = used(&world);
        let refused = note(&mut world);
        world.chain.block();
        let wrong = Invalid::Payment { needed: Money::from_units(FEE), free: Money::from_units(200) };
        let skipped = world.chain.outcome(&refused);
        assert!(matches!(skipped, Outcome::Skipped { reason } if *reason == wrong), "{skipped:?}");
        assert_eq!((used(&world), free(&world)), (before, 200));

        next_hour(&mut world);
        note(&mut world);
        world.chain.block_of_successes();
        assert_eq!((used(&world).gas.units(), free(&world)), (BASE, 200));

        let book = audited(&world);
        let account = world.homes[A].account();
        let fees = book.lines.iter().filter(|line| line.kind == kinds::WEIGHT_FEE && line.payer == account);
        assert_eq!(fees.map(|line| line.amount).collect::<Vec<_>>(), [CROSSING, FEE, FEE, FEE, FEE]);
    });
}
