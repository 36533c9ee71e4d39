//! A trade's life: seven stage records of its slot, and of each stage what concerns the trade.
//!
//! One function a stage; each gives the body in words and adds to the evidence.

use super::TradeError;
use super::TradeId;
use super::body::{kwh, leg, reading, yuan};
use super::electorate::electors;
use super::evidence::Evidence;
use super::funding::{Payout, Walk};
use super::interventions::Interventions;
use super::names::Names;
use super::source::Source;
use crate::report::{OutcomeWords, StageRow};
use contract_interface::{
    Leg, NetPosition, Op, Side, Stage, StageRecord, Trade, TradeOrder, TransferRecord, Vote, confirm_message,
    flags, seal,
};
use host_storage::Snapshot;
use parity_scale_codec::{DecodeAll, Encode};
use runtime_execution::Call;
use runtime_execution::archive::{Consent, HoldRecord, SignedReading};
use runtime_execution::modules::attestation::is_majority;
use runtime_execution::modules::markets::batch::{self, BatchRecord};
use runtime_execution::modules::markets::{self, RECORDS, SLOTS, TERMS};
use runtime_primitives::crypto::{Signature, Statement};
use runtime_primitives::{AccountId, Hash, Height, Slot, Timestamp, merkle_root};
use runtime_state::Overlay;

/// A trade from declaration to settlement, as far as it has come.
#[derive(Clone, Debug)]
pub struct Life {
    /// Which trade.
    pub id: TradeId,
    /// Who sells.
    pub seller: String,
    /// Who buys.
    pub buyer: String,
    /// What became of it, as far as that is decided.
    pub outcome: OutcomeWords,
    /// One row a stage that is recorded.
    pub rows: Vec<StageRow>,
    /// What the grid operator allowed the parties' connections, in words.
    pub curtailments: Vec<String>,
    /// What was paid for the trade after its settlement and why, in words.
    pub adjustments: Vec<String>,
    /// Payments of the trade.
    pub payouts: Vec<Payout>,
    /// What does not hold, in words; empty if all is well.
    pub faults: Vec<String>,
}

impl Life {
    /// Read and check the life of trade `id`.
    ///
    /// # Errors
    /// If there is no such trade, or a row is missing or unreadable.
    pub fn read(snapshot: &Snapshot, id: TradeId) -> Result<Self, TradeError> {
        let (source, state) = (Source::new(snapshot, id.at), Overlay::new(snapshot));
        let names = Names::of(&state);
        Reader::new(id, &source, &state, &names)?.read()
    }
}

/// The two orders of a trade and what the clearing made of them.
struct Deal {
    trade: Trade,
    buy: HoldRecord,
    sell: HoldRecord,
}

struct Reader<'a> {
    id: TradeId,
    source: &'a Source<'a>,
    state: &'a Overlay<'a>,
    names: &'a Names,
    deal: Deal,
    /// Of a continuous book.
    batches: Option<Vec<BatchRecord>>,
    /// All confirmed trades of the slot.
    orders: Vec<TradeOrder>,
    records: Vec<StageRecord>,
    /// Height of the block that closed the gate.
    gate: Height,
}

/// What a stage says and proves.
struct Told {
    body: String,
    evidence: Evidence,
}

impl<'a> Reader<'a> {
    fn new(
        id: TradeId,
        source: &'a Source<'a>,
        state: &'a Overlay<'a>,
        names: &'a Names,
    ) -> Result<Self, TradeError> {
        let (market, slot) = id.at;
        let clearings = source.clearings()?;
        if clearings.is_empty() {
            return Err(TradeError::NotCleared { market, slot });
        }
        let batches: Option<Vec<BatchRecord>> = clearings.iter().map(BatchRecord::of).collect();
        let trades = source.trades()?;
        let trade = usize::try_from(id.trade).ok().and_then(|index| trades.get(index)).copied();
        let trades = trades.len();
        let trade = trade.ok_or(TradeError::NoTrade { market, slot, trades, trade: id.trade })?;
        let deal = Deal { trade, buy: source.hold(trade.buy)?, sell: source.hold(trade.sell)? };
        let records: Vec<StageRecord> =
            Stage::ALL.into_iter().filter_map(|stage| RECORDS.get(state, &(market, slot, stage))).collect();
        let gate = records.first().map_or(Timestamp::ZERO, |record| record.timestamp);
        let gate = source.height_at(gate)?;
        let orders = decoded(source, Stage::Matching, "trade order")?;
        Ok(Self { id, source, state, names, deal, batches, orders, records, gate })
    }

    fn read(self) -> Result<Life, TradeError> {
        let (mut rows, mut faults) = (Vec::new(), Vec::new());
        let mut previous: Option<&StageRecord> = None;
        for record in &self.records {
            let leaves = self.source.leaves(record.stage)?;
            let mut told = self.tell(record.stage)?;
            let root_holds =
                record.merkle_root == merkle_root(&leaves) && record.nonce == leaves.len() as u64;
            told.evidence.expect(root_holds, || "the root does not follow from the archive's leaves".into());
            let linked = previous.is_none_or(|previous| previous.hash() == record.prev_hash);
            told.evidence.expect(linked, || "the record does not name the one before".into());
            let stage = record.stage as u8;
            faults.extend(told.evidence.faults.into_iter().map(|fault| format!("stage {stage}: {fault}")));
            rows.push(StageRow {
                record: record.clone(),
                from: previous.map_or_else(|| self.opened_at(), |previous| previous.timestamp),
                until: record.timestamp,
                root_holds,
                body: told.body,
                signatures: told.evidence.signatures,
            });
            previous = Some(record);
        }
        let beside = Interventions { source: self.source, state: self.state, names: self.names, id: self.id };
        let parties = self.sides().map(|(_, hold, _)| hold);
        let curtailments = beside.curtailments(parties, &mut faults)?;
        let adjustments = beside.adjustments(previous.map(StageRecord::hash), &mut faults)?;
        let payouts = self.payouts(&mut faults)?;
        let outcome = self.source.outcome(&self.source.outcomes(self.state)?, self.id.trade)?;
        Ok(Life {
            id: self.id,
            seller: self.names.entity(self.state, self.deal.sell.order.entity),
            buyer: self.names.entity(self.state, self.deal.buy.order.entity),
            outcome: OutcomeWords::of(outcome),
            rows,
            curtailments,
            adjustments,
            payouts,
            faults,
        })
    }

    fn tell(&self, stage: Stage) -> Result<Told, TradeError> {
        match stage {
            Stage::Declaration => self.declaration(),
            Stage::Matching => self.matching(),
            Stage::Authentication => self.authentication(),
            Stage::Execution => self.execution(),
            Stage::Certification => self.certification(),
            Stage::Clearing => self.positions(),
            Stage::Settlement => self.settlement(),
        }
    }

    /// When the slot opened for orders.
    fn opened_at(&self) -> Timestamp {
        let terms = SLOTS.get(self.state, &self.id.at).and_then(|slot| TERMS.get(self.state, &slot.terms));
        terms.map_or(Timestamp::ZERO, |terms| {
            let before = u64::from(terms.windows.open_before_s) * 1_000;
            terms.delivery_start(self.id.at.1).minus_ms(before)
        })
    }

    fn sides(&self) -> [(Side, &HoldRecord, &'static str); 2] {
        [(Side::Sell, &self.deal.sell, "sells"), (Side::Buy, &self.deal.buy, "buys")]
    }

    fn who(&self, hold: &HoldRecord) -> String {
        self.names.entity(self.state, hold.order.entity)
    }

    /// Two signed orders in the book.
    fn declaration(&self) -> Result<Told, TradeError> {
        let leaves = self.source.leaves(Stage::Declaration)?;
        let (mut lines, mut evidence) = (Vec::new(), Evidence::default());
        for (side, hold, verb) in self.sides() {
            let (order, who) = (&hold.order, self.who(hold));
            lines.push(format!("Input{} {who} {verb}", leg(order.energy, order.price, self.id.at.1)));
            let leaf = if self.batches.is_some() { Op::New(*order).encode() } else { order.encode() };
            let listed = order.side == side && leaves.contains(&leaf);
            evidence.expect(listed, || format!("the order of {who} is no leaf"));
            match self.source.extrinsic(&hold.authorised_by, self.gate)? {
                Some(located) => {
                    let commitment = self.source.commitment(order.seq)?;
                    let commitment = commitment.map(|record| record.commitment);
                    let genesis = self.source.genesis();
                    let placed = placed(&genesis, self.id.at.1, &located.extrinsic.call, hold, commitment);
                    evidence.expect(placed, || format!("the extrinsic of {who} places another order"));
                    match located.signer {
                        Some(_) => evidence.signatures += 1,
                        None => evidence.faults.push(format!("bad signature: order of {who}")),
                    }
                }
                None => evidence.faults.push(format!("no block has the order extrinsic of {who}")),
            }
        }
        Ok(Told { body: lines.join("\n"), evidence })
    }

    /// The trade order of formula 3 with both parties' consents.
    fn matching(&self) -> Result<Told, TradeError> {
        let mut evidence = Evidence::default();
        let (mut consents, mut refused) = (Vec::new(), Vec::new());
        let order = self.orders.iter().find(|order| order.trade == self.id.trade);
        for (side, hold, _) in self.sides() {
            let who = self.who(hold);
            match (self.source.consent(self.id.trade, side as u8)?, order) {
                (Some(Consent::Signed { key, signature }), Some(order)) => {
                    let message = confirm_message(&self.source.genesis(), &order.hash());
                    let statement = Statement { signer: key, message, signature };
                    evidence.verify(&statement, || format!("confirmation of {who}"));
                    consents.push(format!("{who} signed"));
                }
                (Some(Consent::Refused { .. }), _) => refused.push(format!("{who} refused")),
                (Some(Consent::Signed { .. }), None) => consents.push(format!("{who} signed")),
                (None, _) if hold.order.flags & flags::AUTO_CONFIRM != 0 => {
                    consents.push(format!("{who} agreed in its order"));
                }
                (Some(Consent::Silent), _) => refused.push(format!("{who} did not answer")),
                (None, _) => evidence.faults.push(format!("the archive has no answer of {who}")),
            }
        }
        let body = match order {
            Some(order) => {
                let Trade { energy, buy_price, sell_price, .. } = self.deal.trade;
                let fits = |legs: &[Leg], hold: &HoldRecord, price| {
                    let [leg] = legs else { return false };
                    (leg.seq, leg.entity, leg.meter, leg.energy, leg.price)
                        == (hold.order.seq, hold.order.entity, hold.order.meter, energy, price)
                };
                let fits = fits(&order.inputs, &self.deal.sell, sell_price)
                    && fits(&order.outputs, &self.deal.buy, buy_price);
                evidence.expect(fits, || "the trade order is not the clearing's trade".into());
                evidence.expect(refused.is_empty(), || "a trade order that was not confirmed".into());
                let slot = self.id.at.1;
                format!(
                    "Input{} of {}\nOutput{} to {}\n{}",
                    leg(energy, sell_price, slot),
                    self.who(&self.deal.sell),
                    leg(energy, buy_price, slot),
                    self.who(&self.deal.buy),
                    consents.join(", "),
                )
            }
            None => format!("cancelled: {}", refused.join(", ")),
        };
        Ok(Told { body, evidence })
    }

    /// The validators' signatures under the root of trade orders (formula 4).
    fn authentication(&self) -> Result<Told, TradeError> {
        let votes: Vec<Vote> = decoded(self.source, Stage::Authentication, "vote")?;
        let (mut lines, mut evidence) = (Vec::new(), Evidence::default());
        let orders = self.root(Stage::Declaration);
        let input = self.batches.as_ref().map_or(orders, |batches| batch::input_root(&orders, batches));
        let expected = (input, self.root(Stage::Matching));
        for vote in &votes {
            let who = self.names.entity(self.state, vote.voter);
            evidence.verify(&self.statement(vote), || format!("vote of {who}"));
            let agrees = (vote.claim.input_root, vote.claim.result_hash) == expected;
            lines.push(format!("sign({who}){}", if agrees { "" } else { ": another result" }));
        }
        let pass = votes.iter().filter(|vote| (vote.claim.input_root, vote.claim.result_hash) == expected);
        let pass = pass.count();
        if let Some(electors) = self.check_electors(&votes, &mut evidence) {
            evidence.expect(majority(pass, electors), || "no majority of validators signed".into());
            lines.push(format!("{pass} of {electors} validators"));
        }
        Ok(Told { body: lines.join("\n"), evidence })
    }

    /// Readings of the two meters.
    fn execution(&self) -> Result<Told, TradeError> {
        let readings: Vec<SignedReading> = decoded(self.source, Stage::Execution, "reading")?;
        let (mut lines, mut evidence) = (Vec::new(), Evidence::default());
        for (_, hold, _) in self.sides() {
            let who = self.who(hold);
            for signed in readings.iter().filter(|signed| signed.reading.meter == hold.order.meter) {
                let why = signed.evidence.map_or_else(String::new, |hash| format!(", evidence {hash}"));
                lines.push(format!("{who}: {}{why}", reading(signed)));
                if signed.key != AccountId::ZERO {
                    evidence
                        .verify(&signed.statement(&self.source.genesis()), || format!("reading of {who}"));
                }
            }
        }
        Ok(Told { body: lines.join("\n"), evidence })
    }

    /// The vote on the execution list (formula 5).
    fn certification(&self) -> Result<Told, TradeError> {
        let votes: Vec<Vote> = decoded(self.source, Stage::Certification, "vote")?;
        let mut evidence = Evidence::default();
        for vote in &votes {
            let who = || format!("vote of {}", self.names.entity(self.state, vote.voter));
            evidence.verify(&self.statement(vote), who);
        }
        let slot = SLOTS.get(self.state, &self.id.at);
        let (chosen, round) = slot.map_or((None, 0), |slot| (slot.chosen, slot.round));
        let last: Vec<Vote> = votes.into_iter().filter(|vote| vote.claim.round == round).collect();
        let pass = last.iter().filter(|vote| Some(vote.claim.result_hash) == chosen).count();
        let oppose = last.len() - pass;
        let mut body = format!("Num(pass) = {pass} {} Num(oppose) = {oppose}", sign(pass, oppose));
        if let Some(electors) = self.check_electors(&last, &mut evidence) {
            body += &format!("\nof {electors} electors");
            let by_vote = round != markets::lists::DISPUTE_ROUND;
            evidence.expect(!by_vote || majority(pass, electors), || "no majority for the list".into());
        }
        Ok(Told { body, evidence })
    }

    /// What the slot came to for both parties.
    fn positions(&self) -> Result<Told, TradeError> {
        let positions: Vec<NetPosition> = decoded(self.source, Stage::Clearing, "net position")?;
        let (mut lines, mut evidence) = (Vec::new(), Evidence::default());
        for (_, hold, _) in self.sides() {
            let who = self.who(hold);
            match positions.iter().find(|position| position.entity == hold.order.entity) {
                Some(position) => lines.push(format!("{who}: {}", net(position))),
                None => evidence.faults.push(format!("no net position of {who}")),
            }
        }
        Ok(Told { body: lines.join("\n"), evidence })
    }

    /// The trade's payments.
    fn settlement(&self) -> Result<Told, TradeError> {
        let payments = self.payments()?;
        let name = |account| self.names.account(self.state, account);
        let words = payments.iter().map(|payment| {
            let (from, to) = (name(&payment.payer), name(&payment.payee));
            format!("({}){from}→{to}", yuan(payment.amount))
        });
        let body = words.collect::<Vec<_>>().join(", ");
        let body = if body.is_empty() { "nothing was delivered".to_owned() } else { body };
        Ok(Told { body, evidence: Evidence::default() })
    }

    fn payments(&self) -> Result<Vec<TransferRecord>, TradeError> {
        let mut payments: Vec<TransferRecord> = decoded(self.source, Stage::Settlement, "payment")?;
        payments.retain(|payment| payment.trade == Some(self.id.trade));
        Ok(payments)
    }

    fn payouts(&self, faults: &mut Vec<String>) -> Result<Vec<Payout>, TradeError> {
        let payments = self.payments()?;
        let walk = Walk {
            source: self.source,
            state: self.state,
            names: self.names,
            holds: [&self.deal.buy, &self.deal.sell],
            payments: &payments,
            gate: self.gate,
        };
        let payouts: Vec<Payout> =
            payments.iter().map(|payment| walk.payout(payment)).collect::<Result<_, _>>()?;
        let broken = payouts.iter().filter(|payout| !payout.holds());
        faults.extend(broken.map(|payout| {
            format!("the {} from {} to {} has a broken chain of records", payout.kind, payout.from, payout.to)
        }));
        Ok(payouts)
    }

    fn root(&self, stage: Stage) -> Hash {
        let record = self.records.iter().find(|record| record.stage == stage);
        record.map_or(Hash::ZERO, |record| record.merkle_root)
    }

    fn statement(&self, vote: &Vote) -> Statement {
        let message = vote.message(&self.source.genesis());
        Statement { signer: vote.key, message, signature: Signature(vote.signature) }
    }

    /// Check the voters against the electorate; gives its size if it is still known.
    fn check_electors(&self, votes: &[Vote], evidence: &mut Evidence) -> Option<usize> {
        let electors = electors(self.state, &votes.first()?.claim, &self.orders)?;
        for vote in votes {
            evidence.expect(electors.contains_key(&vote.voter), || {
                format!("{} is no elector", self.names.entity(self.state, vote.voter))
            });
        }
        Some(electors.len())
    }
}

fn decoded<T: DecodeAll>(source: &Source, stage: Stage, what: &str) -> Result<Vec<T>, TradeError> {
    let leaves = source.leaves(stage)?;
    leaves.iter().map(|leaf| T::decode_all(&mut &leaf[..]).map_err(|_| source.unreadable(what))).collect()
}

/// Whether `call` places the order behind `hold` in `slot`, and in a sealed slot the one that was committed to.
fn placed(genesis: &Hash, slot: Slot, call: &Call, hold: &HoldRecord, commitment: Option<Hash>) -> bool {
    let order = hold.order;
    let (request, revealed) = match call {
        Call::Markets(markets::Call::Place { request } | markets::Call::Amend { request, .. }) => {
            (request.clone(), None)
        }
        Call::Markets(markets::Call::SetStanding { template }) if template.is_for(slot) => {
            (template.request(slot, Hash::ZERO), None)
        }
        Call::Markets(markets::Call::Reveal { seq, request, salt }) if *seq == order.seq => {
            (request.clone(), Some(seal(genesis, request, salt, order.entity)))
        }
        _ => return false,
    };
    revealed == commitment && request.into_order(order.seq, order.entity) == order
}

fn majority(pass: usize, electors: usize) -> bool {
    let count = |length| u32::try_from(length).unwrap_or(u32::MAX);
    is_majority(count(pass), count(electors))
}

fn sign(pass: usize, oppose: usize) -> &'static str {
    if pass > oppose { ">" } else { "≤" }
}

fn net(position: &NetPosition) -> String {
    let energy = match (position.bought.is_zero(), position.sold.is_zero()) {
        (false, true) => format!("bought {}", kwh(position.bought)),
        (true, false) => format!("sold {}", kwh(position.sold)),
        _ => format!("bought {}, sold {}", kwh(position.bought), kwh(position.sold)),
    };
    match position.received.checked_sub(position.paid) {
        Some(gain) => format!("{energy}, net +{}", yuan(gain)),
        None => format!("{energy}, net −{}", yuan(position.paid.saturating_sub(position.received))),
    }
}
