//! Durability behind execution: while the next block is executed, the last one is synced to disk.
//!
//! At most [`VOLATILE_MAX`] blocks are visible and not yet durable: the one being flushed and the one after it,
//! whose [`Flusher::request`] waits. A crash leaves the last flushed block, whole. Whoever tells others that a
//! block is final calls [`Flusher::settle`] first.

use host_storage::{Store, StoreError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Blocks that may be visible and not durable.
const VOLATILE_MAX: u64 = 2;

/// Makes committed blocks durable.
pub struct Flusher {
    store: Arc<Store>,
    pace: Arc<Pace>,
    /// None if blocks become durable only when that is waited for.
    worker: Option<JoinHandle<()>>,
}

impl Flusher {
    /// Start flushing `store`.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    pub fn new(store: Arc<Store>) -> Self {
        let pace = Arc::new(Pace::default());
        let worker = std::thread::Builder::new().name("flusher".to_owned()).spawn({
            let (store, pace) = (store.clone(), pace.clone());
            move || pace.work(|| store.flush())
        });
        let worker = worker.expect("the system can start a thread");
        Self { store, pace, worker: Some(worker) }
    }

    /// Flush `store` only in [`Flusher::settle`], on the caller's thread: what is durable when then repeats.
    pub fn without_thread(store: Arc<Store>) -> Self {
        Self { store, pace: Arc::default(), worker: None }
    }

    /// A block was committed: make it durable soon. Returns at once if it is the only one that is not, otherwise
    /// when the one before it is durable. A disk that fails is reported by the next commit.
    pub fn request(&self) {
        if self.worker.is_some() {
            self.pace.committed();
        }
    }

    /// Wait until every committed block is durable.
    ///
    /// # Errors
    /// If the disk fails, now or in an earlier flush.
    pub fn settle(&self) -> Result<(), StoreError> {
        self.pace.flush(|| self.store.flush())
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.pace.close();
        if let Some(worker) = self.worker.take() {
            // The thread has nothing to panic about, and dropping must not.
            let _ = worker.join();
        }
        // The disk's last word; a failure leaves an earlier whole block, which is what a crash would.
        let _ = self.store.flush();
    }
}

/// How many blocks were committed, and how many of them are known to be durable.
#[derive(Debug, Default)]
struct Counts {
    committed: u64,
    durable: u64,
    closing: bool,
    /// The worker is gone: nobody may wait for it.
    ended: bool,
}

/// The committer and the worker, kept in step.
#[derive(Debug, Default)]
struct Pace {
    counts: Mutex<Counts>,
    changed: Condvar,
}

impl Pace {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl Fn(&Counts) -> bool) -> MutexGuard<'_, Counts> {
        let waited = self.changed.wait_while(self.counts(), |counts| condition(counts));
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Count a commit, and wait until another one may follow.
    fn committed(&self) {
        self.counts().committed += 1;
        self.changed.notify_all();
        let too_many = |counts: &Counts| counts.committed - counts.durable >= VOLATILE_MAX;
        drop(self.wait_while(|counts| too_many(counts) && !counts.ended));
    }

    /// Flush, and count what was committed before as durable.
    fn flush<E>(&self, flush: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let covered = self.counts().committed;
        flush()?;
        let mut counts = self.counts();
        counts.durable = counts.durable.max(covered);
        drop(counts);
        self.changed.notify_all();
        Ok(())
    }

    /// Flush whenever something is not durable, until closed. A flush that fails poisons the store and ends this.
    fn work<E>(&self, mut flush: impl FnMut() -> Result<(), E>) {
        let _ended = Ended(self);
        loop {
            let counts = self.wait_while(|counts| counts.committed == counts.durable && !counts.closing);
            let is_closing = counts.closing;
            drop(counts);
            if is_closing || self.flush(&mut flush).is_err() {
                return;
            }
        }
    }

    fn close(&self) {
        self.counts().closing = true;
        self.changed.notify_all();
    }
}

/// Says that the worker has ended, however it does.
struct Ended<'a>(&'a Pace);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.counts().ended = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn the_next_block_runs_beside_a_flush_and_the_one_after_waits() {
        let pace = Pace::default();
        let ((began, has_begun), (finish, may_finish)) = (channel(), channel());
        let (returned, has_returned) = channel();
        std::thread::scope(|scope| {
            let pace = &pace;
            scope.spawn(move || {
                pace.work(|| {
                    began.send(()).unwrap();
                    may_finish.recv()
                });
            });
            pace.committed();
            has_begun.recv().unwrap();
            // The flush of block 1 hangs; its commit has returned, so block 2 can be executed and committed.
            scope.spawn(move || {
                pace.committed();
                returned.send(()).unwrap();
            });
            has_returned.recv_timeout(Duration::from_millis(50)).unwrap_err();
            assert_eq!(pace.counts().committed, 2);
            assert_eq!(pace.counts().durable, 0);
            finish.send(()).unwrap();
            has_returned.recv().unwrap();
            assert_eq!(pace.counts().durable, 1);
            // The worker goes on with block 2 by itself.
            has_begun.recv().unwrap();
            finish.send(()).unwrap();
            drop(pace.wait_while(|counts| counts.durable < 2));
            pace.close();
        });
    }

    #[test]
    fn a_slow_disk_never_leaves_more_than_two_blocks_behind() {
        let (pace, visible, durable) = (Pace::default(), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                pace.work(|| {
                    let covered = visible.load(SeqCst);
                    std::thread::sleep(Duration::from_millis(1));
                    durable.fetch_max(covered, SeqCst);
                    Ok::<_, ()>(())
                });
            });
            for _ in 0..100 {
                let now = visible.fetch_add(1, SeqCst) + 1;
                assert!(now - durable.load(SeqCst) <= VOLATILE_MAX, "block {now}");
                pace.committed();
            }
            pace.flush(|| Ok::<_, ()>(())).unwrap();
            assert_eq!(pace.counts().durable, 100);
            pace.close();
        });
    }

    #[test]
    fn nobody_waits_for_a_disk_that_failed() {
        let pace = Pace::default();
        std::thread::scope(|scope| {
            scope.spawn(|| pace.work(|| Err("disk full")));
            for _ in 0..3 {
                pace.committed();
            }
            assert!(pace.counts().ended);
        });
    }
}
