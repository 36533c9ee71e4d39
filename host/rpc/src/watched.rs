//! Extrinsics that somebody waits for. Each block's receipts are read once, however many wait.

use crate::door::Door;
use crate::view::NodeView;
use host_storage::Snapshot;
use parity_scale_codec::Decode;
use runtime_execution::{Outcome, Receipt};
use runtime_primitives::{Hash, Height};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Blocks for which an extrinsic may be neither in the pool nor in a block: it may be in one that is not durable yet.
const MISSED_MAX: u8 = 16;

/// What became of an extrinsic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is in this block.
    Included(Hash),
    /// It was ordered, and could not be applied.
    Skipped,
    /// The pool let go of it.
    Dropped,
}

/// Those who wait for one extrinsic.
#[derive(Default)]
struct Waiting {
    tell: Vec<oneshot::Sender<Fate>>,
    /// Whether the pool has taken it.
    is_taken: bool,
    missed: u8,
}

/// Who waits for which extrinsic.
#[derive(Default)]
pub struct Watched(Mutex<HashMap<Hash, Waiting>>);

impl Watched {
    fn all(&self) -> MutexGuard<'_, HashMap<Hash, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wait for an extrinsic that is about to be submitted.
    pub fn watch(&self, extrinsic: Hash) -> oneshot::Receiver<Fate> {
        let (tell, told) = oneshot::channel();
        self.all().entry(extrinsic).or_default().tell.push(tell);
        told
    }

    /// The pool has it.
    pub fn taken(&self, extrinsic: &Hash) {
        if let Some(waiting) = self.all().get_mut(extrinsic) {
            waiting.is_taken = true;
        }
    }

    /// Let go of it if nobody waits for it any more: who is refused leaves nothing, also where no block comes.
    pub fn forget(&self, extrinsic: &Hash) {
        let mut all = self.all();
        if let Some(waiting) = all.get_mut(extrinsic) {
            waiting.tell.retain(|tell| !tell.is_closed());
            if waiting.tell.is_empty() {
                all.remove(extrinsic);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    fn tell(&self, extrinsic: &Hash, fate: Fate) {
        let waiting = self.all().remove(extrinsic);
        // Whoever has gone does not listen any more.
        waiting.into_iter().flat_map(|waiting| waiting.tell).for_each(|tell| _ = tell.send(fate));
    }

    /// Tell what a block brought. A block that cannot be read tells nothing: the node's disk is at an end.
    fn look_at(&self, snapshot: &Snapshot, height: Height) {
        let Ok(Some(header)) = snapshot.header(height) else { return };
        let Ok(Some(receipts)) = snapshot.receipts(height) else { return };
        let Ok(receipts) = Vec::<Receipt>::decode(&mut &receipts[..]) else { return };
        let hash = header.hash();
        for receipt in receipts {
            let fate = match receipt.outcome {
                Outcome::Applied { .. } | Outcome::Failed { .. } => Fate::Included(hash),
                Outcome::Skipped { .. } => Fate::Skipped,
            };
            self.tell(&receipt.extrinsic, fate);
        }
    }

    /// Forget those that nobody waits for any more, and tell of those that the pool let go of.
    fn sweep(&self, waits: impl Fn(&Hash) -> bool) {
        self.all().retain(|extrinsic, waiting| {
            waiting.tell.retain(|tell| !tell.is_closed());
            waiting.missed = if !waiting.is_taken || waits(extrinsic) { 0 } else { waiting.missed + 1 };
            if waiting.missed > MISSED_MAX {
                waiting.tell.drain(..).for_each(|tell| _ = tell.send(Fate::Dropped));
            }
            !waiting.tell.is_empty()
        });
    }
}

/// Look at every block that becomes durable from now on.
pub async fn follow<V: NodeView>(door: Arc<Door<V>>) {
    let mut heads = door.view.heads().listen();
    let mut last = *heads.borrow_and_update();
    while heads.changed().await.is_ok() {
        let to = *heads.borrow_and_update();
        let first = std::mem::replace(&mut last, to).next();
        if door.watched.is_empty() {
            continue;
        }
        let door = door.clone();
        let look = move || {
            let snapshot = door.view.snapshot();
            for number in first.number()..=to.number() {
                door.watched.look_at(&snapshot, Height::from_number(number));
            }
            door.watched.sweep(|extrinsic| door.view.waits(extrinsic));
        };
        if tokio::task::spawn_blocking(look).await.is_err() {
            return;
        }
    }
}
