//! Signs two results for one claim, and sends the right one and the wrong one to everybody.

use super::{Attest, Conduct, honest};
use crate::body::Body;
use crate::scene::Scene;
use contract_interface::{Claim, attest_message};
use host_node::keys::Signer;
use host_node::node::Chain;
use host_storage::Snapshot;
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::attestation;
use runtime_primitives::{Hash, blake2_256};

pub const CONDUCT: Conduct = Conduct { attest: doubles, ..Conduct::LIAR };

struct Doubles {
    honest: Box<dyn Attest>,
    session: Signer,
    genesis: Hash,
}

fn doubles(scene: &'static Scene, body: &Body, chain: &Chain) -> Box<dyn Attest> {
    let (honest, session) = (honest(scene, body, chain), scene.session(body.index));
    Box::new(Doubles { honest, session, genesis: chain.genesis() })
}

impl Attest for Doubles {
    fn votes(&mut self, snapshot: &Snapshot) -> Vec<Vec<u8>> {
        let right = self.honest.votes(snapshot);
        let wrong = right.iter().map(|vote| other(vote, &self.session, &self.genesis));
        wrong.collect::<Vec<_>>().into_iter().chain(right).collect()
    }
}

/// The same vote for another result, signed as well.
fn other(vote: &[u8], session: &Signer, genesis: &Hash) -> Vec<u8> {
    let call = UncheckedExtrinsic::from_bytes(vote).unwrap().call;
    let Call::Attestation(attestation::Call::Vote { voter, claim, .. }) = call else { panic!("{call:?}") };
    let claim = Claim { result_hash: blake2_256(&claim.result_hash.0), ..claim };
    let signature = session.sign(&attest_message(genesis, &claim));
    UncheckedExtrinsic::bare(&Call::Attestation(attestation::Call::Vote { voter, claim, signature }))
}
