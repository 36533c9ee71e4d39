//! The validators of a slot are those of its opening: who leaves or takes another key afterwards still votes on it.

use super::{audited, scenario, trade};
use busbar_tests::keyring;
use busbar_tests::world::{FIRST, MARKET, Plan, World, entities};
use contract_interface::{Stage, Vote};
use parity_scale_codec::Decode;
use runtime_execution::modules::markets::slots;
use runtime_execution::modules::registry::{self, validators};
use runtime_primitives::limits::EPOCH_BLOCKS_MIN;
use runtime_primitives::{AccountId, EntityId, Slot};

/// Who voted on a slot's clearing, and with which key.
fn voters(world: &World, slot: Slot) -> Vec<(u32, AccountId)> {
    let leaves = world.chain.leaves((MARKET, slot), Stage::Authentication);
    let votes = leaves.iter().map(|leaf| Vote::decode(&mut &leaf[..]).unwrap());
    let mut voters: Vec<_> =
        votes.map(|vote| (vote.voter.number() - entities::VALIDATOR, vote.key)).collect();
    voters.sort_unstable();
    voters
}

#[test]
fn whoever_was_a_validator_when_a_slot_opened_votes_on_it() {
    scenario(|plan| {
        let plan = Plan { epoch_blocks: EPOCH_BLOCKS_MIN, ..plan };
        let mut world = World::new(&plan);
        world.open(FIRST);
        let owner = |number: u32| entities::VALIDATOR + number;
        let (rotating, leaving) = (owner(1), owner(2));
        let successor = world.keys.add("validator 1 another session");
        let address = "127.0.0.1:30333".to_owned();
        let announcement = successor.announce(&world.chain.genesis, EntityId::from_number(rotating), address);
        let signer = world.owners[rotating as usize].clone();
        world.chain.must(&signer, registry::Call::RotateValidator { announcement });
        let signer = world.owners[leaving as usize].clone();
        let entity = EntityId::from_number(leaving);
        world.chain.must(&signer, registry::Call::LeaveValidators { entity });
        let first = validators::epoch(&world.chain.view());
        while validators::epoch(&world.chain.view()) < first + 2 {
            world.chain.block();
        }
        let session = |number: u32| keyring::key(&format!("validator {number} session")).account();
        let set = validators::current(&world.chain.view());
        assert_eq!(
            set.iter().map(|validator| validator.session_key).collect::<Vec<_>>(),
            [session(0), successor.account()]
        );

        trade(&mut world, 10_000, 6_700);
        world.finish(FIRST, &[(0, 10_000), (10_000, 0), (0, 0)]);
        audited(&world);
        assert_eq!(voters(&world, FIRST), [0, 1, 2].map(|number| (number, session(number))));

        let pinned = slots::pinned(&world.chain.view(), (MARKET, Slot::from_number(FIRST.number() + 1)));
        let electors = pinned.validators.iter().map(|elector| elector.key);
        assert_eq!(electors.collect::<Vec<_>>(), [session(0), successor.account()], "of the slot after");
    });
}
