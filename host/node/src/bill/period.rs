//! What a bill is about: a time, or slots of a market.

use crate::report::BillLine;
use runtime_primitives::{MarketId, Slot, Timestamp};

/// Which lines a bill has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// What was booked at `from` or later and before `until`.
    Time {
        /// First moment.
        from: Timestamp,
        /// The moment after the last.
        until: Timestamp,
    },
    /// Payments of these slots, whenever they were booked.
    Slots {
        /// The market.
        market: MarketId,
        /// First slot.
        first: Slot,
        /// Last slot.
        last: Slot,
    },
}

impl Period {
    /// Whether a line belongs to it.
    pub fn contains(&self, line: &BillLine) -> bool {
        match self {
            Self::Time { .. } => self.covers(line.time),
            Self::Slots { market, first, last } => {
                line.market == Some(*market) && line.slot.is_some_and(|slot| *first <= slot && slot <= *last)
            }
        }
    }

    /// Whether `time` is in it; slots cover no time.
    pub fn covers(&self, time: Timestamp) -> bool {
        matches!(self, Self::Time { from, until } if *from <= time && time < *until)
    }

    /// Whether it begins after `time`; slots begin at no time.
    pub fn starts_after(&self, time: Timestamp) -> bool {
        matches!(self, Self::Time { from, .. } if time < *from)
    }

    /// Whether it is one of time, which has a balance before and after.
    pub const fn is_of_time(&self) -> bool {
        matches!(self, Self::Time { .. })
    }
}
