//! The example in AssemblyScript: what nobody has may be claimed, what somebody has is theirs to give.

use crate::stage::{Emitted, NOT_UNDERSTOOD, Stage, Who, call, done, failed, message, ok};
use parity_scale_codec::Encode;
use runtime_primitives::{AccountId, Hash};

const ID: [u8; 32] = [0xc1; 32];
const OTHER: [u8; 32] = [0xc2; 32];
const TAKEN: u8 = 0;
const NOT_THE_OWNER: u8 = 1;
const WRONG_VALUE: u8 = 2;

fn changed_hands(id: [u8; 32], from: Option<AccountId>, to: AccountId) -> Emitted {
    (vec![Hash(id), Hash(to.0)], from.encode())
}

#[test]
fn a_connection_is_claimed_once_and_given_by_its_owner() {
    crate::on_vm_thread(|| {
        let mut stage = Stage::new(crate::example("registry"));
        stage.deploy(call(Who::Author, message("new", 0_u8)).reverts(NOT_UNDERSTOOD));
        stage.deploy(call(Who::Author, message("new", ())).with(1).reverts(failed(WRONG_VALUE)));
        stage.deploy(call(Who::Author, message("new", ())).answers(done()));
        let [alice, bob] = [Who::Alice, Who::Bob].map(|who| stage.account(who));
        let (claim, owner) = (message("claim", ID), message("owner_of", ID));
        let give = |to: AccountId| message("give", (ID, to));
        stage.play([
            call(Who::Bob, owner.clone()).answers(ok(None::<AccountId>)),
            call(Who::Alice, give(bob)).reverts(failed(NOT_THE_OWNER)),
            call(Who::Alice, claim.clone()).with(1).reverts(failed(WRONG_VALUE)),
            call(Who::Alice, claim.clone()).answers(done()).emits(&changed_hands(ID, None, alice)),
            call(Who::Bob, owner.clone()).answers(ok(Some(alice))),
            call(Who::Bob, message("owner_of", OTHER)).answers(ok(None::<AccountId>)),
            call(Who::Bob, claim.clone()).reverts(failed(TAKEN)),
            call(Who::Alice, claim).reverts(failed(TAKEN)),
            call(Who::Bob, give(bob)).reverts(failed(NOT_THE_OWNER)),
            call(Who::Alice, give(bob)).answers(done()).emits(&changed_hands(ID, Some(alice), bob)),
            call(Who::Alice, owner).answers(ok(Some(bob))),
            call(Who::Alice, give(alice)).reverts(failed(NOT_THE_OWNER)),
            call(Who::Alice, message("claim", ())).reverts(NOT_UNDERSTOOD),
            call(Who::Alice, message("seize", ID)).reverts(NOT_UNDERSTOOD),
        ]);
        assert_eq!((stage.stored(&ID), stage.stored(&OTHER)), (Some(bob.0.to_vec()), None));
    });
}
