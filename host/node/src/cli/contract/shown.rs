//! How contracts are shown: tables of at most 100 columns, and bytes of which a reader can make something.
//!
//! Names and messages come from somebody's file: nothing of them reaches a terminal unescaped.

use crate::keys::{Ss58, Ss58Prefix};
use comfy_table::{ContentArrangement, Table, presets};
use runtime_primitives::AccountId;

/// Columns of a table.
const WIDTH: u16 = 100;

/// An empty table.
pub(in crate::cli) fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table
}

/// `0x` and the digits.
pub(super) fn hex0x(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// The bytes, and what they read as if they are printable text.
pub(super) fn bytes(bytes: &[u8]) -> String {
    let printable = |byte: &u8| matches!(byte, b' '..=b'~');
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && bytes.iter().all(printable) => format!("{} {text:?}", hex0x(bytes)),
        _ => hex0x(bytes),
    }
}

/// Text with its control characters spelled out; lines stay lines.
pub(in crate::cli) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() && letter != '\n' {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// A name, cut to what a column has room for.
pub(super) fn name(name: &str, letters: usize) -> String {
    let name = escaped(name).replace('\n', "\\n");
    if name.chars().count() <= letters {
        return name;
    }
    name.chars().take(letters - 1).chain(['…']).collect()
}

/// An address.
pub(super) fn address(account: &AccountId) -> String {
    Ss58 { prefix: Ss58Prefix::SUBSTRATE, account: *account }.to_string()
}
