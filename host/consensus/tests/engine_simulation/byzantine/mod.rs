//! Validators that lie. Each runs the real engine, and whatever that says passes through a liar before it is sent: lies
//! are signed, well-timed and on the right channels. What a liar's own node believes is nobody's concern.

mod adding;
pub mod equivocator;
mod finality_withholder;
mod flooding_peer;
mod invalid_block_proposer;
mod malformed_messages;
mod oversized_messages;
mod rewriting;
mod silent_leader;
mod time_warping_leader;
mod wrong_executed;

pub use adding::Adding;
pub use rewriting::{Conspiracy, Rewriting};

use crate::audit::Audit;
use crate::faults::Faults;
use crate::simulator::Dice;
use commonware_actor::{Feedback, Unreliable};
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_consensus::simplex::elector::{Config as _, Elector as _, RoundRobin, RoundRobinElector};
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::simplex::types::Vote;
use commonware_consensus::types::{Participant, Round};
use commonware_cryptography::Sha256;
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_p2p::utils::mux;
use commonware_p2p::{CheckedSender, LimitedSender, Recipients, Sender as _, simulated};
use commonware_runtime::{IoBuf, IoBufs, deterministic};
use commonware_utils::ordered::Set;
use host_consensus::network::{Digest, namespace};
use runtime_primitives::Hash;
use std::sync::Arc;
use std::time::SystemTime;

/// Ways to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Equivocator,
    SilentLeader,
    InvalidBlockProposer,
    TimeWarpingLeader,
    WrongExecuted,
    FloodingPeer,
    OversizedMessages,
    MalformedMessages,
    FinalityWithholder,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Equivocator,
        Self::SilentLeader,
        Self::InvalidBlockProposer,
        Self::TimeWarpingLeader,
        Self::WrongExecuted,
        Self::FloodingPeer,
        Self::OversizedMessages,
        Self::MalformedMessages,
        Self::FinalityWithholder,
    ];

    /// As lies of this kind are counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equivocator => "equivocator",
            Self::SilentLeader => "silent leader",
            Self::InvalidBlockProposer => "invalid-block proposer",
            Self::TimeWarpingLeader => "time-warping leader",
            Self::WrongExecuted => "wrong executed header",
            Self::FloodingPeer => "flooding peer",
            Self::OversizedMessages => "oversized messages",
            Self::MalformedMessages => "malformed messages",
            Self::FinalityWithholder => "finality withholder",
        }
    }

    pub fn liar(self, identity: Identity, mut dice: Dice, faults: &Faults) -> Arc<dyn Liar> {
        let channel = faults.attacked.unwrap_or_else(|| dice.index(CHANNELS));
        match self {
            Self::Equivocator => Arc::new(equivocator::new(identity, dice)),
            Self::SilentLeader => Arc::new(silent_leader::SilentLeader::new(identity)),
            Self::InvalidBlockProposer => Arc::new(invalid_block_proposer::new(identity, dice)),
            Self::TimeWarpingLeader => Arc::new(time_warping_leader::new(identity, dice)),
            Self::WrongExecuted => Arc::new(wrong_executed::new(identity)),
            Self::FinalityWithholder => Arc::new(finality_withholder::FinalityWithholder::new(identity)),
            Self::FloodingPeer => Arc::new(flooding_peer::new(identity, dice, faults.flood)),
            Self::OversizedMessages => Arc::new(oversized_messages::new(identity, dice, channel)),
            Self::MalformedMessages => Arc::new(malformed_messages::new(identity, dice, channel)),
        }
    }
}

/// Channels by their numbers, in the order of `Channels::of`.
pub const VOTE: usize = 0;
pub const CERTIFICATE: usize = 1;
pub const RESOLVER: usize = 2;
pub const BROADCAST: usize = 3;
pub const BACKFILL: usize = 4;
pub const CHANNELS: usize = 5;

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Said {
    pub channel: usize,
    pub to: Recipients<PublicKey>,
    pub bytes: Vec<u8>,
}

/// Stands between a validator's engine and the network.
pub trait Liar: Send + Sync {
    /// What is sent instead of `said`.
    fn say(&self, said: Said) -> Vec<Said>;
}

/// Who a liar is, and what it needs to sign.
#[derive(Clone)]
pub struct Identity {
    pub audit: Arc<Audit>,
    /// All validators but this one.
    pub peers: Vec<PublicKey>,
    /// What the network carries, in bytes.
    pub message_bytes: usize,
    me: Participant,
    scheme: Scheme,
    elector: RoundRobinElector<Scheme>,
}

impl Identity {
    /// The validator at `index` of `all`, whose key is made from `seed`.
    pub fn new(
        audit: Arc<Audit>,
        seed: [u8; 32],
        index: usize,
        all: &[PublicKey],
        genesis: &Hash,
        message_bytes: usize,
    ) -> Self {
        let keys = Set::from_iter_dedup(all.iter().cloned());
        let secret = PrivateKey::decode(IoBuf::from(seed.to_vec())).unwrap();
        let peers = all.iter().enumerate().filter(|(other, _)| *other != index);
        Self {
            audit,
            peers: peers.map(|(_, key)| key.clone()).collect(),
            message_bytes,
            me: Participant::from_usize(index),
            elector: RoundRobin::<Sha256>::default().build(&keys),
            scheme: Scheme::signer(&namespace(genesis), keys, secret).unwrap(),
        }
    }

    fn leads(&self, round: Round) -> bool {
        self.elector.elect(round, ()) == self.me
    }
}

/// A vote as it is sent: behind its epoch.
fn vote_of(bytes: &[u8]) -> Option<(u64, Vote<Scheme, Digest>)> {
    let (epoch, vote) = mux::parse(IoBuf::from(bytes.to_vec())).ok()?;
    Some((epoch, Vote::decode(vote).ok()?))
}

fn vote_bytes(epoch: u64, vote: &Vote<Scheme, Digest>) -> Vec<u8> {
    let mut bytes = commonware_codec::varint::UInt(epoch).encode().to_vec();
    bytes.extend_from_slice(&vote.encode());
    bytes
}

type Pipe = simulated::Sender<PublicKey, deterministic::Context>;

/// A validator's way to the network: straight, or through its liar.
#[derive(Clone)]
pub struct Wire {
    number: usize,
    pipes: Vec<Pipe>,
    liar: Option<Arc<dyn Liar>>,
}

impl Wire {
    /// One for each channel.
    pub fn all(pipes: &[Pipe], liar: Option<&Arc<dyn Liar>>) -> Vec<Self> {
        let wire = |number| Self { number, pipes: pipes.to_vec(), liar: liar.cloned() };
        (0..pipes.len()).map(wire).collect()
    }
}

impl LimitedSender for Wire {
    type PublicKey = PublicKey;
    type Checked<'a> = Saying<'a>;

    fn check(&mut self, recipients: Recipients<PublicKey>) -> Result<Saying<'_>, SystemTime> {
        if let Some(liar) = &self.liar {
            return Ok(Saying::Lie { liar, to: recipients, channel: self.number, pipes: self.pipes.clone() });
        }
        self.pipes[self.number].check(recipients).map(Saying::Truth)
    }
}

/// One message.
pub enum Saying<'a> {
    Truth(<Pipe as LimitedSender>::Checked<'a>),
    Lie { liar: &'a Arc<dyn Liar>, to: Recipients<PublicKey>, channel: usize, pipes: Vec<Pipe> },
}

impl CheckedSender for Saying<'_> {
    type PublicKey = PublicKey;

    fn recipients(&self) -> Vec<PublicKey> {
        match self {
            Self::Truth(checked) => checked.recipients(),
            Self::Lie { to: Recipients::Some(keys), .. } => keys.clone(),
            Self::Lie { to: Recipients::One(key), .. } => vec![key.clone()],
            Self::Lie { to: Recipients::All, .. } => vec![],
        }
    }

    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        match self {
            Self::Truth(checked) => checked.send(message, priority),
            Self::Lie { liar, to, channel, mut pipes } => {
                let bytes = message.into().coalesce().as_ref().to_vec();
                for said in liar.say(Said { channel, to, bytes }) {
                    pipes[said.channel].send(said.to, said.bytes, priority);
                }
                Unreliable::new(Feedback::Ok)
            }
        }
    }
}
