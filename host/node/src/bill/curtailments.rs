//! Caps of the grid operator that a bill's slots were under: its own meters', and those of the partners of its trades.
//!
//! The rule: a cap is told as the grid operator signed it; what it cost stands in the lines.

use super::evidence::Evidence;
use super::{BillError, Period, Records, movements};
use crate::quantity::energy_text;
use crate::report::BillLine;
use contract_interface::kinds;
use parity_scale_codec::DecodeAll;
use runtime_execution::archive::{CurtailRecord, tables};
use runtime_execution::modules::markets::At;
use runtime_execution::modules::registry::METERS;
use runtime_primitives::{EntityId, MarketId, MeterId, Slot};
use runtime_state::{ArchiveRow, Overlay};
use std::collections::BTreeSet;

/// A meter's cap in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curtailment {
    /// Which slot.
    pub at: At,
    /// The cap.
    pub record: CurtailRecord,
    /// The bill's own meters that trade with the capped one, by trade; none if it is the bill's own.
    pub trades: Vec<Hurt>,
}

/// A trade with a capped meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hurt {
    /// Which trade.
    pub trade: u32,
    /// The bill's meter in it.
    pub meter: MeterId,
    /// Whether less was settled than was agreed.
    pub is_short: bool,
}

impl Curtailment {
    /// What was announced, such as `capped at 3 kWh in real time, reason 7`.
    pub fn words(record: &CurtailRecord) -> String {
        let when = if record.before_gate { "before the gate" } else { "in real time" };
        format!("capped at {} {when}, reason {}", energy_text(record.cap), record.reason)
    }

    /// Whether `line` pays the retailer for what a trade with the capped meter did not bring.
    pub fn explains(&self, line: &BillLine) -> bool {
        matches!(line.kind, kinds::RETAIL | kinds::FEED_IN)
            && (line.market, line.slot) == (Some(self.at.0), Some(self.at.1))
            && self.trades.iter().any(|hurt| hurt.is_short && Some(hurt.meter) == line.meter)
    }
}

/// The caps that the bill of `entity` is to tell, in the order of slots and meters.
pub(super) fn of_bill(
    records: &dyn Records,
    state: &Overlay,
    entity: EntityId,
    period: &Period,
    lines: &[BillLine],
) -> Result<Vec<Curtailment>, BillError> {
    let billed: BTreeSet<At> = lines.iter().filter_map(|line| line.market.zip(line.slot)).collect();
    let mut evidence = Evidence::new(records, state);
    let (last, mut all) = (movements::height_of(state), Vec::new());
    let mut rows = records.page(tables::CURTAIL, None)?;
    while let Some(after) = rows.last().map(|row| row.key.clone()) {
        for row in rows {
            let (at, record) = decoded(&row)?;
            if record.height > last {
                continue;
            }
            let owned = METERS.get(state, &record.meter).is_some_and(|meter| meter.entity == entity);
            let covered = match period {
                Period::Slots { market, first, last } => at.0 == *market && (*first..=*last).contains(&at.1),
                // What never cost anything has no line, and its time is that of its block.
                Period::Time { .. } if owned => period.covers(records.time(record.height)?),
                Period::Time { .. } => false,
            };
            if owned && (covered || billed.contains(&at)) {
                all.push(Curtailment { at, record, trades: Vec::new() });
            } else if !owned && billed.contains(&at) {
                let trades = evidence.of(at)?.trades_between(entity, record.meter);
                if !trades.is_empty() {
                    all.push(Curtailment { at, record, trades });
                }
            }
        }
        rows = records.page(tables::CURTAIL, Some(&after))?;
    }
    Ok(all)
}

fn decoded(row: &ArchiveRow) -> Result<(At, CurtailRecord), BillError> {
    let number = |at: usize| row.key.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let market = MarketId::from_number(number(0).unwrap_or_default());
    let slot = Slot::from_number(number(4).unwrap_or_default());
    let record = CurtailRecord::decode_all(&mut &row.value[..]);
    let unreadable = |_| BillError::UnreadableOfSlot { what: "curtailment", market, slot };
    record.map(|record| ((market, slot), record)).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Amount, Side};
    use runtime_primitives::{AccountId, Energy, Hash, Height, Timestamp};

    #[test]
    fn a_cap_explains_what_the_retailer_stood_in_for() {
        let (at, other) = ((MarketId::ZERO, Slot::from_number(500)), MeterId::from_number(1));
        let record = CurtailRecord {
            meter: MeterId::from_number(0),
            cap: Energy::ZERO,
            reason: 7,
            before_gate: false,
            height: Height::ZERO,
            authorised_by: Hash::ZERO,
        };
        let side = Side { account: AccountId::ZERO, entity: None, name: String::new() };
        let line = BillLine {
            entity: EntityId::ZERO,
            own: side.clone(),
            height: Height::ZERO,
            time: Timestamp::ZERO,
            kind: kinds::RETAIL,
            counterparty: side,
            market: Some(at.0),
            slot: Some(at.1),
            delivery_start: None,
            trade: None,
            outcome: None,
            meter: Some(other),
            energy: None,
            reading: None,
            grounds: None,
            amount: Amount::ZERO,
            record: Hash::ZERO,
        };
        let explains = |is_short, line: &BillLine| {
            let trades = vec![Hurt { trade: 0, meter: other, is_short }];
            Curtailment { at, record, trades }.explains(line)
        };
        assert!(explains(true, &line));
        assert!(explains(true, &BillLine { kind: kinds::FEED_IN, ..line.clone() }));
        assert!(!explains(false, &line), "all of the trade was settled");
        for another in [
            BillLine { kind: kinds::DEVIATION, ..line.clone() },
            BillLine { slot: Some(Slot::from_number(501)), ..line.clone() },
            BillLine { meter: Some(MeterId::from_number(2)), ..line.clone() },
            BillLine { market: None, ..line },
        ] {
            assert!(!explains(true, &another), "{another:?}");
        }
    }
}
