//! What a server needs of a node.

use crate::NodeStatus;
use host_storage::Snapshot;
use runtime_primitives::Hash;

/// A node as its clients see it. "Finalized" means ordered, final and executed here.
pub trait NodeView: Send + Sync + 'static {
    /// The last committed block.
    fn snapshot(&self) -> Snapshot;

    /// Validate an extrinsic and put it into the pool; gives its hash.
    ///
    /// # Errors
    /// The rule it breaks, in words for the sender.
    fn submit(&self, extrinsic: Vec<u8>) -> Result<Hash, String>;

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
