//! ink!'s own flipper: a bit, its getter, and a language that answers what it cannot read.

use crate::stage::{NOT_UNDERSTOOD, Stage, Who, call, done, message, ok};

#[test]
#[ignore = "needs scripts/third-party-contracts"]
fn the_flipper_of_ink_flips() {
    crate::on_vm_thread(|| {
        let mut stage = Stage::new(crate::third_party("flipper"));
        stage.deploy(call(Who::Author, message("new", 2_u8)).reverts(NOT_UNDERSTOOD));
        stage.deploy(call(Who::Author, message("old", true)).reverts(NOT_UNDERSTOOD));
        stage.deploy(call(Who::Author, message("new", true)).with(1).traps());
        stage.deploy(call(Who::Author, message("new", true)).answers(done()));
        let (get, flip) = (message("get", ()), message("flip", ()));
        stage.play([
            call(Who::Alice, get.clone()).answers(ok(true)),
            call(Who::Alice, flip.clone()).answers(ok(())),
            call(Who::Bob, get.clone()).answers(ok(false)),
            call(Who::Bob, flip.clone()).answers(ok(())),
            call(Who::Bob, get.clone()).answers(ok(true)),
            call(Who::Bob, flip).with(1).traps(),
            call(Who::Bob, message("flop", ())).reverts(NOT_UNDERSTOOD),
            call(Who::Bob, Vec::new()).reverts(NOT_UNDERSTOOD),
            call(Who::Bob, get).answers(ok(true)),
        ]);
    });
}
