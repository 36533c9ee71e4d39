//! Entities whose votes others cast.

use super::{A, B, C, audited, open, scenario, trade};
use busbar_tests::world::{FIRST, MARKET, Plan, World};
use contract_interface::{Stage, Vote};
use parity_scale_codec::Decode;
use runtime_execution::modules::registry;

/// A and B trade, and C is A's proxy; `before` happens before the slot opens.
fn settled(plan: &Plan, before: impl FnOnce(&mut World)) -> World {
    let mut world = World::new(plan);
    let owner = world.homes[A].owner.clone();
    world.chain.must(&owner, registry::Call::SetProxy { proxy: Some(world.homes[C].entity) });
    before(&mut world);
    world.open(FIRST);
    trade(&mut world, 10_000, 6_700);
    world.finish(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
    audited(&world);
    world
}

/// A's vote on the list, as archived.
fn vote_of_a(world: &World) -> Vote {
    let leaves = world.chain.leaves((MARKET, FIRST), Stage::Certification);
    let mut votes = leaves.iter().map(|leaf| Vote::decode(&mut &leaf[..]).unwrap());
    votes.find(|vote| vote.voter == world.homes[A].entity).unwrap()
}

#[test]
fn a_proxy_casts_the_vote_by_its_own_key() {
    scenario(|plan| {
        let world = settled(&plan, |_| ());
        let vote = vote_of_a(&world);
        assert_eq!((vote.proxy, vote.key), (Some(world.homes[C].entity), world.homes[C].delegate.account()));
    });
}

#[test]
fn a_proxy_without_a_key_leaves_the_vote_to_the_entity() {
    scenario(|plan| {
        let world = settled(&plan, |world| {
            let owner = world.homes[C].owner.clone();
            world.chain.must(&owner, registry::Call::SetVotingKey { key: None });
        });
        let vote = vote_of_a(&world);
        assert_eq!((vote.proxy, vote.key), (None, world.homes[A].delegate.account()));
    });
}

#[test]
fn a_proxys_proxy_votes_for_the_proxy_alone() {
    scenario(|plan| {
        let world = settled(&plan, |world| {
            let owner = world.homes[C].owner.clone();
            world.chain.must(&owner, registry::Call::SetProxy { proxy: Some(world.homes[B].entity) });
        });
        assert_eq!(vote_of_a(&world).key, world.homes[C].delegate.account());
    });
}

#[test]
fn a_proxy_counts_in_slots_that_open_later() {
    scenario(|plan| {
        let mut world = open(&plan);
        let owner = world.homes[A].owner.clone();
        world.chain.must(&owner, registry::Call::SetProxy { proxy: Some(world.homes[C].entity) });
        trade(&mut world, 10_000, 6_700);
        world.finish(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
        audited(&world);
        assert_eq!(vote_of_a(&world).proxy, None);
    });
}
