//! The chain's own extension: what a stateful contract may read of registry and markets. It changes nothing.
//!
//! A contract calls `call_chain_extension` with `EXTENSION_ID << 16 | function` and SCALE-encoded arguments; the answer
//! is the SCALE encoding of an `Option`, `None` where there is no such thing. A contract gets another status than 0 for
//! an id that is not registered, and for arguments that do not decode.

use crate::modules::markets::{self, SlotState, VoidReason};
use crate::modules::registry;
use contract_interface::{Stage, Terms, Trade};
use parity_scale_codec::{Decode, DecodeAll, Encode};
use runtime_primitives::{AccountId, EntityId, Hash, MarketId, Money, Slot, Timestamp};
use runtime_state::Overlay;
use runtime_vm::EXTENSION_NOT_REGISTERED;
use scale_info::TypeInfo;

/// The extension's number: the upper half of a function's id.
pub const EXTENSION_ID: u16 = 0x4255;

/// Functions of the extension: the lower half of the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Function {
    /// `AccountId` → `Option<EntityId>`: whom a key acts for now.
    EntityOf = 1,
    /// `EntityId` → `Option<u16>`: its roles, as bits of `contract_interface::roles`.
    Roles = 2,
    /// `(MarketId, Slot)` → `Option<SlotInfo>`.
    SlotInfo = 3,
    /// `(MarketId, Slot)` → `Option<MarketParams>`: what governs the slot.
    MarketParams = 4,
    /// `(MarketId, Slot, u32)` → `Option<ClearedTrades>`: trades from the given index on.
    Clearing = 5,
    /// `(MarketId, Slot, EntityId)` → `Option<BillInfo>`.
    Bill = 6,
}

impl Function {
    /// Every function.
    pub const ALL: [Self; 6] =
        [Self::EntityOf, Self::Roles, Self::SlotInfo, Self::MarketParams, Self::Clearing, Self::Bill];

    /// What a contract passes as `id`.
    pub const fn id(self) -> u32 {
        (EXTENSION_ID as u32) << 16 | self as u32
    }
}

/// Why there is no answer, as the contract learns it; 0 is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// No such extension or function.
    NotRegistered = EXTENSION_NOT_REGISTERED,
    /// The arguments do not decode.
    BadArguments = 2,
}

/// Where a slot stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SlotInfo {
    /// Its state; SCALE writes the variant's index.
    pub state: SlotState,
    /// When it came into this state.
    pub entered_at: Timestamp,
    /// Hash of its terms.
    pub terms: Hash,
    /// Orders that are not cancelled.
    pub orders: u32,
    /// Trades of its clearing.
    pub trades: u32,
    /// Why its trades are void, if they are.
    pub void: Option<VoidReason>,
}

/// Who runs a market, and by which terms.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct MarketParams {
    /// The trading centre.
    pub operator: EntityId,
    /// The backstop supplier.
    pub retailer: EntityId,
    /// The grid operator.
    pub grid: EntityId,
    /// The meter operator.
    pub meter_operator: EntityId,
    /// The terms that govern the slot.
    pub terms: Terms,
}

/// A part of a slot's clearing, for as long as the slot is not settled: then its trades are in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ClearedTrades {
    /// How many there are together.
    pub total: u32,
    /// From the index asked for to the end of its page, every 400th trade beginning one.
    pub trades: Vec<Trade>,
}

/// What a contract needs to check a bill line that somebody shows it, and what the entity owes beside it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BillInfo {
    /// Merkle root over the slot's transfers, once it is settled: a line's leaf is its transfer record.
    pub transfers_root: Option<Hash>,
    /// How many transfers there are.
    pub transfers: u64,
    /// What the entity owes from this and other slots because it could not pay.
    pub owed: Money,
}

/// Answer function `id`.
///
/// # Errors
/// The [`Status`] as a number.
pub(super) fn answer(state: &Overlay, id: u32, input: &[u8]) -> Result<Vec<u8>, u32> {
    let function = Function::ALL.into_iter().find(|function| function.id() == id);
    Ok(match function.ok_or(Status::NotRegistered as u32)? {
        Function::EntityOf => entity_of(state, arguments(input)?).encode(),
        Function::Roles => roles(state, arguments(input)?).encode(),
        Function::SlotInfo => slot_info(state, arguments(input)?).encode(),
        Function::MarketParams => market_params(state, arguments(input)?).encode(),
        Function::Clearing => clearing(state, arguments(input)?).encode(),
        Function::Bill => bill(state, arguments(input)?).encode(),
    })
}

fn arguments<T: Decode>(mut input: &[u8]) -> Result<T, u32> {
    T::decode_all(&mut input).map_err(|_| Status::BadArguments as u32)
}

pub(crate) fn entity_of(state: &Overlay, key: AccountId) -> Option<EntityId> {
    let now = crate::modules::timestamp::NOW.get(state)?;
    registry::binding(state, &key, now).map(|binding| binding.entity)
}

fn roles(state: &Overlay, entity: EntityId) -> Option<u16> {
    registry::entity(state, entity).ok().map(|entity| entity.roles)
}

pub(crate) fn slot_info(state: &Overlay, at: (MarketId, Slot)) -> Option<SlotInfo> {
    let slot = markets::SLOTS.get(state, &at)?;
    Some(SlotInfo {
        state: slot.state,
        entered_at: slot.entered_at,
        terms: slot.terms,
        orders: slot.orders,
        trades: slot.trades,
        void: slot.void,
    })
}

pub(crate) fn market_params(state: &Overlay, (market, slot): (MarketId, Slot)) -> Option<MarketParams> {
    let market = markets::MARKETS.get(state, &market)?;
    let governing = market.governing(slot)?;
    Some(MarketParams {
        operator: market.operator,
        retailer: market.retailer,
        grid: market.grid,
        meter_operator: market.meter_operator,
        terms: markets::TERMS.get(state, &governing.terms)?,
    })
}

pub(crate) fn clearing(
    state: &Overlay,
    (market, slot, from): (MarketId, Slot, u32),
) -> Option<ClearedTrades> {
    let at = (market, slot);
    let total = markets::SLOTS.get(state, &at)?.trades;
    let entries = markets::TRADES.rest_of_page(state, at, from);
    Some(ClearedTrades { total, trades: entries.into_iter().map(|entry| entry.trade).collect() })
}

pub(crate) fn bill(state: &Overlay, (market, slot, entity): (MarketId, Slot, EntityId)) -> Option<BillInfo> {
    markets::SLOTS.get(state, &(market, slot))?;
    registry::entity(state, entity).ok()?;
    let record = markets::RECORDS.get(state, &(market, slot, Stage::Settlement));
    let receivables = markets::RECEIVABLES.get_or_default(state, &entity);
    Some(BillInfo {
        transfers_root: record.as_ref().map(|record| record.merkle_root),
        transfers: record.map_or(0, |record| record.nonce),
        owed: receivables.total,
    })
}
