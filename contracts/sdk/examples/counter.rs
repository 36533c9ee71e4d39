//! The smallest stateful contract: a counter that refuses to overflow.
//!
//! It shows the shape of one and exercises storage in tests of the VM; nothing in the market uses it.
#![cfg_attr(target_arch = "wasm32", no_std)]

use contract_sdk::Storage;
use parity_scale_codec::{Decode, Encode};

/// `new(start: u32)`.
pub const NEW: [u8; 4] = [0x9b, 0xae, 0x9d, 0x5e];
/// `add(amount: u32) → u32`.
pub const ADD: [u8; 4] = [0x4b, 0x05, 0x0e, 0xa9];
/// `get() → u32`.
pub const GET: [u8; 4] = [0x2f, 0x86, 0x5b, 0xd9];

contract_sdk::stateful_contract! {
    input_max: 64,
    constructors: { NEW => new },
    messages: { ADD => add, GET => get },
}

const COUNT: &[u8] = b"count";

/// Why the counter refuses.
#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub enum Error {
    /// The sum does not fit; the count stays as it was.
    Overflow,
}

/// Starts counting at `start`.
fn new(start: u32) -> Result<(), Error> {
    Storage::set(COUNT, &start);
    Ok(())
}

/// Adds `amount` and answers the new count.
fn add(amount: u32) -> Result<u32, Error> {
    let count = get()?.checked_add(amount).ok_or(Error::Overflow)?;
    Storage::set(COUNT, &count);
    Ok(count)
}

/// The count.
fn get() -> Result<u32, Error> {
    Ok(Storage::get(COUNT).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract_sdk::{OK, REVERT};

    #[test]
    fn counts_until_it_would_overflow() {
        assert_eq!(construct(&(NEW, 5u32).encode()), (OK, vec![0, 0]));
        assert_eq!(dispatch(&(ADD, 2u32).encode()), (OK, (0u8, 0u8, 7u32).encode()));
        assert_eq!(dispatch(&(ADD, u32::MAX).encode()), (REVERT, (0u8, 1u8, Error::Overflow).encode()));
        assert_eq!(dispatch(&GET.encode()), (OK, (0u8, 0u8, 7u32).encode()));
        assert_eq!(dispatch(&NEW.encode()), (REVERT, vec![1, 1]));
    }
}
