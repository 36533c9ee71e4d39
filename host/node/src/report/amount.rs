//! A signed amount of money: what an entity gained (+) or lost (−).
//!
//! The chain's `Money` has no sign; a bill needs one. Units are the same, 10⁻⁷ yuan, and nothing rounds.

use runtime_primitives::Money;
use serde::{Serialize, Serializer};
use std::fmt;

const UNITS_PER_YUAN: u128 = 10_000_000;

/// Signed money in units of 10⁻⁷ yuan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(i128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From signed units.
    pub const fn from_units(units: i128) -> Self {
        Self(units)
    }

    /// Money that came in; `None` above 2¹²⁷ − 1 units.
    pub fn received(money: Money) -> Option<Self> {
        i128::try_from(money.units()).ok().map(Self)
    }

    /// Money that went out; `None` above 2¹²⁷ − 1 units.
    pub fn paid(money: Money) -> Option<Self> {
        Self::received(money).map(|Self(units)| Self(-units))
    }

    /// The signed units.
    pub const fn units(self) -> i128 {
        self.0
    }

    /// The sum, or `None` on overflow.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

/// Yuan with all seven decimals; a minus sign if negative.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.0.unsigned_abs();
        let text = format!("{}.{:07}", units / UNITS_PER_YUAN, units % UNITS_PER_YUAN);
        f.pad_integral(self.0 >= 0, "", &text)
    }
}

/// As text in yuan.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_shows() {
        let rows = [
            (0, "0.0000000"),
            (1, "0.0000001"),
            (-1, "-0.0000001"),
            (-67_000_000, "-6.7000000"),
            (i128::MAX, "17014118346046923173168730371588.4105727"),
            (i128::MIN, "-17014118346046923173168730371588.4105728"),
        ];
        for (units, text) in rows {
            assert_eq!(Amount::from_units(units).to_string(), text);
        }
        assert_eq!(format!("{:>+12}", Amount::from_units(5)), "  +0.0000005");
        assert_eq!(format!("{:>12}", Amount::from_units(-5)), "  -0.0000005");
    }

    #[test]
    fn signs_and_bounds() {
        let money = Money::from_units(7);
        assert_eq!(Amount::received(money).map(Amount::units), Some(7));
        assert_eq!(Amount::paid(money).map(Amount::units), Some(-7));
        assert_eq!(Amount::paid(Money::MAX), None);
        assert_eq!(Amount::from_units(i128::MAX).checked_add(Amount::from_units(1)), None);
    }
}
