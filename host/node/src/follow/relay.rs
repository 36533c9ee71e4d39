//! Extrinsics that a follower takes in, told to the nodes it follows: one of them may order, or knows who does.
//!
//! The rule: what cannot be told now is told again while it waits in the pool, so nothing waits here for long.

use host_rpc::{ClientError, RemoteNode};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use tracing::{debug, warn};

/// Extrinsics that may wait to be told.
const WAITING_MAX: usize = 4_096;
/// What still waits in the pool after this time is told again.
const RETELL: Duration = Duration::from_secs(10);
/// A word about nodes that cannot be reached, at most so often.
const SILENCE: Duration = Duration::from_secs(30);

/// The end at which extrinsics are put. Cheap to clone; the relay ends when all are dropped.
#[derive(Clone, Debug)]
pub struct Outbox(SyncSender<Vec<u8>>);

impl Outbox {
    /// Tell of an extrinsic. If nodes cannot keep up it is not told now.
    pub fn tell(&self, extrinsic: &[u8]) {
        match self.0.try_send(extrinsic.to_vec()) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => debug!("the nodes that are followed cannot keep up"),
        }
    }
}

/// Tells extrinsics.
pub struct Relay {
    inbox: Receiver<Vec<u8>>,
    nodes: Vec<RemoteNode>,
    /// The node that took the last one.
    current: usize,
    complained: Option<Instant>,
}

impl Relay {
    /// A relay to `nodes`, the first that can be reached, and its other end.
    pub fn new(nodes: Vec<RemoteNode>) -> (Self, Outbox) {
        let (send, inbox) = sync_channel(WAITING_MAX);
        (Self { inbox, nodes, current: 0, complained: None }, Outbox(send))
    }

    /// Tell until the other end is dropped; `waiting` gives what is to be told again.
    pub fn run(mut self, waiting: impl Fn() -> Vec<Vec<u8>>) {
        let mut told = Instant::now();
        loop {
            match self.inbox.recv_timeout(RETELL) {
                Ok(extrinsic) => self.tell(&extrinsic),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if told.elapsed() >= RETELL {
                waiting().iter().for_each(|extrinsic| self.tell(extrinsic));
                told = Instant::now();
            }
        }
    }

    fn tell(&mut self, extrinsic: &[u8]) {
        let mut is_heard = false;
        for _ in 0..self.nodes.len() {
            let node = &self.nodes[self.current];
            match node.submit(extrinsic) {
                Ok(_) => return,
                // It may have it already, or be one that takes nothing: others are asked, too.
                Err(reason) => {
                    is_heard |= matches!(reason, ClientError::Refused { .. });
                    debug!(node = node.url(), %reason, "an extrinsic was not taken in");
                }
            }
            self.current = (self.current + 1) % self.nodes.len();
        }
        if !is_heard && self.complained.is_none_or(|last| last.elapsed() > SILENCE) {
            warn!("no node that is followed answers: an extrinsic waits here");
            self.complained = Some(Instant::now());
        }
    }
}
