//! Power that fails under an engine: its own files, of which anything may be there after that which was not synced.
//!
//! The rule: what was synced is kept, and nobody hears of the failure. What waits for the disk waits for ever, until the
//! validator is started again.

use super::Dice;
use commonware_runtime::{Clock as _, deterministic};
use commonware_utils::SystemTimeExt as _;
use host_consensus::network::Signal;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The power of one validator, through all its lives. Clones are the same.
#[derive(Clone)]
pub struct Power(Arc<Mutex<State>>);

struct State {
    dice: Dice,
    /// When it may fail, in ms of a run.
    fails_ms: Range<u64>,
    /// Writes and syncs before it does, from then on.
    operations: u64,
    /// Whether the engine is being put together, which the simulator waits for.
    is_starting: bool,
    is_off: bool,
    lives: u64,
    failures: u64,
    off: Signal,
}

impl Power {
    /// With what the disk keeps decided by `dice`.
    pub fn new(dice: Dice) -> Self {
        let state = State {
            dice,
            fails_ms: 0..0,
            operations: 0,
            is_starting: true,
            is_off: false,
            lives: 0,
            failures: 0,
            off: Signal::default(),
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Fail once within `times`, in ms of a run, after so many writes and syncs.
    pub fn fail_within(&self, times: Range<u64>, operations: u64) {
        let mut state = self.state();
        (state.fails_ms, state.operations) = (times, operations);
    }

    /// It is back. Gives the number of the life that begins, from 0, and what is raised when it ends like this.
    pub fn restore(&self) -> (u64, Signal) {
        let mut state = self.state();
        state.off = Signal::default();
        (state.is_starting, state.is_off) = (true, false);
        state.lives += 1;
        (state.lives - 1, state.off.clone())
    }

    /// The engine runs: the power may fail.
    pub fn engine_runs(&self) {
        self.state().is_starting = false;
    }

    /// How often it has failed.
    pub fn failures(&self) -> u64 {
        self.state().failures
    }

    /// Go on if there is power.
    pub(super) async fn needed(&self) {
        let is_off = self.state().is_off;
        if is_off {
            std::future::pending::<()>().await;
        }
    }

    /// Whether it fails with this operation.
    pub(super) fn fails_now(&self, runtime: &deterministic::Context) -> bool {
        let now = u64::try_from(runtime.current().epoch().as_millis()).unwrap();
        let mut state = self.state();
        if state.is_starting || !state.fails_ms.contains(&now) {
            return false;
        }
        if state.operations > 0 {
            state.operations -= 1;
            return false;
        }
        state.fails_ms = 0..0;
        state.is_off = true;
        state.failures += 1;
        true
    }

    /// End the validator, when all that the disk keeps is kept.
    pub(super) fn is_gone(&self) {
        self.state().off.raise();
    }

    /// How much of a write of so many bytes is there afterwards.
    pub(super) fn kept(&self, bytes: usize) -> usize {
        let mut state = self.state();
        match state.dice.below(3) {
            0 => 0,
            1 => state.dice.index(bytes + 1),
            _ => bytes,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
