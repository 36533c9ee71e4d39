//! A rule in a spec: one that ships with this program by its name, a file, or its code hash.

use crate::chain_spec::Rule;
use crate::files::{CODE_FILE_BYTES_MAX, read_at_most};
use crate::rules::{self as deployed, RuleKind};
use runtime_primitives::limits::CODE_BYTES_MAX;
use runtime_primitives::{Hash, blake2_256};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Where a rule's code comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleSource {
    /// It ships with this program.
    Shipped(Rule),
    /// A file.
    File {
        /// As written, relative to the spec.
        path: PathBuf,
        /// What is in it.
        code: Vec<u8>,
    },
    /// Code that is on chain already.
    Hash(Hash),
}

/// Why a text names no rule.
#[derive(Debug, Error)]
pub enum RuleSourceError {
    /// Neither name, nor file, nor hash.
    #[error(
        "no rule that ships with busbar; write one of {names}, a path to a .wasm file, or 0x and 64 digits"
    )]
    Unknown {
        /// What ships.
        names: String,
    },
    /// The file cannot be read.
    #[error("{}: {source}; write a path relative to the spec", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is larger than code may be.
    #[error("{}: more than {CODE_BYTES_MAX} bytes of code; build it for size", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// It is a rule of another kind.
    #[error("a {} rule, where a market needs a {} rule; name one, busbar market check --rule tells a rule's kind",
        found.name(), wanted.name())]
    Kind {
        /// What it is.
        found: RuleKind,
        /// What is needed.
        wanted: RuleKind,
    },
    /// It understands no message that a market sends.
    #[error("no {} rule: {why}; busbar market check --rule shows more", wanted.name())]
    NoRule {
        /// What is needed.
        wanted: RuleKind,
        /// What it does instead.
        why: String,
    },
    /// The hash is none.
    #[error("no code hash; write 0x and 64 hexadecimal digits")]
    Hash,
}

impl RuleSource {
    /// The rule that `text` names; files are relative to `folder`.
    ///
    /// # Errors
    /// [`RuleSourceError`].
    pub fn find(text: &str, folder: &Path) -> Result<Self, RuleSourceError> {
        if let Some(rule) = Rule::of_name(text) {
            return Ok(Self::Shipped(rule));
        }
        if let Some(digits) = text.strip_prefix("0x") {
            let mut hash = Hash::ZERO;
            hex::decode_to_slice(digits, &mut hash.0).map_err(|_| RuleSourceError::Hash)?;
            return Ok(Self::Hash(hash));
        }
        if Path::new(text).extension().is_none_or(|extension| extension != "wasm") {
            return Err(RuleSourceError::Unknown { names: Rule::names().join(", ") });
        }
        let path = folder.join(text);
        let fail = |source| RuleSourceError::File { path: path.clone(), source };
        let code = match read_at_most(&path, CODE_FILE_BYTES_MAX) {
            Err(error) if error.kind() == ErrorKind::FileTooLarge => {
                return Err(RuleSourceError::TooLarge { path });
            }
            code => code.map_err(fail)?,
        };
        Ok(Self::File { path: text.into(), code })
    }

    /// The rule, if a market can use it as a `wanted`; what is only on chain is for the chain to judge.
    ///
    /// # Errors
    /// [`RuleSourceError::Kind`], [`RuleSourceError::NoRule`].
    pub fn of_kind(self, wanted: RuleKind) -> Result<Self, RuleSourceError> {
        let kinds = match &self {
            Self::Hash(_) => return Ok(self),
            Self::Shipped(rule) => vec![rule.kind()],
            Self::File { code, .. } => {
                let not = |why: String| RuleSourceError::NoRule { wanted, why };
                deployed::Rule::load(code).map_err(|error| not(error.to_string()))?.kinds()
            }
        };
        match kinds.first() {
            _ if kinds.contains(&wanted) => Ok(self),
            Some(&found) => Err(RuleSourceError::Kind { found, wanted }),
            None => {
                Err(RuleSourceError::NoRule { wanted, why: "it answers no message of a market".to_owned() })
            }
        }
    }

    /// The shortest way to write the rule with this code hash.
    pub fn of_hash(hash: &Hash) -> Self {
        Rule::of_hash(hash).map_or(Self::Hash(*hash), Self::Shipped)
    }

    /// Its code hash.
    pub fn hash(&self) -> Hash {
        match self {
            Self::Hash(hash) => *hash,
            Self::Shipped(rule) => blake2_256(rule.bytes()),
            Self::File { code, .. } => blake2_256(code),
        }
    }

    /// Its code, if it is here.
    pub fn code(&self) -> Option<&[u8]> {
        match self {
            Self::Hash(_) => None,
            Self::Shipped(rule) => Some(rule.bytes()),
            Self::File { code, .. } => Some(code),
        }
    }
}

/// As a spec names it.
impl fmt::Display for RuleSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped(rule) => f.write_str(&rule.name()),
            Self::File { path, .. } => write!(f, "{}", path.display()),
            Self::Hash(hash) => write!(f, "{hash}"),
        }
    }
}
