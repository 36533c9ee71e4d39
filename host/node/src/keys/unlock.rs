//! Opening a kept key for a command that signs: where the store is, and where its passphrase comes from.

use super::error::KeyError;
use super::pair::KeyPair;
use super::store::{Cost, KeyStore};
use super::terminal;
use clap::Args;
use std::path::PathBuf;

/// Where kept keys and their passphrase are.
#[derive(Clone, Debug, Default, Args)]
pub struct UnlockArgs {
    /// Folder of encrypted keys [default: .busbar/keys in the home directory].
    #[arg(long, value_name = "FOLDER")]
    keystore: Option<PathBuf>,
    /// File whose first line is the passphrase of the keys, instead of asking for it.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl UnlockArgs {
    /// Open the key called `name`.
    ///
    /// # Errors
    /// As [`KeyStore::open`], or the passphrase cannot be read.
    pub fn open(&self, name: &str) -> Result<KeyPair, KeyError> {
        let folder = self.keystore.clone().map_or_else(default_folder, Ok)?;
        let passphrase = terminal::passphrase(self.passphrase_file.as_deref())?;
        KeyStore::new(folder, Cost::PRODUCTION).open(name, &passphrase)
    }
}

/// Where keys are kept unless somebody says otherwise.
///
/// # Errors
/// [`KeyError::NoHome`].
pub(super) fn default_folder() -> Result<PathBuf, KeyError> {
    Ok(std::env::home_dir().ok_or(KeyError::NoHome)?.join(".busbar").join("keys"))
}
