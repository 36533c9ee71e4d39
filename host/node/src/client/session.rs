//! One connection to a node: state at its best block, and calls signed, sent and waited for.
//!
//! A call's outcome is read from the receipts of the block that has it, which keep the runtime's own errors.

use super::SessionError;
use crate::keys::{Signer, Ss58, Ss58Prefix};
use crate::wallet::Wallet;
use host_rpc::{ClientError, RemoteNode};
use runtime_execution::modules::system::EVENTS;
use runtime_execution::{Call, Event, Outcome, Phase};
use runtime_primitives::{Hash, Height, blake2_256};
use runtime_state::Overlay;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Time between two looks for a new block.
const POLL: Duration = Duration::from_millis(50);

/// A connection to a node.
#[derive(Debug)]
pub struct Session {
    node: RemoteNode,
    genesis: Hash,
}

/// A call that took effect.
#[derive(Clone, Debug)]
pub struct Included {
    /// Hash of the extrinsic.
    pub extrinsic: Hash,
    /// The block that has it.
    pub block: Hash,
    /// Its height.
    pub height: Height,
    /// What it caused.
    pub events: Vec<Event>,
}

impl Session {
    /// Connect to the node at `url`.
    ///
    /// # Errors
    /// [`SessionError`]; so for all.
    pub fn connect(url: &str) -> Result<Self, SessionError> {
        let node = RemoteNode::at(url)?;
        let genesis = node.block_hash(Height::ZERO)?.ok_or(SessionError::NoGenesis)?;
        Ok(Self { node, genesis })
    }

    /// The node.
    pub const fn node(&self) -> &RemoteNode {
        &self.node
    }

    /// The chain's genesis hash.
    pub const fn genesis(&self) -> &Hash {
        &self.genesis
    }

    /// Do `work` on the state after the best block.
    ///
    /// # Errors
    /// [`SessionError::Node`].
    pub fn read<T>(&self, work: impl FnOnce(&Overlay) -> T) -> Result<T, SessionError> {
        self.read_at(self.node.best()?, work)
    }

    fn read_at<T>(&self, block: Hash, work: impl FnOnce(&Overlay) -> T) -> Result<T, SessionError> {
        let state = self.node.state(block);
        Ok(RemoteNode::reading(|| work(&Overlay::new(&state)))?)
    }

    /// Sign `call` with the account's next nonce, after what waits in the node's pool.
    ///
    /// # Errors
    /// [`SessionError::Node`].
    pub fn sign(&self, signer: Signer, call: &Call) -> Result<Vec<u8>, SessionError> {
        let mut wallet = Wallet::new(signer, self.genesis);
        let address = Ss58 { prefix: Ss58Prefix::SUBSTRATE, account: wallet.account() };
        wallet.go_on_at(self.node.next_nonce(&address.to_string())?);
        Ok(wallet.sign(call))
    }

    /// Send an extrinsic and wait until a final block has it.
    ///
    /// # Errors
    /// [`SessionError`]: what became of it, if it took no effect.
    pub fn send(&self, extrinsic: &[u8], patience: Duration) -> Result<Included, SessionError> {
        let before = self.node.best()?;
        let mut next = self.height(before)?.next();
        let hash = self.node.submit(extrinsic)?;
        if hash != blake2_256(extrinsic) {
            return Err(ClientError::Answer { method: "author_submitExtrinsic" }.into());
        }
        let began = Instant::now();
        loop {
            let block = self.node.block_hash(next)?;
            if let Some(block) = block {
                if let Some(outcome) = self.outcome(block, &hash)? {
                    return self.included(hash, block, next, outcome);
                }
                next = next.next();
            }
            // A node may have blocks without end: patience ends with each.
            if began.elapsed() > patience {
                return Err(SessionError::Timeout { extrinsic: hash, waited: patience });
            }
            if block.is_none() {
                sleep(POLL);
            }
        }
    }

    fn height(&self, block: Hash) -> Result<Height, SessionError> {
        let missing = ClientError::Answer { method: "chain_getHeader" };
        Ok(self.node.height(block)?.ok_or(missing)?)
    }

    fn outcome(&self, block: Hash, extrinsic: &Hash) -> Result<Option<Outcome>, SessionError> {
        let receipts = self.node.receipts(block)?;
        let found = receipts.into_iter().find(|receipt| receipt.extrinsic == *extrinsic);
        Ok(found.map(|receipt| receipt.outcome))
    }

    fn included(
        &self,
        extrinsic: Hash,
        block: Hash,
        height: Height,
        outcome: Outcome,
    ) -> Result<Included, SessionError> {
        let index = match outcome {
            Outcome::Applied { index } => index,
            Outcome::Failed { error, .. } => return Err(SessionError::Failed { height, error }),
            Outcome::Skipped { reason } => return Err(SessionError::Skipped { height, reason }),
        };
        let events = self.read_at(block, |state| EVENTS.get(state).unwrap_or_default())?;
        let own = events.into_iter().filter(|record| record.phase == Phase::ApplyExtrinsic(index));
        Ok(Included { extrinsic, block, height, events: own.map(|record| record.event).collect() })
    }
}
