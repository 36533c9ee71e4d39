//! Quantities and identifiers as types: no bare integer carries a unit.
//!
//! A value enters through a constructor that names its unit and leaves through an accessor that
//! names it again; there is no `From<integer>`. All encode as fixed-width little-endian integers.

use core::fmt;
use parity_scale_codec::{Decode, Encode, MaxEncodedLen};

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident($int:ty), $from:ident, $get:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, MaxEncodedLen,
        )]
        #[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
        pub struct $name($int);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest representable value.
            pub const MAX: Self = Self(<$int>::MAX);

            /// From a count of the unit named in the constructor.
            pub const fn $from(value: $int) -> Self {
                Self(value)
            }

            /// The count of the unit named in the accessor.
            pub const fn $get(self) -> $int {
                self.0
            }

            /// Whether this is nothing.
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
        }
    };
}

macro_rules! additive {
    ($($name:ident),*) => {$(
        impl $name {
            /// The sum, or `None` on overflow.
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) { Some(v) => Some(Self(v)), None => None }
            }

            /// The difference, or `None` below zero.
            pub const fn checked_sub(self, other: Self) -> Option<Self> {
                match self.0.checked_sub(other.0) { Some(v) => Some(Self(v)), None => None }
            }

            /// The sum, at most the largest value.
            pub const fn saturating_add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }

            /// The difference, at least zero.
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }
    )*};
}

quantity!(
    /// Electrical energy in watt-hours.
    Energy(u64), from_wh, wh
);
quantity!(
    /// Price of energy in ticks of 10⁻⁴ yuan per kWh.
    Price(u32), from_ticks, ticks
);
quantity!(
    /// Money in units of 10⁻⁷ yuan: one tick times one watt-hour, so `Price × Energy` never rounds.
    Money(u128), from_units, units
);
quantity!(
    /// Delivery interval number of one market; its length is a market parameter.
    Slot(u32), from_number, number
);
quantity!(
    /// Distance between two slots.
    SlotCount(u32), from_count, count
);
quantity!(
    /// Milliseconds since the UNIX epoch.
    Timestamp(u64), from_ms, ms
);
quantity!(
    /// Computation: nominally one picosecond of reference-machine time (`ref_time`).
    Gas(u64), from_units, units
);
quantity!(
    /// Block number; genesis is 0.
    Height(u64), from_number, number
);
quantity!(
    /// One market of this chain.
    MarketId(u32), from_number, number
);
quantity!(
    /// A registered market entity (household, operator, retailer, …).
    EntityId(u32), from_number, number
);
quantity!(
    /// A registered meter at a connection point.
    MeterId(u32), from_number, number
);
quantity!(
    /// A feeder of the local network, as the grid operator numbers them.
    FeederId(u32), from_number, number
);
quantity!(
    /// Position of an order in the finalized order of its market and slot.
    Seq(u32), from_number, number
);
additive!(Energy, Money, Gas);

impl Price {
    /// Price times energy, exact: 10⁻⁴ yuan/kWh × Wh = 10⁻⁷ yuan.
    pub const fn times(self, energy: Energy) -> Money {
        // u32::MAX × u64::MAX < 2⁹⁶, so this cannot overflow.
        Money((self.0 as u128) * (energy.0 as u128))
    }

    /// The sum, at most the largest price.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or `None` below zero.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(v) => Some(Self(v)),
            None => None,
        }
    }
}

/// `floor((bid + ask) / 2)`: the only market price that rounds (DESIGN section 1).
pub const fn midpoint_floor(bid: Price, ask: Price) -> Price {
    // The mean of two u32 is a u32.
    #[allow(clippy::cast_possible_truncation, reason = "the mean of two u32 fits u32")]
    Price(((bid.0 as u64 + ask.0 as u64) / 2) as u32)
}

impl Slot {
    /// The slot `count` later, or `None` past the last number.
    pub const fn checked_add(self, count: SlotCount) -> Option<Self> {
        match self.0.checked_add(count.0) {
            Some(v) => Some(Self(v)),
            None => None,
        }
    }

    /// The distance from an earlier slot, or `None` if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Option<SlotCount> {
        match self.0.checked_sub(earlier.0) {
            Some(v) => Some(SlotCount(v)),
            None => None,
        }
    }
}

impl Timestamp {
    /// The instant `ms` milliseconds later, at most the last instant.
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The instant `ms` milliseconds earlier, at least the epoch.
    pub const fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms))
    }
}

impl Height {
    /// The next block's number.
    ///
    /// # Panics
    /// After 2⁶⁴ blocks, which no chain reaches.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Seq {
    /// The next position.
    ///
    /// # Panics
    /// After 2³² orders in one slot; admission stops at `MAX_ORDERS_PER_SLOT`.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:07}", self.0 / 10_000_000, self.0 % 10_000_000)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}", self.0 / 10_000, self.0 % 10_000)
    }
}

macro_rules! plain_display {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}
plain_display!(Energy, Slot, SlotCount, Timestamp, Gas, Height, MarketId, EntityId, MeterId, FeederId, Seq);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_papers_case_is_exact() {
        let energy = Energy::from_wh(10_000);
        assert_eq!(Price::from_ticks(6_700).times(energy).units(), 67_000_000);
        assert_eq!(Price::from_ticks(200).times(energy).units(), 2_000_000);
        assert_eq!(Money::from_units(67_000_000).to_string(), "6.7000000");
    }

    #[test]
    fn midpoint_rounds_down_and_never_overflows() {
        for (bid, ask, mid) in [(5, 4, 4), (6, 4, 5), (u32::MAX, u32::MAX, u32::MAX), (1, 0, 0)] {
            assert_eq!(midpoint_floor(Price::from_ticks(bid), Price::from_ticks(ask)).ticks(), mid);
        }
    }

    #[test]
    fn quantities_encode_as_fixed_width() {
        assert_eq!(Energy::from_wh(1).encode(), [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Price::from_ticks(2).encode(), [2, 0, 0, 0]);
        assert_eq!(Money::from_units(3).encode().len(), 16);
    }
}
