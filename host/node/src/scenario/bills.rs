//! Bills from the ledger: every movement of money of the chain, seen from each account.
//!
//! The rule that makes them bills: an account's lines add up to what it has more or less than at genesis, free and
//! held together, to the unit.

use super::cast::Cast;
use super::outcome::is_household;
use super::play::PlayError;
use super::script::Script;
use crate::bill::{Lines, Movement, movements};
use crate::report::{Amount, BillLine};
use contract_interface::{TransferRecord, kinds};
use host_storage::Snapshot;
use runtime_execution::modules::balances::TOTAL_ISSUANCE;
use runtime_execution::modules::system::ACCOUNT;
use runtime_primitives::{AccountId, Energy, EntityId, Money};
use runtime_state::Overlay;
use std::collections::BTreeMap;

/// All movements of a chain.
pub(super) struct Book {
    movements: Vec<Movement>,
    opening: BTreeMap<AccountId, Money>,
}

/// What the bills come to.
pub(super) struct Prepared {
    /// Whether every household pays at most the retailer's bill and its own deviation charges.
    pub bounded: bool,
    /// What all households got (+) or paid (−) on the market's slots.
    pub total: Amount,
    /// What each is better off than with the retailer alone.
    pub saved: Vec<Saved>,
}

/// What a household is better off than with the retailer alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Which.
    pub entity: EntityId,
    /// Its name in the community.
    pub name: String,
    /// How much.
    pub amount: Amount,
}

/// All money of the chain.
pub(super) fn issuance(state: &Overlay) -> Money {
    TOTAL_ISSUANCE.get(state).unwrap_or_default()
}

impl Book {
    /// Read the ledger.
    pub(super) fn read(snapshot: &Snapshot, state: &Overlay, script: &Script) -> Result<Self, PlayError> {
        let genesis = Cast::genesis_config(script);
        let opening = genesis.entities.iter().map(|entity| (entity.owner, entity.balance)).collect();
        let movements = movements(snapshot, state)?.collect::<Result<_, _>>()?;
        Ok(Self { movements, opening })
    }

    /// The payments of the market, without fees for its steps.
    pub(super) fn market_records(&self) -> impl Iterator<Item = &TransferRecord> {
        self.movements
            .iter()
            .map(|movement| &movement.record)
            .filter(|record| record.slot.is_some() && record.kind != kinds::STEP_FEE)
    }

    /// Whether every account is where its lines lead.
    pub(super) fn equals_accounts(&self, state: &Overlay) -> bool {
        let mut balances: BTreeMap<AccountId, i128> = BTreeMap::new();
        let signed = |money: Money| i128::try_from(money.units()).unwrap_or(i128::MAX);
        for (account, money) in &self.opening {
            *balances.entry(*account).or_default() += signed(*money);
        }
        for Movement { record, .. } in &self.movements {
            *balances.entry(record.payer).or_default() -= signed(record.amount);
            *balances.entry(record.payee).or_default() += signed(record.amount);
        }
        ACCOUNT.entries(state).iter().all(|(account, info)| {
            let has = signed(info.data.free.saturating_add(info.data.reserved));
            has == balances.get(account).copied().unwrap_or_default()
        })
    }

    /// Two lines a movement: the payer's and the payee's, where they are entities.
    pub(super) fn lines(
        &self,
        snapshot: &Snapshot,
        state: &Overlay,
        names: &BTreeMap<AccountId, String>,
    ) -> Result<Vec<BillLine>, PlayError> {
        let name = |account: &AccountId| names.get(account).cloned().unwrap_or_else(|| account.to_string());
        let entities: BTreeMap<_, _> =
            Cast::owners(state).into_iter().map(|(id, owner)| (owner, id)).collect();
        let (mut maker, mut lines) = (Lines::new(snapshot, state, &name), Vec::new());
        for movement in &self.movements {
            for account in [movement.record.payer, movement.record.payee] {
                if let Some(entity) = entities.get(&account) {
                    lines.extend(maker.line_of(movement, &account, *entity)?);
                }
            }
        }
        lines.sort_by_key(|line| line.entity);
        Ok(lines)
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
        let (name, amount) =
            (names.get(&owner).cloned().unwrap_or_default(), Amount::from_units(got - alone));
        saved.push(Saved { entity, name, amount });
    }
    Prepared { bounded, total: Amount::from_units(total), saved }
}
