//! Rules of an ordered block that need no knowledge of its extrinsics: height, sizes, time.
//!
//! Every engine applies them before it asks the application. They are stateless; only time also looks at the
//! validator's own clock, and then it rather waits than refuses.

use crate::Parent;
use parity_scale_codec::Encode;
use runtime_primitives::limits::{
    BLOCK_BYTES_MAX, BLOCK_EXTRINSICS_MAX, BLOCK_TIME_STEP_MAX_MS, EXECUTED_LAG_MAX, EXTRINSIC_BYTES_MAX,
};
use runtime_primitives::{Height, OrderedBlock, Timestamp};

/// A validator votes this long before its own clock reaches the block's time, in ms: honest clocks differ.
pub const VOTE_EARLY_MS: u64 = 500;

/// Clocks of validators are at most this far apart, in ms: peers with others refuse each other.
pub const CLOCKS_APART_MS: u64 = 5_000;

/// Why a block breaks the envelope rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockFault {
    /// It does not follow its parent.
    #[error("height {found} on a parent of height {parent}")]
    Height {
        /// The parent's height.
        parent: Height,
        /// The block's.
        found: Height,
    },
    /// The executed height it reports is its own, a later one, or too old.
    #[error("block {height} reports {executed} as executed; it must be 1 to {EXECUTED_LAG_MAX} lower")]
    ExecutedLag {
        /// The block's height.
        height: Height,
        /// What it reports.
        executed: Height,
    },
    /// Too many bytes.
    #[error("{found} bytes, at most {BLOCK_BYTES_MAX} are allowed")]
    BlockBytes {
        /// Encoded size.
        found: usize,
    },
    /// Too many extrinsics.
    #[error("{found} extrinsics, at most {BLOCK_EXTRINSICS_MAX} are allowed")]
    Extrinsics {
        /// How many.
        found: usize,
    },
    /// One extrinsic is too large.
    #[error("extrinsic {index} has {found} bytes, at most {EXTRINSIC_BYTES_MAX} are allowed")]
    ExtrinsicBytes {
        /// Position in the block.
        index: usize,
        /// Its size.
        found: usize,
    },
    /// Time does not advance.
    #[error("time {found} ms is not later than the parent's {parent} ms")]
    NotAfterParent {
        /// The parent's time.
        parent: Timestamp,
        /// The block's.
        found: Timestamp,
    },
    /// Time leaps ahead of both the chain and the validator's clock.
    #[error(
        "time {found} ms lies more than {BLOCK_TIME_STEP_MAX_MS} ms after both parent and clock ({latest} ms)"
    )]
    TimeLeap {
        /// The later of the parent's time and the validator's clock.
        latest: Timestamp,
        /// The block's time.
        found: Timestamp,
    },
}

/// When a validator may vote for a block whose time breaks no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeliness {
    /// At once.
    Now,
    /// When its clock shows this time.
    WaitUntil(Timestamp),
}

/// Check everything but the time.
///
/// # Errors
/// The first rule broken.
pub fn check_envelope(parent: &Parent, block: &OrderedBlock) -> Result<(), BlockFault> {
    if block.height != parent.height.next() {
        return Err(BlockFault::Height { parent: parent.height, found: block.height });
    }
    let lag = block.height.number().checked_sub(block.executed.height.number());
    if !lag.is_some_and(|lag| (1..=EXECUTED_LAG_MAX).contains(&lag)) {
        return Err(BlockFault::ExecutedLag { height: block.height, executed: block.executed.height });
    }
    if block.extrinsics.len() > BLOCK_EXTRINSICS_MAX {
        return Err(BlockFault::Extrinsics { found: block.extrinsics.len() });
    }
    let mut sizes = block.extrinsics.iter().map(Vec::len).enumerate();
    if let Some((index, found)) = sizes.find(|(_, size)| *size > EXTRINSIC_BYTES_MAX) {
        return Err(BlockFault::ExtrinsicBytes { index, found });
    }
    match block.encoded_size() {
        found if found > BLOCK_BYTES_MAX => Err(BlockFault::BlockBytes { found }),
        _ => Ok(()),
    }
}

/// Check a block's `time` against its parent's and the validator's own clock `now`.
///
/// A chain that was idle takes up the present time, however far its parent lies back; a leap ahead of the
/// clock as well is refused, so that no vote waits longer than `BLOCK_TIME_STEP_MAX_MS`.
///
/// # Errors
/// [`BlockFault::NotAfterParent`], [`BlockFault::TimeLeap`].
pub fn check_time(parent: &Parent, time: Timestamp, now: Timestamp) -> Result<Timeliness, BlockFault> {
    if time <= parent.timestamp {
        return Err(BlockFault::NotAfterParent { parent: parent.timestamp, found: time });
    }
    let latest = parent.timestamp.max(now);
    if time > latest.plus_ms(BLOCK_TIME_STEP_MAX_MS) {
        return Err(BlockFault::TimeLeap { latest, found: time });
    }
    let vote_at = time.minus_ms(VOTE_EARLY_MS);
    Ok(if now >= vote_at { Timeliness::Now } else { Timeliness::WaitUntil(vote_at) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use runtime_primitives::{Executed, Hash};

    const STEP: u64 = BLOCK_TIME_STEP_MAX_MS;

    fn parent(height: u64, ms: u64) -> Parent {
        Parent { height: Height::from_number(height), timestamp: Timestamp::from_ms(ms) }
    }

    fn block(height: u64, executed: u64, extrinsics: Vec<Vec<u8>>) -> OrderedBlock {
        let executed = Executed { height: Height::from_number(executed), header_hash: Hash::ZERO };
        let height = Height::from_number(height);
        OrderedBlock { height, executed, timestamp: Timestamp::from_ms(1), extrinsics }
    }

    #[test]
    fn time_follows_the_parent_and_waits_for_the_clock() {
        let at = Timestamp::from_ms;
        let wait = |ms| Ok(Timeliness::WaitUntil(at(ms)));
        let leap = |latest, found| Err(BlockFault::TimeLeap { latest: at(latest), found: at(found) });
        let stale = |p, found| Err(BlockFault::NotAfterParent { parent: at(p), found: at(found) });
        // (parent, block, clock, verdict)
        let rows = [
            (1_000, 1_000, 9_000, stale(1_000, 1_000)),
            (1_000, 999, 9_000, stale(1_000, 999)),
            (1_000, 1_001, 1_001, Ok(Timeliness::Now)),
            (1_000, 2_000, 1_500, Ok(Timeliness::Now)),
            (1_000, 2_000, 1_499, wait(1_500)),
            (1_000, 1_000 + STEP, 1_000, wait(500 + STEP)),
            (1_000, 1_001 + STEP, 1_000, leap(1_000, 1_001 + STEP)),
            // A clock behind the chain does not tighten the rule.
            (50_000, 50_000 + STEP, 0, wait(49_500 + STEP)),
            // Idle for long: the clock has gone on, so may the chain; up to one step ahead of the clock.
            (1_000, 900_000, 900_000, Ok(Timeliness::Now)),
            (1_000, 900_000 + STEP, 900_000, wait(899_500 + STEP)),
            (1_000, 900_001 + STEP, 900_000, leap(900_000, 900_001 + STEP)),
            (u64::MAX - 1, u64::MAX, 0, wait(u64::MAX - 500)),
        ];
        for (parent_ms, time, now, expected) in rows {
            let found = check_time(&parent(0, parent_ms), at(time), at(now));
            assert_eq!(found, expected, "parent {parent_ms}, block {time}, clock {now}");
        }
    }

    #[test]
    fn heights_and_executed_heights() {
        let height = Height::from_number;
        let lag = |h, e| Err(BlockFault::ExecutedLag { height: height(h), executed: height(e) });
        // (parent, block, executed, verdict)
        let rows = [
            (0, 1, 0, Ok(())),
            (9, 10, 9, Ok(())),
            (9, 10, 2, Ok(())),
            (9, 10, 1, lag(10, 1)),
            (9, 10, 10, lag(10, 10)),
            (9, 10, 11, lag(10, 11)),
            (9, 9, 8, Err(BlockFault::Height { parent: height(9), found: height(9) })),
            (9, 11, 10, Err(BlockFault::Height { parent: height(9), found: height(11) })),
        ];
        for (on, at, executed, expected) in rows {
            assert_eq!(check_envelope(&parent(on, 0), &block(at, executed, vec![])), expected);
        }
    }

    #[test]
    fn sizes() {
        let of = |extrinsics| check_envelope(&parent(0, 0), &block(1, 0, extrinsics));
        assert_eq!(of(vec![vec![0; EXTRINSIC_BYTES_MAX]]), Ok(()));
        assert_eq!(
            of(vec![vec![], vec![0; EXTRINSIC_BYTES_MAX + 1]]),
            Err(BlockFault::ExtrinsicBytes { index: 1, found: EXTRINSIC_BYTES_MAX + 1 })
        );
        assert_eq!(of(vec![vec![]; BLOCK_EXTRINSICS_MAX]), Ok(()));
        let found = BLOCK_EXTRINSICS_MAX + 1;
        assert_eq!(of(vec![vec![]; found]), Err(BlockFault::Extrinsics { found }));

        let mut full = block(1, 0, vec![vec![0; EXTRINSIC_BYTES_MAX]; 7]);
        full.extrinsics.push(Vec::new());
        // The empty tail already paid one length byte; a long one pays four.
        let room = BLOCK_BYTES_MAX - full.encoded_size() - 3;
        *full.extrinsics.last_mut().unwrap() = vec![0; room];
        assert_eq!((full.encoded_size(), of(full.extrinsics.clone())), (BLOCK_BYTES_MAX, Ok(())));
        full.extrinsics.last_mut().unwrap().push(0);
        assert_eq!(of(full.extrinsics), Err(BlockFault::BlockBytes { found: BLOCK_BYTES_MAX + 1 }));
    }
}
