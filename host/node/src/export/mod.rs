//! Orders, trades, readings and bills of a chain as tables, for spreadsheets and analysts: CSV, JSON and Parquet of the very
//! same rows.
//!
//! What a column means stands in [`columns`], once; rows and writers follow it, and `COLUMNS.md` is printed from it.
//! Money and prices are exact everywhere: decimal text, or decimals of fixed scale, never floats.

mod bills;
pub mod columns;
mod error;
mod parquet;
mod rows;
mod text;

pub use bills::{write_bills_csv, write_bills_json};
pub use columns::{Column, Kind, What, document};
pub use error::ExportError;

use clap::ValueEnum;
use host_storage::Snapshot;
use jiff::civil::Date;
use runtime_execution::modules::markets::{At, SLOTS, terms};
use runtime_primitives::{EntityId, MarketId, Slot, Timestamp};
use runtime_state::Overlay;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Formats of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Comma-separated values with a header, RFC 4180.
    Csv,
    /// An array of objects, one a line.
    Json,
    /// Apache Parquet, compressed with Snappy.
    Parquet,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Json, Self::Parquet];

    /// The ending of its files' names.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
        }
    }
}

/// A value of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Not known, or not yet.
    None,
    /// A count, a number or an energy.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// Units of the column's last decimal.
    Decimal(i128),
    /// A time.
    Time(Timestamp),
    /// Text.
    Text(String),
}

/// Which slots are exported; all of them by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection {
    /// Only this market's.
    pub market: Option<MarketId>,
    /// Only these, first and last.
    pub slots: Option<(Slot, Slot)>,
    /// Only those whose delivery starts on this day, UTC.
    pub day: Option<Date>,
    /// Only this entity's: its orders, its trades on either side, readings of its meters, its lines.
    pub entity: Option<EntityId>,
}

/// A slot with the start of its delivery.
#[derive(Clone, Copy, Debug)]
pub struct Selected {
    /// Market and slot.
    pub at: At,
    /// When delivery starts.
    pub starts: Timestamp,
}

/// What is exported.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The slots, in order.
    pub slots: Vec<Selected>,
    /// Whether all slots are selected: then bills have lines that belong to none.
    pub is_whole: bool,
    /// Only this entity's: its orders, its trades on either side, readings of its meters, its lines.
    pub entity: Option<EntityId>,
}

impl Selection {
    /// The slots that have opened and are selected.
    pub fn of(&self, snapshot: &Snapshot) -> Scope {
        let state = Overlay::new(snapshot);
        let slots = SLOTS.entries(&state).into_iter();
        let selected = slots.map(|(at, slot)| {
            let starts = terms(&state, &slot.terms).delivery_start(at.1);
            Selected { at, starts }
        });
        Scope {
            slots: selected.filter(|slot| self.contains(slot)).collect(),
            is_whole: self.market.is_none() && self.slots.is_none() && self.day.is_none(),
            entity: self.entity,
        }
    }

    fn contains(&self, Selected { at, starts }: &Selected) -> bool {
        self.market.is_none_or(|market| market == at.0)
            && self.slots.is_none_or(|(first, last)| (first..=last).contains(&at.1))
            && self.day.is_none_or(|day| date(*starts) == Some(day))
    }
}

/// The UTC day of a time before the year 10000.
fn date(time: Timestamp) -> Option<Date> {
    let instant = jiff::Timestamp::from_millisecond(i64::try_from(time.ms()).ok()?).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(instant).date())
}

/// A table that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its file.
    pub path: PathBuf,
    /// Its rows.
    pub rows: u64,
}

/// Takes rows of one table.
trait Sink {
    /// Take a row: a cell for each column.
    fn row(&mut self, row: Vec<Cell>) -> Result<(), ExportError>;
    /// Write what is left.
    fn finish(self: Box<Self>) -> Result<(), ExportError>;
}

/// Write the rows of `scope` into a file of `folder`, named after the table; `on_slot` hears of each slot, but bills are in
/// the order of booking. A file of that name is replaced when the new one is whole.
///
/// # Errors
/// [`ExportError`].
pub fn export(
    snapshot: &Snapshot,
    what: What,
    scope: &Scope,
    format: Format,
    folder: &Path,
    mut on_slot: impl FnMut(),
) -> Result<Written, ExportError> {
    let path = folder.join(format!("{}.{}", what.name(), format.ending()));
    let unfinished = path.with_extension(format!("{}.part", format.ending()));
    let mut rows = 0;
    let mut sink = sink(what, format, &unfinished)?;
    let mut take = |row| {
        rows += 1;
        sink.row(row)
    };
    if what == What::Bills {
        bills::each(snapshot, scope, &mut take)?;
    }
    for slot in &scope.slots {
        rows::of_slot(snapshot, what, slot, scope.entity)?.into_iter().try_for_each(&mut take)?;
        on_slot();
    }
    sink.finish()?;
    fs::rename(&unfinished, &path).map_err(ExportError::at(&path))?;
    Ok(Written { path, rows })
}

fn sink(what: What, format: Format, path: &Path) -> Result<Box<dyn Sink>, ExportError> {
    let file = BufWriter::new(File::create(path).map_err(ExportError::at(path))?);
    Ok(match format {
        Format::Csv => Box::new(text::Csv::new(file, what.columns())?),
        Format::Json => Box::new(text::Json::new(file, what.columns())?),
        Format::Parquet => Box::new(parquet::Parquet::new(file, what)?),
    })
}

/// Flush a file and wait until the disk has it.
fn sync(file: BufWriter<File>) -> Result<(), ExportError> {
    let mut file = file;
    file.flush()?;
    Ok(file.get_ref().sync_all()?)
}
