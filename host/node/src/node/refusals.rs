//! What was not taken in, counted by the rule that it breaks.
//!
//! The rule: names are of rules, never of anything in what came, so that there are only so many.

use super::locked;
use super::pool::PoolError;
use crate::rule_name::{named, of_invalid};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Counts by rule.
#[derive(Debug, Default)]
pub struct RuleCounts(Mutex<BTreeMap<String, u64>>);

impl RuleCounts {
    /// Count one.
    pub fn note(&self, rule: String) {
        *locked(&self.0).entry(rule).or_default() += 1;
    }

    /// All counts.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        locked(&self.0).clone()
    }
}

/// Extrinsics that were not taken in.
#[derive(Debug, Default)]
pub struct Refusals(RuleCounts);

impl Refusals {
    /// Count one.
    pub fn note(&self, reason: &PoolError) {
        let rule = match reason {
            PoolError::Invalid(reason) => of_invalid(reason),
            other => named("Pool", other),
        };
        self.0.note(rule);
    }

    /// All counts.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.counts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime_execution::Invalid;
    use runtime_primitives::Hash;

    #[test]
    fn refusals_count_by_their_rule() {
        let refusals = Refusals::default();
        let known = |byte| PoolError::Known(Hash([byte; 32]));
        for reason in [known(1), known(2), PoolError::Full, Invalid::ZeroKey.into()] {
            refusals.note(&reason);
        }
        let expected = [("Invalid.ZeroKey", 1), ("Pool.Full", 1), ("Pool.Known", 2)];
        assert_eq!(refusals.counts(), BTreeMap::from(expected.map(|(rule, count)| (rule.to_owned(), count))));
    }
}
