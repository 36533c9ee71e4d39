//! The rule as bytes in, bytes out: what a caller of its WASM sees.
//!
//! Whatever the bytes, there is an answer.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_huang::{DESCRIPTOR, INPUT_BYTES_MAX, clear, dispatch};
use testing::auction::Auction;

const RULE: Auction = Auction { descriptor: DESCRIPTOR, clear, dispatch, input_bytes_max: INPUT_BYTES_MAX };

#[test]
fn messages_are_answered_as_the_interface_says() {
    RULE.answers_messages();
}

#[test]
fn no_bytes_make_it_panic() {
    RULE.survives_any_bytes();
}

#[test]
fn the_largest_book_fits_the_input() {
    RULE.takes_the_largest_book();
}
