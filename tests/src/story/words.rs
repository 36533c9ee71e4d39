//! The language of stories: sentences with gaps, and what fits a gap. Units are part of a value, never guessed.
//!
//! A sentence is written as it is documented: `<household> sells <energy> at <price>`. Words stand for themselves.

use std::fmt;

/// What was found in a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Somebody by name.
    Name(String),
    /// Wh.
    Energy(u64),
    /// Ticks.
    Price(u32),
    /// Units of money.
    Money(u128),
    /// A count or a position.
    Number(u32),
    /// One word.
    Word(String),
    /// The rest of the line.
    Text(String),
    /// A moment of the slot, and seconds from it.
    Moment(Anchor, i64),
}

/// The moments that others are told from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The slot opens.
    Opening,
    /// The gate closes.
    Gate,
    /// Delivery begins.
    Delivery,
    /// Delivery ends.
    End,
}

/// A kind of gap, as it is written in sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    Household,
    Party,
    Energy,
    Price,
    Money,
    Number,
    Word,
    Text,
    Moment,
}

const GAPS: [(&str, Gap, &str); 9] = [
    ("<household>", Gap::Household, "a household"),
    ("<party>", Gap::Party, "a household, an institution or `validator 1`"),
    ("<energy>", Gap::Energy, "an energy, like `10 kWh` or `500 Wh`"),
    ("<price>", Gap::Price, "a price in yuan/kWh, like `0.67`"),
    ("<money>", Gap::Money, "money, like `6.7 yuan`"),
    ("<number>", Gap::Number, "a number"),
    ("<word>", Gap::Word, "a word"),
    ("<text>", Gap::Text, "some text"),
    (
        "<moment>",
        Gap::Moment,
        "a moment, like `gate - 5 min`; it is told from opening, gate, delivery or end",
    ),
];

/// Somebody who is no household.
pub const INSTITUTIONS: [&str; 12] = [
    "registrar",
    "bank",
    "retailer",
    "grid",
    "platform",
    "meter operator",
    "validator 1",
    "validator 2",
    "validator 3",
    "auditor",
    "pool",
    "fees",
];

/// How far a line fits a sentence.
pub enum Fit {
    /// Entirely.
    Whole(Vec<Value>),
    /// For so many words; then this was expected.
    Part(usize, String),
}

/// Fit a line's words to a sentence, with these households.
pub fn fit(sentence: &str, words: &[&str], households: &[String]) -> Fit {
    let mut values = Vec::new();
    let mut at = 0;
    for expected in sentence.split(' ') {
        let Some((_, gap, meaning)) = GAPS.iter().find(|(name, ..)| *name == expected) else {
            if words.get(at) != Some(&expected) {
                return Fit::Part(at, format!("`{expected}`"));
            }
            at += 1;
            continue;
        };
        match fill(*gap, &words[at..], households) {
            Some((value, used)) => {
                values.push(value);
                at += used;
            }
            None => return Fit::Part(at, (*meaning).into()),
        }
    }
    if at == words.len() { Fit::Whole(values) } else { Fit::Part(at, "the end of the line".into()) }
}

/// The value at the head of `words` that fits the gap, and how many words it takes.
fn fill(gap: Gap, words: &[&str], households: &[String]) -> Option<(Value, usize)> {
    let first = *words.first()?;
    let is_household = households.iter().any(|name| name == first);
    match gap {
        Gap::Household => is_household.then(|| (Value::Name(first.into()), 1)),
        Gap::Party => {
            let (two, one) = (words.get(..2).map(|two| two.join(" ")), first.to_owned());
            let known = |name: &String| INSTITUTIONS.contains(&name.as_str());
            match two.filter(known) {
                Some(two) => Some((Value::Name(two), 2)),
                None => (is_household || known(&one)).then_some((Value::Name(one), 1)),
            }
        }
        Gap::Energy => {
            let digits = match *words.get(1)? {
                "kWh" => 3,
                "Wh" => 0,
                _ => return None,
            };
            Some((Value::Energy(u64::try_from(decimal(first, digits)?).ok()?), 2))
        }
        Gap::Price => Some((Value::Price(u32::try_from(decimal(first, 4)?).ok()?), 1)),
        Gap::Money => {
            (words.get(1) == Some(&"yuan")).then_some(())?;
            Some((Value::Money(decimal(first, 7)?), 2))
        }
        Gap::Number => Some((Value::Number(first.parse().ok()?), 1)),
        Gap::Word => Some((Value::Word(first.into()), 1)),
        Gap::Text => Some((Value::Text(words.join(" ")), words.len())),
        Gap::Moment => moment(words),
    }
}

/// A decimal number in units of its `digits`-th place; no rounding, so no more places than that.
pub fn decimal(text: &str, digits: usize) -> Option<u128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > digits || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    format!("{whole}{part:0<digits$}").parse().ok()
}

/// Seconds of a duration like `5 min`.
pub fn seconds(number: &str, unit: &str) -> Option<u32> {
    let factor = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(factor)
}

fn moment(words: &[&str]) -> Option<(Value, usize)> {
    let anchor = match *words.first()? {
        "opening" => Anchor::Opening,
        "gate" => Anchor::Gate,
        "delivery" => Anchor::Delivery,
        "end" => Anchor::End,
        _ => return None,
    };
    match *words {
        [_, sign @ ("+" | "-"), number, unit, ..] => {
            let distance = i64::from(seconds(number, unit)?);
            Some((Value::Moment(anchor, if sign == "+" { distance } else { -distance }), 4))
        }
        _ => Some((Value::Moment(anchor, 0), 1)),
    }
}

/// Money as stories write it.
pub struct Yuan(pub u128);

impl fmt::Display for Yuan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:07}", self.0 / 10_000_000, self.0 % 10_000_000);
        write!(out, "{} yuan", text.trim_end_matches('0').trim_end_matches('.'))
    }
}
