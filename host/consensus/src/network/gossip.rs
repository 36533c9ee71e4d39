//! Extrinsics and words about checkpoints on their own channel: what one node takes in or signs, all hear.
//!
//! Validators are all connected with one another, so nothing is passed on: whoever took something in tells it.

use super::Signal;
use super::counters::{Counters, Wrong};
use super::told::{Kind, MESSAGE_BYTES, Told};
use crate::Application;
use commonware_cryptography::ed25519;
use commonware_p2p::{Blocker, Receiver, Recipients, Sender};
use commonware_runtime::{Clock, Handle, Spawner};
use commonware_utils::channel::mpsc;
use parity_scale_codec::Encode;
use runtime_primitives::limits::BLOCK_EXTRINSICS_MAX;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;

/// Messages a second that a node sends at most.
pub(super) const MESSAGES_PER_SECOND: u32 = 128;
/// Bytes that were heard of one peer and wait to be judged: several seconds of the most that a market's day brings.
const PEER_BYTES_MAX: usize = 8 << 20;
/// What an item takes in memory beside its bytes: it is counted as well, or a message of empty ones would be the larger the
/// smaller it is.
const ITEM_BYTES: usize = 64;
/// Extrinsics that may wait to be told.
const WAITING_MAX: usize = 65_536;

/// Tells peers of extrinsics and checkpoints. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gossip(mpsc::Sender<(Kind, Vec<u8>)>);

impl Gossip {
    /// Tell all peers of an extrinsic that was taken in here. If the network cannot keep up it is not told: it then
    /// waits for this node's turn to propose.
    pub fn tell(&self, extrinsic: Vec<u8>) {
        let _ = self.0.try_send((Kind::Extrinsics, extrinsic));
    }

    /// Tell all peers a word about checkpoints. It is lost if the network cannot keep up: the teller repeats itself.
    pub fn tell_checkpoint(&self, word: Vec<u8>) {
        let _ = self.0.try_send((Kind::Checkpoints, word));
    }
}

/// What is to be told.
#[derive(Debug)]
pub struct Outbox(mpsc::Receiver<(Kind, Vec<u8>)>);

/// Both ends.
pub fn gossip() -> (Gossip, Outbox) {
    let (send, receive) = mpsc::channel(WAITING_MAX);
    (Gossip(send), Outbox(receive))
}

/// Send what is to be told, many in a message: peers take only so many a second.
pub async fn tell<E, S>(timer: E, mut outbox: Outbox, mut channel: S)
where
    E: Clock,
    S: Sender<PublicKey = ed25519::PublicKey>,
{
    let mut waiting = None;
    while let Some((kind, first)) = match waiting.take() {
        Some(next) => Some(next),
        None => outbox.0.recv().await,
    } {
        let mut bytes = first.len();
        let mut items = vec![first];
        while bytes < MESSAGE_BYTES
            && items.len() < BLOCK_EXTRINSICS_MAX
            && let Ok((next_kind, next)) = outbox.0.try_recv()
        {
            if next_kind != kind {
                waiting = Some((next_kind, next));
                break;
            }
            bytes += next.len() + size_of::<u32>();
            items.push(next);
        }
        channel.send(Recipients::All, Told { kind, items }.encode(), false);
        timer.sleep(Duration::from_secs(1) / MESSAGES_PER_SECOND).await;
    }
}

/// A message that was heard and waits to be judged.
struct Heard {
    told: Told,
    /// What it takes in memory.
    bytes: usize,
}

impl Heard {
    fn new(told: Told, message_bytes: usize) -> Self {
        let bytes = message_bytes + told.items.len() * ITEM_BYTES;
        Self { told, bytes }
    }
}

/// What was heard, by peer: each has a share of its own, and its turn, so that nobody who tells too much keeps others out.
#[derive(Default)]
struct Waiting {
    peers: BTreeMap<ed25519::PublicKey, (usize, VecDeque<Heard>)>,
    turns: VecDeque<ed25519::PublicKey>,
}

impl Waiting {
    /// Whether there was room for it.
    fn push(&mut self, from: ed25519::PublicKey, heard: Heard) -> bool {
        let (bytes, queue) = self.peers.entry(from.clone()).or_default();
        if *bytes + heard.bytes > PEER_BYTES_MAX {
            return false;
        }
        *bytes += heard.bytes;
        if queue.is_empty() {
            self.turns.push_back(from);
        }
        queue.push_back(heard);
        true
    }

    /// The next peer's oldest message.
    fn pop(&mut self) -> Option<Heard> {
        let from = self.turns.pop_front()?;
        let (bytes, queue) = self.peers.get_mut(&from)?;
        let heard = queue.pop_front()?;
        *bytes -= heard.bytes;
        if queue.is_empty() {
            self.peers.remove(&from);
        } else {
            self.turns.push_back(from);
        }
        Some(heard)
    }
}

/// Hand what peers tell to the application; shut out whoever sends something else. What a peer tells beyond its share of what
/// may wait is dropped: it tells again, or proposes it.
pub async fn hear<E, A, B, R>(
    context: E,
    application: Arc<A>,
    signal: Signal,
    mut blocker: B,
    mut channel: R,
    counters: Arc<Counters>,
) where
    E: Spawner,
    A: Application + 'static,
    B: Blocker<PublicKey = ed25519::PublicKey>,
    R: Receiver<PublicKey = ed25519::PublicKey>,
{
    let mut waiting = Waiting::default();
    let mut judging: Option<Handle<()>> = None;
    loop {
        if judging.is_none()
            && let Some(Heard { told: Told { kind, items }, .. }) = waiting.pop()
        {
            let application = application.clone();
            // Signatures are checked: not on a thread that others wait for.
            let judge = move |_| async move {
                match kind {
                    Kind::Extrinsics => application.hear(items),
                    Kind::Checkpoints => application.hear_checkpoints(items),
                }
            };
            judging = Some(context.child("judge").shared(true).spawn(judge));
        }
        commonware_macros::select! {
            is_well = end_of(&mut judging) => {
                if !is_well {
                    return;
                }
                judging = None;
                signal.raise();
            },
            heard = channel.recv() => {
                let Ok((from, message)) = heard else { return };
                let bytes = message.len();
                let Some(told) = Told::from_bytes(message.as_ref()) else {
                    counters.note(Wrong::Gossip);
                    warn!(peer = %from, bytes, "a peer's gossip is malformed: it is shut out");
                    blocker.block(from);
                    continue;
                };
                if !waiting.push(from, Heard::new(told, bytes)) {
                    counters.note(Wrong::Crowded);
                }
            },
        }
    }
}

/// Wait until what is judged has been, for ever if there is nothing; whether it ended as it should.
async fn end_of(judging: &mut Option<Handle<()>>) -> bool {
    match judging {
        Some(judging) => judging.await.is_ok(),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::EngineSecret;

    #[test]
    fn peers_have_shares_and_turns() {
        let key = |seed| EngineSecret::from_seed([seed; 32]).public().peer().expect("a key");
        let heard = |bytes| Heard::new(Told { kind: Kind::Extrinsics, items: Vec::new() }, bytes);
        let mut waiting = Waiting::default();
        assert!(waiting.push(key(1), heard(PEER_BYTES_MAX - 2)));
        assert!(waiting.push(key(1), heard(2)));
        assert!(!waiting.push(key(1), heard(1)), "its share is full");
        assert!(waiting.push(key(2), heard(3)), "another's is not");
        let mut pop = || waiting.pop().map(|heard| heard.bytes);
        assert_eq!([pop(), pop(), pop(), pop()], [Some(PEER_BYTES_MAX - 2), Some(3), Some(2), None]);
        assert!(waiting.push(key(1), heard(PEER_BYTES_MAX)), "its share is free again");
        assert!(!waiting.push(key(2), heard(PEER_BYTES_MAX + 1)));
    }

    #[test]
    fn items_without_bytes_have_their_share_of_memory() {
        let key = EngineSecret::from_seed([1; 32]).public().peer().expect("a key");
        let items = vec![Vec::new(); BLOCK_EXTRINSICS_MAX];
        let empty = Told { kind: Kind::Extrinsics, items };
        let message_bytes = empty.encode().len();
        let mut waiting = Waiting::default();
        let mut taken = 0;
        while waiting.push(
            key.clone(),
            Heard::new(Told::from_bytes(&empty.encode()).expect("a message"), message_bytes),
        ) {
            taken += 1;
        }
        let memory = taken * BLOCK_EXTRINSICS_MAX * size_of::<Vec<u8>>();
        assert!(taken > 0 && memory <= PEER_BYTES_MAX, "{taken} messages of {memory} bytes");
    }
}
