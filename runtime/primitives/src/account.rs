//! An account is a 32-byte public key (or a hash where no key exists).
//!
//! The all-zero account is never a valid signer: it decodes as an sr25519 key that anybody can sign for.

use crate::Hash;
use core::fmt;
use parity_scale_codec::{Decode, Encode, MaxEncodedLen};

/// Account or public key, 32 bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct AccountId(pub [u8; 32]);

impl AccountId {
    /// The account that nobody owns.
    pub const ZERO: Self = Self([0; 32]);

    /// The account of a module: `"modl" ++ name ++ sub-number`, zero padded, as Substrate's `PalletId` does.
    ///
    /// # Panics
    /// If `name` is longer than 8 bytes.
    pub fn of_module(name: &[u8], sub: u32) -> Self {
        assert!(name.len() <= 8, "a module name has at most 8 bytes");
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(b"modl");
        bytes[4..4 + name.len()].copy_from_slice(name);
        bytes[12..16].copy_from_slice(&sub.to_le_bytes());
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<Hash> for AccountId {
    fn from(hash: Hash) -> Self {
        Self(hash.0)
    }
}

impl AsRef<[u8]> for AccountId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Hash(self.0), f)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Hash(self.0), f)
    }
}
