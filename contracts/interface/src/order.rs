//! Orders and their admission.

use crate::ClearParams;
use crate::fixed::{Reader, Writer, fixed_codec, no_such_variant};
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode, Error, MaxEncodedLen};
use runtime_primitives::{Energy, EntityId, Hash, MarketId, MeterId, Price, Seq, Slot, Timestamp};

/// Direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub enum Side {
    /// Takes energy, pays money.
    Buy = 0,
    /// Delivers energy, gets money.
    Sell = 1,
}

/// Bits of an order's `flags`.
pub mod flags {
    /// Prefers, or offers, green energy.
    pub const GREEN: u8 = 1;
    /// Prefers the entity named in `partner`.
    pub const PARTNER: u8 = 2;
    /// Prior consent to every trade within the limits.
    pub const AUTO_CONFIRM: u8 = 4;
    /// All known bits.
    pub const ALL: u8 = 7;
}

/// Bits of an entity's `roles` (MARKET section 7).
pub mod roles {
    /// May place orders.
    pub const TRADER: u16 = 1;
    /// Runs the grid: fees, interruption, curtailment.
    pub const GRID_OPERATOR: u16 = 1 << 1;
    /// Reads meters, signs substitutes.
    pub const METER_OPERATOR: u16 = 1 << 2;
    /// Backstop supplier for residual energy.
    pub const RETAILER: u16 = 1 << 3;
    /// Funds accounts.
    pub const BANK: u16 = 1 << 4;
    /// Re-runs clearings and signs them.
    pub const VALIDATOR: u16 = 1 << 5;
    /// Admits entities, keys and meters.
    pub const REGISTRAR: u16 = 1 << 6;
    /// Reads everything.
    pub const AUDITOR: u16 = 1 << 7;
    /// The trading centre: creates markets, schedules rules, posts the platform's list.
    pub const MARKET_OPERATOR: u16 = 1 << 8;
    /// Deploys contracts.
    pub const AUTHOR: u16 = 1 << 9;
    /// Operators that are always in a slot's stage-5 electorate.
    pub const OPERATORS: u16 = GRID_OPERATOR | METER_OPERATOR | MARKET_OPERATOR;
}

/// One order of a book, 38 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Order {
    /// Position in the finalized order of this market and slot; an amendment gets a new one.
    pub seq: Seq,
    /// Who trades.
    pub entity: EntityId,
    /// At which connection.
    pub meter: MeterId,
    /// Direction.
    pub side: Side,
    /// Energy, > 0.
    pub energy: Energy,
    /// Least acceptable fill, 0 for none; all-or-nothing if equal to `energy`.
    pub min_energy: Energy,
    /// Limit price.
    pub price: Price,
    /// Bits of [`flags`].
    pub flags: u8,
    /// Preferred counterparty, if the flag is set.
    pub partner: EntityId,
}

impl Order {
    /// Encoded size; pages of the book are concatenated orders.
    pub const BYTES: usize = 38;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        Writer::new()
            .put(self.seq.number().to_le_bytes())
            .put(self.entity.number().to_le_bytes())
            .put(self.meter.number().to_le_bytes())
            .put([self.side as u8])
            .put(self.energy.wh().to_le_bytes())
            .put(self.min_energy.wh().to_le_bytes())
            .put(self.price.ticks().to_le_bytes())
            .put([self.flags])
            .put(self.partner.number().to_le_bytes())
            .finish()
    }

    fn from_bytes(bytes: &[u8; Self::BYTES]) -> Result<Self, Error> {
        let mut fields = Reader::new(bytes);
        Ok(Self {
            seq: Seq::from_number(fields.u32()),
            entity: EntityId::from_number(fields.u32()),
            meter: MeterId::from_number(fields.u32()),
            side: match fields.u8() {
                0 => Side::Buy,
                1 => Side::Sell,
                _ => return Err(no_such_variant()),
            },
            energy: Energy::from_wh(fields.u64()),
            min_energy: Energy::from_wh(fields.u64()),
            price: Price::from_ticks(fields.u32()),
            flags: fields.u8(),
            partner: EntityId::from_number(fields.u32()),
        })
    }
}

fixed_codec!(Order);

/// What a trader signs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct OrderRequest {
    /// Market.
    pub market: MarketId,
    /// Delivery slot.
    pub slot: Slot,
    /// Hash of the terms the trader read.
    pub terms: Hash,
    /// Connection.
    pub meter: MeterId,
    /// Direction.
    pub side: Side,
    /// Energy.
    pub energy: Energy,
    /// Least acceptable fill.
    pub min_energy: Energy,
    /// Limit price.
    pub price: Price,
    /// Bits of [`flags`].
    pub flags: u8,
    /// Preferred counterparty.
    pub partner: EntityId,
    /// Last block time at which the request may be admitted.
    pub valid_until: Timestamp,
}

impl OrderRequest {
    /// The order this request becomes at `seq`.
    pub const fn into_order(self, seq: Seq, entity: EntityId) -> Order {
        Order {
            seq,
            entity,
            meter: self.meter,
            side: self.side,
            energy: self.energy,
            min_energy: self.min_energy,
            price: self.price,
            flags: self.flags,
            partner: self.partner,
        }
    }
}

/// Input of the bid rule.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct AdmitInput {
    /// Interface version of this input.
    pub interface: u16,
    /// The signed request.
    pub request: OrderRequest,
    /// Who asks.
    pub entity: EntityId,
    /// The entity's roles.
    pub roles: u16,
    /// The slot's parameters.
    pub params: ClearParams,
    /// Orders admitted to this slot so far.
    pub orders_in_slot: u32,
    /// Of these, the entity's own.
    pub orders_of_entity: u32,
    /// Capacity of the connection in watts.
    pub p_max_w: u32,
    /// What the rule kept for this entity, at most 256 bytes.
    pub memo: Vec<u8>,
}

/// Answer of the bid rule.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub enum Admission {
    /// Admit the order and keep `memo`.
    #[codec(index = 0)]
    Accept {
        /// At most 256 bytes, handed in again with the entity's next order.
        memo: Vec<u8>,
    },
    /// Refuse it.
    #[codec(index = 1)]
    Refuse {
        /// The rule's own reason code, reported to the trader.
        rule: u16,
    },
}
