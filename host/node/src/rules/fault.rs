//! What is wrong with an answer: the name of the rule it breaks, and the values that disagree.
//!
//! The referee's faults keep their names, so that a script sees the word that a block's event would carry.

use runtime_execution::referee::ClearingFault;
use std::fmt;

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// One word.
    pub rule: String,
    /// A sentence with the values.
    pub reason: String,
}

impl Fault {
    /// A fault called `rule`.
    pub fn new(rule: &str, reason: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), reason: reason.into() }
    }
}

impl From<ClearingFault> for Fault {
    fn from(fault: ClearingFault) -> Self {
        // The rule is the variant of the error: one word before its values.
        let debug = format!("{fault:?}");
        let rule = debug.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
        Self::new(rule, fault.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.reason)
    }
}
