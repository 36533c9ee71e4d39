//! Votes as everybody does, and says nothing when it is its turn to propose.

use super::{BROADCAST, Identity, Kind, Liar, Said, VOTE, vote_of};
use commonware_consensus::simplex::types::Vote;

pub struct SilentLeader(Identity);

impl SilentLeader {
    pub const fn new(identity: Identity) -> Self {
        Self(identity)
    }
}

impl Liar for SilentLeader {
    fn say(&self, said: Said) -> Vec<Said> {
        let proposes = match said.channel {
            BROADCAST => true,
            VOTE => matches!(
                vote_of(&said.bytes),
                Some((_, Vote::Notarize(vote))) if self.0.leads(vote.proposal.round)
            ),
            _ => false,
        };
        if proposes {
            self.0.audit.lie(Kind::SilentLeader.name());
            return vec![];
        }
        vec![said]
    }
}
