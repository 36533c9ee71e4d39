//! `busbar export`: orders, trades, readings and bills of a data folder as tables.

use super::slots::unopened;
use super::trade::{in_history, open};
use crate::client::Party;
use crate::export::{Format, Selection, What, Written, document, export};
use crate::quantity;
use crate::report::Progress;
use anyhow::{Context as _, bail};
use clap::Args;
use jiff::civil::Date;
use runtime_primitives::{MarketId, Slot};
use runtime_state::Overlay;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write orders, trades, readings and bills of a data folder as CSV, JSON or Parquet.
///
/// Every column with its unit is in host/node/src/export/COLUMNS.md, or printed with --columns. Money and prices are
/// exact decimals. Each table is one file of the output folder; a file of that name is replaced.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Data folder of a node or a demo.
    #[arg(long, value_name = "DIR", required_unless_present = "columns")]
    data: Option<PathBuf>,
    /// Folder to write into; made if it is not there.
    #[arg(long, value_name = "DIR", required_unless_present = "columns")]
    out: Option<PathBuf>,
    /// Format of the tables.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Which tables [default: all].
    #[arg(long, value_enum, value_delimiter = ',')]
    what: Vec<What>,
    /// Only this market.
    #[arg(long, value_name = "NUMBER")]
    market: Option<u32>,
    /// Only these slots, first and last included.
    #[arg(long, value_name = "A..B", value_parser = quantity::slots, conflicts_with = "day")]
    slots: Option<(Slot, Slot)>,
    /// Only slots whose delivery starts on this day, UTC.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    day: Option<Date>,
    /// Only this entity's orders, trades on either side, readings of its meters, and lines of its bill. Lines that belong to
    /// no slot, such as funding, are left out if slots are selected.
    #[arg(long)]
    entity: Option<Party>,
    /// Print the columns of all tables and exit.
    #[arg(long)]
    columns: bool,
    /// Print what was written as JSON.
    #[arg(long)]
    json: bool,
}

fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|error: jiff::Error| error.to_string())
}

impl ExportArgs {
    /// Write the tables.
    ///
    /// # Errors
    /// If the folder cannot be read or written, or nothing is selected.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let (Some(data), Some(out)) = (&self.data, &self.out) else {
            print!("{}", document());
            return Ok(ExitCode::SUCCESS);
        };
        let store = open(data)?;
        let snapshot = store.snapshot();
        let market = self.market.map(MarketId::from_number);
        let state = Overlay::new(&snapshot);
        let entity = self.entity.map(|entity| entity.find(&state)).transpose()?.map(|(id, _)| id);
        let notes = self.slots.map_or_else(|| Ok(Vec::new()), |slots| unopened(&state, market, slots))?;
        let selected = Selection { market, slots: self.slots, day: self.day, entity }.of(&snapshot);
        if selected.slots.is_empty() {
            bail!("no slot that has opened is selected; see busbar trade list, or leave the selection out");
        }
        std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        let mut what = if self.what.is_empty() { What::ALL.to_vec() } else { self.what.clone() };
        what.sort_unstable();
        what.dedup();
        let steps = selected.slots.len() as u64 * what.len() as u64;
        let progress = Progress::start("slots", steps, self.json);
        let mut written = Vec::new();
        for what in what {
            progress.note(what.name());
            let table = export(&snapshot, what, &selected, self.format, out, || progress.advance(1));
            written.push(in_history(&store, table)?);
        }
        drop(progress);
        self.print(&written, &notes);
        Ok(ExitCode::SUCCESS)
    }

    fn print(&self, written: &[Written], notes: &[String]) {
        if self.json {
            let files = written.iter().map(|Written { path, rows }| json!({ "path": path, "rows": rows }));
            println!("{}", json!({ "files": files.collect::<Vec<_>>(), "notes": notes }));
        } else {
            written.iter().for_each(|Written { path, rows }| println!("{}: {rows} rows", path.display()));
            notes.iter().for_each(|note| println!("{note}"));
        }
    }
}
