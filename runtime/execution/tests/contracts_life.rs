//! The life of a contract: made by another, become another, ended; and the codes that it keeps.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

mod contracts_chain;

use contracts_chain::puppet::*;
use contracts_chain::world::*;
use contracts_chain::*;
use parity_scale_codec::Encode;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::contracts::{
    self, CONTRACT_INFO, Error, Event as ContractEvent, NONCE, STORAGE,
};
use runtime_execution::modules::sudo;
use runtime_execution::{Call, DispatchError, Event, EventRecord, Outcome};
use runtime_primitives::{AccountId, Hash, blake2_256};
use runtime_vm::Output;

/// Makes `code` and logs what its constructor answers.
fn make_asking(code: Hash, script: &Script, salt: &[u8]) -> Script {
    let input = script.bytes();
    let length = input.len() as u64;
    let what = [at(code.0), n(0u32), amount(0), at(input), n(length), n(NOWHERE), n(NOWHERE)];
    let more = [n(SCRATCH), n(CELL), at(salt), n(salt.len() as u64)];
    Script::new().room().host("seal1.instantiate", what.into_iter().chain(more)).log()
}

#[test]
fn a_contract_under_construction_is_not_there_for_others() {
    on_vm_thread(|| {
        let world = World::new();
        let fact_address = || script().room().host("seal0.address", [n(SCRATCH), n(CELL)]);
        let call_it = fact_address().host(
            "seal1.call",
            [n(REENTRY), n(SCRATCH), n(0u32), amount(0), n(0u32), n(0u32), n(NOWHERE), n(NOWHERE)],
        );
        let is_it = fact_address().host("seal0.is_contract", [n(SCRATCH)]);
        let hash = fact_address().host("seal0.code_hash", [n(SCRATCH), n(SCRATCH + 64), n(CELL)]);
        for (what, constructor, seen) in [
            ("calling itself", call_it.clone(), vec![0, 8]),
            ("calling itself from a delegate", script().delegate(*OTHER, TAIL, &call_it), vec![0, 8]),
            ("asking whether it is one", is_it, vec![0, 0]),
            ("asking for its code", hash, vec![0, 3]),
        ] {
            let played = world.play(&make_asking(*CODE, &constructor, b""));
            assert_eq!(played.answer, answered(codes(&seen)), "{what}");
        }
        let own = script().fact("seal0.own_code_hash");
        let played = world.play(&make_asking(*CODE, &own, b""));
        assert_eq!(played.answer, answered([&codes(&[0]), &CODE.0[..]].concat()), "its own it knows");
    });
}

#[test]
fn constructors_fail_alone_and_nonces_count_what_stands() {
    on_vm_thread(|| {
        let world = World::new();
        let World { a, .. } = world;
        let pays = script().transfer(BOB, 7).set(1, "x");
        let same = contracts::address(&a, &CODE, &pays.bytes(), b"s");
        let make = |script: Script, then: &Script| script.make(*CODE, 9, then, b"s");
        for (what, script, expected, gained) in [
            ("it stands", make(script(), &pays), Ok(vec![0]), [-9, 0, 0, 0, 7]),
            ("it reverts", make(script(), &pays.clone().revert(b"")), Ok(vec![2]), [0; 5]),
            ("it traps", make(script(), &pays.clone().trap()), Ok(vec![1]), [0; 5]),
            (
                "the same twice",
                make(make(script(), &pays), &pays),
                Err(Error::DuplicateContract(same)),
                [0; 5],
            ),
            (
                "it ends at once",
                make(script(), &script().terminate(BOB)),
                Err(Error::TerminatedInConstructor),
                [0; 5],
            ),
        ] {
            let played = world.play(&script);
            assert_eq!(played.answer, expected.and_then(|seen| answered(codes(&seen))), "{what}");
            assert_eq!(played.after.gained(&world), gained, "{what}");
        }
        let mut chain = world.chain.clone();
        let ends = script().terminate(BOB).bytes();
        let refused = chain.refuse(AUTHOR, instantiate(*CODE, 5, &ends, b""));
        assert_eq!(refused, Error::TerminatedInConstructor.into());

        let nonce = script().host("seal0.instantiation_nonce", []);
        let before = NONCE.get(&world.chain.overlay()).unwrap();
        let played = world.play(
            &make_asking(*CODE, &nonce, b"1")
                .make(*CODE, 0, &script().trap(), b"2")
                .make(*CODE, 0, &script().revert(b""), b"3")
                .append(make_asking(*CODE, &nonce, b"4"))
                .host("seal0.instantiation_nonce", []),
        );
        let (first, second) = (before + 1, before + 2);
        assert_eq!(played.answer, answered((0u32, first, 1u32, 2u32, 0u32, second, second).encode()));
        assert_eq!(NONCE.get(&played.after.chain.overlay()), Some(second));
    });
}

#[test]
fn a_contract_becomes_another() {
    on_vm_thread(|| {
        let world = World::new();
        let a = world.a;
        let (codes_before, echoes) = (world.users(&CODE), world.users(&ECHO));
        let hello = To { input: b"hello".to_vec(), ..to(a, &script()) };
        let change = script().set(1, "x").set_code(*ECHO).fact("seal0.own_code_hash").ask(hello).set(2, "y");
        let played = world.play(&change);
        let seen = [&codes(&[0]), &ECHO.0[..], &codes(&[0]), b"hello"].concat();
        assert_eq!(played.answer, answered(seen), "this call goes on, the next runs the new code");
        let after = &played.after;
        assert_eq!(after.stored(), [('a', 1), ('a', 2)], "what it stored stays");
        assert_eq!((after.users(&CODE), after.users(&ECHO)), (codes_before - 1, echoes + 1));
        let updated =
            ContractEvent::ContractCodeUpdated { contract: a, new_code_hash: *ECHO, old_code_hash: *CODE };
        assert_eq!(own_events(&played.events)[0], updated);
        assert_eq!(after.chain.ask(a, ALICE, 0, "anything").result, answered("anything"));

        let same = world.play(&script().set_code(*CODE));
        assert_eq!(same.answer, answered(codes(&[0])));
        assert_eq!(same.after.users(&CODE), codes_before);
        let undone = world.play(&script().call(to(a, &script().set_code(*ECHO).trap())));
        assert_eq!(undone.answer, answered(codes(&[1])));
        assert_eq!((undone.after.users(&CODE), undone.after.users(&ECHO)), (codes_before, echoes));
    });
}

fn set_code(contract: AccountId, code_hash: Hash) -> Call {
    Call::Contracts(contracts::Call::SetCode { dest: MultiAddress::Id(contract), code_hash })
}

#[test]
fn the_sudo_key_changes_a_contracts_code() {
    on_vm_thread(|| {
        let mut world = World::new();
        let a = world.a;
        let sudo = |call: Call| Call::Sudo(sudo::Call::Sudo { call: Box::new(call) });
        let result = |events: &[EventRecord]| {
            let found = of_the_call(events).into_iter().find_map(|(event, _)| match event {
                Event::Sudo(sudo::Event::Sudid { sudo_result }) => Some(sudo_result),
                _ => None,
            });
            found.unwrap()
        };
        for who in [ALICE, AUTHOR, SUDO] {
            assert_eq!(world.chain.refuse(who, set_code(a, *ECHO)), DispatchError::BadOrigin);
        }
        let before = world.chain.effects();
        let pure = blake2_256(&pure_rule());
        let rejected = runtime_vm::check(&pure_rule(), runtime_vm::Kind::Stateful).unwrap_err();
        for (contract, code, error) in [
            (BOB, *ECHO, Error::ContractNotFound(BOB)),
            (a, Hash::ZERO, Error::CodeNotFound(Hash::ZERO)),
            (a, pure, Error::CodeRejected(rejected.to_string())),
        ] {
            let events = world.chain.expect(SUDO, sudo(set_code(contract, code)));
            assert_eq!(result(&events), Err((&DispatchError::from(error)).into()));
            assert!(world.chain.effects() == before);
        }
        let (codes, echoes) = (world.users(&CODE), world.users(&ECHO));
        let events = world.chain.expect(SUDO, sudo(set_code(a, *ECHO)));
        assert_eq!(result(&events), Ok(()));
        assert_eq!((world.users(&CODE), world.users(&ECHO)), (codes - 1, echoes + 1));
        assert_eq!(world.chain.ask(a, ALICE, 0, "hello").result, answered("hello"));
    });
}

#[test]
fn a_contract_that_ends_leaves_its_money_and_nothing_else() {
    on_vm_thread(|| {
        let world = World::new();
        let World { a, b, .. } = world;
        let users = world.users(&CODE);
        let end = script().set(1, "x").transfer(BOB, 1).terminate(BOB).trap();
        let played = world.play_with(5, end.bytes());
        assert_eq!(played.answer, answered(""), "ending is returning");
        assert_eq!(played.after.gained(&world), [-100, 0, 0, -5, 105]);
        assert_eq!(played.after.users(&CODE), users - 1);
        assert!(!CONTRACT_INFO.contains(&played.after.chain.overlay(), &a));
        let mut later = played.after.chain.clone();
        assert_eq!(later.refuse(ALICE, call(a, 0, GAS, "")), Error::ContractNotFound(a).into());

        for (what, script, expected, gained) in [
            (
                "another, then nobody is there",
                script().call(to(b, &end)).call(to(b, &script())),
                answered(codes(&[0, 8])),
                [0, -100, 0, 0, 100],
            ),
            (
                "undone",
                script().call(to(b, &script().call(to(a, &end)).trap())),
                answered(codes(&[1])),
                [0; 5],
            ),
            (
                "undone further out",
                script().call(to(b, &end)).revert(b"no"),
                Ok(Output { flags: 1, data: b"no".to_vec() }),
                [0; 5],
            ),
            ("to itself", script().call(to(b, &script().terminate(b))), answered(codes(&[0])), [0; 5]),
            (
                "to who called it",
                script().call(to(b, &script().terminate(a)).value(2)),
                answered(codes(&[0])),
                [100, -100, 0, 0, 0],
            ),
            (
                "while it waits for itself",
                script().call(to(a, &script().terminate(BOB))),
                answered(codes(&[1])),
                [0; 5],
            ),
            (
                "while it waits for another",
                script().ask(to(b, &script().call(to(a, &script().terminate(BOB))))),
                answered(codes(&[0, 1])),
                [0; 5],
            ),
            (
                "by a delegate",
                script().delegate(*OTHER, 0, &script().terminate(BOB)),
                answered(codes(&[1])),
                [0; 5],
            ),
            (
                "the first version",
                script().call(to(b, &script().host("seal0.terminate", [at(BOB.0), n(7u32)]))),
                answered(codes(&[0])),
                [0, -100, 0, 0, 100],
            ),
        ] {
            let played = world.play(&script);
            assert_eq!(played.answer, expected, "{what}");
            assert_eq!(played.after.gained(&world), gained, "{what}");
        }
    });
}

#[test]
fn what_an_ended_contract_stored_goes_little_by_little() {
    on_vm_thread(|| {
        let mut world = World::new();
        let a = world.a;
        let trie = CONTRACT_INFO.get(&world.chain.overlay(), &a).unwrap().trie_id();
        let left = |chain: &Chain| {
            let prefix = &STORAGE.key(&(trie, Hash::ZERO))[..64];
            chain.state.iter().filter(|(key, _)| key.starts_with(prefix)).count()
        };
        for batch in 0..3u8 {
            let many = (0..200u8).fold(script(), |script, key| {
                let key = [batch, key];
                let what = [at(key), n(2u32), at("v"), n(1u32)];
                script.host("seal2.set_storage", what)
            });
            world.chain.expect(ALICE, call(a, 0, GAS, many.bytes()));
        }
        assert_eq!(left(&world.chain), 600);
        let made = |input: &[u8]| instantiate(*CODE, 0, input, b"a");
        let look = script().host("seal1.contains_storage", [at([0, 0]), n(2u32)]);
        // Ended and made again in one block, at the same address: it finds nothing of what there was.
        let end = script().terminate(BOB).bytes();
        let done = world.chain.block(&[(ALICE, call(a, 0, GAS, end)), (AUTHOR, made(b""))]);
        assert!(done.receipts.iter().all(|receipt| matches!(receipt.outcome, Outcome::Applied { .. })));
        assert_eq!(world.chain.ask(a, ALICE, 0, look.bytes()).result, answered(codes(&[u32::MAX])));
        world.chain.expect(ALICE, call(a, 0, GAS, script().set(1, "x").bytes()));
        assert_eq!(left(&world.chain), 600 - 2 * 256);
        for expected in [0, 0] {
            world.chain.block(&[]);
            assert_eq!(left(&world.chain), expected);
        }
        assert_eq!(world.stored(), [('a', 1)], "the new one keeps its own");
    });
}

#[test]
fn what_a_contract_made_again_was_sent_is_its_own() {
    on_vm_thread(|| {
        let mut world = World::new();
        let made = contracts::address(&world.b, &CODE, &script().bytes(), b"again");
        let before = world.chain.free(&BOB);
        let play = script()
            .make(*CODE, 9, &script(), b"again")
            .call(to(made, &script().terminate(BOB)))
            .make(*CODE, 4, &script(), b"again");
        world.chain.expect(ALICE, call(world.b, 0, GAS, play.bytes()));
        assert_eq!(world.chain.free(&BOB) - before, 9, "what the first one had");
        assert_eq!(world.chain.free(&made), 4, "what the second one was sent");
    });
}

#[test]
fn a_kept_code_stays() {
    on_vm_thread(|| {
        let mut world = World::new();
        let a = world.a;
        let one = |number: u8| {
            let text = format!(
                r#"(module (import "env" "memory" (memory 1 1)) (data (i32.const 0) "\{number:02x}")
                (func (export "call")) (func (export "deploy")))"#
            );
            wat::parse_str(text).unwrap()
        };
        let hash = |number: u8| blake2_256(&one(number));
        for number in 0..33 {
            world.chain.expect(AUTHOR, upload(one(number)));
        }
        let full = (0..32).fold(script(), |script, number| script.lock(hash(number)));
        check(
            &world,
            vec![
                ("its own", script().lock(*CODE), Err(Error::CannotAddSelfAsDelegateDependency)),
                ("none", script().lock(Hash::ZERO), Err(Error::CodeNotFound(Hash::ZERO))),
                ("twice", script().lock(hash(0)).lock(hash(0)), Err(Error::DelegateDependencyAlreadyExists)),
                ("not kept", script().unlock(hash(0)), Err(Error::DelegateDependencyNotFound)),
                (
                    "released twice",
                    script().lock(hash(0)).unlock(hash(0)).unlock(hash(0)),
                    Err(Error::DelegateDependencyNotFound),
                ),
                ("a 33rd", full.clone().lock(hash(32)), Err(Error::MaxDelegateDependenciesReached)),
                ("twice when full", full.clone().lock(hash(3)), Err(Error::DelegateDependencyAlreadyExists)),
                ("32, one of them again", full.clone().unlock(hash(3)).lock(hash(32)), Ok(vec![])),
                ("failing inside", script().call(to(world.b, &script().unlock(hash(0)))), Ok(vec![1])),
            ],
        );
        world.chain.expect(ALICE, call(a, 0, GAS, full.bytes()));
        let in_use = |contracts| DispatchError::from(Error::CodeInUse { contracts });
        assert_eq!(world.chain.refuse(AUTHOR, remove(hash(0))), in_use(1));
        world.chain.expect(ALICE, call(a, 0, GAS, script().unlock(hash(0)).bytes()));
        world.chain.expect(AUTHOR, remove(hash(0)));
        assert_eq!(world.chain.refuse(AUTHOR, remove(hash(1))), in_use(1));
        world.chain.expect(ALICE, call(a, 0, GAS, script().terminate(BOB).bytes()));
        world.chain.expect(AUTHOR, remove(hash(1)));
        assert_eq!(world.users(&hash(2)), 0);
    });
}
