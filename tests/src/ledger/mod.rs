//! An accountant with pen and paper: replays ordered blocks and says what everybody must have after each.
//!
//! It knows orders, consents, votes and readings, and when a slot moved; every amount it computes itself, from the
//! market's published formulas. It shares types with the chain, never a line of the market's code.

mod calls;
mod caps;
mod continuous;
mod deposits;
mod formulas;
mod mandates;
mod native;
mod quotas;
mod seals;
mod slots;

pub use native::native_rules;

use crate::artifacts;
use crate::chain::Past;
use crate::world::World;
use contract_interface::{Order, Terms, Trade, TransferRecord, kinds};
use mandates::Mandates;
use parity_scale_codec::Decode;
use quotas::Quotas;
use runtime_execution::archive::{ClearingRecord, SettleRecord, slot_key, tables};
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::markets::At;
use runtime_execution::modules::{markets, system};
use runtime_execution::{Event, GenesisConfig, Outcome, Phase};
use runtime_primitives::{AccountId, Hash, MarketId, Slot};
use slots::SlotBook;
use std::collections::{BTreeMap, BTreeSet};

/// A movement of money, or a line of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Market and slot, for payments of one.
    pub slot: Option<At>,
    /// Payer's account.
    pub payer: AccountId,
    /// Payee's account.
    pub payee: AccountId,
    /// Units.
    pub amount: u128,
    /// One of [`kinds`].
    pub kind: u8,
    /// The trade paid for.
    pub trade: Option<u32>,
    /// The meter billed.
    pub meter: Option<u32>,
}

impl From<&TransferRecord> for Line {
    fn from(record: &TransferRecord) -> Self {
        Self {
            slot: record.slot,
            payer: record.payer,
            payee: record.payee,
            amount: record.amount.units(),
            kind: record.kind,
            trade: record.trade,
            meter: record.meter.map(|meter| meter.number()),
        }
    }
}

/// Money of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purse {
    /// Spendable units.
    pub free: u128,
    /// Held units.
    pub held: u128,
}

#[derive(Clone, Debug)]
struct Member {
    owner: AccountId,
    roles: u16,
    voting_key: Option<AccountId>,
    proxy: Option<u32>,
}

#[derive(Clone, Debug)]
struct Meter {
    entity: u32,
    market: MarketId,
    p_max_w: u32,
    feeder: u32,
    /// Import and export that settled slots have used up.
    used: (u64, u64),
    /// Import and export as far as anybody knows, by readings and substitutes.
    known: (u64, u64),
    /// Its first slot, once that has opened.
    first: Option<Slot>,
    /// Whether it has said itself where it stood when its first slot began or later, as far as that is settled.
    is_sure: bool,
    /// The last slot that it has read itself.
    read_in: Option<Slot>,
}

impl Meter {
    /// A register only rises, unless the reading that raised it is the one that this reading replaces.
    fn learn(&mut self, shown: (u64, u64), replaced: Option<(u64, u64)>) {
        let next = |known: u64, shown: u64, replaced: Option<u64>| {
            if replaced == Some(known) { shown } else { known.max(shown) }
        };
        let import = next(self.known.0, shown.0, replaced.map(|replaced| replaced.0));
        let export = next(self.known.1, shown.1, replaced.map(|replaced| replaced.1));
        self.known = (import, export);
    }

    /// Where the registers stand: what is known, or what settled slots have used up if that is more.
    fn registers(&self) -> (u64, u64) {
        (self.known.0.max(self.used.0), self.known.1.max(self.used.1))
    }
}

#[derive(Clone, Debug)]
struct MarketBook {
    operator: u32,
    retailer: u32,
    grid: u32,
    meter_operator: u32,
    deposit: u128,
    schedule: BTreeMap<Slot, Terms>,
    /// Parties whose agreement the terms from a slot on lack; those from slots that have opened are all agreed.
    awaits: BTreeMap<Slot, BTreeSet<u32>>,
}

impl MarketBook {
    /// Retailer, grid operator and meter operator, as far as they are others than the operator.
    fn parties(&self) -> BTreeSet<u32> {
        [self.retailer, self.grid, self.meter_operator]
            .into_iter()
            .filter(|party| *party != self.operator)
            .collect()
    }

    fn is_agreed(&self, from: &Slot) -> bool {
        self.awaits.get(from).is_none_or(BTreeSet::is_empty)
    }

    /// The last terms for a slot that everybody has agreed to.
    fn governing(&self, slot: Slot) -> Option<&Terms> {
        let agreed = self.schedule.range(..=slot).rev().find(|(from, _)| self.is_agreed(from));
        agreed.map(|(_, terms)| terms)
    }

    /// New terms from a slot on. Who is bound otherwise than before agrees first: by rates, fees, windows, the settlement
    /// rule and whatever is no limit and no rule for orders.
    fn reschedule(&mut self, slot: Slot, new: &Terms) {
        if self.schedule.keys().any(|from| self.is_agreed(from)) {
            assert!(
                !self.schedule.contains_key(&slot) || !self.is_agreed(&slot) || self.binds_alike(slot, new)
            );
        } else {
            self.schedule.clear();
            self.awaits.clear();
        }
        let awaits = if self.binds_alike(slot, new) { BTreeSet::new() } else { self.parties() };
        self.awaits.insert(slot, awaits);
        self.schedule.insert(slot, new.clone());
    }

    fn binds_alike(&self, slot: Slot, new: &Terms) -> bool {
        let bound = |terms: &Terms| Terms {
            limits: new.limits,
            bid: Hash::ZERO,
            matching: Hash::ZERO,
            fallback: Hash::ZERO,
            ..terms.clone()
        };
        self.governing(slot).is_some_and(|agreed| bound(agreed) == bound(new))
    }
}

/// A matching rule, as the accountant would run it.
pub type Matching = fn(&Terms, At, &[Order]) -> Vec<Trade>;

/// The accountant's book.
#[derive(Clone)]
pub struct Ledger {
    /// Everybody's money.
    pub purses: BTreeMap<AccountId, Purse>,
    /// Every line so far, market steps' fees apart.
    pub lines: Vec<Line>,
    /// What entities owe, oldest first: creditor and units.
    pub owed: BTreeMap<u32, Vec<(AccountId, u128)>>,
    /// Wh settled by entity, in each billing period that is not refunded yet.
    traded: BTreeMap<(MarketId, u32), BTreeMap<u32, u128>>,
    /// Refunds of pools that are under way, by the slot that ended the period: how many entities have had their turn,
    /// and what each is to get.
    refunds: BTreeMap<At, (u32, Vec<(u32, u128)>)>,
    /// Units held for connections.
    pub reserves: BTreeMap<deposits::Reserve, u128>,
    /// Slots by market and number.
    pub slots: BTreeMap<At, SlotBook>,
    /// Matching rules with a continuous book: all of them clear by price and time.
    pub continuous: BTreeSet<Hash>,
    rules: BTreeMap<Hash, Matching>,
    members: Vec<Member>,
    keys: BTreeMap<AccountId, u32>,
    meters: Vec<Meter>,
    mandates: Mandates,
    validators: BTreeSet<u32>,
    markets: Vec<MarketBook>,
    quotas: Quotas,
    /// Entities that were paid for cancelled trades and have not paid what they owe out of it.
    compensated: BTreeSet<(At, u32)>,
}

impl Ledger {
    /// Open the books at genesis. `rules` are the matching rules that may clear, by code hash.
    pub fn new(genesis: &GenesisConfig, rules: BTreeMap<Hash, Matching>) -> Self {
        let mut book = Self {
            purses: BTreeMap::new(),
            lines: Vec::new(),
            owed: BTreeMap::new(),
            traded: BTreeMap::new(),
            refunds: BTreeMap::new(),
            reserves: BTreeMap::new(),
            slots: BTreeMap::new(),
            continuous: [artifacts::hash(artifacts::CONTINUOUS)].into(),
            rules,
            members: Vec::new(),
            keys: BTreeMap::new(),
            meters: Vec::new(),
            mandates: Mandates::default(),
            validators: BTreeSet::new(),
            markets: Vec::new(),
            quotas: Quotas::new(genesis.weight),
            compensated: BTreeSet::new(),
        };
        for entity in &genesis.entities {
            let number = book.admit(entity.owner, entity.roles);
            book.members[number as usize].voting_key = entity.voting_key;
            book.purse(entity.owner).free += entity.balance.units();
            if entity.session_key.is_some() {
                book.validators.insert(number);
            }
        }
        book
    }

    /// Replay a world's blocks and compare with the chain after each.
    ///
    /// # Panics
    /// If anything differs.
    pub fn audit(world: &World, rules: BTreeMap<Hash, Matching>) -> Self {
        let mut book = Self::new(&world.genesis, rules);
        book.replay(world);
        book
    }

    /// Replay a world's blocks on books that were just opened.
    ///
    /// # Panics
    /// As [`Self::audit`].
    pub fn replay(&mut self, world: &World) {
        for past in &world.chain.past {
            self.block(past);
        }
        for (at, book) in &self.slots {
            for (index, _) in (0u32..).zip(&book.trades) {
                let fate = book.fates.get(&index).copied();
                assert_eq!(world.outcome(*at, index), fate, "trade {index} of slot {at:?}");
            }
        }
        self.check_reserves(world);
    }

    /// Enter one block and compare.
    ///
    /// # Panics
    /// If the chain's money, movements or stage leaves differ from the book's.
    pub fn block(&mut self, past: &Past) {
        let height = past.header.number;
        let before = self.lines.len();
        let calls = included_calls(past);
        self.step_fees(past);
        let mut weighed = None;
        for slot in self.refunds.keys().copied().collect::<Vec<_>>() {
            self.refund_some(slot);
        }
        for record in &past.events {
            if let Phase::ApplyExtrinsic(index) = record.phase
                && weighed.replace(index) != Some(index)
            {
                self.weigh(&calls[&index], past.ordered.timestamp);
            }
            match (&record.event, record.phase) {
                (Event::System(system::Event::ExtrinsicSuccess { .. }), Phase::ApplyExtrinsic(index)) => {
                    self.credit_compensated();
                    self.enter(&calls[&index]);
                }
                (Event::Markets(event), _) => self.market_event(event, past),
                _ => {}
            }
        }
        self.credit_compensated();
        assert_eq!(self.lines[before..], movements(past), "movements of block {height}");
        for (who, purse) in &self.purses {
            let chain = past.accounts.get(who).copied().unwrap_or_default();
            assert_eq!((purse.free, purse.held), chain, "money of {who} after block {height}");
        }
        let strangers =
            past.accounts.iter().filter(|(who, money)| !self.purses.contains_key(who) && **money != (0, 0));
        assert_eq!(strangers.count(), 0, "money of strangers after block {height}");
    }

    fn market_event(&mut self, event: &markets::Event, past: &Past) {
        if let markets::Event::TradeCancelled { market, slot, trade, .. } = event {
            return self.cancel_trade((*market, *slot), *trade);
        }
        self.credit_compensated();
        match event {
            markets::Event::SlotMoved { market, slot, state } => self.moved((*market, *slot), *state, past),
            markets::Event::StandingPlaced { market, slot, id, .. } => {
                self.place_standing((*market, *slot), *id);
            }
            markets::Event::StandingRemoved { market, id, .. } => self.mandates.remove(market.number(), *id),
            markets::Event::SlotVoid { market, slot, reason } => self.void((*market, *slot), *reason),
            markets::Event::Cleared { market, slot, code, .. } => self.clear((*market, *slot), code),
            markets::Event::ReadingPosted { market, slot, meter, revision } => {
                self.read((*market, *slot), meter.number(), *revision, past);
            }
            markets::Event::PrefundingShort { market, slot, needed, held } => {
                let own = self.reserves.get(&(*market, None)).copied().unwrap_or_default();
                let book = &self.slots[&(*market, *slot)];
                let terms = if book.is_settled { self.terms_to_come(*market) } else { book.terms.clone() };
                let lacks = needed.units() - held.units();
                assert_eq!(
                    (own, self.missing(&terms, (*market, None))),
                    (held.units(), lacks),
                    "pre-funding"
                );
            }
            _ => {}
        }
    }

    fn purse(&mut self, who: AccountId) -> &mut Purse {
        self.purses.entry(who).or_default()
    }

    fn owner(&self, entity: u32) -> AccountId {
        self.members[entity as usize].owner
    }

    fn market(&self, slot: At) -> &MarketBook {
        &self.markets[slot.0.number() as usize]
    }

    /// Write a line and move its money: `from_held` units from what the payer has held, the rest from free.
    fn pay(&mut self, line: Line, from_held: u128) {
        let payer = self.purse(line.payer);
        payer.held -= from_held;
        payer.free -= line.amount - from_held;
        self.purse(line.payee).free += line.amount;
        self.lines.push(line);
    }

    /// Fees of market steps: what a step cost is the machine's affair; who pays whom, and at which rate, is not.
    fn step_fees(&mut self, past: &Past) {
        let mut steps: Vec<(Vec<u8>, u64)> = Vec::new();
        for row in &past.archive {
            let mut bytes = &row.value[..];
            let gas = match row.table {
                tables::CLEARING => ClearingRecord::decode(&mut bytes).expect("a clearing").gas,
                tables::SETTLE => SettleRecord::decode(&mut bytes).expect("a settlement").gas,
                _ => continue,
            };
            steps.push((row.key.clone(), gas.units()));
        }
        let fees: Vec<TransferRecord> =
            all_movements(past).into_iter().filter(|record| record.kind == kinds::STEP_FEE).collect();
        let payee = AccountId::of_module(b"bb/fees", 0);
        for fee in &fees {
            let slot = fee.slot.expect("a step is of a slot");
            let payer = self.owner(self.market(slot).operator);
            assert_eq!((fee.payer, fee.payee), (payer, payee), "the operator pays for steps");
            let amount = fee.amount.units();
            self.markets[slot.0.number() as usize].deposit -= amount;
            self.purse(payer).held -= amount;
            self.purse(payee).free += amount;
        }
        for (key, gas) in steps {
            let number = (0u32..).zip(&self.markets).find(|(number, _)| {
                key.starts_with(&slot_key((MarketId::from_number(*number), Slot::ZERO))[..size_of::<u32>()])
            });
            let (number, market) = number.expect("a step of a market");
            let due = self.quotas.price(gas);
            let charged = fees.iter().any(|fee| {
                fee.slot.is_some_and(|slot| slot.0.number() == number) && fee.amount.units() == due
            });
            // What was delivered is settled even if the operator cannot pay for it.
            assert!(charged || market.deposit < due, "a step of {gas} gas costs {due}");
        }
    }
}

/// The extrinsics of the runtime block by index, whether they succeeded or not.
fn included_calls(past: &Past) -> BTreeMap<u32, UncheckedExtrinsic> {
    let both = past.receipts.iter().zip(&past.ordered.extrinsics);
    both.filter_map(|(receipt, bytes)| match receipt.outcome {
        Outcome::Applied { index } | Outcome::Failed { index, .. } => {
            Some((index, UncheckedExtrinsic::from_bytes(bytes).expect("it was included")))
        }
        _ => None,
    })
    .collect()
}

fn all_movements(past: &Past) -> Vec<TransferRecord> {
    let rows = past.archive.iter().filter(|row| row.table == tables::LEDGER);
    rows.map(|row| TransferRecord::decode(&mut &row.value[..]).expect("a ledger row")).collect()
}

fn movements(past: &Past) -> Vec<Line> {
    let all = all_movements(past);
    all.iter().filter(|record| record.kind != kinds::STEP_FEE).map(Line::from).collect()
}
