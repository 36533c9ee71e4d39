//! Rules of an ordered block that need no knowledge of its extrinsics: height, sizes, time.
//!
//! Every engine applies them before it asks the application. They are stateless; only time also looks at the
//! validator's own clock, and then it rather waits than refuses.

use crate::Parent;
use parity_scale_codec::Encode;
use runtime_primitives::limits::{
    BLOCK_BYTES_MAX, BLOCK_EXTRINSICS_MAX, BLOCK_TIME_STEP_MAX_MS, EXECUTED_LAG_MAX, EXTRINSIC_BYTES_MAX,
};
use runtime_primitives::{Executed, Height, OrderedBlock, Timestamp};

/// A validator votes this long before its own clock reaches the block's time, in ms: honest clocks differ.
pub const VOTE_EARLY_MS: u64 = 500;

/// Clocks of validators are at most this far apart, in ms: peers with others refuse each other.
pub const CLOCKS_APART_MS: u64 = 5_000;

/// After this time a block that is not final yet is followed by an empty one, if it orders anything, in ms.
pub const FINALITY_PATIENCE_MS: u64 = 2_000;

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
    #[error(
        "block {height} reports {executed} as executed; it must be 1 to {EXECUTED_LAG_MAX} lower, or the block empty and \
         its report its parent's"
    )]
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

/// What a block reports as executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// A header that a validator must have executed alike before it votes.
    Own,
    /// What its parent reports: nothing new, and nothing else is in the block.
    Repeated,
}

/// Check what `block` reports on a parent that reports `parent` itself, or is executed if that is `None`.
///
/// Nobody orders more than `EXECUTED_LAG_MAX` blocks ahead of execution. Blocks that hold nothing may follow all the
/// same: a chain of blocks none of which became final by its own votes becomes final by one that follows, and without
/// one it would stand still for good.
///
/// # Errors
/// [`BlockFault::ExecutedLag`].
pub fn check_report(parent: Option<&Executed>, block: &OrderedBlock) -> Result<Report, BlockFault> {
    let lag = block.height.number().checked_sub(block.executed.height.number());
    match lag {
        Some(1..=EXECUTED_LAG_MAX) => Ok(Report::Own),
        Some(1..) if block.extrinsics.is_empty() && parent == Some(&block.executed) => Ok(Report::Repeated),
        _ => Err(BlockFault::ExecutedLag { height: block.height, executed: block.executed.height }),
    }
}

/// Check height and sizes.
///
/// # Errors
/// The first rule broken.
pub fn check_envelope(parent: &Parent, block: &OrderedBlock) -> Result<(), BlockFault> {
    if block.height != parent.height.next() {
        return Err(BlockFault::Height { parent: parent.height, found: block.height });
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
    use runtime_primitives::Hash;

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
    fn heights_follow_the_parent() {
        let height = Height::from_number;
        let gap = |found| Err(BlockFault::Height { parent: height(9), found: height(found) });
        for (at, expected) in [(9, gap(9)), (10, Ok(())), (11, gap(11))] {
            assert_eq!(check_envelope(&parent(9, 0), &block(at, 8, vec![])), expected);
        }
    }

    #[test]
    fn what_is_executed_is_near_or_said_again_by_a_block_that_holds_nothing() {
        let height = Height::from_number;
        let lag = |h, e| Err(BlockFault::ExecutedLag { height: height(h), executed: height(e) });
        let report = |number| Some(Executed { height: height(number), header_hash: Hash::ZERO });
        let other = Some(Executed { height: height(1), header_hash: Hash([1; 32]) });
        // (what the parent reports, block, executed, extrinsics, verdict)
        let rows = [
            (None, 1, 0, 1, Ok(Report::Own)),
            (None, 10, 9, 1, Ok(Report::Own)),
            (report(1), 10, 2, 1, Ok(Report::Own)),
            (report(1), 10, 1, 0, Ok(Report::Repeated)),
            (report(1), 90, 1, 0, Ok(Report::Repeated)),
            (report(1), 10, 1, 1, lag(10, 1)),
            (report(2), 10, 1, 0, lag(10, 1)),
            (other, 10, 1, 0, lag(10, 1)),
            (None, 10, 1, 0, lag(10, 1)),
            (report(10), 10, 10, 0, lag(10, 10)),
            (report(11), 10, 11, 0, lag(10, 11)),
        ];
        for (before, at, executed, extrinsics, expected) in rows {
            let block = block(at, executed, vec![vec![7]; extrinsics]);
            assert_eq!(check_report(before.as_ref(), &block), expected, "{block:?} after {before:?}");
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
