//! A settlement's payments, computed when they are read.
//!
//! The payments of a full slot would not fit into a pure contract's memory beside their encoding, so [`Settlement`]
//! encodes as a `SettlementReport` without ever holding one.

use crate::rules::{Allocation, Ledger, PackedTrade};
use alloc::vec::Vec;
use contract_interface::{CertifiedTrade, MeterSlot, Party, Rates, SettlementReport, Transfer, kinds};
use parity_scale_codec::{Compact, Encode, Output};
use runtime_primitives::{Energy, Money};

/// The outcome of a slot.
pub struct Settlement {
    rates: Rates,
    trades: Vec<PackedTrade>,
    allocated: Vec<Allocation>,
    meters: Vec<MeterSlot>,
    ledgers: Vec<Ledger>,
}

impl Settlement {
    pub(crate) const fn new(
        rates: Rates,
        trades: Vec<PackedTrade>,
        allocated: Vec<Allocation>,
        meters: Vec<MeterSlot>,
        ledgers: Vec<Ledger>,
    ) -> Self {
        Self { rates, trades, allocated, meters, ledgers }
    }

    /// Settled energy of each trade, in the input's order.
    pub fn settled(&self) -> impl Iterator<Item = Energy> {
        self.allocated.iter().map(|allocation| allocation.settled)
    }

    /// All payments above zero, in the order of `SettlementReport`.
    pub fn transfers(&self) -> impl Iterator<Item = Transfer> {
        let of_trades = self
            .trades
            .iter()
            .zip(&self.allocated)
            .flat_map(|(trade, got)| self.of_trade(&trade.get(), *got));
        let of_meters =
            self.meters.iter().zip(&self.ledgers).flat_map(|(meter, ledger)| self.of_meter(meter, *ledger));
        of_trades.chain(of_meters).filter(|transfer| !transfer.amount.is_zero())
    }

    fn of_trade(&self, trade: &CertifiedTrade, got: Allocation) -> [Transfer; 4] {
        let owner = |index: u32| Party::Entity(self.meters[index as usize].entity);
        let (buyer, seller) = (owner(got.buyer), owner(got.seller));
        let line =
            |kind, from, to, amount| Transfer { from, to, amount, kind, trade: Some(trade.id), meter: None };
        let surplus = trade.buy_price.checked_sub(trade.sell_price).unwrap_or_default();
        [
            line(kinds::ENERGY, buyer, seller, trade.sell_price.times(got.settled)),
            line(kinds::SURPLUS, buyer, Party::Pool, surplus.times(got.settled)),
            line(kinds::FEE, buyer, Party::Grid, trade.fee.buyer.times(got.settled)),
            line(kinds::FEE, seller, Party::Grid, trade.fee.seller.times(got.settled)),
        ]
    }

    fn of_meter(&self, slot: &MeterSlot, ledger: Ledger) -> [Transfer; 4] {
        let owner = Party::Entity(slot.entity);
        let line = |kind, from, to, amount| Transfer {
            from,
            to,
            amount,
            kind,
            trade: None,
            meter: Some(slot.meter),
        };
        let deviation = |confirmed, metered| {
            line(kinds::DEVIATION, owner, Party::Retailer, self.deviation(slot, confirmed, metered))
        };
        [
            line(kinds::FEED_IN, Party::Retailer, owner, self.rates.feed_in.times(ledger.export_left)),
            line(kinds::RETAIL, owner, Party::Retailer, self.rates.retail.times(ledger.import_left)),
            deviation(ledger.sold, slot.export_wh),
            deviation(ledger.bought, slot.import_wh),
        ]
    }

    /// `δ · max(0, D − tol(Q))` with `D = max(0, Q − metered)`; nothing if the meter was curtailed.
    fn deviation(&self, slot: &MeterSlot, confirmed: Energy, metered: Energy) -> Money {
        if slot.curtailed {
            return Money::ZERO;
        }
        let missing = confirmed.saturating_sub(metered);
        self.rates.deviation.times(missing.saturating_sub(self.rates.tolerance(confirmed)))
    }
}

impl Encode for Settlement {
    fn size_hint(&self) -> usize {
        let lengths = 2 * size_of::<u32>();
        lengths
            + self.allocated.len() * size_of::<Energy>()
            + self.transfers().map(|line| line.size_hint()).sum::<usize>()
    }

    fn encode_to<O: Output + ?Sized>(&self, out: &mut O) {
        length(self.allocated.len()).encode_to(out);
        self.settled().for_each(|energy| energy.encode_to(out));
        length(self.transfers().count()).encode_to(out);
        self.transfers().for_each(|line| line.encode_to(out));
    }
}

fn length(count: usize) -> Compact<u32> {
    Compact(u32::try_from(count).expect("no input has memory for 2³⁰ trades and meters"))
}

impl From<Settlement> for SettlementReport {
    fn from(settlement: Settlement) -> Self {
        Self { settled: settlement.settled().collect(), transfers: settlement.transfers().collect() }
    }
}
