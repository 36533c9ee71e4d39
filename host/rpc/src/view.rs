//! What a server needs of a node.

use crate::{Heads, NodeStatus, Refusal};
use host_storage::Snapshot;
use runtime_execution::api::ApiError;
use runtime_primitives::Hash;
use runtime_state::Backend;

/// A node as its clients see it. "Finalized" means ordered, final and executed here.
pub trait NodeView: Send + Sync + 'static {
    /// The last committed block.
    fn snapshot(&self) -> Snapshot;

    /// Validate an extrinsic and put it into the pool; gives its hash.
    ///
    /// # Errors
    /// [`Refusal`].
    fn submit(&self, extrinsic: Vec<u8>) -> Result<Hash, Refusal>;

    /// Whether an extrinsic waits in the pool.
    fn waits(&self, extrinsic: &Hash) -> bool;

    /// What waits in the pool, up to about so many bytes.
    fn pending(&self, bytes: usize) -> Vec<Vec<u8>>;

    /// Rung after each durable block, when [`Self::snapshot`] has it.
    fn heads(&self) -> &Heads;

    /// Ask the runtime on `state`, that of `block`. The thread has the stack that contracts need.
    ///
    /// # Errors
    /// [`ApiError`].
    fn call(&self, state: &dyn Backend, block: Hash, name: &str, input: &[u8]) -> Result<Vec<u8>, ApiError>;

    /// The nonce that the account with this address signs with next, what waits in the pool counted.
    ///
    /// # Errors
    /// What is wrong with the address.
    fn next_nonce(&self, address: &str) -> Result<u32, String>;

    /// Certificates of checkpoints above `after`, ascending: a page of them, each encoded.
    ///
    /// # Errors
    /// What went wrong, in words.
    fn certificates(&self, after: u64) -> Result<Vec<Vec<u8>>, String>;

    /// What the node says of itself.
    fn status(&self) -> NodeStatus;

    /// Name of the chain.
    fn chain(&self) -> String;
}
