//! Exit codes of what goes wrong: one path for all commands.
//!
//! The rule: commands about a contract on its author's desk use the low codes for what the contract did, so no failure of ours
//! may look like one of them.

use super::contract::Forbidden;
use super::market::Passed;
use crate::client::{SessionError, is_refusal};
use host_rpc::ClientError;
use std::process::ExitCode;

/// The codes, as `--help` lists them.
pub(super) const EXIT_CODES: &str = "Exit codes:
  0   done
  1   failed: a file, a node, or what the command checks
  3   refused: a rule of the chain forbids the call
  4   market wait: the slot is beyond the state
  64  wrong arguments
`contract` commands, `market try` and `market check` list their own.";

/// Codes of a command's failures.
#[derive(Clone, Copy, Debug)]
pub struct Failures {
    /// Whether codes 1 and 2 tell what a contract did.
    pub(super) is_of_an_author: bool,
}

impl Failures {
    /// Wrong arguments: what `sysexits.h` calls a wrong use.
    pub(super) const MISUSED: u8 = 64;
    /// A rule of the chain forbids it.
    pub(super) const REFUSED: u8 = 3;

    /// The code of an error.
    pub fn code(self, error: &anyhow::Error) -> ExitCode {
        if is_refusal(error) || error.is::<Forbidden>() {
            return ExitCode::from(Self::REFUSED);
        }
        if error.is::<Passed>() {
            return ExitCode::from(Passed::EXIT_CODE);
        }
        // A node that does not answer is nobody's wrong argument.
        let is_of_node = error.chain().any(|cause| cause.is::<SessionError>() || cause.is::<ClientError>());
        if self.is_of_an_author && !is_of_node { ExitCode::from(Self::MISUSED) } else { ExitCode::FAILURE }
    }
}
