//! Where a story plays: the world, who is called what, and which slot the sentences are about.
//!
//! A refusal stands until the next sentence: either that is `refused: …`, or the story fails.

use super::words::{Anchor, INSTITUTIONS, Value};
use super::{Cast, understand};
use crate::chain::AnyCall;
use crate::world::{FIRST, Plan, World, entities};
use contract_interface::{OrderRequest, Terms};
use host_node::keys::Signer;
use runtime_execution::Outcome;
use runtime_execution::modules::markets::{self, At, SLOTS};
use runtime_primitives::{AccountId, EntityId, Hash, MarketId, Slot, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

/// The gaps of a sentence, filled.
pub struct Gaps<'line>(pub &'line [Value]);

macro_rules! gap {
    ($($name:ident $variant:ident $type:ty),*) => {$(
        /// The value in this gap.
        pub fn $name(&self, index: usize) -> $type {
            match &self.0[index] {
                Value::$variant(value) => value.clone(),
                other => unreachable!("the sentence has another gap there: {other:?}"),
            }
        }
    )*};
}

impl Gaps<'_> {
    gap!(name Name String, energy Energy u64, price Price u32, money Money u128, number Number u32, word Word String, text Text String);

    /// The moment in this gap.
    pub fn moment(&self, index: usize) -> (Anchor, i64) {
        match self.0[index] {
            Value::Moment(anchor, seconds) => (anchor, seconds),
            ref other => unreachable!("the sentence has another gap there: {other:?}"),
        }
    }
}

/// A payment as expectations name it: payer, payee, kind.
pub type Payment = (AccountId, AccountId, u8);

/// The stage.
pub struct Stage {
    /// The world.
    pub world: World,
    /// The slot that sentences are about.
    pub slot: Slot,
    /// Names of households, in the world's order.
    pub names: Vec<String>,
    /// Plans by market.
    pub plans: Vec<Plan>,
    /// Terms by market, as created.
    terms: Vec<Terms>,
    /// Terms that were published or offered last, and their market.
    pub offered: Option<(MarketId, Hash)>,
    /// The last sentence's refusal: its name and all of it.
    pub refused: Option<(String, String)>,
    /// Payments that an expectation has named.
    pub named: BTreeMap<Option<At>, BTreeSet<Payment>>,
    /// Money that accounts had at `remember`: free and held together.
    pub remembered: BTreeMap<AccountId, u128>,
    /// Execution lists by name.
    pub lists: BTreeMap<String, Hash>,
    /// Registers of a household where a slot began.
    pub starts: BTreeMap<(usize, Slot), (u64, u64)>,
    /// What was sealed, by slot and place in the book.
    pub sealed: BTreeMap<(At, u32), (usize, OrderRequest)>,
    /// The last reading that a household's meter posted, as it was sent.
    pub readings: BTreeMap<usize, markets::Call>,
}

impl Stage {
    pub(super) fn new(markets: &[Cast]) -> Self {
        let mut world = World::at_genesis(&markets[0].plan);
        let mut terms = Vec::new();
        for cast in markets {
            world.add_market(&cast.plan);
            terms.push(world.terms.clone());
        }
        let mut stage = Self {
            world,
            slot: FIRST,
            names: markets.iter().flat_map(|cast| cast.households.clone()).collect(),
            plans: markets.iter().map(|cast| cast.plan.clone()).collect(),
            terms,
            offered: None,
            refused: None,
            named: BTreeMap::new(),
            remembered: BTreeMap::new(),
            lists: BTreeMap::new(),
            starts: BTreeMap::new(),
            sealed: BTreeMap::new(),
            readings: BTreeMap::new(),
        };
        stage.focus(0).expect("the first market is there");
        stage
    }

    /// Play a line.
    pub(super) fn line(&mut self, line: &str) -> Result<(), String> {
        let (sentence, values) = understand(line, &self.names)?;
        if !sentence.text.starts_with("refused:") {
            self.end()?;
        }
        (sentence.run)(self, &values)
    }

    /// Nothing is left unsaid.
    pub(super) fn end(&self) -> Result<(), String> {
        match &self.refused {
            Some((name, whole)) => Err(format!(
                "the sentence before was refused: {whole}; if that is meant, say `refused: {name}`"
            )),
            None => Ok(()),
        }
    }

    /// There is another market.
    pub fn add(&mut self, plan: Plan) {
        self.terms.push(plan.terms());
        self.plans.push(plan);
    }

    /// Be about another market.
    pub fn focus(&mut self, index: usize) -> Result<(), String> {
        self.world.terms = self.terms.get(index).ok_or("there is no such market")?.clone();
        self.world.market = MarketId::from_number(u32::try_from(index).expect("few markets"));
        Ok(())
    }

    /// The market and slot that sentences are about.
    pub fn at(&self) -> At {
        (self.world.market, self.slot)
    }

    /// The plan of the market in focus.
    pub fn plan(&mut self) -> &mut Plan {
        &mut self.plans[self.world.market.number() as usize]
    }

    /// The terms of a slot: pinned if it has opened.
    pub fn terms_of(&self, slot: Slot) -> Terms {
        let view = self.world.chain.view();
        let record = SLOTS.get(&view, &(self.world.market, slot));
        record.map_or_else(|| self.world.terms.clone(), |record| markets::terms(&view, &record.terms))
    }

    /// A moment of the slot in focus.
    pub fn moment(&self, (anchor, seconds): (Anchor, i64)) -> Timestamp {
        let terms = self.terms_of(self.slot);
        let start = terms.delivery_start(self.slot);
        let before = |seconds: u32| start.minus_ms(u64::from(seconds) * 1_000);
        let base = match anchor {
            Anchor::Opening => before(terms.windows.open_before_s),
            Anchor::Gate => before(terms.windows.gate_before_s),
            Anchor::Delivery => start,
            Anchor::End => terms.delivery_end(self.slot),
        };
        let distance = seconds.unsigned_abs() * 1_000;
        if seconds < 0 { base.minus_ms(distance) } else { base.plus_ms(distance) }
    }

    /// The place of a household.
    pub fn home(&self, name: &str) -> usize {
        self.names.iter().position(|known| known == name).expect("the sentence names a household")
    }

    /// The entity of an institution; the pool and the fees are none.
    fn institution(name: &str) -> Option<u32> {
        let place = INSTITUTIONS.iter().position(|known| *known == name)?;
        let number = u32::try_from(place).expect("few institutions");
        (number <= entities::AUDITOR).then_some(number)
    }

    /// The entity of a name.
    pub fn entity(&self, name: &str) -> Result<EntityId, String> {
        match Self::institution(name) {
            Some(number) => Ok(EntityId::from_number(number)),
            None if INSTITUTIONS.contains(&name) => Err(format!("the {name} is an account, not an entity")),
            None => Ok(self.world.homes[self.home(name)].entity),
        }
    }

    /// The owner key of a name.
    pub fn owner(&self, name: &str) -> Result<Arc<Signer>, String> {
        match Self::institution(name) {
            Some(number) => Ok(Arc::clone(&self.world.owners[number as usize])),
            None if INSTITUTIONS.contains(&name) => Err(format!("nobody signs for the {name}")),
            None => Ok(Arc::clone(&self.world.homes[self.home(name)].owner)),
        }
    }

    /// The account of a name.
    pub fn account(&self, name: &str) -> AccountId {
        match name {
            "pool" => markets::money::pool_account(self.world.market),
            "fees" => markets::money::fee_account(),
            _ => self.owner(name).expect("an entity has an owner").account(),
        }
    }

    /// What an account is called.
    pub fn called(&self, account: AccountId) -> String {
        let everybody = self.names.iter().map(String::as_str).chain(INSTITUTIONS);
        let found = everybody.into_iter().find(|name| self.account(name) == account);
        found.map_or_else(|| account.to_string(), String::from)
    }

    /// A signed call, alone in a block.
    pub fn submit(&mut self, signer: &Signer, call: impl Into<AnyCall>) {
        let hash = self.world.chain.submit(signer, call);
        self.block_with(&hash);
    }

    /// A bare call, alone in a block.
    pub fn submit_bare(&mut self, call: impl Into<AnyCall>) {
        let hash = self.world.chain.submit_bare(call);
        self.block_with(&hash);
    }

    fn block_with(&mut self, extrinsic: &Hash) {
        self.world.chain.block();
        self.refused = match self.world.chain.outcome(extrinsic) {
            Outcome::Applied { .. } => None,
            Outcome::Failed { error, .. } => Some(refusal(error)),
            Outcome::Skipped { reason } => Some(refusal(reason)),
        };
    }
}

/// The name of an error, and all of it. A module's error is named without the module.
fn refusal(error: &impl Debug) -> (String, String) {
    let whole = format!("{error:?}");
    (variant(&whole).into(), whole)
}

/// The innermost name of something as it is printed for debugging: `InsufficientFunds` of `Markets(InsufficientFunds { … })`.
pub fn variant(printed: &str) -> &str {
    const MODULES: [&str; 9] = [
        "System",
        "Timestamp",
        "Balances",
        "Sudo",
        "Registry",
        "Contracts",
        "Markets",
        "Attestation",
        "Module",
    ];
    let end = printed.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(printed.len());
    let (name, rest) = printed.split_at(end);
    match rest.strip_prefix('(') {
        Some(inner) if MODULES.contains(&name) => variant(inner),
        _ => name,
    }
}
