//! Hashes by their Substrate names. A digest of consensus data is always `blake2_256`.

use blake2::digest::consts::{U8, U16, U32};
use blake2::{Blake2b, Digest as _};
use core::fmt;
use parity_scale_codec::{Decode, Encode, MaxEncodedLen};

/// A 32-byte digest.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// All zero: "no parent", "no record".
    pub const ZERO: Self = Self([0; 32]);

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// BLAKE2b with a 256-bit digest.
pub fn blake2_256(data: &[u8]) -> Hash {
    Hash(Blake2b::<U32>::digest(data).into())
}

/// BLAKE2b with a 128-bit digest (storage map keys).
pub fn blake2_128(data: &[u8]) -> [u8; 16] {
    Blake2b::<U16>::digest(data).into()
}

/// BLAKE2b with a 64-bit digest (names of runtime APIs).
pub fn blake2_64(data: &[u8]) -> [u8; 8] {
    Blake2b::<U8>::digest(data).into()
}

/// Keccak-256, for contracts and Ethereum-style addresses.
pub fn keccak_256(data: &[u8]) -> [u8; 32] {
    sp_crypto_hashing::keccak_256(data)
}

/// SHA-256, for contracts.
pub fn sha2_256(data: &[u8]) -> [u8; 32] {
    sp_crypto_hashing::sha2_256(data)
}

/// XXH64 twice (storage prefixes).
pub fn twox_128(data: &[u8]) -> [u8; 16] {
    sp_crypto_hashing::twox_128(data)
}

/// XXH64 once (storage map keys chosen by the chain).
pub fn twox_64(data: &[u8]) -> [u8; 8] {
    sp_crypto_hashing::twox_64(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn digests_are_the_published_ones() {
        // `System` ++ `Account`: the prefix every Substrate client knows.
        assert_eq!(
            [twox_128(b"System"), twox_128(b"Account")].concat(),
            [
                0x26, 0xaa, 0x39, 0x4e, 0xea, 0x56, 0x30, 0xe0, 0x7c, 0x48, 0xae, 0x0c, 0x95, 0x58, 0xce,
                0xf7, 0xb9, 0x9d, 0x88, 0x0e, 0xc6, 0x81, 0x79, 0x9c, 0x0c, 0xf3, 0x0e, 0x88, 0x86, 0x37,
                0x1d, 0xa9,
            ]
        );
        assert_eq!(
            blake2_256(b"").to_string(),
            "0x0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
        );
    }
}
