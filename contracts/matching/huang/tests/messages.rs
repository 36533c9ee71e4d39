//! The rule as bytes in, bytes out: what a caller of its WASM sees.
//!
//! Whatever the bytes, there is an answer.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_huang::{DESCRIPTOR, clear, dispatch};
use contract_interface::{Book, CLEAR, Clearing, DESCRIBE, LangError, Order, RuleError};
use parity_scale_codec::Encode;
use testing::books::{PARAMS, Random, Shape, book, random_orders};
use testing::hostile;

fn orders(seed: u64) -> Vec<Order> {
    random_orders(&mut Random(seed), Shape { orders: 40, entities: 10, levels: 50, minimums: 3, flags: 0 })
}

#[test]
fn messages_are_answered_as_the_interface_says() {
    assert_eq!(dispatch(&DESCRIBE), (0, Ok::<_, LangError>(Ok::<_, RuleError>(DESCRIPTOR)).encode()));
    let book = book(&orders(1));
    let clearing = clear(PARAMS, book.clone()).expect("the book is well-formed");
    assert!(!clearing.trades.is_empty());
    let answer = Ok::<_, LangError>(Ok::<_, RuleError>(clearing)).encode();
    assert_eq!(dispatch(&(CLEAR, PARAMS, book).encode()), (0, answer));
    let continuous = Book::Continuous { resting: vec![], ops: vec![] };
    let refusal = Ok::<_, LangError>(Err::<Clearing, _>(RuleError::BadInput(1))).encode();
    assert_eq!(dispatch(&(CLEAR, PARAMS, continuous).encode()), (1, refusal));
}

#[test]
fn no_bytes_make_it_panic() {
    assert_eq!(dispatch(&[]), hostile::unreadable());
    assert_eq!(dispatch(&[DESCRIBE.as_slice(), &[0]].concat()), hostile::unreadable());
    let valid = (CLEAR, PARAMS, book(&orders(2))).encode();
    let reached = hostile::survive::<Clearing>(dispatch, &valid, 3);
    assert!(reached > 500, "only {reached} inputs reached the rule");
}

#[test]
fn the_largest_book_fits_the_input() {
    let orders = vec![orders(4)[0]; DESCRIPTOR.max_orders as usize];
    assert!((CLEAR, PARAMS, book(&orders)).encoded_size() <= contract_huang::INPUT_BYTES_MAX);
}
