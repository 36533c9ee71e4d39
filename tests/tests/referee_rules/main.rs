//! Malicious rules on a real chain: each gets its event, then the slot goes on as if an honest rule had run.
//!
//! A rule that fails is replaced once; if its replacement fails too, a clearing is void and a settlement is held. In
//! every case money is conserved: the chain under test audits each block.
#![allow(clippy::unwrap_used, reason = "tests")]

mod clearing;
mod settlement;

use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use contract_interface::{Clearing, OrderRequest, Side, Trade};
use runtime_execution::modules::markets;
use runtime_primitives::{Energy, Price, Seq};

/// Households: one sells, one buys, one does both badly.
const A: usize = 0;
const B: usize = 1;
const C: usize = 2;
/// Orders of a full book; the real ones are fewer.
const FULL: u32 = 5;

const fn seq(number: u32) -> Seq {
    Seq::from_number(number)
}

const fn wh(number: u64) -> Energy {
    Energy::from_wh(number)
}

const fn ticks(number: u32) -> Price {
    Price::from_ticks(number)
}

fn trade(buy: u32, sell: u32, energy: u64, buy_price: u32, sell_price: u32) -> Trade {
    Trade {
        buy: seq(buy),
        sell: seq(sell),
        energy: wh(energy),
        buy_price: ticks(buy_price),
        sell_price: ticks(sell_price),
    }
}

fn clearing(trades: Vec<Trade>) -> Clearing {
    Clearing { trades, ..Clearing::default() }
}

/// Seq 0: A sells 2000 Wh, at least 1500, at 5000. 1: B buys 2000 at 6000. 2: cancelled. 3: C buys 500 at 4000.
fn book(world: &mut World) {
    let request = world.request(A, FIRST, Side::Sell, 2_000, 5_000);
    world.place_request(A, OrderRequest { min_energy: wh(1_500), ..request });
    world.place(B, FIRST, Side::Buy, 2_000, 6_000);
    let closed = world.place(C, FIRST, Side::Sell, 1_000, 4_000);
    let delegate = world.homes[C].delegate.clone();
    world.chain.must(&delegate, markets::Call::Cancel { market: MARKET, slot: FIRST, seq: closed });
    world.place(C, FIRST, Side::Buy, 500, 4_000);
}

fn plan() -> Plan {
    let mut plan = Plan { homes: 3, ..Plan::default() };
    plan.limits.orders_per_slot = FULL;
    plan
}

/// The plan with another matching rule.
fn matching(code: Vec<u8>) -> Plan {
    let mut plan = plan();
    plan.rules[1] = code;
    plan
}

fn open_with_book(plan: &Plan) -> World {
    let mut world = World::new(plan);
    world.open(FIRST);
    book(&mut world);
    world
}

/// Money of each household, free and held, and of retailer and grid.
fn money(world: &World) -> Vec<u128> {
    let homes = world.homes.iter().map(busbar_tests::world::Home::account);
    let institutions = [entities::RETAILER, entities::GRID].map(|entity| world.account(entity));
    let whole = |account| {
        let (free, reserved) = world.chain.money(&account);
        free.units() + reserved.units()
    };
    homes.chain(institutions).map(whole).collect()
}
