//! Where a reading is from, in words: the same on bills, in the life of a trade and in exports.

use contract_interface::ReadingStatus;
use runtime_execution::archive::SignedReading;
use runtime_primitives::AccountId;

/// `measured`, `interrupted` or `corrected` by the meter, `substituted` by the meter operator, or `estimated`: made by rule
/// because the meter was silent.
pub fn reading_status(signed: &SignedReading) -> &'static str {
    match signed.reading.status {
        ReadingStatus::Measured => "measured",
        ReadingStatus::Interrupted => "interrupted",
        ReadingStatus::Corrected => "corrected",
        ReadingStatus::Substituted if signed.key == AccountId::ZERO => "estimated",
        ReadingStatus::Substituted => "substituted",
    }
}
