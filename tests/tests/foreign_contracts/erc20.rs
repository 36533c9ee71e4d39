//! A token in ink!: the messages, errors and events of its example `erc20`.

use crate::stage::{Emitted, NOT_UNDERSTOOD, Stage, Who, call, done, failed, message, ok};
use parity_scale_codec::Encode;
use runtime_primitives::{AccountId, Hash, blake2_256};

const SUPPLY: u128 = 1_000;
const INSUFFICIENT_BALANCE: u8 = 0;
const INSUFFICIENT_ALLOWANCE: u8 = 1;

/// ink! leads with the hash of the event's signature; a party that is none is a topic of zeros.
fn transfer(from: Option<AccountId>, to: AccountId, value: u128) -> Emitted {
    let signature = blake2_256(b"Transfer(Option<AccountId>,Option<AccountId>,Balance)");
    let topic = from.map_or(Hash::ZERO, |account| Hash(account.0));
    (vec![signature, topic, Hash(to.0)], (from, Some(to), value).encode())
}

fn approval(owner: AccountId, spender: AccountId, value: u128) -> Emitted {
    let signature = blake2_256(b"Approval(AccountId,AccountId,Balance)");
    (vec![signature, Hash(owner.0), Hash(spender.0)], (owner, spender, value).encode())
}

#[test]
#[ignore = "needs scripts/third-party-contracts"]
fn an_erc20_in_ink_moves_tokens() {
    crate::on_vm_thread(|| {
        let mut stage = Stage::new(crate::third_party("erc20"));
        let [author, alice, bob] = [Who::Author, Who::Alice, Who::Bob].map(|who| stage.account(who));
        let new = call(Who::Author, message("new", SUPPLY)).answers(done());
        stage.deploy(new.emits(&transfer(None, author, SUPPLY)));
        let has = |who, tokens: u128| call(Who::Bob, message("balance_of", who)).answers(ok(tokens));
        let send = |by, to: AccountId, tokens: u128| call(by, message("transfer", (to, tokens)));
        let spend = |tokens: u128| call(Who::Alice, message("transfer_from", (author, bob, tokens)));
        let approve = call(Who::Author, message("approve", (alice, 300_u128)));
        let allowed =
            |tokens: u128| call(Who::Bob, message("allowance", (author, alice))).answers(ok(tokens));
        stage.play([
            call(Who::Bob, message("total_supply", ())).answers(ok(SUPPLY)),
            has(author, SUPPLY),
            has(alice, 0),
            send(Who::Author, alice, 400).answers(done()).emits(&transfer(Some(author), alice, 400)),
            has(author, 600),
            has(alice, 400),
            send(Who::Alice, bob, 401).reverts(failed(INSUFFICIENT_BALANCE)),
            send(Who::Bob, alice, 1).reverts(failed(INSUFFICIENT_BALANCE)),
            spend(1).reverts(failed(INSUFFICIENT_ALLOWANCE)),
            approve.answers(done()).emits(&approval(author, alice, 300)),
            allowed(300),
            spend(200).answers(done()).emits(&transfer(Some(author), bob, 200)),
            spend(101).reverts(failed(INSUFFICIENT_ALLOWANCE)),
            allowed(100),
            send(Who::Author, bob, 400).answers(done()).emits(&transfer(Some(author), bob, 400)),
            spend(100).reverts(failed(INSUFFICIENT_BALANCE)),
            allowed(100),
            has(author, 0),
            has(bob, 600),
            call(Who::Bob, message("mint", 1_u128)).reverts(NOT_UNDERSTOOD),
            call(Who::Bob, message("balance_of", 1_u8)).reverts(NOT_UNDERSTOOD),
            send(Who::Bob, alice, 1).with(1).traps(),
            has(bob, 600),
        ]);
    });
}
