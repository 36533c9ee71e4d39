//! How a validator behaves. One file a liar; the rule: a liar reaches others only by what it signs, sends and proposes.

pub mod blind_signer;
pub mod double_attester;
pub mod replayed_attestations;
pub mod wrong_result_signer;

use crate::node::Body;
use crate::scene::Scene;
use host_node::node::Chain;
use host_node::service::Attesting;
use host_storage::Snapshot;
use runtime_primitives::OrderedBlock;

/// Who votes on claims for a validator.
pub trait Attest: Send {
    /// Its votes on what is open on a block that is durable.
    fn votes(&mut self, snapshot: &Snapshot) -> Vec<Vec<u8>>;
}

impl Attest for Attesting {
    fn votes(&mut self, snapshot: &Snapshot) -> Vec<Vec<u8>> {
        Self::votes(self, snapshot)
    }
}

/// How a validator behaves.
#[derive(Clone, Copy)]
pub struct Conduct {
    /// Whether the chain may count on it.
    pub is_honest: bool,
    /// Who votes for it, from one start to the next crash.
    pub attest: fn(&'static Scene, &Body, &Chain) -> Box<dyn Attest>,
    /// The block that it executes in place of the one that was ordered.
    pub executes: fn(OrderedBlock) -> OrderedBlock,
}

impl Conduct {
    /// Executes what was ordered and signs what its second engine computed.
    pub const HONEST: Self = Self { is_honest: true, attest: honest, executes: |block| block };
}

fn honest(scene: &'static Scene, body: &Body, chain: &Chain) -> Box<dyn Attest> {
    Box::new(Attesting::new(chain, vec![scene.session(body.index)], body.folder.path()).unwrap())
}
