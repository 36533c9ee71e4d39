//! Storage deposits to the unit: who pays, who is paid, what limits them, and that no money comes or goes.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

mod contracts_chain;

use contracts_chain::puppet::*;
use contracts_chain::*;
use parity_scale_codec::Compact;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::contracts::{
    self, CODE_INFO, CONTRACT_INFO, DepositRates, Determinism, Error, Event as ContractEvent, Instantiation,
    NewCode, StorageDeposit, dry_instantiate,
};
use runtime_execution::modules::system;
use runtime_execution::{Call, Event, EventRecord, Outcome};
use runtime_primitives::{AccountId, Hash, Money, blake2_256};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const ITEM: u128 = 1_000;
const BYTE: u128 = 10;
const RATES: DepositRates = DepositRates { per_item: ITEM as u64, per_byte: BYTE as u64 };
const GAS: u64 = 20_000_000_000;
/// Bytes of a contract's record that keeps no other code.
const RECORD: u128 = 122;

static CODE: LazyLock<Hash> = LazyLock::new(|| blake2_256(&puppet(0)));
static ECHO: LazyLock<Hash> = LazyLock::new(|| blake2_256(&echo()));

/// What a code of these bytes is deposited for.
fn of_code(code: &[u8]) -> u128 {
    2 * ITEM + BYTE * (code.len() as u128 + 63)
}

/// 30 % of it, rounded up.
fn keeping(code: &[u8]) -> u128 {
    (of_code(code) * 3).div_ceil(10)
}

/// What a contract of this code is deposited for before it stores anything.
fn base(code: &[u8]) -> u128 {
    ITEM + BYTE * RECORD + keeping(code)
}

fn total(chain: &Chain) -> u128 {
    let accounts = system::ACCOUNT.entries(&chain.overlay());
    accounts.values().map(|account| account.data.free.units() + account.data.reserved.units()).sum()
}

fn reserved(chain: &Chain, who: &AccountId) -> u128 {
    chain.account(who).data.reserved.units()
}

fn free(chain: &Chain, who: &AccountId) -> i128 {
    chain.free(who).cast_signed()
}

fn charge(amount: u128) -> StorageDeposit {
    StorageDeposit::Charge(Money::from_units(amount))
}

fn refund(amount: u128) -> StorageDeposit {
    StorageDeposit::Refund(Money::from_units(amount))
}

/// The deposits that an extrinsic moved: from, to, held or released.
fn moved(events: &[EventRecord]) -> Vec<(AccountId, AccountId, i128)> {
    let signed = |amount: Money| amount.units().cast_signed();
    let moved = of_the_call(events).into_iter().filter_map(|(event, _)| match event {
        Event::Contracts(ContractEvent::StorageDepositTransferredAndHeld { from, to, amount }) => {
            Some((from, to, signed(amount)))
        }
        Event::Contracts(ContractEvent::StorageDepositTransferredAndReleased { from, to, amount }) => {
            Some((from, to, -signed(amount)))
        }
        _ => None,
    });
    moved.collect()
}

fn limited(contract: AccountId, value: u128, limit: Option<u128>, script: &Script) -> Call {
    Call::Contracts(contracts::Call::Call {
        dest: MultiAddress::Id(contract),
        value: value.into(),
        gas_limit: gas(GAS),
        storage_deposit_limit: limit.map(Compact),
        data: script.bytes(),
    })
}

fn script() -> Script {
    Script::new()
}

/// Two puppets, made by the author.
fn world() -> (Chain, AccountId, AccountId) {
    let mut chain = Chain::with_deposits(RATES);
    let [a, b] = [b"a", b"b"].map(|salt| {
        chain.expect(AUTHOR, instantiate_with_code(puppet(0), 100, &[], salt));
        contracts::address(&AUTHOR, &CODE, &[], salt)
    });
    chain.expect(AUTHOR, upload(echo()));
    (chain, a, b)
}

#[test]
fn code_is_deposited_for_by_its_uploader() {
    on_vm_thread(|| {
        let mut chain = Chain::with_deposits(RATES);
        let (all, code) = (total(&chain), echo());
        let deposit = of_code(&code);
        let upload = |limit: Option<u128>| {
            let (code, storage_deposit_limit) = (echo(), limit.map(Compact));
            let determinism = Determinism::Enforced;
            Call::Contracts(contracts::Call::UploadCode { code, storage_deposit_limit, determinism })
        };
        let before = chain.effects();
        assert_eq!(
            chain.refuse(AUTHOR, upload(Some(deposit - 1))),
            Error::StorageDepositLimitExhausted.into()
        );
        assert!(chain.effects() == before);
        let events = of_the_call(&chain.expect(AUTHOR, upload(Some(deposit))));
        let (deposit_held, code_hash) = (Money::from_units(deposit), *ECHO);
        let stored = ContractEvent::CodeStored { code_hash, deposit_held, uploader: AUTHOR };
        assert!(events.iter().any(|(event, _)| *event == stored.clone().into()), "{events:?}");
        assert_eq!((chain.free(&AUTHOR), reserved(&chain, &AUTHOR)), (ENDOWMENT - deposit, deposit));
        chain.expect(AUTHOR, upload(Some(0)));
        assert_eq!(reserved(&chain, &AUTHOR), deposit, "what is there costs nothing");
        let events = of_the_call(&chain.expect(AUTHOR, remove(*ECHO)));
        let removed =
            ContractEvent::CodeRemoved { code_hash, deposit_released: deposit_held, remover: AUTHOR };
        assert!(events.iter().any(|(event, _)| *event == removed.clone().into()), "{events:?}");
        assert_eq!((chain.free(&AUTHOR), reserved(&chain, &AUTHOR)), (ENDOWMENT, 0));
        assert_eq!(total(&chain), all);

        let mut dear = Chain::with_deposits(DepositRates { per_item: 0, per_byte: 1 << 20 });
        assert_eq!(dear.refuse(AUTHOR, upload(None)), Error::StorageDepositNotEnoughFunds.into());
    });
}

#[test]
fn a_new_contract_is_deposited_for_by_who_signed() {
    on_vm_thread(|| {
        let (mut chain, _, _) = world();
        let all = total(&chain);
        let stores = script().set(1, "12345");
        let code = puppet(0);
        let (deposit, hash) = (base(&code) + ITEM + 5 * BYTE, *CODE);
        let address = contracts::address(&AUTHOR, &hash, &stores.bytes(), b"new");
        let call = |limit: u128| {
            Call::Contracts(contracts::Call::Instantiate {
                value: 7u128.into(),
                gas_limit: gas(GAS),
                storage_deposit_limit: Some(limit.into()),
                code_hash: hash,
                data: stores.bytes(),
                salt: b"new".to_vec(),
            })
        };
        let before = chain.effects();
        assert_eq!(chain.refuse(AUTHOR, call(deposit - 1)), Error::StorageDepositLimitExhausted.into());
        assert!(chain.effects() == before);
        let message = message(AUTHOR, 7, GAS, stores.bytes());
        let new = Instantiation { message, code: NewCode::Existing(hash), salt: b"new".to_vec() };
        let (dry, _) = dry_instantiate(&WASMTIME, &chain.state, new.clone());
        assert_eq!(dry.storage_deposit, charge(deposit));
        let rich = chain.free(&AUTHOR);
        let events = chain.expect(AUTHOR, call(deposit));
        assert_eq!(moved(&events), [(AUTHOR, address, deposit.cast_signed())]);
        assert_eq!(chain.free(&AUTHOR), rich - deposit - 7);
        assert_eq!((chain.free(&address), reserved(&chain, &address)), (7, deposit));
        assert_eq!(total(&chain), all);

        // Code and contract together: the limit is for both.
        let more = puppet(9);
        let both = of_code(&more) + base(&more);
        let with_code = |limit: u128| {
            Call::Contracts(contracts::Call::InstantiateWithCode {
                value: 0u128.into(),
                gas_limit: gas(GAS),
                storage_deposit_limit: Some(limit.into()),
                code: more.clone(),
                data: vec![],
                salt: vec![],
            })
        };
        let (dry, _) = dry_instantiate(
            &WASMTIME,
            &chain.state,
            Instantiation {
                message: contracts_chain::message(AUTHOR, 0, GAS, ""),
                code: NewCode::Upload(more.clone()),
                ..new
            },
        );
        assert_eq!(dry.storage_deposit, charge(both));
        assert_eq!(chain.refuse(AUTHOR, with_code(both - 1)), Error::StorageDepositLimitExhausted.into());
        chain.expect(AUTHOR, with_code(both));
        assert_eq!(total(&chain), all);
    });
}

#[test]
fn storage_is_deposited_for_to_the_unit() {
    on_vm_thread(|| {
        let (mut chain, a, b) = world();
        let all = total(&chain);
        chain.expect(AUTHOR, upload(puppet(1)));
        let (other, other_hash) = (puppet(1), blake2_256(&puppet(1)));
        let here = |change: i128| vec![(a, change)];
        let up = |amount: u128| amount.cast_signed();
        let becomes_echo = up(keeping(&echo())) - up(keeping(&puppet(0)));
        for (what, who, script, changes) in [
            ("a value", ALICE, script().set(1, "12345"), here(1_050)),
            ("a shorter one", ALICE, script().set(1, "123"), here(-20)),
            ("a longer one", ALICE, script().set(1, "1234567890"), here(70)),
            ("as long", ALICE, script().set(1, "abcdefghij"), vec![]),
            ("an empty one", BOB, script().set(2, ""), here(1_000)),
            ("none any more", BOB, script().clear(2), here(-1_000)),
            ("nothing to remove", BOB, script().clear(2), vec![]),
            ("one that somebody else stored", BOB, script().clear(1), here(-1_100)),
            ("there and gone", ALICE, script().set(1, "1").clear(1), vec![]),
            (
                "two contracts",
                ALICE,
                script().set(1, "1").call(to(b, &script().set(1, "22"))),
                vec![(a, 1_010), (b, 1_020)],
            ),
            (
                "one for the other",
                ALICE,
                script().set(2, "333").call(to(b, &script().clear(1))),
                vec![(b, -1_020), (a, 1_030)],
            ),
            (
                "its caller goes on",
                ALICE,
                script().clear(2).call(to(b, &script().set(9, "x").trap())),
                here(-1_030),
            ),
            ("a delegate", BOB, script().delegate(other_hash, 0, &script().set(3, "4444")), here(1_040)),
            (
                "from inside itself",
                BOB,
                script().set(4, "1").call(to(b, &script().call(to(a, &script().clear(4).set(5, "22"))))),
                here(1_020),
            ),
            ("another code kept", ALICE, script().lock(other_hash), here(up(keeping(&other)))),
            ("released by another", BOB, script().unlock(other_hash), here(-up(keeping(&other)))),
            ("another code of its own", ALICE, script().set_code(*ECHO), here(becomes_echo)),
        ] {
            let input = script.bytes();
            let dry = chain.try_call(a, &message(who, 0, GAS, input.clone()));
            let (rich, held) = (free(&chain, &who), [a, b].map(|c| reserved(&chain, &c).cast_signed()));
            let events = chain.expect(who, call(a, 0, GAS, input));
            let net: i128 = changes.iter().map(|(_, change)| change).sum();
            let expected = if net < 0 { refund(net.unsigned_abs()) } else { charge(net.unsigned_abs()) };
            assert_eq!(dry.storage_deposit, expected, "{what}");
            assert_eq!(free(&chain, &who), rich - net, "{what}");
            for (contract, held) in [a, b].into_iter().zip(held) {
                let change: i128 = changes.iter().filter(|(c, _)| *c == contract).map(|(_, n)| n).sum();
                assert_eq!(reserved(&chain, &contract).cast_signed(), held + change, "{what}");
                let info = CONTRACT_INFO.get(&chain.overlay(), &contract).unwrap();
                assert_eq!(info.total_deposit().units(), reserved(&chain, &contract), "{what}");
            }
            let mut seen = moved(&events);
            let mut told: Vec<_> = changes
                .iter()
                .map(|(c, change)| if *change < 0 { (*c, who, *change) } else { (who, *c, *change) })
                .collect();
            seen.sort_unstable();
            told.sort_unstable();
            assert_eq!(seen, told, "{what}");
            assert_eq!(total(&chain), all, "{what}");
        }
    });
}

#[test]
fn refunds_come_before_charges() {
    on_vm_thread(|| {
        let (mut chain, a, b) = world();
        chain.expect(ALICE, call(a, 0, GAS, script().set(1, [0; 1_000]).bytes()));
        let swap = script().clear(1).call(to(b, &script().set(1, [0; 1_000])));
        let events = chain.expect(BOB, limited(a, 0, Some(0), &swap));
        assert_eq!(moved(&events), [(a, BOB, -11_000), (BOB, b, 11_000)]);
    });
}

#[test]
fn limits_hold_for_the_whole_and_for_a_part() {
    on_vm_thread(|| {
        let (chain, a, b) = world();
        let five = script().set(1, "12345");
        let (code, none) = (puppet(0), script());
        let inner = |limit: u128| script().call(to(b, &five).deposit(limit));
        let make = |limit: u128| script().make_within(*CODE, 0, Some(limit), 0, &none, b"");
        let base = base(&code);
        let deep = |limit: u128| script().call(to(b, &script().call(to(a, &five))).deposit(limit));
        let frees = script().set(2, "1").call(to(b, &five).deposit(1_050));
        let (exhausted, poor) = (Error::StorageDepositLimitExhausted, Error::StorageDepositNotEnoughFunds);
        for (what, value, limit, script, expected) in [
            ("just enough", 0, Some(1_050), five.clone(), Ok(())),
            ("one too little", 0, Some(1_049), five.clone(), Err(exhausted.clone())),
            ("nothing allowed, nothing needed", 0, Some(0), none.clone(), Ok(())),
            ("a limit of all there is", 0, Some(ENDOWMENT), five.clone(), Ok(())),
            ("a limit beyond it", 0, Some(ENDOWMENT + 1), none.clone(), Err(poor.clone())),
            ("a limit beyond what the value leaves", 1, Some(ENDOWMENT), none.clone(), Err(poor)),
            ("no limit, money enough", ENDOWMENT - 1_050, None, five.clone(), Ok(())),
            ("no limit, too little money", ENDOWMENT - 1_049, None, five.clone(), Err(exhausted.clone())),
            ("more in between", 0, Some(1_050), script().set(1, [0; 999]).set(1, "12345"), Ok(())),
            ("a part's limit", 0, None, inner(1_050), Ok(())),
            ("a part's limit, one too little", 0, None, inner(1_049), Err(exhausted.clone())),
            ("a part without one", 0, Some(1_050), inner(0), Ok(())),
            ("a part's limit beyond the whole's", 0, Some(1_049), inner(5_000), Err(exhausted.clone())),
            ("what runs further in counts", 0, None, deep(1_050), Ok(())),
            ("what runs further in, one too little", 0, None, deep(1_049), Err(exhausted.clone())),
            ("what its caller stored counts for the whole", 0, Some(2_060), frees.clone(), Ok(())),
            ("and not too little", 0, Some(2_059), frees, Err(exhausted.clone())),
            (
                "what its caller stores counts at its end",
                0,
                Some(1_050),
                script().set(1, "x").call(to(b, &five).deposit(1_050)).clear(1),
                Ok(()),
            ),
            ("a constructor's limit", 0, None, make(base), Ok(())),
            ("a constructor's limit, one too little", 0, None, make(base - 1), Err(exhausted)),
        ] {
            let mut chain = chain.clone();
            let before = chain.effects();
            let outcome = chain.apply(ALICE, limited(a, value, limit, &script)).0;
            match expected {
                Ok(()) => assert_eq!(outcome, Outcome::Applied { index: 1 }, "{what}"),
                Err(error) => {
                    assert_eq!(outcome, Outcome::Failed { index: 1, error: error.into() }, "{what}");
                    assert!(chain.effects() == before, "{what}");
                }
            }
        }
    });
}

#[test]
fn a_call_that_fails_moves_nothing() {
    on_vm_thread(|| {
        let (mut chain, a, b) = world();
        chain.expect(ALICE, call(a, 0, GAS, script().set(1, "12345").bytes()));
        let change = script().clear(1).set(2, "x").call(to(b, &script().set(1, "y")));
        for (what, script, deposit) in [
            ("a trap", change.clone().trap(), StorageDeposit::NONE),
            ("a revert", change.clone().revert(b"no"), StorageDeposit::NONE),
            ("an end undone", change.call(to(b, &script().terminate(BOB))).trap(), StorageDeposit::NONE),
        ] {
            let before = chain.effects();
            let dry = chain.try_call(a, &message(BOB, 3, GAS, script.bytes()));
            assert_eq!(dry.storage_deposit, deposit, "{what}");
            let (outcome, events) = chain.apply(BOB, call(a, 3, GAS, script.bytes()));
            assert!(matches!(outcome, Outcome::Failed { .. }), "{what}");
            assert!(chain.effects() == before && moved(&events).is_empty(), "{what}");
        }
    });
}

#[test]
fn an_end_refunds_everything_to_who_signed() {
    on_vm_thread(|| {
        let (mut chain, a, b) = world();
        let all = total(&chain);
        chain.expect(AUTHOR, upload(puppet(1)));
        let fill = script().set(1, "12345").lock(blake2_256(&puppet(1)));
        chain.expect(ALICE, call(a, 0, GAS, fill.bytes()));
        let (deposit, rich) = (reserved(&chain, &a), [ALICE, BOB].map(|who| chain.free(&who)));
        // What it stores and gets on the way counts as little as what it has.
        let end = script().set(2, "x").terminate(ALICE);
        let script = script().call(to(a, &end).value(3));
        let dry = chain.try_call(b, &message(BOB, 0, GAS, script.bytes()));
        assert_eq!(dry.storage_deposit, refund(deposit));
        let events = chain.expect(BOB, call(b, 0, GAS, script.bytes()));
        assert_eq!(moved(&events), [(a, BOB, -deposit.cast_signed())]);
        assert_eq!([ALICE, BOB].map(|who| chain.free(&who)), [rich[0] + 103, rich[1] + deposit]);
        assert_eq!((chain.free(&a), reserved(&chain, &a), chain.free(&b)), (0, 0, 97));
        assert_eq!(total(&chain), all);
    });
}

#[test]
fn nothing_is_asked_for_at_rates_of_nothing() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let a = chain.deploy(puppet(0), 0, &[]);
        chain.expect(AUTHOR, upload(puppet(1)));
        let work = script().set(1, "x").lock(blake2_256(&puppet(1))).make(*CODE, 0, &script(), b"");
        let call = limited(a, 0, Some(0), &work);
        let dry = chain.try_call(a, &message(ALICE, 0, GAS, work.bytes()));
        assert_eq!(dry.storage_deposit, StorageDeposit::NONE);
        let events = chain.expect(ALICE, call);
        assert!(moved(&events).is_empty());
        assert_eq!(
            system::ACCOUNT
                .entries(&chain.overlay())
                .values()
                .filter(|of| !of.data.reserved.is_zero())
                .count(),
            0
        );
        assert_eq!(CODE_INFO.get(&chain.overlay(), &CODE).unwrap().deposit, 0);
    });
}

/// The deposits and free money that there should be, kept the simplest way.
struct Model {
    stored: BTreeMap<AccountId, BTreeMap<u8, usize>>,
    free: BTreeMap<AccountId, i128>,
}

impl Model {
    fn deposit(&self, contract: &AccountId, base: u128) -> i128 {
        let values = &self.stored[contract];
        let bytes: usize = values.values().sum();
        (base + ITEM * values.len() as u128 + BYTE * bytes as u128).cast_signed()
    }

    fn all(&self, base: u128) -> i128 {
        self.stored.keys().map(|contract| self.deposit(contract, base)).sum()
    }
}

#[test]
fn a_random_walk_keeps_the_books_of_a_naive_model() {
    const SEED: u64 = 20_261_123;
    on_vm_thread(|| {
        let (mut chain, a, b) = world();
        let (all, base) = (total(&chain), base(&puppet(0)));
        let mut seed = SEED;
        let mut draw = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let people = [ALICE, BOB];
        let mut model = Model {
            stored: [(a, BTreeMap::new()), (b, BTreeMap::new())].into(),
            free: people.map(|who| (who, free(&chain, &who))).into(),
        };
        let (mut kept, mut undone, mut ended) = (0, 0, 0);
        for step in 0..120u32 {
            let who = people[draw(2) as usize];
            let contracts: Vec<_> = model.stored.keys().copied().collect();
            let mut pick = || contracts[draw(contracts.len() as u64) as usize];
            let (outer, inner) = (pick(), pick());
            let before = model.all(base);
            let mut next = model.stored.clone();
            let mut write = |script: Script, values: &mut BTreeMap<u8, usize>| {
                (0..=draw(3)).fold(script, |script, _| {
                    let (key, length) = (draw(5) as u8, draw(400) as usize);
                    if draw(3) == 0 {
                        values.remove(&key);
                        return script.clear(key);
                    }
                    values.insert(key, length);
                    script.set(key, vec![7; length])
                })
            };
            let mut work = write(script(), next.get_mut(&outer).unwrap());
            let inside = next.clone();
            let mut nested = write(script(), next.get_mut(&inner).unwrap());
            let fate = draw(10);
            match fate {
                0 | 1 => {
                    nested = nested.trap();
                    next = inside;
                }
                2 if inner != outer && contracts.len() > 2 => {
                    nested = nested.terminate(ALICE);
                    next.remove(&inner);
                }
                3 | 4 if contracts.len() < 6 => {
                    let salt = step.to_le_bytes();
                    work = work.make(*CODE, 0, &script(), &salt);
                    next.insert(contracts::address(&outer, &CODE, &[], &salt), BTreeMap::new());
                }
                _ => {}
            }
            work = work.call(to(inner, &nested));
            let fails = draw(6) == 0;
            if fails {
                work = work.trap();
            }
            // Money that an ended contract had goes to Alice: only the first two ever had any.
            let left = chain.free(&inner).cast_signed();
            let dry = chain.try_call(outer, &message(who, 0, GAS, work.bytes()));
            let (outcome, _) = chain.apply(who, call(outer, 0, GAS, work.bytes()));
            assert_eq!(
                matches!(outcome, Outcome::Failed { .. }),
                fails,
                "step {step} of seed {SEED}: {outcome:?}"
            );
            if fails {
                undone += 1;
            } else {
                if !next.contains_key(&inner) {
                    ended += 1;
                    *model.free.get_mut(&ALICE).unwrap() += left;
                }
                model.stored = next;
                kept += 1;
            }
            let net = model.all(base) - before;
            *model.free.get_mut(&who).unwrap() -= net;
            let told = if net < 0 { refund(net.unsigned_abs()) } else { charge(net.unsigned_abs()) };
            assert_eq!(dry.storage_deposit, told, "step {step} of seed {SEED}");
            for contract in model.stored.keys() {
                let held = reserved(&chain, contract).cast_signed();
                assert_eq!(held, model.deposit(contract, base), "step {step} of seed {SEED}");
            }
            for who in people {
                assert_eq!(free(&chain, &who), model.free[&who], "step {step} of seed {SEED}");
            }
            assert_eq!(total(&chain), all, "step {step} of seed {SEED}");
        }
        assert!(kept > 60 && undone > 10 && ended > 2, "{kept} {undone} {ended}: the walk tests little");
    });
}
