//! `Markets`: vault, clock, archive and referee of the market. It owns no market rule: bid, matching and
//! settlement are pure contracts found by code hash, and their answers count only if the referee passes them.
//!
//! One file per moment of a slot's life; [`slots`] is the state machine that calls them.

pub mod adjustments;
pub mod agreement;
pub mod batch;
mod call;
mod cancellations;
pub mod clearing;
pub mod confirm;
pub mod continuous;
pub mod curtailment;
pub mod deposits;
mod error;
mod event;
mod joining;
pub mod lists;
pub mod meters;
pub mod money;
pub mod orders;
mod outcome;
pub mod readings;
pub mod receivables;
pub mod records;
pub mod refunds;
pub mod registration;
pub mod report_size;
pub mod rules;
pub mod sealed;
pub mod settle;
pub mod slots;
pub mod standing;
mod types;

pub use call::{Call, ConfirmItem, dispatch, validate_bare};
pub use error::{BadTerms, BadWindow, Error};
pub use event::{ClearFailure, Event, Forfeit, SettleFailure};
pub use outcome::{FailedParty, Failure, FailureReason, Outcomes, TradeOutcome, outcomes_of};
pub use types::*;

use crate::storage::{Agenda, Map, Paged, PerEntity, Value};
use contract_interface::{Stage, StageRecord, Terms};
use runtime_primitives::{AccountId, Energy, EntityId, Hash, MarketId, MeterId, Money, Slot};
use runtime_state::Overlay;

/// Markets.
pub static MARKETS: Map<MarketId, Market> = Map::new("Markets", "Markets");
/// Next market id.
pub static NEXT_MARKET: Value<MarketId> = Value::new("Markets", "NextMarket");
/// Terms by hash.
pub static TERMS: Map<Hash, Terms> = Map::new("Markets", "Terms");
/// What is due when.
pub static AGENDA: Agenda = Agenda::new("Markets", "Agenda");
/// Slots.
pub static SLOTS: Map<At, SlotRecord> = Map::new("Markets", "Slots");
/// Pinned electorates of live slots.
pub static PINNED: Map<At, Pinned> = Map::new("Markets", "Pinned");
/// Stage records.
pub static RECORDS: Map<(MarketId, Slot, Stage), StageRecord> = Map::new("Markets", "Records");
/// Open books of live slots.
pub static BOOK: Paged<BookEntry> = Paged::new("Markets", "Book");
/// Commitments of live sealed slots, at the places of their orders.
pub static SEALED: Paged<SealedEntry> = Paged::new("Markets", "Sealed");
/// Trades of live slots.
pub static TRADES: Paged<TradeEntry> = Paged::new("Markets", "Trades");
/// What entities have going in live slots.
pub static ENTITY_SLOTS: PerEntity<EntitySlot> = PerEntity::new("Markets", "EntitySlots");
/// Memos that bid rules keep.
pub static MEMOS: Map<(MarketId, EntityId), Vec<u8>> = Map::new("Markets", "Memos");
/// Meters of a market, ascending by id, append-only.
pub static METERS_OF: Map<MarketId, Vec<MeterId>> = Map::new("Markets", "MetersOf");
/// Registers, [`meters::METERS_PER_PAGE`] a page, in the order of [`METERS_OF`].
pub static REGISTERS: Map<(MarketId, u32), Vec<Registers>> = Map::new("Markets", "Registers");
/// Readings of live slots, in the same pages.
pub static READINGS: Map<(MarketId, Slot, u32), Vec<Vec<Posted>>> = Map::new("Markets", "Readings");
/// Caps that bind the orders of meters in a live slot, ascending by meter.
pub static CAPS: Map<At, Vec<curtailment::Cap>> = Map::new("Markets", "Caps");
/// The lowest caps from after the gate of a live slot, ascending by meter.
pub static CURTAILED: Map<At, Vec<curtailment::Cap>> = Map::new("Markets", "Curtailed");
/// Execution lists of live slots, numbered in the order in which they were posted.
pub static LISTS: Map<(MarketId, Slot, u32), PostedList> = Map::new("Markets", "Lists");
/// How many there are.
pub static LISTS_POSTED: Map<At, u32> = Map::new("Markets", "ListsPosted");
/// Their numbers by hash.
pub static LIST_NUMBERS: Map<(MarketId, Slot, Hash), u32> = Map::new("Markets", "ListNumbers");
/// Their numbers by poster, ascending.
pub static LISTS_OF: Map<(MarketId, Slot, EntityId), Vec<u32>> = Map::new("Markets", "ListsOf");
/// Last funding record of an account.
pub static FUNDINGS: Map<AccountId, Hash> = Map::new("Markets", "Fundings");
/// What entities owe, all in all.
pub static RECEIVABLES: Map<EntityId, Owing> = Map::new("Markets", "Receivables");
/// What a debtor owes, one creditor a number, in the order in which the debts arose.
pub static RECEIVABLE: Map<(EntityId, u32), Receivable> = Map::new("Markets", "Receivable");
/// Number of what a debtor owes to an account.
pub static RECEIVABLE_TO: Map<(EntityId, AccountId), u32> = Map::new("Markets", "ReceivableTo");
/// Supply deposits of entities, under slot 0: they are for every slot.
pub static SUPPLY_DEPOSITS: PerEntity<deposits::Reserve> = PerEntity::new("Markets", "SupplyDeposits");
/// What the retailers of markets have pre-funded.
pub static PREFUNDINGS: Map<MarketId, deposits::Reserve> = Map::new("Markets", "Prefundings");
/// Markets in which an entity has meters, in the order in which it joined them.
pub static SUPPLIED_IN: Map<EntityId, Vec<MarketId>> = Map::new("Markets", "SuppliedIn");
/// Settled energy of entities in the billing period that begins with this slot.
pub static PERIOD_ENERGY: PerEntity<Energy> = PerEntity::new("Markets", "PeriodEnergy");
/// Refunds of a market's pool that are under way.
pub static REFUNDS: Map<MarketId, Refund> = Map::new("Markets", "Refunds");
/// What entities are still to get of the pool for the billing period that ends with this slot.
pub static REFUND_SHARES: PerEntity<Money> = PerEntity::new("Markets", "RefundShares");
/// Settlement code named for new markets at genesis.
pub static DEFAULT_SETTLEMENT: Value<Hash> = Value::new("Markets", "DefaultSettlement");

/// A market that must exist.
///
/// # Errors
/// [`Error::UnknownMarket`].
pub fn market(state: &Overlay, id: MarketId) -> Result<Market, Error> {
    MARKETS.get(state, &id).ok_or(Error::UnknownMarket(id))
}

/// Terms that the schedule or a slot names.
///
/// # Panics
/// If they are not stored: both only ever name stored terms.
pub fn terms(state: &Overlay, hash: &Hash) -> Terms {
    TERMS.get(state, hash).expect("a schedule names stored terms")
}

/// A slot that has opened, with its terms.
///
/// # Errors
/// [`Error::UnknownMarket`], [`Error::UnknownSlot`], [`Error::BeforeFirstSlot`].
pub fn live(state: &Overlay, at: At) -> Result<Live, Error> {
    let Some(slot) = SLOTS.get(state, &at) else {
        let found = market(state, at.0)?;
        let (market, slot, first) = (at.0, at.1, found.first_slot);
        return Err(if slot < first {
            Error::BeforeFirstSlot { market, slot, first }
        } else {
            Error::UnknownSlot { market, slot }
        });
    };
    let terms = terms(state, &slot.terms);
    Ok(Live { at, slot, terms })
}

/// Sum of energies that each fit a slot.
pub(crate) fn sum(energies: impl IntoIterator<Item = Energy>) -> Energy {
    energies.into_iter().fold(Energy::ZERO, Energy::saturating_add)
}
