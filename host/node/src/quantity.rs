//! Quantities as people write them: a decimal and a unit such as `0.67 yuan/kWh`, `10kWh` or `5 min`, and back.
//!
//! Nothing rounds: what the chain cannot hold exactly is refused. No floating-point number is involved.

use runtime_primitives::{Energy, Money, Price, Slot, Timestamp};
use thiserror::Error;

/// Bytes of a text worth reading: 39 digits and a unit are fewer.
const TEXT_BYTES_MAX: usize = 64;

/// Why a text is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// It is no decimal.
    #[error("no {what}; write {example}")]
    NotADecimal {
        /// What is expected.
        what: &'static str,
        /// A quantity of the kind.
        example: &'static str,
    },
    /// It is below 0.
    #[error("{what} below 0; write 0 or more, such as {example}")]
    Negative {
        /// What is expected.
        what: &'static str,
        /// A quantity of the kind.
        example: &'static str,
    },
    /// The unit is missing or none of the kind.
    #[error("none of the units {units}; write {example}")]
    Unit {
        /// The units of the kind.
        units: String,
        /// A quantity of the kind.
        example: &'static str,
    },
    /// Finer than the chain counts.
    #[error("finer than {step}; no digit is dropped, so round it yourself")]
    TooFine {
        /// The smallest step.
        step: &'static str,
    },
    /// More than the chain counts.
    #[error("more than {max} times {unit}; write less")]
    TooLarge {
        /// The most, in steps.
        max: u128,
        /// What a step is.
        unit: &'static str,
    },
}

/// A kind of quantity: its units and how many steps one is.
struct Kind {
    what: &'static str,
    example: &'static str,
    /// The smallest step.
    step: &'static str,
    /// Steps in a unit, by its name; the empty name means that the unit may be left out.
    units: &'static [(&'static str, u128)],
    /// Most steps.
    max: u128,
}

const PRICE: Kind = Kind {
    what: "price",
    example: "0.67",
    step: "0.0001 yuan/kWh",
    units: &[("", 10_000), ("yuan/kWh", 10_000)],
    max: u32::MAX as u128,
};
const MONEY: Kind = Kind {
    what: "amount of money",
    example: "12.50",
    step: "0.0000001 yuan",
    units: &[("", 10_000_000), ("yuan", 10_000_000)],
    max: u128::MAX,
};
const ENERGY: Kind = Kind {
    what: "energy",
    example: "10kWh",
    step: "1 Wh",
    units: &[("Wh", 1), ("kWh", 1_000), ("MWh", 1_000_000)],
    max: u64::MAX as u128,
};
const POWER: Kind = Kind {
    what: "power",
    example: "10kW",
    step: "1 W",
    units: &[("W", 1), ("kW", 1_000), ("MW", 1_000_000)],
    max: u32::MAX as u128,
};
const SECONDS: Kind = Kind {
    what: "time span",
    example: "5 min",
    step: "1 s",
    units: &[("s", 1), ("min", 60), ("h", 3_600), ("d", 86_400)],
    max: u32::MAX as u128,
};
const SHARE: Kind =
    Kind { what: "share", example: "5 %", step: "0.01 %", units: &[("%", 100)], max: u16::MAX as u128 };

impl Kind {
    /// The steps that `text` says, exactly.
    fn steps(&self, text: &str) -> Result<u128, QuantityError> {
        let not = || QuantityError::NotADecimal { what: self.what, example: self.example };
        if text.len() > TEXT_BYTES_MAX {
            return Err(not());
        }
        let trimmed = text.trim();
        if trimmed.strip_prefix('-').is_some_and(|above| self.steps(above).is_ok()) {
            return Err(QuantityError::Negative { what: self.what, example: self.example });
        }
        let end = trimmed.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let (digits, unit) = trimmed.split_at(end.unwrap_or(trimmed.len()));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
            return Err(not());
        }
        let unit = unit.trim_start();
        let Some((_, factor)) = self.units.iter().find(|(name, _)| *name == unit) else {
            let names: Vec<_> =
                self.units.iter().map(|(name, _)| *name).filter(|name| !name.is_empty()).collect();
            return Err(QuantityError::Unit { units: names.join(", "), example: self.example });
        };
        let too_large = || QuantityError::TooLarge { max: self.max, unit: self.step };
        let fraction = fraction.trim_end_matches('0');
        let scale = u32::try_from(fraction.len()).ok().and_then(|places| 10u128.checked_pow(places));
        let scale = scale.ok_or(QuantityError::TooFine { step: self.step })?;
        let whole: u128 = whole.parse().map_err(|_| too_large())?;
        let fraction: u128 = format!("0{fraction}").parse().unwrap_or(u128::MAX);
        let scaled = fraction.checked_mul(*factor).filter(|scaled| scaled % scale == 0);
        let scaled = scaled.ok_or(QuantityError::TooFine { step: self.step })?;
        let steps = whole.checked_mul(*factor).and_then(|steps| steps.checked_add(scaled / scale));
        steps.filter(|steps| *steps <= self.max).ok_or_else(too_large)
    }
}

/// Steps within a kind's maximum fit the integer whose maximum it is.
fn narrow<T: TryFrom<u128>>(steps: u128) -> T {
    T::try_from(steps).unwrap_or_else(|_| unreachable!("the kind's maximum is the type's"))
}

/// A price such as `0.67`, in yuan/kWh.
///
/// # Errors
/// [`QuantityError`]; so for all kinds.
pub fn price(text: &str) -> Result<Price, QuantityError> {
    PRICE.steps(text).map(|steps| Price::from_ticks(narrow(steps)))
}

/// An amount of money such as `12.50`, in yuan.
///
/// # Errors
/// [`QuantityError`].
pub fn money(text: &str) -> Result<Money, QuantityError> {
    MONEY.steps(text).map(Money::from_units)
}

/// An energy such as `10kWh` or `500 Wh`.
///
/// # Errors
/// [`QuantityError`].
pub fn energy(text: &str) -> Result<Energy, QuantityError> {
    ENERGY.steps(text).map(|steps| Energy::from_wh(narrow(steps)))
}

/// A power such as `10kW`, in watts.
///
/// # Errors
/// [`QuantityError`].
pub fn watts(text: &str) -> Result<u32, QuantityError> {
    POWER.steps(text).map(narrow)
}

/// A time span such as `5 min`, in seconds.
///
/// # Errors
/// [`QuantityError`].
pub fn seconds(text: &str) -> Result<u32, QuantityError> {
    SECONDS.steps(text).map(narrow)
}

/// A share such as `5 %`, in hundredths of a per cent.
///
/// # Errors
/// [`QuantityError`].
pub fn basis_points(text: &str) -> Result<u16, QuantityError> {
    SHARE.steps(text).map(narrow)
}

/// An instant such as `2026-01-31T00:00:00Z`, from 1970 on, in whole milliseconds.
///
/// # Errors
/// [`QuantityError`].
pub fn instant(text: &str) -> Result<Timestamp, QuantityError> {
    let not = || QuantityError::NotADecimal {
        what: "date and time in UTC, from 1970 on",
        example: "2026-01-31T00:00:00Z",
    };
    let time: jiff::Timestamp = text.trim().parse().map_err(|_| not())?;
    if time.subsec_nanosecond() % 1_000_000 != 0 {
        return Err(QuantityError::TooFine { step: "1 ms" });
    }
    u64::try_from(time.as_millisecond()).map(Timestamp::from_ms).map_err(|_| not())
}

/// Slots such as `40..59`, both included, or one slot.
///
/// # Errors
/// What to write.
pub fn slots(text: &str) -> Result<(Slot, Slot), String> {
    let number = |text: &str| text.trim().parse().map(Slot::from_number).ok();
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        _ => Err("write the first and the last slot, such as 40..59, or one slot".into()),
    }
}

/// A price as text, with two to four decimals.
pub fn price_text(price: Price) -> String {
    decimal(u128::from(price.ticks()), 4)
}

/// Money as text, with two to seven decimals.
pub fn money_text(money: Money) -> String {
    decimal(money.units(), 7)
}

/// An energy as text, in kWh if that leaves no fraction.
pub fn energy_text(energy: Energy) -> String {
    match energy.wh() {
        wh if wh > 0 && wh.is_multiple_of(1_000) => format!("{} kWh", wh / 1_000),
        wh => format!("{wh} Wh"),
    }
}

/// A time span as text, in the largest unit that leaves no fraction.
pub fn seconds_text(seconds: u32) -> String {
    match seconds {
        s if s > 86_400 && s.is_multiple_of(86_400) => format!("{} d", s / 86_400),
        s if s > 0 && s.is_multiple_of(3_600) => format!("{} h", s / 3_600),
        s if s > 0 && s.is_multiple_of(60) => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// A share as text.
pub fn share_text(basis_points: u16) -> String {
    match basis_points % 100 {
        0 => format!("{} %", basis_points / 100),
        _ => format!("{} %", decimal(u128::from(basis_points), 2)),
    }
}

/// An instant as text; in milliseconds after the year 9999.
pub fn instant_text(time: Timestamp) -> String {
    let instant = i64::try_from(time.ms()).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    instant.map_or_else(|| format!("{time} ms"), |instant| instant.to_string())
}

/// `steps` of 10⁻ᵖ, with at least two of its `places` decimals.
fn decimal(steps: u128, places: usize) -> String {
    let scale = 10u128.pow(u32::try_from(places).unwrap_or(u32::MAX));
    let text = format!("{}.{:0places$}", steps / scale, steps % scale);
    let spare = text.len() - text.trim_end_matches('0').len();
    text[..text.len() - spare.min(places - 2)].to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn quantities_are_exact_both_ways() {
        for (text, ticks, shown) in [
            ("0.67", 6_700, "0.67"),
            (" 0.6701 yuan/kWh", 6_701, "0.6701"),
            ("1", 10_000, "1.00"),
            ("0.10000000000000000", 1_000, "0.10"),
            ("429496.7295", u32::MAX, "429496.7295"),
        ] {
            assert_eq!(price(text).unwrap().ticks(), ticks, "{text}");
            assert_eq!(price_text(Price::from_ticks(ticks)), shown);
        }
        for (text, units, shown) in [
            ("12.5yuan", 125_000_000, "12.50"),
            ("0.0000001", 1, "0.0000001"),
            ("0", 0, "0.00"),
            (
                "34028236692093846346337460743176.8211455",
                u128::MAX,
                "34028236692093846346337460743176.8211455",
            ),
        ] {
            assert_eq!(money(text).unwrap().units(), units, "{text}");
            assert_eq!(money_text(Money::from_units(units)), shown);
        }
        for (text, wh, shown) in
            [("10kWh", 10_000, "10 kWh"), ("1.5 kWh", 1_500, "1500 Wh"), ("0 Wh", 0, "0 Wh")]
        {
            assert_eq!(energy(text).unwrap().wh(), wh);
            assert_eq!(energy_text(Energy::from_wh(wh)), shown);
        }
        for (text, s, shown) in [
            ("5 min", 300, "5 min"),
            ("24 h", 86_400, "24 h"),
            ("2d", 172_800, "2 d"),
            ("0.5 h", 1_800, "30 min"),
            ("0 s", 0, "0 s"),
        ] {
            assert_eq!(seconds(text).unwrap(), s);
            assert_eq!(seconds_text(s), shown);
        }
        assert_eq!((basis_points("5 %").unwrap(), share_text(500).as_str()), (500, "5 %"));
        assert_eq!((basis_points("0.25%").unwrap(), share_text(25).as_str()), (25, "0.25 %"));
        assert_eq!(watts("11.04 kW").unwrap(), 11_040);
        let time = instant("2026-01-31T00:00:00.25Z").unwrap();
        assert_eq!(instant(&instant_text(time)).unwrap(), time);
    }

    #[test]
    fn what_is_not_exact_is_refused() {
        type Read = fn(&str) -> Result<(), QuantityError>;
        let (p, e, s): (Read, Read, Read) =
            (|text| price(text).map(drop), |text| energy(text).map(drop), |text| seconds(text).map(drop));
        let rows: [(Read, &str, &str); 16] = [
            (p, "0.00001", "finer than 0.0001 yuan/kWh"),
            (p, "429496.7296", "more than 4294967295"),
            (p, "99999999999999999999999999999999999999999", "more than 4294967295"),
            (p, "0.00000000000000000000000000000000000000000000001", "finer"),
            (p, "-0.1", "price below 0; write 0 or more, such as 0.67"),
            (p, "--0.1", "no price"),
            (e, "-1kWh", "energy below 0; write 0 or more, such as 10kWh"),
            (p, "1e3", "units yuan/kWh"),
            (p, "1.", "no price"),
            (p, ".5", "no price"),
            (p, "1.2.3", "no price"),
            (p, "", "no price"),
            (e, "10", "units Wh, kWh, MWh"),
            (e, "0.5 Wh", "finer than 1 Wh"),
            (s, "5 minutes", "units s, min, h, d"),
            (s, "1.5 s", "finer than 1 s"),
        ];
        for (read, text, said) in rows {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        for text in ["1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z", "now", "2026-01-01T00:00:00.0001Z"] {
            assert!(instant(text).is_err(), "{text}");
        }
        assert!(price(&"1".repeat(1_000_000)).is_err());
    }
}
