//! `MarketsApi`: what contracts may read of registry and markets, and the book.

use super::Environment;
use crate::modules::contracts::extension;
use crate::modules::markets::{BOOK, SLOTS};
use contract_interface::Order;
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{AccountId, EntityId, MarketId, Slot};
use scale_info::TypeInfo;

pub use crate::modules::contracts::{BillInfo, ClearedTrades, MarketParams, SlotInfo};

/// A part of a slot's book, for as long as the slot is not settled.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BookPage {
    /// Places that were taken in the slot; an order that was cancelled keeps its own, without energy.
    pub places: u32,
    /// From the place asked for to the end of its page.
    pub orders: Vec<Order>,
}

pub fn entity_of(of: &Environment, key: AccountId) -> Option<EntityId> {
    extension::entity_of(&of.overlay(), key)
}

pub fn market_params(of: &Environment, market: MarketId, slot: Slot) -> Option<MarketParams> {
    extension::market_params(&of.overlay(), (market, slot))
}

pub fn slot_state(of: &Environment, market: MarketId, slot: Slot) -> Option<SlotInfo> {
    extension::slot_info(&of.overlay(), (market, slot))
}

pub fn book(of: &Environment, market: MarketId, slot: Slot, from: u32) -> Option<BookPage> {
    let (state, at) = (of.overlay(), (market, slot));
    let places = SLOTS.get(&state, &at)?.next_seq.number();
    let orders = BOOK.rest_of_page(&state, at, from).into_iter().map(|entry| entry.order);
    Some(BookPage { places, orders: orders.collect() })
}

pub fn clearing(of: &Environment, market: MarketId, slot: Slot, from: u32) -> Option<ClearedTrades> {
    extension::clearing(&of.overlay(), (market, slot, from))
}

pub fn bill(of: &Environment, market: MarketId, slot: Slot, entity: EntityId) -> Option<BillInfo> {
    extension::bill(&of.overlay(), (market, slot, entity))
}
