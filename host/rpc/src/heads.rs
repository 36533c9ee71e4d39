//! The height of the last durable block, for those who wait for the next one.

use runtime_primitives::Height;
use tokio::sync::watch;

/// What a node rings when a block is durable.
#[derive(Debug)]
pub struct Heads(watch::Sender<Height>);

impl Heads {
    /// With the block that is the last one now.
    pub fn new(height: Height) -> Self {
        Self(watch::Sender::new(height))
    }

    /// There is a later block, and readers see it.
    pub fn ring(&self, height: Height) {
        self.0.send_replace(height);
    }

    pub(crate) fn listen(&self) -> watch::Receiver<Height> {
        self.0.subscribe()
    }
}
