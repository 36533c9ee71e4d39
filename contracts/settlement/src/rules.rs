//! The allocation of metered energy to trades, in clearing order.
//!
//! `s = min(q, what the seller's meter still exported, what the buyer's meter still imported)`; the rest is residual.

use crate::{error::Fault, report::Settlement};
use alloc::vec::Vec;
use contract_interface::{
    CertifiedTrade, Descriptor, INTERFACE, MeterSlot, Pricing, Rates, RuleError, SettleInput, flags,
};
use parity_scale_codec::Decode;
use runtime_primitives::{Energy, MarketId, MeterId, Slot, limits};

/// What this rule says of itself; it settles whatever any matching rule priced.
pub const DESCRIPTOR: Descriptor = Descriptor {
    interface: INTERFACE,
    name: *b"settlement\0\0\0\0\0\0",
    version: 1,
    pricing: Pricing::TwoPrice,
    flags_supported: flags::ALL,
    min_energy: true,
    continuous: true,
    no_residual_cross: false,
    max_orders: limits::MAX_ORDERS_PER_SLOT,
};

/// Answers [`DESCRIPTOR`].
///
/// # Errors
/// None.
pub const fn describe() -> Result<Descriptor, RuleError> {
    Ok(DESCRIPTOR)
}

/// A certified trade in its encoding, a tenth shorter than its aligned fields: in a full slot there is room for the
/// report only because nothing else is larger than it must be.
#[derive(Clone, Copy, Decode)]
pub struct PackedTrade([u8; CertifiedTrade::BYTES]);

impl PackedTrade {
    /// The trade.
    pub fn get(&self) -> CertifiedTrade {
        CertifiedTrade::of_bytes(&self.0)
    }
}

/// A `SettleInput` with packed trades; the bytes are the same.
#[derive(Decode)]
pub struct PackedInput {
    interface: u16,
    _market: MarketId,
    _slot: Slot,
    rates: Rates,
    trades: Vec<PackedTrade>,
    meters: Vec<MeterSlot>,
}

/// Settles a slot. The answer encodes as a `SettlementReport`.
///
/// # Errors
/// Any [`Fault`] of the input.
pub fn settle(input: SettleInput) -> Result<Settlement, RuleError> {
    let SettleInput { interface, market, slot, rates, trades, meters } = input;
    let trades = trades.iter().map(|trade| PackedTrade(trade.to_bytes())).collect();
    settle_packed(PackedInput { interface, _market: market, _slot: slot, rates, trades, meters })
}

/// Settles a slot. The answer encodes as a `SettlementReport`.
///
/// # Errors
/// Any [`Fault`] of the input.
pub fn settle_packed(input: PackedInput) -> Result<Settlement, RuleError> {
    let PackedInput { interface, rates, trades, meters, .. } = input;
    if interface != INTERFACE {
        return Err(Fault::Interface(interface).into());
    }
    if !meters.is_sorted_by(|a, b| a.meter < b.meter) {
        return Err(Fault::MetersNotAscending.into());
    }
    let mut ledgers: Vec<Ledger> = meters.iter().map(Ledger::of).collect();
    let mut allocated = Vec::with_capacity(trades.len());
    for trade in &trades {
        allocated.push(allocate(&trade.get(), &meters, &mut ledgers)?);
    }
    Ok(Settlement::new(rates, trades, allocated, meters, ledgers))
}

/// A meter's account of the slot.
#[derive(Clone, Copy)]
pub struct Ledger {
    /// Export that no trade has used: x.
    pub export_left: Energy,
    /// Import that no trade has used: y.
    pub import_left: Energy,
    /// Confirmed sales: Q_s.
    pub sold: Energy,
    /// Confirmed purchases: Q_b.
    pub bought: Energy,
}

impl Ledger {
    const fn of(meter: &MeterSlot) -> Self {
        Self {
            export_left: meter.export_wh,
            import_left: meter.import_wh,
            sold: Energy::ZERO,
            bought: Energy::ZERO,
        }
    }
}

/// What a trade got: its settled energy and where its meters stand in the list.
#[derive(Clone, Copy)]
pub struct Allocation {
    /// Settled energy.
    pub settled: Energy,
    /// Index of the buyer's meter.
    pub buyer: u32,
    /// Index of the seller's meter.
    pub seller: u32,
}

fn allocate(
    trade: &CertifiedTrade,
    meters: &[MeterSlot],
    ledgers: &mut [Ledger],
) -> Result<Allocation, Fault> {
    if trade.buy_price < trade.sell_price {
        return Err(Fault::PricesReversed);
    }
    let (buyer, seller) = (find(meters, trade.buy_meter)?, find(meters, trade.sell_meter)?);
    let export_left = ledgers[seller as usize].export_left;
    let import_left = ledgers[buyer as usize].import_left;
    let settled = trade.energy.min(export_left).min(import_left);

    let ledger = &mut ledgers[seller as usize];
    ledger.export_left = export_left.saturating_sub(settled);
    ledger.sold = ledger.sold.checked_add(trade.energy).ok_or(Fault::EnergyOverflow)?;
    let ledger = &mut ledgers[buyer as usize];
    ledger.import_left = import_left.saturating_sub(settled);
    ledger.bought = ledger.bought.checked_add(trade.energy).ok_or(Fault::EnergyOverflow)?;
    Ok(Allocation { settled, buyer, seller })
}

fn find(meters: &[MeterSlot], meter: MeterId) -> Result<u32, Fault> {
    let index = meters.binary_search_by_key(&meter, |slot| slot.meter).map_err(|_| Fault::UnknownMeter)?;
    u32::try_from(index).map_err(|_| Fault::UnknownMeter)
}
