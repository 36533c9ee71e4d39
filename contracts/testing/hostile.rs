//! Bytes that are no message: a rule must answer them, never panic.
//!
//! Built from a valid input by cutting, stretching and overwriting; every answer must decode as the interface says.

use super::books::Random;
use contract_interface::{LangError, RuleResult};
use parity_scale_codec::{Decode, DecodeAll, Encode};

/// Feeds `dispatch` with mutations of `valid` and random bytes; returns how many still reached the rule.
pub fn survive<T: Decode>(dispatch: fn(&[u8]) -> (u32, Vec<u8>), valid: &[u8], seed: u64) -> u32 {
    let mut reached = 0;
    let mut check = |input: &[u8]| {
        let (flags, data) = dispatch(input);
        let answer = RuleResult::<T>::decode_all(&mut &data[..]).expect("an answer decodes");
        assert_eq!(flags == 0, matches!(answer, Ok(Ok(_))), "flags {flags}");
        reached += u32::from(answer.is_ok());
    };
    check(valid);
    for length in (0..valid.len()).step_by(valid.len() / 200 + 1) {
        check(&valid[..length]);
    }
    check(&[valid, &[0]].concat());
    let mut random = Random(seed);
    for _ in 0..2_000 {
        let mut bytes = valid.to_vec();
        for _ in 0..=random.below(4) {
            let at = random.below(u32::try_from(bytes.len()).unwrap()) as usize;
            bytes[at] = random.bits().to_le_bytes()[0];
        }
        check(&bytes);
    }
    for _ in 0..2_000 {
        let mut bytes: Vec<u8> = (0..random.below(200)).map(|_| random.bits().to_le_bytes()[0]).collect();
        if bytes.len() > 4 {
            bytes[..4].copy_from_slice(&valid[..4]);
        }
        check(&bytes);
    }
    reached
}

/// The answer to bytes that are no message.
pub fn unreadable() -> (u32, Vec<u8>) {
    (1, Err::<(), _>(LangError::CouldNotReadInput).encode())
}
