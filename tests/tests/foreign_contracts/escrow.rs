//! The example in C: a buyer's money goes where buyer or seller says, once.

use crate::stage::{Emitted, NOT_UNDERSTOOD, Stage, Who, call, done, failed, message, ok};
use parity_scale_codec::Encode;
use runtime_primitives::{AccountId, Hash};

const PRICE: u128 = 700_000_000_000;
const OPEN: u8 = 0;
const RELEASED: u8 = 1;
const REFUNDED: u8 = 2;
const WRONG_CALLER: u8 = 0;
const CLOSED: u8 = 1;
const WRONG_VALUE: u8 = 2;

/// The sale between author and Bob, in a phase.
fn deal(stage: &Stage, phase: u8) -> (AccountId, AccountId, u128, u8) {
    (stage.account(Who::Author), stage.account(Who::Bob), PRICE, phase)
}

fn closed(stage: &Stage, phase: u8) -> Emitted {
    let parties = [Who::Author, Who::Bob].map(|who| Hash(stage.account(who).0));
    (parties.to_vec(), (PRICE, phase).encode())
}

fn deployed() -> Stage {
    let mut stage = Stage::new(crate::example("escrow"));
    let new = message("new", stage.account(Who::Bob));
    stage.deploy(call(Who::Author, new).with(PRICE).answers(done()));
    stage
}

#[test]
fn a_sale_without_a_price_is_refused() {
    crate::on_vm_thread(|| {
        let mut stage = Stage::new(crate::example("escrow"));
        let seller = stage.account(Who::Bob);
        stage.deploy(call(Who::Author, message("new", seller)).reverts(failed(WRONG_VALUE)));
        stage.deploy(call(Who::Author, message("new", ())).with(1).reverts(NOT_UNDERSTOOD));
        stage.deploy(call(Who::Author, message("old", seller)).with(1).reverts(NOT_UNDERSTOOD));
    });
}

#[test]
fn the_buyer_releases_the_price() {
    crate::on_vm_thread(|| {
        let mut stage = deployed();
        let (open, released) = (deal(&stage, OPEN), deal(&stage, RELEASED));
        assert_eq!(stage.stored(b"deal"), Some(open.encode()));
        let paid = closed(&stage, RELEASED);
        stage.play([
            call(Who::Alice, message("deal", ())).answers(ok(open)),
            call(Who::Bob, message("release", ())).reverts(failed(WRONG_CALLER)),
            call(Who::Alice, message("release", ())).reverts(failed(WRONG_CALLER)),
            call(Who::Alice, message("refund", ())).reverts(failed(WRONG_CALLER)),
            call(Who::Author, message("release", ())).with(1).reverts(failed(WRONG_VALUE)),
            call(Who::Author, message("release", 0_u8)).reverts(NOT_UNDERSTOOD),
            call(Who::Author, message("seize", ())).reverts(NOT_UNDERSTOOD),
            call(Who::Author, Vec::new()).reverts(NOT_UNDERSTOOD),
            call(Who::Author, message("release", ())).answers(done()).pays(Who::Bob, PRICE).emits(&paid),
            call(Who::Alice, message("deal", ())).answers(ok(released)),
            call(Who::Author, message("release", ())).reverts(failed(CLOSED)),
            call(Who::Bob, message("refund", ())).reverts(failed(CLOSED)),
        ]);
        assert_eq!(stage.stored(b"deal"), Some(released.encode()));
    });
}

#[test]
fn the_seller_gives_the_price_back() {
    crate::on_vm_thread(|| {
        let mut stage = deployed();
        let paid = closed(&stage, REFUNDED);
        stage.play([
            call(Who::Bob, message("refund", ())).answers(done()).pays(Who::Author, PRICE).emits(&paid),
            call(Who::Author, message("release", ())).reverts(failed(CLOSED)),
        ]);
        assert_eq!(stage.stored(b"deal"), Some(deal(&stage, REFUNDED).encode()));
    });
}
