//! The clock is a port: engines ask it, and nothing else of the node reads the time of day for consensus.
//!
//! A clock may stand still or step back (NTP does both); whoever reads it must survive that.

use runtime_primitives::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in milliseconds since the UNIX epoch.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// A machine whose clock stands before 1970 reads as the epoch: its blocks then wait for their parents.
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A clock that moves only when told. Clones share one time, so a driver and an engine can hold one each.
#[derive(Clone, Debug)]
pub struct VirtualClock(Arc<AtomicU64>);

impl VirtualClock {
    /// A clock that stands at `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicU64::new(start.ms())))
    }

    /// Put all clones at `time`, earlier or later.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.ms(), Ordering::SeqCst);
    }

    /// Move all clones to `time` unless they are already past it; returns the time then shown.
    pub fn advance_to(&self, time: Timestamp) -> Timestamp {
        Timestamp::from_ms(self.0.fetch_max(time.ms(), Ordering::SeqCst).max(time.ms()))
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_virtual_clock_share_one_time() {
        let clock = VirtualClock::starting_at(Timestamp::from_ms(10));
        let held: Arc<dyn Clock> = Arc::new(clock.clone());
        assert_eq!(clock.advance_to(Timestamp::from_ms(25)).ms(), 25);
        assert_eq!(clock.advance_to(Timestamp::from_ms(20)).ms(), 25);
        assert_eq!(held.now().ms(), 25);
        clock.set(Timestamp::from_ms(5));
        assert_eq!(held.now().ms(), 5);
    }

    #[test]
    fn the_system_clock_is_past_2020() {
        assert!(SystemClock.now().ms() > 1_577_836_800_000);
    }
}
