//! Code in a chain spec: a built-in rule by name, a file, or the bytes themselves.

use super::SpecError;
use crate::files::{CODE_FILE_BYTES_MAX, read_at_most};
use crate::rules::RuleKind;
use crate::scenario::rules;
use runtime_primitives::limits::CODE_BYTES_MAX;
use runtime_primitives::{Hash, blake2_256};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A market rule that this program carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The bid rule.
    Bid,
    /// The default matching rule.
    HighLow,
    /// The paper's matching rule.
    MinSpread,
    /// The matching rule with one price for all.
    UniformPrice,
    /// The matching rule of continuous books.
    Continuous,
    /// The matching rule with the marginal prices, paid by those who do not set them.
    Huang,
    /// The settlement rule.
    Settlement,
}

impl Rule {
    const ALL: [Self; 7] = [
        Self::Bid,
        Self::HighLow,
        Self::MinSpread,
        Self::UniformPrice,
        Self::Continuous,
        Self::Huang,
        Self::Settlement,
    ];

    /// Its code.
    pub const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Bid => rules::BID,
            Self::HighLow => rules::HIGH_LOW,
            Self::MinSpread => rules::MIN_SPREAD,
            Self::UniformPrice => rules::UNIFORM_PRICE,
            Self::Continuous => rules::CONTINUOUS,
            Self::Huang => rules::HUANG,
            Self::Settlement => rules::SETTLEMENT,
        }
    }

    /// What a market takes it for.
    pub const fn kind(self) -> RuleKind {
        match self {
            Self::Bid => RuleKind::Bid,
            Self::Settlement => RuleKind::Settlement,
            Self::HighLow | Self::MinSpread | Self::UniformPrice | Self::Continuous | Self::Huang => {
                RuleKind::Matching
            }
        }
    }

    /// Its name, as specs write it.
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            other => unreachable!("a unit variant is a text: {other:?}"),
        }
    }

    /// The names of all.
    pub fn names() -> Vec<String> {
        Self::ALL.iter().map(|rule| rule.name()).collect()
    }

    /// The rule with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// The rule with this code hash.
    pub fn of_hash(hash: &Hash) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| blake2_256(rule.bytes()) == *hash)
    }
}

/// Code that is uploaded at genesis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A built-in rule.
    Rule(Rule),
    /// A file, relative to the spec's folder.
    File(PathBuf),
    /// The bytes, as 0x and hexadecimal digits.
    Hex(String),
}

impl Code {
    /// The shortest way to write `bytes`.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        match Rule::of_hash(&blake2_256(bytes)) {
            Some(rule) => Self::Rule(rule),
            None => Self::Hex(format!("0x{}", hex::encode(bytes))),
        }
    }

    /// The bytes. `at` names the field, `folder` the spec's place.
    pub fn bytes(&self, at: &str, folder: &Path) -> Result<Vec<u8>, SpecError> {
        let bytes = match self {
            Self::Rule(rule) => rule.bytes().to_vec(),
            Self::File(path) => {
                let path = folder.join(path);
                read_at_most(&path, CODE_FILE_BYTES_MAX).map_err(|source| SpecError::Io { path, source })?
            }
            Self::Hex(text) => unhex(at, text)?,
        };
        match bytes.len() {
            found if found > CODE_BYTES_MAX => Err(SpecError::CodeSize { at: at.to_owned(), found }),
            _ => Ok(bytes),
        }
    }
}

/// Code that is named but not uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeName {
    /// A built-in rule.
    Rule(Rule),
    /// blake2-256 of the code.
    Hash(String),
}

impl CodeName {
    /// The shortest way to write `hash`.
    pub fn of_hash(hash: &Hash) -> Self {
        Rule::of_hash(hash).map_or_else(|| Self::Hash(hash.to_string()), Self::Rule)
    }

    /// The hash. `at` names the field.
    pub fn hash(&self, at: &str) -> Result<Hash, SpecError> {
        match self {
            Self::Rule(rule) => Ok(blake2_256(rule.bytes())),
            Self::Hash(text) => {
                let bytes = unhex(at, text)?;
                bytes.try_into().map(Hash).map_err(|_| SpecError::Hex { at: at.to_owned() })
            }
        }
    }
}

fn unhex(at: &str, text: &str) -> Result<Vec<u8>, SpecError> {
    let bytes = text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
    bytes.ok_or_else(|| SpecError::Hex { at: at.to_owned() })
}
