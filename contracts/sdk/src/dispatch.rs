//! From input bytes to answer bytes: selector, arguments, handler, result.
//!
//! Everything here is the same on every target; a contract's WASM and its native build must answer byte for byte alike.
//!
//! ```text
//! input   selector [4] ++ SCALE(arguments)            all bytes consumed
//! answer  SCALE(Result<Result<T, E>, LangError>)      flags REVERT unless Ok(Ok(_))
//! ```

use alloc::vec::Vec;
use contract_interface::{LangError, Selector};
use pallet_contracts_uapi::ReturnFlags;
use parity_scale_codec::{DecodeAll, Encode};

/// Flags and data of `seal_return`.
pub type Answer = (u32, Vec<u8>);

/// Flags of a call that takes effect.
pub const OK: u32 = ReturnFlags::empty().bits();
/// Flags of a call that is undone.
pub const REVERT: u32 = ReturnFlags::REVERT.bits();
/// The bytes of `Err(LangError::CouldNotReadInput)`.
pub const LANG_ERROR: [u8; 2] = [1, 1];

/// A function that serves a message; implemented for functions of up to two decodable arguments.
pub trait Handler<Args: DecodeAll> {
    /// What it returns.
    type Value: Encode;
    /// How it refuses.
    type Error: Encode;

    /// Serves one message.
    ///
    /// # Errors
    /// Whatever the function refuses.
    fn handle(self, args: Args) -> Result<Self::Value, Self::Error>;
}

impl<F, T, E> Handler<()> for F
where
    F: FnOnce() -> Result<T, E>,
    T: Encode,
    E: Encode,
{
    type Value = T;
    type Error = E;

    fn handle(self, (): ()) -> Result<T, E> {
        self()
    }
}

impl<F, A, T, E> Handler<(A,)> for F
where
    F: FnOnce(A) -> Result<T, E>,
    (A,): DecodeAll,
    T: Encode,
    E: Encode,
{
    type Value = T;
    type Error = E;

    fn handle(self, (first,): (A,)) -> Result<T, E> {
        self(first)
    }
}

impl<F, A, B, T, E> Handler<(A, B)> for F
where
    F: FnOnce(A, B) -> Result<T, E>,
    (A, B): DecodeAll,
    T: Encode,
    E: Encode,
{
    type Value = T;
    type Error = E;

    fn handle(self, (first, second): (A, B)) -> Result<T, E> {
        self(first, second)
    }
}

/// Whether `input` is a message with this selector.
pub fn selects(input: &[u8], selector: Selector) -> bool {
    input.starts_with(&selector)
}

/// Decodes the arguments after the selector, frees the input, runs the handler and encodes its answer.
///
/// The input goes before the handler starts: a full book would not fit twice into a pure contract's memory.
#[inline(never)]
pub fn answer<Args: DecodeAll, H: Handler<Args>>(input: impl AsRef<[u8]>, handler: H) -> Answer {
    let arguments = input.as_ref().get(size_of::<Selector>()..).unwrap_or_default();
    let Ok(arguments) = Args::decode_all(&mut &*arguments) else {
        return unreadable();
    };
    drop(input);
    let result = handler.handle(arguments);
    let flags = if result.is_ok() { OK } else { REVERT };
    (flags, Ok::<_, LangError>(result).encode())
}

/// The answer to bytes that are no message of the contract.
pub fn unreadable() -> Answer {
    (REVERT, LANG_ERROR.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract_interface::{RuleError, RuleResult};
    use parity_scale_codec::Decode;

    fn sum(a: u32, b: u32) -> Result<u32, RuleError> {
        a.checked_add(b).ok_or(RuleError::Custom(7))
    }

    fn seven() -> Result<u8, RuleError> {
        Ok(7)
    }

    #[test]
    fn answers_carry_both_results_and_the_flag() {
        let input = |a: u32, b: u32| (*b"sum_", a, b).encode();
        for (input, flags, expected) in [
            (input(2, 3), OK, Ok(Ok(5))),
            (input(u32::MAX, 1), REVERT, Ok(Err(RuleError::Custom(7)))),
            (input(2, 3)[..11].to_vec(), REVERT, Err(LangError::CouldNotReadInput)),
            ([input(2, 3), [0].to_vec()].concat(), REVERT, Err(LangError::CouldNotReadInput)),
            (b"su".to_vec(), REVERT, Err(LangError::CouldNotReadInput)),
        ] {
            let (got, data) = answer(&input, sum);
            assert_eq!((got, data.clone()), (flags, expected.encode()), "{input:?}");
            assert_eq!(RuleResult::<u32>::decode(&mut &data[..]), Ok(expected));
        }
    }

    #[test]
    fn no_arguments_means_no_bytes() {
        assert_eq!(answer(b"none", seven), (OK, [0, 0, 7].to_vec()));
        assert_eq!(answer(b"none!", seven), unreadable());
    }

    #[test]
    fn a_selector_is_four_bytes() {
        assert!(selects(b"sum_123", *b"sum_"));
        assert!(!selects(b"sum", *b"sum_"));
        assert!(!selects(b"", *b"sum_"));
    }
}
