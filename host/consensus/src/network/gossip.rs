//! Extrinsics and words about checkpoints on their own channel: what one node takes in or signs, all hear.
//!
//! Validators are all connected with one another, so nothing is passed on: whoever took something in tells it.

use super::Signal;
use crate::Application;
use commonware_cryptography::ed25519;
use commonware_p2p::{Blocker, Receiver, Recipients, Sender};
use commonware_runtime::Spawner;
use commonware_utils::channel::mpsc;
use parity_scale_codec::{Decode, DecodeAll, Encode};
use runtime_primitives::limits::{BLOCK_EXTRINSICS_MAX, EXTRINSIC_BYTES_MAX};
use std::sync::Arc;
use tracing::warn;

/// Bytes of a message at which nothing more is added to it.
const MESSAGE_BYTES: usize = 128 << 10;
/// The largest message: full but for one byte, and then the largest extrinsic. Lengths included.
pub(super) const MESSAGE_BYTES_MAX: usize = MESSAGE_BYTES + EXTRINSIC_BYTES_MAX + 16;
/// Extrinsics that may wait to be told.
const WAITING_MAX: usize = 65_536;

/// What nodes tell one another, many of a kind in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
enum Kind {
    #[codec(index = 0)]
    Extrinsics,
    #[codec(index = 1)]
    Checkpoints,
}

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

/// Send what is to be told, many in a message.
pub async fn tell<S: Sender<PublicKey = ed25519::PublicKey>>(mut outbox: Outbox, mut channel: S) {
    let mut waiting = None;
    while let Some((kind, first)) = match waiting.take() {
        Some(next) => Some(next),
        None => outbox.0.recv().await,
    } {
        let mut bytes = first.len();
        let mut message = vec![first];
        while bytes < MESSAGE_BYTES
            && message.len() < BLOCK_EXTRINSICS_MAX
            && let Ok((next_kind, next)) = outbox.0.try_recv()
        {
            if next_kind != kind {
                waiting = Some((next_kind, next));
                break;
            }
            bytes += next.len() + size_of::<u32>();
            message.push(next);
        }
        channel.send(Recipients::All, (kind, message).encode(), false);
    }
}

/// Hand what peers tell to the application; shut out whoever sends something else.
pub async fn hear<E, A, B, R>(context: E, application: Arc<A>, signal: Signal, mut blocker: B, mut channel: R)
where
    E: Spawner,
    A: Application + 'static,
    B: Blocker<PublicKey = ed25519::PublicKey>,
    R: Receiver<PublicKey = ed25519::PublicKey>,
{
    while let Ok((from, message)) = channel.recv().await {
        let Some((kind, told)) = decode(message.as_ref()) else {
            warn!(peer = %from, bytes = message.len(), "a peer's gossip is malformed: it is shut out");
            blocker.block(from);
            continue;
        };
        let application = application.clone();
        // Signatures are checked: not on a thread that others wait for.
        let hear = move |_| async move {
            match kind {
                Kind::Extrinsics => application.hear(told),
                Kind::Checkpoints => application.hear_checkpoints(told),
            }
        };
        let heard = context.child("hear").shared(true).spawn(hear);
        if heard.await.is_err() {
            return;
        }
        signal.raise();
    }
}

fn decode(message: &[u8]) -> Option<(Kind, Vec<Vec<u8>>)> {
    if message.len() > MESSAGE_BYTES_MAX {
        return None;
    }
    let (kind, told) = <(Kind, Vec<Vec<u8>>)>::decode_all(&mut &message[..]).ok()?;
    let fits = told.len() <= BLOCK_EXTRINSICS_MAX && told.iter().all(|one| one.len() <= EXTRINSIC_BYTES_MAX);
    fits.then_some((kind, told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_too_many_or_malformed_is_no_gossip() {
        let lists = |count, bytes| (Kind::Extrinsics, vec![vec![7u8; bytes]; count]).encode();
        let largest = [lists(1, EXTRINSIC_BYTES_MAX), lists(BLOCK_EXTRINSICS_MAX, 1), lists(0, 0)];
        assert!(largest.iter().all(|message| decode(message).is_some()));
        let refused = [
            lists(1, EXTRINSIC_BYTES_MAX + 1),
            lists(BLOCK_EXTRINSICS_MAX + 1, 1),
            vec![0; MESSAGE_BYTES_MAX + 1],
            vec![],
            vec![0, 4],
            vec![0, 0, 0],
            vec![2, 0],
            u32::MAX.encode(),
        ];
        for message in refused {
            let bytes = message.len();
            assert!(decode(&message).is_none(), "{bytes} bytes");
        }
    }

    #[test]
    fn a_message_takes_what_waits_and_stays_decodable() {
        // Full but for one byte, and then the largest there is: the sender adds nothing to more than that.
        let mut message = vec![vec![1u8; MESSAGE_BYTES - 1]];
        message.push(vec![2; EXTRINSIC_BYTES_MAX]);
        let told = (Kind::Checkpoints, message);
        assert_eq!(decode(&told.encode()), Some(told));
    }
}
