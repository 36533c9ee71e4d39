//! Dry runs: they tell everything and leave nothing; and rows that need a context rather than a chain.
#![allow(clippy::unwrap_used, reason = "tests")]

mod contracts_chain;

use contract_interface::{Descriptor, INTERFACE, Pricing};
use contracts_chain::puppet::{Script, puppet, to};
use contracts_chain::*;
use runtime_execution::modules::contracts::{self, Error, Instantiation, NewCode, dry_instantiate};
use runtime_execution::modules::registry::{Caps, KeyBinding, scopes};
use runtime_execution::modules::{balances, markets};
use runtime_execution::{BlockEnv, Call, Context, DispatchError, Event, Origin, VerifySingly};
use runtime_primitives::{EntityId, Gas, Hash, Height, Money, Timestamp, blake2_256};
use runtime_vm::{Output, Trap};

#[test]
fn a_dry_run_tells_and_leaves_nothing() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let flipper = chain.deploy(flipper(), 0, &[1]);
        let mirror = chain.deploy(mirror(), 0, &[]);
        let before = chain.effects();
        let answer = |flags, data: &[u8]| Ok(Output { flags, data: data.to_vec() });
        for (contract, value, data, result, trap, debug, events) in [
            (flipper, 0, "get_", answer(0, &[1]), None, "", 1),
            (flipper, 7, "flip", answer(0, &[]), None, "", 2),
            (flipper, 7, "fail", answer(1, &[0]), None, "", 0),
            (flipper, 7, "trap", Err(Error::ContractTrapped), Some(Trap::Unreachable), "", 0),
            (flipper, 7, "spin", Err(Error::OutOfGas), Some(Trap::OutOfGas), "", 0),
            (flipper, ENDOWMENT + 1, "get_", Err(Error::TransferFailed), None, "", 0),
            (BOB, 0, "get_", Err(Error::ContractNotFound(BOB)), None, "", 0),
            (mirror, 0, "talk", answer(0, &[]), None, "hello, world", 1),
        ] {
            let run = chain.ask(contract, ALICE, value, data);
            assert_eq!((run.result, run.trap.clone()), (result, trap), "{data}");
            assert_eq!((&run.debug[..], run.events.len()), (debug, events), "{data}");
            if run.trap.is_some() {
                assert_eq!(run.gas.units(), PLENTY, "a trap costs the whole limit");
            }
        }
        assert!(chain.effects() == before);
    });
}

#[test]
fn the_gas_it_asks_for_suffices() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let flipper = chain.deploy(flipper(), 0, &[1]);
        let mirror = chain.deploy(mirror(), 0, &[]);
        for (contract, data) in [(flipper, "get_"), (flipper, "flip"), (mirror, "read"), (mirror, "look")] {
            let run = chain.ask(contract, ALICE, 0, data);
            let again = |limit: Gas| chain.ask_with(contract, ALICE, 0, limit.units(), data);
            let enough = again(run.gas_required);
            assert_eq!((enough.result, enough.gas), (run.result, run.gas), "{data}");
            let short = Gas::from_units(run.gas.units() / 2);
            assert_eq!(again(short).result, Err(Error::OutOfGas), "{data}");
        }
        let limit = chain.ask(flipper, ALICE, 0, "flip").gas_required;
        chain.expect(ALICE, call(flipper, 0, limit.units(), "flip"));
    });
}

#[test]
fn the_gas_it_asks_for_suffices_however_deep() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let puppet = chain.deploy(puppet(0), 0, &[]);
        // Nearly all of the gas is used in the innermost contract: each of its callers must have kept a 64th of it.
        let work = (0..100u8).fold(Script::new(), |script, key| script.set(key, "x"));
        for calls in [1, 2, 5] {
            let script = (0..calls).fold(work.clone(), |inner, _| Script::new().call(to(puppet, &inner)));
            let run = chain.ask(puppet, ALICE, 0, script.bytes());
            let enough = chain.ask_with(puppet, ALICE, 0, run.gas_required.units(), script.bytes());
            assert_eq!((enough.result, enough.gas), (run.result, run.gas), "{calls}");
            assert!(run.gas_required.units() < run.gas.units() / 63 * (63 + 6) + 10_000_000, "{calls}");
            chain.expect(ALICE, call(puppet, 0, run.gas_required.units(), script.bytes()));
            let near = run.gas_required.units() - 1;
            let asked = chain.ask_with(puppet, ALICE, 0, near, script.bytes()).gas_required;
            assert_eq!(asked.units(), near, "{calls}: a limit that sufficed suffices");
            let without = chain.ask_with(puppet, ALICE, 0, run.gas.units() + 2_000_000, script.bytes());
            assert_ne!(without.gas, run.gas, "{calls}: no more than it uses is too little");
        }
    });
}

#[test]
fn an_instantiation_is_tried_the_same_way() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let before = chain.effects();
        let new = |code: NewCode, input: &[u8]| Instantiation {
            message: message(AUTHOR, 3, PLENTY, input),
            code,
            salt: b"s".to_vec(),
        };
        let hash = blake2_256(&flipper());
        let (run, address) = dry_instantiate(&WASMTIME, &chain.state, new(NewCode::Upload(flipper()), &[1]));
        assert_eq!(run.result, Ok(Output::default()));
        assert_eq!(address, Some(contracts::address(&AUTHOR, &hash, &[1], b"s")));
        let stored =
            contracts::Event::CodeStored { code_hash: hash, deposit_held: Money::ZERO, uploader: AUTHOR };
        assert_eq!(run.events[0].event, Event::from(stored));
        assert_eq!(run.events.len(), 3);
        let (run, _) = dry_instantiate(&WASMTIME, &chain.state, new(NewCode::Existing(hash), &[1]));
        assert_eq!(run.result, Err(Error::CodeNotFound(hash)), "the first dry run left its code");
        let (run, address) = dry_instantiate(&WASMTIME, &chain.state, new(NewCode::Upload(vec![1]), &[1]));
        assert!(matches!(run.result, Err(Error::CodeRejected(_))), "{:?}", run.result);
        assert_eq!(address, None);
        assert!(chain.effects() == before);
        chain.expect(AUTHOR, upload(flipper()));
        let (run, _) = dry_instantiate(&WASMTIME, &chain.state, new(NewCode::Existing(hash), &[]));
        assert!(run.result.unwrap().reverted());
    });
}

fn context(chain: &Chain) -> Context<'_> {
    let (now, genesis) = (Timestamp::from_ms(1), Hash::ZERO);
    let env = BlockEnv { height: Height::from_number(1), now, genesis };
    Context::new(chain.overlay(), env, &WASMTIME, &VerifySingly)
}

fn author() -> Origin {
    let binding = KeyBinding {
        entity: EntityId::from_number(1),
        scopes: scopes::OWNER,
        expires: None,
        caps: Caps::default(),
    };
    Origin::Signed { key: AUTHOR, binding: Some(binding) }
}

#[test]
fn a_call_is_a_layer_of_its_own() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let flipper = chain.deploy(flipper(), 0, &[1]);
        let mut ctx = context(&chain);
        for (message, error) in [("fail", Error::ContractReverted), ("trap", Error::ContractTrapped)] {
            let Call::Contracts(call) = call(flipper, 7, PLENTY, message) else { unreachable!() };
            assert_eq!(contracts::dispatch(&mut ctx, &author(), call), Err(error.into()), "{message}");
            assert_eq!((ctx.state.depth(), ctx.events_bytes()), (0, 0), "{message}");
            let paid = balances::account(&ctx.state, &flipper).data.free;
            assert_eq!(paid, Money::ZERO, "{message} kept the value");
            let stored = contracts::storage_at(&ctx.state, &flipper, &[0; 32]);
            assert_eq!(stored, Some(vec![1]), "{message} kept what it stored");
        }
        assert!(ctx.finish().2.is_empty(), "a payment undone is not booked");
    });
}

#[test]
fn code_that_a_market_named_stays() {
    let chain = Chain::new();
    let mut ctx = context(&chain);
    let (hash, _) = contracts::upload(&mut ctx, AUTHOR, &erc20(), None).unwrap();
    let origin = author();
    let remove = |ctx: &mut Context| {
        let call = contracts::Call::RemoveCode { code_hash: hash };
        ctx.transactional(|ctx| contracts::dispatch(ctx, &origin, call))
    };
    let in_use: Result<(), DispatchError> = Err(Error::CodeInUse { contracts: 0 }.into());

    markets::DEFAULT_SETTLEMENT.put(&mut ctx.state, &hash);
    assert_eq!(remove(&mut ctx), in_use);
    markets::DEFAULT_SETTLEMENT.put(&mut ctx.state, &Hash::ZERO);
    let descriptor = Descriptor {
        interface: INTERFACE,
        name: [0; 16],
        version: 1,
        pricing: Pricing::Uniform,
        flags_supported: 0,
        min_energy: false,
        continuous: false,
        no_residual_cross: true,
        max_orders: 1,
    };
    markets::rules::DESCRIPTORS.put(&mut ctx.state, &hash, &descriptor);
    assert_eq!(remove(&mut ctx), in_use);
    markets::rules::DESCRIPTORS.remove(&mut ctx.state, &hash);
    assert_eq!(remove(&mut ctx), Ok(()));
    assert_eq!(remove(&mut ctx), Err(Error::CodeNotFound(hash).into()));
}
