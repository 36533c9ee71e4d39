//! What can be wrong with community data: one variant per rule, always with file and line.

use std::io;

/// Why community data was refused.
#[derive(Debug, thiserror::Error)]
pub enum CommunityError {
    /// A file cannot be read.
    #[error("cannot read {file}")]
    Read {
        /// Path of the file.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A line is no CSV, or has more or fewer fields than the header.
    #[error("{file}, line {line}: {reason}")]
    Csv {
        /// Path of the file.
        file: String,
        /// Line number, from 1.
        line: u64,
        /// The parser's reason.
        reason: String,
    },
    /// The columns are others than documented.
    #[error("{file}, line 1: the columns are {found:?}, expected {expected:?}")]
    Columns {
        /// Path of the file.
        file: String,
        /// Columns in the file.
        found: String,
        /// Columns as documented.
        expected: String,
    },
    /// A field does not hold what its column says.
    #[error("{file}, line {line}: {column} is {found:?}, expected {expected}")]
    Field {
        /// Path of the file.
        file: String,
        /// Line number, from 1.
        line: u64,
        /// Name of the column.
        column: &'static str,
        /// The text in the file.
        found: String,
        /// What the column holds.
        expected: &'static str,
    },
    /// A row is missing, doubled or out of order.
    #[error("{file}, line {line}: row is for {found}, expected {expected}")]
    Order {
        /// Path of the file.
        file: String,
        /// Line number, from 1.
        line: u64,
        /// What the row is for.
        found: String,
        /// What comes next in order.
        expected: String,
    },
    /// A file ends early or holds nobody.
    #[error("{file} has {found} rows, expected {expected}")]
    Rows {
        /// Path of the file.
        file: String,
        /// Rows in the file.
        found: usize,
        /// Rows expected.
        expected: usize,
    },
    /// Prices leave no room to trade.
    #[error(
        "feed-in {feed_in} plus network fee {network_fee} exceed retail {retail}: nobody gains by trading"
    )]
    Tariff {
        /// Feed-in rate in ticks.
        feed_in: u32,
        /// Network fee in ticks.
        network_fee: u32,
        /// Retail rate in ticks.
        retail: u32,
    },
}
