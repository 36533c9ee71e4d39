//! What the accountant writes down for each extrinsic that succeeded.

use super::slots::Entry;
use super::{At, Ledger, Line, MarketBook, Member, Meter, formulas};
use contract_interface::{OrderRequest, Side, Stage, flags, kinds};
use runtime_execution::Call;
use runtime_execution::extrinsic::{MultiAddress, UncheckedExtrinsic};
use runtime_execution::modules::markets::adjustments::Adjustment;
use runtime_execution::modules::{attestation, balances, markets, registry};
use runtime_primitives::{AccountId, Hash, Slot};
use std::collections::BTreeMap;

impl Ledger {
    pub(super) fn admit(&mut self, owner: AccountId, roles: u16) -> u32 {
        let number = u32::try_from(self.members.len()).expect("few members");
        self.members.push(Member { owner, roles, voting_key: None, proxy: None });
        self.keys.insert(owner, number);
        self.purse(owner);
        number
    }

    /// Enter an extrinsic.
    pub(super) fn enter(&mut self, extrinsic: &UncheckedExtrinsic) {
        let signer = extrinsic.envelope.map(|envelope| {
            let MultiAddress::Id(signer) = envelope.signer;
            signer
        });
        match (&extrinsic.call, signer) {
            (Call::Balances(call), Some(signer)) => self.transfer(call, signer),
            (Call::Registry(call), Some(signer)) => self.registry(call, signer),
            (Call::Markets(call), signer) => self.market_call(call, signer),
            (Call::Attestation(attestation::Call::Vote { voter, claim, .. }), None) => {
                let slot =
                    self.slots.get_mut(&(claim.market, claim.slot)).expect("votes are about open slots");
                let votes = match claim.stage {
                    Stage::Authentication => &mut slot.certificate,
                    _ => slot.votes.entry(claim.round).or_default(),
                };
                votes.insert(voter.number(), claim.result_hash);
            }
            (Call::System(_) | Call::Contracts(_) | Call::Timestamp(_), _) => {}
            (call, _) => panic!("the accountant has no entry for {call:?}"),
        }
    }

    fn transfer(&mut self, call: &balances::Call, payer: AccountId) {
        let (balances::Call::TransferAllowDeath { dest, value }
        | balances::Call::TransferKeepAlive { dest, value }) = call;
        let MultiAddress::Id(payee) = *dest;
        let line = Line {
            slot: None,
            payer,
            payee,
            amount: value.0,
            kind: kinds::BALANCE,
            trade: None,
            meter: None,
        };
        self.pay(line, 0);
    }

    fn registry(&mut self, call: &registry::Call, signer: AccountId) {
        match call {
            registry::Call::RegisterEntity { owner, roles } => _ = self.admit(*owner, *roles),
            registry::Call::AddDelegate { key, caps, .. } => {
                self.keys.insert(*key, self.keys[&signer]);
                self.mandates.limit(*key, *caps);
            }
            registry::Call::RemoveDelegate { key } => {
                self.keys.remove(key);
                let member = &mut self.members[self.keys[&signer] as usize];
                member.voting_key = member.voting_key.filter(|own| own != key);
            }
            registry::Call::SetVotingKey { key } => {
                self.members[self.keys[&signer] as usize].voting_key = *key;
            }
            registry::Call::SetProxy { proxy } => {
                self.members[self.keys[&signer] as usize].proxy = proxy.map(|proxy| proxy.number());
            }
            registry::Call::RegisterMeter {
                entity, market, p_max_w, feeder, import_wh, export_wh, ..
            } => {
                let used = (import_wh.wh(), export_wh.wh());
                let (entity, market, p_max_w) = (entity.number(), *market, *p_max_w);
                let feeder = feeder.number();
                self.meters.push(Meter {
                    entity,
                    market,
                    p_max_w,
                    feeder,
                    used,
                    known: used,
                    first: None,
                    is_sure: false,
                    read_in: None,
                });
                self.joined(market, entity);
            }
            registry::Call::SetSuspended { .. }
            | registry::Call::JoinValidators { .. }
            | registry::Call::LeaveValidators { .. }
            | registry::Call::RotateValidator { .. } => {}
        }
    }

    fn market_call(&mut self, call: &markets::Call, signer: Option<AccountId>) {
        let entity = signer.and_then(|key| self.keys.get(&key).copied());
        match call {
            markets::Call::Create { new } => {
                let operator = entity.expect("signed");
                let mut market = MarketBook {
                    operator,
                    retailer: new.retailer.number(),
                    grid: new.grid.number(),
                    meter_operator: new.meter_operator.number(),
                    deposit: new.deposit.units(),
                    schedule: BTreeMap::new(),
                    awaits: BTreeMap::new(),
                };
                market.reschedule(new.first_slot, &new.terms);
                self.markets.push(market);
                self.hold(self.owner(operator), new.deposit.units());
            }
            markets::Call::TopUp { market, amount } => {
                self.markets[market.number() as usize].deposit += amount.units();
                self.hold(self.owner(entity.expect("signed")), amount.units());
            }
            markets::Call::TakeBackDeposit { market } => {
                let book = &mut self.markets[market.number() as usize];
                assert!(book.governing(Slot::MAX).is_none(), "market {market} runs");
                let (operator, amount) = (book.operator, std::mem::take(&mut book.deposit));
                self.unhold(self.owner(operator), amount);
                self.collect(operator, 16);
            }
            markets::Call::WithdrawTerms { market, terms } => {
                let market = &mut self.markets[market.number() as usize];
                let waits = |from: &Slot| market.awaits.get(from).is_some_and(|awaits| !awaits.is_empty());
                let withdrawn =
                    market.schedule.iter().filter(|(from, known)| known.hash() == *terms && waits(from));
                let withdrawn: Vec<Slot> = withdrawn.map(|(from, _)| *from).collect();
                assert!(!withdrawn.is_empty(), "nothing of market {} waits", market.operator);
                for from in withdrawn {
                    market.schedule.remove(&from);
                    market.awaits.remove(&from);
                }
            }
            markets::Call::ScheduleTerms { market, slot, terms } => {
                let market = &mut self.markets[market.number() as usize];
                market.reschedule(*slot, terms);
            }
            markets::Call::Agree { market, terms } => {
                let market = &mut self.markets[market.number() as usize];
                for (from, _) in market.schedule.iter().filter(|(_, known)| known.hash() == *terms) {
                    market.awaits.entry(*from).or_default().remove(&entity.expect("signed"));
                }
            }
            markets::Call::Fund { entity, amount } => {
                self.fund(signer.expect("signed"), entity.number(), amount.units());
            }
            markets::Call::Withdraw { bank, amount } => {
                let (payer, payee) = (self.owner(entity.expect("signed")), self.owner(bank.number()));
                self.pay(plain(kinds::WITHDRAWAL, payer, payee, amount.units()), 0);
            }
            markets::Call::Adjust { market, slot, items, .. } => {
                self.adjust((*market, *slot), entity.expect("signed"), items);
            }
            markets::Call::ReleaseDeposit { market } => {
                self.release_deposit(*market, entity.expect("signed"));
            }
            markets::Call::PayReceivables => self.collect(entity.expect("signed"), 64),
            markets::Call::Commit { commit } => self.commit(entity.expect("signed"), commit),
            markets::Call::SetStanding { template } => {
                self.mandates.stand(entity.expect("signed"), signer.expect("signed"), template);
            }
            markets::Call::RemoveStanding { .. } => {}
            markets::Call::Reveal { seq, request, .. } => self.reveal(seq.number(), request),
            markets::Call::Place { request } => self.place(entity.expect("signed"), request),
            markets::Call::Cancel { market, slot, seq } => self.cancel((*market, *slot), seq.number()),
            markets::Call::Amend { seq, request } => {
                self.cancel((request.market, request.slot), seq.number());
                self.place(entity.expect("signed"), request);
            }
            markets::Call::Confirm { market, slot, items } => {
                for item in items {
                    self.answer((*market, *slot), item.trade, entity.expect("signed"), true);
                }
            }
            markets::Call::Refuse { market, slot, trade } => {
                self.answer((*market, *slot), *trade, entity.expect("signed"), false);
            }
            markets::Call::PostList { market, slot, list } => {
                let slot = self.slots.get_mut(&(*market, *slot)).expect("an open slot");
                let entries = list.0.iter().map(|entry| (entry.meter.number(), entry.reading)).collect();
                slot.lists.push((list.hash(), entity.expect("signed"), entries));
            }
            markets::Call::Curtail { market, slot, items, .. } => {
                for (meter, cap) in items {
                    self.curtail((*market, *slot), meter.number(), cap.wh());
                }
            }
            markets::Call::PostRevisions { market, slot, list, revisions } => {
                let slot = self.slots.get_mut(&(*market, *slot)).expect("an open slot");
                let named = slot.latest.keys().zip(revisions).map(|(meter, revision)| {
                    let is_named = |reading: &&contract_interface::Reading| {
                        reading.meter.number() == *meter && reading.revision == *revision
                    };
                    let reading = slot.readings.values().find(is_named).expect("the reading is posted");
                    (*meter, reading.hash())
                });
                let entries = named.collect();
                slot.lists.push((*list, entity.expect("signed"), entries));
            }
            markets::Call::PostReading { .. }
            | markets::Call::PostSubstitute { .. }
            | markets::Call::PostCorrection { .. }
            | markets::Call::PostReadings { .. }
            | markets::Call::Settle { .. } => {}
        }
        if let (Some(key), Some(entity)) = (signer, entity) {
            self.check_caps(key, entity, call);
        }
    }

    /// Free becomes held.
    pub(super) fn hold(&mut self, who: AccountId, amount: u128) {
        let purse = self.purse(who);
        purse.free -= amount;
        purse.held += amount;
    }

    /// Held becomes free.
    pub(super) fn unhold(&mut self, who: AccountId, amount: u128) {
        let purse = self.purse(who);
        purse.held -= amount;
        purse.free += amount;
    }

    fn fund(&mut self, bank: AccountId, entity: u32, amount: u128) {
        let payee = self.owner(entity);
        self.pay(plain(kinds::FUNDING, bank, payee, amount), 0);
        self.collect(entity, 64);
        self.restore(entity);
    }

    /// Who owes nothing pays again for a settled slot, out of free money alone.
    fn adjust(&mut self, slot: At, entity: u32, items: &[Adjustment]) {
        assert!(self.slots[&slot].is_settled, "slot {slot:?} is adjusted before it is settled");
        assert!(!self.owed.contains_key(&entity), "entity {entity} adjusts although it owes");
        let payer = self.owner(entity);
        for item in items {
            let (payee, amount) = (item.payee.number(), item.amount.units());
            let meter = item.meter.map(|meter| meter.number());
            let (kind, trade) = (kinds::ADJUSTMENT, item.trade);
            let line = Line { slot: Some(slot), payer, payee: self.owner(payee), amount, kind, trade, meter };
            self.pay(line, 0);
            self.collect(payee, 16);
        }
    }

    /// What an entity owes is paid from what it has free, oldest first, so many creditors.
    pub(super) fn collect(&mut self, entity: u32, creditors: usize) {
        let payer = self.owner(entity);
        let mut owed = self.owed.remove(&entity).unwrap_or_default();
        for (creditor, open) in owed.iter_mut().take(creditors) {
            let part = self.purse(payer).free.min(*open);
            if part == 0 {
                break;
            }
            self.pay(plain(kinds::RECEIVABLE, payer, *creditor, part), 0);
            *open -= part;
        }
        owed.retain(|(_, open)| *open > 0);
        if !owed.is_empty() {
            self.owed.insert(entity, owed);
        }
    }

    pub(super) fn place(&mut self, entity: u32, request: &OrderRequest) {
        let at = (request.market, request.slot);
        let slot = self.slots.get_mut(&at).expect("orders are for open slots");
        slot.next_seq += 1;
        let seq = slot.next_seq - 1;
        self.enter_order(entity, request, seq);
    }

    pub(super) fn enter_order(&mut self, entity: u32, request: &OrderRequest, seq: u32) {
        let at = (request.market, request.slot);
        let slot = self.slots.get_mut(&at).expect("orders are for open slots");
        let seq = runtime_primitives::Seq::from_number(seq);
        let order = request.clone().into_order(seq, runtime_primitives::EntityId::from_number(entity));
        let price = formulas::hold_price(&slot.terms, order.side, order.price.ticks());
        let hold = u128::from(price) * u128::from(order.energy.wh());
        slot.orders.insert(seq.number(), order);
        self.full_deposit(at, entity);
        if self.is_continuous(at) {
            self.queue_order(at, order);
        }
        let slot = self.book(at);
        *slot.held.entry(entity).or_default() += hold;
        let owner = self.owner(entity);
        self.hold(owner, hold);
    }

    pub(super) fn cancel(&mut self, slot: At, seq: u32) {
        if self.is_continuous(slot) {
            return self.queue_cancellation(slot, seq);
        }
        let book = self.slots.get_mut(&slot).expect("orders are in open slots");
        if let Some((entity, _, deposit)) = book.sealed.remove(&seq) {
            self.release(slot, entity, deposit);
            return;
        }
        let order = book.orders.remove(&seq).expect("the order is in the book");
        let price = formulas::hold_price(&book.terms, order.side, order.price.ticks());
        self.release(slot, order.entity.number(), u128::from(price) * u128::from(order.energy.wh()));
    }

    fn answer(&mut self, slot: At, trade: u32, entity: u32, agrees: bool) {
        let slot = self.slots.get_mut(&slot).expect("an open slot");
        let entry: &mut Entry = &mut slot.trades[trade as usize];
        let is_buyer = slot.orders[&entry.trade.buy.number()].entity.number() == entity;
        let side = if is_buyer { &mut entry.buyer } else { &mut entry.seller };
        *side = Some(agrees);
    }
}

/// A line that belongs to no slot.
const fn plain(kind: u8, payer: AccountId, payee: AccountId, amount: u128) -> Line {
    Line { slot: None, payer, payee, amount, kind, trade: None, meter: None }
}

/// Whether an order agrees in advance.
pub(super) fn agrees_in_advance(order: &contract_interface::Order) -> Option<bool> {
    (order.flags & flags::AUTO_CONFIRM != 0).then_some(true)
}

/// The hash of what both parties of a trade sign, and its bytes.
pub(super) fn trade_order(slot: &super::SlotBook, index: u32) -> Vec<u8> {
    use contract_interface::{Leg, TradeOrder};
    use parity_scale_codec::Encode;
    let trade = slot.trades[index as usize].trade;
    let leg = |seq: runtime_primitives::Seq, side: Side| {
        let order = slot.orders[&seq.number()];
        let price = if side == Side::Buy { trade.buy_price } else { trade.sell_price };
        Leg { seq, entity: order.entity, meter: order.meter, energy: trade.energy, price, slot: slot.at.1 }
    };
    let (inputs, outputs) = (vec![leg(trade.sell, Side::Sell)], vec![leg(trade.buy, Side::Buy)]);
    TradeOrder { version: 1, market: slot.at.0, trade: index, inputs, outputs }.encode()
}

/// A majority of 51 per cent among `electors`, if some result has it.
pub(super) fn majority(votes: &std::collections::BTreeMap<u32, Hash>, electors: usize) -> Option<Hash> {
    let mut results: Vec<Hash> = votes.values().copied().collect();
    results.sort_unstable();
    results.dedup();
    results.into_iter().find(|result| {
        let pass = votes.values().filter(|vote| *vote == result).count();
        100 * pass > 51 * electors
    })
}
