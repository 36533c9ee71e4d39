//! A household: bids by its delegate key, confirms what keeps its limits, reads its meter, re-runs the settlement
//! and votes by what its own meter says.

use super::desk::{Desk, Match, votes};
use crate::keys::Signer;
use crate::wallet::Wallet;
use contract_interface::{
    ExecutionList, OrderRequest, Reading, ReadingStatus, SettlementReport, Side, confirm_message,
    reading_message, seal,
};
use parity_scale_codec::Encode;
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::attestation::Ballot;
use runtime_execution::modules::markets::sealed::Commitment;
use runtime_execution::modules::markets::{
    self, Agreed, At, ConfirmItem, ENTITY_SLOTS, Elector, Live, PostedList, SealedEntry, rules,
};
use runtime_execution::modules::registry::METERS;
use runtime_execution::modules::{balances, contracts, registry};
use runtime_primitives::limits::SETTLE_GAS_MAX;
use runtime_primitives::{Energy, EntityId, Gas, Hash, MeterId, Price, Seq, Slot, Timestamp, blake2_256};
use runtime_vm::Vm;

/// An order that a household wants to place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Direction.
    pub side: Side,
    /// Energy.
    pub energy: Energy,
    /// Limit price.
    pub price: Price,
}

/// Cumulative registers at the end of a slot: import and export.
pub type Registers = (Energy, Energy);

/// A household with its keys.
#[derive(Debug)]
pub struct Household {
    /// Its entity.
    pub entity: EntityId,
    /// Its meter.
    pub meter: MeterId,
    delegate: Wallet,
    meter_key: Signer,
}

impl Household {
    /// A household that acts by `delegate` and whose meter signs with `meter_key`.
    pub const fn new(entity: EntityId, meter: MeterId, delegate: Wallet, meter_key: Signer) -> Self {
        Self { entity, meter, delegate, meter_key }
    }

    /// Whether it has an order in the slot.
    pub fn has_order(&self, desk: &Desk) -> bool {
        let at = desk.live().at;
        ENTITY_SLOTS.contains(desk.state(), &(at.0, at.1, self.entity))
    }

    /// Whether its account covers the hold of an order, and in a sealed slot the deposit before it: an order that it does
    /// not cover is refused, or lost.
    pub fn can_afford(&self, desk: &Desk, intent: Intent) -> bool {
        let terms = &desk.live().terms;
        let mut hold = terms.hold(intent.side, intent.price, intent.energy);
        if terms.is_sealed() {
            let p_max_w = METERS.get(desk.state(), &self.meter).map_or(0, |meter| meter.p_max_w);
            hold = hold.max(terms.seal_deposit(p_max_w));
        }
        let owner = registry::entity(desk.state(), self.entity).map(|entity| entity.owner);
        owner.is_ok_and(|owner| balances::account(desk.state(), &owner).data.free >= hold)
    }

    /// Place an order under the slot's present terms, or commit to one if the slot is sealed.
    pub fn bid(&mut self, desk: &Desk, intent: Intent, valid_until: Timestamp) -> Vec<u8> {
        let request = self.request(desk, intent, valid_until);
        let call = if desk.live().terms.is_sealed() {
            markets::Call::Commit { commit: self.commitment(&request, valid_until) }
        } else {
            markets::Call::Place { request }
        };
        self.delegate.refresh(desk.state());
        self.delegate.sign(&Call::Markets(call))
    }

    /// Reveal the order it committed to, if it is sealed; nothing is remembered for that but the intent.
    pub fn reveal(&mut self, desk: &Desk, intent: Intent, sealed: &[(Seq, SealedEntry)]) -> Option<Vec<u8>> {
        let request = self.request(desk, intent, Timestamp::MAX);
        let commitment = self.commitment(&request, Timestamp::MAX).commitment;
        let is_own = |entry: &SealedEntry| (entry.entity, entry.commitment) == (self.entity, commitment);
        let (seq, _) = *sealed.iter().find(|(_, entry)| is_own(entry))?;
        let salt = self.delegate.signer().salt(&request.encode());
        self.delegate.refresh(desk.state());
        Some(self.delegate.sign(&Call::Markets(markets::Call::Reveal { seq, request, salt })))
    }

    /// A sealed order is admitted when it is revealed; what ends at the gate is the commitment.
    fn request(&self, desk: &Desk, intent: Intent, valid_until: Timestamp) -> OrderRequest {
        let Live { at, slot, terms } = desk.live();
        OrderRequest {
            market: at.0,
            slot: at.1,
            terms: slot.terms,
            meter: self.meter,
            side: intent.side,
            energy: intent.energy,
            min_energy: Energy::ZERO,
            price: intent.price,
            flags: 0,
            partner: EntityId::ZERO,
            valid_until: if terms.is_sealed() { terms.delivery_start(at.1) } else { valid_until },
        }
    }

    fn commitment(&self, request: &OrderRequest, valid_until: Timestamp) -> Commitment {
        let salt = self.delegate.signer().salt(&request.encode());
        Commitment {
            market: request.market,
            slot: request.slot,
            terms: request.terms,
            meter: request.meter,
            commitment: seal(self.delegate.genesis(), request, &salt, self.entity),
            valid_until,
        }
    }

    /// Confirm its trades among `matches` that it has not answered; one extrinsic, or none.
    pub fn confirm(&mut self, desk: &Desk, matches: &[&Match]) -> Option<Vec<u8>> {
        let genesis = *self.delegate.genesis();
        let items: Vec<ConfirmItem> = matches
            .iter()
            .filter(|found| self.is_pending(found))
            .map(|found| ConfirmItem {
                trade: found.index,
                order_hash: found.hash,
                signature: self.delegate.signer().sign(&confirm_message(&genesis, &found.hash)),
            })
            .collect();
        if items.is_empty() {
            return None;
        }
        let (market, slot) = desk.live().at;
        self.delegate.refresh(desk.state());
        Some(self.delegate.sign(&Call::Markets(markets::Call::Confirm { market, slot, items })))
    }

    fn is_pending(&self, found: &Match) -> bool {
        (found.buy.order.entity == self.entity && found.buyer == Agreed::Pending)
            || (found.sell.order.entity == self.entity && found.seller == Agreed::Pending)
    }

    /// The meter's reading for a slot that has ended.
    pub fn read(&self, at: At, (import_wh, export_wh): Registers, measured_at: Timestamp) -> Vec<u8> {
        let reading = self.reading(at, (import_wh, export_wh), measured_at);
        let signature = self.meter_key.sign(&reading_message(self.delegate.genesis(), &reading));
        UncheckedExtrinsic::bare(&Call::Markets(markets::Call::PostReading { reading, signature }))
    }

    const fn reading(&self, at: At, (import_wh, export_wh): Registers, measured_at: Timestamp) -> Reading {
        Reading {
            market: at.0,
            meter: self.meter,
            slot: at.1,
            revision: 0,
            import_wh,
            export_wh,
            voltage_dv: Some(2_300),
            frequency_mhz: Some(50_000),
            measured_at,
            status: ReadingStatus::Measured,
        }
    }

    /// Vote on an execution list: for it iff it names this household's own reading and the settlement, re-run
    /// here, uses exactly what the meter says; else for the list as it should be. One vote for each of `seats`.
    pub fn vote(
        &self,
        desk: &Desk,
        (ballot, seats): (&Ballot, &[Elector]),
        list: &PostedList,
        case: &Case,
        own: Option<Registers>,
        vm: &Vm,
    ) -> (Vec<Vec<u8>>, Option<Opinion>) {
        let opinion = self.settle(desk, case, vm);
        let right = self.names_own_reading(desk, case, own) && opinion.is_some();
        let result = if right { list.hash } else { other_than(list.hash, &desk.latest_list()) };
        (votes(&self.delegate, ballot, seats, result), opinion)
    }

    /// Re-run the settlement rule.
    fn settle(&self, desk: &Desk, case: &Case, vm: &Vm) -> Option<Opinion> {
        let code = desk.live().terms.settlement;
        let limit = Gas::from_units(SETTLE_GAS_MAX);
        let bytes = || contracts::code(desk.state(), &code);
        let run = rules::run::<SettlementReport>(
            vm,
            &code,
            bytes,
            contract_interface::SETTLE,
            &case.arguments,
            limit,
        );
        run.answer.ok().map(|report| Opinion { slot: desk.live().at.1, report: blake2_256(&report.encode()) })
    }

    fn names_own_reading(&self, desk: &Desk, case: &Case, own: Option<Registers>) -> bool {
        let Some(own) = own else { return true };
        let measured_at = desk.live().terms.delivery_end(desk.live().at.1);
        let hash = self.reading(desk.live().at, own, measured_at).hash();
        case.list.0.iter().any(|entry| entry.meter == self.meter && entry.reading == hash)
    }
}

/// What a household makes of a slot's settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// The slot.
    pub slot: Slot,
    /// blake2-256 of the report that its own run gave.
    pub report: Hash,
}

/// The public material of a vote, the same for every voter.
#[derive(Debug)]
pub struct Case {
    /// The list voted on, in full.
    pub list: ExecutionList,
    /// SCALE of the settlement rule's input.
    pub arguments: Vec<u8>,
}

impl Case {
    /// Gather it for a posted list.
    pub fn new(desk: &Desk, list: ExecutionList, posted: &PostedList) -> Self {
        Self { list, arguments: desk.settle_input(posted).encode() }
    }
}

/// The hash of `list`, or, where that is the one refused, a hash that no list has: an oppose.
fn other_than(refused: Hash, list: &ExecutionList) -> Hash {
    let hash = list.hash();
    if hash == refused { Hash::ZERO } else { hash }
}
