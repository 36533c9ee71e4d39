//! A list of named values: a two-column table for people, an object for scripts.
//!
//! One list serves both, so that a figure cannot be in the table and missing from the JSON. JSON keys are the
//! labels with `_` for spaces; counts are numbers, everything else is text.

use super::table;
use comfy_table::{Cell, CellAlignment};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Count(u64),
}

/// Named values in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    title: String,
    lines: Vec<(String, Value)>,
}

impl Summary {
    /// An empty list under `title`.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), lines: Vec::new() }
    }

    /// Append a text.
    pub fn line(&mut self, label: &str, value: impl fmt::Display) -> &mut Self {
        self.lines.push((label.to_owned(), Value::Text(value.to_string())));
        self
    }

    /// Append a count, shown with its digits grouped.
    pub fn count(&mut self, label: &str, count: u64) -> &mut Self {
        self.lines.push((label.to_owned(), Value::Count(count)));
        self
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = table();
        table.set_header([self.title.as_str(), ""]);
        for (label, value) in &self.lines {
            let cell = match value {
                Value::Text(text) => Cell::new(text),
                Value::Count(count) => Cell::new(grouped(*count)).set_alignment(CellAlignment::Right),
            };
            table.add_row([Cell::new(label), cell]);
        }
        fmt::Display::fmt(&table, f)
    }
}

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.lines.len()))?;
        for (label, value) in &self.lines {
            let key = label.replace(' ', "_");
            match value {
                Value::Text(text) => map.serialize_entry(&key, text)?,
                Value::Count(count) => map.serialize_entry(&key, count)?,
            }
        }
        map.end()
    }
}

/// `9250` as `9,250`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let (head, tail) = digits.split_at(first);
    let mut text = head.to_owned();
    for (at, digit) in tail.chars().enumerate() {
        if at % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::report::Amount;

    #[test]
    fn table_and_json_say_the_same() {
        let mut summary = Summary::new("Thursday");
        summary.count("orders placed", 9_250).line("turnover", Amount::from_units(67_000_000));
        assert_eq!(
            serde_json::to_string(&summary).unwrap(),
            r#"{"orders_placed":9250,"turnover":"6.7000000"}"#
        );
        let table = [
            "┌───────────────┬───────────┐",
            "│ Thursday      ┆           │",
            "╞═══════════════╪═══════════╡",
            "│ orders placed ┆     9,250 │",
            "│ turnover      ┆ 6.7000000 │",
            "└───────────────┴───────────┘",
        ];
        assert_eq!(summary.to_string().lines().collect::<Vec<_>>(), table);
    }

    #[test]
    fn digits_are_grouped_by_three() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (40_000, "40,000"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(grouped(count), text);
        }
    }
}
