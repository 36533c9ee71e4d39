//! A slot as agents see it: public data of one state, read once and shared by those who look at it.

use crate::wallet::Wallet;
use contract_interface::{Claim, ExecutionEntry, ExecutionList, SettleInput, Stage, Trade, vote_message};
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::attestation::{self, Ballot};
use runtime_execution::modules::markets::{
    Agreed, At, BOOK, BookEntry, Elector, Live, Posted, PostedList, SEALED, SealState, SealedEntry, TRADES,
    confirm, lists, live, market, meters, settle,
};
use runtime_primitives::{EntityId, Hash, MeterId, Seq};
use runtime_state::Overlay;

/// A trade with the orders behind it.
#[derive(Clone, Debug)]
pub struct Match {
    /// Position in clearing order.
    pub index: u32,
    /// Hash of its trade order.
    pub hash: Hash,
    /// Energy and prices.
    pub trade: Trade,
    /// The bid.
    pub buy: BookEntry,
    /// The ask.
    pub sell: BookEntry,
    /// The buyer's consent.
    pub buyer: Agreed,
    /// The seller's consent.
    pub seller: Agreed,
}

/// A slot of a market.
pub struct Desk<'a> {
    state: &'a Overlay<'a>,
    live: Live,
}

impl<'a> Desk<'a> {
    /// The slot, if it has opened.
    pub fn open(state: &'a Overlay<'a>, at: At) -> Option<Self> {
        live(state, at).ok().map(|live| Self { state, live })
    }

    /// The slot's record and terms.
    pub const fn live(&self) -> &Live {
        &self.live
    }

    /// The state it is read from.
    pub const fn state(&self) -> &'a Overlay<'a> {
        self.state
    }

    /// The trades of the clearing; none if the slot is settled.
    pub fn matches(&self) -> Vec<Match> {
        let at = self.live.at;
        let entries = TRADES.find(self.state, at, self.live.slot.trades);
        let places = BOOK.find(self.state, at, self.live.slot.next_seq.number());
        let (Some(entries), Some(places)) = (entries, places) else { return Vec::new() };
        (0u32..)
            .zip(entries)
            .map(|(index, entry)| {
                let (buy, sell) = confirm::parties(&places, &entry);
                let hash = confirm::trade_order(at, index, &entry, &buy.order, &sell.order).hash();
                let (buy, sell) = (buy.clone(), sell.clone());
                Match { index, hash, trade: entry.trade, buy, sell, buyer: entry.buyer, seller: entry.seller }
            })
            .collect()
    }

    /// Orders that are sealed and not revealed, by place; none if the slot is settled.
    pub fn sealed(&self) -> Vec<(Seq, SealedEntry)> {
        if !self.live.terms.is_sealed() {
            return Vec::new();
        }
        let all = SEALED.find(self.state, self.live.at, self.live.slot.next_seq.number());
        let placed = (0..).map(Seq::from_number).zip(all.unwrap_or_default());
        placed.filter(|(_, entry)| entry.state == SealState::Sealed).collect()
    }

    /// The claim of a stage while votes on it count, with the electors that have not voted.
    pub fn ballot(&self, stage: Stage) -> Option<(Ballot, Vec<Elector>)> {
        let round = if stage == Stage::Certification { self.live.slot.round } else { 0 };
        let ballot = attestation::open_ballot(self.state, &self.live, stage, round)?;
        let waiting = attestation::waiting(self.state, self.live.at, stage, round);
        Some((ballot, waiting))
    }

    /// Execution lists posted so far.
    pub fn lists(&self) -> Vec<PostedList> {
        lists::all(self.state, self.live.at)
    }

    /// Who runs the market.
    pub fn operator(&self) -> EntityId {
        market(self.state, self.live.at.0).expect("a slot has a market").operator
    }

    /// The list of everybody's latest reading.
    pub fn latest_list(&self) -> ExecutionList {
        lists::latest(self.state, &self.live).0
    }

    /// The revisions that the list of everybody's latest reading names, in the order of meters.
    pub fn latest_revisions(&self) -> Vec<u16> {
        lists::latest(self.state, &self.live).1
    }

    /// A posted list in full: the state keeps which revision of each meter it names, and the readings' hashes.
    pub fn full_list(&self, posted: &PostedList) -> ExecutionList {
        let meters = meters::meters_of(self.state, &self.live);
        let readings = meters::all_posted(self.state, &self.live);
        let entries = meters.into_iter().zip(readings).zip(&posted.revisions);
        let entry = |((meter, readings), revision): ((MeterId, Vec<Posted>), &u16)| {
            let named = readings.iter().find(|reading| reading.revision == *revision);
            named.map(|named| ExecutionEntry { meter, reading: named.hash })
        };
        ExecutionList(entries.filter_map(entry).collect())
    }

    /// Meters of the slot without a reading.
    pub fn unread(&self) -> Vec<MeterId> {
        let meters = meters::meters_of(self.state, &self.live);
        let posted = meters::all_posted(self.state, &self.live);
        meters.into_iter().zip(posted).filter(|(_, all)| all.is_empty()).map(|(meter, _)| meter).collect()
    }

    /// What the settlement rule would be given if `list` counts.
    pub fn settle_input(&self, list: &PostedList) -> SettleInput {
        settle::preview(self.state, &self.live, list)
    }
}

/// The electors whose votes `entity` casts: its own unless it has a proxy, and those it is proxy for.
pub fn seats(entity: EntityId, electors: &[Elector]) -> Vec<Elector> {
    let casts = |elector: &&Elector| elector.proxy.unwrap_or(elector.entity) == entity;
    electors.iter().filter(casts).copied().collect()
}

/// One vote for each of `seats`, all for `result`.
pub(super) fn votes(wallet: &Wallet, ballot: &Ballot, seats: &[Elector], result: Hash) -> Vec<Vec<u8>> {
    let claim = claim_for(ballot, result);
    let vote = |seat: &Elector| {
        let message = vote_message(wallet.genesis(), &claim, seat.entity, seat.proxy);
        let signature = wallet.signer().sign(&message);
        let vote = attestation::Call::Vote { voter: seat.entity, claim, signature };
        UncheckedExtrinsic::bare(&Call::Attestation(vote))
    };
    seats.iter().map(vote).collect()
}

/// The claim a voter signs for `result`.
pub(super) const fn claim_for(ballot: &Ballot, result: Hash) -> Claim {
    let mut claim = ballot.claim;
    claim.result_hash = result;
    claim
}
