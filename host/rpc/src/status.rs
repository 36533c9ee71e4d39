//! What a node says of itself.

use serde::{Deserialize, Serialize};

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
    /// Hash of its header.
    pub best: String,
    /// Its time, in ms since 1970.
    pub time_ms: u64,
    /// Epoch of the next block.
    pub epoch: u64,
    /// Members of the committee that orders it; 0 where one node orders alone.
    pub committee: usize,
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
    /// How often it computed something else than others, in all.
    pub alarms: u64,
    /// The latest of them, in words.
    pub latest_alarms: Vec<String>,
}
