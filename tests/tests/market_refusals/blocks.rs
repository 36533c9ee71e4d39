//! Blocks that are none of this chain: refused as a whole, before anything is executed.

use busbar_tests::machine::{on_vm_thread, vm};
use busbar_tests::world::{Plan, World};
use runtime_execution::{BlockError, VerifySingly, execute_block};
use runtime_primitives::limits::{BLOCK_BYTES_MAX, BLOCK_EXTRINSICS_MAX};
use runtime_primitives::{Executed, Hash, Height, OrderedBlock};

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
        ("executed too long ago", |block| block.executed = Executed::default(), lag),
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
