//! Executes differently. One signs a result of its own under the chain's claim; the other leaves an order out of every
//! block that it executes, so that its book, its clearing and its headers are its own.

use super::{Attest, Conduct};
use crate::body::Body;
use crate::scene::Scene;
use host_node::agent::{Attestor, Desk, Journal};
use host_node::node::Chain;
use host_storage::Snapshot;
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::attestation::BALLOTS;
use runtime_execution::modules::markets;
use runtime_primitives::OrderedBlock;
use runtime_state::Overlay;
use runtime_vm::{EngineKind, Vm};

/// Signs a result of its own.
pub const SIGNS: Conduct = Conduct { attest: lies, ..Conduct::LIAR };
/// Executes other blocks than those that were ordered.
pub const EXECUTES: Conduct = Conduct { executes: without_an_order, ..Conduct::LIAR };

struct Lies {
    attestor: Attestor,
    second: Vm,
}

fn lies(scene: &'static Scene, body: &Body, chain: &Chain) -> Box<dyn Attest> {
    let journal = Journal::open(&body.folder.path().join("lies")).unwrap();
    let attestor = Attestor::lying(scene.session(body.index), chain.genesis(), journal);
    Box::new(Lies { attestor, second: Vm::new(EngineKind::Wasmi).unwrap() })
}

impl Attest for Lies {
    fn votes(&mut self, snapshot: &Snapshot) -> Vec<Vec<u8>> {
        let state = Overlay::new(snapshot);
        let mut votes = Vec::new();
        for (market, slot, ..) in BALLOTS.entries(&state).into_keys() {
            let Some(desk) = Desk::open(&state, (market, slot)) else { continue };
            votes.extend(self.attestor.attest(&desk, &self.second).unwrap().map(|(vote, _)| vote));
        }
        votes
    }
}

/// The first order of every block is not executed.
pub fn without_an_order(mut block: OrderedBlock) -> OrderedBlock {
    let is_order = |bytes: &Vec<u8>| {
        let decoded = UncheckedExtrinsic::from_bytes(bytes);
        decoded.is_ok_and(|decoded| matches!(decoded.call, Call::Markets(markets::Call::Place { .. })))
    };
    if let Some(order) = block.extrinsics.iter().position(is_order) {
        block.extrinsics.remove(order);
    }
    block
}
