//! Attacks on the referee: a valid answer, changed piece by piece, judged by the referee and by the slow restatement.
//!
//! One step is a function of choices. They come from a seed, or from a fuzzer's bytes: `tests/fuzz` includes this
//! folder and the referee's files, so nothing here may name more than `super::referee` and the rules.

mod choices;
mod clearings;
pub mod naive;
mod reports;

pub use choices::Choices;
pub use clearings::attack_clearing;
pub use reports::attack_report;

/// What became of one attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Still a valid answer, and taken as one.
    Passed,
    /// No longer valid, and refused.
    Refused,
}

/// Both judges' word, which must be one.
fn judged(referee: bool, restatement: bool, shown: impl FnOnce() -> String) -> Judged {
    assert_eq!(referee, restatement, "the referee and the restatement disagree: {}", shown());
    if referee { Judged::Passed } else { Judged::Refused }
}
