//! Execution lists, votes and settlements that do not count.

use super::scenes::{BUYER, BYSTANDER, SELLER, Scene};
use super::{Attempt, Row, Wrong, row};
use busbar_tests::world::{FIRST, MARKET, World, entities};
use contract_interface::{Claim, ExecutionEntry, ExecutionList, ReadingStatus, Stage, attest_message};
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::attestation::{self, Error as VoteError};
use runtime_execution::modules::markets::{self, Error, SlotState};
use runtime_execution::modules::registry;
use runtime_primitives::limits::EXECUTION_LISTS_MAX;
use runtime_primitives::{EntityId, Hash, Slot};

fn list_by(world: &World, signer: &host_node::keys::Signer, list: ExecutionList, wrong: Error) -> Attempt {
    let call = Call::Markets(markets::Call::PostList { market: MARKET, slot: FIRST, list });
    (world.chain.signed(signer, &call), wrong.into())
}

fn list(world: &World, list: ExecutionList, wrong: Error) -> Attempt {
    list_by(world, world.platform(), list, wrong)
}

/// The platform's list by these revisions, said to be everybody's latest.
fn revisions(world: &World, revisions: &[u16], wrong: Error) -> Attempt {
    let (list, revisions) = (world.latest_list(FIRST).hash(), revisions.to_vec());
    let call = markets::Call::PostRevisions { market: MARKET, slot: FIRST, list, revisions };
    (world.chain.signed(world.platform(), &Call::Markets(call)), wrong.into())
}

const fn validator() -> EntityId {
    EntityId::from_number(entities::VALIDATOR)
}

/// A vote with this signature's bytes and claim.
fn vote(call: attestation::Call, wrong: VoteError) -> Attempt {
    (UncheckedExtrinsic::bare(&Call::Attestation(call)), Wrong::from(wrong))
}

/// A vote signed by somebody's key for an entity that may be no elector.
fn forged(
    world: &World,
    voter: EntityId,
    claim: Claim,
    signer: &host_node::keys::Signer,
) -> attestation::Call {
    let signature = signer.sign(&attest_message(&world.chain.genesis, &claim));
    attestation::Call::Vote { voter, claim, signature }
}

pub fn rows() -> Vec<Row> {
    let mut rows = lists();
    rows.extend(lists_by_revisions());
    rows.extend(stage_3());
    rows.extend(stage_5());
    rows.extend(proxies());
    rows.extend(settlements());
    rows
}

fn lists_by_revisions() -> Vec<Row> {
    vec![
        row("revisions of too few meters", Scene::Voting, |world| {
            revisions(world, &[0, 0], Error::ListIncomplete { expected: 3, got: 2 })
        }),
        row("revisions of too many meters", Scene::Voting, |world| {
            revisions(world, &[0, 0, 0, 0], Error::ListIncomplete { expected: 3, got: 4 })
        }),
        row("revision that nobody posted", Scene::Voting, |world| {
            revisions(world, &[0, 1, 0], Error::UnpostedReading(runtime_primitives::MeterId::from_number(1)))
        }),
        row("revisions before the vote", Scene::Certified, |world| {
            revisions(world, &[0, 0, 0], Error::UnpostedReading(runtime_primitives::MeterId::from_number(0)))
        }),
        row("revisions of another list", Scene::Voting, |world| {
            let first = world.latest_list(FIRST).hash();
            let call = world.sign_reading(SELLER, world.reading(SELLER, FIRST, 1, ReadingStatus::Corrected));
            world.chain.submit_bare(call);
            world.chain.block_of_successes();
            let wrong = Error::SelectsAnother { named: world.latest_list(FIRST).hash(), selected: first };
            revisions(world, &[0, 0, 0], wrong)
        }),
    ]
}

fn lists() -> Vec<Row> {
    vec![
        row("list before the vote", Scene::Metering, |world| {
            let wrong = Error::NotVoting { slot: FIRST, state: SlotState::Metering };
            list(world, ExecutionList::default(), wrong)
        }),
        row("list after the vote", Scene::Payable, |world| {
            let wrong = Error::NotVoting { slot: FIRST, state: SlotState::Payable };
            list(world, world.latest_list(FIRST), wrong)
        }),
        row("list by a household that does not trade", Scene::Voting, |world| {
            let home = &world.homes[BYSTANDER];
            list_by(world, &home.delegate, world.latest_list(FIRST), Error::NotAPoster(home.entity))
        }),
        row("list with an unposted reading", Scene::Voting, |world| {
            let mut posted = world.latest_list(FIRST);
            posted.0[1].reading = Hash([8; 32]);
            let wrong = Error::UnpostedReading(posted.0[1].meter);
            list(world, posted, wrong)
        }),
        row("list with another meter's reading", Scene::Voting, |world| {
            let mut posted = world.latest_list(FIRST);
            posted.0[1].reading = posted.0[0].reading;
            let wrong = Error::UnpostedReading(posted.0[1].meter);
            list(world, posted, wrong)
        }),
        row("empty list", Scene::Voting, |world| {
            list(world, ExecutionList::default(), Error::ListIncomplete { expected: 3, got: 0 })
        }),
        row("list without the last meter", Scene::Voting, |world| {
            let mut posted = world.latest_list(FIRST);
            posted.0.pop();
            list(world, posted, Error::ListIncomplete { expected: 3, got: 2 })
        }),
        row("list with a meter twice", Scene::Voting, |world| {
            let mut posted = world.latest_list(FIRST);
            posted.0[1] = posted.0[0];
            list(world, posted, Error::ListIncomplete { expected: 3, got: 1 })
        }),
        row("list with a meter too many", Scene::Voting, |world| {
            let mut posted = world.latest_list(FIRST);
            posted
                .0
                .push(ExecutionEntry { meter: runtime_primitives::MeterId::from_number(3), ..posted.0[2] });
            list(world, posted, Error::ListIncomplete { expected: 3, got: 4 })
        }),
        row("a voter's second list", Scene::Voting, |world| {
            let home = world.homes[SELLER].clone();
            let first = world.latest_list(FIRST);
            let call = Call::Markets(markets::Call::PostList { market: MARKET, slot: FIRST, list: first });
            world.chain.must(&home.delegate, call);
            let reading = world.reading(SELLER, FIRST, 1, ReadingStatus::Corrected);
            let call = world.sign_reading(SELLER, reading);
            world.chain.submit_bare(call);
            world.chain.block_of_successes();
            list_by(world, &home.delegate, world.latest_list(FIRST), Error::TooManyLists(1))
        }),
        row("list posted twice", Scene::Voting, |world| {
            let posted = world.latest_list(FIRST);
            world.post_list(FIRST, &posted);
            list(world, posted, Error::ListPosted)
        }),
        row("too many lists", Scene::Voting, |world| {
            for revision in 1..=u16::try_from(EXECUTION_LISTS_MAX).unwrap() {
                let posted = world.latest_list(FIRST);
                world.post_list(FIRST, &posted);
                let reading = world.reading(SELLER, FIRST, revision, ReadingStatus::Corrected);
                let call = world.sign_reading(SELLER, reading);
                world.chain.submit_bare(call);
                world.chain.block_of_successes();
            }
            list(world, world.latest_list(FIRST), Error::TooManyLists(EXECUTION_LISTS_MAX))
        }),
    ]
}

fn stage_3() -> Vec<Row> {
    fn claim(world: &World) -> Claim {
        world.claim(FIRST, Stage::Authentication)
    }
    fn mismatch(world: &World, change: impl FnOnce(&mut Claim)) -> Attempt {
        let mut changed = claim(world);
        change(&mut changed);
        let session =
            world.keys.of(&world.genesis.entities[entities::VALIDATOR as usize].session_key.unwrap());
        vote(forged(world, validator(), changed, session), VoteError::ClaimMismatch)
    }
    vec![
        row("certificate: a household votes", Scene::Confirmed, |world| {
            let home = &world.homes[SELLER];
            let call = forged(world, home.entity, claim(world), &home.delegate);
            vote(call, VoteError::NotAnElector(home.entity))
        }),
        row("certificate: twice", Scene::Confirmed, |world| {
            let call = world.vote(validator(), claim(world));
            world.chain.submit_bare(call.clone());
            world.chain.block_of_successes();
            vote(call, VoteError::VotedTwice(validator()))
        }),
        row("certificate: twice with another result", Scene::Confirmed, |world| {
            let call = world.vote(validator(), claim(world));
            world.chain.submit_bare(call);
            world.chain.block_of_successes();
            let call = world.vote(validator(), Claim { result_hash: Hash([1; 32]), ..claim(world) });
            vote(call, VoteError::VotedTwice(validator()))
        }),
        row("certificate: signed with the owner key", Scene::Confirmed, |world| {
            let owner = &world.owners[entities::VALIDATOR as usize];
            let call = forged(world, validator(), claim(world), owner);
            vote(call, VoteError::BadSignature(validator()))
        }),
        row("certificate: about another code", Scene::Confirmed, |world| {
            mismatch(world, |claim| claim.code_hash = Hash([1; 32]))
        }),
        row("certificate: about other orders", Scene::Confirmed, |world| {
            mismatch(world, |claim| claim.input_root = Hash([1; 32]))
        }),
        row("certificate: of another epoch", Scene::Confirmed, |world| {
            mismatch(world, |claim| claim.epoch += 1)
        }),
        row("certificate: of another electorate", Scene::Confirmed, |world| {
            mismatch(world, |claim| claim.electorate_hash = Hash([1; 32]))
        }),
        row("certificate: of a stage without a claim", Scene::Confirmed, |world| {
            let claim = Claim { stage: Stage::Certification, ..claim(world) };
            let owner = &world.owners[entities::VALIDATOR as usize];
            let wrong = VoteError::NoClaim { slot: FIRST, stage: Stage::Certification, round: 0 };
            vote(forged(world, validator(), claim, owner), wrong)
        }),
        row("certificate: too late", Scene::Certified, |world| {
            let call = world.vote(validator(), claim(world));
            vote(call, VoteError::NoClaim { slot: FIRST, stage: Stage::Authentication, round: 0 })
        }),
        row("certificate: of an unknown slot", Scene::Confirmed, |world| {
            let slot = Slot::from_number(7);
            let owner = &world.owners[entities::VALIDATOR as usize];
            let call = forged(world, validator(), Claim { slot, ..claim(world) }, owner);
            vote(call, VoteError::NoClaim { slot, stage: Stage::Authentication, round: 0 })
        }),
    ]
}

fn stage_5() -> Vec<Row> {
    fn claim(world: &World) -> Claim {
        Claim { result_hash: world.latest_list(FIRST).hash(), ..world.claim(FIRST, Stage::Certification) }
    }
    vec![
        row("vote twice", Scene::Voting, |world| {
            let voter = world.homes[SELLER].entity;
            let call = world.vote(voter, claim(world));
            world.chain.submit_bare(call.clone());
            world.chain.block_of_successes();
            vote(call, VoteError::VotedTwice(voter))
        }),
        row("vote by a key that was removed since the slot opened", Scene::Voting, |world| {
            let home = world.homes[SELLER].clone();
            let key = home.delegate.account();
            world.chain.must(&home.owner, registry::Call::RemoveDelegate { key });
            let call = forged(world, home.entity, claim(world), &home.delegate);
            vote(call, VoteError::ExpiredKey(home.entity))
        }),
        row("vote by a household that does not trade", Scene::Voting, |world| {
            let home = &world.homes[BYSTANDER];
            let call = forged(world, home.entity, claim(world), &home.delegate);
            vote(call, VoteError::NotAnElector(home.entity))
        }),
        row("vote by a validator", Scene::Voting, |world| {
            let owner = &world.owners[entities::VALIDATOR as usize];
            vote(forged(world, validator(), claim(world), owner), VoteError::NotAnElector(validator()))
        }),
        row("vote with bad signature", Scene::Voting, |world| {
            let home = &world.homes[SELLER];
            let call = forged(world, home.entity, claim(world), &world.homes[BYSTANDER].delegate);
            vote(call, VoteError::BadSignature(home.entity))
        }),
        row("vote on a mismatching claim", Scene::Voting, |world| {
            let home = &world.homes[SELLER];
            let other = Claim { input_root: Hash([1; 32]), ..claim(world) };
            vote(forged(world, home.entity, other, &home.delegate), VoteError::ClaimMismatch)
        }),
        row("vote in another round", Scene::Voting, |world| {
            let home = &world.homes[SELLER];
            let other = Claim { round: 1, ..claim(world) };
            let wrong = VoteError::NoClaim { slot: FIRST, stage: Stage::Certification, round: 1 };
            vote(forged(world, home.entity, other, &home.delegate), wrong)
        }),
        row("vote after the vote", Scene::Payable, |world| {
            let home = &world.homes[SELLER];
            let wrong = VoteError::NoClaim { slot: FIRST, stage: Stage::Certification, round: 0 };
            vote(forged(world, home.entity, claim(world), &home.delegate), wrong)
        }),
        row("vote after settlement", Scene::Settled, |world| {
            let home = &world.homes[SELLER];
            let claim = Claim {
                market: MARKET,
                slot: FIRST,
                stage: Stage::Certification,
                round: 0,
                code_hash: Hash::ZERO,
                input_root: Hash::ZERO,
                result_hash: Hash::ZERO,
                epoch: 0,
                electorate_hash: Hash::ZERO,
            };
            let wrong = VoteError::NoClaim { slot: FIRST, stage: Stage::Certification, round: 0 };
            vote(forged(world, home.entity, claim, &home.delegate), wrong)
        }),
    ]
}

fn settlements() -> Vec<Row> {
    fn settle(world: &World, wrong: Error) -> Attempt {
        let call = Call::Markets(markets::Call::Settle { market: MARKET, slot: FIRST });
        (world.chain.signed(&world.homes[SELLER].owner, &call), wrong.into())
    }
    fn not_certified(world: &World, state: SlotState) -> Attempt {
        settle(world, Error::NotCertified { slot: FIRST, state })
    }
    vec![
        row("settle while orders are taken", Scene::Open, |world| not_certified(world, SlotState::Open)),
        row("settle before authentication", Scene::Confirmed, |world| {
            not_certified(world, SlotState::Confirmed)
        }),
        row("settle before delivery", Scene::Certified, |world| not_certified(world, SlotState::Certified)),
        row("settle before certification", Scene::Voting, |world| not_certified(world, SlotState::Voting)),
        row("settle twice", Scene::Settled, |world| settle(world, Error::AlreadySettled(FIRST))),
        row("settle while objections are possible", Scene::Payable, |world| {
            settle(world, Error::NotDue { slot: FIRST, until: world.after_end(FIRST, 3_600) })
        }),
        row("settle a slot that has not opened", Scene::Before, |world| {
            settle(world, Error::UnknownSlot { market: MARKET, slot: FIRST })
        }),
    ]
}

/// A vote for the seller after its owner, or the proxy's, called something.
fn after(world: &mut World, home: usize, call: registry::Call, wrong: VoteError) -> Attempt {
    let owner = world.homes[home].owner.clone();
    let seller = world.homes[SELLER].entity;
    let by_proxy = world.vote(seller, world.claim(FIRST, Stage::Certification));
    world.chain.must(&owner, call);
    vote(by_proxy, wrong)
}

fn proxies() -> Vec<Row> {
    vec![
        row("a proxy's own vote in the name of another", Scene::Proxied, |world| {
            let (voter, proxy) = (world.homes[SELLER].entity, world.homes[BYSTANDER].delegate.clone());
            let claim = world.claim(FIRST, Stage::Certification);
            vote(forged(world, voter, claim, &proxy), VoteError::BadSignature(voter))
        }),
        row("own vote of an entity with a proxy", Scene::Proxied, |world| {
            let (voter, own) = (world.homes[SELLER].entity, world.homes[SELLER].delegate.clone());
            let claim = world.claim(FIRST, Stage::Certification);
            vote(forged(world, voter, claim, &own), VoteError::BadSignature(voter))
        }),
        row("proxy that votes twice", Scene::Proxied, |world| {
            let voter = world.homes[SELLER].entity;
            let call = world.vote(voter, world.claim(FIRST, Stage::Certification));
            world.chain.submit_bare(call.clone());
            world.chain.block_of_successes();
            vote(call, VoteError::VotedTwice(voter))
        }),
        row("proxy removed since the slot opened", Scene::Proxied, |world| {
            let [voter, proxy] = [SELLER, BYSTANDER].map(|home| world.homes[home].entity);
            let call = registry::Call::SetProxy { proxy: None };
            after(world, SELLER, call, VoteError::RevokedProxy { voter, proxy })
        }),
        row("proxy replaced since the slot opened", Scene::Proxied, |world| {
            let [voter, proxy] = [SELLER, BYSTANDER].map(|home| world.homes[home].entity);
            let call = registry::Call::SetProxy { proxy: Some(world.homes[BUYER].entity) };
            after(world, SELLER, call, VoteError::RevokedProxy { voter, proxy })
        }),
        row("proxy whose key was removed", Scene::Proxied, |world| {
            let (voter, key) = (world.homes[SELLER].entity, world.homes[BYSTANDER].delegate.account());
            after(world, BYSTANDER, registry::Call::RemoveDelegate { key }, VoteError::ExpiredKey(voter))
        }),
        row("proxy whose key was rotated", Scene::Proxied, |world| {
            let (voter, owner) = (world.homes[SELLER].entity, world.homes[BYSTANDER].owner.clone());
            world.chain.must(&owner, registry::Call::SetVotingKey { key: Some(owner.account()) });
            let claim = world.claim(FIRST, Stage::Certification);
            let proxy = Some(world.homes[BYSTANDER].entity);
            let message = contract_interface::vote_message(&world.chain.genesis, &claim, voter, proxy);
            let signature = owner.sign(&message);
            let call = attestation::Call::Vote { voter, claim, signature };
            vote(call, VoteError::BadSignature(voter))
        }),
    ]
}
