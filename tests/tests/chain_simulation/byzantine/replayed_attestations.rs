//! Keeps every vote that it sees and sends it again: as it was, under its own name, for the next slot and as the other
//! stage's.

use super::{Attest, Conduct, honest};
use crate::body::Body;
use crate::scene::Scene;
use contract_interface::{Claim, Stage};
use host_node::node::Chain;
use host_storage::Snapshot;
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::attestation;
use runtime_primitives::{EntityId, Height, Slot};

pub const CONDUCT: Conduct = Conduct { attest: replays, ..Conduct::LIAR };

struct Replays {
    honest: Box<dyn Attest>,
    own: EntityId,
    seen: Height,
    kept: Vec<Vec<u8>>,
}

fn replays(scene: &'static Scene, body: &Body, chain: &Chain) -> Box<dyn Attest> {
    let (honest, own) = (honest(scene, body, chain), scene.validators[body.index].1);
    Box::new(Replays { honest, own, seen: chain.snapshot().height(), kept: Vec::new() })
}

impl Attest for Replays {
    fn votes(&mut self, snapshot: &Snapshot) -> Vec<Vec<u8>> {
        let votes = self.honest.votes(snapshot);
        let mut again = Vec::new();
        while self.seen < snapshot.height() {
            self.seen = self.seen.next();
            let block = snapshot.block(self.seen).unwrap().unwrap();
            for bytes in block.extrinsics {
                if !self.kept.contains(&bytes) {
                    let forged = forged(&bytes, self.own);
                    again.extend(forged.iter().cloned());
                    if !forged.is_empty() {
                        self.kept.push(bytes);
                    }
                    self.kept.extend(forged);
                }
            }
            // What was counted in one slot comes again with every block.
            again.extend(self.kept.first().cloned());
        }
        again.into_iter().chain(votes).collect()
    }
}

/// What can be made of a vote without its voter's key; nothing of other extrinsics.
fn forged(bytes: &[u8], own: EntityId) -> Vec<Vec<u8>> {
    let Ok(UncheckedExtrinsic { call, .. }) = UncheckedExtrinsic::from_bytes(bytes) else {
        return Vec::new();
    };
    let Call::Attestation(attestation::Call::Vote { voter, claim, signature }) = call else {
        return Vec::new();
    };
    if claim.stage != Stage::Authentication {
        return Vec::new();
    }
    let next = Claim { slot: Slot::from_number(claim.slot.number() + 1), ..claim };
    let stage = Claim { stage: Stage::Certification, ..claim };
    let votes = [(voter, claim), (own, claim), (voter, next), (voter, stage)];
    let vote = |(voter, claim)| {
        UncheckedExtrinsic::bare(&Call::Attestation(attestation::Call::Vote { voter, claim, signature }))
    };
    votes.map(vote).to_vec()
}
