//! What the `busbar keys` commands answer, for people and for scripts.

use super::error::KeyError;
use super::pair::KeyPair;
use super::ss58::{Ss58, Ss58Prefix};
use crate::report::Summary;
use runtime_primitives::AccountId;
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;

/// One key. Public, but for `phrase`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct KeyReport {
    /// Name in the store, if it is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// SS58 address, prefix 42.
    pub address: String,
    /// Public key, 0x and 64 hex digits.
    pub public_key: String,
    /// Network number of the address that was given, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<u16>,
    /// The file it was written to or found in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The secret phrase, only where a new key was asked for and not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phrase: Option<String>,
}

impl fmt::Debug for KeyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, address, file, .. } = self;
        write!(f, "KeyReport({name:?}, {address}, {file:?})")
    }
}

impl KeyReport {
    /// An account that is only known by its public key.
    pub fn of_account(account: AccountId) -> Self {
        let address = Ss58 { prefix: Ss58Prefix::SUBSTRATE, account }.to_string();
        Self { name: None, address, public_key: account.to_string(), prefix: None, file: None, phrase: None }
    }

    /// The public part of `pair`.
    pub fn of_pair(pair: &KeyPair) -> Self {
        Self::of_account(pair.account())
    }

    /// An address of any network.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn of_address(text: &str) -> Result<Self, KeyError> {
        let Ss58 { prefix, account } = text.parse()?;
        Ok(Self { prefix: Some(prefix.number()), ..Self::of_account(account) })
    }

    /// As a table.
    pub fn to_summary(&self) -> Summary {
        let mut summary = Summary::new(self.name.as_deref().unwrap_or("key"));
        summary.line("address", &self.address).line("public key", &self.public_key);
        if let Some(prefix) = self.prefix {
            summary.line("address prefix", prefix);
        }
        if let Some(file) = &self.file {
            summary.line("file", file.display());
        }
        if let Some(phrase) = &self.phrase {
            summary.line("secret phrase", phrase);
        }
        summary
    }
}
