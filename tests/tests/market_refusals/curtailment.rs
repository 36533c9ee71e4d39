//! Curtailments that do not count, and orders beyond one.

use super::scenes::{BUYER, BYSTANDER, SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::world::{FIRST, MARKET, World, entities};
use contract_interface::{OrderRequest, Side};
use runtime_execution::modules::markets::curtailment::Cap;
use runtime_execution::modules::markets::{self, Error, SlotState};
use runtime_execution::modules::registry;
use runtime_execution::{Call, DispatchError};
use runtime_primitives::limits::CURTAILED_PER_CALL_MAX;
use runtime_primitives::{Energy, EntityId, MeterId, Seq};

fn call(items: Vec<Cap>) -> markets::Call {
    markets::Call::Curtail { market: MARKET, slot: FIRST, items, reason: 1 }
}

fn curtail(world: &World, items: Vec<Cap>, wrong: Error) -> Attempt {
    let grid = &world.owners[entities::GRID as usize];
    (world.chain.signed(grid, &Call::Markets(call(items))), wrong.into())
}

fn seller(world: &World) -> Vec<Cap> {
    vec![(world.homes[SELLER].meter, Energy::ZERO)]
}

/// The grid operator allows a household so much.
fn allow(world: &mut World, home: usize, wh: u64) {
    let grid = world.owners[entities::GRID as usize].clone();
    let items = vec![(world.homes[home].meter, Energy::from_wh(wh))];
    world.chain.must(&grid, call(items));
}

fn send(world: &World, home: usize, call: markets::Call, wrong: Error) -> Attempt {
    (world.chain.signed(&world.homes[home].delegate, &Call::Markets(call)), wrong.into())
}

fn above(energy: u64, cap: u64) -> Error {
    let [energy, cap] = [energy, cap].map(Energy::from_wh);
    Error::AboveCurtailment { energy, cap }
}

fn place(world: &World, home: usize, request: OrderRequest, wrong: Error) -> Attempt {
    send(world, home, markets::Call::Place { request }, wrong)
}

pub fn rows() -> Vec<Row> {
    let mut rows = announcements();
    rows.extend(orders());
    rows
}

fn announcements() -> Vec<Row> {
    vec![
        row("curtailed after the slot", Scene::Metering, |world| {
            let state = SlotState::Metering;
            curtail(world, seller(world), Error::NotCurtailable { slot: FIRST, state })
        }),
        row("curtailed after settlement", Scene::Settled, |world| {
            let state = SlotState::Settled;
            curtail(world, seller(world), Error::NotCurtailable { slot: FIRST, state })
        }),
        row("unknown meter curtailed", Scene::Delivering, |world| {
            let meter = MeterId::from_number(99);
            curtail(world, vec![(meter, Energy::ZERO)], Error::UnknownMeter(meter))
        }),
        row("nothing curtailed", Scene::Open, |world| curtail(world, Vec::new(), Error::NothingCurtailed)),
        row("meter curtailed twice", Scene::Open, |world| {
            let meter = world.homes[SELLER].meter;
            let items = vec![(meter, Energy::from_wh(1)), (meter, Energy::ZERO)];
            curtail(world, items, Error::CurtailedTwice(meter))
        }),
        row("too many meters curtailed", Scene::Open, |world| {
            let items = vec![(world.homes[SELLER].meter, Energy::ZERO); CURTAILED_PER_CALL_MAX + 1];
            curtail(world, items, Error::TooManyCurtailed(1_000))
        }),
        row("curtailed by the market's retailer", Scene::Open, |world| {
            let wrong = registry::Error::WrongRole {
                needed: contract_interface::roles::GRID_OPERATOR,
                has: contract_interface::roles::RETAILER,
            };
            let retailer = &world.owners[entities::RETAILER as usize];
            (world.chain.signed(retailer, &Call::Markets(call(seller(world)))), wrong.into())
        }),
        row("curtailed by another grid operator", Scene::Open, |world| {
            let (registrar, key) =
                (world.owners[entities::REGISTRAR as usize].clone(), world.keys.add("stranger"));
            let roles = contract_interface::roles::GRID_OPERATOR;
            world.chain.must(&registrar, registry::Call::RegisterEntity { owner: key.account(), roles });
            let entity = registry::KEYS.get(&world.chain.view(), &key.account()).unwrap().entity;
            let wrong = Error::NotGridOperator { operator: EntityId::from_number(entities::GRID), entity };
            (world.chain.signed(&key, &Call::Markets(call(seller(world)))), wrong.into())
        }),
        row("curtailed by the administration key", Scene::Open, |world| {
            let call = Call::Markets(call(seller(world)));
            (world.chain.signed(&world.sudo, &call), Wrong::Failed(DispatchError::BadOrigin))
        }),
    ]
}

fn orders() -> Vec<Row> {
    vec![
        row("order above the cap", Scene::Open, |world| {
            allow(world, BYSTANDER, 999);
            let request = world.request(BYSTANDER, FIRST, Side::Sell, 1_000, 6_000);
            place(world, BYSTANDER, request, above(1_000, 999))
        }),
        row("order above the cap with the meter's other orders", Scene::Open, |world| {
            allow(world, SELLER, 5_000);
            let request = world.request(SELLER, FIRST, Side::Sell, 1_001, 6_000);
            place(world, SELLER, request, above(5_001, 5_000))
        }),
        row("order after a second cap", Scene::Open, |world| {
            allow(world, BYSTANDER, 5_000);
            allow(world, BYSTANDER, 10);
            let request = world.request(BYSTANDER, FIRST, Side::Sell, 11, 6_000);
            place(world, BYSTANDER, request, above(11, 10))
        }),
        row("amended above the cap", Scene::Open, |world| {
            allow(world, SELLER, 4_000);
            let request = world.request(SELLER, FIRST, Side::Sell, 4_001, 6_000);
            let call = markets::Call::Amend { seq: Seq::from_number(0), request };
            send(world, SELLER, call, above(4_001, 4_000))
        }),
        row("cancelled what a cap withdrew", Scene::Open, |world| {
            allow(world, SELLER, 3_999);
            let seq = Seq::from_number(0);
            let call = markets::Call::Cancel { market: MARKET, slot: FIRST, seq };
            send(world, SELLER, call, Error::UnknownOrder(seq))
        }),
        row("revealed above the cap", Scene::Sealed, |world| {
            allow(world, BYSTANDER, 999);
            let request = world.request(BYSTANDER, FIRST, Side::Sell, 1_000, 6_000);
            let (commit, salt) = (world.commitment(BYSTANDER, &request), world.salt(BYSTANDER, &request));
            let (seq, delegate) = (world.slot(FIRST).next_seq, world.homes[BYSTANDER].delegate.clone());
            world.chain.must(&delegate, markets::Call::Commit { commit });
            world.close_gate(FIRST);
            send(world, BYSTANDER, markets::Call::Reveal { seq, request, salt }, above(1_000, 999))
        }),
        row("revealed what a cap withdrew", Scene::Sealed, |world| {
            allow(world, BUYER, 4_000);
            let request = world.request(BUYER, FIRST, Side::Buy, 4_000, 6_700);
            let (seq, salt) = (Seq::from_number(1), world.salt(BUYER, &request));
            world.close_gate(FIRST);
            send(world, BUYER, markets::Call::Reveal { seq, request, salt }, Error::UnknownOrder(seq))
        }),
    ]
}
