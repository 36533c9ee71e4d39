//! Proposes blocks whose time lies far behind or ahead.
//!
//! One that lies ahead by less than the rule's step is no false block: honest validators vote for it late, if at all.

use super::{Identity, Kind, Rewriting};
use crate::simulator::Dice;
use commonware_consensus::Block as _;
use host_consensus::network::Carried;
use runtime_primitives::limits::BLOCK_TIME_STEP_MAX_MS;
use runtime_primitives::{OrderedBlock, Timestamp};

pub fn new(identity: Identity, mut dice: Dice) -> Rewriting {
    let audit = identity.audit.clone();
    Rewriting::new(identity, move |told| {
        let mut block: OrderedBlock = (**told.block()).clone();
        let now = block.timestamp;
        let (time, never) = match dice.below(6) {
            0 => (now.minus_ms(10_000_000), true),
            1 => (Timestamp::from_ms(u64::MAX), true),
            2 => (now.plus_ms(BLOCK_TIME_STEP_MAX_MS * 10), true),
            3 => (now.plus_ms(BLOCK_TIME_STEP_MAX_MS - 1_000), false),
            4 => (now.plus_ms(5_000), false),
            _ => (now.plus_ms(1_200), false),
        };
        block.timestamp = time;
        audit.lie(Kind::TimeWarpingLeader.name());
        if never {
            audit.false_block(Kind::TimeWarpingLeader.name(), &block);
        }
        Some((Carried::new(told.parent(), block), vec![]))
    })
}
