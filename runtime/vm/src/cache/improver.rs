//! The thread that compiles again, slowly and well, what was compiled in a hurry.
//!
//! Gas and stack are counted by the module, so a call on either form ends the same. A call that holds the first form
//! finishes on it. If the thread cannot start or a compilation fails, the first form stays: slower, not wrong.

use super::Stock;
use super::recent::Key;
use crate::limits::NATIVE_STACK_BYTES;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Modules that wait at most; what finds no place keeps its first form until it is loaded again.
const WAITING_MAX: usize = 64;

/// One thread, alive while there is work.
#[derive(Default)]
pub(super) struct Improver(Arc<Queue>);

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    idle: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Key, Vec<u8>)>,
    /// What is being compiled.
    current: Option<Key>,
    running: bool,
    /// Whether nobody wants the results any more.
    closed: bool,
}

impl Improver {
    /// Improves the module of `code` some time later.
    pub(super) fn improve(&self, stock: &Arc<Stock>, key: Key, code: Vec<u8>) {
        let mut state = self.0.state();
        let known = state.current == Some(key) || state.waiting.iter().any(|(waiting, _)| *waiting == key);
        if known || state.waiting.len() >= WAITING_MAX {
            return;
        }
        state.waiting.push_back((key, code));
        if !state.running {
            let (queue, stock) = (self.0.clone(), stock.clone());
            // Compilers recurse.
            let thread = std::thread::Builder::new().name("improver".into()).stack_size(NATIVE_STACK_BYTES);
            state.running = thread.spawn(move || queue.work(&stock)).is_ok();
            if !state.running {
                state.waiting.clear();
            }
        }
    }

    /// Waits until there is no work.
    pub(super) fn settle(&self) {
        let state = self.0.state();
        drop(self.0.idle.wait_while(state, |state| state.running).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Improver {
    /// Nobody will use what is waiting; what is being compiled is finished in vain and kept nowhere.
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting.clear();
        state.closed = true;
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole at every moment: nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<(Key, Vec<u8>)> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        state.current = next.as_ref().map(|(key, _)| *key);
        if next.is_none() {
            state.running = false;
            self.idle.notify_all();
        }
        next
    }

    fn work(&self, stock: &Stock) {
        while let Some((key, code)) = self.next() {
            // A compiler that panics loses this module's better form and nothing else.
            let wanted = || !self.state().closed;
            drop(catch_unwind(AssertUnwindSafe(|| stock.improve(&key, &code, wanted))));
        }
    }
}
