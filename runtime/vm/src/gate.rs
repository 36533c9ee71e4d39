//! How many calls run at once.
//!
//! Only outermost calls wait: one that is running always finds the instances that its nested calls need, so nothing
//! ever fails for lack of one and no two calls wait for each other.

use crate::limits::CONCURRENT_CALLS_MAX;
use std::cell::Cell;
use std::sync::{Condvar, Mutex, PoisonError};

thread_local! {
    /// Calls running on this thread, one inside the other.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Lets a limited number of threads run calls.
#[derive(Default)]
pub(crate) struct Gate {
    running: Mutex<usize>,
    left: Condvar,
}

/// Permission to run one call; gives itself back.
pub(crate) struct Pass<'a>(&'a Gate);

impl Gate {
    /// Waits for a place unless this thread has one.
    pub(crate) fn pass(&self) -> Pass<'_> {
        let depth = DEPTH.get();
        if depth == 0 {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let full = |running: &mut usize| *running >= CONCURRENT_CALLS_MAX;
            *self.left.wait_while(running, full).unwrap_or_else(PoisonError::into_inner) += 1;
        }
        DEPTH.set(depth + 1);
        Pass(self)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let depth = DEPTH.get() - 1;
        DEPTH.set(depth);
        if depth == 0 {
            *self.0.running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
            self.0.left.notify_one();
        }
    }
}
