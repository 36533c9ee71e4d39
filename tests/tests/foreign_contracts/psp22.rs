//! The package `psp22` as its authors published it: a token whose messages are those of a trait.

use crate::stage::{Emitted, NOT_UNDERSTOOD, Stage, Step, Who, call, done, failed, message, ok};
use parity_scale_codec::Encode;
use runtime_primitives::{AccountId, Hash, blake2_256};

const SUPPLY: u128 = 1_000;
const INSUFFICIENT_BALANCE: u8 = 1;
const INSUFFICIENT_ALLOWANCE: u8 = 2;

fn transfer(from: Option<AccountId>, to: AccountId, value: u128) -> Emitted {
    let signature = blake2_256(b"Transfer(Option<AccountId>,Option<AccountId>,u128)");
    let topic = from.map_or(Hash::ZERO, |account| Hash(account.0));
    (vec![signature, topic, Hash(to.0)], (from, Some(to), value).encode())
}

fn approval(owner: AccountId, spender: AccountId, amount: u128) -> Emitted {
    let signature = blake2_256(b"Approval(AccountId,AccountId,u128)");
    (vec![signature, Hash(owner.0), Hash(spender.0)], (owner, spender, amount).encode())
}

/// A message of the trait.
fn token(by: Who, name: &str, arguments: impl Encode) -> Step {
    call(by, message(&format!("PSP22::{name}"), arguments))
}

fn metadata(name: &str) -> Step {
    call(Who::Bob, message(&format!("PSP22Metadata::{name}"), ()))
}

#[test]
#[ignore = "needs scripts/third-party-contracts"]
fn psp22_moves_tokens() {
    crate::on_vm_thread(|| {
        let mut stage = Stage::new(crate::third_party("psp22"));
        let [author, alice, bob] = [Who::Author, Who::Alice, Who::Bob].map(|who| stage.account(who));
        stage.deploy(call(Who::Author, message("new", SUPPLY)).reverts(NOT_UNDERSTOOD));
        let deploy = call(Who::Author, message("new", (SUPPLY, Some("Watt"), None::<&str>, 6_u8)));
        stage.deploy(deploy.answers(done()).emits(&transfer(None, author, SUPPLY)));
        let no_data: Vec<u8> = Vec::new();
        let has = |who, tokens: u128| token(Who::Bob, "balance_of", who).answers(ok(tokens));
        let allowed = |tokens: u128| token(Who::Bob, "allowance", (author, alice)).answers(ok(tokens));
        let send = |by, to: AccountId, tokens: u128| token(by, "transfer", (to, tokens, &no_data));
        let spend = |tokens: u128| token(Who::Alice, "transfer_from", (author, bob, tokens, &no_data));
        let change = |name, by: u128| token(Who::Author, name, (alice, by)).answers(done());
        stage.play([
            metadata("token_name").answers(ok(Some("Watt"))),
            metadata("token_symbol").answers(ok(None::<&str>)),
            metadata("token_decimals").answers(ok(6_u8)),
            token(Who::Bob, "total_supply", ()).answers(ok(SUPPLY)),
            has(author, SUPPLY),
            send(Who::Author, alice, 400).answers(done()).emits(&transfer(Some(author), alice, 400)),
            has(alice, 400),
            send(Who::Alice, bob, 401).reverts(failed(INSUFFICIENT_BALANCE)),
            send(Who::Bob, alice, 1).reverts(failed(INSUFFICIENT_BALANCE)),
            spend(1).reverts(failed(INSUFFICIENT_ALLOWANCE)),
            change("approve", 100).emits(&approval(author, alice, 100)),
            change("increase_allowance", 250).emits(&approval(author, alice, 350)),
            change("decrease_allowance", 50).emits(&approval(author, alice, 300)),
            token(Who::Author, "decrease_allowance", (alice, 301_u128))
                .reverts(failed(INSUFFICIENT_ALLOWANCE)),
            spend(200).answers(done()).emits(&approval(author, alice, 100)).emits(&transfer(
                Some(author),
                bob,
                200,
            )),
            spend(101).reverts(failed(INSUFFICIENT_ALLOWANCE)),
            send(Who::Author, bob, 400).answers(done()).emits(&transfer(Some(author), bob, 400)),
            spend(100).reverts(failed(INSUFFICIENT_BALANCE)),
            allowed(100),
            has(author, 0),
            has(bob, 600),
            call(Who::Bob, message("transfer", (alice, 1_u128, &no_data))).reverts(NOT_UNDERSTOOD),
            token(Who::Bob, "transfer", alice).reverts(NOT_UNDERSTOOD),
            send(Who::Bob, alice, 1).with(1).traps(),
            has(bob, 600),
        ]);
    });
}
