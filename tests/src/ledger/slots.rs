//! A slot in the accountant's book: what each of its moments does to money.

use super::calls::{agrees_in_advance, majority, trade_order};
use super::formulas::{self, price};
use super::{At, Ledger, Line};
use crate::chain::Past;
use contract_interface::{
    NetPosition, Order, Reading, ReadingStatus, Stage, Terms, Trade, TransferRecord, kinds, roles,
};
use parity_scale_codec::Decode;
use runtime_execution::archive::{SettleRecord, SignedReading, reading_key, slot_key, stage_key, tables};
use runtime_execution::leaves;
use runtime_execution::modules::markets::{
    FailedParty, Failure, FailureReason, SlotState, TradeOutcome, VoidReason,
};
use runtime_primitives::{AccountId, Energy, Hash, MeterId, merkle_root};
use std::collections::{BTreeMap, BTreeSet};

/// A trade with its answers.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The trade.
    pub trade: Trade,
    /// The buyer's answer.
    pub buyer: Option<bool>,
    /// The seller's answer.
    pub seller: Option<bool>,
}

impl Entry {
    fn stands(&self) -> bool {
        (self.buyer, self.seller) == (Some(true), Some(true))
    }
}

/// Wh that meters moved in a slot: import and export.
type Moved = BTreeMap<u32, (u64, u64)>;

/// A list: its hash, who posted it, and the reading of each meter.
pub type PostedList = (Hash, u32, Vec<(u32, Hash)>);

/// A slot.
#[derive(Clone)]
pub struct SlotBook {
    /// Its market and number.
    pub at: At,
    /// Its terms.
    pub terms: Terms,
    /// Place of the next order.
    pub next_seq: u32,
    /// Orders that are not cancelled.
    pub orders: BTreeMap<u32, Order>,
    /// Sealed orders by place: entity, meter and deposit.
    pub sealed: BTreeMap<u32, (u32, u32, u128)>,
    /// Units held, by entity.
    pub held: BTreeMap<u32, u128>,
    /// Trades in clearing order.
    pub trades: Vec<Entry>,
    /// Whether it has been paid.
    pub is_settled: bool,
    /// Why its trades are void, if they are.
    pub void: Option<VoidReason>,
    /// What became of trades, by number, once that is decided.
    pub fates: BTreeMap<u32, TradeOutcome>,
    /// Validators' votes of stage 3.
    pub certificate: BTreeMap<u32, Hash>,
    /// Votes of stage 5 by round.
    pub votes: BTreeMap<u8, BTreeMap<u32, Hash>>,
    /// Lists, in order.
    pub lists: Vec<PostedList>,
    /// Whether it takes orders.
    pub is_open: bool,
    /// What meters may move, by caps from before the gate.
    pub caps: BTreeMap<u32, u64>,
    /// The least that meters were allowed to move after the gate.
    pub curtailed: BTreeMap<u32, u64>,
    /// Readings by hash, with their order.
    pub readings: BTreeMap<Hash, Reading>,
    /// Latest reading of each meter.
    pub latest: BTreeMap<u32, Hash>,
    /// Lines of its settlement, as due: with shortfalls, more than was paid.
    pub due: Vec<Line>,
    /// Wh settled of each trade that stands.
    pub settled: Vec<u64>,
    /// Of a continuous book.
    pub queue: super::continuous::Queue,
    meters: Vec<u32>,
    voters: Vec<u32>,
    round: Option<u8>,
    chosen: Option<Hash>,
}

impl Ledger {
    /// The slot moved: do what its new state does to money.
    pub(super) fn moved(&mut self, slot: At, state: SlotState, past: &Past) {
        if state != SlotState::Open {
            self.book(slot).is_open = false;
        }
        match state {
            SlotState::Open => self.open(slot),
            SlotState::Confirmed => self.close_consents(slot),
            SlotState::Certified => assert!(self.is_certified(slot), "slot {slot:?} has its certificate"),
            SlotState::Void => self.release_all(slot),
            SlotState::Voting => {
                let book = self.book(slot);
                book.round = Some(book.round.map_or(0, |round| round + 1));
            }
            SlotState::Disputed => self.book(slot).round = Some(2),
            SlotState::Payable => self.choose(slot),
            SlotState::Settled => self.settle(slot, past),
            SlotState::Clearing => {
                // The time to reveal is over.
                for seq in self.slots[&slot].sealed.clone().into_keys() {
                    self.forfeit(slot, seq);
                }
            }
            SlotState::Proposed if self.is_continuous(slot) => self.close_book(slot),
            SlotState::Revealing | SlotState::Proposed | SlotState::Delivering | SlotState::Metering => {}
        }
    }

    pub(super) fn book(&mut self, slot: At) -> &mut SlotBook {
        self.slots.get_mut(&slot).expect("the slot has opened")
    }

    fn open(&mut self, slot: At) {
        let terms = self.market(slot).governing(slot.1).expect("somebody's terms are agreed").clone();
        let by_proxy = |proxy: u32| self.members[proxy as usize].voting_key.is_some();
        let votes =
            |member: &super::Member| member.voting_key.is_some() || member.proxy.is_some_and(by_proxy);
        let voters = (0u32..).zip(&self.members).filter(|(_, member)| votes(member));
        let joined = (0u32..).zip(&self.meters).filter(|(_, meter)| meter.market == slot.0);
        let meters: Vec<u32> = joined.map(|(number, _)| number).collect();
        for meter in &meters {
            self.meters[*meter as usize].first.get_or_insert(slot.1);
        }
        let book = SlotBook {
            at: slot,
            terms,
            next_seq: 0,
            orders: BTreeMap::new(),
            sealed: BTreeMap::new(),
            held: BTreeMap::new(),
            trades: Vec::new(),
            void: None,
            fates: BTreeMap::new(),
            certificate: BTreeMap::new(),
            votes: BTreeMap::new(),
            lists: Vec::new(),
            is_open: true,
            caps: BTreeMap::new(),
            curtailed: BTreeMap::new(),
            readings: BTreeMap::new(),
            is_settled: false,
            latest: BTreeMap::new(),
            due: Vec::new(),
            settled: Vec::new(),
            queue: super::continuous::Queue::default(),
            meters,
            voters: voters.map(|(number, _)| number).collect(),
            round: None,
            chosen: None,
        };
        let terms = book.terms.clone();
        self.slots.insert(slot, book);
        self.fill(&terms, (slot.0, None));
    }

    /// Held becomes free.
    pub(super) fn release(&mut self, slot: At, entity: u32, amount: u128) {
        if amount == 0 {
            return;
        }
        *self.book(slot).held.get_mut(&entity).expect("a holder") -= amount;
        let owner = self.owner(entity);
        let purse = self.purse(owner);
        purse.held -= amount;
        purse.free += amount;
    }

    fn release_all(&mut self, slot: At) {
        for (entity, amount) in self.book(slot).held.clone() {
            self.release(slot, entity, amount);
        }
    }

    pub(super) fn hold_of(&self, slot: At, seq: u32, energy: u64) -> u128 {
        let book = &self.slots[&slot];
        let order = &book.orders[&seq];
        let ticks = formulas::hold_price(&book.terms, order.side, order.price.ticks());
        u128::from(ticks) * u128::from(energy)
    }

    /// Run the rule that cleared on the book, and release what did not trade.
    pub(super) fn clear(&mut self, slot: At, code: &Hash) {
        if self.is_continuous(slot) {
            return self.clear_batch(slot);
        }
        let rule = *self.rules.get(code).unwrap_or_else(|| panic!("no native rule {code}"));
        let book = self.book(slot);
        let orders: Vec<Order> = book.orders.values().copied().collect();
        // A clearing takes the first 64 orders with a minimum fill.
        let minimums = orders.iter().filter(|order| order.min_energy.wh() > 0);
        let late: BTreeSet<u32> = minimums.skip(64).map(|order| order.seq.number()).collect();
        let taken = orders.iter().filter(|order| !late.contains(&order.seq.number()));
        let trades = rule(&book.terms, slot, &taken.copied().collect::<Vec<_>>());
        let mut filled: BTreeMap<u32, u64> = BTreeMap::new();
        for trade in &trades {
            *filled.entry(trade.buy.number()).or_default() += trade.energy.wh();
            *filled.entry(trade.sell.number()).or_default() += trade.energy.wh();
            let (bid, ask) = (book.orders[&trade.buy.number()], book.orders[&trade.sell.number()]);
            assert!(ask.price <= trade.sell_price && trade.buy_price <= bid.price, "within signed limits");
        }
        let agreed = |seq: runtime_primitives::Seq| agrees_in_advance(&book.orders[&seq.number()]);
        book.trades = trades
            .iter()
            .map(|trade| Entry { trade: *trade, buyer: agreed(trade.buy), seller: agreed(trade.sell) })
            .collect();
        for order in orders {
            let seq = order.seq.number();
            let rest = order.energy.wh() - filled.get(&seq).copied().unwrap_or_default();
            self.release(slot, order.entity.number(), self.hold_of(slot, seq, rest));
        }
    }

    /// A trade without both consents ends: whoever alone failed pays the other δ for each kWh.
    pub(super) fn cancel_trade(&mut self, slot: At, index: u32) {
        let entry = self.book(slot).trades[index as usize];
        assert!(!entry.stands(), "trade {index} of slot {slot:?} is confirmed");
        let energy = entry.trade.energy.wh();
        let parties = [entry.trade.buy.number(), entry.trade.sell.number()];
        let entities = parties.map(|seq| self.slots[&slot].orders[&seq].entity.number());
        let mut holds = parties.map(|seq| self.hold_of(slot, seq, energy));
        let (buyer, seller) = (entry.buyer == Some(true), entry.seller == Some(true));
        let failure = Failure { reason: FailureReason::NotConfirmed, party: blamed(!seller, !buyer) };
        let before = self.book(slot).fates.insert(index, TradeOutcome::Cancelled(failure));
        assert_eq!(before, None, "trade {index} of slot {slot:?} ends once");
        let failed = match (buyer, seller) {
            (false, true) => Some((0, 1)),
            (true, false) => Some((1, 0)),
            _ => None,
        };
        let amount = price(self.slots[&slot].terms.rates.deviation.ticks(), energy);
        if let Some((failed, other)) = failed.filter(|_| amount > 0) {
            let (payer, payee) = (self.owner(entities[failed]), self.owner(entities[other]));
            let (kind, trade, meter) = (kinds::REFUSAL, Some(index), None);
            self.pay(Line { slot: Some(slot), payer, payee, amount, kind, trade, meter }, amount);
            *self.book(slot).held.get_mut(&entities[failed]).expect("a holder") -= amount;
            holds[failed] -= amount;
            self.compensated.insert((slot, entities[other]));
        }
        for side in 0..2 {
            self.release(slot, entities[side], holds[side]);
        }
    }

    /// Whoever was compensated pays what it owes, once the holds of all trades cancelled with its own have ended.
    pub(super) fn credit_compensated(&mut self) {
        for (slot, entity) in std::mem::take(&mut self.compensated) {
            self.credited(slot, entity);
        }
    }

    /// Every trade is confirmed or cancelled.
    fn close_consents(&mut self, slot: At) {
        let book = &self.slots[&slot];
        for (index, entry) in (0u32..).zip(&book.trades) {
            let ended = book.fates.contains_key(&index);
            assert_ne!(ended, entry.stands(), "trade {index} of slot {slot:?}");
        }
    }

    fn standing(&self, slot: At) -> Vec<(u32, Trade)> {
        let book = &self.slots[&slot];
        let entries = (0u32..).zip(&book.trades);
        let standing = entries.filter(|(_, entry)| book.void.is_none() && entry.stands());
        standing.map(|(index, entry)| (index, entry.trade)).collect()
    }

    /// Whether the validators signed the root of the trades that stand.
    fn is_certified(&self, slot: At) -> bool {
        let book = &self.slots[&slot];
        let leaves = self.standing(slot).into_iter().map(|(index, _)| trade_order(book, index));
        majority(&book.certificate, self.validators.len()) == Some(merkle_root(leaves))
    }

    /// What was not cancelled before is so now, on nobody's side.
    pub(super) fn void(&mut self, slot: At, reason: VoidReason) {
        let book = self.book(slot);
        book.void = Some(reason);
        let failure = Failure { reason: FailureReason::Void(reason), party: None };
        for (index, _) in (0u32..).zip(&book.trades) {
            book.fates.entry(index).or_insert(TradeOutcome::Cancelled(failure));
        }
    }

    /// A reading came in: from a meter, or by rule where none did.
    pub(super) fn read(&mut self, slot: At, meter: u32, revision: u16, past: &Past) {
        let key = reading_key(slot, MeterId::from_number(meter), revision);
        let row = past.archive.iter().find(|row| row.table == tables::READING && row.key == key);
        let signed = SignedReading::decode(&mut &row.expect("it is archived").value[..]).expect("a reading");
        let reading = signed.reading;
        let shown = (reading.import_wh.wh(), reading.export_wh.wh());
        let is_own = reading.status != ReadingStatus::Substituted;
        let known = &mut self.meters[meter as usize];
        if known.first.is_some_and(|first| first.number() == slot.1.number() + 1) {
            // Where it stood when its first slot began.
            (known.used, known.known, known.is_sure) = (shown, shown, is_own);
            return;
        }
        if self.keys.get(&signed.key) == Some(&self.market(slot).meter_operator) {
            assert_eq!(reading.status, ReadingStatus::Substituted, "a meter operator signs substitutes only");
        } else if reading.status == ReadingStatus::Substituted {
            let bought: u64 = {
                let orders = &self.slots[&slot].orders;
                let own = |trade: &Trade| orders[&trade.buy.number()].meter.number() == meter;
                self.standing(slot).iter().filter(|(_, t)| own(t)).map(|(_, t)| t.energy.wh()).sum()
            };
            let assumed = self.meters[meter as usize].registers();
            assert_eq!(
                shown,
                (assumed.0 + bought, assumed.1),
                "a substitute takes what was bought, gives nothing"
            );
        }
        let book = self.book(slot);
        let replaced = book.latest.get(&meter).map(|hash| {
            let replaced = &book.readings[hash];
            (replaced.import_wh.wh(), replaced.export_wh.wh())
        });
        book.readings.insert(reading.hash(), reading);
        book.latest.insert(meter, reading.hash());
        let known = &mut self.meters[meter as usize];
        let is_last = known.read_in.is_none_or(|last| last <= slot.1);
        known.learn(shown, replaced.filter(|_| is_last));
        if is_own {
            known.read_in = known.read_in.max(Some(slot.1));
        }
    }

    /// Entities that vote in stage 5: operators and those that trade, whose vote somebody could cast when the slot opened.
    fn electors(&self, slot: At) -> usize {
        let book = &self.slots[&slot];
        let trading: BTreeSet<u32> = self
            .standing(slot)
            .iter()
            .flat_map(|(_, trade)| [trade.buy, trade.sell])
            .map(|seq| book.orders[&seq.number()].entity.number())
            .collect();
        let votes = |entity: &&u32| {
            let member = &self.members[**entity as usize];
            member.roles & roles::OPERATORS != 0 || trading.contains(*entity)
        };
        book.voters.iter().filter(votes).count()
    }

    /// Which list counts.
    fn choose(&mut self, slot: At) {
        let book = &self.slots[&slot];
        let round = book.round.expect("there was a vote");
        let electors = if round == 2 { self.validators.len() } else { self.electors(slot) };
        let winner = book.votes.get(&round).and_then(|votes| majority(votes, electors));
        let winner = winner.filter(|list| book.lists.iter().any(|(hash, ..)| hash == list));
        let operator = self.market(slot).operator;
        let of_platform = book.lists.iter().rev().find(|(_, poster, _)| *poster == operator);
        let chosen = match (winner, of_platform) {
            (Some(list), _) => Some(list),
            (None, _) if round != 2 => panic!("slot {slot:?} is payable without a majority"),
            (None, Some((list, ..))) => Some(*list),
            (None, None) => None,
        };
        self.book(slot).chosen = chosen;
    }

    /// Wh of each meter of the slot: import and export beyond what earlier slots used up.
    fn energies(&mut self, slot: At) -> Moved {
        let book = &self.slots[&slot];
        let by_list = book.lists.iter().find(|(hash, ..)| Some(*hash) == book.chosen);
        let readings: BTreeMap<u32, Hash> = match by_list {
            Some((.., entries)) => entries.iter().copied().collect(),
            None => book.latest.clone(),
        };
        let mut moved = BTreeMap::new();
        for number in &book.meters {
            let reading = &book.readings[&readings[number]];
            let shown = (reading.import_wh.wh(), reading.export_wh.wh());
            let meter = &mut self.meters[*number as usize];
            if !meter.is_sure {
                // More than the connection can have moved since then is from before its first slot.
                let since = slot.1.number() - meter.first.expect("it settles").number() + 1;
                let most = book.terms.capacity(meter.p_max_w).wh() * u64::from(since);
                let least = (shown.0.saturating_sub(most), shown.1.saturating_sub(most));
                meter.used = (meter.used.0.max(least.0), meter.used.1.max(least.1));
                meter.is_sure = reading.status != ReadingStatus::Substituted;
            }
            moved.insert(
                *number,
                (shown.0.saturating_sub(meter.used.0), shown.1.saturating_sub(meter.used.1)),
            );
            meter.used = (meter.used.0.max(shown.0), meter.used.1.max(shown.1));
        }
        moved
    }

    fn settle(&mut self, slot: At, past: &Past) {
        let moved = self.energies(slot);
        let due = self.due(slot, &moved);
        let paid_before = self.lines.len();
        for line in &due {
            self.pay_or_owe(slot, *line);
        }
        self.check_bills(slot, &due, &moved);
        let paid = self.lines[paid_before..].to_vec();
        self.check_leaves(slot, &paid, past);
        self.book(slot).due = due;
        self.book(slot).is_settled = true;
        self.release_all(slot);
        let parties: Vec<u32> = self.positions(slot, &paid).into_keys().collect();
        for entity in parties {
            self.credited(slot, entity);
        }
        let terms = self.terms_to_come(slot.0);
        self.fill(&terms, (slot.0, None));
        self.refund(slot, &paid);
    }

    /// What the slot's parties settled counts for the pool of the billing period; with its last slot the pool is shared
    /// out by that, the odd units to the largest remainders.
    fn refund(&mut self, slot: At, paid: &[Line]) {
        let length = self.slots[&slot].terms.billing_slots;
        let number = slot.1.number();
        let period = (slot.0, number / length);
        for (entity, (bought, sold, ..)) in self.positions(slot, paid) {
            *self.traded.entry(period).or_default().entry(entity).or_default() += u128::from(bought + sold);
        }
        if !(number + 1).is_multiple_of(length) {
            return;
        }
        let traded = self.traded.remove(&period).unwrap_or_default();
        let total: u128 = traded.values().sum();
        let payer = AccountId::of_module(b"bb/pool", slot.0.number());
        let pool = self.purse(payer).free;
        if total == 0 {
            return;
        }
        let mut shares: Vec<(u32, u128, u128)> =
            traded.iter().map(|(entity, wh)| (*entity, pool * wh / total, pool * wh % total)).collect();
        let mut odd = pool - shares.iter().map(|(_, share, _)| share).sum::<u128>();
        shares.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
        for (_, share, _) in &mut shares {
            let more = odd.min(1);
            (*share, odd) = (*share + more, odd - more);
        }
        shares.sort_unstable_by_key(|(entity, ..)| *entity);
        shares.retain(|(_, share, _)| *share > 0);
        let shares = shares.into_iter().map(|(entity, share, _)| (entity, share)).collect();
        self.refunds.insert(slot, (0, shares));
        self.refund_some(slot);
    }

    /// A block refunds 256 entities, whether they get something or not.
    pub(super) fn refund_some(&mut self, slot: At) {
        let (turn, shares) = self.refunds.remove(&slot).expect("a refund under way");
        let until = turn + 256;
        let (now, later): (Vec<_>, Vec<_>) = shares.into_iter().partition(|(entity, _)| *entity < until);
        for (entity, amount) in now {
            let payer = AccountId::of_module(b"bb/pool", slot.0.number());
            let (kind, payee) = (kinds::POOL_REFUND, self.owner(entity));
            self.pay(Line { slot: Some(slot), payer, payee, amount, kind, trade: None, meter: None }, 0);
            self.credited(slot, entity);
        }
        if !later.is_empty() {
            self.refunds.insert(slot, (until, later));
        }
    }

    /// Every line of the slot: trades first, then what meters moved beside them; deviations with the trades.
    fn due(&mut self, slot: At, moved: &Moved) -> Vec<Line> {
        let trades = self.standing(slot);
        let book = &self.slots[&slot];
        let rates = book.terms.rates;
        let [retailer, grid] =
            [self.market(slot).retailer, self.market(slot).grid].map(|party| self.owner(party));
        let pool = AccountId::of_module(b"bb/pool", slot.0.number());
        let line = |kind, payer, payee, amount, trade, meter| Line {
            slot: Some(slot),
            payer,
            payee,
            amount,
            kind,
            trade,
            meter,
        };
        let mut left = moved.clone();
        let mut confirmed: Moved = moved.keys().map(|meter| (*meter, (0, 0))).collect();
        let (mut first, mut last, mut settled, mut turns) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (index, trade) in trades {
            let [bid, ask] = [trade.buy, trade.sell].map(|seq| book.orders[&seq.number()]);
            let (buys, sells) = (bid.meter.number(), ask.meter.number());
            let (given, taken) = (left[&sells].1, left[&buys].0);
            let energy = trade.energy.wh().min(given).min(taken);
            let short = |meter, has| (has < trade.energy.wh()).then_some(meter);
            turns.push((index, trade.energy.wh() == energy, energy, short(sells, given), short(buys, taken)));
            left.entry(sells).and_modify(|left| left.1 -= energy);
            left.entry(buys).and_modify(|left| left.0 -= energy);
            confirmed.entry(buys).and_modify(|sum| sum.0 += trade.energy.wh());
            confirmed.entry(sells).and_modify(|sum| sum.1 += trade.energy.wh());
            settled.push(energy);
            let [buyer, seller] = [bid, ask].map(|order| self.owner(order.entity.number()));
            let (high, low) = (trade.buy_price.ticks(), trade.sell_price.ticks());
            let of_trade =
                |kind, payer, payee, ticks| line(kind, payer, payee, price(ticks, energy), Some(index), None);
            first.push(of_trade(kinds::ENERGY, buyer, seller, low));
            first.push(of_trade(kinds::SURPLUS, buyer, pool, high - low));
            let [from, to] = [sells, buys].map(|meter| self.meters[meter as usize].feeder);
            let fee = formulas::fee(&book.terms, from, to);
            first.push(of_trade(kinds::FEE, buyer, grid, fee.buyer.ticks()));
            first.push(of_trade(kinds::FEE, seller, grid, fee.seller.ticks()));
        }
        let mut excused = BTreeSet::new();
        for (number, moved) in moved {
            let (owner, left, confirmed) =
                (self.meters[*number as usize].entity, left[number], confirmed[number]);
            let owner = self.owner(owner);
            let of_meter = |kind, payer, payee, amount| line(kind, payer, payee, amount, None, Some(*number));
            last.push(of_meter(kinds::FEED_IN, retailer, owner, price(rates.feed_in.ticks(), left.1)));
            last.push(of_meter(kinds::RETAIL, owner, retailer, price(rates.retail.ticks(), left.0)));
            let mut caps = [&book.caps, &book.curtailed].into_iter().filter_map(|caps| caps.get(number));
            if caps.any(|cap| confirmed.0 + confirmed.1 > *cap) {
                excused.insert(*number);
            } else {
                let sold = formulas::deviation(&rates, confirmed.1, moved.1);
                let bought = formulas::deviation(&rates, confirmed.0, moved.0);
                first.push(of_meter(kinds::DEVIATION, owner, retailer, sold));
                first.push(of_meter(kinds::DEVIATION, owner, retailer, bought));
            }
        }
        for (index, whole, energy, seller, buyer) in turns {
            let own_fault = |meter: Option<u32>| meter.is_some_and(|meter| !excused.contains(&meter));
            let reason = if own_fault(seller) || own_fault(buyer) {
                FailureReason::NotDelivered
            } else {
                FailureReason::Curtailed
            };
            let failure = Failure { reason, party: blamed(seller.is_some(), buyer.is_some()) };
            let fate = match (whole, energy) {
                (true, _) => TradeOutcome::Delivered,
                (false, 0) => TradeOutcome::Cancelled(failure),
                (false, wh) => TradeOutcome::Partial { settled: Energy::from_wh(wh), failure },
            };
            self.book(slot).fates.insert(index, fate);
        }
        self.book(slot).settled = settled;
        first.into_iter().chain(last).filter(|line| line.amount > 0).collect()
    }

    /// From what is held for the slot, then from free money, then from what is held for the connection; the rest is owed.
    /// Nobody owes itself.
    fn pay_or_owe(&mut self, slot: At, line: Line) {
        if line.payer == line.payee {
            return self.lines.push(line);
        }
        let entity = self.keys[&line.payer];
        let held = self.slots[&slot].held.get(&entity).copied().unwrap_or_default();
        let (reserve, backed) = self.backing(slot, &line);
        let unreserved = held + self.purse(line.payer).free;
        let amount = line.amount.min(unreserved + backed);
        let drawn = amount.saturating_sub(unreserved);
        if amount < line.amount {
            // A debtor owes a creditor one sum, as old as its oldest part.
            let owed = self.owed.entry(entity).or_default();
            match owed.iter_mut().find(|(creditor, _)| *creditor == line.payee) {
                Some((_, open)) => *open += line.amount - amount,
                None => owed.push((line.payee, line.amount - amount)),
            }
        }
        if amount > 0 {
            let from_held = held.min(amount);
            if from_held > 0 {
                *self.book(slot).held.get_mut(&entity).expect("a holder") -= from_held;
            }
            if drawn > 0 {
                *self.reserves.get_mut(&reserve).expect("it is not empty") -= drawn;
            }
            self.pay(Line { amount, ..line }, from_held + drawn);
        }
    }

    /// Nobody pays more than the retailer alone would have charged, own deviations aside.
    fn check_bills(&self, slot: At, due: &[Line], moved: &Moved) {
        let rates = &self.slots[&slot].terms.rates;
        let mut retail: BTreeMap<AccountId, i128> = BTreeMap::new();
        for (meter, (import, export)) in moved {
            let bill =
                signed(price(rates.retail.ticks(), *import)) - signed(price(rates.feed_in.ticks(), *export));
            *retail.entry(self.owner(self.meters[*meter as usize].entity)).or_default() += bill;
        }
        for (owner, most) in retail {
            let mut bill = 0;
            for line in due.iter().filter(|line| line.kind != kinds::DEVIATION) {
                bill += if line.payer == owner { signed(line.amount) } else { 0 };
                bill -= if line.payee == owner { signed(line.amount) } else { 0 };
            }
            assert!(
                bill <= most,
                "slot {slot:?}: {owner} pays {bill}, the retailer alone would charge {most}"
            );
        }
    }

    /// Stages 6 and 7 hold the book's net positions and lines, in its order.
    fn check_leaves(&self, slot: At, paid: &[Line], past: &Past) {
        let leaves = |stage| {
            let key = stage_key(slot, stage);
            let own = past
                .archive
                .iter()
                .filter(move |row| row.table == tables::STAGE && row.key.starts_with(&key));
            leaves::read(own).expect("rows of a stage")
        };
        let records: Vec<Line> = leaves(Stage::Settlement)
            .iter()
            .map(|leaf| Line::from(&TransferRecord::decode(&mut &leaf[..]).expect("a transfer")))
            .collect();
        assert_eq!(records, paid, "stage 7 of slot {slot:?}");
        let positions: BTreeMap<u32, (u64, u64, u128, u128)> = leaves(Stage::Clearing)
            .iter()
            .map(|leaf| NetPosition::decode(&mut &leaf[..]).expect("a position"))
            .map(|net| {
                let energy = (net.bought.wh(), net.sold.wh());
                (net.entity.number(), (energy.0, energy.1, net.received.units(), net.paid.units()))
            })
            .collect();
        assert_eq!(positions, self.positions(slot, paid), "stage 6 of slot {slot:?}");
        let row = past.archive.iter().find(|row| row.table == tables::SETTLE && row.key == slot_key(slot));
        let record =
            SettleRecord::decode(&mut &row.expect("it is archived").value[..]).expect("a settlement");
        let settled: Vec<u64> = record.report.settled.iter().map(|energy| energy.wh()).collect();
        assert_eq!(settled, self.slots[&slot].settled, "energies of slot {slot:?}");
    }

    /// Wh bought and sold, units received and paid, by entity.
    fn positions(&self, slot: At, paid: &[Line]) -> BTreeMap<u32, (u64, u64, u128, u128)> {
        let mut net: BTreeMap<u32, (u64, u64, u128, u128)> = BTreeMap::new();
        let book = &self.slots[&slot];
        for ((_, trade), settled) in self.standing(slot).iter().zip(&book.settled) {
            let [buyer, seller] =
                [trade.buy, trade.sell].map(|seq| book.orders[&seq.number()].entity.number());
            net.entry(buyer).or_default().0 += settled;
            net.entry(seller).or_default().1 += settled;
        }
        for line in paid {
            if let Some(payee) = self.keys.get(&line.payee) {
                net.entry(*payee).or_default().2 += line.amount;
            }
            net.entry(self.keys[&line.payer]).or_default().3 += line.amount;
        }
        net
    }
}

fn blamed(seller: bool, buyer: bool) -> Option<FailedParty> {
    [(seller && buyer, FailedParty::Both), (seller, FailedParty::Seller), (buyer, FailedParty::Buyer)]
        .into_iter()
        .find_map(|(is, party)| is.then_some(party))
}

fn signed(units: u128) -> i128 {
    i128::try_from(units).expect("far below the issuance")
}
