//! Terms: everything a trader agrees to when signing an order.

use crate::{ClearParams, INTERFACE, Rates};
use parity_scale_codec::{Decode, Encode, MaxEncodedLen};
use runtime_primitives::{Energy, Hash, MarketId, Money, Price, Slot, Timestamp, blake2_256};

/// Moments of a slot relative to delivery, in seconds (MARKET section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub struct Windows {
    /// Opens this long before delivery.
    pub open_before_s: u32,
    /// Gate closes this long before delivery.
    pub gate_before_s: u32,
    /// Sealed orders are revealed until this long after the gate; 0 for an open book.
    pub reveal_s: u32,
    /// Trades may be confirmed this long after the gate.
    pub confirm_s: u32,
    /// Certification must be complete this long before delivery.
    pub certify_before_s: u32,
    /// Readings are awaited this long after the slot's end.
    pub readings_s: u32,
    /// Votes are awaited this long after the slot's end.
    pub voting_s: u32,
    /// Objections are awaited this long after the slot's end.
    pub objection_s: u32,
    /// A dispute ends this long after the slot's end.
    pub dispute_s: u32,
}

/// Limits of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub struct Limits {
    /// Orders are priced in multiples of this.
    pub tick_size: Price,
    /// Lowest admissible price, ≥ the feed-in tariff.
    pub price_min: Price,
    /// Highest admissible price, ≤ retail less network fee.
    pub price_max: Price,
    /// Orders in one slot.
    pub orders_per_slot: u32,
    /// Orders of one entity in one slot.
    pub orders_per_entity: u32,
}

/// The terms of a market for a slot.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub struct Terms {
    /// Length of a slot.
    pub slot_minutes: u16,
    /// Delivery start of slot 0.
    pub slot_zero: Timestamp,
    /// Moments of a slot.
    pub windows: Windows,
    /// Limits on orders.
    pub limits: Limits,
    /// Rates of settlement.
    pub rates: Rates,
    /// Code hash of the bid rule.
    pub bid: Hash,
    /// Code hash of the matching rule.
    pub matching: Hash,
    /// Code hash of the settlement rule.
    pub settlement: Hash,
    /// Code hash of the matching rule tried once if `matching` fails.
    pub fallback: Hash,
}

impl Terms {
    /// blake2-256 of the SCALE encoding: what an order's `terms` names.
    pub fn hash(&self) -> Hash {
        blake2_256(&self.encode())
    }

    /// Delivery start T0 of `slot`.
    pub fn delivery_start(&self, slot: Slot) -> Timestamp {
        self.slot_zero.plus_ms(u64::from(slot.number()) * self.slot_ms())
    }

    /// Delivery end T1 of `slot`.
    pub fn delivery_end(&self, slot: Slot) -> Timestamp {
        self.delivery_start(slot).plus_ms(self.slot_ms())
    }

    /// Length of a slot in milliseconds.
    pub fn slot_ms(&self) -> u64 {
        u64::from(self.slot_minutes) * 60_000
    }

    /// Most energy a connection of `p_max_w` watts can move in one slot: `P_max · L / 60`, rounded down.
    pub fn capacity(&self, p_max_w: u32) -> Energy {
        Energy::from_wh(u64::from(p_max_w) * u64::from(self.slot_minutes) / 60)
    }

    /// Whether orders are committed to before the gate and revealed after it.
    pub const fn is_sealed(&self) -> bool {
        self.windows.reveal_s > 0
    }

    /// Deposit for one sealed order at a connection of `p_max_w` watts: `δ · P_max · L / 60`. It is flat, so that it
    /// tells nothing of the order, and it is what refusing the largest possible trade would cost.
    pub fn seal_deposit(&self, p_max_w: u32) -> Money {
        self.rates.deviation.times(self.capacity(p_max_w))
    }

    /// Hold of an order (MARKET section 3): buyer `max(limit + n, δ) · q`, seller `δ · q`; if the seller pays the
    /// fee, buyer `max(limit, δ) · q`.
    pub fn hold(&self, side: crate::Side, limit: Price, energy: Energy) -> Money {
        let Rates { network_fee, fee_payer, deviation, .. } = self.rates;
        let price = match (side, fee_payer) {
            (crate::Side::Sell, _) => deviation,
            (crate::Side::Buy, crate::Side::Buy) => limit.saturating_add(network_fee).max(deviation),
            (crate::Side::Buy, crate::Side::Sell) => limit.max(deviation),
        };
        price.times(energy)
    }

    /// Parameters of a clearing of `slot`.
    pub const fn clear_params(&self, market: MarketId, slot: Slot, batch: u32) -> ClearParams {
        ClearParams {
            interface: INTERFACE,
            market,
            slot,
            batch,
            slot_minutes: self.slot_minutes,
            tick_size: self.limits.tick_size,
            price_min: self.limits.price_min,
            price_max: self.limits.price_max,
        }
    }
}
