//! The rule as bytes in, bytes out: what a caller of its WASM sees.
//!
//! Whatever the bytes, there is an answer.

#[path = "../../testing/mod.rs"]
mod testing;

use contract_bid::{describe, dispatch};
use contract_interface::{ADMIT, Admission, AdmitInput, DESCRIBE, LangError, RuleError};
use parity_scale_codec::Encode;
use testing::{hostile, requests::input};

fn answer<T: Encode>(result: Result<T, RuleError>) -> (u32, Vec<u8>) {
    (u32::from(result.is_err()), Ok::<_, LangError>(result).encode())
}

#[test]
fn messages_are_answered_as_the_interface_says() {
    assert_eq!(dispatch(&DESCRIBE), answer(describe()));
    let admit = |input: AdmitInput| dispatch(&(ADMIT, input).encode());
    assert_eq!(admit(input()), answer(Ok(Admission::Accept { memo: vec![5; 9] })));
    // A refusal is an answer; only an input that contradicts itself reverts.
    let refused = AdmitInput { p_max_w: 3_999, ..input() };
    assert_eq!(admit(refused), answer(Ok(Admission::Refuse { rule: 7 })));
    let contradiction = AdmitInput { orders_of_entity: 1, ..input() };
    assert_eq!(admit(contradiction), answer::<Admission>(Err(RuleError::BadInput(2))));
}

#[test]
fn no_bytes_make_it_panic() {
    assert_eq!(dispatch(&[]), hostile::unreadable());
    assert_eq!(dispatch(&[DESCRIBE.as_slice(), &[0]].concat()), hostile::unreadable());
    let reached = hostile::survive::<Admission>(dispatch, &(ADMIT, input()).encode(), 1);
    assert!(reached > 500, "only {reached} inputs reached the rule");
}

#[test]
fn the_largest_admission_fits_the_input() {
    let largest = AdmitInput { memo: vec![0; runtime_primitives::limits::MEMO_BYTES_MAX], ..input() };
    assert!((ADMIT, largest).encoded_size() <= contract_bid::INPUT_BYTES_MAX);
}
