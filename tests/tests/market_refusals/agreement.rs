//! Agreements to a market's terms that do not count, and what a market refuses before its parties have agreed.

use super::scenes::{SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::world::{FIRST, Home, MARKET, Plan, World, entities, register_meter};
use contract_interface::{Side, roles};
use runtime_execution::Call;
use runtime_execution::modules::markets::{self, Error};
use runtime_execution::modules::registry::{self, Caps, scopes};
use runtime_primitives::{EntityId, Hash, MarketId, Price, Slot};
use std::sync::Arc;

/// Registered beside the market of the scene, by nobody agreed to.
const SECOND: MarketId = MarketId::from_number(1);

fn by(world: &World, party: u32, call: impl Into<Call>, wrong: impl Into<Wrong>) -> Attempt {
    (world.chain.signed(&world.owners[party as usize], &call.into()), wrong.into())
}

fn agree(world: &World, party: u32, market: MarketId, terms: Hash, wrong: impl Into<Wrong>) -> Attempt {
    by(world, party, Call::Markets(markets::Call::Agree { market, terms }), wrong)
}

fn withdraw(world: &World, who: u32, market: MarketId, terms: Hash, wrong: impl Into<Wrong>) -> Attempt {
    by(world, who, Call::Markets(markets::Call::WithdrawTerms { market, terms }), wrong)
}

/// The platform schedules terms that its parties are asked about; gives their hash.
fn dearer(world: &mut World) -> Hash {
    let (platform, mut terms) = (Arc::clone(world.platform()), world.terms.clone());
    terms.rates.retail = Price::from_ticks(9_500);
    let (hash, slot) = (terms.hash(), Slot::from_number(800));
    let call = markets::Call::ScheduleTerms { market: MARKET, slot, terms: Box::new(terms) };
    world.chain.must(&platform, call);
    hash
}

/// A market that nobody but its operator knows of; gives the hash of its terms.
fn found(world: &mut World) -> Hash {
    let platform = Arc::clone(world.platform());
    let call = world.new_market(&Plan::default());
    world.chain.must(&platform, call);
    world.terms.hash()
}

/// That the party has agreed to the market's first terms, and when.
fn before(world: &World, market: MarketId, party: u32) -> Error {
    let entity = EntityId::from_number(party);
    let first = markets::market(&world.chain.view(), market).unwrap().schedule[0].clone();
    let own = first.consents.iter().find(|consent| consent.party == entity).unwrap();
    Error::AlreadyAgreed { market, entity, terms: first.terms, at: own.agreed_at.unwrap() }
}

pub fn rows() -> Vec<Row> {
    let mut rows = agreements();
    rows.extend(not_running());
    rows
}

fn agreements() -> Vec<Row> {
    vec![
        row("agreed by a bank", Scene::Before, |world| {
            let terms = found(world);
            let entity = EntityId::from_number(entities::BANK);
            agree(world, entities::BANK, SECOND, terms, Error::NoMarketParty { market: SECOND, entity })
        }),
        row("agreed by the operator itself", Scene::Before, |world| {
            let terms = found(world);
            let entity = EntityId::from_number(entities::PLATFORM);
            agree(world, entities::PLATFORM, SECOND, terms, Error::NoMarketParty { market: SECOND, entity })
        }),
        row("agreed by a delegate", Scene::Before, |world| {
            let terms = found(world);
            let (owner, key) = (world.owners[entities::RETAILER as usize].clone(), world.keys.add("clerk"));
            let scopes = scopes::BID | scopes::CONFIRM | scopes::VOTE;
            let (expires, caps) = (None, Caps::default());
            let add = registry::Call::AddDelegate { key: key.account(), scopes, expires, caps };
            world.chain.must(&owner, add);
            let call = Call::Markets(markets::Call::Agree { market: SECOND, terms });
            let wrong = registry::Error::WrongScope { needed: scopes::OWNER, has: scopes };
            (world.chain.signed(&key, &call), wrong.into())
        }),
        row("agreed twice", Scene::Before, |world| {
            let (terms, retailer) = (found(world), world.owners[entities::RETAILER as usize].clone());
            world.chain.must(&retailer, markets::Call::Agree { market: SECOND, terms });
            agree(world, entities::RETAILER, SECOND, terms, before(world, SECOND, entities::RETAILER))
        }),
        row("agreed to other terms", Scene::Before, |world| {
            found(world);
            let terms = Hash([3; 32]);
            agree(world, entities::RETAILER, SECOND, terms, Error::UnknownTerms(terms))
        }),
        row("agreed to an offer that another has replaced", Scene::Before, |world| {
            let (old, platform) = (found(world), Arc::clone(world.platform()));
            let mut better = world.terms.clone();
            better.rates.retail = Price::from_ticks(9_500);
            let (slot, terms) = (Slot::from_number(503), Box::new(better));
            world.chain.must(&platform, markets::Call::ScheduleTerms { market: SECOND, slot, terms });
            agree(world, entities::RETAILER, SECOND, old, Error::NotScheduled { market: SECOND, terms: old })
        }),
        row("agreed to rules that bind nobody otherwise", Scene::Open, |world| {
            let (platform, entity) = (Arc::clone(world.platform()), EntityId::from_number(entities::GRID));
            let mut other = world.terms.clone();
            other.limits.orders_per_slot = 39;
            let (hash, slot) = (other.hash(), Slot::from_number(800));
            let call = markets::Call::ScheduleTerms { market: MARKET, slot, terms: Box::new(other) };
            world.chain.must(&platform, call);
            let wrong = Error::AgreedUnasked { market: MARKET, entity, terms: hash };
            agree(world, entities::GRID, MARKET, hash, wrong)
        }),
        row("agreed to an unknown market", Scene::Before, |world| {
            let terms = world.terms.hash();
            agree(world, entities::GRID, SECOND, terms, Error::UnknownMarket(SECOND))
        }),
        row("agreed to what was withdrawn", Scene::Open, |world| {
            let (platform, terms) = (Arc::clone(world.platform()), dearer(world));
            world.chain.must(&platform, markets::Call::WithdrawTerms { market: MARKET, terms });
            agree(world, entities::RETAILER, MARKET, terms, Error::NotScheduled { market: MARKET, terms })
        }),
        row("withdrawn by a party", Scene::Open, |world| {
            let terms = dearer(world);
            let operator = EntityId::from_number(entities::PLATFORM);
            let wrong = Error::NotOperator { market: MARKET, operator };
            withdraw(world, entities::RETAILER, MARKET, terms, wrong)
        }),
        row("withdrawn after all agreed", Scene::Open, |world| {
            let terms = dearer(world);
            for party in [entities::RETAILER, entities::GRID, entities::METER_OPERATOR] {
                let key = world.owners[party as usize].clone();
                world.chain.must(&key, markets::Call::Agree { market: MARKET, terms });
            }
            withdraw(world, entities::PLATFORM, MARKET, terms, Error::TermsStand { market: MARKET, terms })
        }),
        row("withdrawn, and never scheduled", Scene::Open, |world| {
            let terms = Hash([3; 32]);
            withdraw(world, entities::PLATFORM, MARKET, terms, Error::NotScheduled { market: MARKET, terms })
        }),
        row("an offer withdrawn", Scene::Before, |world| {
            let terms = found(world);
            withdraw(world, entities::PLATFORM, SECOND, terms, Error::OnlyTerms(SECOND))
        }),
        row("agreed to what governs", Scene::Open, |world| {
            agree(world, entities::GRID, MARKET, world.terms.hash(), before(world, MARKET, entities::GRID))
        }),
    ]
}

fn not_running() -> Vec<Row> {
    vec![
        row("a meter before the parties agree", Scene::Before, |world| {
            let terms = found(world);
            let retailer = world.owners[entities::RETAILER as usize].clone();
            world.chain.must(&retailer, markets::Call::Agree { market: SECOND, terms });
            let meter_key = world.keys.add("a meter of the second market");
            let home = Home { market: SECOND, meter_key, ..world.homes[SELLER].clone() };
            let missing = [entities::GRID, entities::METER_OPERATOR].map(EntityId::from_number).to_vec();
            let wrong = registry::Error::MarketNotAgreed { market: SECOND, missing };
            by(world, entities::REGISTRAR, Call::Registry(register_meter(&home)), wrong)
        }),
        row("an order before the parties agree", Scene::Open, |world| {
            found(world);
            let mut request = world.request(SELLER, FIRST, Side::Sell, 100, 6_000);
            request.market = SECOND;
            let call = Call::Markets(markets::Call::Place { request });
            let wrong = Error::UnknownSlot { market: SECOND, slot: FIRST };
            (world.chain.signed(&world.homes[SELLER].delegate, &call), wrong.into())
        }),
        row("another offer whose first slot has passed", Scene::Before, |world| {
            found(world);
            let (slot, terms) = (Slot::from_number(488), Box::new(world.terms.clone()));
            let call = Call::Markets(markets::Call::ScheduleTerms { market: SECOND, slot, terms });
            by(world, entities::PLATFORM, call, Error::FirstSlotPassed(slot))
        }),
        row("a substitute by another market's meter operator", Scene::Metering, |world| {
            super::vouchers::by_a_stranger(world, roles::METER_OPERATOR)
        }),
    ]
}
