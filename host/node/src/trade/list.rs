//! All trades of a store, for choosing one to show.

use super::body::yuan;
use super::names::Names;
use super::source::Source;
use super::{TradeError, TradeId};
use crate::report::OutcomeWords;
use host_storage::Snapshot;
use runtime_execution::archive::tables;
use runtime_execution::modules::markets::At;
use runtime_primitives::{MarketId, Slot};
use runtime_state::Overlay;
use serde::Serialize;
use std::collections::BTreeMap;

/// A trade in a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedTrade {
    /// Its name.
    pub id: String,
    /// Who sells.
    pub seller: String,
    /// Who buys.
    pub buyer: String,
    /// Energy agreed, in Wh.
    pub energy_wh: u64,
    /// What the buyer pays for it without fees, if all of it is delivered.
    pub value: String,
    /// Energy settled, in Wh; none before settlement or if the trade was not certified.
    pub settled_wh: Option<u64>,
    /// What became of it, why, and on whose side.
    #[serde(flatten)]
    pub outcome: OutcomeWords,
}

/// The trades of all cleared slots, or of one, in order.
///
/// # Errors
/// [`TradeError::Store`], [`TradeError::Unreadable`].
pub fn list(snapshot: &Snapshot, slot: Option<Slot>) -> Result<Vec<ListedTrade>, TradeError> {
    let state = Overlay::new(snapshot);
    let names = Names::of(&state);
    let mut trades = Vec::new();
    for row in snapshot.archive_scan(tables::CLEARING, &[], usize::MAX)? {
        let numbers: Vec<u32> = row.key.chunks_exact(4).filter_map(number).collect();
        // A slot is listed once, with its first batch.
        let [market, number, 0] = numbers[..] else { continue };
        let at = (MarketId::from_number(market), Slot::from_number(number));
        if slot.is_none_or(|slot| slot == at.1) {
            list_slot(snapshot, &state, &names, at, &mut trades)?;
        }
    }
    Ok(trades)
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_be_bytes)
}

fn list_slot(
    snapshot: &Snapshot,
    state: &Overlay,
    names: &Names,
    at: At,
    trades: &mut Vec<ListedTrade>,
) -> Result<(), TradeError> {
    let source = Source::new(snapshot, at);
    let settled: BTreeMap<u32, u64> = source.settlement()?.map_or_else(BTreeMap::new, |record| {
        let pairs = record.input.trades.iter().zip(&record.report.settled);
        pairs.map(|(trade, energy)| (trade.id, energy.wh())).collect()
    });
    let outcomes = source.outcomes(state)?;
    for (index, trade) in (0u32..).zip(&source.trades()?) {
        let (buy, sell) = (source.hold(trade.buy)?, source.hold(trade.sell)?);
        trades.push(ListedTrade {
            id: TradeId { at, trade: index }.to_string(),
            seller: names.entity(state, sell.order.entity),
            buyer: names.entity(state, buy.order.entity),
            energy_wh: trade.energy.wh(),
            value: yuan(trade.buy_price.times(trade.energy)),
            settled_wh: settled.get(&index).copied(),
            outcome: OutcomeWords::of(source.outcome(&outcomes, index)?),
        });
    }
    Ok(())
}
