//! Lines of bills: one a payment. How they are written is said once, by the columns of `busbar export`.

use super::amount::Amount;
use contract_interface::kinds;
use runtime_execution::modules::markets::TradeOutcome;
use runtime_execution::modules::markets::adjustments::Grounds;
use runtime_primitives::{AccountId, Energy, EntityId, Hash, Height, MarketId, MeterId, Slot, Timestamp};
use std::borrow::Cow;

/// Who is on a side of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The account.
    pub account: AccountId,
    /// The entity whose owner's account it is, if it is one.
    pub entity: Option<EntityId>,
    /// The name by which the bill's reader knows it.
    pub name: String,
}

/// The reading that a line follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Hash of the reading.
    pub hash: Hash,
    /// Where it is from, in the words of [`super::reading_status`]; none if the archive does not know.
    pub status: Option<&'static str>,
}

/// One line of an entity's bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillLine {
    /// Whose bill.
    pub entity: EntityId,
    /// That entity's side.
    pub own: Side,
    /// The block that booked it.
    pub height: Height,
    /// Time of the block that booked it.
    pub time: Timestamp,
    /// One of [`kinds`].
    pub kind: u8,
    /// The other side.
    pub counterparty: Side,
    /// Market, if it belongs to one.
    pub market: Option<MarketId>,
    /// Slot, if it belongs to one.
    pub slot: Option<Slot>,
    /// When that slot's delivery starts.
    pub delivery_start: Option<Timestamp>,
    /// Trade paid for, if any.
    pub trade: Option<u32>,
    /// What became of the trade.
    pub outcome: Option<TradeOutcome>,
    /// Meter billed, if any.
    pub meter: Option<MeterId>,
    /// Energy paid for, if any.
    pub energy: Option<Energy>,
    /// The reading that the energy follows from, if any.
    pub reading: Option<Source>,
    /// Why a settled slot was put right, if this did.
    pub grounds: Option<Grounds>,
    /// Money received (+) or paid (−).
    pub amount: Amount,
    /// Hash of the transfer record behind it.
    pub record: Hash,
}

/// The word for a transfer's kind: on bills, in reports and in the life of a trade.
pub fn kind_name(kind: u8) -> Cow<'static, str> {
    Cow::Borrowed(match kind {
        kinds::ENERGY => "energy",
        kinds::FEE => "network fee",
        kinds::SURPLUS => "surplus",
        kinds::FEED_IN => "feed-in",
        kinds::RETAIL => "retail",
        kinds::DEVIATION => "deviation",
        kinds::POOL_REFUND => "pool refund",
        kinds::RECEIVABLE => "receivable",
        kinds::FUNDING => "funding",
        kinds::REFUSAL => "refusal",
        kinds::STEP_FEE => "step fee",
        kinds::BALANCE => "balance",
        kinds::WITHDRAWAL => "withdrawal",
        kinds::FORFEIT => "forfeited deposit",
        kinds::ADJUSTMENT => "adjustment",
        kinds::WEIGHT_FEE => "weight fee",
        unknown => return Cow::Owned(format!("kind {unknown}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_word() {
        let known = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 24, 25, 28];
        let words: std::collections::BTreeSet<_> = known.into_iter().map(kind_name).collect();
        assert_eq!(words.len(), known.len());
        assert!(words.iter().all(|word| !word.starts_with("kind")));
        assert_eq!(kind_name(99), "kind 99");
    }
}
