//! Does this report pay what section 4 of the market page says, exactly? One fault per rule.

use contract_interface::{CertifiedTrade, MeterSlot, Party, SettleInput, SettlementReport, Transfer, kinds};
use parity_scale_codec::{Decode, Encode};
use runtime_primitives::{Energy, MeterId, Money};
use scale_info::TypeInfo;
use std::collections::BTreeMap;
use thiserror::Error as ThisError;

/// The rule that a settlement report breaks.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, ThisError)]
pub enum SettlementFault {
    /// Not one settled energy per trade.
    #[error("{got} settled energies for {expected} trades")]
    SettledCount {
        /// Trades.
        expected: u32,
        /// Energies.
        got: u32,
    },
    /// More settled than traded.
    #[error("trade {trade} settles {settled} of {energy} Wh")]
    AboveTrade {
        /// The trade.
        trade: u32,
        /// Settled.
        settled: Energy,
        /// Traded.
        energy: Energy,
    },
    /// More settled than a meter moved: invented energy.
    #[error("meter {meter} settles more energy than it moved")]
    InventedEnergy {
        /// The meter.
        meter: MeterId,
    },
    /// Delivered energy was left unsettled although both meters had it.
    #[error("trade {trade} settles {settled} Wh; {possible} were delivered")]
    Withheld {
        /// The trade.
        trade: u32,
        /// Settled.
        settled: Energy,
        /// By sequential allocation.
        possible: Energy,
    },
    /// A payment is missing, wrong in amount, direction or kind, or one too many: it does not sum to what the
    /// formulas give.
    #[error("payment {index} is not what the formulas give: {detail:?}")]
    Mispriced {
        /// Position in the report.
        index: u32,
        /// What is wrong.
        detail: PaymentFault,
    },
    /// A payment that the formulas give is missing.
    #[error("{missing} payments are missing; the report does not sum to zero against the meters")]
    Missing {
        /// How many.
        missing: u32,
    },
}

/// What is wrong with one payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum PaymentFault {
    /// Nothing of this kind, parties, trade and meter is due, or it was paid before.
    NotDue,
    /// Another amount is due.
    Amount {
        /// What is due.
        due: Money,
    },
    /// More than the deviation rate allows.
    AboveDeviation {
        /// The most.
        most: Money,
    },
}

/// A payment's identity: everything but the amount.
type Key = (Party, Party, u8, Option<u32>, Option<MeterId>);

fn key(transfer: &Transfer) -> Key {
    (transfer.from, transfer.to, transfer.kind, transfer.trade, transfer.meter)
}

/// Check a report against its input.
///
/// # Errors
/// The first rule that is broken.
pub fn check_settlement(input: &SettleInput, report: &SettlementReport) -> Result<(), SettlementFault> {
    let count = |length| u32::try_from(length).unwrap_or(u32::MAX);
    if report.settled.len() != input.trades.len() {
        let (expected, got) = (count(input.trades.len()), count(report.settled.len()));
        return Err(SettlementFault::SettledCount { expected, got });
    }
    let mut left = Left::new(&input.meters);
    for (trade, settled) in input.trades.iter().zip(&report.settled) {
        left.take(trade, *settled)?;
    }
    let mut due = Due::new(input, report, &left);
    for (index, transfer) in (0u32..).zip(&report.transfers) {
        due.pay(transfer).map_err(|detail| SettlementFault::Mispriced { index, detail })?;
    }
    match count(due.exact.len()) {
        0 => Ok(()),
        missing => Err(SettlementFault::Missing { missing }),
    }
}

/// What each meter has not yet used up.
struct Left<'a> {
    meters: BTreeMap<MeterId, (&'a MeterSlot, Energy, Energy)>,
}

impl<'a> Left<'a> {
    fn new(meters: &'a [MeterSlot]) -> Self {
        let entry = |meter: &'a MeterSlot| (meter.meter, (meter, meter.export_wh, meter.import_wh));
        Self { meters: meters.iter().map(entry).collect() }
    }

    fn take(&mut self, trade: &CertifiedTrade, settled: Energy) -> Result<(), SettlementFault> {
        if settled > trade.energy {
            let (trade, energy) = (trade.id, trade.energy);
            return Err(SettlementFault::AboveTrade { trade, settled, energy });
        }
        let mut possible = trade.energy;
        for (meter, is_seller) in [(trade.sell_meter, true), (trade.buy_meter, false)] {
            let Some((_, export, import)) = self.meters.get_mut(&meter) else {
                return Err(SettlementFault::InventedEnergy { meter });
            };
            let side = if is_seller { export } else { import };
            possible = possible.min(*side);
            *side = side.checked_sub(settled).ok_or(SettlementFault::InventedEnergy { meter })?;
        }
        if settled < possible {
            return Err(SettlementFault::Withheld { trade: trade.id, settled, possible });
        }
        Ok(())
    }
}

/// What must be paid exactly, and what may be paid at most.
struct Due {
    exact: BTreeMap<Key, Money>,
    /// Deviation charges of a meter as seller and as buyer: each at most this.
    deviation: BTreeMap<Key, Vec<Money>>,
}

impl Due {
    fn new(input: &SettleInput, report: &SettlementReport, left: &Left) -> Self {
        let mut due = Self { exact: BTreeMap::new(), deviation: BTreeMap::new() };
        for (trade, settled) in input.trades.iter().zip(&report.settled) {
            due.add_trade(trade, *settled, left);
        }
        let mut sold: BTreeMap<MeterId, Energy> = BTreeMap::new();
        let mut bought: BTreeMap<MeterId, Energy> = BTreeMap::new();
        for trade in &input.trades {
            for (sums, meter) in [(&mut sold, trade.sell_meter), (&mut bought, trade.buy_meter)] {
                let sum = sums.entry(meter).or_default();
                *sum = sum.saturating_add(trade.energy);
            }
        }
        for (slot, export, import) in left.meters.values() {
            let owner = Party::Entity(slot.entity);
            let meter = Some(slot.meter);
            due.add(
                (Party::Retailer, owner, kinds::FEED_IN, None, meter),
                input.rates.feed_in.times(*export),
            );
            due.add((owner, Party::Retailer, kinds::RETAIL, None, meter), input.rates.retail.times(*import));
            if slot.curtailed {
                continue;
            }
            let mut most = Vec::new();
            for (sums, moved) in [(&sold, slot.export_wh), (&bought, slot.import_wh)] {
                let confirmed = sums.get(&slot.meter).copied().unwrap_or_default();
                // A rule may be more lenient than δ · D, never harsher.
                let deviation = confirmed.saturating_sub(moved);
                if !deviation.is_zero() {
                    most.push(input.rates.deviation.times(deviation));
                }
            }
            due.deviation.insert((owner, Party::Retailer, kinds::DEVIATION, None, meter), most);
        }
        due
    }

    fn add(&mut self, key: Key, amount: Money) {
        if !amount.is_zero() {
            self.exact.insert(key, amount);
        }
    }

    fn add_trade(&mut self, trade: &CertifiedTrade, settled: Energy, left: &Left) {
        let owner = |meter: MeterId| Party::Entity(left.meters[&meter].0.entity);
        let (buyer, seller) = (owner(trade.buy_meter), owner(trade.sell_meter));
        let id = Some(trade.id);
        let surplus = trade.buy_price.checked_sub(trade.sell_price).unwrap_or_default();
        self.add((buyer, seller, kinds::ENERGY, id, None), trade.sell_price.times(settled));
        self.add((buyer, Party::Pool, kinds::SURPLUS, id, None), surplus.times(settled));
        self.add((buyer, Party::Grid, kinds::FEE, id, None), trade.fee.buyer.times(settled));
        self.add((seller, Party::Grid, kinds::FEE, id, None), trade.fee.seller.times(settled));
    }

    fn pay(&mut self, transfer: &Transfer) -> Result<(), PaymentFault> {
        let key = key(transfer);
        if transfer.kind == kinds::DEVIATION {
            let most = self.deviation.get_mut(&key).ok_or(PaymentFault::NotDue)?;
            let Some(largest) = most.iter().max().copied() else { return Err(PaymentFault::NotDue) };
            // Use up the smallest bound that covers the charge.
            let fits = most.iter().enumerate().filter(|(_, bound)| transfer.amount <= **bound);
            let Some((index, _)) = fits.min_by_key(|(_, bound)| **bound) else {
                return Err(PaymentFault::AboveDeviation { most: largest });
            };
            most.remove(index);
            return if transfer.amount.is_zero() { Err(PaymentFault::NotDue) } else { Ok(()) };
        }
        let due = self.exact.remove(&key).ok_or(PaymentFault::NotDue)?;
        if due == transfer.amount { Ok(()) } else { Err(PaymentFault::Amount { due }) }
    }
}
