//! The clock is a port: engines ask it, and nothing else of the node reads the time of day for consensus.
//!
//! A clock may stand still or step back (NTP does both); whoever reads it must survive that.

use runtime_primitives::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often whoever waits for a clock that is moved by hand looks at it.
const LOOK: Duration = Duration::from_millis(1);

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in milliseconds since the UNIX epoch.
    fn now(&self) -> Timestamp;

    /// How long to wait until this clock shows `time`.
    fn until(&self, time: Timestamp) -> Duration {
        Duration::from_millis(time.ms().saturating_sub(self.now().ms()))
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn until(&self, time: Timestamp) -> Duration {
        (**self).until(time)
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

/// A clock that starts at the machine's time and runs faster: a market's day passes in an hour. For rehearsals.
#[derive(Clone, Debug)]
pub struct RehearsalClock {
    began: Instant,
    start: Arc<AtomicU64>,
    rate: u32,
}

impl RehearsalClock {
    /// A clock that runs `rate` times as fast as the machine's; 0 counts as 1.
    pub fn new(rate: u32) -> Self {
        let start = Arc::new(AtomicU64::new(SystemClock.now().ms()));
        Self { began: Instant::now(), start, rate: rate.max(1) }
    }

    /// Put all clones at `time` unless they are already past it: a chain that was rehearsed before is ahead of the
    /// machine.
    pub fn advance_to(&self, time: Timestamp) {
        let behind = time.ms().saturating_sub(self.now().ms());
        self.start.fetch_add(behind, Ordering::SeqCst);
    }
}

impl Clock for RehearsalClock {
    fn now(&self) -> Timestamp {
        let passed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let start = Timestamp::from_ms(self.start.load(Ordering::SeqCst));
        start.plus_ms(passed.saturating_mul(u64::from(self.rate)))
    }

    fn until(&self, time: Timestamp) -> Duration {
        let ms = time.ms().saturating_sub(self.now().ms());
        Duration::from_millis(ms.div_ceil(u64::from(self.rate)))
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

    /// Nobody knows when it is moved: whoever waits looks often.
    fn until(&self, time: Timestamp) -> Duration {
        if self.now() < time { LOOK } else { Duration::ZERO }
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
    fn a_rehearsal_runs_faster_and_waits_less() {
        let clock = RehearsalClock::new(1_000);
        let start = clock.now();
        assert!(start.ms().abs_diff(SystemClock.now().ms()) < 60_000);
        std::thread::sleep(Duration::from_millis(20));
        assert!(clock.now().ms() - start.ms() >= 20_000);
        assert!(clock.until(clock.now().plus_ms(60_000)) <= Duration::from_millis(60));
        let ahead = clock.now().plus_ms(3_600_000);
        clock.clone().advance_to(ahead);
        assert!(clock.now() >= ahead);
        clock.advance_to(start);
        assert!(clock.now() >= ahead, "it never goes back");
    }

    #[test]
    fn the_system_clock_is_past_2020() {
        assert!(SystemClock.now().ms() > 1_577_836_800_000);
    }
}
