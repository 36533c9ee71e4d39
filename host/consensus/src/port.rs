//! The port: what an application gives an engine, and what it gets back.
//!
//! An engine may ask for proposals and verdicts as often as it likes and from several threads; it hands over
//! each finalized block in order of height, each at least once. Only [`Application::finalized`] changes state.

use crate::network::{EngineKey, Member};
use runtime_primitives::{Executed, Hash, Height, OrderedBlock, Timestamp};
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

/// What an engine knows of a final block besides the block itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Its name for the block and all before it; `None` where one node decides alone.
    pub digest: Option<Hash>,
    /// A quorum's word for the digest, in the engine's encoding; `None` if the block is final because a later one is.
    pub proof: Option<Vec<u8>>,
}

impl Certificate {
    /// The certificate of a network of one: its operator's word, no signature.
    pub const fn solo() -> Self {
        Self { digest: None, proof: None }
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
    /// `unexecuted` are the blocks between the tip and the new one, `parent` among them: what they hold is ordered
    /// already. There are fewer than `EXECUTED_LAG_MAX`. The tip may move meanwhile: those up to it count no more.
    ///
    /// # Errors
    /// If the node cannot go on. An empty or congested pool is no error.
    fn propose(
        &self,
        parent: &Parent,
        unexecuted: &[&OrderedBlock],
        timestamp: Timestamp,
    ) -> Result<Option<Proposal>, Self::Error>;

    /// Judge a block from its bytes alone: formats, signatures, declared gas. Never from state, never `Invalid`
    /// for a reason that may pass: validators at different heights must agree. The engine has already checked
    /// height, sizes and time.
    fn verify(&self, block: &OrderedBlock) -> Verdict;

    /// Hash of the header that this node computed for a height; `None` if it has not executed so far.
    fn executed(&self, height: Height) -> Option<Hash>;

    /// The block of a height up to the tip, as it was ordered. An engine that orders alone and has no record of it puts it
    /// in its place again: a chain that was made without it goes on under it. An application that never was needs none.
    fn ordered(&self, _height: Height) -> Option<OrderedBlock> {
        None
    }

    /// The leader whose engine is `by` computed another header than this node: alarm. It does not vote on its block.
    fn diverged(&self, theirs: &Executed, own: &Hash, by: EngineKey);

    /// Who orders in an epoch; `None` while that is not decided. What was decided does not change.
    fn committee(&self, epoch: u64) -> Option<Vec<Member>>;

    /// Whether this node may vote in an epoch, whose predecessor it has executed: not where it may have voted before and does
    /// not remember. The answer for an epoch does not change. An application that forgets nothing votes always.
    fn may_vote(&self, _epoch: u64) -> bool {
        true
    }

    /// Extrinsics that a peer took in: bytes from outside, of any kind. Those that are valid may be proposed.
    fn hear(&self, extrinsics: Vec<Vec<u8>>);

    /// Words about checkpoints that a peer told: bytes from outside, of any kind. An application without checkpoints needs
    /// none.
    fn hear_checkpoints(&self, _words: Vec<Vec<u8>>) {}

    /// Execute and commit a final block. A block at or below the tip was delivered before and is ignored.
    ///
    /// # Errors
    /// If the block is not committed; the tip has then not moved and the engine stops.
    fn finalized(&self, block: OrderedBlock, certificate: Certificate) -> Result<(), Self::Error>;

    /// Return when every block committed so far is durable. The engine forgets no block before.
    ///
    /// # Errors
    /// If the disk fails; the engine stops.
    fn settle(&self) -> Result<(), Self::Error>;
}

impl<A: Application + ?Sized> Application for Arc<A> {
    type Error = A::Error;

    fn tip(&self) -> Parent {
        (**self).tip()
    }

    fn propose(
        &self,
        parent: &Parent,
        unexecuted: &[&OrderedBlock],
        timestamp: Timestamp,
    ) -> Result<Option<Proposal>, Self::Error> {
        (**self).propose(parent, unexecuted, timestamp)
    }

    fn executed(&self, height: Height) -> Option<Hash> {
        (**self).executed(height)
    }

    fn ordered(&self, height: Height) -> Option<OrderedBlock> {
        (**self).ordered(height)
    }

    fn diverged(&self, theirs: &Executed, own: &Hash, by: EngineKey) {
        (**self).diverged(theirs, own, by);
    }

    fn committee(&self, epoch: u64) -> Option<Vec<Member>> {
        (**self).committee(epoch)
    }

    fn may_vote(&self, epoch: u64) -> bool {
        (**self).may_vote(epoch)
    }

    fn hear(&self, extrinsics: Vec<Vec<u8>>) {
        (**self).hear(extrinsics);
    }

    fn hear_checkpoints(&self, words: Vec<Vec<u8>>) {
        (**self).hear_checkpoints(words);
    }

    fn settle(&self) -> Result<(), Self::Error> {
        (**self).settle()
    }

    fn verify(&self, block: &OrderedBlock) -> Verdict {
        (**self).verify(block)
    }

    fn finalized(&self, block: OrderedBlock, certificate: Certificate) -> Result<(), Self::Error> {
        (**self).finalized(block, certificate)
    }
}
