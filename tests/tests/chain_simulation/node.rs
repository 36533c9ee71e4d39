//! The node that runs on a body until the next crash.
//!
//! It is the real one: its chain, pool and executor on a store whose disk loses power, its attestor with its journal, its
//! checkpoints with their file.

use crate::body::{Body, locked};
use crate::broken::Flaw;
use crate::byzantine::Attest;
use host_consensus::network::{EngineKey, Gossip, Member, Signal};
use host_consensus::{Application, Certificate, Parent, Proposal, Verdict};
use host_node::checkpoint::Keeper;
use host_node::node::{Chain, ChainError};
use host_storage::{Snapshot, StoreError};
use runtime_primitives::{Executed, Hash, Height, OrderedBlock, Timestamp};
use std::sync::{Arc, Mutex};

/// Bytes that are told again at a time.
const RETELL_BYTES: usize = 256 << 10;
/// Where the build that forgets a height does so.
const FORGOTTEN: u64 = 20;

/// The node of one life.
pub struct Node {
    chain: Arc<Chain>,
    pub body: Arc<Body>,
    keeper: Arc<Keeper>,
    gossip: Gossip,
    /// Raised when there is something to order.
    pub signal: Signal,
    /// Raised when a block is durable: claims may be open on it.
    pub durable: Signal,
    /// The last block that is durable.
    published: Mutex<Snapshot>,
    /// What a liar adds to its own proposals.
    smuggled: Mutex<Vec<Vec<u8>>>,
    /// Blocks that the engine counts and this build does not.
    forgotten: u64,
}

impl Node {
    pub fn new(body: Arc<Body>, chain: Arc<Chain>, keeper: Arc<Keeper>, gossip: Gossip) -> Self {
        let published = Mutex::new(chain.snapshot());
        let is_forgetful = body.conduct.flaw == Some(Flaw::ForgetsHeight) && body.crashes().0 > 0;
        Self {
            chain,
            body,
            keeper,
            gossip,
            signal: Signal::default(),
            durable: Signal::default(),
            published,
            smuggled: Mutex::default(),
            forgotten: u64::from(is_forgetful),
        }
    }

    /// The last block that is durable here.
    pub fn published(&self) -> Snapshot {
        locked(&self.published).clone()
    }

    /// Take in what a client or the attestor hands over, and tell peers what is valid.
    pub fn submit(&self, extrinsics: Vec<Vec<u8>>) {
        if extrinsics.is_empty() {
            return;
        }
        for (extrinsic, answer) in extrinsics.iter().zip(self.chain.submit(extrinsics.clone())) {
            if answer.is_ok() {
                self.gossip.tell(extrinsic.clone());
            }
        }
        self.signal.raise();
    }

    /// Vote on what is open. A liar's votes go to the peers and into its proposals whatever its own pool thinks of them.
    pub fn attest(&self, attest: &mut dyn Attest) {
        let votes = attest.votes(&self.published());
        if !self.body.conduct.is_honest {
            votes.iter().for_each(|vote| self.gossip.tell(vote.clone()));
            locked(&self.smuggled).extend(votes.iter().cloned());
        }
        self.submit(votes);
    }

    /// Sign the checkpoints that are durable now.
    pub fn sign_checkpoints(&self) {
        let signed = self.keeper.advance(&self.published(), |epoch| self.chain.session_set(epoch));
        self.tell_checkpoints(signed.unwrap());
    }

    fn tell_checkpoints(&self, words: Vec<Vec<u8>>) {
        self.body.overhears(&words);
        let told = (self.body.conduct.words)(self.body.scene, &self.body, words);
        told.into_iter().for_each(|word| self.gossip.tell_checkpoint(word));
    }

    /// What peers may have missed, once more.
    pub fn retell(&self) {
        self.chain.own_waiting(RETELL_BYTES).into_iter().for_each(|one| self.gossip.tell(one));
        self.tell_checkpoints(self.keeper.retell());
    }
}

impl Application for Node {
    type Error = ChainError;

    fn tip(&self) -> Parent {
        let Parent { height, timestamp } = self.chain.tip();
        Parent { height: Height::from_number(height.number() - self.forgotten), timestamp }
    }

    fn propose(
        &self,
        parent: &Parent,
        unexecuted: &[&OrderedBlock],
        timestamp: Timestamp,
    ) -> Result<Option<Proposal>, ChainError> {
        let proposal = self.chain.propose(parent, unexecuted, timestamp)?;
        Ok(proposal.map(|mut proposal| {
            proposal.extrinsics.append(&mut locked(&self.smuggled));
            proposal
        }))
    }

    fn verify(&self, block: &OrderedBlock) -> Verdict {
        self.chain.verify(block)
    }

    fn executed(&self, height: Height) -> Option<Hash> {
        self.chain.executed(height)
    }

    fn diverged(&self, theirs: &Executed, own: &Hash, by: EngineKey) {
        self.chain.diverged(theirs, own, by);
    }

    fn committee(&self, epoch: u64) -> Option<Vec<Member>> {
        self.chain.committee(epoch)
    }

    fn hear(&self, extrinsics: Vec<Vec<u8>>) {
        self.chain.hear(extrinsics);
    }

    fn hear_checkpoints(&self, words: Vec<Vec<u8>>) {
        self.body.overhears(&words);
        self.tell_checkpoints(self.keeper.hear(&words).unwrap());
    }

    fn finalized(&self, mut block: OrderedBlock, certificate: Certificate) -> Result<(), ChainError> {
        self.body.was_ordered(&block);
        // A build that counts wrongly executes what comes as the next one; its time must not be the last one's.
        block.height = Height::from_number(block.height.number() + self.forgotten);
        block.timestamp = block.timestamp.plus_ms(self.forgotten);
        self.chain.finalized((self.body.conduct.executes)(block), certificate)
    }

    fn settle(&self) -> Result<(), ChainError> {
        let flaw = self.body.conduct.flaw;
        if flaw == Some(Flaw::ShowsTooEarly) {
            self.body.shows(&self.chain);
        }
        Application::settle(&*self.chain)?;
        self.body.shows(&self.chain);
        *locked(&self.published) = self.chain.snapshot();
        self.durable.raise();
        if flaw == Some(Flaw::ForgetsHeight) && self.forgotten == 0 && self.tip().height.number() >= FORGOTTEN
        {
            // The power fails before the engine hears that the block is durable.
            return Err(StoreError::Poisoned.into());
        }
        Ok(())
    }
}
