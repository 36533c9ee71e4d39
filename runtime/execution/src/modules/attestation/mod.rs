//! `Attestation`: claims, electorates and votes. Votes are bare extrinsics, valid by their inner signature alone,
//! unique by (claim, entity). A certificate is the set of signatures.
//!
//! Certified iff `100 · pass > 51 · N` with N fixed when the claim opens; an abstention is not a pass.

mod electorate;

use crate::context::Context;
use crate::leaves;
use crate::metadata::Module;
use crate::modules::markets::{self, At, Elector, SlotState};
use crate::modules::registry;
use crate::storage::{Map, storage};
use contract_interface::{Claim, Stage, Vote, vote_message};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::crypto::{Signature, Statement};
use runtime_primitives::{EntityId, Hash, MarketId, MerkleAccumulator, Slot, blake2_256};
use runtime_state::Overlay;
use scale_info::TypeInfo;
use thiserror::Error as ThisError;

/// Calls.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Call {
    /// Vote on a claim; bare.
    Vote {
        /// Who votes.
        voter: EntityId,
        /// The claim with the voter's own result hash.
        claim: Claim,
        /// Over `attest_message`.
        signature: Signature,
    },
}

/// Events.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Event {
    /// A vote counted.
    Voted {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Stage.
        stage: Stage,
        /// Who.
        voter: EntityId,
        /// For which result.
        result: Hash,
    },
    /// A validator signed another result than the chain's: its signature is the evidence.
    Dissent {
        /// Market.
        market: MarketId,
        /// Slot.
        slot: Slot,
        /// Who.
        voter: EntityId,
        /// What it signed.
        signed: Hash,
        /// What the chain has.
        expected: Hash,
    },
}

/// Errors.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum Error {
    /// No claim is open for this market, slot, stage and round.
    #[error("no open claim for stage {stage:?}, round {round} of slot {slot}")]
    NoClaim {
        /// Slot.
        slot: Slot,
        /// Stage.
        stage: Stage,
        /// Round.
        round: u8,
    },
    /// The claim's code, input, epoch or electorate is another.
    #[error("the claim is about another code, input, epoch or electorate than the open one")]
    ClaimMismatch,
    /// The voter is not in the electorate.
    #[error("entity {0} is not an elector of this claim")]
    NotAnElector(EntityId),
    /// The voter has voted.
    #[error("entity {0} has voted on this claim")]
    VotedTwice(EntityId),
    /// The elector's key has expired or was unbound since the slot opened; the elector still counts.
    #[error("the voting key of entity {0} has expired or was removed")]
    ExpiredKey(EntityId),
    /// The elector's proxy when the slot opened is its proxy no longer; the elector still counts.
    #[error("entity {proxy} votes for entity {voter} no longer")]
    RevokedProxy {
        /// The elector.
        voter: EntityId,
        /// Its proxy when the slot opened.
        proxy: EntityId,
    },
    /// The signature does not verify under the elector's key.
    #[error("bad vote signature of entity {0}")]
    BadSignature(EntityId),
}

/// An open claim.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Ballot {
    /// The claim; its result is the chain's own, or zero where voters choose.
    pub claim: Claim,
    /// Size of the electorate.
    pub electors: u32,
    /// The votes, as leaves of the stage.
    pub votes: MerkleAccumulator,
}

/// Key of a ballot.
pub type BallotKey = (MarketId, Slot, Stage, u8);

storage! {
    "Attestation":
    /// Ballots of live slots.
    pub static BALLOTS: Map<BallotKey, Ballot> = "Ballots";
    /// Their votes by result: at most one entry a vote, since a vote that is counted is paid for.
    static TALLIES: Map<(MarketId, Slot, Stage, u8, Hash), u32> = "Tallies";
}

/// The key of a slot's ballot.
pub const fn key(at: At, stage: Stage, round: u8) -> BallotKey {
    (at.0, at.1, stage, round)
}

/// Whether `pass` of `electors` is more than 51 % (formula 5).
pub const fn is_majority(pass: u32, electors: u32) -> bool {
    100 * (pass as u64) > 51 * (electors as u64)
}

/// Open a claim for `electorate`, once; its electorate hash is filled in here. Votes are appended to `votes`: every vote on
/// a stage is a leaf of one tree.
pub fn open(ctx: &mut Context, mut claim: Claim, mut electorate: Vec<Elector>, votes: MerkleAccumulator) {
    electorate.sort_unstable_by_key(|elector| elector.entity);
    let entities: Vec<EntityId> = electorate.iter().map(|elector| elector.entity).collect();
    claim.electorate_hash = blake2_256(&entities.encode());
    let electors = u32::try_from(electorate.len()).expect("entities are numbered with u32");
    let ballot = Ballot { claim, electors, votes };
    let key = (claim.market, claim.slot, claim.stage, claim.round);
    BALLOTS.put(&mut ctx.state, &key, &ballot);
    electorate::seat(&mut ctx.state, key, &electorate);
}

/// Open a second round of the claim's first, for the same electorate and among the same leaves: costs nothing for each
/// elector.
pub fn open_again(ctx: &mut Context, mut claim: Claim) {
    let (market, slot, stage, round) = (claim.market, claim.slot, claim.stage, claim.round);
    let first =
        BALLOTS.get(&ctx.state, &(market, slot, stage, 0)).expect("a first round comes before a second");
    claim.electorate_hash = first.claim.electorate_hash;
    BALLOTS.put(&mut ctx.state, &(market, slot, stage, round), &Ballot { claim, ..first });
}

/// The ballot of a round while votes on it count.
pub fn open_ballot(state: &Overlay, live: &markets::Live, stage: Stage, round: u8) -> Option<Ballot> {
    let is_open = match live.slot.state {
        SlotState::Confirmed => stage == Stage::Authentication,
        SlotState::Voting | SlotState::Disputed => stage == Stage::Certification && round == live.slot.round,
        _ => false,
    };
    if is_open { BALLOTS.get(state, &key(live.at, stage, round)) } else { None }
}

/// The electorate of a round, ascending by entity. Cost grows with it: for views, not for the block path.
pub fn electors(state: &Overlay, at: At, stage: Stage, round: u8) -> Vec<Elector> {
    electorate::all(state, key(at, stage, round)).into_iter().map(|seat| seat.elector).collect()
}

/// As [`electors`], of those who have not voted.
pub fn waiting(state: &Overlay, at: At, stage: Stage, round: u8) -> Vec<Elector> {
    let seats = electorate::all(state, key(at, stage, round)).into_iter();
    seats.filter(|seat| !seat.has_voted(round)).map(|seat| seat.elector).collect()
}

/// Whether an entity may vote in a round.
pub fn is_elector(state: &Overlay, at: At, stage: Stage, round: u8, entity: EntityId) -> bool {
    electorate::find(state, key(at, stage, round), entity).is_some()
}

/// The result the chain itself has, zero where voters choose.
pub fn expected(state: &Overlay, at: At, stage: Stage) -> Hash {
    BALLOTS.get(state, &key(at, stage, 0)).map_or(Hash::ZERO, |ballot| ballot.claim.result_hash)
}

/// Whether `result` has its majority.
pub fn passed(state: &Overlay, at: At, stage: Stage, round: u8, result: &Hash) -> bool {
    let Some(ballot) = BALLOTS.get(state, &key(at, stage, round)) else { return false };
    is_majority(TALLIES.get_or_default(state, &(at.0, at.1, stage, round, *result)), ballot.electors)
}

/// The votes of a round as leaves.
pub fn votes(state: &Overlay, at: At, stage: Stage, round: u8) -> MerkleAccumulator {
    BALLOTS.get(state, &key(at, stage, round)).map(|ballot| ballot.votes).unwrap_or_default()
}

/// Drop the ballots of a settled slot.
pub fn forget(state: &mut Overlay, at: At) {
    BALLOTS.clear_under(state, &at, usize::MAX);
    TALLIES.clear_under(state, &at, usize::MAX);
    electorate::forget(state, at);
}

/// The statement a vote's signature makes, if the voter is an elector.
pub fn vote_statement(
    state: &Overlay,
    genesis: &Hash,
    voter: EntityId,
    claim: &Claim,
    signature: Signature,
) -> Option<Statement> {
    let seat = electorate::find(state, (claim.market, claim.slot, claim.stage, claim.round), voter)?;
    let Elector { key, proxy, .. } = seat.elector;
    Some(Statement { signer: key, message: vote_message(genesis, claim, voter, proxy), signature })
}

/// Count a vote.
///
/// # Errors
/// One per rule; see [`Error`].
pub fn vote(ctx: &mut Context, voter: EntityId, claim: &Claim, signature: Signature) -> Result<(), Error> {
    let (market, slot, stage, round) = (claim.market, claim.slot, claim.stage, claim.round);
    let key = (market, slot, stage, round);
    let no_claim = Error::NoClaim { slot, stage, round };
    let live = markets::live(&ctx.state, (market, slot)).map_err(|_| no_claim.clone())?;
    let mut ballot = open_ballot(&ctx.state, &live, stage, round).ok_or(no_claim)?;
    if (Claim { result_hash: ballot.claim.result_hash, ..*claim }) != ballot.claim {
        return Err(Error::ClaimMismatch);
    }
    let seat = electorate::find(&ctx.state, key, voter).ok_or(Error::NotAnElector(voter))?;
    if seat.has_voted(round) {
        return Err(Error::VotedTwice(voter));
    }
    let by_entities = stage == Stage::Certification && round != markets::lists::DISPUTE_ROUND;
    let Elector { key: signer, proxy, .. } = seat.elector;
    if by_entities {
        check_key(ctx, &seat.elector)?;
    }
    let message = vote_message(&ctx.env.genesis, claim, voter, proxy);
    let statement = Statement { signer, message, signature };
    if !ctx.verifier.verify(&statement) {
        return Err(Error::BadSignature(voter));
    }
    electorate::mark(&mut ctx.state, key, voter);
    let tally = (market, slot, stage, round, claim.result_hash);
    let count = TALLIES.get_or_default(&ctx.state, &tally) + 1;
    TALLIES.put(&mut ctx.state, &tally, &count);
    let record = Vote { voter, key: signer, proxy, claim: *claim, signature: signature.0 };
    let leaf = record.encode();
    let leaf_index = ballot.votes.push(&leaf);
    ctx.archive(leaves::single((market, slot), stage, leaf_index, leaf));
    BALLOTS.put(&mut ctx.state, &key, &ballot);
    ctx.emit(Event::Voted { market, slot, stage, voter, result: claim.result_hash });
    conclude(ctx, live, &ballot, voter, claim.result_hash, count);
    Ok(())
}

/// The key pinned for an elector is still its own, or still that of its proxy.
fn check_key(ctx: &Context, elector: &Elector) -> Result<(), Error> {
    let Elector { entity: voter, key, proxy } = *elector;
    let holder = proxy.unwrap_or(voter);
    let bound = registry::binding(&ctx.state, &key, ctx.env.now);
    bound.filter(|bound| bound.entity == holder).ok_or(Error::ExpiredKey(voter))?;
    let named = registry::entity(&ctx.state, voter).ok().and_then(|entity| entity.proxy);
    match proxy {
        Some(proxy) if named != Some(proxy) => Err(Error::RevokedProxy { voter, proxy }),
        _ => Ok(()),
    }
}

/// Tell the market when a result has its majority, and everybody when a validator signed something else.
fn conclude(
    ctx: &mut Context,
    mut live: markets::Live,
    ballot: &Ballot,
    voter: EntityId,
    result: Hash,
    count: u32,
) {
    let (market, slot) = live.at;
    let won = is_majority(count, ballot.electors);
    if ballot.claim.stage == Stage::Authentication {
        let expected = ballot.claim.result_hash;
        if result != expected {
            ctx.emit(Event::Dissent { market, slot, voter, signed: result, expected });
        } else if won {
            let now = ctx.env.now;
            markets::slots::set_due(ctx, &mut live, Some(now));
        }
    } else if won && live.slot.chosen.is_none() && markets::lists::is_posted(&ctx.state, live.at, &result) {
        markets::lists::choose(ctx, &mut live, result);
    }
}

/// What clients see of the module.
pub(crate) fn describe() -> Module {
    Module::new("Attestation", 7)
        .storage(storage())
        .storage(electorate::storage())
        .calls::<Call>()
        .events::<Event>()
        .errors::<Error>()
}
