//! A validator's attestor: re-runs a slot's clearings on the second engine from the orders on chain, compares input
//! root, result and gas, journals, and signs what it has computed itself: the chain's result if they agree, its
//! own if they do not.

use super::desk::{Desk, claim_for};
use super::journal::{Journal, JournalError};
use crate::keys::Signer;
use contract_interface::{CLEAR, Claim, Clearing, Op, Order, Stage, Trade, attest_message};
use parity_scale_codec::Encode;
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::markets::batch::{self, Batch};
use runtime_execution::modules::markets::{
    BOOK, BookEntry, Elector, TRADES, TradeEntry, confirm, continuous, lists, rules,
};
use runtime_execution::modules::{attestation, contracts};
use runtime_primitives::limits::CLEAR_GAS_MAX;
use runtime_primitives::{AccountId, EntityId, Gas, Hash, blake2_256, merkle_root};
use runtime_vm::Vm;
use std::collections::BTreeMap;

/// What re-running a clearing showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The result this node computed.
    pub own: Hash,
    /// The chain's.
    pub chain: Hash,
    /// Gas of the re-run.
    pub gas: Gas,
    /// Gas that the chain counted.
    pub chain_gas: Gas,
}

impl Verdict {
    /// Whether the chain's result is confirmed.
    pub fn agrees(&self) -> bool {
        self.own == self.chain && self.gas == self.chain_gas
    }
}

/// A validator's attestor.
#[derive(Debug)]
pub struct Attestor {
    session: Signer,
    genesis: Hash,
    journal: Journal,
    /// A validator that signs what it did not compute; for showing that its signature gives it away.
    lies: bool,
}

impl Attestor {
    /// An honest attestor.
    pub const fn new(session: Signer, genesis: Hash, journal: Journal) -> Self {
        Self { session, genesis, journal, lies: false }
    }

    /// An attestor that signs a wrong result.
    pub const fn lying(session: Signer, genesis: Hash, journal: Journal) -> Self {
        Self { session, genesis, journal, lies: true }
    }

    /// Its session key.
    pub fn session(&self) -> AccountId {
        self.session.account()
    }

    /// For whom the session's key may vote: the electorate says so, whatever the set of today is.
    fn entity(&self, waiting: &[Elector]) -> Option<EntityId> {
        let key = self.session.account();
        waiting.iter().find(|elector| elector.key == key).map(|elector| elector.entity)
    }

    /// Vote on the slot's stage-3 claim, if it is open and unanswered. `second` is the second engine.
    ///
    /// # Errors
    /// [`JournalError`]: the vote is not released then.
    pub fn attest(&mut self, desk: &Desk, second: &Vm) -> Result<Option<(Vec<u8>, Verdict)>, JournalError> {
        let Some((ballot, waiting)) = desk.ballot(Stage::Authentication) else { return Ok(None) };
        let Some(entity) = self.entity(&waiting) else { return Ok(None) };
        let mut verdict = recompute(desk, second, ballot.claim.result_hash, &ballot.claim.input_root);
        if self.lies {
            verdict.own = Hash([0xee; 32]);
        }
        let claim = claim_for(&ballot, verdict.own);
        self.journal.record(&claim)?;
        Ok(Some((self.vote(entity, claim), verdict)))
    }

    /// Choose a list in a dispute: everybody's latest reading, if it is posted, else the platform's.
    ///
    /// # Errors
    /// [`JournalError`]: the vote is not released then.
    pub fn arbitrate(&mut self, desk: &Desk) -> Result<Option<Vec<u8>>, JournalError> {
        if desk.live().slot.round != lists::DISPUTE_ROUND {
            return Ok(None);
        }
        let Some((ballot, waiting)) = desk.ballot(Stage::Certification) else { return Ok(None) };
        let posted = desk.lists();
        let latest = desk.latest_list().hash();
        let choice = posted
            .iter()
            .find(|list| list.hash == latest)
            .or_else(|| posted.iter().rev().find(|list| list.poster == desk.operator()));
        let Some((choice, entity)) = choice.zip(self.entity(&waiting)) else { return Ok(None) };
        let claim = claim_for(&ballot, choice.hash);
        self.journal.record(&claim)?;
        Ok(Some(self.vote(entity, claim)))
    }

    fn vote(&self, voter: EntityId, claim: Claim) -> Vec<u8> {
        let signature = self.session.sign(&attest_message(&self.genesis, &claim));
        let vote = attestation::Call::Vote { voter, claim, signature };
        UncheckedExtrinsic::bare(&Call::Attestation(vote))
    }
}

/// What a run of a slot's clearings gives: the trades, in order, and the gas. `None` if it is not the chain's.
type Rerun = (Option<Vec<Trade>>, Gas);

/// Re-run the clearing and derive the root of confirmed trade orders from it.
fn recompute(desk: &Desk, second: &Vm, chain: Hash, input_root: &Hash) -> Verdict {
    let live = desk.live();
    let (mut book, (trades, gas)) = if rules::is_continuous(desk.state(), &live.terms) {
        let (book, ops) = continuous::operations(desk.state(), live);
        let rerun = rerun_batches(desk, second, &ops, input_root);
        (book, rerun)
    } else {
        let book = BOOK.load(desk.state(), live.at, live.slot.next_seq.number());
        let rerun = rerun_auction(desk, second, &book, input_root);
        (book, rerun)
    };
    book.retain(|entry| !entry.order.energy.is_zero());
    let trades = trades.filter(|_| gas == live.slot.clear_gas);
    let own = trades.map_or(Hash::ZERO, |trades| trade_orders_root(desk, &book, &trades));
    Verdict { own, chain, gas, chain_gas: live.slot.clear_gas }
}

fn rerun_auction(desk: &Desk, second: &Vm, book: &[BookEntry], input_root: &Hash) -> Rerun {
    let live = desk.live();
    let orders: Vec<Order> =
        book.iter().map(|entry| entry.order).filter(|order| !order.energy.is_zero()).collect();
    let code = live.slot.cleared_by;
    let rule = rules::DESCRIPTORS.get(desk.state(), &code);
    let Some(rule) = rule.filter(|_| merkle_root(orders.iter().map(Encode::encode)) == *input_root) else {
        return (None, Gas::ZERO);
    };
    let params = live.terms.clear_params(live.at.0, live.at.1, 0);
    let input = rules::clear_input(&params, &rules::readable_book(&rule, &orders));
    let run = rerun(desk, second, &code, &input);
    (run.answer.ok().map(|clearing| clearing.trades), run.gas)
}

/// Every batch again, each on what the one before it left; each must answer what the chain has, for the same gas.
fn rerun_batches(desk: &Desk, second: &Vm, ops: &[Op], input_root: &Hash) -> Rerun {
    let (live, state) = (desk.live(), desk.state());
    let batches = continuous::batches(state, live.at);
    let (mut resting, mut trades, mut gas) = (Vec::new(), Vec::new(), Gas::ZERO);
    if batch::input_root(&merkle_root(ops.iter().map(Encode::encode)), &batches) != *input_root {
        return (None, gas);
    }
    let mut waiting = ops;
    for (number, chain) in (0u32..).zip(&batches) {
        let (new, later) = waiting.split_at(waiting.partition_point(|op| batch::op_seq(op) < chain.end));
        waiting = later;
        let code = if chain.fallback { live.terms.fallback } else { live.terms.matching };
        let Some(rule) = rules::DESCRIPTORS.get(state, &code) else { return (None, gas) };
        let params = live.terms.clear_params(live.at.0, live.at.1, number);
        let input = Batch::readable(&rule, &resting, new).input(&params);
        let run = rerun(desk, second, &code, &input);
        gas = Gas::from_units(gas.units().saturating_add(run.gas.units()));
        let Ok(clearing) = run.answer else { return (None, gas) };
        if blake2_256(&clearing.encode()) != chain.output || run.gas != chain.gas {
            return (None, gas);
        }
        let changes = batch::changes(&resting, new, &clearing);
        resting = batch::next_resting(resting, new, &changes);
        trades.extend(clearing.trades);
    }
    // Every operation is in a batch.
    (waiting.is_empty().then_some(trades), gas)
}

fn rerun(desk: &Desk, second: &Vm, code: &Hash, input: &[u8]) -> rules::Run<Clearing> {
    let bytes = || contracts::code(desk.state(), code);
    rules::run(second, code, bytes, CLEAR, input, Gas::from_units(CLEAR_GAS_MAX))
}

/// Root over the trade orders of `trades` that both parties confirmed on chain.
fn trade_orders_root(desk: &Desk, book: &[BookEntry], trades: &[Trade]) -> Hash {
    let live = desk.live();
    let by_seq: BTreeMap<_, _> = book.iter().map(|entry| (entry.order.seq, entry)).collect();
    let consents = TRADES.load(desk.state(), live.at, live.slot.trades);
    if consents.len() != trades.len() {
        return Hash::ZERO;
    }
    let confirmed = (0u32..).zip(trades.iter().zip(&consents));
    let leaves: Option<Vec<Vec<u8>>> = confirmed
        .filter(|(_, (_, consent))| consent.is_confirmed())
        .map(|(index, (trade, consent))| {
            let entry = TradeEntry { trade: *trade, ..*consent };
            let (buy, sell) = (by_seq.get(&trade.buy)?, by_seq.get(&trade.sell)?);
            Some(confirm::trade_order(live.at, index, &entry, &buy.order, &sell.order).encode())
        })
        .collect();
    leaves.map_or(Hash::ZERO, merkle_root)
}
