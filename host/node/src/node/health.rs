//! What an operator must look at: where this node computed something else than others. Kept in memory and in the log.

use super::locked;
use runtime_execution::modules::markets::At;
use runtime_primitives::{AccountId, Gas, Hash, Height};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;
use tracing::error;

/// Alarms that are kept in words.
const KEPT: usize = 16;

/// This node and others disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// On the header of a block that this node has executed.
    Header {
        /// The block's.
        height: Height,
        /// What this node computed.
        own: Hash,
        /// What another validator proposed to build on.
        proposed: Hash,
    },
    /// On a clearing that this node ran again on its second engine.
    Clearing {
        /// Market and slot.
        at: At,
        /// Root of the trade orders that this node computed.
        own: Hash,
        /// The chain's.
        chain: Hash,
        /// Gas that this node counted, and the chain.
        gas: [Gas; 2],
    },
    /// On a block that this node executed on both its engines.
    Engines {
        /// The block's height.
        height: Height,
        /// The header that the first engine led to.
        first: Hash,
        /// And the second.
        second: Hash,
    },
    /// On the header that a validator signed as a checkpoint.
    Checkpoint {
        /// The block's height.
        number: u64,
        /// What this node computed.
        own: Hash,
        /// What was signed.
        signed: Hash,
        /// By whom; this node's own key, if it computed something else before.
        by: AccountId,
    },
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { height, own, proposed } => write!(
                f,
                "block {height}: this node computed header {own}, another validator proposed to build on {proposed}; \
                 this node votes for no block on top of that: compare both with `busbar replay`"
            ),
            Self::Clearing { at: (market, slot), own, chain, gas: [own_gas, chain_gas] } => write!(
                f,
                "market {market}, slot {slot}: the clearing run again gave {own} for {own_gas} gas, the chain has {chain} \
                 for {chain_gas}; this node signed its own result"
            ),
            Self::Engines { height, first, second } => write!(
                f,
                "block {height}: the first engine led to header {first}, the second to {second}; this node stops: report it"
            ),
            Self::Checkpoint { number, own, signed, by } => {
                write!(
                    f,
                    "block {number}: this node computed header {own}, {by} signed {signed} as a checkpoint"
                )
            }
        }
    }
}

/// A node's alarms and what it checked.
#[derive(Debug, Default)]
pub struct Health(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    reruns: u64,
    disagreed: u64,
    executed_again: u64,
    alarms: u64,
    latest: VecDeque<Alarm>,
    attested: Option<Hash>,
}

/// What [`Health`] has seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Clearings run again.
    pub reruns: u64,
    /// Of these, with another result than the chain's.
    pub disagreed: u64,
    /// Blocks executed on the second engine as well.
    pub executed_again: u64,
    /// Alarms, each counted once.
    pub alarms: u64,
    /// The latest alarms, oldest first.
    pub latest: Vec<Alarm>,
    /// The last block on which this node's sessions have voted on all that is open.
    pub attested: Option<Hash>,
}

impl Health {
    /// Note and log an alarm. The same one again is neither.
    pub fn raise(&self, alarm: Alarm) {
        let mut seen = locked(&self.0);
        if seen.latest.contains(&alarm) {
            return;
        }
        error!(%alarm, "ALARM");
        seen.alarms += 1;
        if seen.latest.len() == KEPT {
            seen.latest.pop_front();
        }
        seen.latest.push_back(alarm);
    }

    /// A clearing was run again; with an alarm if it gave another result.
    pub fn reran(&self, disagreement: Option<Alarm>) {
        let mut seen = locked(&self.0);
        seen.reruns += 1;
        seen.disagreed += u64::from(disagreement.is_some());
        drop(seen);
        disagreement.into_iter().for_each(|alarm| self.raise(alarm));
    }

    /// A block was executed on the second engine as well, and led to the same header.
    pub fn executed_again(&self) {
        locked(&self.0).executed_again += 1;
    }

    /// The sessions of this node have voted on all that is open on a block.
    pub fn attested(&self, block: Hash) {
        locked(&self.0).attested = Some(block);
    }

    /// What was seen so far.
    pub fn findings(&self) -> Findings {
        let seen = locked(&self.0);
        Findings {
            reruns: seen.reruns,
            disagreed: seen.disagreed,
            executed_again: seen.executed_again,
            alarms: seen.alarms,
            latest: seen.latest.iter().cloned().collect(),
            attested: seen.attested,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_counts_once_and_the_latest_are_kept() {
        let health = Health::default();
        let header = |height| Alarm::Header {
            height: Height::from_number(height),
            own: Hash([1; 32]),
            proposed: Hash([2; 32]),
        };
        for height in [1, 1, 2, 1] {
            health.raise(header(height));
        }
        health.reran(None);
        health.reran(Some(header(3)));
        let found = health.findings();
        assert_eq!((found.reruns, found.disagreed, found.alarms), (2, 1, 3));
        assert_eq!(found.latest, [header(1), header(2), header(3)]);
        (4..100).for_each(|height| health.raise(header(height)));
        let found = health.findings();
        assert_eq!((found.alarms, found.latest.len(), found.latest.last()), (99, KEPT, Some(&header(99))));
    }
}
