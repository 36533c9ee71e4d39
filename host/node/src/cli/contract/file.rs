//! The contract's file: WebAssembly, or WAT that is assembled first; and what the chain says to it.

use super::shown::escaped;
use crate::files::{CODE_TEXT_BYTES_MAX, read_at_most};
use anyhow::Context as _;
use runtime_primitives::{Hash, blake2_256};
use runtime_vm::{Kind, Refusal, examine, function_at};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Code from a file.
pub(in crate::cli) struct CodeFile {
    pub path: PathBuf,
    /// WebAssembly.
    pub code: Vec<u8>,
}

/// Why code is refused, in words and in parts.
pub(in crate::cli) struct Verdict {
    /// The rule's name; `Text` for WAT that cannot be assembled.
    rule: String,
    reason: String,
    offset: Option<u64>,
    function: Option<(u32, Option<String>)>,
}

impl CodeFile {
    /// Read `path` and assemble it if it is text.
    ///
    /// # Errors
    /// The outer one if the file cannot be read, the inner one if it is text that is no WAT.
    pub fn read(path: &Path) -> anyhow::Result<Result<Self, Verdict>> {
        let bytes = read_at_most(path, CODE_TEXT_BYTES_MAX)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let text = !bytes.starts_with(b"\0asm") && std::str::from_utf8(&bytes).is_ok();
        if !text {
            return Ok(Ok(Self { path: path.to_owned(), code: bytes }));
        }
        Ok(match wat::Parser::new().parse_bytes(Some(path), &bytes).map(Cow::into_owned) {
            Ok(code) => Ok(Self { path: path.to_owned(), code }),
            Err(error) => {
                let reason = format!("not WebAssembly, and not its text form: {error}");
                Err(Verdict { rule: "Text".to_owned(), reason, offset: None, function: None })
            }
        })
    }

    /// Its name on chain.
    pub fn hash(&self) -> Hash {
        blake2_256(&self.code)
    }

    /// What the chain says to it as a contract of `kind`.
    pub fn judge(&self, kind: Kind) -> Result<(), Verdict> {
        examine(&self.code, kind).map(drop).map_err(|refusal| Verdict::new(&self.code, refusal))
    }
}

impl Verdict {
    /// A refusal of `code`, with the function in which the byte lies.
    pub fn new(code: &[u8], refusal: Refusal) -> Self {
        let Refusal { rule, offset } = refusal;
        // The rule is the variant of the error: one word before its values.
        let debug = format!("{rule:?}");
        let name = debug.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
        let function = offset.and_then(|offset| function_at(code, offset));
        Self { rule: name.to_owned(), reason: rule.to_string(), offset, function }
    }

    /// For people.
    pub fn words(&self) -> String {
        let mut words = escaped(&self.reason);
        if self.offset.is_some() {
            // Names of imports may hold anything; only the assembler's words have lines.
            words = words.replace('\n', "\\n");
        }
        if let Some(offset) = self.offset {
            words += &format!(", at byte {offset} ({offset:#x})");
        }
        match &self.function {
            Some((index, Some(name))) => words += &format!(", in function {index} `{}`", escaped(name)),
            Some((index, None)) => words += &format!(", in function {index}"),
            None => {}
        }
        words
    }

    /// For scripts.
    pub fn json(&self) -> Value {
        let (index, name) = self.function.clone().map_or((None, None), |(index, name)| (Some(index), name));
        json!({
            "rule": self.rule,
            "reason": self.reason,
            "offset": self.offset,
            "function": index,
            "function_name": name,
        })
    }
}
