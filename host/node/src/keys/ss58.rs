//! SS58 addresses: how people read and type an account.
//!
//! ```text
//! base58( prefix 1 or 2 bytes | account 32 bytes | first 2 bytes of blake2b-512("SS58PRE" ++ prefix ++ account) )
//! ```
//! Decoding accepts exactly what encoding produces: one account and prefix, one text.

use super::error::KeyError;
use blake2::{Blake2b512, Digest};
use runtime_primitives::AccountId;
use std::fmt;
use std::str::FromStr;

const DOMAIN: &[u8] = b"SS58PRE";
const CHECKSUM_BYTES: usize = 2;
const ACCOUNT_BYTES: usize = 32;
/// Longest text worth decoding: 36 bytes make 50 digits; what is longer is no address.
const TEXT_BYTES_MAX: usize = 64;

/// The network that an address names, 0 to 16383.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ss58Prefix(u16);

impl Ss58Prefix {
    /// 42, any Substrate chain without a number of its own: this one.
    pub const SUBSTRATE: Self = Self(42);

    /// The prefix of that number.
    ///
    /// # Errors
    /// [`KeyError::PrefixNumber`] for reserved numbers.
    pub const fn new(number: u16) -> Result<Self, KeyError> {
        match number {
            46 | 47 | 16_384.. => Err(KeyError::PrefixNumber(number)),
            _ => Ok(Self(number)),
        }
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Numbers up to 63 are one byte; larger ones two, told apart by bit 6 of the first.
    fn encode(self, to: &mut Vec<u8>) {
        let [low, high] = self.0.to_le_bytes();
        if self.0 < 64 {
            to.push(low);
        } else {
            to.extend([0b0100_0000 | (low >> 2), high | (low << 6)]);
        }
    }

    /// The prefix at the start of `bytes` and its length.
    fn decode(bytes: &[u8]) -> Result<(Self, usize), KeyError> {
        let (number, length) = match bytes {
            [first @ 0..=63, ..] => (u16::from(*first), 1),
            [first @ 64..=127, second, ..] => {
                let low = (first << 2) | (second >> 6);
                let number = u16::from_le_bytes([low, second & 0b0011_1111]);
                if number < 64 {
                    return Err(KeyError::AddressPrefix(*first));
                }
                (number, 2)
            }
            [first, ..] if *first > 127 => return Err(KeyError::AddressPrefix(*first)),
            _ => return Err(KeyError::AddressLength(bytes.len())),
        };
        let prefix = Self::new(number).map_err(|_| KeyError::AddressPrefix(bytes[0]))?;
        Ok((prefix, length))
    }
}

/// An account with the network it is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ss58 {
    /// The network.
    pub prefix: Ss58Prefix,
    /// The account.
    pub account: AccountId,
}

impl fmt::Display for Ss58 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(2 + ACCOUNT_BYTES + CHECKSUM_BYTES);
        self.prefix.encode(&mut bytes);
        bytes.extend_from_slice(self.account.as_bytes());
        bytes.extend(checksum(&bytes));
        f.write_str(&bs58::encode(bytes).into_string())
    }
}

impl FromStr for Ss58 {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(KeyError::AddressLength(text.len()));
        }
        let bytes = bs58::decode(text).into_vec().map_err(|error| match error {
            bs58::decode::Error::InvalidCharacter { index, .. }
            | bs58::decode::Error::NonAsciiCharacter { index } => KeyError::AddressCharacter(index),
            _ => KeyError::AddressLength(text.len()),
        })?;
        let (prefix, prefix_bytes) = Ss58Prefix::decode(&bytes)?;
        if bytes.len() != prefix_bytes + ACCOUNT_BYTES + CHECKSUM_BYTES {
            return Err(KeyError::AddressLength(bytes.len()));
        }
        let (body, sum) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
        if sum != checksum(body) {
            return Err(KeyError::AddressChecksum);
        }
        let account = body[prefix_bytes..].try_into().expect("the length was checked above");
        Ok(Self { prefix, account: AccountId(account) })
    }
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Blake2b512::new().chain_update(DOMAIN).chain_update(body).finalize();
    [digest[0], digest[1]]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const ALICE: &str = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

    fn account(hex_digits: &str) -> AccountId {
        AccountId(hex::decode(hex_digits).unwrap().try_into().unwrap())
    }

    #[test]
    fn addresses_are_substrates() {
        let rows = [
            (42, "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
            (0, "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"),
            (2, "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F"),
        ];
        for (number, text) in rows {
            let address = Ss58 { prefix: Ss58Prefix::new(number).unwrap(), account: account(ALICE) };
            assert_eq!(address.to_string(), text);
            assert_eq!(text.parse::<Ss58>().unwrap(), address);
        }
    }

    #[test]
    fn every_prefix_round_trips() {
        for number in (0..16_384).filter(|number| ![46, 47].contains(number)) {
            let prefix = Ss58Prefix::new(number).unwrap();
            let mut bytes = Vec::new();
            prefix.encode(&mut bytes);
            assert_eq!(bytes.len(), if number < 64 { 1 } else { 2 });
            bytes.resize(35, 0);
            assert_eq!(Ss58Prefix::decode(&bytes).unwrap().0, prefix);
        }
        for number in [46, 47, 16_384, u16::MAX] {
            assert!(matches!(Ss58Prefix::new(number), Err(KeyError::PrefixNumber(n)) if n == number));
        }
        let address = Ss58 { prefix: Ss58Prefix::new(10_041).unwrap(), account: account(ALICE) };
        assert_eq!(address.to_string().parse::<Ss58>().unwrap(), address);
    }

    #[test]
    fn any_changed_character_is_noticed() {
        let text = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        for at in 0..text.len() {
            let other = if text.as_bytes()[at] == b'z' { "y" } else { "z" };
            let mut wrong = text.to_owned();
            wrong.replace_range(at..=at, other);
            assert!(wrong.parse::<Ss58>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        let encoded = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes.extend(checksum(&bytes));
            bs58::encode(bytes).into_string()
        };
        let of = |text: &str| text.parse::<Ss58>().unwrap_err();
        assert!(matches!(of("5Grw0"), KeyError::AddressCharacter(4)));
        assert!(matches!(of("5é"), KeyError::AddressCharacter(1)));
        assert!(matches!(of(""), KeyError::AddressLength(0)));
        assert!(matches!(of(&"1".repeat(65)), KeyError::AddressLength(65)));
        assert!(matches!(of(&encoded(&[42; 32])), KeyError::AddressLength(34)));
        assert!(matches!(of(&encoded(&[42; 34])), KeyError::AddressLength(36)));
        assert!(matches!(of(&encoded(&[128; 33])), KeyError::AddressPrefix(128)));
        assert!(matches!(of(&encoded(&[46; 33])), KeyError::AddressPrefix(46)));
        // 42 written in two bytes.
        let mut long = vec![0b0100_0000 | (42 >> 2), 42 << 6];
        long.extend([7; 32]);
        assert!(matches!(of(&encoded(&long)), KeyError::AddressPrefix(74)));
    }
}
