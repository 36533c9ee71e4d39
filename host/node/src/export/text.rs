//! CSV and JSON, row by row.

use super::{Cell, Column, ExportError, Kind, Sink, sync};
use runtime_primitives::Timestamp;
use serde_json::Value;
use std::fs::File;
use std::io::{BufWriter, Write};

/// A cell as CSV writes it; nothing if it is empty.
pub(super) fn plain(cell: &Cell, kind: Kind) -> String {
    match (cell, kind) {
        (Cell::None, _) => String::new(),
        (Cell::Number(number), _) => number.to_string(),
        (Cell::Flag(flag), _) => flag.to_string(),
        (Cell::Decimal(units), Kind::Decimal(scale)) => decimal(*units, scale),
        (Cell::Decimal(units), _) => units.to_string(),
        (Cell::Time(time), _) => utc(*time),
        (Cell::Text(text), _) => text.clone(),
    }
}

/// Exact: a sign if negative, all decimals.
fn decimal(units: i128, scale: u8) -> String {
    let one = 10u128.pow(scale.into());
    let (sign, units) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
    format!("{sign}{}.{:0width$}", units / one, units % one, width = usize::from(scale))
}

/// RFC 3339; a time after the year 9999 in milliseconds since 1970.
fn utc(time: Timestamp) -> String {
    let instant = i64::try_from(time.ms()).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    instant.map_or_else(|| time.ms().to_string(), |instant| instant.strftime("%FT%T.%3fZ").to_string())
}

/// Comma-separated values.
pub(super) struct Csv<W: Write> {
    out: csv::Writer<W>,
    columns: &'static [Column],
}

impl<W: Write> Csv<W> {
    pub(super) fn new(to: W, columns: &'static [Column]) -> Result<Self, ExportError> {
        let mut out = csv::Writer::from_writer(to);
        out.write_record(columns.iter().map(|column| column.name))?;
        Ok(Self { out, columns })
    }

    pub(super) fn write(&mut self, row: &[Cell]) -> Result<(), ExportError> {
        let cells = row.iter().zip(self.columns);
        Ok(self.out.write_record(cells.map(|(cell, column)| plain(cell, column.kind)))?)
    }

    pub(super) fn into_inner(self) -> Result<W, ExportError> {
        let mut to = self.out.into_inner().map_err(|error| error.into_error())?;
        to.flush()?;
        Ok(to)
    }
}

impl Sink for Csv<BufWriter<File>> {
    fn row(&mut self, row: Vec<Cell>) -> Result<(), ExportError> {
        self.write(&row)
    }

    fn finish(self: Box<Self>) -> Result<(), ExportError> {
        sync(self.into_inner()?)
    }
}

/// An array of objects.
pub(super) struct Json<W: Write> {
    out: W,
    columns: &'static [Column],
    is_empty: bool,
}

impl<W: Write> Json<W> {
    pub(super) fn new(mut to: W, columns: &'static [Column]) -> Result<Self, ExportError> {
        to.write_all(b"[")?;
        Ok(Self { out: to, columns, is_empty: true })
    }

    pub(super) fn write(&mut self, row: &[Cell]) -> Result<(), ExportError> {
        self.out.write_all(if self.is_empty { b"\n{" } else { b",\n{" })?;
        self.is_empty = false;
        for (index, (cell, column)) in row.iter().zip(self.columns).enumerate() {
            if index > 0 {
                self.out.write_all(b",")?;
            }
            write!(self.out, "\"{}\":", column.name)?;
            serde_json::to_writer(&mut self.out, &value(cell, column.kind))?;
        }
        Ok(self.out.write_all(b"}")?)
    }

    pub(super) fn into_inner(mut self) -> Result<W, ExportError> {
        self.out.write_all(b"\n]\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl Sink for Json<BufWriter<File>> {
    fn row(&mut self, row: Vec<Cell>) -> Result<(), ExportError> {
        self.write(&row)
    }

    fn finish(self: Box<Self>) -> Result<(), ExportError> {
        sync(self.into_inner()?)
    }
}

fn value(cell: &Cell, kind: Kind) -> Value {
    match cell {
        Cell::None => Value::Null,
        Cell::Number(number) => (*number).into(),
        Cell::Flag(flag) => (*flag).into(),
        Cell::Decimal(_) | Cell::Time(_) | Cell::Text(_) => plain(cell, kind).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_as_text() {
        let rows = [
            (Cell::Decimal(-1), Kind::Decimal(7), "-0.0000001"),
            (Cell::Decimal(67_000_000), Kind::Decimal(7), "6.7000000"),
            (Cell::Decimal(i128::MAX), Kind::Decimal(4), "17014118346046923173168730371588410.5727"),
            (Cell::Decimal(2_301), Kind::Decimal(1), "230.1"),
            (Cell::Time(Timestamp::from_ms(1_464_264_000_250)), Kind::Time, "2016-05-26T12:00:00.250Z"),
            (Cell::Time(Timestamp::MAX), Kind::Time, "18446744073709551615"),
            (Cell::Flag(true), Kind::Flag, "true"),
            (Cell::None, Kind::Number, ""),
        ];
        for (cell, kind, expected) in rows {
            assert_eq!(plain(&cell, kind), expected);
        }
    }
}
