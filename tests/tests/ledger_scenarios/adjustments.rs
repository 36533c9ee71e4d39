//! Settled slots that are put right: the signer's free money moves once more, with evidence, and nothing else does.

use super::{A, B, C, audited, expected, lines, open, scenario, trade};
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use contract_interface::{Stage, TransferRecord, kinds};
use parity_scale_codec::Decode;
use runtime_execution::archive::{AdjustmentRecord, adjustment_key, tables};
use runtime_execution::modules::markets::adjustments::{Adjustment, Grounds};
use runtime_execution::modules::markets::{self, Event, RECORDS, SlotState};
use runtime_primitives::{EntityId, Hash, Money};

const GROUNDS: Grounds = Grounds { evidence: Hash([9; 32]), reason: 3 };

fn pay(world: &World, home: usize, units: u128) -> Adjustment {
    let payee = world.homes[home].entity;
    Adjustment { payee, amount: Money::from_units(units), trade: None, meter: None }
}

fn adjust(items: Vec<Adjustment>) -> markets::Call {
    markets::Call::Adjust { market: MARKET, slot: FIRST, items, grounds: GROUNDS }
}

/// The slot of the paper's trade, settled.
fn settled(plan: &Plan, moved: &[(u64, u64)]) -> World {
    let mut world = open(plan);
    trade(&mut world, 10_000, 6_700);
    world.finish(FIRST, moved);
    world
}

#[test]
fn a_payment_names_its_slot_its_grounds_and_what_it_spends() {
    scenario(|plan| {
        let mut world = settled(&plan, &[(0, 10_000), (10_000, 0), (0, 0)]);
        let slot = world.slot(FIRST);
        let retailer = world.owners[entities::RETAILER as usize].clone();
        let of_trade = Adjustment { trade: Some(0), ..pay(&world, A, 5) };
        let of_meter = Adjustment { meter: Some(world.homes[C].meter), ..pay(&world, C, 7) };
        world.chain.must(&retailer, adjust(vec![of_trade, of_meter]));
        assert_eq!(world.slot(FIRST), slot, "a slot is never reopened");

        let book = audited(&world);
        let due = [
            (kinds::ENERGY, "B", "A", 67_000_000),
            (kinds::FEE, "B", "grid", 2_000_000),
            (kinds::ADJUSTMENT, "retailer", "A", 5),
            (kinds::ADJUSTMENT, "retailer", "C", 7),
        ];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));

        let stage = RECORDS.get(&world.chain.view(), &(MARKET, FIRST, Stage::Settlement)).unwrap();
        let movements = world.chain.movements();
        let adjustments: Vec<&TransferRecord> =
            movements.iter().filter(|record| record.kind == kinds::ADJUSTMENT).collect();
        for (record, item) in adjustments.iter().zip([of_trade, of_meter]) {
            assert_eq!((record.trade, record.meter, record.spends), (item.trade, item.meter, stage.hash()));
            let key = adjustment_key((MARKET, FIRST), &record.hash());
            let row = world.chain.archived(tables::ADJUSTMENT).find(|row| row.key == key).unwrap();
            let kept = AdjustmentRecord::decode(&mut &row.value[..]).unwrap();
            assert_eq!((&kept.transfer, kept.grounds), (*record, GROUNDS));
            assert_eq!(kept.height.number(), world.chain.header.number);
        }
        let told = world.chain.market_events().find_map(|event| match event {
            Event::Adjusted { entity, payments, amount, grounds, .. } => {
                Some((*entity, *payments, amount.units(), *grounds))
            }
            _ => None,
        });
        assert_eq!(told, Some((EntityId::from_number(entities::RETAILER), 2, 12, GROUNDS)));
    });
}

#[test]
fn what_a_debtor_is_paid_goes_to_those_it_owes() {
    scenario(|plan| {
        // B has nothing beside its hold and takes 1 kWh more than it bought: it owes 0.9 yuan.
        let mut world = open(&plan);
        trade(&mut world, 10_000, 6_700);
        let owner = world.homes[B].owner.clone();
        let (amount, _) = world.chain.money(&owner.account());
        let bank = EntityId::from_number(entities::BANK);
        world.chain.must(&owner, markets::Call::Withdraw { bank, amount });
        world.finish(FIRST, &[(0, 10_000), (11_000, 0), (0, 0)]);
        assert_eq!(audited(&world).owed.len(), 1);
        let seller = world.homes[A].owner.clone();
        let items = vec![pay(&world, B, 4_000_000), pay(&world, B, 5_000_001)];
        world.chain.must(&seller, adjust(items));
        assert!(audited(&world).owed.is_empty(), "and it may trade again");
        assert_eq!(world.chain.money(&owner.account()).0.units(), 1);
    });
}

#[test]
fn a_slot_without_trades_is_adjusted_too() {
    scenario(|plan| {
        let mut world = open(&plan);
        trade(&mut world, 10_000, 6_700);
        world.close_gate(FIRST);
        world.confirm_all(FIRST);
        world.chain.pass_to(world.before_start(FIRST, 10));
        world.expect(FIRST, SlotState::Void);
        world.chain.pass_to(world.terms.delivery_end(FIRST));
        world.measure_all(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
        world.certify(FIRST);
        world.settle(FIRST);
        let retailer = world.owners[entities::RETAILER as usize].clone();
        let item = Adjustment { trade: Some(0), ..pay(&world, A, 5) };
        world.chain.must(&retailer, adjust(vec![item]));
        let book = audited(&world);
        let due = [
            (kinds::FEED_IN, "retailer", "A", 30_000_000),
            (kinds::RETAIL, "B", "retailer", 90_000_000),
            (kinds::ADJUSTMENT, "retailer", "A", 5),
        ];
        assert_eq!(lines(&world, &book, FIRST), expected(&due));
    });
}
