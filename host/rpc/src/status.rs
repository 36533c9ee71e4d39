//! What a node says of itself.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A node's state and what it has done since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Version of its program.
    pub version: String,
    /// Name of the chain.
    pub chain: String,
    /// Hash of the genesis header.
    pub genesis: String,
    /// Height of the last block that is ordered, final, executed and durable here.
    pub height: u64,
    /// The first block that was executed here: 1, or the one after the block whose state came with a snapshot.
    #[serde(default)]
    pub first_block: u64,
    /// Hash of its header.
    pub best: String,
    /// Its time, in ms since 1970.
    pub time_ms: u64,
    /// Epoch of the next block.
    pub epoch: u64,
    /// Members of the committee that orders it; 0 where one node orders alone.
    pub committee: usize,
    /// Whether it orders in its own name where the set has it. A follower, and a node that orders alone, have no peers.
    #[serde(default)]
    pub is_voter: bool,
    /// Where it does not vote on what is ordered, since it began with a snapshot and may have voted before: it votes in the
    /// epochs that begin after this time, in ms since 1970.
    #[serde(default)]
    pub silent_until_ms: Option<u64>,
    /// Entities that it attests for.
    pub attests_for: Vec<u32>,
    /// Height of the last block that a quorum has signed as a checkpoint; 0 if there is none.
    pub certified: u64,
    /// Extrinsics waiting for a block.
    pub waiting: usize,
    /// Blocks executed since it started.
    pub blocks: u64,
    /// Extrinsics in them that were applied or failed.
    pub extrinsics: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Extrinsics that were ordered and could not be applied.
    pub skipped: u64,
    /// Clearings run again on the second engine.
    pub reruns: u64,
    /// Of these, with another result than the chain's.
    pub disagreed: u64,
    /// Blocks executed on the second engine as well.
    pub executed_again: u64,
    /// How often a quorum, or it itself, computed something else than it did before: an operator must act.
    pub alarms: u64,
    /// The first and the last of each kind, in words.
    pub latest_alarms: Vec<String>,
    /// How often another validator said something else than it computed: the other may lie, and nothing follows for this node.
    #[serde(default)]
    pub warnings: u64,
    /// The first and the last of each kind and validator, in words.
    #[serde(default)]
    pub latest_warnings: Vec<String>,
    /// Its network.
    pub network: NetworkStatus,
    /// Extrinsics that it did not take in, from clients and peers alike, by the rule that they break. What is heard twice
    /// counts as `Pool.Known` or `Pool.Duplicate`.
    pub refused_extrinsics: BTreeMap<String, u64>,
    /// Words of peers about checkpoints that it did not count, by the rule for which. A signature that comes after a quorum's
    /// counts as `Checkpoint.Certified`.
    pub refused_words: BTreeMap<String, u64>,
}

/// What Substrate's tools ask a node about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Nodes that it is connected with.
    pub peers: u64,
    /// Whether it has yet to execute more final blocks than a block may be behind.
    pub is_syncing: bool,
    /// Whether others order with it: a follower asks nodes, and has no peers.
    pub should_have_peers: bool,
}

/// What a node has seen of other nodes since it started. Counts by name leave out what is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkStatus {
    /// What it speaks with others; those that speak something else are refused.
    pub protocol: String,
    /// Nodes that may be connected with it.
    pub known: u64,
    /// Of these, connected.
    pub connected: u64,
    /// Of these, shut out for an hour for breaking the protocol.
    pub shut_out: u64,
    /// Final blocks that it knows of and has not executed.
    pub behind: u64,
    /// Connections refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Messages of peers that were none, too large or too many, by kind.
    pub malformed: BTreeMap<String, u64>,
    /// Messages that had to wait, because their peer sends too many a second, by channel.
    pub slowed: BTreeMap<String, u64>,
}
