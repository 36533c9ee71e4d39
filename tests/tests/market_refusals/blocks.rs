//! Blocks that are none of this chain: refused as a whole, before anything is executed.

use busbar_tests::machine::{on_vm_thread, vm};
use busbar_tests::world::{Plan, World};
use host_node::keys::{Signer, SigningPolicy};
use runtime_execution::extrinsic::{Era, UncheckedExtrinsic};
use runtime_execution::modules::registry;
use runtime_execution::{BlockError, Call, Invalid, VerifySingly, check_proposal, execute_block};
use runtime_primitives::limits::{BLOCK_BYTES_MAX, BLOCK_EXTRINSICS_MAX, BLOCK_GAS_MAX};
use runtime_primitives::{EntityId, Executed, Gas, Hash, Height, OrderedBlock};

/// What is wrong, how, and the error.
type Row = (&'static str, fn(&mut OrderedBlock), fn(&World, &OrderedBlock) -> BlockError);

#[test]
fn a_block_of_another_chain_is_refused_whole() {
    let rows: [Row; 9] = [
        ("height repeated", |block| block.height = Height::from_number(block.height.number() - 1), height),
        ("height skipped", |block| block.height = block.height.next(), height),
        ("time stands still", |block| block.timestamp = block.timestamp.minus_ms(1_000), time),
        ("time goes back", |block| block.timestamp = block.timestamp.minus_ms(9_000), time),
        (
            "too many extrinsics",
            |block| block.extrinsics = vec![Vec::new(); BLOCK_EXTRINSICS_MAX + 1],
            |_, block| BlockError::TooManyExtrinsics {
                got: block.extrinsics.len(),
                limit: BLOCK_EXTRINSICS_MAX,
            },
        ),
        (
            "too many bytes",
            |block| block.extrinsics = vec![vec![0; BLOCK_BYTES_MAX]],
            |_, block| {
                use parity_scale_codec::Encode;
                BlockError::TooLarge { got: block.encoded_size(), limit: BLOCK_BYTES_MAX }
            },
        ),
        ("executed nothing of the future", |block| block.executed.height = block.height, lag),
        (
            "executed too long ago, with something to order",
            |block| {
                block.executed = Executed::default();
                block.extrinsics = vec![Vec::new()];
            },
            lag,
        ),
        (
            "executed something else",
            |block| block.executed.header_hash = Hash([1; 32]),
            |world, block| BlockError::ExecutedHeader {
                height: block.executed.height,
                proposed: Hash([1; 32]),
                own: world.chain.header.hash(),
            },
        ),
    ];
    on_vm_thread(|| {
        let mut world = World::at_genesis(&Plan::default());
        for _ in 0..9 {
            world.chain.block();
        }
        let chain = &world.chain;
        let parent = Executed { height: chain.header.height(), header_hash: chain.header.hash() };
        for (name, change, expected) in rows {
            let mut block = OrderedBlock {
                height: parent.height.next(),
                executed: parent,
                timestamp: chain.now.plus_ms(1_000),
                extrinsics: Vec::new(),
            };
            let run = |block: &OrderedBlock| {
                execute_block(vm(), &chain.state, &chain.header, &chain.genesis, block, &VerifySingly)
            };
            assert!(run(&block).is_ok(), "the unchanged block is fine");
            let empty = OrderedBlock { executed: Executed::default(), ..block.clone() };
            assert!(run(&empty).is_ok(), "a block that holds nothing may say what was said long ago");
            change(&mut block);
            assert_eq!(run(&block).err(), Some(expected(&world, &block)), "{name}");
        }
    });
}

fn height(world: &World, block: &OrderedBlock) -> BlockError {
    BlockError::Height { got: block.height, parent: world.chain.header.height() }
}

fn time(world: &World, block: &OrderedBlock) -> BlockError {
    BlockError::Time { got: block.timestamp, parent: world.chain.now }
}

fn lag(_: &World, block: &OrderedBlock) -> BlockError {
    BlockError::ExecutedLag { executed: block.executed.height, height: block.height }
}

/// A block of these extrinsics, whose place in a chain does not matter.
fn proposal(extrinsics: Vec<Vec<u8>>) -> OrderedBlock {
    let (height, timestamp) = (Height::from_number(1), runtime_primitives::Timestamp::from_ms(1));
    OrderedBlock { height, executed: Executed::default(), timestamp, extrinsics }
}

#[test]
fn a_proposal_is_refused_for_what_is_wrong_in_every_state() {
    let world = World::at_genesis(&Plan::default());
    let (chain, signer) = (&world.chain, world.platform());
    let judge = |extrinsics| check_proposal(&proposal(extrinsics), &chain.genesis);
    let leave = Call::Registry(registry::Call::LeaveValidators { entity: EntityId::from_number(0) });
    let good = chain.signed(signer, &leave);
    let statements = judge(vec![good.clone()]).unwrap();
    assert!(statements.len() == 1 && statements[0].verify());

    // Valid in some states: nothing is said, and only who has the state can tell whether it is signed.
    let elsewhere = Era::Mortal { period: 64, phase: 3 };
    let stranger = Signer::new("//Nobody".parse().unwrap(), SigningPolicy::Repeatable);
    for other in [
        chain.signed_with(signer, &leave, 77, Era::Immortal, &chain.genesis),
        chain.signed(&stranger, &leave),
        chain.signed_with(signer, &leave, 0, elsewhere, &Hash([9; 32])),
    ] {
        let statements = judge(vec![other]).unwrap();
        assert!(statements.iter().all(|statement| statement.verify()));
    }
    let mut forged = good.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert!(!judge(vec![forged]).unwrap()[0].verify());

    let at = |index, reason| BlockError::Extrinsic { index, reason };
    let limit = Gas::from_units(BLOCK_GAS_MAX);
    let many = usize::try_from(BLOCK_GAS_MAX / leave.gas().units()).unwrap();
    assert!(judge(vec![good.clone(); many]).is_ok());
    let declared = Gas::from_units(leave.gas().units() * (many as u64 + 1));
    let rows = [
        (vec![good.clone(), vec![1, 2, 3]], at(1, Invalid::Undecodable)),
        (vec![UncheckedExtrinsic::bare(&leave)], at(0, Invalid::NotSigned)),
        (vec![good; many + 1], BlockError::TooMuchGas { declared, limit }),
    ];
    for (extrinsics, expected) in rows {
        assert_eq!(judge(extrinsics).err(), Some(expected));
    }
}
