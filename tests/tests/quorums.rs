//! How many must have signed: our own quorum of a checkpoint, and the 51 % of an electorate. Each is held to a table and to what it
//! is for, so that one more or one less does not pass; the same rules on the whole chain are in `chain_simulation`.
#![allow(clippy::unwrap_used, reason = "tests")]

use busbar_tests::keyring::key;
use busbar_tests::machine::on_vm_thread;
use busbar_tests::world::{FIRST, Plan, World};
use contract_interface::{Side, Stage};
use host_node::checkpoint::{Certificate, Checkpoint, CheckpointError, SetMember, quorum};
use parity_scale_codec::Encode;
use runtime_execution::modules::attestation::{self, is_majority};
use runtime_execution::modules::markets::SlotState;
use runtime_primitives::limits::VALIDATORS_MAX;
use runtime_primitives::{EntityId, Hash, blake2_256};

/// Signatures that a checkpoint of so many validators needs, from one on.
const QUORUMS: [usize; 13] = [1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9];
/// Votes that certify a result among so many electors, from one on.
const MAJORITIES: [u32; 13] = [1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7];

#[test]
fn two_quorums_share_an_honest_validator_and_honest_validators_are_one() {
    assert_eq!(QUORUMS, std::array::from_fn(|before| quorum(before + 1)));
    for members in 1..=VALIDATORS_MAX as usize {
        let (liars, enough) = ((members - 1) / 3, quorum(members));
        assert!(
            2 * enough - members > liars,
            "{enough} of {members}: two quorums meet in {liars} liars alone"
        );
        assert_eq!(enough, members - liars, "{members}: all that may be silent are, and nobody else");
    }
}

#[test]
fn a_certificate_with_a_quorum_proves_its_checkpoint_and_one_signature_less_proves_nothing() {
    let genesis = Hash([3; 32]);
    for (members, enough) in (1..).zip(QUORUMS) {
        let sessions: Vec<_> = (0..members).map(|member| key(&format!("member {member}"))).collect();
        let set: Vec<SetMember> = (0..)
            .zip(&sessions)
            .map(|(entity, session)| SetMember {
                entity: EntityId::from_number(entity),
                session_key: session.account(),
            })
            .collect();
        let hash = blake2_256(&set.encode());
        let checkpoint = Checkpoint { epoch: 0, number: 64, header: Hash([4; 32]), set: hash, next: None };
        let message = checkpoint.message(&genesis);
        let mut signatures: Vec<_> =
            sessions.iter().take(enough).map(|session| (session.account(), session.sign(&message))).collect();
        signatures.sort_by_key(|(signer, _)| *signer);
        let mut certificate = Certificate { checkpoint, signatures };
        assert_eq!(certificate.verify(&genesis, &set), Ok(()), "{enough} of {members}");
        certificate.signatures.pop();
        let (number, found) = (64, enough - 1);
        let short = CheckpointError::Quorum { number, found, members, wanted: enough };
        assert_eq!(certificate.verify(&genesis, &set), Err(short), "{found} of {members}");
    }
}

#[test]
fn a_majority_is_more_than_51_of_100_and_not_one_vote_less() {
    for (electors, enough) in
        (1..).zip(MAJORITIES).chain([(50, 26), (98, 50), (99, 51), (100, 52), (200, 103)])
    {
        assert!(is_majority(enough, electors), "{enough} of {electors}");
        assert!(!is_majority(enough - 1, electors), "{} of {electors}", enough - 1);
    }
    for electors in 1..=10_000 {
        let least = 51 * electors / 100 + 1;
        assert!(is_majority(least, electors) && !is_majority(least - 1, electors), "{least} of {electors}");
    }
}

/// Validators vote one after the other: the slot is certified with the vote that makes the majority, not with the one before.
#[test]
fn a_slot_is_certified_by_a_majority_of_its_validators_and_not_by_one_less() {
    on_vm_thread(|| {
        for validators in 3..=8 {
            let mut world = World::new(&Plan { more_validators: validators - 3, ..Plan::default() });
            world.open(FIRST);
            world.place(0, FIRST, Side::Sell, 4_000, 6_000);
            world.place(1, FIRST, Side::Buy, 4_000, 6_700);
            world.close_gate(FIRST);
            world.confirm_all(FIRST);
            let claim = world.claim(FIRST, Stage::Authentication);
            let at = (world.market, FIRST);
            let electors = attestation::electors(&world.chain.view(), at, Stage::Authentication, claim.round);
            assert_eq!(electors.len(), validators as usize);
            let enough = MAJORITIES[electors.len() - 1] as usize;
            for (votes, elector) in (1..).zip(&electors[..enough]) {
                world.chain.submit_bare(world.vote(elector.entity, claim));
                world.chain.block();
                let wanted = if votes < enough { SlotState::Confirmed } else { SlotState::Certified };
                world.expect(FIRST, wanted);
            }
        }
    });
}
