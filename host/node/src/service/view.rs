//! The node as RPC sees it: the last durable block, and the pool's door.

use crate::checkpoint::Keeper;
use crate::keys::{KeyError, Ss58};
use crate::node::{Chain, PoolError};
use host_consensus::Application as _;
use host_consensus::network::{Counters, NetworkCounts, PROTOCOL};
use host_rpc::{Heads, NetworkStatus, NodeStatus, NodeView, Refusal};
use host_storage::{CERTIFICATES_PER_PAGE_MAX, Snapshot};
use runtime_execution::Invalid;
use runtime_execution::api::{self, ApiError, Environment};
use runtime_execution::modules::registry::validators;
use runtime_execution::modules::timestamp;
use runtime_primitives::{AccountId, Hash, Timestamp};
use runtime_state::{Backend, Overlay};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Told of each extrinsic that was taken in.
pub type Submitted = dyn Fn(&[u8]) + Send + Sync;

/// What clients may see and do.
#[derive(Clone)]
pub struct View {
    name: Arc<str>,
    chain: Arc<Chain>,
    role: Role,
    checkpoints: Arc<Keeper>,
    submitted: Arc<Submitted>,
    published: Arc<RwLock<Snapshot>>,
    heads: Arc<Heads>,
}

/// What a node does on its chain.
#[derive(Clone, Debug)]
pub struct Role {
    /// Whether it orders with others.
    pub is_networked: bool,
    /// Whether it orders in its own name.
    pub is_voter: bool,
    /// Session keys that it attests with.
    pub sessions: Vec<AccountId>,
    /// What it has seen of its network.
    pub network: Arc<Counters>,
}

impl View {
    /// A view of `chain`, called `name`, whose best block is durable; `submitted` is told of what it takes in.
    pub fn new(
        name: &str,
        chain: Arc<Chain>,
        role: Role,
        checkpoints: Arc<Keeper>,
        submitted: Arc<Submitted>,
    ) -> Self {
        let snapshot = chain.snapshot();
        let heads = Arc::new(Heads::new(snapshot.height()));
        let published = Arc::new(RwLock::new(snapshot));
        Self { name: name.into(), chain, role, checkpoints, submitted, published, heads }
    }

    /// The last durable block.
    pub fn published(&self) -> Snapshot {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Show the best block, which is durable now.
    pub fn publish(&self) {
        let snapshot = self.chain.snapshot();
        let height = snapshot.height();
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        self.heads.ring(height);
    }
}

/// As Substrate's nodes sort them.
fn refusal(reason: &PoolError) -> Refusal {
    let rule = reason.to_string();
    match reason {
        PoolError::Invalid(Invalid::Undecodable) => Refusal::Format(rule),
        PoolError::Invalid(Invalid::NotSigned) => Refusal::Unknown(rule),
        PoolError::Invalid(_) => Refusal::Invalid(rule),
        PoolError::Known(_) | PoolError::Duplicate { .. } => Refusal::Known(rule),
        PoolError::NonceTaken { .. } => Refusal::Priority(rule),
        PoolError::SignerFull { .. } | PoolError::TooFarAhead { .. } | PoolError::Full => {
            Refusal::Dropped(rule)
        }
    }
}

fn network_status(counters: &Counters) -> NetworkStatus {
    let NetworkCounts { known, connected, shut_out, behind, refused, malformed, slowed } = counters.counts();
    let owned = |counts: BTreeMap<&str, u64>| {
        counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
    };
    NetworkStatus {
        protocol: PROTOCOL.to_owned(),
        known,
        connected,
        shut_out,
        behind,
        refused: owned(refused),
        malformed: owned(malformed),
        slowed: owned(slowed),
    }
}

impl NodeView for View {
    fn snapshot(&self) -> Snapshot {
        self.published()
    }

    fn heads(&self) -> &Heads {
        &self.heads
    }

    fn call(&self, state: &dyn Backend, block: Hash, name: &str, input: &[u8]) -> Result<Vec<u8>, ApiError> {
        let environment = Environment { vm: self.chain.vm(), state, block, genesis: self.chain.genesis() };
        api::call(&environment, name, input)
    }

    fn waits(&self, extrinsic: &Hash) -> bool {
        self.chain.waits(extrinsic)
    }

    fn pending(&self, bytes: usize) -> Vec<Vec<u8>> {
        self.chain.pending(bytes)
    }

    fn submit(&self, extrinsic: Vec<u8>) -> Result<Hash, Refusal> {
        let answer = self.chain.submit(vec![extrinsic.clone()]).pop().expect("one answer each");
        if answer.is_ok() {
            (self.submitted)(&extrinsic);
        }
        answer.map_err(|reason| refusal(&reason))
    }

    fn next_nonce(&self, address: &str) -> Result<u32, String> {
        let address: Ss58 = address.parse().map_err(|error: KeyError| error.to_string())?;
        Ok(self.chain.next_nonce(&address.account))
    }

    fn certificates(&self, after: u64) -> Result<Vec<Vec<u8>>, String> {
        self.checkpoints.after(after, CERTIFICATES_PER_PAGE_MAX).map_err(|reason| reason.to_string())
    }

    fn status(&self) -> NodeStatus {
        let (snapshot, done, found) =
            (self.published(), self.chain.statistics(), self.chain.health().findings());
        let state = Overlay::new(&snapshot);
        let epoch = snapshot.height().next().number() / self.chain.epoch_blocks();
        let committee = if self.role.is_networked { self.chain.committee(epoch) } else { None };
        let silent = if self.role.is_voter { self.chain.silent_until() } else { None };
        let set = validators::current(&state);
        let words = |is_own| {
            let of_kind = found.latest.iter().filter(|alarm| alarm.is_own() == is_own);
            of_kind.map(ToString::to_string).collect()
        };
        let attesting = set.iter().filter(|validator| self.role.sessions.contains(&validator.session_key));
        NodeStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            chain: self.chain(),
            genesis: self.chain.genesis().to_string(),
            height: snapshot.height().number(),
            first_block: snapshot.base().map_or(1, |base| base.height.next().number()),
            best: snapshot.hash().to_string(),
            time_ms: timestamp::NOW.get(&state).unwrap_or_default().ms(),
            epoch,
            committee: committee.map_or(0, |members| members.len()),
            is_voter: self.role.is_voter,
            silent_until_ms: silent.map(Timestamp::ms),
            attests_for: attesting.map(|validator| validator.entity.number()).collect(),
            certified: self.checkpoints.last().ok().flatten().unwrap_or_default(),
            waiting: self.chain.waiting(),
            blocks: done.blocks,
            extrinsics: done.extrinsics,
            failed: done.failed,
            skipped: done.skipped,
            reruns: found.reruns,
            disagreed: found.disagreed,
            executed_again: found.executed_again,
            alarms: found.alarms,
            latest_alarms: words(true),
            warnings: found.warnings,
            latest_warnings: words(false),
            network: network_status(&self.role.network),
            refused_extrinsics: self.chain.refusals().counts(),
            refused_words: self.checkpoints.refused(),
        }
    }

    fn chain(&self) -> String {
        self.name.to_string()
    }
}
