//! What one client may ask for. Requests come from anybody who reaches the port.

use runtime_primitives::limits::{BLOCK_BYTES_MAX, EXTRINSIC_BYTES_MAX};
use std::time::Duration;

/// Bytes of a request: the largest extrinsic in hexadecimal, with room for its frame or for a batch of small ones.
pub const REQUEST_BYTES_MAX: u32 = 1 << 20;
/// Bytes of a response: the largest block in hexadecimal, with room for a batch.
pub const RESPONSE_BYTES_MAX: u32 = 8 << 20;
/// Clients connected at a time.
pub const CONNECTIONS_MAX: u32 = 4_096;
/// Subscriptions of one connection.
pub const SUBSCRIPTIONS_PER_CONNECTION_MAX: u32 = 256;
/// Messages that wait for one connection; whoever sends more waits, or gives the client up.
pub const MESSAGES_WAITING_MAX: u32 = 64;
/// A subscriber that takes longer over a message is dropped.
pub const SUBSCRIBER_PATIENCE: Duration = Duration::from_secs(30);
/// Keys of one `state_queryStorageAt`.
pub const KEYS_PER_QUERY_MAX: usize = 1_000;
/// Keys of one subscription to storage; all of them are read after each block.
pub const KEYS_PER_SUBSCRIPTION_MAX: usize = 256;
/// Bytes of what `author_pendingExtrinsics` shows.
pub const PENDING_BYTES_MAX: usize = 2 << 20;
/// Calls in one batch.
pub const BATCH_MAX: u32 = 64;
/// Keys in one page of `state_getKeysPaged`, as Substrate's nodes allow.
pub const KEYS_PER_PAGE_MAX: u32 = 1_000;
/// Rows in one page of `busbar_getArchive`.
pub const ROWS_PER_PAGE_MAX: u32 = 256;
/// Bytes of the rows or blocks of a page, beyond the first: with keys and hexadecimal digits they fit a response.
pub const ROW_BYTES_PER_PAGE_MAX: usize = 2 << 20;
/// Bytes of a storage key: prefix and four hashed parts are below 256.
pub const KEY_BYTES_MAX: usize = 512;
/// How far back state is served. An older state costs what every block since has changed.
pub const RECENT_BLOCKS_MAX: u64 = 32;

/// Blocks in one page of `busbar_getOrderedBlocks`, and blocks up to which `busbar_getFinality` looks for the last proof.
pub const BLOCKS_PER_PAGE_MAX: usize = 256;
/// Blocks up to which `busbar_getFinality` looks for any proof: a node that came back late has few.
pub const UNPROVEN_BLOCKS_MAX: usize = 16_384;

const _: () = assert!(2 * EXTRINSIC_BYTES_MAX < REQUEST_BYTES_MAX as usize);
const _: () = assert!(2 * BLOCK_BYTES_MAX < RESPONSE_BYTES_MAX as usize);
/// Entries that a client takes from a node in one walk: more than any state or slot has, and the end of a stranger's.
pub const WALK_MAX: usize = 1_000_000;
