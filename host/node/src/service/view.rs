//! The node as RPC sees it: the last durable block, and the pool's door.

use crate::keys::{KeyError, Ss58};
use crate::node::Chain;
use host_rpc::NodeView;
use host_storage::Snapshot;
use runtime_primitives::Hash;
use std::sync::{Arc, PoisonError, RwLock};

/// Told of each extrinsic that was taken in.
pub type Submitted = dyn Fn(&[u8]) + Send + Sync;

/// What clients may see and do.
#[derive(Clone)]
pub struct View {
    name: Arc<str>,
    chain: Arc<Chain>,
    submitted: Arc<Submitted>,
    published: Arc<RwLock<Snapshot>>,
}

impl View {
    /// A view of `chain`, called `name`, whose best block is durable; `submitted` is told of what it takes in.
    pub fn new(name: &str, chain: Arc<Chain>, submitted: Arc<Submitted>) -> Self {
        let published = Arc::new(RwLock::new(chain.snapshot()));
        Self { name: name.into(), chain, submitted, published }
    }

    /// The last durable block.
    pub fn published(&self) -> Snapshot {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Show the best block, which is durable now.
    pub fn publish(&self) {
        let snapshot = self.chain.snapshot();
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }
}

impl NodeView for View {
    fn snapshot(&self) -> Snapshot {
        self.published()
    }

    fn submit(&self, extrinsic: Vec<u8>) -> Result<Hash, String> {
        let answer = self.chain.submit(vec![extrinsic.clone()]).pop().expect("one answer each");
        if answer.is_ok() {
            (self.submitted)(&extrinsic);
        }
        answer.map_err(|reason| reason.to_string())
    }

    fn next_nonce(&self, address: &str) -> Result<u32, String> {
        let address: Ss58 = address.parse().map_err(|error: KeyError| error.to_string())?;
        Ok(self.chain.next_nonce(&address.account))
    }

    fn chain(&self) -> String {
        self.name.to_string()
    }
}
