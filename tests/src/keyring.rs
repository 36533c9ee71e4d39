//! Everybody's keys in one place: a test signs for whomever the chain says must sign.
//!
//! Keys follow from names, signatures from keys and messages, so that runs repeat to the byte.

use host_node::keys::{KeyPair, Signer, SigningPolicy};
use runtime_primitives::crypto::Signature;
use runtime_primitives::{AccountId, blake2_256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Keys by account.
#[derive(Clone, Default)]
pub struct Keyring(BTreeMap<AccountId, Arc<Signer>>);

/// The key that follows from a name.
pub fn signer(name: &str) -> Signer {
    let pair = KeyPair::from_seed(&blake2_256(name.as_bytes()).0);
    Signer::new(pair, SigningPolicy::Repeatable)
}

/// As [`signer`], to be shared.
pub fn key(name: &str) -> Arc<Signer> {
    Arc::new(signer(name))
}

impl Keyring {
    /// Make a key and keep it.
    pub fn add(&mut self, name: &str) -> Arc<Signer> {
        let made = key(name);
        self.0.insert(made.account(), Arc::clone(&made));
        made
    }

    /// The key of an account.
    ///
    /// # Panics
    /// If nobody here has it.
    pub fn of(&self, account: &AccountId) -> &Signer {
        self.0.get(account).unwrap_or_else(|| panic!("no key for {account}"))
    }

    /// Sign for an account.
    ///
    /// # Panics
    /// If nobody here has its key.
    pub fn sign(&self, account: &AccountId, message: &[u8]) -> Signature {
        self.of(account).sign(message)
    }
}
