//! Meter readings, execution lists and the settlement rule's input and output.

use crate::fixed::{Reader, Writer, fixed_codec};
use alloc::vec::Vec;
use parity_scale_codec::{Decode, Encode, Error, MaxEncodedLen};
use runtime_primitives::{
    Energy, EntityId, Hash, MarketId, MeterId, Money, Price, Slot, Timestamp, blake2_256,
};

/// How a reading came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub enum ReadingStatus {
    /// Read by the meter.
    Measured = 0,
    /// Put in its place by rule or by the meter operator.
    Substituted = 1,
    /// Replaces an earlier revision.
    Corrected = 2,
    /// The meter saw an interruption.
    Interrupted = 3,
}

/// What a meter signs at the end of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Reading {
    /// Market.
    pub market: MarketId,
    /// Meter.
    pub meter: MeterId,
    /// The slot that ended.
    pub slot: Slot,
    /// 0 for the first reading of the slot; a later one must be higher.
    pub revision: u16,
    /// Cumulative import register at the slot's end.
    pub import_wh: Energy,
    /// Cumulative export register at the slot's end.
    pub export_wh: Energy,
    /// Voltage in 0.1 V, if measured.
    pub voltage_dv: Option<u16>,
    /// Frequency in mHz, if measured.
    pub frequency_mhz: Option<u32>,
    /// When it was measured.
    pub measured_at: Timestamp,
    /// How it came about.
    pub status: ReadingStatus,
}

impl Reading {
    /// blake2-256 of the SCALE encoding: what an execution list names.
    pub fn hash(&self) -> Hash {
        blake2_256(&self.encode())
    }
}

/// One line of an execution list: which of the posted readings counts for a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct ExecutionEntry {
    /// The meter.
    pub meter: MeterId,
    /// Hash of a reading of this meter and slot that is posted on chain.
    pub reading: Hash,
}

/// The slot's delivery: one entry per meter, ascending by meter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct ExecutionList(pub Vec<ExecutionEntry>);

impl ExecutionList {
    /// blake2-256 of the SCALE encoding: what stage 5 votes on.
    pub fn hash(&self) -> Hash {
        blake2_256(&self.encode())
    }
}

/// A meter's energy in one slot: differences of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct MeterSlot {
    /// Meter.
    pub meter: MeterId,
    /// Its owner.
    pub entity: EntityId,
    /// Energy taken from the grid.
    pub import_wh: Energy,
    /// Energy fed into the grid.
    pub export_wh: Energy,
    /// Whether the grid operator interrupted it: no deviation charge.
    pub curtailed: bool,
}

/// A certified trade as the settlement rule sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct CertifiedTrade {
    /// Position in clearing order.
    pub id: u32,
    /// The buyer's meter.
    pub buy_meter: MeterId,
    /// The seller's meter.
    pub sell_meter: MeterId,
    /// Confirmed energy.
    pub energy: Energy,
    /// What the buyer pays.
    pub buy_price: Price,
    /// What the seller gets.
    pub sell_price: Price,
    /// What both sides pay for the network between their feeders.
    pub fee: Fee,
}

impl CertifiedTrade {
    /// Bytes of the encoding.
    pub const BYTES: usize = 3 * 4 + 8 + 4 * 4;

    /// The trade with this encoding: any bytes are one.
    pub fn of_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut fields = Reader::new(bytes);
        Self {
            id: fields.u32(),
            buy_meter: MeterId::from_number(fields.u32()),
            sell_meter: MeterId::from_number(fields.u32()),
            energy: Energy::from_wh(fields.u64()),
            buy_price: Price::from_ticks(fields.u32()),
            sell_price: Price::from_ticks(fields.u32()),
            fee: Fee { buyer: Price::from_ticks(fields.u32()), seller: Price::from_ticks(fields.u32()) },
        }
    }

    fn from_bytes(bytes: &[u8; Self::BYTES]) -> Result<Self, Error> {
        Ok(Self::of_bytes(bytes))
    }

    /// The encoding.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        Writer::new()
            .put(self.id.to_le_bytes())
            .put(self.buy_meter.number().to_le_bytes())
            .put(self.sell_meter.number().to_le_bytes())
            .put(self.energy.wh().to_le_bytes())
            .put(self.buy_price.ticks().to_le_bytes())
            .put(self.sell_price.ticks().to_le_bytes())
            .put(self.fee.buyer.ticks().to_le_bytes())
            .put(self.fee.seller.ticks().to_le_bytes())
            .finish()
    }
}

fixed_codec!(CertifiedTrade);

/// Network fee of a trade, for each traded kWh: what either side pays to the grid operator. A fee that one side pays
/// alone is zero for the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Fee {
    /// The buyer's part, on top of the price.
    pub buyer: Price,
    /// The seller's part, out of what it is paid.
    pub seller: Price,
}

/// Rates of a market; all prices per kWh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Rates {
    /// F: the retailer pays this for residual export.
    pub feed_in: Price,
    /// R: the retailer charges this for residual import; includes the network fee.
    pub retail: Price,
    /// n: network fee on traded energy, where the terms list no other for the feeders.
    pub fee: Fee,
    /// δ: deviation rate.
    pub deviation: Price,
    /// Tolerance band, absolute part.
    pub tol_wh: Energy,
    /// Tolerance band, relative part in basis points of the confirmed energy.
    pub tol_bp: u16,
}

impl Rates {
    /// `tol(Q) = max(tol_wh, floor(Q · tol_bp / 10000))`: the only rounding of a settlement.
    pub fn tolerance(&self, confirmed: Energy) -> Energy {
        let relative = u128::from(confirmed.wh()) * u128::from(self.tol_bp) / 10_000;
        let relative = Energy::from_wh(u64::try_from(relative).unwrap_or(u64::MAX));
        self.tol_wh.max(relative)
    }
}

/// Input of the settlement rule.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct SettleInput {
    /// Interface version of this input.
    pub interface: u16,
    /// Market.
    pub market: MarketId,
    /// Slot.
    pub slot: Slot,
    /// Rates pinned for the slot.
    pub rates: Rates,
    /// Certified trades in clearing order.
    pub trades: Vec<CertifiedTrade>,
    /// Every meter of the market, ascending by meter.
    pub meters: Vec<MeterSlot>,
}

/// A side of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub enum Party {
    /// A market entity.
    #[codec(index = 0)]
    Entity(EntityId),
    /// The market's retailer.
    #[codec(index = 1)]
    Retailer,
    /// The market's grid operator.
    #[codec(index = 2)]
    Grid,
    /// The market's surplus pool.
    #[codec(index = 3)]
    Pool,
}

/// Values of a transfer's `kind`; 0–5 come from the settlement rule, the others from the runtime.
pub mod kinds {
    /// Traded energy, buyer to seller.
    pub const ENERGY: u8 = 0;
    /// Network fee, payer to grid operator.
    pub const FEE: u8 = 1;
    /// Price difference of a two-price rule, buyer to pool.
    pub const SURPLUS: u8 = 2;
    /// Residual export, retailer to owner.
    pub const FEED_IN: u8 = 3;
    /// Residual import, owner to retailer.
    pub const RETAIL: u8 = 4;
    /// Deviation charge, owner to retailer.
    pub const DEVIATION: u8 = 5;
    /// Pool refund, pool to entity.
    pub const POOL_REFUND: u8 = 6;
    /// A receivable paid later, debtor to creditor.
    pub const RECEIVABLE: u8 = 7;
    /// Deposit, bank to entity.
    pub const FUNDING: u8 = 16;
    /// Compensation for a refused trade, refuser to counterparty.
    pub const REFUSAL: u8 = 17;
    /// Fee for a market step, market operator to fee account.
    pub const STEP_FEE: u8 = 18;
    /// Free money that an entity takes back, entity to bank.
    pub const WITHDRAWAL: u8 = 20;
    /// Plain transfer between accounts.
    pub const BALANCE: u8 = 19;
    /// Deposit of a sealed order that was not revealed, or not covered when it was: bidder to pool.
    pub const FORFEIT: u8 = 24;
    /// What is put right after a settlement, payer to payee.
    pub const ADJUSTMENT: u8 = 28;
    /// Fee for declared gas beyond the quota, signer's owner to fee account.
    pub const WEIGHT_FEE: u8 = 25;
}

/// One payment of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct Transfer {
    /// Payer.
    pub from: Party,
    /// Payee.
    pub to: Party,
    /// Amount, > 0.
    pub amount: Money,
    /// One of [`kinds`], 0–5.
    pub kind: u8,
    /// The trade paid for, if any.
    pub trade: Option<u32>,
    /// The meter billed, if any.
    pub meter: Option<MeterId>,
}

/// Output of the settlement rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "type-info", derive(scale_info::TypeInfo))]
pub struct SettlementReport {
    /// Settled energy of each trade, in the input's order.
    pub settled: Vec<Energy>,
    /// Payments: for each trade energy, surplus, the buyer's fee, the seller's; then for each meter feed-in, retail, deviation as seller,
    /// deviation as buyer. Payments of zero are left out.
    pub transfers: Vec<Transfer>,
}
