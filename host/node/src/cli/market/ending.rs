//! How a rule did on its author's desk, as exit codes: an error of ours must never look like one of them.

use crate::cli::Failures;

/// What `try` and `check` exit with.
pub(super) const EXIT_CODES: &str = "Exit codes:
  0   the referee passes the clearing; every property holds
  1   the rule refused its input
  2   the rule trapped, ran out of gas, or answered what is no answer
  3   a rule of the chain forbids the code
  4   the referee refuses the clearing; a property does not hold
  5   every property holds, but the rule has never traded, although orders crossed (`check`)
  64  wrong arguments, or a file that cannot be read";

/// How a rule did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Passed,
    Refused,
    Stopped,
    Forbidden,
    Broken,
    Idle,
}

impl Ending {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Refused => 1,
            Self::Stopped => 2,
            Self::Forbidden => Failures::REFUSED,
            Self::Broken => 4,
            Self::Idle => 5,
        }
    }
}
