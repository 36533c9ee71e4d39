//! A validator that proposes another block than its engine made, to some of its peers, and votes for both.
//!
//! Votes for its own proposals wait until the engine has also told the block: only then the other one is known.

use super::{BROADCAST, CERTIFICATE, Identity, Liar, Said, VOTE, vote_bytes, vote_of};
use commonware_codec::{Decode as _, Encode as _};
use commonware_consensus::Viewable as _;
use commonware_consensus::simplex::types::{Finalize, Notarize, Proposal, Vote};
use commonware_cryptography::Digestible as _;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::Recipients;
use commonware_runtime::IoBuf;
use host_consensus::network::{Carried, Digest};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// A place in the chain for which two blocks were told.
#[derive(Clone)]
pub struct Fork {
    first: Digest,
    other: Digest,
    /// Who hears of the first one; all others hear of the other one.
    near: Vec<PublicKey>,
}

/// The forks that were told, by either block. Several liars may share them.
pub type Conspiracy = Arc<Mutex<BTreeMap<Digest, Fork>>>;

/// Makes another block of one, and says who still hears of the first.
type Rewrite = Box<dyn FnMut(&Carried) -> Option<(Carried, Vec<PublicKey>)> + Send>;

pub struct Rewriting {
    identity: Identity,
    others: Conspiracy,
    rewrite: Mutex<Rewrite>,
    held: Mutex<Vec<Said>>,
    /// Blocks of others that it voted for.
    passed: Mutex<BTreeSet<Digest>>,
    /// Whether certificates are kept from those who do not hear of the first block.
    secretive: bool,
}

impl Rewriting {
    pub fn new(
        identity: Identity,
        rewrite: impl FnMut(&Carried) -> Option<(Carried, Vec<PublicKey>)> + Send + 'static,
    ) -> Self {
        let rewrite = Mutex::new(Box::new(rewrite) as Rewrite);
        Self {
            identity,
            others: Conspiracy::default(),
            rewrite,
            held: Mutex::default(),
            passed: Mutex::default(),
            secretive: false,
        }
    }

    /// Together with others, who vote for whatever one of them proposes.
    pub fn conspiring(self, others: Conspiracy) -> Self {
        Self { others, secretive: true, ..self }
    }

    /// `first` to those of `to` that hear of a fork's first block, `other` to the rest.
    fn split(&self, said: Said, near: &[PublicKey], first: Vec<u8>, other: Vec<u8>) -> Vec<Said> {
        let asked = match said.to {
            Recipients::All => self.identity.peers.clone(),
            Recipients::Some(keys) => keys,
            Recipients::One(key) => vec![key],
        };
        let (nearby, rest): (Vec<_>, Vec<_>) = asked.into_iter().partition(|peer| near.contains(peer));
        let to = |keys, bytes| Said { channel: said.channel, to: Recipients::Some(keys), bytes };
        vec![to(nearby, first), to(rest, other)]
    }

    fn block(&self, said: Said) -> Vec<Said> {
        let Ok(told) = Carried::decode_cfg(IoBuf::from(said.bytes.clone()), &Carried::limits()) else {
            return vec![said];
        };
        // Passed on, not proposed: others' blocks as they are, those of a fork not at all.
        if self.passed.lock().unwrap().contains(&told.digest()) {
            return vec![said];
        }
        if self.others.lock().unwrap().contains_key(&told.digest()) {
            return vec![];
        }
        let Some((other, near)) = (self.rewrite.lock().unwrap())(&told) else { return vec![said] };
        let fork = Fork { first: told.digest(), other: other.digest(), near };
        let first = said.bytes.clone();
        let mut all = self.split(said, &fork.near, first, other.encode().to_vec());
        self.others.lock().unwrap().extend([(fork.first, fork.clone()), (fork.other, fork)]);
        let held = std::mem::take(&mut *self.held.lock().unwrap());
        all.extend(held.into_iter().flat_map(|vote| self.vote(vote)));
        all
    }

    fn vote(&self, said: Said) -> Vec<Said> {
        let Some((epoch, vote)) = vote_of(&said.bytes) else { return vec![said] };
        let (Vote::Notarize(Notarize { proposal, .. }) | Vote::Finalize(Finalize { proposal, .. })) = &vote
        else {
            return vec![said];
        };
        let Some(fork) = self.others.lock().unwrap().get(&proposal.payload).cloned() else {
            let own = matches!(vote, Vote::Notarize(_)) && self.identity.leads(proposal.round);
            if own {
                let mut held = self.held.lock().unwrap();
                held.retain(|vote| {
                    vote_of(&vote.bytes).is_some_and(|(_, vote)| vote.view() >= proposal.view())
                });
                held.push(said);
                return vec![];
            }
            self.passed.lock().unwrap().insert(proposal.payload);
            return vec![said];
        };
        let votes = [fork.first, fork.other].map(|payload| {
            let proposal = Proposal::new(proposal.round, proposal.parent, payload);
            let scheme = &self.identity.scheme;
            let vote = match vote {
                Vote::Finalize(_) => Finalize::sign(scheme, proposal).map(Vote::Finalize),
                _ => Notarize::sign(scheme, proposal).map(Vote::Notarize),
            };
            vote_bytes(epoch, &vote.unwrap())
        });
        let [first, other] = votes;
        self.split(said, &fork.near, first, other)
    }
}

impl Liar for Rewriting {
    fn say(&self, said: Said) -> Vec<Said> {
        match said.channel {
            BROADCAST => self.block(said),
            VOTE => self.vote(said),
            CERTIFICATE if self.secretive => vec![],
            _ => vec![said],
        }
    }
}
