//! Orders that may not enter the book, and orders that may not leave it.

use super::scenes::{BUYER, BYSTANDER, SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::world::{FIRST, MARKET, World};
use contract_interface::{OrderRequest, Side, flags};
use parity_scale_codec::Compact;
use runtime_execution::Call;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::markets::{self, Error, SlotState};
use runtime_execution::modules::{balances, registry};
use runtime_primitives::{Energy, Hash, MarketId, MeterId, Money, Price, Seq, Slot, Timestamp};

/// The household's delegate sends a request.
fn place(world: &World, home: usize, request: OrderRequest, wrong: impl Into<Wrong>) -> Attempt {
    let call = Call::Markets(markets::Call::Place { request });
    (world.chain.signed(&world.homes[home].delegate, &call), wrong.into())
}

/// A bystander's request that would be admitted.
fn good(world: &World) -> OrderRequest {
    world.request(BYSTANDER, FIRST, Side::Sell, 1_000, 6_000)
}

fn price(world: &World, ticks: u32, wrong: impl Into<Wrong>) -> Attempt {
    place(world, BYSTANDER, OrderRequest { price: Price::from_ticks(ticks), ..good(world) }, wrong)
}

fn out_of_bounds(ticks: u32) -> Error {
    let [price, min, max] = [ticks, 3_000, 8_800].map(Price::from_ticks);
    Error::PriceOutOfBounds { price, min, max }
}

pub fn rows() -> Vec<Row> {
    let mut rows = requests();
    rows.extend(standing());
    rows.extend(withdrawals());
    rows
}

fn requests() -> Vec<Row> {
    vec![
        row("terms changed", Scene::Open, |world| {
            let signed = Hash([1; 32]);
            let wrong = Error::TermsChanged { signed, current: world.terms.hash() };
            place(world, BYSTANDER, OrderRequest { terms: signed, ..good(world) }, wrong)
        }),
        row("request expired", Scene::Open, |world| {
            let until = world.chain.now;
            let wrong = Error::RequestExpired { until, now: until.plus_ms(1_000) };
            place(world, BYSTANDER, OrderRequest { valid_until: until, ..good(world) }, wrong)
        }),
        row("zero energy", Scene::Open, |world| {
            place(world, BYSTANDER, OrderRequest { energy: Energy::ZERO, ..good(world) }, Error::ZeroEnergy)
        }),
        row("minimum above energy", Scene::Open, |world| {
            let (min, energy) = (Energy::from_wh(1_001), Energy::from_wh(1_000));
            let request = OrderRequest { min_energy: min, ..good(world) };
            place(world, BYSTANDER, request, Error::MinAboveEnergy { min, energy })
        }),
        row("off tick", Scene::Open, |world| {
            let [price_off, tick] = [6_005, 10].map(Price::from_ticks);
            price(world, 6_005, Error::OffTick { price: price_off, tick })
        }),
        row("price out of bounds: low", Scene::Open, |world| price(world, 2_990, out_of_bounds(2_990))),
        row("price out of bounds: high", Scene::Open, |world| price(world, 8_810, out_of_bounds(8_810))),
        row("flag that the rule does not know", Scene::Open, |world| {
            place(world, BYSTANDER, OrderRequest { flags: 8, ..good(world) }, Error::Unsupported { flags: 8 })
        }),
        row("refused by the bid rule", Scene::Open, |world| {
            let partner = world.homes[BYSTANDER].entity;
            let request = OrderRequest { flags: flags::PARTNER, partner, ..good(world) };
            place(world, BYSTANDER, request, Error::AdmissionRefused { rule: 4 })
        }),
        row("bid rule that never ends", Scene::StuckBid, |world| {
            place(world, BYSTANDER, good(world), Error::AdmissionFailed)
        }),
        row("unknown market", Scene::Open, |world| {
            let market = MarketId::from_number(9);
            let wrong = Error::UnknownMarket(market);
            place(world, BYSTANDER, OrderRequest { market, ..good(world) }, wrong)
        }),
        row("slot that has not opened", Scene::Before, |world| {
            place(world, BYSTANDER, good(world), Error::UnknownSlot { market: MARKET, slot: FIRST })
        }),
        row("slot of the past", Scene::Open, |world| {
            let slot = Slot::from_number(499);
            let wrong = Error::BeforeFirstSlot { market: MARKET, slot, first: FIRST };
            place(world, BYSTANDER, OrderRequest { slot, ..good(world) }, wrong)
        }),
        row("unknown meter", Scene::Open, |world| {
            let meter = MeterId::from_number(77);
            place(world, BYSTANDER, OrderRequest { meter, ..good(world) }, Error::UnknownMeter(meter))
        }),
        row("foreign meter", Scene::Open, |world| {
            let (meter, owner) = (world.homes[SELLER].meter, world.homes[SELLER].entity);
            let wrong = Error::ForeignMeter { meter, owner };
            place(world, BYSTANDER, OrderRequest { meter, ..good(world) }, wrong)
        }),
        row("meter that joined after the slot opened", Scene::Open, |world| {
            let registrar = world.owners[0].clone();
            let call = world.another_meter(BYSTANDER);
            world.chain.must(&registrar, call);
            let meter = MeterId::from_number(3);
            place(world, BYSTANDER, OrderRequest { meter, ..good(world) }, Error::UnknownMeter(meter))
        }),
    ]
}

fn standing() -> Vec<Row> {
    vec![
        row("above capacity", Scene::Open, |world| {
            let [energy, capacity] = [11_001, 11_000].map(Energy::from_wh);
            let wrong = Error::AboveCapacity { energy, capacity };
            place(world, BYSTANDER, OrderRequest { energy, ..good(world) }, wrong)
        }),
        row("above capacity with the meter's other orders", Scene::Open, |world| {
            let request = world.request(SELLER, FIRST, Side::Sell, 7_001, 6_000);
            let [energy, capacity] = [11_001, 11_000].map(Energy::from_wh);
            place(world, SELLER, request, Error::AboveCapacity { energy, capacity })
        }),
        row("both sides in one slot", Scene::Open, |world| {
            let request = world.request(SELLER, FIRST, Side::Buy, 100, 6_000);
            place(world, SELLER, request, Error::BothSides)
        }),
        row("insufficient funds", Scene::Open, |world| {
            // Leaves one unit less than the hold: max(6700 + 200, 1000) ticks for 1000 Wh.
            let (owner, hold) = (world.homes[BYSTANDER].owner.clone(), Money::from_units(6_900_000));
            let (had, _) = world.chain.money(&owner.account());
            let free = hold.checked_sub(Money::from_units(1)).unwrap();
            let value = Compact(had.checked_sub(free).unwrap().units());
            let dest = MultiAddress::Id(world.homes[BUYER].account());
            world.chain.must(&owner, balances::Call::TransferAllowDeath { dest, value });
            let request = world.request(BYSTANDER, FIRST, Side::Buy, 1_000, 6_700);
            place(world, BYSTANDER, request, Error::InsufficientFunds { hold, free })
        }),
        row("order count limit: slot", Scene::Small, |world| {
            world.place(SELLER, FIRST, Side::Sell, 100, 6_000);
            place(world, BYSTANDER, good(world), Error::SlotFull(3))
        }),
        row("order count limit: cancelled orders keep their place", Scene::Small, |world| {
            let seq = world.place(SELLER, FIRST, Side::Sell, 100, 6_000);
            let delegate = world.homes[SELLER].delegate.clone();
            world.chain.must(&delegate, markets::Call::Cancel { market: MARKET, slot: FIRST, seq });
            place(world, BYSTANDER, good(world), Error::SlotFull(3))
        }),
        row("order count limit: placed and cancelled again and again", Scene::Open, |world| {
            let delegate = world.homes[BYSTANDER].delegate.clone();
            for _ in 0..32 {
                let seq = world.place(BYSTANDER, FIRST, Side::Buy, 100, 6_000);
                world.chain.must(&delegate, markets::Call::Cancel { market: MARKET, slot: FIRST, seq });
            }
            let request = world.request(BYSTANDER, FIRST, Side::Buy, 100, 6_000);
            place(world, BYSTANDER, request, Error::EntityPlaceLimit(32))
        }),
        row("order count limit: entity", Scene::Open, |world| {
            for _ in 0..3 {
                world.place(SELLER, FIRST, Side::Sell, 100, 6_000);
            }
            let request = world.request(SELLER, FIRST, Side::Sell, 100, 6_000);
            place(world, SELLER, request, Error::EntityOrderLimit(4))
        }),
        row("gate closed: while trades wait", Scene::Proposed, |world| {
            let wrong = Error::GateClosed { slot: FIRST, state: SlotState::Proposed };
            place(world, BYSTANDER, good(world), wrong)
        }),
        row("gate closed: after settlement", Scene::Settled, |world| {
            let wrong = Error::GateClosed { slot: FIRST, state: SlotState::Settled };
            place(world, BYSTANDER, good(world), wrong)
        }),
        row("trader whose role is missing", Scene::Open, |world| {
            let call = Call::Markets(markets::Call::Place { request: good(world) });
            let needed = contract_interface::roles::TRADER;
            let wrong = registry::Error::WrongRole { needed, has: contract_interface::roles::BANK };
            (world.chain.signed(world.bank(), &call), wrong.into())
        }),
    ]
}

fn withdrawals() -> Vec<Row> {
    fn cancel(world: &World, home: usize, seq: u32, wrong: impl Into<Wrong>) -> Attempt {
        let seq = Seq::from_number(seq);
        let call = Call::Markets(markets::Call::Cancel { market: MARKET, slot: FIRST, seq });
        (world.chain.signed(&world.homes[home].delegate, &call), wrong.into())
    }
    fn amend(world: &World, request: OrderRequest, wrong: impl Into<Wrong>) -> Attempt {
        let call = Call::Markets(markets::Call::Amend { seq: Seq::ZERO, request });
        (world.chain.signed(&world.homes[SELLER].delegate, &call), wrong.into())
    }
    vec![
        row("unknown order", Scene::Open, |world| {
            cancel(world, SELLER, 9, Error::UnknownOrder(Seq::from_number(9)))
        }),
        row("order cancelled twice", Scene::Open, |world| {
            let delegate = world.homes[SELLER].delegate.clone();
            world
                .chain
                .must(&delegate, markets::Call::Cancel { market: MARKET, slot: FIRST, seq: Seq::ZERO });
            cancel(world, SELLER, 0, Error::UnknownOrder(Seq::ZERO))
        }),
        row("foreign order", Scene::Open, |world| {
            let wrong = Error::ForeignOrder { seq: Seq::ZERO, owner: world.homes[SELLER].entity };
            cancel(world, BUYER, 0, wrong)
        }),
        row("cancelled after the gate", Scene::Proposed, |world| {
            cancel(world, SELLER, 0, Error::GateClosed { slot: FIRST, state: SlotState::Proposed })
        }),
        row("amended to nothing: the old order stands", Scene::Open, |world| {
            let request = world.request(SELLER, FIRST, Side::Sell, 0, 6_000);
            amend(world, request, Error::ZeroEnergy)
        }),
        row("amended past its time", Scene::Open, |world| {
            let request = world.request(SELLER, FIRST, Side::Sell, 10, 6_000);
            let until = Timestamp::ZERO;
            let wrong = Error::RequestExpired { until, now: world.chain.now.plus_ms(1_000) };
            amend(world, OrderRequest { valid_until: until, ..request }, wrong)
        }),
        row("amended to another's meter", Scene::Open, |world| {
            let (meter, owner) = (world.homes[BUYER].meter, world.homes[BUYER].entity);
            let request = world.request(BUYER, FIRST, Side::Sell, 10, 6_000);
            amend(world, request, Error::ForeignMeter { meter, owner })
        }),
    ]
}
