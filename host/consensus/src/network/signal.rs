//! Something changed: the tip moved, or there is something to order. Whoever waits looks again.

use commonware_utils::channel::watch;
use std::sync::Arc;

/// Wakes all who wait. A signal between a look and a wait is not lost: take a [`Watch`] first, then look.
#[derive(Clone, Debug)]
pub struct Signal(Arc<watch::Sender<()>>);

impl Default for Signal {
    fn default() -> Self {
        Self(Arc::new(watch::channel(()).0))
    }
}

impl Signal {
    /// Wake all who wait.
    pub fn raise(&self) {
        self.0.send_replace(());
    }

    /// Watch from now on.
    pub fn watch(&self) -> Watch {
        Watch(self.0.subscribe())
    }
}

/// Sees every signal raised after it was made.
#[derive(Debug)]
pub struct Watch(watch::Receiver<()>);

impl Watch {
    /// Wait for the next signal.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
