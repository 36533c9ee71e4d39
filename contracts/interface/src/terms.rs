//! Terms: everything a trader agrees to when signing an order.

use crate::{ClearParams, Fee, INTERFACE, Rates, Side};
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode, MaxEncodedLen};
use runtime_primitives::{Energy, FeederId, Hash, MarketId, Money, Price, Slot, Timestamp, blake2_256};

/// Moments of a slot relative to delivery, in seconds (MARKET section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
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
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Limits {
    /// Orders are priced in multiples of this.
    pub tick_size: Price,
    /// Lowest admissible price, ≥ the feed-in tariff plus a seller's highest network fee.
    pub price_min: Price,
    /// Highest admissible price, ≤ retail less a buyer's highest network fee.
    pub price_max: Price,
    /// Orders in one slot.
    pub orders_per_slot: u32,
    /// Orders of one entity in one slot.
    pub orders_per_entity: u32,
}

/// Network fee between two feeders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct FeederFee {
    /// Where the seller's meter is.
    pub seller: FeederId,
    /// Where the buyer's meter is.
    pub buyer: FeederId,
    /// What both sides pay.
    pub fee: Fee,
}

impl FeederFee {
    /// What the list is ordered by.
    pub const fn pair(&self) -> (FeederId, FeederId) {
        (self.seller, self.buyer)
    }
}

/// The terms of a market for a slot.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
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
    /// Fees between feeders, ascending by seller's and buyer's; pairs that are not listed pay [`Rates::fee`].
    pub fees: Vec<FeederFee>,
    /// Slots of a billing period, at the end of which the pool is refunded; periods are counted from slot 0.
    pub billing_slots: u32,
    /// Unsettled slots that an entity's supply deposit and the retailer's pre-funding cover; 0 for neither.
    pub deposit_slots: u16,
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

    /// First and last slot of the billing period that `slot` is in.
    pub fn billing_period(&self, slot: Slot) -> (Slot, Slot) {
        let length = self.billing_slots.max(1);
        let first = slot.number() - slot.number() % length;
        (Slot::from_number(first), Slot::from_number(first.saturating_add(length - 1)))
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

    /// Supply deposit of an entity whose connections add up to `p_max_w` watts: what the retailer may ask of it for
    /// [`Self::deposit_slots`] slots, `R · P_max · L / 60` each.
    pub fn supply_deposit(&self, p_max_w: u64) -> Money {
        self.reserve(self.rates.retail, p_max_w)
    }

    /// What the retailer pre-funds for connections of `p_max_w` watts together: `F · P_max · L / 60` for each of
    /// [`Self::deposit_slots`] slots.
    pub fn prefunding(&self, p_max_w: u64) -> Money {
        self.reserve(self.rates.feed_in, p_max_w)
    }

    /// `deposit_slots · rate · p_max_w · L / 60`. A slot's part is rounded up: no connection can cost more than its part.
    fn reserve(&self, rate: Price, p_max_w: u64) -> Money {
        // The product is below 2^(32 + 64 + 16).
        let of_hour = u128::from(rate.ticks()) * u128::from(p_max_w) * u128::from(self.slot_minutes);
        Money::from_units(of_hour.div_ceil(60).saturating_mul(u128::from(self.deposit_slots)))
    }

    /// Network fee of a trade between these feeders.
    pub fn fee(&self, seller: FeederId, buyer: FeederId) -> Fee {
        let found = self.fees.binary_search_by_key(&(seller, buyer), FeederFee::pair);
        found.map_or(self.rates.fee, |index| self.fees[index].fee)
    }

    /// The most that either side may have to pay, whoever it trades with.
    pub fn highest_fee(&self) -> Fee {
        self.fees.iter().fold(self.rates.fee, |most, listed| Fee {
            buyer: most.buyer.max(listed.fee.buyer),
            seller: most.seller.max(listed.fee.seller),
        })
    }

    /// Hold of an order (MARKET section 3): buyer `max(limit + n, δ) · q` with the highest fee n of a buyer, seller
    /// `δ · q`. A seller's fee needs no hold: it is paid out of what the seller is paid.
    pub fn hold(&self, side: Side, limit: Price, energy: Energy) -> Money {
        let deviation = self.rates.deviation;
        let price = match side {
            Side::Sell => deviation,
            Side::Buy => limit.saturating_add(self.highest_fee().buyer).max(deviation),
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
