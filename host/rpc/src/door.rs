//! What all calls share: the node behind the door, turns for calls that run contracts, and who waits for an extrinsic.

use crate::watched::Watched;
use tokio::sync::Semaphore;

/// Calls that may run contracts at a time: what executes blocks keeps the machine.
const TURNS: usize = 2;

/// See the module.
pub struct Door<V> {
    /// The node.
    pub view: V,
    /// Who may run a contract now.
    pub turns: Semaphore,
    /// Who waits for an extrinsic.
    pub watched: Watched,
}

impl<V> Door<V> {
    /// A door to a node.
    pub fn new(view: V) -> Self {
        Self { view, turns: Semaphore::new(TURNS), watched: Watched::default() }
    }
}
