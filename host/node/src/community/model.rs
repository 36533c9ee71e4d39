//! The community and one day of its life.
//!
//! Each connection uses its own generation first; only the difference crosses its meter.

use runtime_primitives::{Energy, Timestamp};

/// Slots of a day.
pub const SLOTS: usize = 96;
/// Length of a slot in minutes.
pub const SLOT_MINUTES: u16 = 15;

const SLOTS_PER_HOUR: u64 = 4;
const DAY_SLOT_MS: u64 = SLOT_MINUTES as u64 * 60_000;

/// A day of the data, one for each balance between use and generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Season {
    /// Thursday 2016-05-26: generation well above use.
    Summer,
    /// Wednesday 2016-09-21: generation near use.
    Shoulder,
    /// Monday 2016-01-18: use well above generation.
    Winter,
}

impl Season {
    /// All days of the data.
    pub const ALL: [Self; 3] = [Self::Summer, Self::Shoulder, Self::Winter];

    /// The date, as in the data's file names.
    pub const fn date(self) -> &'static str {
        match self {
            Self::Summer => "2016-05-26",
            Self::Shoulder => "2016-09-21",
            Self::Winter => "2016-01-18",
        }
    }

    /// The name, as in the data's file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Summer => "summer",
            Self::Shoulder => "shoulder",
            Self::Winter => "winter",
        }
    }

    /// Start of slot 0. The chain takes the data's clock for UTC.
    pub const fn midnight(self) -> Timestamp {
        Timestamp::from_ms(match self {
            Self::Summer => 1_464_220_800_000,
            Self::Shoulder => 1_474_416_000_000,
            Self::Winter => 1_453_075_200_000,
        })
    }

    /// Start of `slot`; slot 96 is the end of the day.
    pub const fn slot_start(self, slot: u32) -> Timestamp {
        // Widening: a u32 fits u64.
        self.midnight().plus_ms(slot as u64 * DAY_SLOT_MS)
    }
}

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prosumer {
    /// Position in the data, from 0.
    pub index: u32,
    /// Rated load in watts.
    pub load_rated_w: u32,
    /// Peak power of the generator in watts; 0 for none.
    pub pv_peak_w: u32,
    /// P_max of the connection in watts, see [`Prosumer::capacity_w`].
    pub capacity_w: u32,
}

impl Prosumer {
    /// P_max of a connection: the larger of rated load and generator peak, plus 30 %, and never less than the
    /// largest power seen at the meter on any day of the data; rounded up to whole kilowatts, as connections
    /// are sold. `net_max` is the largest energy exchanged in one slot. `None` above 4.29 GW.
    pub fn capacity_w(load_rated_w: u32, pv_peak_w: u32, net_max: Energy) -> Option<u32> {
        let rated = u64::from(load_rated_w.max(pv_peak_w)) * 13;
        let rated = rated.div_ceil(10);
        let seen = net_max.wh().checked_mul(SLOTS_PER_HOUR)?;
        let kilowatts = rated.max(seen).div_ceil(1_000);
        u32::try_from(kilowatts.checked_mul(1_000)?).ok()
    }
}

/// What one connection used and generated in one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotEnergy {
    /// Used.
    pub load: Energy,
    /// Generated.
    pub pv: Energy,
}

/// What crossed a meter in one slot; at most one of the two is not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metered {
    /// Taken from the grid.
    pub import: Energy,
    /// Fed into the grid.
    pub export: Energy,
}

impl Metered {
    /// What crossed in either direction.
    pub fn net(self) -> Energy {
        self.import.max(self.export)
    }
}

impl SlotEnergy {
    /// What crosses the meter after own generation has served own use.
    pub const fn metered(self) -> Metered {
        Metered { import: self.load.saturating_sub(self.pv), export: self.pv.saturating_sub(self.load) }
    }
}

/// The community on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Community {
    /// The day.
    pub season: Season,
    /// Its connections, by index.
    pub prosumers: Vec<Prosumer>,
    /// For each connection, its day.
    pub series: Vec<[SlotEnergy; SLOTS]>,
}

impl Community {
    /// What crossed the meter of `prosumer` in `slot`; `None` where the data has neither.
    pub fn metered(&self, prosumer: u32, slot: u32) -> Option<Metered> {
        let day = self.series.get(usize::try_from(prosumer).ok()?)?;
        day.get(usize::try_from(slot).ok()?).map(|energy| energy.metered())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::report::utc_date_time;

    #[test]
    fn dates_and_clocks_agree() {
        for season in Season::ALL {
            assert_eq!(utc_date_time(season.midnight()), format!("{} 00:00:00", season.date()));
        }
        assert_eq!(utc_date_time(Season::Summer.slot_start(49)), "2016-05-26 12:15:00");
        assert_eq!(utc_date_time(Season::Summer.slot_start(96)), "2016-05-27 00:00:00");
    }

    #[test]
    fn capacities() {
        // (load W, pv W, largest net Wh, capacity W)
        let rows = [
            (3_000, 27_000, 0, Some(36_000)),
            (10_000, 0, 0, Some(13_000)),
            (2_000, 2_800, 0, Some(4_000)),
            (2_000, 0, 750, Some(3_000)),
            (2_000, 0, 751, Some(4_000)),
            (0, 0, 0, Some(0)),
            (1, 0, 0, Some(1_000)),
            (u32::MAX, 0, 0, None),
            (0, 0, u64::MAX, None),
        ];
        for (load, pv, net, expected) in rows {
            assert_eq!(Prosumer::capacity_w(load, pv, Energy::from_wh(net)), expected, "{load} {pv} {net}");
        }
    }

    #[test]
    fn own_generation_serves_own_use_first() {
        for (load, pv, import, export) in [(5, 3, 2, 0), (3, 5, 0, 2), (4, 4, 0, 0)] {
            let metered = SlotEnergy { load: Energy::from_wh(load), pv: Energy::from_wh(pv) }.metered();
            assert_eq!((metered.import.wh(), metered.export.wh()), (import, export));
            assert_eq!(metered.net().wh(), import + export);
        }
    }
}
