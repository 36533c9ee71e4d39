//! What is final does not go with what this node computed: a quorum voted for another header.

use super::chain::ChainError;
use super::health::{Alarm, Health};
use runtime_execution::BlockError;
use runtime_primitives::{Hash, Height};
use thiserror::Error;

/// A final block builds on another header than this node computed: it can execute nothing that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "block {height} is final and builds on header {ordered} of block {executed}, this node computed {own}: it has diverged \
     from the quorum and stops. Run `busbar replay` on the data folder. If it is not verified, the folder is damaged: begin \
     again in an empty one, or with `busbar snapshot import`. If it is, compare `busbar status` (version) with other validators \
     and report it, with the folder"
)]
pub struct Divergence {
    /// The final block's.
    pub height: Height,
    /// The executed block's.
    pub executed: Height,
    /// What this node computed for it.
    pub own: Hash,
    /// What the final block builds on.
    pub ordered: Hash,
}

impl Divergence {
    /// The error of a final block at `height` that breaks a rule here; an alarm first, if it is for a divergence.
    pub(super) fn of(height: Height, fault: BlockError, health: &Health) -> ChainError {
        let BlockError::ExecutedHeader { height: executed, proposed: ordered, own } = fault else {
            return ChainError::Block(fault);
        };
        health.raise(Alarm::Final { height, executed, own, ordered });
        ChainError::Diverged(Self { height, executed, own, ordered })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::chain_spec::Preset;
    use crate::node::Chain;
    use host_consensus::network::EngineKey;
    use host_consensus::{Application as _, Certificate};
    use runtime_primitives::{Executed, OrderedBlock};

    #[test]
    fn a_final_block_on_another_header_is_an_alarm_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let config = Preset::Bare.config();
        let chain = Chain::open(&folder.path().join("chain.redb"), &config).unwrap();
        let tip = chain.tip();
        let (own, ordered) = (chain.genesis(), Hash([7; 32]));
        let theirs = Executed { height: tip.height, header_hash: ordered };
        let block = OrderedBlock {
            height: tip.height.next(),
            executed: theirs,
            timestamp: tip.timestamp.plus_ms(1_000),
            extrinsics: Vec::new(),
        };
        // As long as it is proposed and nothing more, this node may be right.
        chain.diverged(&theirs, &own, EngineKey([5; 32]));
        assert_eq!((chain.health().findings().alarms, chain.health().findings().warnings), (0, 1));

        let stopped = chain.finalized(block, Certificate::solo()).unwrap_err();
        let height = tip.height.next();
        let expected = Divergence { height, executed: tip.height, own, ordered };
        assert!(matches!(stopped, ChainError::Diverged(found) if found == expected), "{stopped}");
        let found = chain.health().findings();
        let alarm = Alarm::Final { height, executed: tip.height, own, ordered };
        assert_eq!((found.alarms, found.latest.last()), (1, Some(&alarm)));
        for said in [stopped.to_string(), alarm.to_string()] {
            for part in ["block 1 ", &own.to_string(), &ordered.to_string(), "busbar replay"] {
                assert!(said.contains(part), "{part:?} is not in {said}");
            }
        }
        assert_eq!(chain.tip(), tip, "nothing is committed");
    }
}
