//! Proposes two blocks for one place, each to some of its peers, and votes for both.

use super::{Identity, Kind, Rewriting};
use crate::simulator::Dice;
use commonware_consensus::Block as _;
use host_consensus::network::Carried;
use runtime_primitives::OrderedBlock;

/// The block that an equivocator tells the others.
pub fn twin(told: &Carried) -> Carried {
    let block: OrderedBlock = (**told.block()).clone();
    let extrinsics = vec![b"the other one".to_vec()];
    Carried::new(told.parent(), OrderedBlock { extrinsics, ..block })
}

pub fn new(identity: Identity, mut dice: Dice) -> Rewriting {
    let (audit, peers) = (identity.audit.clone(), identity.peers.clone());
    Rewriting::new(identity, move |told| {
        audit.lie(Kind::Equivocator.name());
        Some((twin(told), dice.some(&peers)))
    })
}
