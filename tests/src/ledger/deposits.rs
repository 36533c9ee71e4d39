//! Supply deposits and the retailer's pre-funding in the accountant's book (MARKET section 3).

use super::{At, Ledger, Line};
use crate::world::World;
use contract_interface::{Terms, kinds};
use runtime_execution::modules::markets::{PREFUNDINGS, SUPPLY_DEPOSITS};
use runtime_primitives::{MarketId, Slot};
use std::collections::BTreeMap;

/// Whose money is held in which market: an entity's, or the retailer's.
pub type Reserve = (MarketId, Option<u32>);

impl Ledger {
    /// Units that `terms` ask for the connections of `whose`.
    fn needed(&self, terms: &Terms, (market, whose): Reserve) -> u128 {
        let theirs = |meter: &&super::Meter| {
            meter.market == market && whose.is_none_or(|entity| meter.entity == entity)
        };
        let watts: u128 = self.meters.iter().filter(theirs).map(|meter| u128::from(meter.p_max_w)).sum();
        let rate = if whose.is_some() { terms.rates.retail } else { terms.rates.feed_in };
        let sixty_times = u128::from(rate.ticks()) * watts * u128::from(terms.slot_minutes);
        sixty_times.div_ceil(60) * u128::from(terms.deposit_slots)
    }

    /// Units that are missing from a reserve.
    pub(super) fn missing(&self, terms: &Terms, reserve: Reserve) -> u128 {
        let held = self.reserves.get(&reserve).copied().unwrap_or_default();
        self.needed(terms, reserve).saturating_sub(held)
    }

    /// Hold what is missing, as far as there is money. Whether nothing is missing then.
    pub(super) fn fill(&mut self, terms: &Terms, reserve: Reserve) -> bool {
        if terms.deposit_slots == 0 {
            return true;
        }
        let (market, whose) = reserve;
        let owner = self.owner(whose.unwrap_or(self.markets[market.number() as usize].retailer));
        let missing = self.missing(terms, reserve);
        let debts: u128 = self.owed.get(&self.keys[&owner]).into_iter().flatten().map(|(_, open)| open).sum();
        let part = missing.min(self.purse(owner).free.saturating_sub(debts));
        self.hold(owner, part);
        *self.reserves.entry(reserve).or_default() += part;
        part == missing
    }

    /// The slot that opens next.
    fn to_come(&self, market: MarketId) -> Slot {
        let opened = self.slots.range((market, Slot::ZERO)..=(market, Slot::MAX)).next_back();
        let first = self.markets[market.number() as usize].schedule.keys().next();
        opened.map_or(*first.expect("a market has terms"), |((_, slot), _)| {
            Slot::from_number(slot.number() + 1)
        })
    }

    /// Its terms.
    pub(super) fn terms_to_come(&self, market: MarketId) -> Terms {
        let book = &self.markets[market.number() as usize];
        book.governing(self.to_come(market)).expect("somebody's terms are agreed").clone()
    }

    /// A meter joined: the retailer has funded it, its owner pays what it can.
    pub(super) fn joined(&mut self, market: MarketId, entity: u32) {
        let terms = self.terms_to_come(market);
        assert!(self.fill(&terms, (market, None)), "no meter joins that the retailer does not fund");
        self.fill(&terms, (market, Some(entity)));
    }

    /// The market credited an entity: debts come first, then its deposit there, by the terms to come.
    pub(super) fn credited(&mut self, slot: At, entity: u32) {
        self.collect(entity, 16);
        let terms = self.terms_to_come(slot.0);
        self.fill(&terms, (slot.0, Some(entity)));
    }

    /// A bank credited an entity, which has paid its debts: its deposits, in the four markets that it joined first.
    pub(super) fn restore(&mut self, entity: u32) {
        let mut markets: Vec<MarketId> = Vec::new();
        for meter in self.meters.iter().filter(|meter| meter.entity == entity) {
            if !markets.contains(&meter.market) {
                markets.push(meter.market);
            }
        }
        for market in markets.into_iter().take(4) {
            let terms = self.terms_to_come(market);
            self.fill(&terms, (market, Some(entity)));
        }
    }

    /// Who orders in a slot has its whole deposit in the market.
    pub(super) fn full_deposit(&mut self, slot: At, entity: u32) {
        let terms = self.slots[&slot].terms.clone();
        assert!(self.fill(&terms, (slot.0, Some(entity))), "no order without its whole deposit");
    }

    /// What stands behind a line of a settlement, and how much is in it.
    pub(super) fn backing(&self, slot: At, line: &Line) -> (Reserve, u128) {
        let payer = self.keys[&line.payer];
        let reserve = match line.kind {
            kinds::RETAIL | kinds::DEVIATION => (slot.0, Some(payer)),
            kinds::FEED_IN => (slot.0, None),
            _ => return ((slot.0, None), 0),
        };
        (reserve, self.reserves.get(&reserve).copied().unwrap_or_default())
    }

    /// What is held beyond the most that a slot to be settled or to come may ask for is free again.
    pub(super) fn release_deposit(&mut self, market: MarketId, entity: u32) {
        let slots = self.slots.range((market, Slot::ZERO)..=(market, Slot::MAX));
        let mut unsettled = slots.filter(|(_, book)| !book.is_settled).map(|((_, slot), _)| *slot);
        let from = unsettled.next().unwrap_or_else(|| self.to_come(market));
        let book = &self.markets[market.number() as usize];
        let later = book.schedule.range(from..).filter(|(from, _)| book.is_agreed(from));
        let terms = book.governing(from).into_iter().chain(later.map(|(_, terms)| terms));
        let terms: Vec<Terms> = terms.cloned().collect();
        let is_retailer = book.retailer == entity;
        for whose in [is_retailer.then_some(None), Some(Some(entity))].into_iter().flatten() {
            let needed = terms.iter().map(|terms| self.needed(terms, (market, whose))).max();
            let held = self.reserves.entry((market, whose)).or_default();
            let excess = held.saturating_sub(needed.unwrap_or_default());
            *held -= excess;
            let owner = self.owner(entity);
            self.unhold(owner, excess);
        }
        self.collect(entity, 64);
    }

    /// The chain's reserves are the book's.
    pub(super) fn check_reserves(&self, world: &World) {
        let view = world.chain.view();
        let supply = SUPPLY_DEPOSITS.entries(&view).into_iter();
        let supply = supply
            .map(|((market, _, entity), reserve)| ((market, Some(entity.number())), reserve.held.units()));
        let retailers = PREFUNDINGS.entries(&view).into_iter();
        let retailers = retailers.map(|(market, reserve)| ((market, None), reserve.held.units()));
        let chain: BTreeMap<Reserve, u128> = supply.chain(retailers).filter(|(_, held)| *held > 0).collect();
        let own: BTreeMap<Reserve, u128> = self
            .reserves
            .iter()
            .filter(|(_, held)| **held > 0)
            .map(|(reserve, held)| (*reserve, *held))
            .collect();
        assert_eq!(chain, own, "what is held for connections");
    }
}
