//! Standing orders that may not be set, and those that may not be removed.

use super::scenes::{BUYER, BYSTANDER, SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::keyring;
use busbar_tests::world::{FIRST, MARKET, World};
use contract_interface::Side;
use runtime_execution::Call;
use runtime_execution::modules::markets::standing::{BadTemplate, Mask, Template};
use runtime_execution::modules::markets::{self, Error};
use runtime_execution::modules::registry::{self, Caps, scopes};
use runtime_primitives::{Energy, Hash, MarketId, MeterId, Slot};

/// The bystander's, which would be admitted.
fn good(world: &World) -> Template {
    let request = world.request(BYSTANDER, FIRST, Side::Sell, 1_000, 6_000);
    Template {
        market: MARKET,
        terms: world.slot(FIRST).terms,
        accept_within: None,
        first: FIRST,
        last: Slot::from_number(10_000),
        mask: None,
        meter: request.meter,
        side: request.side,
        energy: request.energy,
        min_energy: request.min_energy,
        price: request.price,
        flags: request.flags,
        partner: request.partner,
    }
}

fn set(world: &World, template: Template, wrong: impl Into<Wrong>) -> Attempt {
    let call = markets::Call::SetStanding { template: Box::new(template) };
    (world.chain.signed(&world.homes[BYSTANDER].delegate, &Call::Markets(call)), wrong.into())
}

fn bad(world: &World, change: impl FnOnce(&mut Template), wrong: BadTemplate) -> Attempt {
    let mut template = good(world);
    change(&mut template);
    set(world, template, Error::BadTemplate(wrong))
}

fn past(world: &World, last: Slot, mask: Option<Mask>) -> Attempt {
    let next = markets::market(&world.chain.view(), MARKET).unwrap().next_slot;
    set(world, Template { last, mask, ..good(world) }, Error::StandingPast { last, next })
}

fn guest(world: &mut World, scopes: u8, caps: Caps) -> std::sync::Arc<host_node::keys::Signer> {
    let (key, owner) = (keyring::key("guest"), world.homes[BYSTANDER].owner.clone());
    world.chain.must(&owner, registry::Call::AddDelegate { key: key.account(), scopes, expires: None, caps });
    key
}

pub fn rows() -> Vec<Row> {
    let mut rows = templates();
    rows.extend(rights());
    rows
}

fn templates() -> Vec<Row> {
    vec![
        row("standing order of an unknown market", Scene::Open, |world| {
            let market = MarketId::from_number(9);
            set(world, Template { market, ..good(world) }, Error::UnknownMarket(market))
        }),
        row("standing order under unknown terms", Scene::Open, |world| {
            let terms = Hash([1; 32]);
            set(world, Template { terms, ..good(world) }, Error::UnknownTerms(terms))
        }),
        row("standing order at an unknown meter", Scene::Open, |world| {
            let meter = MeterId::from_number(77);
            set(world, Template { meter, ..good(world) }, Error::UnknownMeter(meter))
        }),
        row("standing order at another's meter", Scene::Open, |world| {
            let (meter, owner) = (world.homes[SELLER].meter, world.homes[SELLER].entity);
            set(world, Template { meter, ..good(world) }, Error::ForeignMeter { meter, owner })
        }),
        row("standing order of no energy", Scene::Open, |world| {
            set(world, Template { energy: Energy::ZERO, ..good(world) }, Error::ZeroEnergy)
        }),
        row("standing order of more than itself", Scene::Open, |world| {
            let [min, energy] = [1_001, 1_000].map(Energy::from_wh);
            set(world, Template { min_energy: min, ..good(world) }, Error::MinAboveEnergy { min, energy })
        }),
        row("standing order that ends before it begins", Scene::Open, |world| {
            bad(world, |template| template.last = Slot::from_number(499), BadTemplate::Slots)
        }),
        row("standing order with a period of nothing", Scene::Open, |world| {
            let mask = Mask { period: 0, bits: Vec::new() };
            bad(world, |template| template.mask = Some(mask), BadTemplate::Mask)
        }),
        row("standing order with too few bits", Scene::Open, |world| {
            let mask = Mask { period: 9, bits: vec![1] };
            bad(world, |template| template.mask = Some(mask), BadTemplate::Mask)
        }),
        row("standing order with too long a period", Scene::Open, |world| {
            let mask = Mask { period: 1_441, bits: vec![1; 181] };
            bad(world, |template| template.mask = Some(mask), BadTemplate::Mask)
        }),
        row("standing order for slots that have all opened", Scene::Open, |world| past(world, FIRST, None)),
        row("standing order whose mask names no slot to come", Scene::Open, |world| {
            past(world, Slot::from_number(10_000), Some(Mask { period: 9, bits: vec![0, 0] }))
        }),
        row("standing order in sealed slots", Scene::Sealed, |world| bad(world, |_| (), BadTemplate::Sealed)),
        row("one standing order too many", Scene::Open, |world| {
            let delegate = world.homes[BYSTANDER].delegate.clone();
            for _ in 0..64 {
                let template = Box::new(good(world));
                world.chain.submit(&delegate, markets::Call::SetStanding { template });
            }
            world.chain.block_of_successes();
            set(world, good(world), Error::TooManyStanding(64))
        }),
    ]
}

fn rights() -> Vec<Row> {
    fn remove(world: &World, id: u32, wrong: impl Into<Wrong>) -> Attempt {
        let call = Call::Markets(markets::Call::RemoveStanding { market: MARKET, id });
        (world.chain.signed(&world.homes[BUYER].delegate, &call), wrong.into())
    }
    vec![
        row("standing order by a voter", Scene::Open, |world| {
            let key = guest(world, scopes::VOTE, Caps::default());
            let call = Call::Markets(markets::Call::SetStanding { template: Box::new(good(world)) });
            let wrong = registry::Error::WrongScope { needed: scopes::BID, has: scopes::VOTE };
            (world.chain.signed(&key, &call), wrong.into())
        }),
        row("standing order above the key's energy cap", Scene::Open, |world| {
            let [energy, cap] = [1_000, 999].map(Energy::from_wh);
            let key = guest(world, scopes::BID, Caps { held: None, energy: Some(cap) });
            let call = Call::Markets(markets::Call::SetStanding { template: Box::new(good(world)) });
            (world.chain.signed(&key, &call), Error::AboveEnergyCap { energy, cap }.into())
        }),
        row("standing order of the bank", Scene::Open, |world| {
            let call = Call::Markets(markets::Call::SetStanding { template: Box::new(good(world)) });
            let needed = contract_interface::roles::TRADER;
            let wrong = registry::Error::WrongRole { needed, has: contract_interface::roles::BANK };
            (world.chain.signed(world.bank(), &call), wrong.into())
        }),
        row("removal of an unknown standing order", Scene::Open, |world| {
            remove(world, 7, Error::UnknownStanding(7))
        }),
        row("removal of another's standing order", Scene::Open, |world| {
            let (delegate, owner) = (world.homes[BYSTANDER].delegate.clone(), world.homes[BYSTANDER].entity);
            let template = Box::new(good(world));
            world.chain.must(&delegate, markets::Call::SetStanding { template });
            remove(world, 0, Error::ForeignStanding { id: 0, owner })
        }),
        row("removal of a standing order twice", Scene::Open, |world| {
            let delegate = world.homes[BUYER].delegate.clone();
            let request = world.request(BUYER, FIRST, Side::Buy, 10, 6_000);
            let template = Box::new(Template { meter: request.meter, side: Side::Buy, ..good(world) });
            world.chain.must(&delegate, markets::Call::SetStanding { template });
            world.chain.must(&delegate, markets::Call::RemoveStanding { market: MARKET, id: 0 });
            remove(world, 0, Error::UnknownStanding(0))
        }),
    ]
}
