//! What became of a trade, in words: the same on bills, in lists and in exports.

use runtime_execution::modules::markets::{FailedParty, FailureReason, TradeOutcome, VoidReason};
use serde::Serialize;

/// The three words of tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OutcomeWords {
    /// `delivered`, `partial` or `cancelled`; none while that is open.
    pub outcome: Option<&'static str>,
    /// Why it came to less than agreed, if it did.
    pub reason: Option<&'static str>,
    /// On whose side, if on anybody's: `seller`, `buyer` or `both`.
    pub party: Option<&'static str>,
}

impl OutcomeWords {
    /// Of an outcome, or of a trade whose outcome is open.
    pub fn of(outcome: Option<TradeOutcome>) -> Self {
        let failure = outcome.and_then(|outcome| outcome.failure());
        Self {
            outcome: outcome.map(|outcome| match outcome {
                TradeOutcome::Delivered => "delivered",
                TradeOutcome::Partial { .. } => "partial",
                TradeOutcome::Cancelled(_) => "cancelled",
            }),
            reason: failure.map(|failure| reason(failure.reason)),
            party: failure.and_then(|failure| failure.party).map(party),
        }
    }

    /// As a sentence has it: `partial: not delivered by the seller`; empty while it is open.
    pub fn sentence(&self) -> String {
        let outcome = self.outcome.unwrap_or_default();
        match (self.reason, self.party) {
            (Some(reason), Some("both")) => format!("{outcome}: {reason} by either party"),
            (Some(reason), Some(party)) => format!("{outcome}: {reason} by the {party}"),
            (Some(reason), None) => format!("{outcome}: {reason}"),
            (None, _) => outcome.to_owned(),
        }
    }
}

const fn reason(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::NotConfirmed => "not confirmed",
        FailureReason::NotDelivered => "not delivered",
        FailureReason::Curtailed => "curtailed, not delivered",
        FailureReason::Void(VoidReason::NoClearing) => "void, no rule cleared",
        FailureReason::Void(VoidReason::NotCertified) => "void, not certified",
        FailureReason::Void(VoidReason::NoDeposit) => "void, no deposit for market steps",
        FailureReason::Void(VoidReason::TooLate) => "void, gate too late",
    }
}

const fn party(party: FailedParty) -> &'static str {
    match party {
        FailedParty::Seller => "seller",
        FailedParty::Buyer => "buyer",
        FailedParty::Both => "both",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime_execution::modules::markets::Failure;
    use runtime_primitives::Energy;

    #[test]
    fn sentences() {
        let failure = |reason, party| Failure { reason, party };
        let short = failure(FailureReason::NotDelivered, Some(FailedParty::Seller));
        let both = failure(FailureReason::NotConfirmed, Some(FailedParty::Both));
        let void = failure(FailureReason::Void(VoidReason::NotCertified), None);
        let rows = [
            (None, ""),
            (Some(TradeOutcome::Delivered), "delivered"),
            (
                Some(TradeOutcome::Partial { settled: Energy::from_wh(1), failure: short }),
                "partial: not delivered by the seller",
            ),
            (Some(TradeOutcome::Cancelled(both)), "cancelled: not confirmed by either party"),
            (Some(TradeOutcome::Cancelled(void)), "cancelled: void, not certified"),
        ];
        for (outcome, expected) in rows {
            assert_eq!(OutcomeWords::of(outcome).sentence(), expected);
        }
    }
}
