//! Bills from the ledger: every movement of money of the chain, seen from each account.
//!
//! The rule that makes them bills: an account's lines add up to what it has more or less than at genesis, free and
//! held together, to the unit.

use super::cast::Cast;
use super::outcome::is_household;
use super::play::PlayError;
use super::script::Script;
use crate::report::{Amount, BillLine};
use contract_interface::{TransferRecord, kinds};
use host_storage::Snapshot;
use parity_scale_codec::{Decode, DecodeAll};
use runtime_execution::archive::{SettleRecord, slot_key, tables};
use runtime_execution::modules::balances::TOTAL_ISSUANCE;
use runtime_execution::modules::system::ACCOUNT;
use runtime_primitives::{AccountId, Energy, EntityId, Height, Money, Price, Timestamp};
use runtime_state::Overlay;
use std::collections::BTreeMap;

/// All movements of a chain.
pub(super) struct Book {
    movements: Vec<(Timestamp, TransferRecord, Option<Energy>)>,
    opening: BTreeMap<AccountId, Money>,
    entities: BTreeMap<AccountId, EntityId>,
}

/// What the bills come to.
pub(super) struct Prepared {
    /// Whether every household pays at most the retailer's bill and its own deviation charges.
    pub bounded: bool,
    /// What all households got (+) or paid (−) on the market's slots.
    pub total: Amount,
    /// What each is better off than with the retailer alone.
    pub saved: Vec<(String, Amount)>,
}

/// All money of the chain.
pub(super) fn issuance(state: &Overlay) -> Money {
    TOTAL_ISSUANCE.get(state).unwrap_or_default()
}

impl Book {
    /// Read the ledger.
    pub(super) fn read(snapshot: &Snapshot, script: &Script) -> Result<Self, PlayError> {
        let state = Overlay::new(snapshot);
        let genesis = Cast::genesis_config(script);
        let opening = genesis.entities.iter().map(|entity| (entity.owner, entity.balance)).collect();
        let entities = Cast::owners(&state).into_iter().map(|(id, owner)| (owner, id)).collect();
        let mut movements = Vec::new();
        let (mut height, mut time) = (None, Timestamp::ZERO);
        let mut settled = Settled::default();
        for row in snapshot.archive_scan(tables::LEDGER, &[], usize::MAX)? {
            let at = row.key.get(..8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
            if at != height {
                let block = snapshot.block(Height::from_number(at.unwrap_or_default()))?;
                time = block.map(|block| block.timestamp).unwrap_or_default();
                height = at;
            }
            if let Ok(record) = TransferRecord::decode_all(&mut &row.value[..]) {
                let energy = settled.energy(snapshot, &record)?;
                movements.push((time, record, energy));
            }
        }
        Ok(Self { movements, opening, entities })
    }

    /// The payments of the market, without fees for its steps.
    pub(super) fn market_records(&self) -> impl Iterator<Item = &TransferRecord> {
        self.movements
            .iter()
            .map(|(_, record, _)| record)
            .filter(|record| record.slot.is_some() && record.kind != kinds::STEP_FEE)
    }

    /// Whether every account is where its lines lead.
    pub(super) fn equals_accounts(&self, state: &Overlay) -> bool {
        let mut balances: BTreeMap<AccountId, i128> = BTreeMap::new();
        let signed = |money: Money| i128::try_from(money.units()).unwrap_or(i128::MAX);
        for (account, money) in &self.opening {
            *balances.entry(*account).or_default() += signed(*money);
        }
        for (_, record, _) in &self.movements {
            *balances.entry(record.payer).or_default() -= signed(record.amount);
            *balances.entry(record.payee).or_default() += signed(record.amount);
        }
        ACCOUNT.entries(state).iter().all(|(account, info)| {
            let has = signed(info.data.free.saturating_add(info.data.reserved));
            has == balances.get(account).copied().unwrap_or_default()
        })
    }

    /// Two lines a movement: the payer's and the payee's, where they are entities.
    pub(super) fn lines(&self, names: &BTreeMap<AccountId, String>) -> Vec<BillLine> {
        let name = |account: &AccountId| names.get(account).cloned().unwrap_or_else(|| account.to_string());
        let mut lines = Vec::new();
        for (time, record, energy) in &self.movements {
            for (own, other, amount) in [
                (record.payer, record.payee, Amount::paid(record.amount)),
                (record.payee, record.payer, Amount::received(record.amount)),
            ] {
                let (Some(entity), Some(amount)) = (self.entities.get(&own), amount) else { continue };
                lines.push(BillLine {
                    entity: *entity,
                    name: name(&own),
                    time: *time,
                    kind: record.kind,
                    counterparty: name(&other),
                    market: record.slot.map(|(market, _)| market),
                    slot: record.slot.map(|(_, slot)| slot),
                    trade: record.trade,
                    meter: record.meter,
                    energy: *energy,
                    amount,
                    record: record.hash(),
                });
            }
        }
        lines.sort_by_key(|line| line.entity);
        lines
    }

    /// What `account` got (+) or paid (−) on the market's slots, and its own deviation charges.
    fn market_total(&self, account: &AccountId) -> (i128, i128) {
        let mut sums = (0, 0);
        for record in self.market_records() {
            let amount = i128::try_from(record.amount.units()).unwrap_or(i128::MAX);
            if record.payer == *account {
                sums.0 -= amount;
                sums.1 += if record.kind == kinds::DEVIATION { amount } else { 0 };
            }
            if record.payee == *account {
                sums.0 += amount;
            }
        }
        sums
    }
}

/// Energies behind payments, from the settlement records; slots come in order, so one is kept.
#[derive(Default)]
struct Settled {
    key: Vec<u8>,
    record: Option<SettleRecord>,
}

impl Settled {
    fn energy(&mut self, snapshot: &Snapshot, record: &TransferRecord) -> Result<Option<Energy>, PlayError> {
        let Some(at) = record.slot else { return Ok(None) };
        let key = slot_key(at);
        if self.key != key {
            let bytes = snapshot.archive_get(tables::SETTLE, &key)?.unwrap_or_default();
            self.record = SettleRecord::decode(&mut &bytes[..]).ok();
            self.key = key;
        }
        let Some(settle) = &self.record else { return Ok(None) };
        let rates = settle.input.rates;
        let per_kwh = |price: Price| {
            let units = u128::from(price.ticks());
            record
                .amount
                .units()
                .checked_div(units)
                .and_then(|wh| u64::try_from(wh).ok())
                .map(Energy::from_wh)
        };
        Ok(match record.kind {
            kinds::ENERGY | kinds::FEE | kinds::SURPLUS => record.trade.and_then(|trade| {
                let index = settle.input.trades.iter().position(|other| other.id == trade)?;
                settle.report.settled.get(index).copied()
            }),
            kinds::FEED_IN => per_kwh(rates.feed_in),
            kinds::RETAIL => per_kwh(rates.retail),
            kinds::DEVIATION => per_kwh(rates.deviation),
            _ => None,
        })
    }
}

/// Compare every household's bill with what the retailer alone would have charged.
pub(super) fn prepare(
    script: &Script,
    state: &Overlay,
    book: &Book,
    measured: &BTreeMap<u32, (Energy, Energy)>,
) -> Prepared {
    let names = Cast::names(script);
    let (mut bounded, mut total, mut saved) = (true, 0, Vec::new());
    let signed = |money: Money| i128::try_from(money.units()).unwrap_or(i128::MAX);
    for (entity, owner) in Cast::owners(state) {
        if !is_household(entity.number()) {
            continue;
        }
        let (import, export) = measured.get(&entity.number()).copied().unwrap_or_default();
        let alone = signed(script.rates.feed_in.times(export)) - signed(script.rates.retail.times(import));
        let (got, deviation) = book.market_total(&owner);
        bounded &= got >= alone - deviation;
        total += got;
        saved.push((names.get(&owner).cloned().unwrap_or_default(), Amount::from_units(got - alone)));
    }
    Prepared { bounded, total: Amount::from_units(total), saved }
}
