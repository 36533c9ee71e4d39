//! A slot's course: what people, meters and validators do at each of its moments, as extrinsics.
//!
//! Each step takes the world from one state of the slot to the next; a test may do something else instead.

use crate::world::{World, entities};
use contract_interface::{
    Claim, ExecutionEntry, ExecutionList, OrderRequest, Reading, ReadingStatus, Side, Stage, confirm_message,
    correction_message, reading_message, seal, vote_message,
};
use parity_scale_codec::{Decode, Encode};
use runtime_execution::archive::{Consent, SettleRecord, consent_key, slot_key, tables};
use runtime_execution::modules::markets::sealed::Commitment;
use runtime_execution::modules::markets::{
    self, Agreed, At, ConfirmItem, Outcomes, SLOTS, SlotRecord, SlotState, TRADES, TradeOutcome, confirm,
    lists,
};
use runtime_execution::modules::{attestation, registry};
use runtime_primitives::{Energy, EntityId, Hash, Price, Seq, Slot, Timestamp, blake2_256};
use std::convert::Infallible;

impl World {
    /// The slot's record.
    ///
    /// # Panics
    /// If it has not opened.
    pub fn slot(&self, slot: Slot) -> SlotRecord {
        SLOTS.get(&self.chain.view(), &(self.market, slot)).expect("the slot has opened")
    }

    /// What became of a trade, as everybody reads it from state and archive.
    ///
    /// # Panics
    /// If a row of the archive is damaged.
    pub fn outcome(&self, at: At, trade: u32) -> Option<TradeOutcome> {
        let row = |table, key: &[u8]| self.chain.archived(table).find(|row| row.key == key);
        let settlement = row(tables::SETTLE, &slot_key(at));
        let settlement =
            settlement.map(|row| SettleRecord::decode(&mut &row.value[..]).expect("a settlement"));
        let agreed = |side: Side| {
            let consent = row(tables::CONSENT, &consent_key(at, trade, side as u8));
            let consent = consent.map(|row| Consent::decode(&mut &row.value[..]).expect("a consent"));
            Ok::<_, Infallible>(consent.is_none_or(|consent| consent.is_yes()))
        };
        let Ok(outcome) = Outcomes::read(&self.chain.view(), at, settlement.as_ref()).of_trade(trade, agreed);
        outcome
    }

    /// Where the slot stands.
    ///
    /// # Panics
    /// If it has not opened.
    pub fn state(&self, slot: Slot) -> SlotState {
        self.slot(slot).state
    }

    /// `seconds` before delivery starts.
    pub fn before_start(&self, slot: Slot, seconds: u32) -> Timestamp {
        self.terms.delivery_start(slot).minus_ms(u64::from(seconds) * 1_000)
    }

    /// `seconds` after delivery ends.
    pub fn after_end(&self, slot: Slot, seconds: u32) -> Timestamp {
        self.terms.delivery_end(slot).plus_ms(u64::from(seconds) * 1_000)
    }

    /// Let time pass until the slot takes orders.
    pub fn open(&mut self, slot: Slot) {
        self.chain.pass_to(self.before_start(slot, self.terms.windows.open_before_s));
        self.expect(slot, SlotState::Open);
    }

    /// What a household signs to trade.
    pub fn request(&self, home: usize, slot: Slot, side: Side, wh: u64, ticks: u32) -> OrderRequest {
        OrderRequest {
            market: self.market,
            slot,
            terms: self.terms.hash(),
            meter: self.homes[home].meter,
            side,
            energy: Energy::from_wh(wh),
            min_energy: Energy::ZERO,
            price: Price::from_ticks(ticks),
            flags: 0,
            partner: EntityId::ZERO,
            valid_until: Timestamp::MAX,
        }
    }

    /// A household's delegate places an order, alone in a block.
    pub fn place(&mut self, home: usize, slot: Slot, side: Side, wh: u64, ticks: u32) -> Seq {
        let request = self.request(home, slot, side, wh, ticks);
        self.place_request(home, request)
    }

    /// A household's delegate sends a request, alone in a block.
    pub fn place_request(&mut self, home: usize, request: OrderRequest) -> Seq {
        let seq = self.slot(request.slot).next_seq;
        let delegate = self.homes[home].delegate.clone();
        self.chain.must(&delegate, markets::Call::Place { request });
        seq
    }

    /// What a household's delegate would salt a request with.
    pub fn salt(&self, home: usize, request: &OrderRequest) -> [u8; 32] {
        self.homes[home].delegate.salt(&request.encode())
    }

    /// A household's commitment to a request.
    pub fn commitment(&self, home: usize, request: &OrderRequest) -> Commitment {
        let salt = self.salt(home, request);
        Commitment {
            market: request.market,
            slot: request.slot,
            terms: request.terms,
            meter: request.meter,
            commitment: seal(&self.chain.genesis, request, &salt, self.homes[home].entity),
            valid_until: Timestamp::MAX,
        }
    }

    /// A household's delegate commits to a request, alone in a block.
    pub fn commit(&mut self, home: usize, request: &OrderRequest) -> Seq {
        let seq = self.slot(request.slot).next_seq;
        let commit = self.commitment(home, request);
        let delegate = self.homes[home].delegate.clone();
        self.chain.must(&delegate, markets::Call::Commit { commit });
        seq
    }

    /// A household's delegate reveals a request; queued.
    pub fn reveal(&mut self, home: usize, seq: Seq, request: &OrderRequest) {
        let (request, salt) = (request.clone(), self.salt(home, request));
        let delegate = self.homes[home].delegate.clone();
        self.chain.submit(&delegate, markets::Call::Reveal { seq, request, salt });
    }

    /// Let time pass until the gate has closed and the book is cleared.
    pub fn close_gate(&mut self, slot: Slot) {
        self.chain.pass_to(self.before_start(slot, self.terms.windows.gate_before_s));
    }

    /// The hash that parties of a trade sign.
    ///
    /// # Panics
    /// If there is no such trade.
    pub fn trade_hash(&self, slot: Slot, trade: u32) -> Hash {
        let (view, at) = (self.chain.view(), (self.market, slot));
        let entry = TRADES.get(&view, at, trade).expect("a trade of the slot");
        let (buy, sell) = confirm::orders_of(&view, at, &entry);
        confirm::trade_order(at, trade, &entry, &buy.order, &sell.order).hash()
    }

    /// A household's signature under a trade.
    pub fn confirm_item(&self, home: usize, slot: Slot, trade: u32) -> ConfirmItem {
        let order_hash = self.trade_hash(slot, trade);
        let message = confirm_message(&self.chain.genesis, &order_hash);
        ConfirmItem { trade, order_hash, signature: self.homes[home].delegate.sign(&message) }
    }

    /// A household's delegate confirms a trade; queued.
    pub fn confirm(&mut self, home: usize, slot: Slot, trade: u32) {
        let items = vec![self.confirm_item(home, slot, trade)];
        let delegate = self.homes[home].delegate.clone();
        self.chain.submit(&delegate, markets::Call::Confirm { market: self.market, slot, items });
    }

    /// Every party that has not answered confirms, in one block.
    pub fn confirm_all(&mut self, slot: Slot) {
        let pending: Vec<(usize, u32)> = {
            let (view, at) = (self.chain.view(), (self.market, slot));
            let entries = (0u32..).zip(TRADES.load(&view, at, self.slot(slot).trades));
            let parties = entries.flat_map(|(index, entry)| {
                let (buy, sell) = confirm::orders_of(&view, at, &entry);
                [(entry.buyer, buy.order.entity, index), (entry.seller, sell.order.entity, index)]
            });
            let waiting = parties.filter(|(agreed, ..)| *agreed == Agreed::Pending);
            waiting.map(|(_, entity, index)| (self.home_of(entity), index)).collect()
        };
        for (home, trade) in pending {
            self.confirm(home, slot, trade);
        }
        self.chain.block_of_successes();
        self.expect(slot, SlotState::Confirmed);
    }

    fn home_of(&self, entity: EntityId) -> usize {
        let found = self.homes.iter().position(|home| home.entity == entity);
        found.expect("traders are households")
    }

    /// The open claim of a stage, with the chain's own result.
    ///
    /// # Panics
    /// If none is open.
    pub fn claim(&self, slot: Slot, stage: Stage) -> Claim {
        let round = if stage == Stage::Certification { self.slot(slot).round } else { 0 };
        let key = attestation::key((self.market, slot), stage, round);
        attestation::BALLOTS.get(&self.chain.view(), &key).expect("a claim is open").claim
    }

    /// A vote of an elector for `claim`, signed with the elector's key.
    ///
    /// # Panics
    /// If `voter` is no elector.
    pub fn vote(&self, voter: EntityId, claim: Claim) -> attestation::Call {
        let at = (claim.market, claim.slot);
        let electors = attestation::electors(&self.chain.view(), at, claim.stage, claim.round);
        let elector = electors.iter().find(|elector| elector.entity == voter).expect("an elector");
        let message = vote_message(&self.chain.genesis, &claim, voter, elector.proxy);
        attestation::Call::Vote { voter, claim, signature: self.keys.sign(&elector.key, &message) }
    }

    /// All electors of the open claim vote for `result`; queued.
    pub fn vote_all(&mut self, slot: Slot, stage: Stage, result: Hash) {
        let claim = Claim { result_hash: result, ..self.claim(slot, stage) };
        let electors = attestation::electors(&self.chain.view(), (self.market, slot), stage, claim.round);
        for elector in electors {
            let vote = self.vote(elector.entity, claim);
            self.chain.submit_bare(vote);
        }
    }

    /// The validators sign the chain's own clearing.
    pub fn attest(&mut self, slot: Slot) {
        let expected = self.claim(slot, Stage::Authentication).result_hash;
        self.vote_all(slot, Stage::Authentication, expected);
        self.chain.block();
        self.expect(slot, SlotState::Certified);
    }

    /// From an open slot with orders to the end of delivery: everybody agrees.
    pub fn deliver(&mut self, slot: Slot) {
        self.close_gate(slot);
        if self.state(slot) == SlotState::Proposed {
            self.confirm_all(slot);
        }
        self.attest(slot);
        self.chain.pass_to(self.terms.delivery_start(slot));
        self.expect(slot, SlotState::Delivering);
        self.chain.pass_to(self.terms.delivery_end(slot));
        self.expect(slot, SlotState::Metering);
    }

    /// A reading of a household's registers as they stand.
    pub fn reading(&self, home: usize, slot: Slot, revision: u16, status: ReadingStatus) -> Reading {
        let (import, export) = self.homes[home].registers;
        Reading {
            market: self.market,
            meter: self.homes[home].meter,
            slot,
            revision,
            import_wh: Energy::from_wh(import),
            export_wh: Energy::from_wh(export),
            voltage_dv: Some(2_301),
            frequency_mhz: Some(50_012),
            measured_at: self.terms.delivery_end(slot),
            status,
        }
    }

    /// A reading signed by a household's meter; a correction with the hash of its evidence.
    pub fn sign_reading(&self, home: usize, reading: Reading) -> markets::Call {
        if reading.status == ReadingStatus::Corrected {
            let evidence = blake2_256(b"the protocol of the inspection");
            let message = correction_message(&self.chain.genesis, &reading, &evidence);
            let signature = self.homes[home].meter_key.sign(&message);
            return markets::Call::PostCorrection { reading, evidence, signature };
        }
        let message = reading_message(&self.chain.genesis, &reading);
        markets::Call::PostReading { reading, signature: self.homes[home].meter_key.sign(&message) }
    }

    /// A substitute signed by the meter operator.
    pub fn sign_substitute(&self, reading: Reading) -> markets::Call {
        let operator = &self.owners[entities::METER_OPERATOR as usize];
        let signature = operator.sign(&reading_message(&self.chain.genesis, &reading));
        markets::Call::PostSubstitute { reading, key: operator.account(), signature }
    }

    /// A household's meter counts what it imported and exported and posts its first reading; queued.
    pub fn measure(&mut self, home: usize, slot: Slot, import: u64, export: u64) {
        let registers = &mut self.homes[home].registers;
        *registers = (registers.0 + import, registers.1 + export);
        let reading = self.reading(home, slot, 0, ReadingStatus::Measured);
        let call = self.sign_reading(home, reading);
        self.chain.submit_bare(call);
    }

    /// A household's meter posts what it shows at the start of `first`, its first slot.
    pub fn post_base(&mut self, home: usize, first: Slot) {
        let before = Slot::from_number(first.number() - 1);
        let call = self.sign_reading(home, self.reading(home, before, 0, ReadingStatus::Measured));
        self.chain.submit_bare(call);
        self.chain.block_of_successes();
    }

    /// All meters post their first readings: import and export of each household, in order.
    pub fn measure_all(&mut self, slot: Slot, moved: &[(u64, u64)]) {
        assert_eq!(moved.len(), self.homes.len(), "one for each household");
        for (home, (import, export)) in moved.iter().enumerate() {
            self.measure(home, slot, *import, *export);
        }
        self.chain.block_of_successes();
        self.expect(slot, SlotState::Voting);
    }

    /// The list of everybody's latest reading.
    pub fn latest_list(&self, slot: Slot) -> ExecutionList {
        let view = self.chain.view();
        let live = markets::live(&view, (self.market, slot)).expect("the slot has opened");
        lists::latest(&view, &live).0
    }

    /// A list of these readings, in the order of households.
    pub fn list_of(&self, readings: &[Reading]) -> ExecutionList {
        let entry = |reading: &Reading| ExecutionEntry { meter: reading.meter, reading: reading.hash() };
        ExecutionList(readings.iter().map(entry).collect())
    }

    /// The platform posts a list.
    pub fn post_list(&mut self, slot: Slot, list: &ExecutionList) -> Hash {
        let platform = self.platform().clone();
        let hash = list.hash();
        let list = list.clone();
        self.chain.must(&platform, markets::Call::PostList { market: self.market, slot, list });
        hash
    }

    /// The platform posts the latest readings and every elector votes for them.
    pub fn certify(&mut self, slot: Slot) {
        let list = self.latest_list(slot);
        let hash = self.post_list(slot, &list);
        self.vote_all(slot, Stage::Certification, hash);
        self.chain.block();
        self.expect(slot, SlotState::Payable);
    }

    /// Let the time for objections pass.
    pub fn settle(&mut self, slot: Slot) {
        self.chain.pass_to(self.after_end(slot, self.terms.windows.objection_s));
        self.expect(slot, SlotState::Settled);
    }

    /// From confirmed trades of the first slot to their settlement.
    pub fn finish_certified(&mut self, moved: &[(u64, u64)]) {
        let slot = crate::world::FIRST;
        self.attest(slot);
        self.chain.pass_to(self.terms.delivery_start(slot));
        self.chain.pass_to(self.terms.delivery_end(slot));
        self.measure_all(slot, moved);
        self.certify(slot);
        self.settle(slot);
    }

    /// From an open slot with orders to its settlement, with these imports and exports.
    pub fn finish(&mut self, slot: Slot, moved: &[(u64, u64)]) {
        self.deliver(slot);
        self.measure_all(slot, moved);
        self.certify(slot);
        self.settle(slot);
    }

    /// The slot stands where it should.
    ///
    /// # Panics
    /// If not.
    pub fn expect(&self, slot: Slot, expected: SlotState) {
        let state = self.state(slot);
        assert_eq!(state, expected, "slot {slot} at block {}", self.chain.header.number);
    }

    /// An entity's record.
    ///
    /// # Panics
    /// If it is unknown.
    pub fn entity(&self, id: EntityId) -> registry::Entity {
        registry::entity(&self.chain.view(), id).expect("registered")
    }
}
