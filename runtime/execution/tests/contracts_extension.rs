//! The chain's own extension as a contract sees it: its statuses, and what it tells of the registry. What it tells of
//! markets needs a market: see the workspace's tests.
#![allow(clippy::unwrap_used, reason = "tests")]

mod contracts_chain;

use contract_interface::roles;
use contracts_chain::puppet::*;
use contracts_chain::*;
use parity_scale_codec::Encode;
use runtime_execution::modules::contracts::{EXTENSION_ID, Error, Function, Status};
use runtime_primitives::{AccountId, EntityId, MarketId, Slot};
use runtime_vm::Output;

/// Calls a function; the status and, if there is an answer, that go to the log.
fn extension(id: u32, input: &[u8], answers: bool) -> Script {
    let arguments = [n(id), at(input), n(input.len() as u64), n(SCRATCH), n(CELL)];
    let asked = Script::new().room().host("seal0.call_chain_extension", arguments);
    if answers { asked.log() } else { asked }
}

fn seen(status: u32, answer: &[u8]) -> Result<Output, Error> {
    Ok(Output { flags: 0, data: [&status.to_le_bytes(), answer].concat() })
}

#[test]
fn the_extension_answers_or_says_why_not() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let puppet = chain.deploy(puppet(0), 0, &[]);
        let author = EntityId::from_number(1);
        let stranger = AccountId([77; 32]);
        let at = (MarketId::ZERO, Slot::from_number(1));
        let none = [0u8];
        let (unknown, bad) = (Status::NotRegistered as u32, Status::BadArguments as u32);
        let mut rows = vec![
            ("a key's entity", Function::EntityOf.id(), AUTHOR.encode(), 0, Some(author).encode()),
            ("a key of nobody", Function::EntityOf.id(), stranger.encode(), 0, none.to_vec()),
            ("a contract", Function::EntityOf.id(), puppet.encode(), 0, none.to_vec()),
            ("roles", Function::Roles.id(), author.encode(), 0, Some(roles::AUTHOR).encode()),
            ("roles of nobody", Function::Roles.id(), EntityId::from_number(99).encode(), 0, none.to_vec()),
            ("no slot", Function::SlotInfo.id(), at.encode(), 0, none.to_vec()),
            ("no market", Function::MarketParams.id(), at.encode(), 0, none.to_vec()),
            ("no clearing", Function::Clearing.id(), (at.0, at.1, 0u32).encode(), 0, none.to_vec()),
            ("no bill", Function::Bill.id(), (at.0, at.1, author).encode(), 0, none.to_vec()),
            ("no function", u32::from(EXTENSION_ID) << 16 | 7, vec![], unknown, vec![]),
            ("function zero", u32::from(EXTENSION_ID) << 16, vec![], unknown, vec![]),
            ("no extension", 1, AUTHOR.encode(), unknown, vec![]),
            ("another extension", u32::MAX, AUTHOR.encode(), unknown, vec![]),
        ];
        for function in Function::ALL {
            rows.push(("no arguments", function.id(), vec![], bad, vec![]));
            rows.push(("too many arguments", function.id(), vec![0; 100], bad, vec![]));
        }
        for (what, id, input, status, answer) in rows {
            let script = extension(id, &input, status == 0);
            let run = chain.try_call(puppet, &message(ALICE, 0, PLENTY, script.bytes()));
            assert_eq!(run.result, seen(status, &answer), "{what}: {id:#x}");
            chain.expect(ALICE, call(puppet, 0, PLENTY, script.bytes()));
        }
    });
}

#[test]
fn a_read_only_call_may_ask_the_extension() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let puppet = chain.deploy(puppet(0), 0, &[]);
        let inner = extension(Function::EntityOf.id(), &BOB.encode(), true);
        let script = Script::new().ask(to(puppet, &inner).flags(READ_ONLY | REENTRY));
        let expected = [&0u32.to_le_bytes()[..], &Some(EntityId::from_number(3)).encode()].concat();
        let run = chain.try_call(puppet, &message(ALICE, 0, PLENTY, script.bytes()));
        assert_eq!(run.result, seen(0, &expected));
    });
}

#[test]
fn an_answer_that_does_not_fit_traps() {
    on_vm_thread(|| {
        let mut chain = Chain::new();
        let puppet = chain.deploy(puppet(0), 0, &[]);
        let input = AUTHOR.encode();
        let ask = |out: u64, capacity: u32, length: u64| {
            let arguments = [n(Function::EntityOf.id()), at(&input), n(length), n(out), n(CELL)];
            Script::new().put(CELL, capacity).host("seal0.call_chain_extension", arguments)
        };
        let answered = Some(EntityId::from_number(1)).encode().len();
        let size = u32::try_from(answered).unwrap();
        for (what, script, expected) in [
            ("it fits", ask(SCRATCH, size, 32), seen(0, b"")),
            ("too small", ask(SCRATCH, size - 1, 32), Err(Error::OutputBufferTooSmall)),
            ("discarded", ask(NOWHERE, 0, 32), seen(0, b"")),
            ("too much given", ask(SCRATCH, size, 16_385), Err(Error::ValueTooLarge)),
        ] {
            let run = chain.try_call(puppet, &message(ALICE, 0, PLENTY, script.bytes()));
            assert_eq!(run.result, expected, "{what}");
        }
    });
}
