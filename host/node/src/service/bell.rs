//! A bell that wakes the service: something was submitted, or it is time to stop.
//!
//! A ring is never lost: one that comes while nobody waits ends the next wait at once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Clone, Copy, Debug, Default)]
struct Rung {
    rung: bool,
    stop: bool,
}

/// Wakes whoever waits.
#[derive(Debug, Default)]
pub struct Bell {
    state: Mutex<Rung>,
    changed: Condvar,
}

impl Bell {
    /// Something is there to do.
    pub fn ring(&self) {
        self.state().rung = true;
        self.changed.notify_all();
    }

    /// Stop after what is being done now.
    pub fn stop(&self) {
        self.state().stop = true;
        self.changed.notify_all();
    }

    /// Whether it is time to stop.
    pub fn is_stopped(&self) -> bool {
        self.state().stop
    }

    /// Wait for a ring, at most `patience`.
    pub fn wait(&self, patience: Duration) {
        let state = self.state();
        let asleep = |state: &mut Rung| !state.rung && !state.stop;
        let waited = self.changed.wait_timeout_while(state, patience, asleep);
        waited.unwrap_or_else(PoisonError::into_inner).0.rung = false;
    }

    /// Wait `patience` whatever rings, unless it is time to stop.
    pub fn pause(&self, patience: Duration) {
        let waited = self.changed.wait_timeout_while(self.state(), patience, |state| !state.stop);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn state(&self) -> MutexGuard<'_, Rung> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(5);

    #[test]
    fn a_ring_ends_one_wait_and_a_stop_ends_all() {
        let bell = Arc::new(Bell::default());
        let began = Instant::now();
        bell.ring();
        bell.wait(LONG);
        bell.wait(SHORT);
        bell.ring();
        bell.pause(SHORT);
        assert!(began.elapsed() >= 2 * SHORT);
        bell.wait(LONG);
        let ringer = std::thread::spawn({
            let bell = bell.clone();
            move || bell.stop()
        });
        bell.pause(LONG);
        bell.wait(LONG);
        assert!(bell.is_stopped() && began.elapsed() < LONG);
        ringer.join().expect("it only rings");
    }
}
