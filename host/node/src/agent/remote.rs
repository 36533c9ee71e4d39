//! A household that plays its plan against a node it reaches over RPC: the same [`Household`] as in process, on a
//! state read from afar.
//!
//! A round looks at one block, pinned by its hash, and does what that block calls for. At most one signed extrinsic
//! a round: the next one's nonce follows from a later block. Votes and readings carry none.

use super::desk::{Desk, Match, seats};
use super::household::{Case, Household, Intent, Registers};
use crate::keys::Signer;
use crate::scenario::HouseholdScript;
use crate::wallet::Wallet;
use contract_interface::Stage;
use host_rpc::{ClientError, RemoteNode};
use runtime_execution::Call;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::modules::markets::{Elector, Error, SlotState, live, market};
use runtime_execution::modules::registry::{self, METERS, scopes};
use runtime_execution::modules::{attestation, timestamp};
use runtime_primitives::{AccountId, EntityId, Hash, Height, MarketId, MeterId, Slot, Timestamp};
use runtime_state::Overlay;
use runtime_vm::Vm;
use std::collections::BTreeSet;
use std::fmt;
use thiserror::Error;

/// Why a household cannot play.
#[derive(Debug, Error)]
pub enum RemoteError {
    /// The node does not answer, or refuses.
    #[error(transparent)]
    Node(#[from] ClientError),
    /// The node has no genesis block.
    #[error("the node has no block 0")]
    NoGenesis,
    /// The delegate key acts for somebody else, or for nobody.
    #[error("key {key} may not bid and confirm for entity {entity}; let its owner add the delegate")]
    NotADelegate {
        /// The key.
        key: AccountId,
        /// For whom it should act.
        entity: EntityId,
    },
    /// The meter belongs to somebody else, or to nobody.
    #[error("meter {meter} is not registered for entity {entity}")]
    NotItsMeter {
        /// Which meter.
        meter: MeterId,
        /// Whose it should be.
        entity: EntityId,
    },
    /// The meter signs with another key.
    #[error("meter {meter} is registered with key {registered}, not {given}")]
    OtherMeterKey {
        /// Which meter.
        meter: MeterId,
        /// In the registry.
        registered: AccountId,
        /// Given here.
        given: AccountId,
    },
}

/// Who plays.
#[derive(Debug)]
pub struct Identity {
    /// The household's entity.
    pub entity: EntityId,
    /// Its meter.
    pub meter: MeterId,
    /// Its delegate key.
    pub delegate: Signer,
    /// The meter's key.
    pub meter_key: Signer,
}

/// Something a household does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Places an order.
    Bid(Intent),
    /// Reveals its sealed order.
    Reveal(Intent),
    /// Confirms its trades, by their numbers.
    Confirm(Vec<u32>),
    /// Posts its meter's reading.
    Read(Registers),
    /// Votes on an execution list after re-running the settlement.
    Vote {
        /// In whose name: its own, or that of an entity it is proxy for.
        voter: EntityId,
        /// The list.
        list: Hash,
        /// Whether for it.
        agrees: bool,
        /// blake2-256 of the report that its own run gave, if the run gave one.
        report: Option<Hash>,
    },
}

/// A deed with what the node said to it.
#[derive(Clone, Debug)]
pub struct Done {
    /// In which slot.
    pub slot: Slot,
    /// What.
    pub deed: Deed,
    /// Hash of the extrinsic, or the rule it breaks.
    pub outcome: Result<Hash, String>,
}

/// What a round came to.
#[derive(Debug)]
pub struct Round {
    /// The block it looked at.
    pub block: Hash,
    /// What was done; empty if the block called for nothing, or was looked at before.
    pub done: Vec<Done>,
    /// Whether every slot of the plan is settled.
    pub over: bool,
}

/// A household with its plan, far from the node.
pub struct RemoteHousehold {
    node: RemoteNode,
    household: Household,
    market: MarketId,
    plan: HouseholdScript,
    vm: Vm,
    /// Slots of the plan that are not settled.
    ahead: BTreeSet<Slot>,
    looked_at: Option<Hash>,
}

impl RemoteHousehold {
    /// Check that the node knows `identity`, and get ready to play `plan` on `market`. `vm` re-runs settlements: play
    /// on a thread with the stack that contracts need.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn connect(
        node: RemoteNode,
        identity: Identity,
        market: MarketId,
        plan: HouseholdScript,
        vm: Vm,
    ) -> Result<Self, RemoteError> {
        let genesis = node.block_hash(Height::ZERO)?.ok_or(RemoteError::NoGenesis)?;
        let best = node.best()?;
        RemoteNode::reading(|| check(&Overlay::new(&node.state(best)), &identity))??;
        let Identity { entity, meter, delegate, meter_key } = identity;
        let household = Household::new(entity, meter, Wallet::new(delegate, genesis), meter_key);
        let ahead = plan.intents.keys().chain(plan.registers.keys()).copied().collect();
        Ok(Self { node, household, market, plan, vm, ahead, looked_at: None })
    }

    /// Look at the best block, unless it was looked at before, and do what it calls for.
    ///
    /// # Errors
    /// [`ClientError`]: the round can be tried again.
    pub fn round(&mut self) -> Result<Round, ClientError> {
        let block = self.node.best()?;
        if self.looked_at == Some(block) {
            return Ok(Round { block, done: Vec::new(), over: self.ahead.is_empty() });
        }
        let Self { node, household, market, plan, vm, ahead, .. } = self;
        let mut turn = Turn { household, market: *market, plan, vm, signed: false };
        let state = node.state(block);
        let (deeds, settled) = RemoteNode::reading(|| turn.take(&Overlay::new(&state), ahead))?;
        let mut done = Vec::new();
        for (slot, deed, extrinsic) in deeds {
            let outcome = match node.submit(&extrinsic) {
                Ok(hash) => Ok(hash),
                Err(ClientError::Refused { message, .. }) => Err(message),
                Err(lost) => return Err(lost),
            };
            done.push(Done { slot, deed, outcome });
        }
        ahead.retain(|slot| !settled.contains(slot));
        self.looked_at = Some(block);
        Ok(Round { block, done, over: self.ahead.is_empty() })
    }
}

/// Whether the registry binds these keys to this entity and meter.
fn check(state: &Overlay, identity: &Identity) -> Result<(), RemoteError> {
    let &Identity { entity, meter, ref delegate, ref meter_key } = identity;
    let key = delegate.account();
    let now = timestamp::NOW.get(state).unwrap_or_default();
    let binding = registry::binding(state, &key, now).filter(|binding| binding.entity == entity);
    let needed = scopes::BID | scopes::CONFIRM;
    let may = binding.is_some_and(|key| key.scopes & scopes::OWNER != 0 || key.scopes & needed == needed);
    if !may {
        return Err(RemoteError::NotADelegate { key, entity });
    }
    let registered = METERS.get(state, &meter).filter(|registered| registered.entity == entity);
    let registered = registered.ok_or(RemoteError::NotItsMeter { meter, entity })?.key;
    let given = meter_key.account();
    if registered != given {
        return Err(RemoteError::OtherMeterKey { meter, registered, given });
    }
    Ok(())
}

type Deeds = Vec<(Slot, Deed, Vec<u8>)>;

/// One round on one state.
struct Turn<'a> {
    household: &'a mut Household,
    market: MarketId,
    plan: &'a HouseholdScript,
    vm: &'a Vm,
    /// Whether this round's signed extrinsic is spent.
    signed: bool,
}

impl Turn<'_> {
    /// What `state` calls for in the slots `ahead`, and which of them are settled or never were.
    fn take(&mut self, state: &Overlay, ahead: &BTreeSet<Slot>) -> (Deeds, BTreeSet<Slot>) {
        let (mut deeds, mut settled) = (Deeds::new(), BTreeSet::new());
        for &slot in ahead {
            match live(state, (self.market, slot)).map(|live| live.slot.state) {
                // The market began later: nobody waits for what will never open. One that has not begun may begin earlier.
                Err(Error::BeforeFirstSlot { .. }) if self.has_begun(state) => _ = settled.insert(slot),
                // Slots open in order: the rest of the plan lies in the future.
                Err(_) => break,
                Ok(SlotState::Settled) => _ = settled.insert(slot),
                Ok(_) => {
                    let done = self.act(state, slot).into_iter();
                    deeds.extend(done.map(|(deed, bytes)| (slot, deed, bytes)));
                }
            }
        }
        (deeds, settled)
    }

    /// Whether the market's parties have agreed to it, so that its first slot stands.
    fn has_begun(&self, state: &Overlay) -> bool {
        market(state, self.market).is_ok_and(|market| market.is_agreed())
    }

    fn act(&mut self, state: &Overlay, slot: Slot) -> Vec<(Deed, Vec<u8>)> {
        let Some(desk) = Desk::open(state, (self.market, slot)) else { return Vec::new() };
        let deed = match desk.live().slot.state {
            SlotState::Open if !self.signed => self.bid(&desk, slot),
            SlotState::Revealing if !self.signed => self.reveal(&desk, slot),
            SlotState::Proposed if !self.signed => self.confirm(&desk),
            SlotState::Metering => self.read(&desk, slot),
            SlotState::Voting => return self.vote(&desk, slot).unwrap_or_default(),
            _ => None,
        };
        deed.into_iter().collect()
    }

    fn bid(&mut self, desk: &Desk, slot: Slot) -> Option<(Deed, Vec<u8>)> {
        let intent = *self.plan.intents.get(&slot)?;
        let terms = &desk.live().terms;
        let gate_ms = u64::from(terms.windows.gate_before_s) * 1_000;
        let gate = terms.delivery_start(slot).minus_ms(gate_ms);
        let now: Timestamp = timestamp::NOW.get(desk.state())?;
        if now >= gate || self.household.has_order(desk) {
            return None;
        }
        self.signed = true;
        Some((Deed::Bid(intent), self.household.bid(desk, intent, gate)))
    }

    fn reveal(&mut self, desk: &Desk, slot: Slot) -> Option<(Deed, Vec<u8>)> {
        let intent = *self.plan.intents.get(&slot)?;
        let extrinsic = self.household.reveal(desk, intent, &desk.sealed())?;
        self.signed = true;
        Some((Deed::Reveal(intent), extrinsic))
    }

    fn confirm(&mut self, desk: &Desk) -> Option<(Deed, Vec<u8>)> {
        let matches = desk.matches();
        let entity = self.household.entity;
        let is_own = |found: &&Match| found.buy.order.entity == entity || found.sell.order.entity == entity;
        let own: Vec<&Match> = matches.iter().filter(is_own).collect();
        let extrinsic = self.household.confirm(desk, &own)?;
        self.signed = true;
        Some((Deed::Confirm(own.iter().map(|found| found.index).collect()), extrinsic))
    }

    fn read(&self, desk: &Desk, slot: Slot) -> Option<(Deed, Vec<u8>)> {
        let registers = *self.plan.registers.get(&slot)?;
        desk.unread().binary_search(&self.household.meter).ok()?;
        let measured_at = desk.live().terms.delivery_end(slot);
        Some((Deed::Read(registers), self.household.read(desk.live().at, registers, measured_at)))
    }

    /// One vote for itself and for each entity that it is proxy for.
    fn vote(&self, desk: &Desk, slot: Slot) -> Option<Vec<(Deed, Vec<u8>)>> {
        let (ballot, waiting) = desk.ballot(Stage::Certification)?;
        let seats = seats(self.household.entity, &waiting);
        if seats.is_empty() {
            return None;
        }
        let operator = desk.operator();
        let posted = desk.lists().into_iter().rev().find(|list| list.poster == operator)?;
        let case = Case::new(desk, desk.full_list(&posted), &posted);
        let own = self.plan.registers.get(&slot).copied();
        let (votes, opinion) = self.household.vote(desk, (&ballot, &seats), &posted, &case, own, self.vm);
        let (list, report) = (posted.hash, opinion.map(|opinion| opinion.report));
        let deed = |(seat, vote): (&Elector, Vec<u8>)| {
            let agrees = result_of(&vote) == Some(list);
            (Deed::Vote { voter: seat.entity, list, agrees, report }, vote)
        };
        Some(seats.iter().zip(votes).map(deed).collect())
    }
}

/// The result that a vote is for.
fn result_of(vote: &[u8]) -> Option<Hash> {
    match UncheckedExtrinsic::from_bytes(vote).ok()?.call {
        Call::Attestation(attestation::Call::Vote { claim, .. }) => Some(claim.result_hash),
        _ => None,
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bid(Intent { side, energy, price }) => {
                write!(f, "{side:?} {energy} Wh at {price} yuan/kWh")
            }
            Self::Reveal(intent) => write!(f, "reveal {}", Self::Bid(*intent)),
            Self::Confirm(trades) => write!(f, "confirm trades {trades:?}"),
            Self::Read((import, export)) => write!(f, "reading: import {import} Wh, export {export} Wh"),
            Self::Vote { voter, list, agrees: true, .. } => {
                write!(f, "vote of entity {voter} for list {list}")
            }
            Self::Vote { voter, list, agrees: false, .. } => {
                write!(f, "ALERT: vote of entity {voter} against list {list}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::keys::{KeyPair, SigningPolicy};
    use runtime_execution::modules::markets::{Consent, MARKETS, Market, Scheduled};
    use runtime_primitives::{FeederId, Money};
    use runtime_state::MemoryState;
    use runtime_vm::EngineKind;
    use std::collections::BTreeMap;

    #[test]
    fn a_plan_drops_slots_before_the_first_of_a_market_that_runs() {
        let signer = || Signer::new("//Eve".parse::<KeyPair>().unwrap(), SigningPolicy::Production);
        let (party, meter) = (EntityId::ZERO, MeterId::from_number(1));
        let wallet = Wallet::new(signer(), Hash::ZERO);
        let mut household = Household::new(party, meter, wallet, signer());
        let (intents, registers) = (BTreeMap::new(), BTreeMap::new());
        let (name, feeder, funds) = (String::new(), FeederId::from_number(0), Money::ZERO);
        let plan = HouseholdScript { name, p_max_w: 0, feeder, funds, intents, registers };
        let vm = Vm::new(EngineKind::Wasmtime).unwrap();
        let (early, first) = (Slot::from_number(4), Slot::from_number(5));
        for (agreed_at, dropped) in [(None, vec![]), (Some(Timestamp::ZERO), vec![early])] {
            let backend = MemoryState::default();
            let mut state = Overlay::new(&backend);
            let consents = vec![Consent { party, agreed_at }];
            let found = Market {
                operator: party,
                retailer: party,
                grid: party,
                meter_operator: party,
                pool: AccountId([0; 32]),
                deposit: Money::ZERO,
                default_settlement: Hash::ZERO,
                first_slot: first,
                next_slot: first,
                schedule: vec![Scheduled { from: first, terms: Hash::ZERO, consents }],
                last_declaration: Hash::ZERO,
            };
            MARKETS.put(&mut state, &MarketId::ZERO, &found);
            let market = MarketId::ZERO;
            let mut turn = Turn { household: &mut household, market, plan: &plan, vm: &vm, signed: false };
            let (deeds, settled) = turn.take(&state, &BTreeSet::from([early, first]));
            assert_eq!((deeds.len(), settled), (0, dropped.into_iter().collect()), "{agreed_at:?}");
        }
    }
}
