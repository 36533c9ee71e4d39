//! What people did to a trade beside its seven stages: curtailments by the grid operator, adjustments by who pays.
//!
//! The rule: what is told stands in a signed extrinsic, or it is a fault.

use super::TradeError;
use super::TradeId;
use super::body::{kwh, yuan};
use super::names::Names;
use super::source::Source;
use runtime_execution::Call;
use runtime_execution::archive::{AdjustmentRecord, CurtailRecord, HoldRecord};
use runtime_execution::modules::markets::adjustments::Adjustment;
use runtime_execution::modules::markets::{self, At};
use runtime_primitives::Hash;
use runtime_state::Overlay;

/// Reads them.
pub(super) struct Interventions<'a> {
    /// The archive.
    pub(super) source: &'a Source<'a>,
    /// The registry.
    pub(super) state: &'a Overlay<'a>,
    /// Names of parties.
    pub(super) names: &'a Names,
    /// Which trade.
    pub(super) id: TradeId,
}

impl Interventions<'_> {
    /// Which of the parties was curtailed, by how much and why.
    pub(super) fn curtailments(
        &self,
        parties: [&HoldRecord; 2],
        faults: &mut Vec<String>,
    ) -> Result<Vec<String>, TradeError> {
        let mut told = Vec::new();
        for hold in parties {
            let (who, meter) = (self.names.entity(self.state, hold.order.entity), hold.order.meter);
            let mut records = self.source.curtailments(meter)?;
            records.sort_by_key(|record| record.height);
            for record in records {
                let located = self.source.extrinsic_in(&record.authorised_by, record.height)?;
                let signed = located.is_some_and(|located| {
                    located.signer.is_some() && announces(&located.extrinsic.call, self.id.at, &record)
                });
                if !signed {
                    faults.push(format!("no signed extrinsic curtails meter {meter} of {who}"));
                }
                let when = if record.before_gate { "before the gate" } else { "in real time" };
                let (cap, reason) = (kwh(record.cap), record.reason);
                told.push(format!("{who} was curtailed to {cap} {when}, reason {reason}"));
            }
        }
        Ok(told)
    }

    /// What was paid for the trade after its settlement, whose record is `settlement`: out of that, by the payer.
    pub(super) fn adjustments(
        &self,
        settlement: Option<Hash>,
        faults: &mut Vec<String>,
    ) -> Result<Vec<String>, TradeError> {
        let mut told = Vec::new();
        let records = self.source.adjustments()?;
        for record in records.iter().filter(|record| record.transfer.trade == Some(self.id.trade)) {
            let transfer = &record.transfer;
            let name = |account| self.names.account(self.state, account);
            let (payer, payee) = (name(&transfer.payer), name(&transfer.payee));
            let located = self.source.extrinsic_in(&transfer.authorised_by, record.height)?;
            let signed = located.is_some_and(|located| {
                located.signer == Some(transfer.payer) && adjusts(&located.extrinsic.call, self.id.at, record)
            });
            let moved = self.source.movement(&transfer.hash())?.is_some_and(|(at, _)| at == record.height);
            if !(signed && moved && settlement == Some(transfer.spends)) {
                faults.push(format!("no signed extrinsic makes the adjustment from {payer} to {payee}"));
            }
            let (amount, grounds) = (yuan(transfer.amount), record.grounds);
            let (reason, evidence) = (grounds.reason, grounds.evidence);
            told.push(format!(
                "{payer} paid {payee} {amount} afterwards, reason {reason}, evidence {evidence}"
            ));
        }
        Ok(told)
    }
}

/// Whether `call` is the curtailment in `record`.
fn announces(call: &Call, at: At, record: &CurtailRecord) -> bool {
    let Call::Markets(markets::Call::Curtail { market, slot, items, reason }) = call else { return false };
    (*market, *slot, *reason) == (at.0, at.1, record.reason) && items.contains(&(record.meter, record.cap))
}

/// Whether `call` makes the adjustment in `record`.
fn adjusts(call: &Call, at: At, record: &AdjustmentRecord) -> bool {
    let Call::Markets(markets::Call::Adjust { market, slot, items, grounds }) = call else { return false };
    let paid = &record.transfer;
    let pays =
        |item: &Adjustment| (item.amount, item.trade, item.meter) == (paid.amount, paid.trade, paid.meter);
    (*market, *slot, *grounds) == (at.0, at.1, record.grounds) && items.iter().any(pays)
}
