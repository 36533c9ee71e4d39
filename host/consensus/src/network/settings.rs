//! Sizes and times of the engine. Sizes are the same on all nodes of a chain.

use commonware_consensus::types::ViewDelta;
use commonware_utils::{NZDuration, NZU16, NZU64, NZUsize, NonZeroDuration};
use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::time::Duration;

pub(super) const MAILBOX: NonZeroUsize = NZUsize!(1_024);
pub(super) const REPLAY_BUFFER: NonZeroUsize = NZUsize!(1 << 20);
pub(super) const WRITE_BUFFER: NonZeroUsize = NZUsize!(1 << 20);
pub(super) const KEY_WRITE_BUFFER: NonZeroUsize = NZUsize!(1 << 16);
/// A page with its checksum fills four KiB.
pub(super) const PAGE_BYTES: NonZeroU16 = NZU16!(4_096 - 12);
pub(super) const PAGES: NonZeroUsize = NZUsize!(1_024);
/// Of what is kept until it is final.
pub(super) const ITEMS_PER_SECTION: NonZeroU64 = NZU64!(256);
/// Heights of final blocks in one file of the archive; fixed for the life of a node's files. A bit for each is written with
/// every block.
pub(super) const ARCHIVE_ITEMS_PER_FILE: NonZeroU64 = NZU64!(1 << 16);
/// Bytes after which the archive begins another file of blocks.
pub(super) const VALUE_FILE_BYTES: u64 = 1 << 30;
/// Entries of the archive's table of digests when it is new, and those moved at a time when it grows.
pub(super) const TABLE_ENTRIES: u32 = 1 << 10;
/// The table doubles when half of its entries lead to more blocks than this.
pub(super) const TABLE_ITEMS_PER_ENTRY: u8 = 4;
/// Views whose votes are kept for peers that lag.
pub(super) const VIEW_RETENTION: ViewDelta = ViewDelta::new(256);
/// After so many views without a block one is proposed that orders nothing: the engine keeps a file for each view since the
/// last final block, and drops those that are more than [`VIEW_RETENTION`] older.
pub(super) const HEARTBEAT_VIEWS: u64 = 128;
/// Missing blocks asked for at a time.
pub(super) const REPAIRS: NonZeroUsize = NZUsize!(32);
/// Final blocks that may wait for their execution.
pub(super) const UNEXECUTED_MAX: NonZeroUsize = NZUsize!(16);
/// Proposals of each peer that wait for their votes.
pub(super) const PROPOSALS_PER_PEER: usize = 10;

/// For an answer from one peer.
pub(super) fn fetch_timeout() -> NonZeroDuration {
    NZDuration!(Duration::from_secs(2))
}

/// How long the engine waits for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// For a leader's proposal. Also how often leaders take turns on an idle chain.
    pub leader: Duration,
    /// For enough votes; longer than `leader`.
    pub certification: Duration,
    /// Before it asks again to give a view up.
    pub retry: Duration,
    /// After this long in silence a leader's views are given up at once; longer than `certification`.
    pub skip: Duration,
}

impl Timing {
    /// For blocks every `interval_ms`: a leader that waits for the interval is not silent.
    pub fn for_interval(interval_ms: u64) -> Self {
        let leader = Duration::from_millis(interval_ms.saturating_add(1_000));
        let certification = leader + Duration::from_secs(1);
        Self {
            leader,
            certification,
            retry: Duration::from_secs(2),
            skip: certification + Duration::from_secs(3),
        }
    }
}
