//! What ends a run: looked at whenever a little time has passed, not only when a block is final.

use commonware_cryptography::PublicKey;
use commonware_glue::simulate::exit::ExitCondition;
use commonware_glue::simulate::tracker::ProgressTracker;
use std::pin::Pin;

/// Whether the running validators, of `all` that there are, have come far enough.
pub trait Goal<S>: Send + Sync {
    /// # Errors
    /// What must not be; it ends the run as well.
    fn is_reached(&self, running: &[&S], all: usize) -> impl Future<Output = Result<bool, String>> + Send;
}

/// A goal as the simulator asks for it.
#[derive(Clone)]
pub struct Polled<G>(pub G);

impl<P: PublicKey, S: Sync, G: Goal<S>> ExitCondition<P, S> for Polled<G> {
    fn name(&self) -> &'static str {
        "goal"
    }

    fn requires_polling(&self) -> bool {
        true
    }

    fn reached<'a>(
        &'a self,
        _: &'a ProgressTracker<P>,
        running: &'a [&'a S],
        all: usize,
    ) -> Pin<Box<dyn Future<Output = Result<bool, String>> + Send + 'a>> {
        Box::pin(self.0.is_reached(running, all))
    }
}
