//! Says everything many times, votes far ahead of everybody, and tells blocks that nobody asked for.

use super::{BROADCAST, Identity, Kind, Liar, Said, VOTE, vote_bytes, vote_of};
use crate::dice::Dice;
use commonware_codec::Encode as _;
use commonware_consensus::simplex::types::{Finalize, Notarize, Nullify, Proposal, Vote};
use commonware_consensus::types::{Epoch, Round, View};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_p2p::Recipients;
use host_consensus::network::{Carried, Digest};
use runtime_primitives::{Executed, Hash, Height, OrderedBlock, Timestamp};
use std::sync::Mutex;

/// Bytes of an extrinsic that nobody asked for.
const EXTRINSIC_BYTES: usize = 8_000;

pub struct FloodingPeer {
    identity: Identity,
    /// Messages of the whole flood.
    messages: u64,
    /// Chance, and how many messages are sent.
    flood: Mutex<(Dice, u64)>,
}

impl FloodingPeer {
    pub const fn new(identity: Identity, dice: Dice, messages: u64) -> Self {
        Self { identity, messages, flood: Mutex::new((dice, 0)) }
    }

    /// A vote for nothing, in a view or an epoch that is far off. It votes in none twice, or it would be shut out.
    fn vote(&self, dice: &mut Dice, epoch: u64, view: u64) -> Vec<u8> {
        let epoch = epoch + if dice.one_in(3) { 1 + dice.below(1_000) } else { 0 };
        let view = View::new(view + 1_000 + dice.below(1 << 40));
        let round = Round::new(Epoch::new(epoch), view);
        let payload = Sha256::hash(&[&dice.bytes(8)]);
        let proposal = Proposal::new(round, View::new(view.get() - 1), payload);
        let scheme = &self.identity.scheme;
        let vote = match dice.below(3) {
            0 => Notarize::sign(scheme, proposal).map(Vote::Notarize),
            1 => Finalize::sign(scheme, proposal).map(Vote::Finalize),
            _ => Nullify::sign::<Digest>(scheme, round).map(Vote::Nullify),
        };
        vote_bytes(epoch, &vote.unwrap())
    }

    /// A block on a parent that nobody has.
    fn block(dice: &mut Dice) -> Vec<u8> {
        let height = Height::from_number(dice.below(1 << 20));
        let executed = Executed { height, header_hash: Hash::ZERO };
        let timestamp = Timestamp::from_ms(dice.next());
        let block = OrderedBlock { height, executed, timestamp, extrinsics: vec![vec![7; EXTRINSIC_BYTES]] };
        Carried::new(Sha256::hash(&[&dice.bytes(8)]), block).encode().to_vec()
    }
}

impl Liar for FloodingPeer {
    fn say(&self, said: Said) -> Vec<Said> {
        let mut flood = self.flood.lock().unwrap();
        let (dice, sent) = &mut *flood;
        if *sent >= self.messages {
            return vec![said];
        }
        let repeats = usize::try_from(self.messages / 250).unwrap();
        let mut all = vec![said.clone(); 1 + repeats];
        let to_all = |channel, bytes| Said { channel, to: Recipients::All, bytes };
        if said.channel == VOTE
            && let Some((epoch, vote)) = vote_of(&said.bytes)
        {
            use commonware_consensus::Viewable as _;
            let view = vote.view().get();
            all.extend((0..repeats).map(|_| to_all(VOTE, self.vote(dice, epoch, view))));
            all.extend((0..repeats).map(|_| to_all(BROADCAST, Self::block(dice))));
        }
        *sent += all.len() as u64;
        self.identity.audit.lie(Kind::FloodingPeer.name());
        all
    }
}
