//! What is held for connections: who may not order, join or take it back.

use super::scenes::{BYSTANDER, SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::chain::AnyCall;
use busbar_tests::world::{FIRST, MARKET, World, entities};
use contract_interface::Side;
use parity_scale_codec::Compact;
use runtime_execution::Call;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::markets::{self, Error};
use runtime_execution::modules::{balances, registry};
use runtime_primitives::{EntityId, MarketId, Money};
use std::sync::Arc;

fn units(units: u128) -> Money {
    Money::from_units(units)
}

/// All money of an entity of genesis but `left` goes to the bank.
fn empty(world: &mut World, entity: u32, left: u128) {
    let owner = Arc::clone(&world.owners[entity as usize]);
    let (free, _) = world.chain.money(&owner.account());
    let (dest, value) = (MultiAddress::Id(world.bank().account()), Compact(free.units() - left));
    world.chain.must(&owner, balances::Call::TransferAllowDeath { dest, value });
}

fn release(world: &World, home: usize, market: MarketId, wrong: impl Into<Wrong>) -> Attempt {
    let call = AnyCall::from(markets::Call::ReleaseDeposit { market });
    (world.chain.signed(&world.homes[home].owner, &call.0), wrong.into())
}

pub fn rows() -> Vec<Row> {
    vec![
        row("an order without the supply deposit", Scene::Poor, |world| {
            // Its ten yuan are deposited already; five came by a plain transfer, which fills nothing.
            let bank = Arc::clone(world.bank());
            let (dest, value) = (MultiAddress::Id(world.homes[SELLER].account()), Compact(50_000_000));
            world.chain.must(&bank, balances::Call::TransferAllowDeath { dest, value });
            let request = world.request(SELLER, FIRST, Side::Sell, 1_000, 6_000);
            let call = Call::Markets(markets::Call::Place { request });
            let [needed, held, free] = [198_000_000, 100_000_000, 50_000_000].map(units);
            let wrong = Error::SupplyDeposit { needed, held, free };
            (world.chain.signed(&world.homes[SELLER].delegate, &call), wrong.into())
        }),
        row("a meter that the retailer cannot pre-fund", Scene::Poor, |world| {
            empty(world, entities::RETAILER, 65_999_999);
            let call = Call::Registry(world.another_meter(SELLER));
            let [needed, held, free] = [4 * 66_000_000, 3 * 66_000_000, 65_999_999].map(units);
            let retailer = EntityId::from_number(entities::RETAILER);
            let wrong = Error::RetailerFunding { retailer, needed, held, free };
            (world.chain.signed(&world.owners[entities::REGISTRAR as usize], &call), wrong.into())
        }),
        row("a deposit that is not full is released", Scene::Poor, |world| {
            let [held, needed] = [100_000_000, 198_000_000].map(units);
            release(world, SELLER, MARKET, Error::NothingToRelease { held, needed })
        }),
        row("a deposit that nobody made is released", Scene::Open, |world| {
            let [held, needed] = [Money::ZERO; 2];
            release(world, BYSTANDER, MARKET, Error::NothingToRelease { held, needed })
        }),
        row("a pre-funding that is needed is released", Scene::Poor, |world| {
            let call = Call::Markets(markets::Call::ReleaseDeposit { market: MARKET });
            let [held, needed] = [3 * 66_000_000; 2].map(units);
            let wrong = Error::NothingToRelease { held, needed };
            (world.chain.signed(&world.owners[entities::RETAILER as usize], &call), wrong.into())
        }),
        row("a deposit in a market that is not there", Scene::Poor, |world| {
            let market = MarketId::from_number(7);
            release(world, SELLER, market, Error::UnknownMarket(market))
        }),
        row("wrong scope: a delegate releases the deposit", Scene::Poor, |world| {
            let call = Call::Markets(markets::Call::ReleaseDeposit { market: MARKET });
            let needed = registry::scopes::OWNER;
            let has = registry::scopes::BID | registry::scopes::CONFIRM | registry::scopes::VOTE;
            let wrong = registry::Error::WrongScope { needed, has };
            (world.chain.signed(&world.homes[SELLER].delegate, &call), wrong.into())
        }),
    ]
}
