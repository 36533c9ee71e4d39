//! The rule as bytes in, bytes out: what a caller of its WASM sees.
//!
//! Whatever the bytes, there is an answer.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_continuous::{DESCRIPTOR, INPUT_BYTES_MAX, clear, dispatch};
use contract_interface::{CLEAR, Clearing, DESCRIBE, LangError, Order, RuleError, Side};
use parity_scale_codec::Encode;
use testing::batches::{batch, cancel, new, random_ops};
use testing::books::{PARAMS, Random, ask, book};
use testing::hostile;

#[test]
fn messages_are_answered_as_the_interface_says() {
    assert_eq!(dispatch(&DESCRIBE), (0, Ok::<_, LangError>(Ok::<_, RuleError>(DESCRIPTOR)).encode()));
    let book_and_ops = batch(&[ask(0, 50, 4_010)], &random_ops(&mut Random(1), 0, 40, 10, 50));
    let clearing = clear(PARAMS, book_and_ops.clone()).expect("the batch is well-formed");
    assert!(!clearing.trades.is_empty());
    let answer = Ok::<_, LangError>(Ok::<_, RuleError>(clearing)).encode();
    assert_eq!(dispatch(&(CLEAR, PARAMS, book_and_ops).encode()), (0, answer));
    let refusal = Ok::<_, LangError>(Err::<Clearing, _>(RuleError::BadInput(1))).encode();
    assert_eq!(dispatch(&(CLEAR, PARAMS, book(&[])).encode()), (1, refusal));
}

#[test]
fn no_bytes_make_it_panic() {
    assert_eq!(dispatch(&[]), hostile::unreadable());
    assert_eq!(dispatch(&[DESCRIBE.as_slice(), &[0]].concat()), hostile::unreadable());
    let resting: Vec<Order> = (0..10).map(|seq| ask(seq, 9, 4_060 + seq)).collect();
    let valid = (CLEAR, PARAMS, batch(&resting, &random_ops(&mut Random(2), 10, 40, 10, 50))).encode();
    let reached = hostile::survive::<Clearing>(dispatch, &valid, 3);
    assert!(reached > 500, "only {reached} inputs reached the rule");
}

#[test]
fn the_largest_batches_fit_the_input() {
    let most = DESCRIPTOR.max_orders as usize;
    for (resting, new_orders) in [(most, 0), (most / 2, most / 2), (0, most)] {
        let mut ops = vec![new(1, 1, Side::Buy, 1, 1); new_orders];
        ops.resize(most, cancel(1, 1));
        let message = (CLEAR, PARAMS, batch(&vec![ask(1, 1, 1); resting], &ops));
        assert!(message.encoded_size() <= INPUT_BYTES_MAX, "{resting} resting");
    }
}
