//! Not a liar, but a build that must never pass: it takes over what the wrong one executed, and signs the result that it
//! finds there without computing it.

use super::wrong_result_signer::without_an_order;
use super::{Attest, Conduct};
use crate::body::Body;
use crate::scene::Scene;
use contract_interface::{Stage, attest_message};
use host_node::agent::Desk;
use host_node::keys::Signer;
use host_node::node::Chain;
use host_storage::Snapshot;
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::attestation::{self, BALLOTS};
use runtime_primitives::{EntityId, Hash};
use runtime_state::Overlay;

/// It thinks itself honest.
pub const CONDUCT: Conduct = Conduct { attest: blind, executes: without_an_order, ..Conduct::HONEST };

struct Blind {
    own: EntityId,
    session: Signer,
    genesis: Hash,
}

fn blind(scene: &'static Scene, body: &Body, chain: &Chain) -> Box<dyn Attest> {
    let (own, session) = (scene.validators[body.index].1, scene.session(body.index));
    Box::new(Blind { own, session, genesis: chain.genesis() })
}

impl Attest for Blind {
    fn votes(&mut self, snapshot: &Snapshot) -> Vec<Vec<u8>> {
        let state = Overlay::new(snapshot);
        let at =
            BALLOTS.entries(&state).into_keys().filter(|(_, _, stage, _)| *stage == Stage::Authentication);
        let ballots = at.filter_map(|(market, slot, ..)| {
            let (ballot, waiting) = Desk::open(&state, (market, slot))?.ballot(Stage::Authentication)?;
            waiting.iter().any(|elector| elector.entity == self.own).then_some(ballot)
        });
        let vote = |ballot: attestation::Ballot| {
            let (voter, claim) = (self.own, ballot.claim);
            let signature = self.session.sign(&attest_message(&self.genesis, &claim));
            UncheckedExtrinsic::bare(&Call::Attestation(attestation::Call::Vote { voter, claim, signature }))
        };
        ballots.map(vote).collect()
    }
}
