//! What a stateful contract reads of a market through the chain's extension, from an open slot to its settlement.
#![allow(clippy::unwrap_used, reason = "tests")]

use busbar_tests::machine::{on_vm_thread, vm};
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use contract_interface::{Side, Stage, Trade};
use parity_scale_codec::{Decode, DecodeAll, Encode};
use runtime_execution::modules::contracts::{
    self, BillInfo, ClearedTrades, Function, MarketParams, Message, SlotInfo, dry_call,
};
use runtime_execution::modules::markets::{RECORDS, SLOTS, SlotState, TRADES};
use runtime_execution::modules::system::Weight;
use runtime_primitives::{AccountId, EntityId, Gas, MarketId, Money, Slot, blake2_256};

/// Gives its input, a function's id before its arguments, to the extension; answers the status and the answer.
const ASKING: &str = r#"(module
    (import "env" "memory" (memory 1 1))
    (import "seal0" "input" (func $input (param i32 i32)))
    (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
    (import "seal0" "call_chain_extension" (func $ask (param i32 i32 i32 i32 i32) (result i32)))
    (func (export "deploy"))
    (func (export "call")
        (i32.store (i32.const 0) (i32.const 1000))
        (call $input (i32.const 100) (i32.const 0))
        (i32.store (i32.const 4) (i32.const 16380))
        (i32.store (i32.const 2000)
            (call $ask (i32.load (i32.const 100)) (i32.const 104) (i32.sub (i32.load (i32.const 0)) (i32.const 4))
                (i32.const 2004) (i32.const 4)))
        (call $return (i32.const 0) (i32.const 2000) (i32.add (i32.load (i32.const 4)) (i32.const 4)))))"#;

/// Gas of a question.
const GAS: u64 = 1_000_000_000;

fn deploy(world: &mut World) -> AccountId {
    let code = wat::parse_str(ASKING).unwrap();
    let platform = world.platform().clone();
    let address = contracts::address(&platform.account(), &blake2_256(&code), b"", b"");
    let call = contracts::Call::InstantiateWithCode {
        value: 0u128.into(),
        gas_limit: Weight { ref_time: GAS, proof_size: 0 },
        storage_deposit_limit: None,
        code,
        data: vec![],
        salt: vec![],
    };
    world.chain.must(&platform, call);
    address
}

/// What the contract answers: nothing, or the thing.
fn ask<T: Decode>(
    world: &World,
    contract: AccountId,
    function: Function,
    arguments: impl Encode,
) -> Option<T> {
    let message = Message {
        caller: world.account(entities::AUDITOR),
        value: Money::ZERO,
        gas_limit: Gas::from_units(GAS),
        storage_deposit_limit: None,
        input: (function.id(), arguments).encode(),
    };
    let output = dry_call(vm(), &world.chain.state, contract, message).result.unwrap();
    let (status, answer) = output.data.split_at(4);
    assert_eq!(status, [0; 4], "{function:?}");
    Option::<T>::decode_all(&mut &answer[..]).unwrap()
}

#[test]
fn a_contract_reads_a_slot_from_its_opening_to_its_settlement() {
    on_vm_thread(|| {
        let mut world = World::new(&Plan::default());
        let contract = deploy(&mut world);
        let at = (MARKET, FIRST);
        let slot = |world: &World| ask::<SlotInfo>(world, contract, Function::SlotInfo, at);
        let clearing = |world: &World, from: u32| {
            ask::<ClearedTrades>(world, contract, Function::Clearing, (MARKET, FIRST, from))
        };
        let buyer = world.homes[1].entity;
        let bill = |world: &World| ask::<BillInfo>(world, contract, Function::Bill, (MARKET, FIRST, buyer));

        world.open(FIRST);
        world.place(0, FIRST, Side::Sell, 10_000, 6_700);
        world.place(1, FIRST, Side::Buy, 10_000, 6_700);
        let open = slot(&world).unwrap();
        assert_eq!((open.state, open.orders, open.trades, open.void), (SlotState::Open, 2, 0, None));
        assert_eq!(open.terms, world.terms.hash());
        let params: MarketParams = ask(&world, contract, Function::MarketParams, at).unwrap();
        let people = [entities::PLATFORM, entities::RETAILER, entities::GRID].map(EntityId::from_number);
        assert_eq!([params.operator, params.retailer, params.grid], people);
        assert_eq!(params.terms, world.terms);
        let nothing = ClearedTrades { total: 0, trades: vec![] };
        assert_eq!(clearing(&world, 0), Some(nothing), "not cleared yet");

        world.close_gate(FIRST);
        let stored = TRADES.get(&world.chain.view(), at, 0).unwrap().trade;
        let cleared = |trades: Vec<Trade>| Some(ClearedTrades { total: 1, trades });
        assert_eq!(clearing(&world, 0), cleared(vec![stored]));
        for beyond in [1, 2, u32::MAX] {
            assert_eq!(clearing(&world, beyond), cleared(vec![]), "from trade {beyond}");
        }
        assert_eq!(slot(&world).unwrap().trades, 1);
        let unsettled = BillInfo { transfers_root: None, transfers: 0, owed: Money::ZERO };
        assert_eq!(bill(&world), Some(unsettled));

        world.confirm_all(FIRST);
        world.finish_certified(&[(0, 10_000), (10_000, 0)]);
        let view = world.chain.view();
        let settled = slot(&world).unwrap();
        assert_eq!(settled.state, SlotState::Settled);
        assert_eq!(settled.entered_at, SLOTS.get(&view, &at).unwrap().entered_at);
        let record = RECORDS.get(&view, &(MARKET, FIRST, Stage::Settlement)).unwrap();
        assert!(record.nonce > 0);
        let expected =
            BillInfo { transfers_root: Some(record.merkle_root), transfers: record.nonce, owed: Money::ZERO };
        assert_eq!(bill(&world), Some(expected));
    });
}

#[test]
fn there_is_nothing_of_what_is_not_there() {
    on_vm_thread(|| {
        let mut world = World::new(&Plan::default());
        let contract = deploy(&mut world);
        world.open(FIRST);
        let (nowhere, never) = (MarketId::from_number(7), Slot::from_number(0));
        let home = world.homes[0].entity;
        for (market, slot) in [(nowhere, FIRST), (MARKET, never)] {
            assert_eq!(ask::<SlotInfo>(&world, contract, Function::SlotInfo, (market, slot)), None);
            assert_eq!(ask::<MarketParams>(&world, contract, Function::MarketParams, (market, slot)), None);
            assert_eq!(
                ask::<ClearedTrades>(&world, contract, Function::Clearing, (market, slot, 0u32)),
                None
            );
            assert_eq!(ask::<BillInfo>(&world, contract, Function::Bill, (market, slot, home)), None);
        }
        let stranger = EntityId::from_number(9_999);
        assert_eq!(ask::<BillInfo>(&world, contract, Function::Bill, (MARKET, FIRST, stranger)), None);
        let who = world.homes[0].account();
        assert_eq!(ask::<EntityId>(&world, contract, Function::EntityOf, who), Some(home));
    });
}
