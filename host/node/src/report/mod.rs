//! Tables, JSON and CSV for people and scripts, from plain data; forbids reading state.
//!
//! Money and energy are printed from integers, exactly: no figure passes through a float. JSON carries money as
//! text, because most readers of JSON numbers round above 2⁵³.

mod amount;
mod bills;
mod instant;
mod memory;
mod outcomes;
mod progress;
mod readings;
mod stages;
mod summary;

pub use amount::Amount;
pub use bills::{BillLine, Side, Source, kind_name};
pub use instant::{utc_clock, utc_date_time};
pub use memory::peak_memory_bytes;
pub use outcomes::OutcomeWords;
pub use progress::Progress;
pub use readings::reading_status;
pub use stages::StageRow;
pub use summary::{Summary, grouped};

use comfy_table::{ContentArrangement, Table, presets};

/// The one table style of the command line.
fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table
}
