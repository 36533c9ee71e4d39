//! One sr25519 key pair, expanded: signing costs one scalar multiplication.
//!
//! Derivation is Substrate's, byte for byte, so that a phrase gives the same account here as in a wallet. The
//! secret leaves this type only towards `signer.rs` and `store.rs`, and is wiped from memory on drop.

use super::error::KeyError;
use super::ss58::{Ss58, Ss58Prefix};
use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, RngCore, SeedableRng};
use runtime_primitives::{AccountId, blake2_256};
use schnorrkel::derive::{ChainCode, Derivation};
use schnorrkel::{ExpansionMode, Keypair, MiniSecretKey, SecretKey};
use std::fmt;
use zeroize::Zeroizing;

/// An sr25519 key pair.
#[derive(Clone)]
pub struct KeyPair(Keypair);

impl KeyPair {
    /// Bytes of an expanded secret key: scalar and nonce seed.
    pub(super) const SECRET_BYTES: usize = 64;

    /// From a 32-byte seed (Substrate's "mini secret"), expanded as Ed25519 does.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let mini = MiniSecretKey::from_bytes(seed).expect("any 32 bytes are a seed");
        Self(mini.expand_to_keypair(ExpansionMode::Ed25519))
    }

    /// A new pair from the operating system's randomness.
    ///
    /// # Panics
    /// If the operating system has no randomness to give.
    pub fn generate() -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(seed.as_mut());
        Self::from_seed(&seed)
    }

    /// The public key, which is also the account.
    pub fn account(&self) -> AccountId {
        AccountId(self.0.public.to_bytes())
    }

    /// The account's address on this chain.
    pub fn address(&self) -> String {
        Ss58 { prefix: Ss58Prefix::SUBSTRATE, account: self.account() }.to_string()
    }

    /// The child that only the parent's secret can derive.
    pub(super) fn derive_hard(&self, chain_code: [u8; 32]) -> Self {
        let (mini, _) = self.0.hard_derive_mini_secret_key(Some(ChainCode(chain_code)), b"");
        Self(mini.expand_to_keypair(ExpansionMode::Ed25519))
    }

    /// The child whose account also follows from the parent's account.
    ///
    /// The scheme leaves the child's nonce seed open. It is drawn from a generator seeded with the parent's
    /// secret, so that deriving twice gives the same secret.
    pub(super) fn derive_soft(&self, chain_code: [u8; 32]) -> Self {
        let known = Zeroizing::new([self.secret_bytes().as_slice(), &chain_code].concat());
        let rng = ChaCha20Rng::from_seed(blake2_256(&known).0);
        Self(self.0.derived_key_simple_rng(ChainCode(chain_code), b"", rng).0)
    }

    /// The expanded secret key.
    pub(super) fn secret_bytes(&self) -> Zeroizing<[u8; Self::SECRET_BYTES]> {
        Zeroizing::new(self.0.secret.to_bytes())
    }

    /// From an expanded secret key.
    ///
    /// # Errors
    /// [`KeyError::SecretBytes`].
    pub(super) fn from_secret_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let secret = SecretKey::from_bytes(bytes).map_err(|_| KeyError::SecretBytes)?;
        Ok(Self(secret.to_keypair()))
    }

    /// The pair as the signature library sees it.
    pub(super) const fn as_schnorrkel(&self) -> &Keypair {
        &self.0
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.account())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn secret_bytes_give_the_pair_back() {
        let pair = KeyPair::from_seed(&[7; 32]).derive_soft([1; 32]);
        let again = KeyPair::from_secret_bytes(pair.secret_bytes().as_ref()).unwrap();
        assert_eq!(again.account(), pair.account());
        assert_eq!(again.secret_bytes(), pair.secret_bytes());
        assert!(matches!(KeyPair::from_secret_bytes(&[0; 63]), Err(KeyError::SecretBytes)));
        // A scalar that is not reduced.
        assert!(matches!(KeyPair::from_secret_bytes(&[0xff; 64]), Err(KeyError::SecretBytes)));
    }

    #[test]
    fn a_soft_child_repeats_to_the_byte_and_its_account_needs_no_secret() {
        let parent = KeyPair::from_seed(&[7; 32]);
        let child = parent.derive_soft([9; 32]);
        assert_eq!(child.secret_bytes(), parent.derive_soft([9; 32]).secret_bytes());
        let (public, _) = parent.as_schnorrkel().public.derived_key_simple(ChainCode([9; 32]), b"");
        assert_eq!(child.account().0, public.to_bytes());
        assert_ne!(child.account(), parent.derive_hard([9; 32]).account());
    }

    #[test]
    fn generated_pairs_differ_and_debug_shows_no_secret() {
        let pair = KeyPair::generate();
        assert_ne!(pair.account(), KeyPair::generate().account());
        assert_eq!(format!("{pair:?}"), format!("KeyPair({})", pair.account()));
    }
}
