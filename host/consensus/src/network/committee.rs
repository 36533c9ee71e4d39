//! Who orders in an epoch, and whose signatures count there.

use crate::Application;
use bytes::Bytes;
use commonware_codec::{DecodeExt, Encode as _};
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::types::Epoch;
use commonware_cryptography::certificate::{Provider, Scoped};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_utils::ordered::Set;
use commonware_utils::union;
use runtime_primitives::Hash;
use runtime_primitives::limits::{PAST_SETS_MAX, VALIDATORS_MAX};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// An engine's ed25519 public key: its identity towards peers and on votes for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineKey(pub [u8; 32]);

impl EngineKey {
    /// The key of a peer.
    pub(super) fn of(peer: &ed25519::PublicKey) -> Self {
        let mut key = [0; 32];
        key.copy_from_slice(&peer.encode());
        Self(key)
    }

    /// As the library names a peer; `None` if these bytes are no point of the curve.
    pub fn peer(self) -> Option<ed25519::PublicKey> {
        ed25519::PublicKey::decode(Bytes::copy_from_slice(&self.0)).ok()
    }
}

/// An engine's secret key.
#[derive(Clone)]
pub struct EngineSecret(pub(super) ed25519::PrivateKey);

impl EngineSecret {
    /// From its 32 bytes.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let key = ed25519::PrivateKey::decode(Bytes::copy_from_slice(&seed));
        Self(key.expect("every 32 bytes are an ed25519 seed"))
    }

    /// The public half.
    pub fn public(&self) -> EngineKey {
        EngineKey::of(&self.0.public_key())
    }

    /// Sign a statement outside the engine's protocol: a zero byte, the length of no name, and `statement`.
    pub fn sign(&self, statement: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(&self.0.sign(b"", statement).encode());
        signature
    }
}

impl std::fmt::Debug for EngineSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EngineSecret({:?})", self.public())
    }
}

/// A validator as the network knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its engine's key.
    pub key: EngineKey,
    /// Where its engine listens: `host:port`.
    pub address: String,
}

/// Whom a node keeps connections with in an epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    /// Who orders in it or in the next one: they are called.
    pub members: Vec<Member>,
    /// Who ordered before: they may call, to follow the chain.
    pub followers: Vec<Member>,
}

/// What engines speak with one another. It changes whenever one that speaks the old could misunderstand one that speaks the
/// new: they refuse each other.
pub const PROTOCOL: &str = "busbar/engine/v1";

/// Namespace of everything that engines of one chain sign: no message means anything on another chain, or in another protocol.
pub fn namespace(genesis: &Hash) -> Vec<u8> {
    union(PROTOCOL.as_bytes(), &genesis.0)
}

/// An epoch's members, and the scheme to check what they sign.
type Committee = (Vec<Member>, Arc<Scheme>);

/// Epochs whose committees are at hand; others are asked for again.
const EPOCHS_KEPT: usize = 8;

/// What is asked of an application.
trait Ask: Send + Sync {
    fn committee(&self, epoch: u64) -> Option<Vec<Member>>;
    fn may_vote(&self, epoch: u64) -> bool;
}

impl<A: Application> Ask for A {
    fn committee(&self, epoch: u64) -> Option<Vec<Member>> {
        Application::committee(self, epoch)
    }

    fn may_vote(&self, epoch: u64) -> bool {
        Application::may_vote(self, epoch)
    }
}

/// The committee of each epoch, as the application decided it.
#[derive(Clone)]
pub(super) struct Committees {
    application: Arc<dyn Ask>,
    own: EngineSecret,
    namespace: Arc<[u8]>,
    known: Arc<Mutex<BTreeMap<u64, Committee>>>,
}

impl Committees {
    pub fn new<A: Application + 'static>(application: Arc<A>, own: EngineSecret, genesis: &Hash) -> Self {
        Self { application, own, namespace: namespace(genesis).into(), known: Arc::default() }
    }

    /// Members of `epoch`, and the scheme to vote with, or at least to check votes if this node is no member or may not
    /// vote; `None` while it is not known. Asked when the epoch is entered: nobody knows before whether it may.
    pub fn voting(&self, epoch: Epoch) -> Option<(Vec<Member>, Scheme)> {
        let (members, checking) = self.of(epoch)?;
        let signer = || Scheme::signer(&self.namespace, keys(&members), self.own.0.clone());
        let signer = if self.application.may_vote(epoch.get()) { signer() } else { None };
        let scheme = signer.unwrap_or_else(|| (*checking).clone());
        Some((members, scheme))
    }

    /// Members of `epoch` and the scheme to check what they sign; `None` while it is not known.
    pub fn of(&self, epoch: Epoch) -> Option<Committee> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&epoch.get()) {
            return Some(found.clone());
        }
        let members = self.application.committee(epoch.get())?;
        let scheme = Arc::new(Scheme::verifier(&self.namespace, keys(&members)));
        known.insert(epoch.get(), (members.clone(), scheme.clone()));
        while known.len() > EPOCHS_KEPT {
            known.pop_first();
        }
        Some((members, scheme))
    }

    /// Peers of `epoch`: members of the next one are connected before its engine starts, and catch up meanwhile.
    pub fn peers(&self, epoch: Epoch) -> Peers {
        let mut known = BTreeSet::new();
        let mut strangers = |members: Vec<Member>| -> Vec<Member> {
            members.into_iter().filter(|member| known.insert(member.key)).collect()
        };
        let deciding = [epoch, epoch.next()];
        let members = deciding.into_iter().filter_map(|epoch| self.of(epoch)).map(|(members, _)| members);
        let members = strangers(members.flatten().collect());
        let before = (0..epoch.get())
            .rev()
            .take(PAST_SETS_MAX as usize)
            .map_while(|past| self.application.committee(past));
        let mut followers = strangers(before.flatten().collect());
        followers.truncate(VALIDATORS_MAX as usize);
        Peers { members, followers }
    }
}

fn keys(members: &[Member]) -> Set<ed25519::PublicKey> {
    Set::from_iter_dedup(members.iter().filter_map(|member| member.key.peer()))
}

impl Provider for Committees {
    type Scope = Epoch;
    type Scheme = Scheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Scheme>> {
        self.of(epoch).map(|(_, scheme)| Scoped::scheme(scheme))
    }
}
