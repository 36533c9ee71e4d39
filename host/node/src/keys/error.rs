//! What can be wrong with a key, an address or a key file: one variant per rule.
//!
//! No variant carries a secret or a part of one: errors end up in logs.

use std::io;
use std::path::{Path, PathBuf};

/// Why a key was refused.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A secret URI does not start with a phrase, a seed or a junction.
    #[error("a secret is a phrase of words, 0x with 64 hex digits, or derivation junctions such as //Alice")]
    Secret,
    /// A single word is no secret.
    #[error("one word is no secret; a development key is written with two slashes, such as //Ferdie")]
    OneWord,
    /// A derivation path has an empty or unterminated junction.
    #[error("junction {index} of the derivation path is empty; write /soft or //hard junctions")]
    Junction {
        /// Position of the junction, from 0.
        index: usize,
    },
    /// A phrase has a number of words that BIP-39 does not know.
    #[error("a phrase has 12, 15, 18, 21 or 24 words, this one has {0}")]
    PhraseLength(usize),
    /// A word of the phrase is not in the list.
    #[error("word {0} of the phrase is not in the English word list")]
    PhraseWord(usize),
    /// The words do not belong together.
    #[error("the phrase fails its checksum: a word is wrong or out of place")]
    PhraseChecksum,
    /// 64 bytes are no sr25519 secret key.
    #[error("these bytes are no sr25519 secret key")]
    SecretBytes,
    /// A public key is not 32 hex bytes.
    #[error("a public key is 0x and 64 hex digits")]
    PublicKey,
    /// An address is not Base58.
    #[error("the address has a character at position {0} that Base58 does not use")]
    AddressCharacter(usize),
    /// An address has the wrong number of bytes.
    #[error("the address decodes to {0} bytes; a 32-byte account needs 35, or 36 with a long prefix")]
    AddressLength(usize),
    /// An address has a prefix that no network can have.
    #[error("the address starts with byte {0}, which is reserved")]
    AddressPrefix(u8),
    /// An address is mistyped.
    #[error("the address fails its checksum: a character is wrong or out of place")]
    AddressChecksum,
    /// A number is no SS58 prefix.
    #[error("{0} is no address prefix: prefixes are 0 to 16383, without 46 and 47")]
    PrefixNumber(u16),
    /// A key's name would not make a portable file name.
    #[error("key name {0:?}; use 1 to 64 of a-z, 0-9, '-', '_' and start with a letter or digit")]
    Name(String),
    /// The passphrase is empty.
    #[error("an empty passphrase protects nothing; choose one")]
    EmptyPassphrase,
    /// The two entries of a new passphrase differ.
    #[error("the two passphrases differ; try again")]
    PassphraseMismatch,
    /// A key of that name exists.
    #[error("{path} exists already; choose another name or move the file away", path = .0.display())]
    Exists(PathBuf),
    /// No key of that name exists.
    #[error("there is no key at {path}; `busbar keys list` shows those that exist", path = .0.display())]
    Missing(PathBuf),
    /// Others may read the file.
    #[error("{path} has mode {mode:o}: others may read it; run `chmod 600` on it", path = .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A key file does not parse.
    #[error("{path} is not a key file", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where parsing ended.
        source: serde_json::Error,
    },
    /// A key file holds a value that this version does not know or allow.
    #[error("{path}: {field} is {found}, which this version does not accept", path = .path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Name of the field.
        field: &'static str,
        /// Its value.
        found: String,
    },
    /// The file does not open under this passphrase.
    #[error("{path} does not open: wrong passphrase, or the file was altered", path = .0.display())]
    Locked(PathBuf),
    /// The file system failed.
    #[error("{path}", path = .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// The terminal or standard input failed.
    #[error("cannot read from the terminal; give --passphrase-file where there is none")]
    Terminal(#[source] io::Error),
    /// There is no home directory to keep keys in.
    #[error("no home directory is known; say where keys are with --keystore")]
    NoHome,
}

impl KeyError {
    /// Wrap an I/O error with the path it concerns.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Io { path: path.to_owned(), source }
    }
}
