//! Households that cannot pay: peers, fee and pool come first, the rest is owed and collected later.

use super::{A, B, audited, expected, lines, open, scenario, trade};
use busbar_tests::world::{FIRST, MARKET, World};
use contract_interface::{Side, Stage, kinds};
use parity_scale_codec::Compact;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::markets::{self, Event, RECORDS, SlotState};
use runtime_execution::modules::{balances, registry};
use runtime_execution::{DispatchError, Outcome};
use runtime_primitives::{EntityId, Money, Slot};

/// B gives away all it has free.
pub(super) fn empty(world: &mut World, home: usize) {
    let owner = world.homes[home].owner.clone();
    let (free, _) = world.chain.money(&owner.account());
    let (dest, value) = (MultiAddress::Id(world.bank().account()), Compact(free.units()));
    world.chain.must(&owner, balances::Call::TransferAllowDeath { dest, value });
}

pub(super) fn owed(world: &World) -> Vec<(EntityId, u128)> {
    let events = world.chain.market_events().filter_map(|event| match event {
        Event::Owed { debtor, amount } => Some((*debtor, amount.units())),
        _ => None,
    });
    events.collect()
}

#[test]
fn what_is_missing_is_owed_and_collected_from_the_next_funding() {
    scenario(|plan| {
        let mut world = open(&plan);
        trade(&mut world, 10_000, 6_700);
        empty(&mut world, B);
        // B takes 11 kWh, one more than it bought: 9 million units from the retailer that it does not have.
        world.finish(FIRST, &[(0, 10_000), (11_000, 0), (0, 0)]);
        let b = world.homes[B].clone();
        let book = audited(&world);
        let paid = [(kinds::ENERGY, "B", "A", 67_000_000), (kinds::FEE, "B", "grid", 2_000_000)];
        assert_eq!(lines(&world, &book, FIRST), expected(&paid));
        assert_eq!(owed(&world), [(b.entity, 9_000_000)]);

        // A debtor does not trade.
        let slot = Slot::from_number(507);
        world.chain.block();
        if world.chain.now < world.before_start(slot, 1_800) {
            world.chain.pass_to(world.before_start(slot, 1_800));
        }
        let request = world.request(B, slot, Side::Buy, 100, 6_700);
        let call = world.chain.submit(&b.delegate, markets::Call::Place { request });
        world.chain.block();
        let wrong = DispatchError::Registry(registry::Error::Suspended(b.entity));
        assert!(matches!(world.chain.outcome(&call), Outcome::Failed { error, .. } if *error == wrong));

        // Half of the debt, then the rest and a little more.
        let bank = world.bank().clone();
        for (amount, left) in [(4_500_000, 0), (4_500_007, 7)] {
            let call = markets::Call::Fund { entity: b.entity, amount: Money::from_units(amount) };
            world.chain.must(&bank, call);
            assert_eq!(world.chain.money(&b.account()).0.units(), left);
        }
        let book = audited(&world);
        assert!(book.owed.is_empty());
        let collected = book.lines.iter().filter(|line| line.kind == kinds::RECEIVABLE);
        assert_eq!(collected.map(|line| line.amount).collect::<Vec<_>>(), [4_500_000, 4_500_000]);
        // What they spend is on record: the settlement whose leaves lack them.
        let settled = RECORDS.get(&world.chain.view(), &(MARKET, FIRST, Stage::Settlement)).unwrap().hash();
        let movements = world.chain.movements();
        let spends = movements.iter().filter(|record| record.kind == kinds::RECEIVABLE);
        assert_eq!(spends.map(|record| record.spends).collect::<Vec<_>>(), [settled; 2]);
    });
}

#[test]
fn free_money_covers_what_holds_do_not() {
    scenario(|plan| {
        let mut world = open(&plan);
        trade(&mut world, 10_000, 6_700);
        empty(&mut world, B);
        // B keeps half of what it will lack: 4.5 of 9 million units are paid, the rest is owed.
        let (bank, entity) = (world.bank().clone(), world.homes[B].entity);
        world.chain.must(&bank, markets::Call::Fund { entity, amount: Money::from_units(4_500_000) });
        world.finish(FIRST, &[(0, 10_000), (11_000, 0), (0, 0)]);
        let book = audited(&world);
        let paid = [
            (kinds::ENERGY, "B", "A", 67_000_000),
            (kinds::FEE, "B", "grid", 2_000_000),
            (kinds::RETAIL, "B", "retailer", 4_500_000),
        ];
        assert_eq!(lines(&world, &book, FIRST), expected(&paid));
        assert_eq!(owed(&world), [(entity, 4_500_000)]);
        assert_eq!(book.owed[&entity.number()].len(), 1);
    });
}

#[test]
fn the_hold_covers_the_whole_deviation() {
    scenario(|mut plan| {
        // No tolerance: the seller's hold of δ · q is just what it is charged for delivering nothing.
        (plan.rates.tol_wh, plan.rates.tol_bp) = (runtime_primitives::Energy::ZERO, 0);
        let mut world = open(&plan);
        trade(&mut world, 10_000, 6_700);
        empty(&mut world, A);
        empty(&mut world, B);
        world.deliver(FIRST);
        world.measure_all(FIRST, &[(0, 0), (0, 0), (0, 0)]);
        world.certify(FIRST);
        world.settle(FIRST);
        world.expect(FIRST, SlotState::Settled);
        let book = audited(&world);
        let due = [
            (kinds::DEVIATION, "A", "retailer", 10_000_000),
            (kinds::DEVIATION, "B", "retailer", 10_000_000),
        ];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
        assert_eq!(owed(&world), []);
    });
}

#[test]
fn a_household_without_money_or_trades_owes_its_whole_bill() {
    scenario(|mut plan| {
        plan.funds = Money::ZERO;
        let mut world = open(&plan);
        world.finish(FIRST, &[(0, 1_000), (2_000, 0), (0, 0)]);
        let book = audited(&world);
        assert_eq!(lines(&world, &book, FIRST), expected(&[(kinds::FEED_IN, "retailer", "A", 3_000_000)]));
        assert_eq!(owed(&world), [(world.homes[B].entity, 18_000_000)]);
    });
}
