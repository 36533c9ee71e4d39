//! Keepers with real keys and files over one real chain.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::keeper::{EARLY_OF_SIGNER_MAX, Keeper};
use super::word::Word;
use super::{
    Certificate, Checkpoint, CheckpointError, SetMember, SignedCheckpoint, is_checkpoint, is_last, verify_all,
};
use crate::chain_spec::Preset;
use crate::keys::{Signer, SigningPolicy};
use crate::node::{Alarm, Chain};
use host_consensus::{Application as _, Certificate as Finality};
use parity_scale_codec::{DecodeAll as _, Encode as _};
use runtime_execution::modules::registry::{Engine, Validator};
use runtime_primitives::{EntityId, Executed, Hash, Height, OrderedBlock};
use tempfile::TempDir;

const EPOCH_BLOCKS: u64 = 8;
const VALIDATORS: usize = 4;

/// A chain, and a folder for each validator's checkpoints.
struct World {
    chain: Chain,
    folder: TempDir,
}

fn signer(number: usize) -> Signer {
    let number = u32::try_from(number + 1).unwrap();
    Signer::new(Preset::Bare.session_key(number), SigningPolicy::Production)
}

impl World {
    fn of_epochs(epochs: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engines: Vec<String> =
            (0..VALIDATORS).map(|number| format!("127.0.0.1:{}", 1 + number)).collect();
        let mut config = Preset::Bare.network(&engines);
        config.epoch_blocks = EPOCH_BLOCKS;
        let chain = Chain::open(&folder.path().join("chain.redb"), &config).unwrap();
        let world = Self { chain, folder };
        world.pass(epochs);
        world
    }

    /// Go on to the last block of this many epochs.
    fn pass(&self, epochs: u64) {
        while self.chain.tip().height.number() < epochs * EPOCH_BLOCKS - 1 {
            let tip = self.chain.tip();
            let block = OrderedBlock {
                height: tip.height.next(),
                executed: Executed { height: tip.height, header_hash: self.chain.snapshot().hash() },
                timestamp: tip.timestamp.plus_ms(1_000),
                extrinsics: Vec::new(),
            };
            self.chain.finalized(block, Finality::solo()).unwrap();
        }
    }

    /// A node's keeper, with the session of a validator or with none.
    fn keeper(&self, folder: usize, session: Option<usize>) -> Keeper {
        self.keeper_from(folder, session, Height::ZERO)
    }

    fn keeper_from(&self, folder: usize, session: Option<usize>, first: Height) -> Keeper {
        let folder = self.folder.path().join(folder.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        Keeper::open_from(&folder, &self.chain, session.into_iter().map(signer).collect(), first).unwrap()
    }

    fn advance(&self, keeper: &Keeper) -> Vec<Vec<u8>> {
        keeper.advance(&self.chain.snapshot(), |epoch| self.chain.session_set(epoch)).unwrap()
    }

    /// Three validators who have certified everything.
    fn peers(&self) -> Vec<Keeper> {
        let peers: Vec<Keeper> = (1..VALIDATORS).map(|number| self.keeper(number, Some(number))).collect();
        let words: Vec<Vec<u8>> = peers.iter().flat_map(|peer| self.advance(peer)).collect();
        peers.iter().for_each(|peer| drop(peer.hear(&words).unwrap()));
        assert!(peers.iter().all(|peer| peer.first_pending().is_none()));
        peers
    }

    fn set(&self) -> Vec<SetMember> {
        self.chain.session_set(0).unwrap()
    }

    /// What `busbar verify` would say of a node's certificates: the last block that is proven.
    fn verified(&self, keeper: &Keeper) -> Result<Option<u64>, CheckpointError> {
        let certificates: Vec<Certificate> = keeper
            .after(0, usize::MAX)
            .unwrap()
            .iter()
            .map(|row| Certificate::decode_all(&mut &row[..]).unwrap())
            .collect();
        let head = verify_all(&self.chain.genesis(), EPOCH_BLOCKS, &self.set(), &certificates)?;
        Ok(head.map(|head| head.number))
    }

    /// What a validator would have to say had it computed another header.
    fn contradiction(&self, by: usize, number: u64, header: u8) -> Word {
        let checkpoint = Checkpoint {
            epoch: number / EPOCH_BLOCKS,
            number,
            header: Hash([header; 32]),
            set: super::certificate::set_hash(&self.set()),
            next: Some(self.set()),
        };
        let signature = signer(by).sign(&checkpoint.message(&self.chain.genesis()));
        Word::Signed(SignedCheckpoint { checkpoint, signer: signer(by).account(), signature })
    }
}

/// The height of a word that is a signature.
fn signed(word: &[u8]) -> Option<u64> {
    match Word::decode_all(&mut &word[..]).unwrap() {
        Word::Signed(signed) => Some(signed.checkpoint.number),
        Word::Certified(_) | Word::Wanted(_) => None,
    }
}

fn last_of(epoch: u64) -> u64 {
    (epoch + 1) * EPOCH_BLOCKS - 1
}

/// Ask peers until nothing waits; gives how often.
fn ask(asker: &Keeper, world: &World, peer: &Keeper) -> usize {
    let mut asked = asker.retell();
    for times in 0.. {
        world.advance(asker);
        world.advance(peer);
        if asker.first_pending().is_none() {
            return times;
        }
        assert!(times < 99, "{:?} waits", asker.first_pending());
        let answers = peer.hear(&asked).unwrap();
        asked = asker.hear(&answers).unwrap();
        asked.extend(asker.retell());
    }
    unreachable!("it ends or fails")
}

#[test]
fn a_checkpoint_without_a_certificate_waits_over_a_restart() {
    let world = World::of_epochs(3);
    let peers = world.peers();
    let said = |peer: usize| world.advance(&world.keeper(10 + peer, Some(peer)));
    let heard: Vec<Vec<u8>> = (1..VALIDATORS).flat_map(said).collect();
    let but_first: Vec<Vec<u8>> = heard.into_iter().filter(|word| signed(word) != Some(7)).collect();
    // One that signs, and one that has no key and must ask.
    for (folder, session) in [(0, Some(0)), (9, None)] {
        let keeper = world.keeper(folder, session);
        world.advance(&keeper);
        keeper.hear(&but_first).unwrap();
        assert_eq!((keeper.first_pending(), keeper.last().unwrap()), (Some(7), Some(23)));
        drop(keeper);

        let keeper = world.keeper(folder, session);
        assert_eq!(keeper.first_pending(), Some(7));
        let unproven = CheckpointError::UnprovenSet { number: 15, epoch: 1, proven: 0 };
        assert_eq!(world.verified(&keeper), Err(unproven));
        assert!(world.advance(&keeper).is_empty(), "nothing is new");
        assert_eq!(ask(&keeper, &world, &peers[0]), 1);
        assert_eq!(world.verified(&keeper), Ok(Some(23)));
        drop(keeper);
        assert_eq!(world.keeper(folder, session).first_pending(), None);
    }
    assert_eq!((world.chain.health().findings().alarms, world.chain.health().findings().warnings), (0, 0));
}

#[test]
fn a_newcomer_gets_every_certificate_whatever_the_state_still_tells() {
    let world = World::of_epochs(40);
    let peers = world.peers();
    let keeper = world.keeper(0, None);
    assert!(world.advance(&keeper).is_empty());
    let times = ask(&keeper, &world, &peers[1]);
    assert!(times > 1 && times < 9, "asked {times} times");
    assert_eq!(world.verified(&keeper), Ok(Some(last_of(39))));

    assert_eq!((world.chain.health().findings().alarms, world.chain.health().findings().warnings), (0, 0));
}

#[test]
fn whom_the_state_tells_no_more_is_learnt_from_what_a_quorum_has_signed() {
    let world = World::of_epochs(7);
    let peers = world.peers();
    let keeper = world.keeper(0, Some(0));
    let forgetful = |epoch| if epoch == 0 { world.chain.session_set(0) } else { None };
    for epoch in 0..7 {
        assert!(keeper.advance(&world.chain.snapshot(), forgetful).unwrap().is_empty(), "not signed");
        assert_eq!(keeper.first_pending(), Some(last_of(epoch)));
        keeper.hear(&peers[2].hear(&keeper.retell()).unwrap()).unwrap();
    }
    assert_eq!((keeper.first_pending(), world.verified(&keeper)), (None, Ok(Some(last_of(6)))));
    assert_eq!((world.chain.health().findings().alarms, world.chain.health().findings().warnings), (0, 0));
}

#[test]
fn a_chain_without_its_first_blocks_is_looked_at_from_there_on() {
    let world = World::of_epochs(4);
    let keeper = world.keeper_from(0, Some(0), Height::from_number(17));
    let words = world.advance(&keeper);
    assert_eq!(words.iter().map(|word| signed(word)).collect::<Vec<_>>(), [Some(23), Some(31)]);
    drop(keeper);
    let keeper = world.keeper_from(0, Some(0), Height::from_number(25));
    assert_eq!(keeper.first_pending(), Some(23), "it was looked at when its block was there");
}

#[test]
fn whoever_contradicts_a_certified_header_is_named_once_for_each_height() {
    let world = World::of_epochs(20);
    drop(world.peers());
    // Also after a restart: whom to believe is on disk.
    let keeper = world.keeper(1, Some(1));
    assert_eq!(world.advance(&keeper), Vec::<Vec<u8>>::new());
    let findings = || world.chain.health().findings();
    let refused = |rule: &str| keeper.refused().get(rule).copied().unwrap_or_default();

    let mut forged = world.contradiction(3, 7, 1);
    if let Word::Signed(word) = &mut forged {
        word.signature.0[9] ^= 1;
    }
    keeper.hear(&[forged.encode(), world.contradiction(99, 7, 1).encode()]).unwrap();
    assert_eq!((refused("Checkpoint.Signature"), refused("Checkpoint.Stranger")), (1, 1));
    assert_eq!(findings().warnings, 0, "nobody has said so");

    let lie = world.contradiction(3, 7, 1).encode();
    let answers = keeper.hear(std::slice::from_ref(&lie)).unwrap();
    assert_eq!(answers.len(), 1, "its signer may be wrong, and is told");
    let own = world.chain.executed(Height::from_number(7)).unwrap();
    let by = signer(3).account();
    let alarm = Alarm::Checkpoint { number: 7, own, signed: Hash([1; 32]), by };
    assert_eq!(findings().latest, [alarm]);

    // The same again and others for the same height, with signatures or without: no alarm, and no signature is checked.
    let others: Vec<Vec<u8>> = (2..200)
        .map(|header| match world.contradiction(3, 7, header) {
            Word::Signed(mut word) => {
                word.signature.0[9] ^= header & 1;
                Word::Signed(word).encode()
            }
            other => other.encode(),
        })
        .collect();
    for _ in 0..10 {
        keeper.hear(&others).unwrap();
    }
    keeper.hear(&vec![lie; 2_000]).unwrap();
    assert_eq!((findings().warnings, refused("Checkpoint.Signature")), (1, 1));
    assert_eq!(refused("Checkpoint.Contradiction"), 1 + 10 * 198 + 2_000);

    // At every height: it is named sixteen times, another as often.
    for by in [3, 2] {
        let lies: Vec<Vec<u8>> =
            (0..20).map(|epoch| world.contradiction(by, last_of(epoch), 5).encode()).collect();
        keeper.hear(&lies).unwrap();
    }
    assert_eq!((findings().warnings, findings().alarms), (32, 0));
}

#[test]
fn certificates_are_told_so_often_between_two_looks_at_the_chain() {
    let world = World::of_epochs(100);
    let peers = world.peers();
    let own: Vec<Vec<u8>> = world.advance(&world.keeper(0, Some(0)));
    assert_eq!(own.len(), 100 + 12, "every epoch's last block and every 64th but where they are one");
    let told = |words: &[Vec<u8>]| peers[0].hear(words).unwrap().len();
    world.advance(&peers[0]);
    assert_eq!([told(&own), told(&own), told(&[Word::Wanted(0).encode()])], [64, 0, 0]);
    assert_eq!(peers[0].refused()["Checkpoint.Crowded"], 1);
    assert_eq!(peers[0].refused()["Checkpoint.Certified"], 224);
    world.advance(&peers[0]);
    assert_eq!([told(&[Word::Wanted(0).encode()]), told(&[Word::Wanted(u64::MAX).encode()])], [16, 0]);
}

#[test]
fn words_before_their_block_are_few_and_of_members_and_count_when_it_is_executed() {
    let world = World::of_epochs(1);
    let keeper = world.keeper(0, None);
    let refused = |rule: &str| keeper.refused().get(rule).copied().unwrap_or_default();
    let early = |by, header| -> Vec<Vec<u8>> {
        (1..=40).map(|epoch| world.contradiction(by, last_of(epoch), header).encode()).collect()
    };
    keeper.hear(&early(1, 1)).unwrap();
    assert_eq!(refused("Checkpoint.Stranger"), 40, "it has not looked at the chain");
    world.advance(&keeper);

    // A validator is heard at as many heights as may be, once at each, whatever it says there.
    for header in [9, 5, 1, 200] {
        keeper.hear(&early(1, header)).unwrap();
    }
    assert_eq!(keeper.locked().early.len(), EARLY_OF_SIGNER_MAX);
    assert_eq!(refused("Checkpoint.Known"), 3 * EARLY_OF_SIGNER_MAX as u64);
    assert_eq!(refused("Checkpoint.Crowded"), 4 * (40 - EARLY_OF_SIGNER_MAX as u64));
    keeper.hear(&early(99, 1)).unwrap();
    assert_eq!((keeper.locked().early.len(), refused("Checkpoint.Stranger")), (EARLY_OF_SIGNER_MAX, 80));
    let Word::Signed(mut long) = world.contradiction(2, last_of(1), 1) else { unreachable!() };
    long.checkpoint.next = Some((0..200).flat_map(|_| world.set()).collect());
    long.signature = signer(2).sign(&long.checkpoint.message(&world.chain.genesis()));
    keeper.hear(&[Word::Signed(long).encode()]).unwrap();
    assert_eq!((keeper.locked().early.len(), refused("Checkpoint.Undecodable")), (EARLY_OF_SIGNER_MAX, 1));

    // Others are heard all the same.
    world.pass(3);
    let said: Vec<Vec<u8>> =
        [0, 2, 3].iter().flat_map(|peer| world.advance(&world.keeper(10 + peer, Some(*peer)))).collect();
    keeper.hear(&said).unwrap();
    assert_eq!(keeper.locked().early.len(), EARLY_OF_SIGNER_MAX + 3 * 2);
    world.advance(&keeper);
    // What it asks for is the first epoch's: that was there before.
    assert_eq!((keeper.first_pending(), keeper.last().unwrap()), (None, Some(last_of(2))));
    assert_eq!(world.chain.health().findings().warnings, 2, "one of them has lied");
}

#[test]
fn peers_are_heard_while_the_chain_is_looked_at() {
    let world = World::of_epochs(2);
    let keeper = world.keeper(0, Some(0));
    let heard = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let set_of = |epoch| {
            let (send, receive) = std::sync::mpsc::channel();
            let keeper = &keeper;
            scope.spawn(move || send.send(keeper.hear(&[Word::Wanted(0).encode()]).map(drop)));
            receive.recv_timeout(std::time::Duration::from_secs(20)).expect("it is not heard").unwrap();
            heard.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            world.chain.session_set(epoch)
        };
        let words = keeper.advance(&world.chain.snapshot(), set_of).unwrap();
        assert_eq!(words.len(), 2);
    });
    assert!(heard.into_inner() >= 4);
}

#[test]
fn whoever_contradicts_a_certificate_that_came_with_a_snapshot_is_named() {
    let world = World::of_epochs(4);
    let peers = world.peers();
    let keeper = world.keeper_from(0, Some(0), Height::from_number(last_of(3) + 1));
    let came = peers[0].after(0, usize::MAX).unwrap();
    keeper.store.keep_all((0..).map(last_of).zip(came)).unwrap();
    assert_eq!((world.advance(&keeper), keeper.last().unwrap()), (Vec::new(), Some(last_of(3))));
    keeper.hear(&[world.contradiction(2, last_of(2), 1).encode()]).unwrap();
    let own = world.chain.executed(Height::from_number(last_of(2))).unwrap();
    let by = signer(2).account();
    let named = Alarm::Checkpoint { number: last_of(2), own, signed: Hash([1; 32]), by };
    assert_eq!(world.chain.health().findings().latest, [named]);
}

#[test]
fn only_those_whose_engines_order_sign_where_there_are_some() {
    let validator = |number: usize, has_engine: bool| Validator {
        entity: EntityId::from_number(u32::try_from(number).unwrap()),
        session_key: signer(number).account(),
        engine: has_engine.then(|| Engine { key: [1; 32], address: "example:1".into() }),
    };
    let signers = |engines: [bool; 3]| -> Vec<u32> {
        let set = (0..3).map(|number| validator(number, engines[number])).collect();
        SetMember::signers(set).iter().map(|member| member.entity.number()).collect()
    };
    assert_eq!(signers([true, true, true]), [0, 1, 2]);
    assert_eq!(signers([true, false, true]), [0, 2]);
    assert_eq!(signers([false, false, false]), [0, 1, 2]);
}

#[test]
fn the_last_number_of_all_is_a_height_like_any() {
    for (epoch_blocks, expected) in [(8, true), (100, false)] {
        assert_eq!(is_last(u64::MAX, epoch_blocks), expected);
        assert_eq!(is_checkpoint(u64::MAX, epoch_blocks), expected);
    }
}
