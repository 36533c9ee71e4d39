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

use crate::metadata::{Module, constants};
use crate::storage::{Agenda, Map, Paged, PerEntity, Value, storage};
use contract_interface::{Stage, StageRecord, Terms};
use runtime_primitives::limits;
use runtime_primitives::{AccountId, Energy, EntityId, Hash, MarketId, MeterId, Money, Slot};
use runtime_state::Overlay;

storage! {
    "Markets":
    /// Markets.
    pub static MARKETS: Map<MarketId, Market> = "Markets";
    /// Next market id.
    pub static NEXT_MARKET: Value<MarketId> = "NextMarket";
    /// Terms by hash.
    pub static TERMS: Map<Hash, Terms> = "Terms";
    /// What is due when.
    pub static AGENDA: Agenda = "Agenda";
    /// Slots.
    pub static SLOTS: Map<At, SlotRecord> = "Slots";
    /// Pinned electorates of live slots.
    pub static PINNED: Map<At, Pinned> = "Pinned";
    /// Stage records.
    pub static RECORDS: Map<(MarketId, Slot, Stage), StageRecord> = "Records";
    /// Open books of live slots.
    pub static BOOK: Paged<BookEntry> = "Book";
    /// Commitments of live sealed slots, at the places of their orders.
    pub static SEALED: Paged<SealedEntry> = "Sealed";
    /// Trades of live slots.
    pub static TRADES: Paged<TradeEntry> = "Trades";
    /// What entities have going in live slots.
    pub static ENTITY_SLOTS: PerEntity<EntitySlot> = "EntitySlots";
    /// Memos that bid rules keep.
    pub static MEMOS: Map<(MarketId, EntityId), Vec<u8>> = "Memos";
    /// Meters of a market, ascending by id, append-only.
    pub static METERS_OF: Map<MarketId, Vec<MeterId>> = "MetersOf";
    /// Registers, [`meters::METERS_PER_PAGE`] a page, in the order of [`METERS_OF`].
    pub static REGISTERS: Map<(MarketId, u32), Vec<Registers>> = "Registers";
    /// Readings of live slots, in the same pages.
    pub static READINGS: Map<(MarketId, Slot, u32), Vec<Vec<Posted>>> = "Readings";
    /// Caps that bind the orders of meters in a live slot, ascending by meter.
    pub static CAPS: Map<At, Vec<curtailment::Cap>> = "Caps";
    /// The lowest caps from after the gate of a live slot, ascending by meter.
    pub static CURTAILED: Map<At, Vec<curtailment::Cap>> = "Curtailed";
    /// Execution lists of live slots, numbered in the order in which they were posted.
    pub static LISTS: Map<(MarketId, Slot, u32), PostedList> = "Lists";
    /// How many there are.
    pub static LISTS_POSTED: Map<At, u32> = "ListsPosted";
    /// Their numbers by hash.
    pub static LIST_NUMBERS: Map<(MarketId, Slot, Hash), u32> = "ListNumbers";
    /// Their numbers by poster, ascending.
    pub static LISTS_OF: Map<(MarketId, Slot, EntityId), Vec<u32>> = "ListsOf";
    /// Last funding record of an account.
    pub static FUNDINGS: Map<AccountId, Hash> = "Fundings" or default;
    /// What entities owe, all in all.
    pub static RECEIVABLES: Map<EntityId, Owing> = "Receivables";
    /// What a debtor owes, one creditor a number, in the order in which the debts arose.
    pub static RECEIVABLE: Map<(EntityId, u32), Receivable> = "Receivable";
    /// Number of what a debtor owes to an account.
    pub static RECEIVABLE_TO: Map<(EntityId, AccountId), u32> = "ReceivableTo";
    /// Supply deposits of entities, under slot 0: they are for every slot.
    pub static SUPPLY_DEPOSITS: PerEntity<deposits::Reserve> = "SupplyDeposits";
    /// What the retailers of markets have pre-funded.
    pub static PREFUNDINGS: Map<MarketId, deposits::Reserve> = "Prefundings";
    /// Markets in which an entity has meters, in the order in which it joined them.
    pub static SUPPLIED_IN: Map<EntityId, Vec<MarketId>> = "SuppliedIn";
    /// Settled energy of entities in the billing period that begins with this slot.
    pub static PERIOD_ENERGY: PerEntity<Energy> = "PeriodEnergy";
    /// Refunds of a market's pool that are under way.
    pub static REFUNDS: Map<MarketId, Refund> = "Refunds";
    /// What entities are still to get of the pool for the billing period that ends with this slot.
    pub static REFUND_SHARES: PerEntity<Money> = "RefundShares";
    /// Settlement code named for new markets at genesis.
    pub static DEFAULT_SETTLEMENT: Value<Hash> = "DefaultSettlement";
}

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

constants! {
    /// Most orders that a slot may have.
    MaxOrdersPerSlot: u32 = limits::MAX_ORDERS_PER_SLOT;
    /// Most orders of one entity in a slot.
    MaxOrdersPerEntity: u32 = limits::ORDERS_PER_ENTITY_MAX;
    /// Orders, or trades, in one page of a slot.
    OrdersPerPage: u32 = limits::ORDERS_PER_PAGE;
    /// Entities in one page of a slot.
    EntitiesPerPage: u32 = limits::ENTITIES_PER_PAGE;
    /// Most meters of a market.
    MaxMetersPerMarket: u32 = limits::METERS_PER_MARKET_MAX;
    /// Most standing orders of one entity in a market.
    MaxStandingPerEntity: u32 = limits::STANDING_PER_ENTITY_MAX;
    /// Gas that a market step may use to clear a slot.
    ClearGas: u64 = limits::CLEAR_GAS_MAX;
    /// Gas that a market step may use to settle a slot.
    SettleGas: u64 = limits::SETTLE_GAS_MAX;
}

/// What clients see of the module.
pub(crate) fn describe() -> Module {
    Module::new("Markets", 6)
        .storage(storage())
        .storage(continuous::storage())
        .storage(standing::storage())
        .storage(rules::storage())
        .calls::<Call>()
        .events::<Event>()
        .errors::<Error>()
        .constants(constants())
}
