//! The threads beside the one that executes. One that panics stops the node, which would otherwise go on without attesting,
//! or without an eye on its disk.

use super::error::ServiceError;
use runtime_vm::VM_THREAD_STACK_BYTES;
use std::thread::{Builder, JoinHandle, panicking};

/// A thread at work.
pub(super) struct Hand<T> {
    name: &'static str,
    thread: JoinHandle<T>,
}

/// Calls for help when the thread that owns it panics.
struct Call<F: Fn()>(F);

impl<F: Fn()> Drop for Call<F> {
    fn drop(&mut self) {
        if panicking() {
            (self.0)();
        }
    }
}

impl<T: Send + 'static> Hand<T> {
    /// Do `work` on a thread of its own, on which contracts may run; call `for_help` if it panics.
    ///
    /// # Errors
    /// [`ServiceError::Thread`].
    pub fn start(
        name: &'static str,
        for_help: impl Fn() + Send + 'static,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Self, ServiceError> {
        let builder = Builder::new().name(name.into()).stack_size(VM_THREAD_STACK_BYTES);
        let thread = builder.spawn(move || {
            let _call = Call(for_help);
            work()
        });
        Ok(Self { name, thread: thread.map_err(ServiceError::Thread)? })
    }

    /// Whether it works no more.
    pub fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// What came of it.
    ///
    /// # Errors
    /// [`ServiceError::Panicked`].
    pub fn join(self) -> Result<T, ServiceError> {
        self.thread.join().map_err(|_| ServiceError::Panicked(self.name))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn a_thread_that_panics_calls_for_help_and_is_named() {
        let (call, called) = channel();
        let hand = Hand::start(
            "attestor",
            move || call.send(()).unwrap(),
            || {
                assert!(std::env::var("PATH").is_err(), "on purpose");
            },
        );
        called.recv_timeout(Duration::from_secs(60)).unwrap();
        let fallen = hand.unwrap().join().unwrap_err();
        assert!(matches!(fallen, ServiceError::Panicked("attestor")), "{fallen}");

        let (call, called) = channel();
        let hand = Hand::start("room", move || call.send(()).unwrap(), || 7).unwrap();
        assert_eq!((hand.join().unwrap(), called.recv().is_err()), (7, true));
    }
}
