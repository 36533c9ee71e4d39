//! The columns of every table: name, kind, unit, meaning.
//!
//! The one place that says what an export contains. A row has a cell for each column of its table, in this order.

use clap::ValueEnum;
use std::fmt::Write;

/// What can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum What {
    /// Orders that were admitted, cancelled ones included.
    Orders,
    /// Trades of the clearings.
    Trades,
    /// Meter readings, every revision.
    Readings,
    /// Lines of bills.
    Bills,
}

impl What {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Orders, Self::Trades, Self::Readings, Self::Bills];

    /// The table's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Trades => "trades",
            Self::Readings => "readings",
            Self::Bills => "bills",
        }
    }

    /// What one row is.
    pub const fn row(self) -> &'static str {
        match self {
            Self::Orders => "an admitted order; an amendment is a new one",
            Self::Trades => "a trade of the clearing that counted",
            Self::Readings => "a posted reading: a meter, a slot, a revision",
            Self::Bills => {
                "a line of an entity's bill: a payment between two entities is on two of them. An entity's lines add up to \
                 what its account, free and held, has gained since genesis"
            }
        }
    }

    /// Its columns, in order.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Orders => ORDERS,
            Self::Trades => TRADES,
            Self::Readings => READINGS,
            Self::Bills => BILLS,
        }
    }
}

/// What a column's cells are, and how each format writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Unsigned, 64 bits.
    Number,
    /// Yes or no.
    Flag,
    /// Exact, with this many decimals.
    Decimal(u8),
    /// UTC, to the millisecond.
    Time,
    /// UTF-8.
    Text,
}

impl Kind {
    /// How CSV, JSON and Parquet write it.
    const fn written(self) -> [&'static str; 3] {
        match self {
            Self::Number => ["digits", "number", "INT64 (UINT_64)"],
            Self::Flag => ["`true`, `false`", "`true`, `false`", "BOOLEAN"],
            Self::Decimal(_) => {
                ["decimal text", "string of decimal text", "FIXED_LEN_BYTE_ARRAY(16) (DECIMAL(38, s))"]
            }
            Self::Time => ["`2016-05-26T12:00:00.000Z`", "string as in CSV", "INT64 (TIMESTAMP_MILLIS, UTC)"],
            Self::Text => ["text", "string", "BYTE_ARRAY (UTF8)"],
        }
    }

    fn name(self) -> String {
        match self {
            Self::Number => "number".into(),
            Self::Flag => "flag".into(),
            Self::Decimal(scale) => format!("decimal, {scale} places"),
            Self::Time => "time".into(),
            Self::Text => "text".into(),
        }
    }
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What its cells are.
    pub kind: Kind,
    /// Whether a cell may be empty: nothing in CSV, `null` in JSON and Parquet.
    pub nullable: bool,
    /// Unit, or empty.
    pub unit: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

const fn always(name: &'static str, kind: Kind, unit: &'static str, meaning: &'static str) -> Column {
    Column { name, kind, nullable: false, unit, meaning }
}

const fn maybe(name: &'static str, kind: Kind, unit: &'static str, meaning: &'static str) -> Column {
    Column { name, kind, nullable: true, unit, meaning }
}

/// Decimals of money: 10⁻⁷ yuan.
const MONEY: Kind = Kind::Decimal(7);
/// Decimals of a price: 10⁻⁴ yuan per kWh.
const PRICE: Kind = Kind::Decimal(4);

const MARKET: Column = always("market", Kind::Number, "", "number of the market");
const SLOT: Column = always("slot", Kind::Number, "", "number of the delivery interval");
const STARTS: Column = always("delivery_start", Kind::Time, "UTC", "when delivery starts");

const OUTCOME: Column = maybe(
    "outcome",
    Kind::Text,
    "",
    "of the trade: `delivered`, `partial` or `cancelled`; empty while it is open",
);
const REASON: Column = maybe("reason", Kind::Text, "", "why the trade came to less than agreed, if it did");
const PARTY: Column =
    maybe("party", Kind::Text, "", "on whose side it did: `seller`, `buyer` or `both`; empty if on nobody's");

const ORDERS: &[Column] = &[
    MARKET,
    SLOT,
    STARTS,
    always("seq", Kind::Number, "", "place in the order of arrival within the slot"),
    always("entity", Kind::Number, "", "who trades"),
    always("meter", Kind::Number, "", "connection that delivers or takes"),
    always("side", Kind::Text, "", "`buy` or `sell`"),
    always("energy", Kind::Number, "Wh", "energy asked or offered"),
    always("min_energy", Kind::Number, "Wh", "least energy that it trades; 0: any"),
    always("price", PRICE, "yuan/kWh", "limit, without fees"),
    always("green", Kind::Flag, "", "prefers or offers green energy"),
    always("auto_confirm", Kind::Flag, "", "agrees in advance to trades within its limits"),
    maybe("partner", Kind::Number, "", "entity it prefers to trade with"),
    always("hold", MONEY, "yuan", "held at admission"),
    always("account", Kind::Text, "", "account it is held on, hexadecimal"),
    always("authorised_by", Kind::Text, "", "hash of the extrinsic that placed it"),
    maybe("in_book", Kind::Flag, "", "whether it stood at the gate; empty before the gate"),
    maybe("traded", Kind::Number, "Wh", "energy of its trades; empty before the clearing"),
];

const TRADES: &[Column] = &[
    MARKET,
    SLOT,
    STARTS,
    always("trade", Kind::Number, "", "place in the clearing"),
    always("buy_seq", Kind::Number, "", "the bid, as `seq` in orders"),
    always("sell_seq", Kind::Number, "", "the ask, as `seq` in orders"),
    always("buyer", Kind::Number, "", "entity that buys"),
    always("seller", Kind::Number, "", "entity that sells"),
    always("buy_meter", Kind::Number, "", "meter that takes"),
    always("sell_meter", Kind::Number, "", "meter that delivers"),
    always("energy", Kind::Number, "Wh", "energy agreed"),
    always("buy_price", PRICE, "yuan/kWh", "what the buyer pays, without fees"),
    always("sell_price", PRICE, "yuan/kWh", "what the seller gets"),
    maybe("buyer_consent", Kind::Text, "", "`signed`, `auto` or `refused`; empty if there is no answer"),
    maybe("seller_consent", Kind::Text, "", "as `buyer_consent`"),
    maybe(
        "settled",
        Kind::Number,
        "Wh",
        "energy delivered and paid; 0 if cancelled; empty before settlement",
    ),
    OUTCOME,
    REASON,
    PARTY,
];

const READINGS: &[Column] = &[
    MARKET,
    SLOT,
    STARTS,
    always("meter", Kind::Number, "", "number of the meter"),
    always("revision", Kind::Number, "", "0 for the first reading of the slot"),
    always("import", Kind::Number, "Wh", "cumulative import register at the slot's end"),
    always("export", Kind::Number, "Wh", "cumulative export register at the slot's end"),
    maybe("voltage", Kind::Decimal(1), "V", "if measured"),
    maybe("frequency", Kind::Decimal(3), "Hz", "if measured"),
    always("measured_at", Kind::Time, "UTC", "when it was measured"),
    always(
        "status",
        Kind::Text,
        "",
        "`measured`, `interrupted` or `corrected` by the meter, `substituted` by the meter operator, or `estimated` by rule",
    ),
    always("reading", Kind::Text, "", "its hash"),
    maybe("key", Kind::Text, "", "key that signed it, hexadecimal; empty for an estimate"),
    maybe("signature", Kind::Text, "", "over the reading, hexadecimal; empty for an estimate"),
    maybe("evidence", Kind::Text, "", "hash of the document that explains a correction"),
];

const BILLS: &[Column] = &[
    always("height", Kind::Number, "", "block that booked it"),
    always("time", Kind::Time, "UTC", "time of that block"),
    always("entity", Kind::Number, "", "whose bill"),
    always(
        "name",
        Kind::Text,
        "",
        "of `account`: by which a scenario knows it, else `entity` and the number for which it acts, else its SS58 address",
    ),
    always("account", Kind::Text, "", "account of its money, hexadecimal"),
    always("kind", Kind::Text, "", "what for, in the words of `busbar bill`"),
    maybe("counterparty", Kind::Number, "", "entity on the other side, if it is one"),
    always("counterparty_name", Kind::Text, "", "as `name`, of `counterparty_account`"),
    always("counterparty_account", Kind::Text, "", "account on the other side, hexadecimal"),
    maybe("market", Kind::Number, "", "market, if it belongs to one"),
    maybe("slot", Kind::Number, "", "delivery interval, if it belongs to one"),
    maybe("delivery_start", Kind::Time, "UTC", "when that one's delivery starts"),
    maybe("trade", Kind::Number, "", "trade paid for, as in trades"),
    OUTCOME,
    REASON,
    PARTY,
    maybe("meter", Kind::Number, "", "meter billed"),
    maybe("energy", Kind::Number, "Wh", "energy paid for"),
    maybe("reading", Kind::Text, "", "hash of the reading that it follows from, as in readings"),
    maybe("reading_status", Kind::Text, "", "of that reading, as `status` in readings"),
    maybe("adjustment", Kind::Number, "", "the payer's reason code, if it puts a settled slot right"),
    maybe("evidence", Kind::Text, "", "hash of the document that explains an adjustment"),
    always("amount", MONEY, "yuan", "received; negative: paid"),
    always("record", Kind::Text, "", "hash of the ledger's record"),
];

/// The tables of `COLUMNS.md`.
pub fn document() -> String {
    let mut text = String::from(
        "# Columns of `busbar export`\n\nPrinted by `busbar export --columns`; a test compares. All amounts are exact. Where a \
         column is marked ∅, cells may be\nempty: nothing in CSV, `null` in JSON and Parquet.\n\n\
         | kind | CSV | JSON | Parquet |\n|---|---|---|---|\n",
    );
    for kind in [Kind::Number, Kind::Flag, Kind::Decimal(7), Kind::Time, Kind::Text] {
        let [csv, json, parquet] = kind.written();
        let name = if matches!(kind, Kind::Decimal(_)) { "decimal, s places".into() } else { kind.name() };
        let _ = writeln!(text, "| {name} | {csv} | {json} | {parquet} |");
    }
    for what in What::ALL {
        let _ = write!(text, "\n## {}\n\nA row is {}.\n\n", what.name(), what.row());
        text.push_str("| column | kind | unit | meaning |\n|---|---|---|---|\n");
        for Column { name, kind, nullable, unit, meaning } in what.columns() {
            let empty = if *nullable { " ∅" } else { "" };
            let _ = writeln!(text, "| `{name}`{empty} | {} | {unit} | {meaning} |", kind.name());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_what_the_columns_say() {
        let written = include_str!("COLUMNS.md");
        assert!(
            written == document(),
            "print it again: busbar export --columns > host/node/src/export/COLUMNS.md"
        );
    }

    #[test]
    fn names_of_a_table_differ() {
        for what in What::ALL {
            let names: std::collections::BTreeSet<_> =
                what.columns().iter().map(|column| column.name).collect();
            assert_eq!(names.len(), what.columns().len());
        }
    }
}
