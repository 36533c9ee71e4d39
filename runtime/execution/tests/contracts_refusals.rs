//! Calls that fail: one row for every reason, and nothing left behind by any.
#![allow(clippy::unwrap_used, reason = "tests")]

mod contracts_chain;

use contracts_chain::puppet::echo;
use contracts_chain::*;
use runtime_execution::modules::contracts::{self, Error};
use runtime_execution::modules::{registry, system};
use runtime_execution::{Call, DispatchError, Event, Invalid, Outcome, SubstrateError};
use runtime_primitives::{AccountId, Hash, blake2_256};

#[test]
fn a_failed_call_leaves_nothing() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let (code, pure) = (blake2_256(&flipper()), blake2_256(&pure_rule()));
        let flipper = chain.deploy(flipper(), 10, &[0]);
        let token = chain.deploy(erc20(), 0, &500u64.to_le_bytes());
        let mirror = chain.deploy(mirror(), 0, &[]);
        let garbage = b"\0asm garbage".to_vec();
        let refused =
            |code: &[u8], kind| Error::CodeRejected(runtime_vm::check(code, kind).unwrap_err().to_string());
        let stateful = runtime_vm::Kind::Stateful;
        let renaming = chain.deploy(renaming(10_200), 0, b"");
        let flood = [&b"flod"[..], &70u32.to_le_bytes()].concat();
        let (storage_deposit_limit, determinism) = (None, contracts::Determinism::Relaxed);
        let relaxed = contracts::Call::UploadCode { code: echo(), storage_deposit_limit, determinism };
        let relaxed = Call::Contracts(relaxed);
        let rows: Vec<(&str, AccountId, Call, Error)> = vec![
            ("a revert", ALICE, call(flipper, 7, PLENTY, "fail"), Error::ContractReverted),
            ("an unknown selector", ALICE, call(flipper, 7, PLENTY, "what"), Error::ContractReverted),
            ("no selector", ALICE, call(flipper, 7, PLENTY, ""), Error::ContractReverted),
            ("a trap", ALICE, call(flipper, 7, PLENTY, "trap"), Error::ContractTrapped),
            ("an endless loop", ALICE, call(flipper, 7, PLENTY, "spin"), Error::OutOfGas),
            ("too little gas to start", ALICE, call(flipper, 7, 1_000, "flip"), Error::OutOfGas),
            ("too little gas to store", ALICE, call(flipper, 7, 20_000_000, "flip"), Error::OutOfGas),
            ("no gas", ALICE, call(flipper, 7, 0, "flip"), Error::OutOfGas),
            ("a token overdraft", ALICE, call(token, 0, PLENTY, transfer(BOB, 1)), Error::ContractReverted),
            (
                "an owner's overdraft",
                AUTHOR,
                call(token, 0, PLENTY, transfer(BOB, 501)),
                Error::ContractReverted,
            ),
            ("no contract", ALICE, call(BOB, 7, PLENTY, "flip"), Error::ContractNotFound(BOB)),
            (
                "value beyond the balance",
                ALICE,
                call(flipper, ENDOWMENT + 1, PLENTY, "flip"),
                Error::TransferFailed,
            ),
            (
                "the chain's events beyond a block",
                ALICE,
                call(renaming, 0, 300_000_000_000, ""),
                Error::EventSpaceExhausted,
            ),
            ("events beyond a block", ALICE, call(mirror, 7, PLENTY, flood), Error::EventSpaceExhausted),
            ("the same again", AUTHOR, instantiate(code, 0, &[0], b""), Error::DuplicateContract(flipper)),
            ("a refusing constructor", AUTHOR, instantiate(code, 7, &[0, 0], b""), Error::ContractReverted),
            ("no code", AUTHOR, instantiate(Hash([7; 32]), 7, &[0], b""), Error::CodeNotFound(Hash([7; 32]))),
            (
                "a pure rule",
                AUTHOR,
                instantiate(pure, 7, &[0], b""),
                Error::CodeRejected("it is a rule, not a contract".into()),
            ),
            (
                "not a module",
                AUTHOR,
                instantiate_with_code(garbage.clone(), 7, &[], b""),
                refused(&garbage, stateful),
            ),
            (
                "a new pure rule",
                AUTHOR,
                instantiate_with_code(another_rule(), 0, &[], b""),
                Error::CodeRejected("it is a rule, not a contract".into()),
            ),
            ("too much code", AUTHOR, upload(vec![0; (128 << 10) + 1]), Error::CodeTooLarge),
            ("code that may differ from machine to machine", AUTHOR, relaxed, Error::Indeterministic),
            ("code in use", AUTHOR, remove(code), Error::CodeInUse { contracts: 1 }),
            ("code that is not there", AUTHOR, remove(Hash([7; 32])), Error::CodeNotFound(Hash([7; 32]))),
        ];
        for (what, who, call, error) in rows {
            let before = chain.effects();
            let done = chain.block(&[(who, call)]);
            let expected = DispatchError::Contracts(error);
            assert_eq!(
                done.receipts[0].outcome,
                Outcome::Failed { index: 1, error: expected.clone() },
                "{what}"
            );
            assert!(chain.effects() == before, "{what} left something behind");
            assert!(done.archive.is_empty(), "{what}");
            let [(Event::System(system::Event::ExtrinsicFailed { dispatch_error, .. }), _)] =
                &of_the_call(&done.events)[..]
            else {
                panic!("{what}: {:?}", done.events)
            };
            assert_eq!(*dispatch_error, SubstrateError::from(&expected), "{what}");
        }
        assert_eq!((chain.free(&flipper), chain.free(&ALICE)), (10, ENDOWMENT));
    });
}

/// A contract that takes its own code so many times over: no event of its own, one of the chain's each time.
fn renaming(times: u32) -> Vec<u8> {
    let text = format!(
        r#"(module (import "env" "memory" (memory 1 1))
        (import "seal0" "own_code_hash" (func $own (param i32 i32)))
        (import "seal0" "set_code_hash" (func $set (param i32) (result i32)))
        (data (i32.const 0) "\20") (global $left (mut i32) (i32.const {times}))
        (func (export "deploy"))
        (func (export "call")
            (call $own (i32.const 8) (i32.const 0))
            (loop $again
                (drop (call $set (i32.const 8)))
                (global.set $left (i32.sub (global.get $left) (i32.const 1)))
                (br_if $again (global.get $left)))))"#
    );
    wat::parse_str(text).unwrap()
}

fn another_rule() -> Vec<u8> {
    wat::parse_str(r#"(module (import "env" "memory" (memory 2 2)) (func (export "call")))"#).unwrap()
}

#[test]
fn who_may_do_what() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let flipper = chain.deploy(flipper(), 0, &[0]);
        let code = blake2_256(&contracts_chain::flipper());
        let needed = contract_interface::roles::AUTHOR;
        let role = |needed| {
            DispatchError::Registry(registry::Error::WrongRole {
                needed,
                has: contract_interface::roles::TRADER,
            })
        };
        let operator = contract_interface::roles::MARKET_OPERATOR;
        for (who, what, error) in [
            (ALICE, upload(erc20()), role(needed | operator)),
            (ALICE, instantiate(code, 0, &[1], b""), role(needed)),
            (ALICE, instantiate_with_code(erc20(), 0, &[0; 8], b""), role(needed)),
            (ALICE, remove(code), DispatchError::BadOrigin),
            (SUDO, call(flipper, 0, PLENTY, "flip"), DispatchError::BadOrigin),
            (SUDO, instantiate(code, 0, &[1], b""), DispatchError::BadOrigin),
            (SUDO, remove(blake2_256(&pure_rule())), DispatchError::BadOrigin),
        ] {
            let before = chain.effects();
            assert_eq!(chain.refuse(who, what.clone()), error, "{what:?}");
            assert!(chain.effects() == before);
        }
        let stranger = AccountId([77; 32]);
        let (outcome, _) = chain.apply(stranger, call(flipper, 0, PLENTY, "flip"));
        assert_eq!(outcome, Outcome::Skipped { reason: Invalid::Unregistered { signer: stranger } });
    });
}
