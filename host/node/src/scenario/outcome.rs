//! What a play came to: figures for the summary, bills, and the invariants that make it worth showing.
//!
//! Everything is read back from the store: the archive's leaves are hashed again, signatures verified again, bills
//! added up against the accounts.

use super::audit;
use super::bills::{self, Book, Saved};
use super::cast::{Cast, MARKET, first_household};
use super::play::{Play, PlayError};
use super::results::SlotResults;
use crate::community::optimum;
use crate::report::{Amount, BillLine};
use contract_interface::{Order, TransferRecord, kinds};
use parity_scale_codec::Decode;
use runtime_execution::archive::{ClearingRecord, HoldRecord, SettleRecord, slot_key, tables};
use runtime_execution::modules::markets::RECEIVABLES;
use runtime_execution::{Outcome as Receipted, Receipt};
use runtime_primitives::{AccountId, Energy, Hash, Height, Money, Price, Slot};
use runtime_state::Overlay;
use std::collections::BTreeMap;

/// One line of the transfers: every payment, or their sum per pair and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferSum {
    /// Payer's name.
    pub from: String,
    /// Payee's name.
    pub to: String,
    /// Sum.
    pub amount: Money,
    /// One of [`kinds`].
    pub kind: u8,
}

/// Named invariants; all must hold.
pub type Invariants = BTreeMap<&'static str, bool>;

/// A played scenario in figures.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its name.
    pub scenario: String,
    /// Orders admitted.
    pub orders: u64,
    /// Trades settled, wholly or partly.
    pub trades: u64,
    /// Energy settled between peers.
    pub energy: Energy,
    /// Lowest, median (by energy) and highest price of settled trades.
    pub prices: Option<(Price, Price, Price)>,
    /// Gain of the clearings, and the most that the books allowed.
    pub welfare: (Money, Money),
    /// Imported energy, and how much of it came from neighbours.
    pub import: (Energy, Energy),
    /// What all households paid (−) or got (+) on the market's slots.
    pub bills_total: Amount,
    /// What each household is better off than with the retailer alone.
    pub saved: Vec<Saved>,
    /// Network fees paid.
    pub fees: Money,
    /// Deviation charges paid.
    pub deviation: Money,
    /// Validators' signatures.
    pub attestations: u64,
    /// Votes of market entities.
    pub votes: u64,
    /// Height of the chain.
    pub blocks: u64,
    /// Extrinsics in all blocks, without inherents.
    pub extrinsics: u64,
    /// Hash of the last header.
    pub final_header_hash: Hash,
    /// What each slot came to.
    pub results: Vec<SlotResults>,
    /// Payments: each one for a short scenario, else per pair and kind.
    pub transfers: Vec<TransferSum>,
    /// What must hold.
    pub invariants: Invariants,
    /// Bill lines by household and institution.
    pub bills: Vec<BillLine>,
}

/// Scenarios with at most this many slots list every payment.
const SHORT: u32 = 4;

/// Read a finished play's outcome back from its store.
///
/// # Errors
/// [`PlayError::Store`].
pub fn outcome(play: &Play, conserved: bool) -> Result<Outcome, PlayError> {
    let snapshot = play.chain().snapshot();
    let state = Overlay::new(&snapshot);
    let script = play.script();
    let names = Cast::names(script);
    let mut sums = Sums::default();
    let mut invariants = Invariants::new();
    let mut sound = audit::Sound::default();
    let mut results = Vec::new();
    for slot in slots(script.slots) {
        let at = (MARKET, slot);
        sound.check(&snapshot, &state, at, play.opinions.get(&slot))?;
        sums.add_slot(&snapshot, at)?;
        results.push(SlotResults::read(&snapshot, &state, at)?);
    }
    let book = Book::read(&snapshot, &state, script)?;
    let prepared = bills::prepare(script, &state, &book, &sums.measured);
    invariants.insert("money_conserved", conserved && Cast::money(&state) == bills::issuance(&state));
    invariants.insert("settled_trades_certified", sound.certified && sums.trades > 0);
    invariants.insert("stage_records_match_archive", sound.records);
    invariants.insert("signatures_verify", sound.signatures);
    invariants.insert("households_recomputed_settlements", sound.recomputed);
    invariants.insert(
        "validators_recomputed_clearings",
        sound.attested && sound.attestations > 0 && play.attested.0 == play.attested.1,
    );
    invariants.insert("within_signed_limits", sums.within_limits);
    invariants.insert("bills_at_most_retail_plus_own_deviation", prepared.bounded);
    invariants.insert("bill_lines_equal_account_changes", book.equals_accounts(&state));
    let (extrinsics, all_applied) = count_extrinsics(&snapshot)?;
    invariants.insert("every_extrinsic_applied", all_applied);
    invariants.insert("nobody_owes", RECEIVABLES.entries(&state).is_empty());
    let market_lines: Vec<&TransferRecord> = book.market_records().collect();
    let short = script.slots.1.since(script.slots.0).is_some_and(|span| span.count() < SHORT);
    let transfers = if short { each(&market_lines, &names) } else { per_pair(&market_lines, &names) };
    if short && script.households.len() == 2 {
        invariants.insert("sellers_and_grid_gain_what_buyers_lose", balanced(&market_lines));
    }
    Ok(Outcome {
        scenario: script.name.clone(),
        orders: sums.orders,
        trades: sums.trades,
        energy: sums.energy,
        prices: sums.price_range(),
        welfare: (sums.welfare, sums.optimum),
        import: (sums.imported, sums.energy),
        bills_total: prepared.total,
        saved: prepared.saved,
        fees: sum_of(&market_lines, kinds::FEE),
        deviation: sum_of(&market_lines, kinds::DEVIATION),
        attestations: sound.attestations,
        votes: sound.votes,
        blocks: snapshot.height().number(),
        extrinsics,
        final_header_hash: snapshot.hash(),
        results,
        transfers,
        invariants,
        bills: book.lines(&snapshot, &state, &names)?,
    })
}

pub(super) fn slots((first, last): (Slot, Slot)) -> impl Iterator<Item = Slot> {
    (first.number()..=last.number()).map(Slot::from_number)
}

/// Extrinsics of all blocks, and whether every one was applied.
fn count_extrinsics(snapshot: &host_storage::Snapshot) -> Result<(u64, bool), PlayError> {
    let (mut count, mut all_applied) = (0, true);
    for number in 1..=snapshot.height().number() {
        let bytes = snapshot.receipts(Height::from_number(number))?.unwrap_or_default();
        let receipts = Vec::<Receipt>::decode(&mut &bytes[..]).unwrap_or_default();
        count += receipts.len() as u64;
        all_applied &= receipts.iter().all(|one| matches!(one.outcome, Receipted::Applied { .. }));
    }
    Ok((count, all_applied))
}

#[derive(Default)]
struct Sums {
    orders: u64,
    trades: u64,
    energy: Energy,
    prices: BTreeMap<Price, Energy>,
    welfare: Money,
    optimum: Money,
    imported: Energy,
    within_limits: bool,
    measured: BTreeMap<u32, (Energy, Energy)>,
    started: bool,
}

impl Sums {
    fn add_slot(
        &mut self,
        snapshot: &host_storage::Snapshot,
        at: (runtime_primitives::MarketId, Slot),
    ) -> Result<(), PlayError> {
        if !self.started {
            (self.started, self.within_limits) = (true, true);
        }
        let rows = snapshot.archive_scan(tables::HOLD, &slot_key(at), usize::MAX)?;
        let orders: BTreeMap<u32, Order> = rows
            .iter()
            .filter_map(|row| HoldRecord::decode(&mut &row.value[..]).ok())
            .map(|hold| (hold.order.seq.number(), hold.order))
            .collect();
        self.orders += orders.len() as u64;
        self.optimum = self.optimum.saturating_add(optimum(orders.values()));
        for row in snapshot.archive_scan(tables::CLEARING, &slot_key(at), usize::MAX)? {
            if let Ok(record) = ClearingRecord::decode(&mut &row.value[..]) {
                self.add_clearing(&orders, &record);
            }
        }
        let settle = snapshot.archive_get(tables::SETTLE, &slot_key(at))?.unwrap_or_default();
        if let Ok(record) = SettleRecord::decode(&mut &settle[..]) {
            self.add_settlement(&record);
        }
        Ok(())
    }

    fn add_clearing(&mut self, orders: &BTreeMap<u32, Order>, record: &ClearingRecord) {
        let clearing = contract_interface::Clearing::decode(&mut &record.output[..]).unwrap_or_default();
        for trade in &clearing.trades {
            let found = (orders.get(&trade.buy.number()), orders.get(&trade.sell.number()));
            let (Some(buy), Some(sell)) = found else {
                self.within_limits = false;
                continue;
            };
            self.within_limits &= sell.price <= trade.sell_price && trade.buy_price <= buy.price;
            let spread = buy.price.checked_sub(sell.price).unwrap_or_default();
            self.welfare = self.welfare.saturating_add(spread.times(trade.energy));
        }
    }

    fn add_settlement(&mut self, record: &SettleRecord) {
        for (trade, settled) in record.input.trades.iter().zip(&record.report.settled) {
            if settled.is_zero() {
                continue;
            }
            self.trades += 1;
            self.energy = self.energy.saturating_add(*settled);
            let at_price = self.prices.entry(trade.buy_price).or_default();
            *at_price = at_price.saturating_add(*settled);
        }
        for meter in &record.input.meters {
            self.imported = self.imported.saturating_add(meter.import_wh);
            let sum = self.measured.entry(meter.entity.number()).or_default();
            sum.0 = sum.0.saturating_add(meter.import_wh);
            sum.1 = sum.1.saturating_add(meter.export_wh);
        }
    }

    fn price_range(&self) -> Option<(Price, Price, Price)> {
        let (low, high) = (self.prices.keys().next()?, self.prices.keys().next_back()?);
        let mut seen = Energy::ZERO;
        let median = self.prices.iter().find(|(_, energy)| {
            seen = seen.saturating_add(**energy);
            seen.wh().saturating_mul(2) >= self.energy.wh()
        });
        Some((*low, *median?.0, *high))
    }
}

fn sum_of(records: &[&TransferRecord], kind: u8) -> Money {
    let of_kind = records.iter().filter(|record| record.kind == kind);
    of_kind.map(|record| record.amount).fold(Money::ZERO, Money::saturating_add)
}

fn named(names: &BTreeMap<AccountId, String>, account: &AccountId) -> String {
    names.get(account).cloned().unwrap_or_else(|| account.to_string())
}

fn each(records: &[&TransferRecord], names: &BTreeMap<AccountId, String>) -> Vec<TransferSum> {
    let line = |record: &&TransferRecord| TransferSum {
        from: named(names, &record.payer),
        to: named(names, &record.payee),
        amount: record.amount,
        kind: record.kind,
    };
    records.iter().map(line).collect()
}

fn per_pair(records: &[&TransferRecord], names: &BTreeMap<AccountId, String>) -> Vec<TransferSum> {
    let mut sums: BTreeMap<(AccountId, AccountId, u8), Money> = BTreeMap::new();
    for record in records {
        let sum = sums.entry((record.payer, record.payee, record.kind)).or_default();
        *sum = sum.saturating_add(record.amount);
    }
    let line = |((from, to, kind), amount): ((AccountId, AccountId, u8), Money)| TransferSum {
        from: named(names, &from),
        to: named(names, &to),
        amount,
        kind,
    };
    sums.into_iter().map(line).collect()
}

/// In the paper's case: what A and C gain is what B loses, and nobody else takes part.
fn balanced(records: &[&TransferRecord]) -> bool {
    let payers: std::collections::BTreeSet<_> = records.iter().map(|record| record.payer).collect();
    payers.len() == 1 && records.iter().all(|record| matches!(record.kind, kinds::ENERGY | kinds::FEE))
}

/// Whether an account is a household's.
pub(super) fn is_household(entity: u32) -> bool {
    entity >= first_household()
}
