//! Proposes blocks that break a rule which every validator can check from the block and its parent.

use super::{Identity, Kind, Rewriting};
use crate::simulator::Dice;
use commonware_consensus::Block as _;
use commonware_cryptography::{Hasher as _, Sha256};
use host_consensus::network::Carried;
use runtime_primitives::limits::{BLOCK_EXTRINSICS_MAX, EXECUTED_LAG_MAX, EXTRINSIC_BYTES_MAX};
use runtime_primitives::{Executed, Hash, Height, OrderedBlock};

/// A block like `block` that breaks the rule of this number.
fn broken(rule: u64, mut block: OrderedBlock) -> OrderedBlock {
    let height = block.height;
    let executed = |height| Executed { height, header_hash: Hash::ZERO };
    match rule {
        0 => block.extrinsics.push(vec![]),
        1 => block.extrinsics.clear(),
        2 => block.height = height.next(),
        3 => block.height = Height::from_number(height.number() - 1),
        4 => block.executed = executed(height),
        5 if height.number() > EXECUTED_LAG_MAX => {
            block.executed = executed(Height::from_number(height.number() - EXECUTED_LAG_MAX - 1));
        }
        6 => block.extrinsics = vec![vec![]; BLOCK_EXTRINSICS_MAX + 1],
        _ => block.extrinsics = vec![vec![0; EXTRINSIC_BYTES_MAX + 1]],
    }
    block
}

pub fn new(identity: Identity, mut dice: Dice) -> Rewriting {
    let audit = identity.audit.clone();
    Rewriting::new(identity, move |told| {
        let block: OrderedBlock = (**told.block()).clone();
        audit.lie(Kind::InvalidBlockProposer.name());
        let other = match dice.below(9) {
            // A good block on a parent that nobody has.
            8 => Carried::new(Sha256::hash(&[b"nowhere"]), block),
            rule => Carried::new(told.parent(), broken(rule, block)),
        };
        if other.parent() == told.parent() {
            audit.false_block(Kind::InvalidBlockProposer.name(), other.block());
        }
        Some((other, vec![]))
    })
}
