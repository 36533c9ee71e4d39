//! Durability behind execution: while the next block is executed, the last one is synced to disk.
//!
//! At most two blocks are visible and not yet durable: the one being flushed and the one after it. A crash leaves
//! the last flushed block, whole. Whoever tells others that a block is final calls [`Flusher::settle`] first.

use host_storage::{Store, StoreError};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// A thread that makes committed blocks durable.
pub struct Flusher {
    store: Arc<Store>,
    requests: Option<SyncSender<()>>,
    worker: Option<JoinHandle<()>>,
}

impl Flusher {
    /// Start flushing `store`.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    pub fn new(store: Arc<Store>) -> Self {
        let (requests, waiting) = sync_channel(1);
        let worker = std::thread::Builder::new().name("flusher".to_owned()).spawn({
            let store = store.clone();
            move || work(&store, &waiting)
        });
        let worker = worker.expect("the system can start a thread");
        Self { store, requests: Some(requests), worker: Some(worker) }
    }

    /// A block was committed: make it durable soon. One request that waits covers all blocks before it runs.
    pub fn request(&self) {
        if let Some(requests) = &self.requests {
            // Full: a waiting request covers this block. Closed: the store failed and refuses the next commit.
            let _ = requests.try_send(());
        }
    }

    /// Wait until every committed block is durable.
    ///
    /// # Errors
    /// If the disk fails, now or in an earlier flush.
    pub fn settle(&self) -> Result<(), StoreError> {
        self.store.flush()
    }
}

/// A flush that fails poisons the store, so that the next commit and [`Flusher::settle`] report it.
fn work(store: &Store, waiting: &Receiver<()>) {
    while waiting.recv().is_ok() && store.flush().is_ok() {}
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(worker) = self.worker.take() {
            // The thread has nothing to panic about, and dropping must not.
            let _ = worker.join();
        }
        // The disk's last word; a failure leaves an earlier whole block, which is what a crash would.
        let _ = self.store.flush();
    }
}
