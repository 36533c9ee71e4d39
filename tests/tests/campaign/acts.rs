//! What people, meters and voters do in a random slot. Every choice is the case's own chance; most are sensible.

use crate::case::{Act, Playing};
use busbar_tests::world::{MARKET, entities};
use contract_interface::{Claim, Fee, OrderRequest, Reading, ReadingStatus, Side, Stage, flags};
use host_node::keys::Signer;
use parity_scale_codec::Compact;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::markets::adjustments::{Adjustment, Grounds};
use runtime_execution::modules::markets::rules::DESCRIPTORS;
use runtime_execution::modules::markets::standing::{Mask, STANDING, Template, Within};
use runtime_execution::modules::markets::{
    self, Agreed, SLOTS, SlotRecord, SlotState, TRADES, confirm, lists,
};
use runtime_execution::modules::registry::{self, Caps, scopes};
use runtime_execution::modules::{attestation, balances};
use runtime_primitives::{Energy, EntityId, Hash, Money, Price, Seq, Slot};
use std::sync::Arc;

impl Playing {
    /// Do something of this kind in a slot; queued for the next block.
    pub fn act(&mut self, act: Act, slot: Slot) {
        match act {
            Act::Order => self.order(slot),
            Act::Cancel => self.cancel(slot),
            Act::Amend => self.amend(slot),
            Act::Reveal => self.reveal(slot),
            Act::Answer => self.answer(slot),
            Act::Attest => self.attest(slot),
            Act::Curtail => self.curtail(slot),
            Act::Read => self.read(slot),
            Act::Correct => self.correct(slot),
            Act::List => self.list(slot),
            Act::Vote => self.vote(slot),
            Act::Money => self.money(),
            Act::Standing => self.standing(slot),
            Act::Keys => self.keys(),
            Act::Adjust => self.adjust(slot),
        }
    }

    fn record(&self, slot: Slot) -> Option<SlotRecord> {
        SLOTS.get(&self.world.chain.view(), &(MARKET, slot))
    }

    fn someone(&mut self) -> usize {
        self.random.below(u32::try_from(self.world.homes.len()).unwrap()) as usize
    }

    /// A wish within the market's bounds, or now and then outside them.
    fn wish(&mut self, home: usize, slot: Slot) -> OrderRequest {
        let (limits, rates) = (self.world.terms.limits, self.world.terms.rates);
        // Most households keep to the side of their number.
        let own = if home.is_multiple_of(2) { Side::Sell } else { Side::Buy };
        let side = if self.random.once_in(10) { self.random.either(Side::Buy, Side::Sell) } else { own };
        let tick = limits.tick_size.ticks();
        let (low, high) = (limits.price_min.ticks().div_ceil(tick), limits.price_max.ticks() / tick);
        let span = high.saturating_sub(low) + 1;
        let mut step = self.random.below(span);
        if self.random.once_in(2) {
            // Eager ones, so that books cross.
            step = if side == Side::Buy { step.max(span - 1 - span / 4) } else { step.min(span / 4) };
        }
        let mut price = (low + step) * tick;
        if self.random.once_in(25) {
            price = self.random.either(rates.feed_in.ticks(), rates.retail.ticks() + 1);
        }
        let wh: u64 = [1, 300, 4_000, 12_000][self.random.below(4) as usize];
        let wh = 1 + self.random.bits() % wh;
        let request = self.world.request(home, slot, side, wh, price);
        let auto = self.random.either(0, flags::AUTO_CONFIRM);
        let mut liked = if self.random.once_in(4) { u8::try_from(self.random.below(4)).unwrap() } else { 0 };
        let partner = self.someone();
        let mut least = if self.random.once_in(8) { wh.div_ceil(self.random.either(1, 2)) } else { 0 };
        // Most know what the market's rule knows.
        let rule = DESCRIPTORS.get(&self.world.chain.view(), &self.world.terms.matching);
        if let Some(rule) = rule.filter(|_| !self.random.once_in(20)) {
            liked &= rule.flags_supported;
            least *= u64::from(rule.min_energy);
        }
        OrderRequest {
            flags: auto | liked,
            partner: self.world.homes[partner].entity,
            min_energy: Energy::from_wh(least),
            ..request
        }
    }

    fn order(&mut self, slot: Slot) {
        for _ in 0..3 + self.random.below(7) {
            let home = self.someone();
            let request = self.wish(home, slot);
            // Now and then the wrong way for the market.
            if self.world.terms.is_sealed() != self.random.once_in(30) {
                self.commit(home, request);
                continue;
            }
            let delegate = Arc::clone(&self.world.homes[home].delegate);
            self.world.chain.submit(&delegate, markets::Call::Place { request });
        }
    }

    /// A commitment takes the next place; alone in its block, so that the place is known.
    fn commit(&mut self, home: usize, request: OrderRequest) {
        self.world.chain.block();
        let Some(record) = self.record(request.slot) else { return };
        let commit = self.world.commitment(home, &request);
        let delegate = Arc::clone(&self.world.homes[home].delegate);
        self.world.chain.submit(&delegate, markets::Call::Commit { commit });
        self.world.chain.block();
        self.sealed.push((home, request.slot, record.next_seq, request));
    }

    /// Most reveal what they sealed, a few something else, some nothing.
    fn reveal(&mut self, slot: Slot) {
        let own: Vec<_> = self.sealed.iter().filter(|(_, of, ..)| *of == slot).cloned().collect();
        for (home, _, seq, request) in own {
            match self.random.below(8) {
                0 | 1 => {}
                2 => {
                    let other = self.wish(home, slot);
                    self.world.reveal(home, seq, &other);
                }
                _ => self.world.reveal(home, seq, &request),
            }
        }
    }

    /// An order of the slot with its owner's household; now and then another household.
    fn own_order(&mut self, slot: Slot) -> Option<(usize, Seq)> {
        let placed = self.record(slot)?.next_seq.number();
        let seq = Seq::from_number(self.random.below(placed + 1));
        let entry = markets::BOOK.get(&self.world.chain.view(), (MARKET, slot), seq.number());
        let stranger = self.someone();
        let owner = entry.map(|entry| entry.order.entity);
        let home = self.world.homes.iter().position(|home| Some(home.entity) == owner);
        let home = home.filter(|_| !self.random.once_in(8)).unwrap_or(stranger);
        Some((home, seq))
    }

    fn cancel(&mut self, slot: Slot) {
        let Some((home, seq)) = self.own_order(slot) else { return };
        let delegate = Arc::clone(&self.world.homes[home].delegate);
        self.world.chain.submit(&delegate, markets::Call::Cancel { market: MARKET, slot, seq });
    }

    fn amend(&mut self, slot: Slot) {
        let Some((home, seq)) = self.own_order(slot) else { return };
        let request = self.wish(home, slot);
        let delegate = Arc::clone(&self.world.homes[home].delegate);
        self.world.chain.submit(&delegate, markets::Call::Amend { seq, request });
    }

    /// Parties that have not answered confirm, refuse or wait.
    fn answer(&mut self, slot: Slot) {
        let Some(record) = self.record(slot).filter(|record| record.state == SlotState::Proposed) else {
            return;
        };
        let pending: Vec<(EntityId, u32)> = {
            let view = self.world.chain.view();
            let at = (MARKET, slot);
            let entries = (0u32..).zip(TRADES.load(&view, at, record.trades));
            let parties = entries.flat_map(|(index, entry)| {
                let (buy, sell) = confirm::orders_of(&view, at, &entry);
                [(entry.buyer, buy.order.entity, index), (entry.seller, sell.order.entity, index)]
            });
            let waiting = parties.filter(|(agreed, ..)| *agreed == Agreed::Pending);
            waiting.map(|(_, entity, index)| (entity, index)).collect()
        };
        for (entity, trade) in pending {
            let home = self.world.homes.iter().position(|home| home.entity == entity).unwrap();
            match self.random.below(20) {
                0 => {
                    let delegate = Arc::clone(&self.world.homes[home].delegate);
                    self.world.chain.submit(&delegate, markets::Call::Refuse { market: MARKET, slot, trade });
                }
                1..=3 => {}
                _ => self.world.confirm(home, slot, trade),
            }
        }
    }

    fn attest(&mut self, slot: Slot) {
        if self.record(slot).is_none_or(|record| record.state != SlotState::Confirmed) {
            return;
        }
        for number in entities::VALIDATOR..entities::AUDITOR {
            let own = self.world.claim(slot, Stage::Authentication);
            let claim = match self.random.below(12) {
                0 => Claim { result_hash: Hash([1; 32]), ..own },
                1 => continue,
                _ => own,
            };
            let vote = self.world.vote(EntityId::from_number(number), claim);
            self.world.chain.submit_bare(vote);
        }
    }

    fn curtail(&mut self, slot: Slot) {
        if !self.random.once_in(4) {
            return;
        }
        let home = self.someone();
        let cap = Energy::from_wh(u64::from(self.random.below(12_000)));
        let items = vec![(self.world.homes[home].meter, cap)];
        let grid = Arc::clone(&self.world.owners[entities::GRID as usize]);
        self.world.chain.submit(&grid, markets::Call::Curtail { market: MARKET, slot, items, reason: 1 });
    }

    /// Wh of a household's trades in the slot.
    fn agreed(&self, home: usize, slot: Slot) -> u64 {
        let (view, at) = (self.world.chain.view(), (MARKET, slot));
        let trades = self.record(slot).map_or(0, |record| record.trades);
        let meter = self.world.homes[home].meter;
        let own = TRADES.load(&view, at, trades).into_iter().filter(|entry| {
            let (buy, sell) = confirm::orders_of(&view, at, entry);
            [buy.order.meter, sell.order.meter].contains(&meter)
        });
        own.map(|entry| entry.trade.energy.wh()).sum()
    }

    /// Meters count; most post. What they moved is near what was agreed, or anything.
    fn read(&mut self, slot: Slot) {
        let capacity = self.world.terms.capacity(busbar_tests::world::P_MAX_W).wh();
        let mut batch = Vec::new();
        for home in 0..self.world.homes.len() {
            if self.random.once_in(3) {
                continue;
            }
            let most = [0, 300, 4_000, capacity][self.random.below(4) as usize];
            let any = self.random.bits() % (most + 1);
            let main = if self.random.once_in(2) { any } else { self.agreed(home, slot) + any % 20 };
            let side = self.random.bits() % 200;
            let (import, export) = if home.is_multiple_of(2) { (side, main) } else { (main, side) };
            let before = self.world.homes[home].registers;
            self.world.homes[home].registers = (before.0 + import, before.1 + export);
            let reading = self.world.reading(home, slot, 0, ReadingStatus::Measured);
            let reading = if self.random.once_in(40) {
                Reading {
                    export_wh: reading.export_wh.saturating_add(Energy::from_wh(99 * capacity)),
                    ..reading
                }
            } else {
                reading
            };
            let call = self.world.sign_reading(home, reading);
            if self.random.once_in(15) {
                self.world.chain.submit_bare(call.clone());
            }
            match call {
                // A concentrator brings some of them in one piece.
                markets::Call::PostReading { reading, signature } if self.random.once_in(4) => {
                    batch.push((reading, signature));
                }
                call => _ = self.world.chain.submit_bare(call),
            }
        }
        if !batch.is_empty() {
            let key = Arc::clone(&self.world.owners[entities::METER_OPERATOR as usize]);
            self.world.chain.submit(&key, markets::Call::PostReadings { readings: batch });
        }
    }

    fn correct(&mut self, slot: Slot) {
        if self.random.once_in(2) {
            return;
        }
        let home = self.someone();
        if self.random.once_in(3) {
            let plain = self.world.reading(home, slot, 1, ReadingStatus::Substituted);
            let call = self.world.sign_substitute(plain);
            self.world.chain.submit_bare(call);
            return;
        }
        let revision = 1 + u16::try_from(self.random.below(3)).unwrap();
        let down = Energy::from_wh(self.random.bits() % 3_000);
        let reading = self.world.reading(home, slot, revision, ReadingStatus::Corrected);
        let reading = Reading {
            export_wh: reading.export_wh.saturating_sub(down),
            import_wh: reading.import_wh.saturating_add(down),
            ..reading
        };
        let call = self.world.sign_reading(home, reading);
        self.world.chain.submit_bare(call);
    }

    fn voting(&self, slot: Slot) -> bool {
        let state = self.record(slot).map(|record| record.state);
        matches!(state, Some(SlotState::Voting | SlotState::Disputed))
    }

    /// The platform posts, and now and then a household.
    fn list(&mut self, slot: Slot) {
        if !self.voting(slot) || self.random.once_in(6) {
            return;
        }
        let (list, revisions) = {
            let view = self.world.chain.view();
            lists::latest(&view, &markets::live(&view, (MARKET, slot)).unwrap())
        };
        let home = self.someone();
        let key = match self.random.once_in(4) {
            true => Arc::clone(&self.world.homes[home].delegate),
            false => Arc::clone(self.world.platform()),
        };
        let call = if self.random.once_in(3) {
            markets::Call::PostRevisions { market: MARKET, slot, list: list.hash(), revisions }
        } else {
            markets::Call::PostList { market: MARKET, slot, list }
        };
        self.world.chain.submit(&key, call);
    }

    /// Electors of the open round: most for the list that was posted last, some for another or for none.
    fn vote(&mut self, slot: Slot) {
        if !self.voting(slot) {
            return;
        }
        let view = self.world.chain.view();
        let lists = markets::lists::all(&view, (MARKET, slot));
        let own = self.world.claim(slot, Stage::Certification);
        let electors = attestation::electors(&view, (MARKET, slot), Stage::Certification, own.round);
        drop(view);
        let Some(last) = lists.last() else { return };
        for elector in electors {
            let result_hash = match self.random.below(10) {
                0 => Hash([1; 32]),
                1..=2 => lists[0].hash,
                3..=4 => continue,
                _ => last.hash,
            };
            let vote = self.world.vote(elector.entity, Claim { result_hash, ..own });
            self.world.chain.submit_bare(vote);
        }
    }

    /// The bank pays in; a household spends, withdraws, pays what it owes or asks for its deposit; the retailer spends; the
    /// operator tops up.
    fn money(&mut self) {
        let home = self.someone();
        let entity = self.world.homes[home].entity;
        let amount = Money::from_units(self.random.bits().into()).min(Money::from_units(50_000_000));
        let owner = Arc::clone(&self.world.homes[home].owner);
        match self.random.below(8) {
            0 => self.spend_all(&owner),
            1 | 2 => {
                let bank = Arc::clone(self.world.bank());
                self.world.chain.submit(&bank, markets::Call::Fund { entity, amount });
            }
            3 => {
                let platform = Arc::clone(self.world.platform());
                self.world.chain.submit(&platform, markets::Call::TopUp { market: MARKET, amount });
            }
            4 => {
                let bank = EntityId::from_number(entities::BANK);
                let amount = Money::from_units(u128::from(self.random.below(20_000_000)));
                self.world.chain.submit(&owner, markets::Call::Withdraw { bank, amount });
            }
            5 => _ = self.world.chain.submit(&owner, markets::Call::PayReceivables),
            // What the retailer has pre-funded it keeps.
            6 if self.random.once_in(4) => {
                let retailer = Arc::clone(&self.world.owners[entities::RETAILER as usize]);
                self.spend_all(&retailer);
            }
            6 => _ = self.world.chain.submit(&owner, markets::Call::ReleaseDeposit { market: MARKET }),
            _ => {}
        }
    }

    /// Everything free goes to the bank.
    fn spend_all(&mut self, owner: &Arc<Signer>) {
        let (free, _) = self.world.chain.money(&owner.account());
        let dest = MultiAddress::Id(self.world.bank().account());
        let call = balances::Call::TransferAllowDeath { dest, value: Compact(free.units()) };
        self.world.chain.submit(owner, call);
    }

    /// Somebody signs an order for some of the slots that open next; now and then one is removed, or tried to be.
    fn standing(&mut self, slot: Slot) {
        let home = self.someone();
        let delegate = Arc::clone(&self.world.homes[home].delegate);
        if self.random.once_in(4) {
            let all = STANDING.entries(&self.world.chain.view());
            let own = all.values().find(|standing| standing.entity == self.world.homes[home].entity);
            let id = own.map_or_else(|| self.random.below(8), |standing| standing.id);
            self.world.chain.submit(&delegate, markets::Call::RemoveStanding { market: MARKET, id });
            return;
        }
        let wish = self.wish(home, slot);
        let last = Slot::from_number(slot.number() + self.random.below(8));
        let mask = Mask { period: 3, bits: vec![u8::try_from(self.random.below(8)).unwrap()] };
        let rates = self.world.terms.rates;
        let mut within = Within {
            fee: Fee { buyer: Price::MAX, seller: Price::MAX },
            deviation: Price::MAX,
            tol_wh: Energy::ZERO,
            tol_bp: 0,
            other_rules: true,
        };
        // Some things must not get worse.
        match self.random.below(6) {
            0 => within.fee = rates.fee,
            1 => within.deviation = rates.deviation,
            2 => (within.tol_wh, within.tol_bp) = (rates.tol_wh, rates.tol_bp),
            3 => within.other_rules = false,
            _ => {}
        }
        let template = Template {
            market: MARKET,
            terms: wish.terms,
            accept_within: (!self.random.once_in(3)).then_some(within),
            first: slot,
            last,
            mask: self.random.once_in(4).then_some(mask),
            meter: wish.meter,
            side: wish.side,
            energy: wish.energy,
            min_energy: wish.min_energy,
            price: wish.price,
            flags: wish.flags,
            partner: wish.partner,
        };
        self.world.chain.submit(&delegate, markets::Call::SetStanding { template: Box::new(template) });
    }

    /// Somebody lets another vote, or nobody any longer; keys come and go.
    fn keys(&mut self) {
        let home = self.someone();
        let other = self.someone();
        let owner = Arc::clone(&self.world.homes[home].owner);
        let key = self.world.homes[home].delegate.account();
        let call = match self.random.below(12) {
            0 => registry::Call::SetVotingKey { key: None },
            1 | 2 => registry::Call::SetVotingKey { key: Some(key) },
            3 => registry::Call::SetProxy { proxy: None },
            4 => registry::Call::RemoveDelegate { key },
            5..=7 => {
                let cap = self.random.below(10_000);
                let caps = Caps {
                    held: self.random.either(None, Some(Money::from_units(1_000 * u128::from(cap)))),
                    energy: self.random.either(None, Some(Energy::from_wh(u64::from(cap)))),
                };
                // New caps for the key that it has, or a key again.
                self.world.chain.submit(&owner, registry::Call::RemoveDelegate { key });
                let scopes = scopes::BID | scopes::CONFIRM | scopes::VOTE;
                registry::Call::AddDelegate { key, scopes, expires: None, caps }
            }
            _ => registry::Call::SetProxy { proxy: Some(self.world.homes[other].entity) },
        };
        self.world.chain.submit(&owner, call);
    }

    /// The retailer or a household puts something right, about a trade or a meter of the slot or of none.
    fn adjust(&mut self, slot: Slot) {
        let payer = self.someone();
        let key = match self.random.either(true, false) {
            true => Arc::clone(&self.world.homes[payer].owner),
            false => Arc::clone(&self.world.owners[entities::RETAILER as usize]),
        };
        let items = (0..1 + self.random.below(3)).map(|_| {
            let payee = self.someone();
            Adjustment {
                payee: self.world.homes[payee].entity,
                amount: Money::from_units(u128::from(self.random.below(3_000_000))),
                trade: self.random.once_in(3).then(|| self.random.below(3)),
                meter: self.random.once_in(3).then_some(self.world.homes[payee].meter),
            }
        });
        let items = items.collect();
        let grounds = Grounds { evidence: Hash([2; 32]), reason: 1 };
        self.world.chain.submit(&key, markets::Call::Adjust { market: MARKET, slot, items, grounds });
    }
}
