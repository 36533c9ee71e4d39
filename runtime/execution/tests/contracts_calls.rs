//! Stateful contracts on a chain: what stands after a call, what is undone, and what clients see of it.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

mod contracts_chain;

use contract_interface::TransferRecord;
use contracts_chain::*;
use parity_scale_codec::{Decode, Encode};
use runtime_execution::archive::tables;
use runtime_execution::modules::balances;
use runtime_execution::modules::contracts::{
    self, CODE_INFO, CONTRACT_INFO, Caller, Error, Event as ContractEvent, PRISTINE_CODE, storage_at,
};
use runtime_execution::{Event, Invalid, Outcome};
use runtime_primitives::{AccountId, Gas, Hash, Money, blake2_256};
use std::collections::BTreeMap;

fn balance_of(chain: &Chain, token: AccountId, who: AccountId) -> u64 {
    let answer = chain.ask(token, ALICE, 0, [b"bala", &who.0[..]].concat()).result.unwrap();
    u64::decode(&mut &answer.data[..]).unwrap()
}

fn flipped(chain: &Chain, flipper: AccountId) -> Option<Vec<u8>> {
    storage_at(&chain.overlay(), &flipper, &[0; 32])
}

fn money_moved(from: AccountId, to: AccountId, amount: u128) -> Event {
    balances::Event::Transfer { from, to, amount: Money::from_units(amount) }.into()
}

#[test]
fn storage_survives_blocks() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let flipper = chain.deploy(flipper(), 0, &[0]);
        assert_eq!(flipped(&chain, flipper), Some(vec![0]));
        for expected in [1, 0, 1] {
            chain.block(&[]);
            chain.expect(ALICE, call(flipper, 0, PLENTY, "flip"));
            assert_eq!(flipped(&chain, flipper), Some(vec![expected]));
            assert_eq!(chain.ask(flipper, BOB, 0, "get_").result.unwrap().data, [expected]);
        }
        let done = chain.block(&[
            (ALICE, call(flipper, 0, PLENTY, "flip")),
            (BOB, call(flipper, 0, PLENTY, "flip")),
            (ALICE, call(flipper, 0, PLENTY, "flip")),
        ]);
        assert!(done.receipts.iter().all(|receipt| matches!(receipt.outcome, Outcome::Applied { .. })));
        assert_eq!(flipped(&chain, flipper), Some(vec![0]), "three flips in one block");
        let info = CONTRACT_INFO.get(&chain.overlay(), &flipper).unwrap();
        assert_eq!((info.storage_items, info.storage_bytes), (1, 1));
        assert_eq!(info.trie_id, blake2_256(&(flipper, 1u64).encode()).0, "the chain's first contract");
    });
}

#[test]
fn value_arrives_with_the_call_and_is_booked() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let mirror = chain.deploy(mirror(), 50, &[]);
        assert_eq!((chain.free(&mirror), chain.free(&AUTHOR)), (50, ENDOWMENT - 50));
        let send = |amount: u128| [b"send", &BOB.0[..], &amount.to_le_bytes()].concat();
        let done = chain.block(&[(ALICE, call(mirror, 5, PLENTY, send(55)))]);
        let names = [(ALICE, mirror, 5), (mirror, BOB, 55)];
        let events = of_the_call(&done.events);
        let caller = Caller::Signed(ALICE);
        let expected = [
            money_moved(ALICE, mirror, 5),
            money_moved(mirror, BOB, 55),
            ContractEvent::Called { caller, contract: mirror }.into(),
        ];
        assert!(events.iter().map(|(event, _)| event).take(3).eq(&expected), "{events:?}");
        let extrinsic = done.receipts[0].extrinsic;
        let rows = done.archive.iter().filter(|row| row.table == tables::LEDGER);
        let booked: Vec<_> = rows.map(|row| TransferRecord::decode(&mut &row.value[..]).unwrap()).collect();
        let moved = booked.iter().map(|record| (record.payer, record.payee, record.amount.units()));
        assert!(moved.eq(names), "{booked:?}");
        assert!(booked.iter().all(|record| record.authorised_by == extrinsic));
        assert_eq!((chain.free(&mirror), chain.free(&BOB)), (0, ENDOWMENT + 55));
        // A payment that fails is the contract's to handle: the call goes on, and its value stays.
        chain.expect(ALICE, call(mirror, 3, PLENTY, send(4)));
        assert_eq!((chain.free(&mirror), chain.free(&BOB)), (3, ENDOWMENT + 55));
        assert_eq!(chain.ask(mirror, ALICE, 0, send(4)).result.unwrap().data, 5u32.encode());
        assert_eq!(chain.ask(mirror, ALICE, 0, send(3)).result.unwrap().data, 0u32.encode());
    });
}

#[test]
fn a_contract_sees_its_call() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let mirror = chain.deploy(mirror(), 50, &[]);
        let seen = chain.ask(mirror, ALICE, 7, "look").result.unwrap().data;
        let (now, height) = (chain.now().ms(), chain.height());
        assert_eq!(seen, (ALICE, mirror, 7u128, 57u128, 1u128, now, height).encode());
    });
}

#[test]
fn events_carry_topics_and_come_in_order() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let supply = 1_000u64.to_le_bytes();
        let token = contracts::address(&AUTHOR, &blake2_256(&erc20()), &supply, b"s");
        let made = of_the_call(&chain.expect(AUTHOR, instantiate_with_code(erc20(), 2, &supply, b"s")));
        let moved = of_the_call(&chain.expect(AUTHOR, call(token, 0, PLENTY, transfer(BOB, 30))));
        let none = Vec::new;
        let (deployer, uploader, code_hash) = (AUTHOR, AUTHOR, blake2_256(&erc20()));
        let emitted = |amount: u64| {
            Event::from(ContractEvent::ContractEmitted {
                contract: token,
                data: amount.to_le_bytes().to_vec(),
            })
        };
        let deposit_held = Money::ZERO;
        let expected = [
            (ContractEvent::CodeStored { code_hash, deposit_held, uploader }.into(), none()),
            (money_moved(AUTHOR, token, 2), none()),
            (emitted(1_000), vec![Hash::ZERO, Hash(AUTHOR.0)]),
            (ContractEvent::Instantiated { deployer, contract: token }.into(), none()),
        ];
        assert_eq!(made[..4], expected);
        assert_eq!(made.len(), 5);
        let expected = [
            (emitted(30), vec![Hash(AUTHOR.0), Hash(BOB.0)]),
            (ContractEvent::Called { caller: Caller::Signed(AUTHOR), contract: token }.into(), none()),
        ];
        assert_eq!(moved[..2], expected);
        assert_eq!(moved.len(), 3);
    });
}

#[test]
fn a_token_keeps_the_books_of_a_plain_map() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let token = chain.deploy(erc20(), 0, &1_000u64.to_le_bytes());
        let people = [AUTHOR, ALICE, BOB];
        let mut books = BTreeMap::from([(AUTHOR, 1_000u64), (ALICE, 0), (BOB, 0)]);
        let mut seed = 20_260_101u64;
        let mut draw = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let mut refused = 0;
        for _ in 0..12 {
            let mut pick = |_| (people[draw(3) as usize], people[draw(3) as usize], draw(700));
            let wishes: Vec<_> = (0..10).map(&mut pick).collect();
            let calls: Vec<_> = wishes
                .iter()
                .map(|(from, to, amount)| (*from, call(token, 0, PLENTY, transfer(*to, *amount))))
                .collect();
            let done = chain.block(&calls);
            for ((from, to, amount), receipt) in wishes.into_iter().zip(done.receipts) {
                let covered = books[&from] >= amount;
                assert_eq!(
                    matches!(receipt.outcome, Outcome::Applied { .. }),
                    covered,
                    "{from} {to} {amount}"
                );
                if covered {
                    *books.get_mut(&from).unwrap() -= amount;
                    *books.get_mut(&to).unwrap() += amount;
                } else {
                    refused += 1;
                }
            }
            for who in people {
                assert_eq!(balance_of(&chain, token, who), books[&who]);
            }
        }
        assert!((10..110).contains(&refused), "{refused} of 120 refused: the draw tests nothing");
    });
}

#[test]
fn code_is_shared_counted_and_removed() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let (code, hash) = (flipper(), blake2_256(&flipper()));
        let users =
            |chain: &Chain| CODE_INFO.get(&chain.overlay(), &hash).map(|info| (info.owner, info.refcount));
        chain.expect(AUTHOR, upload(code.clone()));
        assert_eq!(users(&chain), Some((AUTHOR, 0)));
        let events = of_the_call(&chain.expect(AUTHOR, remove(hash)));
        let removed =
            ContractEvent::CodeRemoved { code_hash: hash, deposit_released: Money::ZERO, remover: AUTHOR };
        assert_eq!(events[0].0, removed.into());
        assert_eq!(users(&chain), None);
        assert!(!PRISTINE_CODE.contains(&chain.overlay(), &hash));
        assert_eq!(chain.refuse(AUTHOR, instantiate(hash, 0, &[0], b"")), Error::CodeNotFound(hash).into());

        chain.expect(AUTHOR, instantiate_with_code(code.clone(), 0, &[0], b"one"));
        chain.expect(AUTHOR, instantiate_with_code(code, 0, &[1], b"two"));
        chain.expect(AUTHOR, instantiate(hash, 0, &[0], b"three"));
        assert_eq!(users(&chain), Some((AUTHOR, 3)));
        for (input, salt) in [(0u8, &b"one"[..]), (1, b"two"), (0, b"three")] {
            let contract = contracts::address(&AUTHOR, &hash, &[input], salt);
            assert_eq!(flipped(&chain, contract), Some(vec![input]), "each contract has its own storage");
        }
        assert_eq!(chain.refuse(AUTHOR, remove(hash)), Error::CodeInUse { contracts: 3 }.into());
    });
}

#[test]
fn the_declared_gas_is_the_limit_and_the_book_keeping() {
    on_vm_thread(|| {
        let (base, byte, making) = (50_000_000, 100_000, 100_000_000);
        let code = flipper();
        let size = code.len() as u64;
        for (what, own) in [
            (call(BOB, 0, PLENTY, "x"), base + PLENTY),
            (instantiate(Hash::ZERO, 0, b"", b""), base + making + PLENTY),
            (instantiate_with_code(code.clone(), 0, b"", b""), base + making + byte * size + PLENTY),
            (upload(code.clone()), base + byte * size),
            (remove(Hash::ZERO), base),
            (call(BOB, 0, u64::MAX, "x"), u64::MAX),
        ] {
            assert_eq!(what.gas(), Gas::from_units(own));
        }
        let mut chain = Chain::new();
        let limit = Gas::from_units(runtime_primitives::limits::BLOCK_GAS_MAX);
        let (outcome, _) = chain.apply(ALICE, call(BOB, 0, limit.units(), "x"));
        let declared = limit.saturating_add(Gas::from_units(base));
        assert_eq!(outcome, Outcome::Skipped { reason: Invalid::TooMuchGas { declared, limit } });
    });
}
