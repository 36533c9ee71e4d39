//! What an operator must look at: where this node computed something else than others. Kept in memory and in the log.
//!
//! The rule: what others can bring about at will says nothing of this node. A few validators may lie, so one that contradicts
//! this node is a warning; an alarm is what a quorum, or this node itself, says against it. Whoever repeats a lie costs
//! a bounded memory, and hides no word about another validator or of another kind.

use super::locked;
use host_consensus::network::EngineKey;
use runtime_execution::modules::markets::At;
use runtime_primitives::{AccountId, Gas, Hash, Height};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Mutex;
use tracing::{error, warn};

/// Places of one kind that are known to have been named; below the oldest of them nothing is named again.
const PLACES_MAX: usize = 256;
/// Kinds, each over one validator, that are told apart. What further validators do is counted as nobody's.
const SERIES_MAX: usize = 64;

/// This node and others disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// On the header of a block that this node has executed, in a proposal: its leader may lie.
    Header {
        /// The executed block's.
        height: Height,
        /// What this node computed.
        own: Hash,
        /// What another validator proposed to build on.
        proposed: Hash,
        /// The engine of the validator that proposed it.
        by: EngineKey,
    },
    /// On the header of a block that this node has executed, in a block that is final: a quorum voted for it.
    Final {
        /// The final block's.
        height: Height,
        /// The executed block's.
        executed: Height,
        /// What this node computed.
        own: Hash,
        /// What the final block builds on.
        ordered: Hash,
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
    /// On the header that another validator signed as a checkpoint: it may lie.
    Checkpoint {
        /// The block's height.
        number: u64,
        /// What this node computed.
        own: Hash,
        /// What was signed.
        signed: Hash,
        /// By whom.
        by: AccountId,
    },
    /// On the header that a quorum signed as a checkpoint.
    Certified {
        /// The block's height.
        number: u64,
        /// What this node computed.
        own: Hash,
        /// What was signed.
        signed: Hash,
        /// By how many validators.
        signers: usize,
    },
    /// On the header that this node's own key signed as a checkpoint before.
    Signed {
        /// The block's height.
        number: u64,
        /// What this node computed now.
        own: Hash,
        /// What was signed.
        signed: Hash,
        /// The session key.
        by: AccountId,
    },
}

/// What an alarm is about, whoever is named in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Header,
    Final,
    Clearing,
    Engines,
    Checkpoint,
    Certified,
    Signed,
}

/// Alarms of one kind, over one validator where it is one that may lie.
type Series = (Kind, Option<[u8; 32]>);

/// Where an alarm belongs, and what was said against this node there. A liar may say there what it likes: that is one place.
type Place = (u64, u64, Hash);

impl Alarm {
    /// Whether this node is wrong, or a quorum is; otherwise another validator may have lied.
    pub const fn is_own(&self) -> bool {
        !matches!(self, Self::Header { .. } | Self::Checkpoint { .. })
    }

    fn series(&self) -> Series {
        match self {
            Self::Header { by, .. } => (Kind::Header, Some(by.0)),
            Self::Final { .. } => (Kind::Final, None),
            Self::Clearing { .. } => (Kind::Clearing, None),
            Self::Engines { .. } => (Kind::Engines, None),
            Self::Checkpoint { by, .. } => (Kind::Checkpoint, Some(by.0)),
            Self::Certified { .. } => (Kind::Certified, None),
            Self::Signed { .. } => (Kind::Signed, None),
        }
    }

    fn place(&self) -> Place {
        match *self {
            Self::Header { height, .. } => (height.number(), 0, Hash::ZERO),
            Self::Final { height, ordered, .. } => (height.number(), 0, ordered),
            Self::Clearing { at: (market, slot), chain, .. } => {
                (slot.number().into(), market.number().into(), chain)
            }
            Self::Engines { height, second, .. } => (height.number(), 0, second),
            Self::Checkpoint { number, .. } => (number, 0, Hash::ZERO),
            Self::Certified { number, signed, .. } | Self::Signed { number, signed, .. } => {
                (number, 0, signed)
            }
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { height, own, proposed, by } => write!(
                f,
                "block {height}: this node computed header {own}, engine {} proposed to build on {proposed}; this node votes for no \
                 block on top of that: either may be wrong until a quorum has decided",
                Hash(by.0)
            ),
            Self::Final { height, executed, own, ordered } => write!(
                f,
                "block {height} is final and builds on header {ordered} of block {executed}, this node computed {own}; this \
                 node stops: run `busbar replay` on its data folder"
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
            Self::Certified { number, own, signed, signers } => write!(
                f,
                "block {number}: this node computed header {own}, {signers} validators, a quorum, signed {signed} as a \
                 checkpoint; stop this node and run `busbar replay` on its data folder"
            ),
            Self::Signed { number, own, signed, by } => write!(
                f,
                "block {number}: this node computed header {own}, its own key {by} signed {signed} as a checkpoint before; \
                 stop this node and run `busbar replay` on its data folder"
            ),
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
    warnings: u64,
    series: BTreeMap<Series, Told>,
    attested: Option<Hash>,
}

/// What was told of one series.
#[derive(Debug, Default)]
struct Told {
    count: u64,
    places: BTreeSet<Place>,
    /// The highest place that is no longer known to have been named: it counts as if it had been, with all below.
    forgotten: Option<Place>,
    /// The first and the last, each with its place among all alarms.
    first: Option<(u64, Alarm)>,
    last: Option<(u64, Alarm)>,
}

impl Told {
    /// Whether nothing was said of this place before.
    fn is_new(&mut self, place: Place) -> bool {
        if Some(place) <= self.forgotten || !self.places.insert(place) {
            return false;
        }
        if self.places.len() > PLACES_MAX {
            self.forgotten = self.places.pop_first();
        }
        true
    }
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
    /// Alarms that say that this node is wrong, or a quorum, each counted once.
    pub alarms: u64,
    /// Those that say that another validator contradicts this node, each counted once.
    pub warnings: u64,
    /// Of both, the first and the last of each kind and validator, oldest first.
    pub latest: Vec<Alarm>,
    /// The last block on which this node's sessions have voted on all that is open.
    pub attested: Option<Hash>,
}

impl Health {
    /// Note and log an alarm. The same one again is neither; of what another validator does ever again, ever fewer are logged.
    pub fn raise(&self, alarm: Alarm) {
        let mut seen = locked(&self.0);
        let own = alarm.series();
        let is_known = own.1.is_none() || seen.series.contains_key(&own) || seen.series.len() < SERIES_MAX;
        let series = if is_known { own } else { (own.0, None) };
        let order = seen.alarms + seen.warnings;
        let told = seen.series.entry(series).or_default();
        if !told.is_new(alarm.place()) {
            return;
        }
        told.count += 1;
        if alarm.is_own() {
            error!(%alarm, "ALARM");
        } else if told.count.is_power_of_two() {
            warn!(warning = %alarm, times = told.count, "another validator contradicts this node");
        }
        let is_own = alarm.is_own();
        *(if told.first.is_none() { &mut told.first } else { &mut told.last }) = Some((order, alarm));
        *(if is_own { &mut seen.alarms } else { &mut seen.warnings }) += 1;
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
        let mut latest: Vec<&(u64, Alarm)> =
            seen.series.values().flat_map(|told| told.first.iter().chain(&told.last)).collect();
        latest.sort_by_key(|(order, _)| *order);
        Findings {
            reruns: seen.reruns,
            disagreed: seen.disagreed,
            executed_again: seen.executed_again,
            alarms: seen.alarms,
            warnings: seen.warnings,
            latest: latest.into_iter().map(|(_, alarm)| alarm.clone()).collect(),
            attested: seen.attested,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Hash = Hash([1; 32]);

    fn proposed(height: u64, header: u8, by: u8) -> Alarm {
        let (height, proposed) = (Height::from_number(height), Hash([header; 32]));
        Alarm::Header { height, own: OWN, proposed, by: EngineKey([by; 32]) }
    }

    fn certified(number: u64) -> Alarm {
        Alarm::Certified { number, own: OWN, signed: Hash([2; 32]), signers: 3 }
    }

    #[test]
    fn an_alarm_counts_once_and_the_first_and_last_of_each_kind_are_kept() {
        let health = Health::default();
        for number in [1, 1, 2, 1] {
            health.raise(certified(number));
        }
        health.reran(None);
        health.reran(Some(certified(3)));
        let found = health.findings();
        assert_eq!((found.reruns, found.disagreed, found.alarms, found.warnings), (2, 1, 3, 0));
        assert_eq!(found.latest, [certified(1), certified(3)]);
    }

    #[test]
    fn a_proposal_says_nothing_of_this_node_and_a_quorum_does() {
        let health = Health::default();
        health.raise(proposed(7, 2, 1));
        let by = AccountId([5; 32]);
        health.raise(Alarm::Checkpoint { number: 64, own: OWN, signed: Hash([2; 32]), by });
        let found = health.findings();
        assert_eq!((found.alarms, found.warnings, found.latest.len()), (0, 2, 2));
        let said = found.latest[0].to_string();
        assert!(said.contains("block 7") && said.contains(&format!("engine {}", Hash([1; 32]))), "{said}");
        let (height, executed) = (Height::from_number(8), Height::from_number(7));
        health.raise(Alarm::Final { height, executed, own: OWN, ordered: Hash([2; 32]) });
        health.raise(Alarm::Signed { number: 64, own: OWN, signed: Hash([2; 32]), by });
        assert_eq!((health.findings().alarms, health.findings().warnings), (2, 2));
    }

    #[test]
    fn a_liar_flushes_nothing_and_what_it_repeats_is_bounded() {
        let health = Health::default();
        health.raise(certified(64));
        health.raise(proposed(1, 2, 2));
        // In turn, with ever other headers, over more heights than are remembered, forwards and backwards.
        let heights = 2 * PLACES_MAX as u64;
        for round in 0..10 {
            (0..heights).for_each(|height| health.raise(proposed(height, round, 1)));
            (0..heights).rev().for_each(|height| health.raise(proposed(height, round + 100, 1)));
        }
        let found = health.findings();
        assert_eq!((found.alarms, found.warnings), (1, 1 + heights));
        let of_liar = [proposed(0, 0, 1), proposed(heights - 1, 0, 1)];
        assert_eq!(found.latest, [&[certified(64), proposed(1, 2, 2)][..], &of_liar].concat());
        // So many keys as nobody has.
        (0..200).for_each(|by| health.raise(proposed(9, 1, by)));
        health.raise(certified(128));
        let found = health.findings();
        assert!(found.latest.len() <= 2 * (SERIES_MAX + 2), "{}", found.latest.len());
        assert!(found.latest.contains(&certified(64)) && found.latest.last() == Some(&certified(128)));
        let seen = locked(&health.0);
        assert!(seen.series.values().all(|told| told.places.len() <= PLACES_MAX));
    }
}
