//! Who could vote. A settled slot keeps only the hash of its electorate, in every claim; the electors are drawn
//! again from the registry, and they count only if they hash to it.

use contract_interface::{Claim, Stage, TradeOrder, roles};
use parity_scale_codec::Encode;
use runtime_execution::modules::markets::lists::DISPUTE_ROUND;
use runtime_execution::modules::registry::{validators, voters};
use runtime_primitives::{AccountId, EntityId, blake2_256};
use runtime_state::Overlay;
use std::collections::{BTreeMap, BTreeSet};

/// The electors of `claim`, validators with their keys of its epoch, others with those of today, or `None` if the registry has changed since.
/// `trades` are the confirmed trades of its slot.
pub fn electors(
    state: &Overlay,
    claim: &Claim,
    trades: &[TradeOrder],
) -> Option<BTreeMap<EntityId, AccountId>> {
    let by_validators = claim.stage == Stage::Authentication || claim.round == DISPUTE_ROUND;
    let electors: BTreeMap<EntityId, AccountId> = if by_validators {
        let set = validators::of_epoch(state, claim.epoch)?;
        set.iter().map(|validator| (validator.entity, validator.session_key)).collect()
    } else {
        market_entities(state, trades)
    };
    let entities: Vec<EntityId> = electors.keys().copied().collect();
    (blake2_256(&entities.encode()) == claim.electorate_hash).then_some(electors)
}

/// Entities whose vote somebody can cast and that trade in the slot, plus operators.
fn market_entities(state: &Overlay, trades: &[TradeOrder]) -> BTreeMap<EntityId, AccountId> {
    let legs = trades.iter().flat_map(|order| order.inputs.iter().chain(&order.outputs));
    let trading: BTreeSet<EntityId> = legs.map(|leg| leg.entity).collect();
    voters(state)
        .into_iter()
        .filter(|voter| voter.roles & roles::OPERATORS != 0 || trading.contains(&voter.entity))
        .map(|voter| (voter.entity, voter.key))
        .collect()
}
