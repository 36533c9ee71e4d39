//! Says everything many times, votes far ahead of everybody, and tells blocks that nobody asked for.

use super::adding::to_all;
use super::{Adding, BROADCAST, Identity, Kind, Said, VOTE, vote_bytes, vote_of};
use crate::simulator::Dice;
use commonware_codec::Encode as _;
use commonware_consensus::Viewable as _;
use commonware_consensus::simplex::types::{Finalize, Notarize, Nullify, Proposal, Vote};
use commonware_consensus::types::{Epoch, Round, View};
use commonware_cryptography::{Hasher as _, Sha256};
use host_consensus::network::{Carried, Digest};
use runtime_primitives::{Executed, Hash, Height, OrderedBlock, Timestamp};

/// Bytes of an extrinsic that nobody asked for.
const EXTRINSIC_BYTES: usize = 8_000;

/// One whose whole flood is of so many messages.
pub fn new(identity: Identity, mut dice: Dice, messages: u64) -> Adding {
    let repeats = usize::try_from(messages / 250).unwrap();
    Adding::new(identity, Kind::FloodingPeer, messages, move |own, said| {
        let mut all: Vec<Said> = vec![said.clone(); repeats];
        if said.channel == VOTE
            && let Some((epoch, told)) = vote_of(&said.bytes)
        {
            let view = told.view().get();
            all.extend((0..repeats).map(|_| to_all(VOTE, vote(own, &mut dice, epoch, view))));
            all.extend((0..repeats).map(|_| to_all(BROADCAST, block(&mut dice))));
        }
        all
    })
}

/// A vote for nothing, in a view or an epoch that is far off. It votes in none twice, or it would be shut out.
fn vote(own: &Identity, dice: &mut Dice, epoch: u64, view: u64) -> Vec<u8> {
    let epoch = epoch + if dice.one_in(3) { 1 + dice.below(1_000) } else { 0 };
    let view = View::new(view + 1_000 + dice.below(1 << 40));
    let round = Round::new(Epoch::new(epoch), view);
    let payload = Sha256::hash(&[&dice.bytes(8)]);
    let proposal = Proposal::new(round, View::new(view.get() - 1), payload);
    let scheme = &own.scheme;
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
