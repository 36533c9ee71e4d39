//! How a validator behaves. One file a liar; the rule: a liar reaches others only by what it signs, sends and proposes.

pub mod blind_signer;
pub mod checkpoint_forger;
pub mod double_attester;
pub mod replayed_attestations;
pub mod wrong_result_signer;

use crate::body::Body;
use crate::broken::Flaw;
use crate::scene::Scene;
use host_node::node::Chain;
use host_node::service::Attesting;
use host_storage::Snapshot;
use runtime_primitives::OrderedBlock;
use std::fmt;

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

/// What a validator tells of checkpoints.
pub type Words = Vec<Vec<u8>>;

/// How a validator behaves.
#[derive(Clone, Copy)]
pub struct Conduct {
    /// Whether the chain may count on it.
    pub is_honest: bool,
    /// Who votes for it, from one start to the next crash.
    pub attest: fn(&'static Scene, &Body, &Chain) -> Box<dyn Attest>,
    /// The block that it executes in place of the one that was ordered.
    pub executes: fn(OrderedBlock) -> OrderedBlock,
    /// What it tells of checkpoints in place of its own words.
    pub words: fn(&'static Scene, &Body, Words) -> Words,
    /// What is broken in its build.
    pub flaw: Option<Flaw>,
}

impl fmt::Debug for Conduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_honest, flaw, .. } = self;
        f.debug_struct("Conduct").field("is_honest", is_honest).field("flaw", flaw).finish_non_exhaustive()
    }
}

impl Conduct {
    /// Executes what was ordered and signs what its second engine computed.
    pub const HONEST: Self = Self {
        is_honest: true,
        attest: honest,
        executes: |block| block,
        words: |_, _, words| words,
        flaw: None,
    };
    /// The same, but nobody counts on it: a liar says in what it differs.
    const LIAR: Self = Self { is_honest: false, ..Self::HONEST };
}

/// Every liar.
pub const LIARS: [(&str, Conduct); 5] = [
    ("double attester", double_attester::CONDUCT),
    ("wrong result signer", wrong_result_signer::SIGNS),
    ("wrong executor", wrong_result_signer::EXECUTES),
    ("replayed attestations", replayed_attestations::CONDUCT),
    ("checkpoint forger", checkpoint_forger::CONDUCT),
];

fn honest(scene: &'static Scene, body: &Body, chain: &Chain) -> Box<dyn Attest> {
    Box::new(Attesting::new(chain, vec![scene.session(body.index)], body.folder.path()).unwrap())
}
