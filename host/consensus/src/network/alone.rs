//! The engine on a disk and no socket: where one node orders alone, nobody is called and nobody can call.

use super::committee::Peers;
use super::wiring::Channels;
use commonware_actor::{Feedback, Unreliable};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{
    BlockedSubscription, Blocker, CheckedSender, LimitedSender, Message, PeerSetSubscription, PeerSetUpdate,
    Provider, Receiver, Recipients, TrackedPeers,
};
use commonware_runtime::IoBufs;
use commonware_utils::NZUsize;
use commonware_utils::channel::{mpsc, ring};
use commonware_utils::ordered::Set;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::time::SystemTime;
use tracing::warn;

/// The network of a node that has none: itself the only peer, and no message comes or goes.
#[derive(Clone, Debug)]
pub(super) struct Nobody {
    own: PublicKey,
    /// What was subscribed to stays open, without news.
    subscribed: Vec<mpsc::UnboundedSender<PeerSetUpdate<PublicKey>>>,
}

impl Nobody {
    pub const fn but(own: PublicKey) -> Self {
        Self { own, subscribed: Vec::new() }
    }

    /// All channels of an engine.
    pub fn channels(&self) -> Channels<Self, Self> {
        let channel = || (self.clone(), self.clone());
        Channels {
            vote: channel(),
            certificate: channel(),
            resolver: channel(),
            broadcast: channel(),
            backfill: channel(),
        }
    }

    fn peers(&self) -> TrackedPeers<PublicKey> {
        TrackedPeers::primary(Set::from_iter_dedup([self.own.clone()]))
    }

    /// Say so if an epoch, or the next one, needs others.
    pub fn look_for(&self, epoch: u64, peers: &Peers) {
        let others = peers.members.iter().filter(|member| member.key.peer().as_ref() != Some(&self.own));
        let others = others.count();
        if others > 0 {
            warn!(
                epoch,
                others,
                "other validators order from this epoch or the next one on, and this node cannot be reached: start \
                 it with --listen"
            );
        }
    }
}

impl Provider for Nobody {
    type PublicKey = PublicKey;

    async fn peer_set(&mut self, _: u64) -> Option<TrackedPeers<PublicKey>> {
        Some(self.peers())
    }

    async fn subscribe(&mut self) -> PeerSetSubscription<PublicKey> {
        let (send, receive) = mpsc::unbounded_channel();
        // The receiver is still here.
        let _ = send.send(PeerSetUpdate { index: 0, latest: self.peers(), all: self.peers() });
        self.subscribed.push(send);
        receive
    }
}

impl Blocker for Nobody {
    type PublicKey = PublicKey;

    fn block(&mut self, _: PublicKey) -> Feedback {
        Feedback::Ok
    }

    fn blocked(&mut self) -> BlockedSubscription<PublicKey> {
        ring::channel(NZUsize!(1)).1
    }
}

impl LimitedSender for Nobody {
    type PublicKey = PublicKey;
    type Checked<'a> = Self;

    fn check(&mut self, _: Recipients<PublicKey>) -> Result<Self, SystemTime> {
        Ok(self.clone())
    }
}

impl CheckedSender for Nobody {
    type PublicKey = PublicKey;

    fn recipients(&self) -> Vec<PublicKey> {
        Vec::new()
    }

    fn send(self, _: impl Into<IoBufs> + Send, _: bool) -> Unreliable<Feedback> {
        Unreliable::new(Feedback::Ok)
    }
}

impl Receiver for Nobody {
    type Error = Infallible;
    type PublicKey = PublicKey;

    async fn recv(&mut self) -> Result<Message<PublicKey>, Infallible> {
        std::future::pending().await
    }

    fn capacity(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }
}
