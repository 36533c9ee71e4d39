//! Reports another header than honest validators computed, as one would that executes differently.

use super::{Identity, Kind, Rewriting};
use commonware_consensus::Block as _;
use host_consensus::network::Carried;
use runtime_primitives::{Hash, OrderedBlock, blake2_256};

pub fn new(identity: Identity) -> Rewriting {
    let audit = identity.audit.clone();
    Rewriting::new(identity, move |told| {
        let mut block: OrderedBlock = (**told.block()).clone();
        let Hash(own) = block.executed.header_hash;
        block.executed.header_hash = blake2_256(&own);
        audit.lie(Kind::WrongExecuted.name());
        audit.false_block(Kind::WrongExecuted.name(), &block);
        Some((Carried::new(told.parent(), block), vec![]))
    })
}
