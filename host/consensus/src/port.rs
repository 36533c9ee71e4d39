//! The port: what an application gives an engine, and what it gets back.
//!
//! An engine may ask for proposals and verdicts as often as it likes and from several threads; it hands over
//! each finalized block in order of height, each at least once. Only [`Application::finalized`] changes state.

use runtime_primitives::{Executed, Height, OrderedBlock, Timestamp};
use std::sync::Arc;

/// The block that the next one stands on, as far as ordering is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its height; 0 for genesis.
    pub height: Height,
    /// Its time.
    pub timestamp: Timestamp,
}

/// What an application wants ordered next; the engine adds height and time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// An ancestor that this node has executed, at most `EXECUTED_LAG_MAX` below the new block.
    pub executed: Executed,
    /// Extrinsics in the proposed order.
    pub extrinsics: Vec<Vec<u8>>,
}

/// An application's judgement of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing wrong that can be seen without state.
    Valid,
    /// No honest node may vote for it, now or later.
    Invalid {
        /// Which rule it breaks, for the log.
        reason: String,
    },
}

/// An engine's proof that a block is final. Opaque here; empty where one node decides alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate(Vec<u8>);

impl Certificate {
    /// The certificate of a network of one: its operator's word, no signature.
    pub const fn solo() -> Self {
        Self(Vec::new())
    }

    /// From the engine's own encoding.
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The engine's own encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What stands behind the port: pool, executor and store of one node.
pub trait Application: Send + Sync {
    /// Why this node cannot go on: its store failed, or a finalized block cannot be executed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The last block finalized *and committed* here; genesis before the first.
    fn tip(&self) -> Parent;

    /// What to order on top of `parent` in a block of time `timestamp`; `None` if there is nothing to do.
    ///
    /// # Errors
    /// If the node cannot go on. An empty or congested pool is no error.
    fn propose(&self, parent: &Parent, timestamp: Timestamp) -> Result<Option<Proposal>, Self::Error>;

    /// Judge a block from its bytes alone: formats, signatures, declared gas. Never from state, never `Invalid`
    /// for a reason that may pass: validators at different heights must agree. The engine has already checked
    /// height, sizes and time.
    fn verify(&self, block: &OrderedBlock) -> Verdict;

    /// Execute and commit a final block. A block at or below the tip was delivered before and is ignored.
    ///
    /// # Errors
    /// If the block is not committed; the tip has then not moved and the engine stops.
    fn finalized(&self, block: OrderedBlock, certificate: Certificate) -> Result<(), Self::Error>;
}

impl<A: Application + ?Sized> Application for Arc<A> {
    type Error = A::Error;

    fn tip(&self) -> Parent {
        (**self).tip()
    }

    fn propose(&self, parent: &Parent, timestamp: Timestamp) -> Result<Option<Proposal>, Self::Error> {
        (**self).propose(parent, timestamp)
    }

    fn verify(&self, block: &OrderedBlock) -> Verdict {
        (**self).verify(block)
    }

    fn finalized(&self, block: OrderedBlock, certificate: Certificate) -> Result<(), Self::Error> {
        (**self).finalized(block, certificate)
    }
}
