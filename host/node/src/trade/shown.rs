//! A trade's life as people read it (the paper's Table 2, then formula 6) and as scripts do.
//!
//! Text shortens hashes; JSON never does, and gives amounts in units of 10⁻⁷ yuan.

use super::body::yuan;
use super::{Life, Payout};
use crate::report::{OutcomeWords, StageRow};
use serde::{Serialize, Serializer};
use std::fmt;

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Trade {}: {} sells to {}", self.id, self.seller, self.buyer)?;
        writeln!(f, "{}", StageRow::table(&self.rows))?;
        if self.outcome.outcome.is_some() {
            writeln!(f, "Outcome: {}", self.outcome.sentence())?;
        }
        self.curtailments.iter().try_for_each(|told| writeln!(f, "{told}"))?;
        self.adjustments.iter().try_for_each(|told| writeln!(f, "{told}"))?;
        if !self.payouts.is_empty() {
            writeln!(f, "Payments and what they spend (formula 6)")?;
        }
        self.payouts.iter().try_for_each(|payout| write_payout(f, payout))?;
        match self.faults.as_slice() {
            [] => f.write_str("Every root, link, signature and payment shown here holds."),
            faults => {
                f.write_str("BAD:")?;
                faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
            }
        }
    }
}

fn write_payout(f: &mut fmt::Formatter<'_>, payout: &Payout) -> fmt::Result {
    writeln!(f, "  {} {} → {} ({})", yuan(payout.amount), payout.from, payout.to, payout.kind)?;
    payout.chain.iter().try_for_each(|step| {
        let block = step.block.map_or_else(String::new, |block| format!(", block {block}"));
        let verdict = if step.holds { "ok" } else { "BAD" };
        writeln!(f, "    spends {}: {}{block} {verdict}", short(&step.record), step.what)
    })
}

/// `0x0123…cdef`.
fn short(hash: &str) -> String {
    match (hash.get(..6), hash.get(hash.len().saturating_sub(4)..)) {
        (Some(head), Some(tail)) => format!("{head}…{tail}"),
        _ => hash.to_owned(),
    }
}

impl Serialize for Life {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = Shown {
            trade: self.id.to_string(),
            seller: &self.seller,
            buyer: &self.buyer,
            outcome: &self.outcome,
            stages: &self.rows,
            curtailments: &self.curtailments,
            adjustments: &self.adjustments,
            payments: &self.payouts,
            holds: self.faults.is_empty(),
            faults: &self.faults,
        };
        shown.serialize(serializer)
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    trade: String,
    seller: &'a str,
    buyer: &'a str,
    #[serde(flatten)]
    outcome: &'a OutcomeWords,
    stages: &'a [StageRow],
    curtailments: &'a [String],
    adjustments: &'a [String],
    payments: &'a [Payout],
    holds: bool,
    faults: &'a [String],
}
