//! The play: a virtual clock, the agents, and a real node under a solo engine.
//!
//! Each round asks every agent what it does on the last committed state, submits that, and lets the engine order
//! one block. Nothing is remembered between rounds that the state does not say, so a killed play resumes.

use super::cast::{Cast, CastError, Casting, MARKET};
use super::script::Script;
use crate::agent::{Attestor, Case, Desk, Household, JournalError, Match, Opinion, seats};
use crate::bill::BillError;
use crate::node::{Chain, ChainError, PoolError};
use contract_interface::{ExecutionList, Stage};
use host_consensus::{EngineError, Progress as Wake, Solo, VirtualClock};
use host_storage::{Snapshot, StoreError};
use parity_scale_codec::Decode;
use runtime_execution::archive::{slot_key, tables};
use runtime_execution::modules::markets::slots::after;
use runtime_execution::modules::markets::{At, PostedList, SLOTS, SlotState};
use runtime_execution::modules::timestamp;
use runtime_primitives::{EntityId, Slot, Timestamp};
use runtime_state::Overlay;
use runtime_vm::{EngineKind, VM_THREAD_STACK_BYTES, Vm};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;

/// Time between blocks while there is something to do.
const INTERVAL_MS: u64 = 1_000;
/// Orders are placed this long before delivery: the slot before last has just been metered.
const BID_BEFORE_MS: u64 = 600_000;

/// Why a play stops.
#[derive(Debug, Error)]
pub enum PlayError {
    /// The node failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The engine stopped.
    #[error(transparent)]
    Engine(#[from] Box<EngineError<ChainError>>),
    /// The cast cannot assemble.
    #[error(transparent)]
    Cast(#[from] CastError),
    /// A vote could not be journalled.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The archive cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bills cannot be read.
    #[error(transparent)]
    Bill(#[from] BillError),
    /// The data folder cannot be made.
    #[error("data folder {}: {source}", path.display())]
    Folder {
        /// Which.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The scenario file is damaged.
    #[error(transparent)]
    Script(super::script::ScriptError),
    /// An agent's own extrinsic was refused: its picture of the chain is wrong.
    #[error("an agent's extrinsic was refused before block {height}: {reason}")]
    Refused {
        /// Height it was meant for.
        height: u64,
        /// Why.
        reason: PoolError,
    },
    /// The chain waits for nothing and the story is not over.
    #[error("the play is stuck at {time}: nothing is due and nobody acts")]
    Stuck {
        /// Chain time.
        time: Timestamp,
    },
}

/// A scenario being played.
pub struct Play {
    script: Script,
    cast: Cast,
    chain: Arc<Chain>,
    engine: Solo<Arc<Chain>, VirtualClock>,
    clock: VirtualClock,
    second: Vm,
    /// What households made of the settlements they voted on, by slot.
    pub opinions: BTreeMap<Slot, Vec<Opinion>>,
    /// Clearings re-run by validators, and how many agreed.
    pub attested: (u64, u64),
    next_unsettled: Slot,
}

impl Play {
    /// Start or resume the play of `script` in `folder`.
    ///
    /// # Errors
    /// [`PlayError`].
    pub fn open(script: Script, casting: Casting, folder: &Path) -> Result<Self, PlayError> {
        let io = |source| PlayError::Folder { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(io)?;
        let chain = Arc::new(Chain::open(&folder.join("chain.redb"), &Cast::genesis_config(&script))?);
        let cast = Cast::assemble(&script, casting, chain.genesis(), folder)?;
        let clock = VirtualClock::starting_at(chain.now());
        let engine = Solo::new(chain.clone(), clock.clone(), INTERVAL_MS);
        let second = Vm::new(EngineKind::Wasmi).map_err(ChainError::from)?;
        let next_unsettled = script.slots.0;
        Ok(Self {
            script,
            cast,
            chain,
            engine,
            clock,
            second,
            opinions: BTreeMap::new(),
            attested: (0, 0),
            next_unsettled,
        })
    }

    /// The node.
    pub fn chain(&self) -> &Arc<Chain> {
        &self.chain
    }

    /// The script.
    pub const fn script(&self) -> &Script {
        &self.script
    }

    /// Play until the last slot is settled; `on_settled` hears of each slot.
    ///
    /// # Errors
    /// [`PlayError`].
    pub fn run(&mut self, on_settled: impl FnMut(Slot)) -> Result<(), PlayError> {
        self.run_watching(on_settled, |_| {})
    }

    /// As [`Play::run`]; `on_block` also sees the state after every block.
    ///
    /// # Errors
    /// [`PlayError`].
    pub fn run_watching(
        &mut self,
        mut on_settled: impl FnMut(Slot),
        mut on_block: impl FnMut(&Overlay),
    ) -> Result<(), PlayError> {
        while !self.is_over(&mut on_settled) {
            if self.round()? {
                on_block(&Overlay::new(&self.chain.snapshot()));
            }
        }
        Ok(self.chain.settle()?)
    }

    fn is_over(&mut self, on_settled: &mut impl FnMut(Slot)) -> bool {
        let snapshot = self.chain.snapshot();
        let state = Overlay::new(&snapshot);
        while self.next_unsettled <= self.script.slots.1 {
            let record = SLOTS.get(&state, &(MARKET, self.next_unsettled));
            if record.is_none_or(|slot| slot.state != SlotState::Settled) {
                return false;
            }
            on_settled(self.next_unsettled);
            self.next_unsettled = after(self.next_unsettled);
        }
        true
    }

    /// One block (`true`), or a step of the clock.
    fn round(&mut self) -> Result<bool, PlayError> {
        let snapshot = self.chain.snapshot();
        let now = timestamp::NOW.get(&Overlay::new(&snapshot)).unwrap_or_default();
        let time = self.clock.advance_to(now.plus_ms(INTERVAL_MS));
        let batch = self.actions(&snapshot, time)?;
        let height = snapshot.height().next().number();
        drop(snapshot);
        let due = self.chain.next_due();
        if batch.is_empty() && due.is_none_or(|due| due > time) {
            let wake = [due, self.next_bidding(time)].into_iter().flatten().min();
            let wake = wake.ok_or(PlayError::Stuck { time })?;
            self.clock.advance_to(wake);
            return Ok(false);
        }
        for answer in self.chain.submit(batch) {
            answer.map_err(|reason| PlayError::Refused { height, reason })?;
        }
        match self.engine.wake().map_err(Box::new)? {
            Wake::Finalized { .. } => Ok(true),
            Wake::Idle | Wake::Waiting { .. } => Err(PlayError::Stuck { time }),
        }
    }

    fn delivery_start(&self, slot: Slot) -> Timestamp {
        self.cast.terms.delivery_start(slot)
    }

    /// When households next look at a slot to trade in.
    fn next_bidding(&self, time: Timestamp) -> Option<Timestamp> {
        let mut slot = self.next_unsettled;
        while slot <= self.script.slots.1 {
            let moment = self.delivery_start(slot).minus_ms(BID_BEFORE_MS);
            if moment > time {
                return Some(moment);
            }
            slot = after(slot);
        }
        None
    }

    /// What everybody does on this state at this time.
    fn actions(&mut self, snapshot: &Snapshot, time: Timestamp) -> Result<Vec<Vec<u8>>, PlayError> {
        if let Some(batch) = self.cast.setup(&Overlay::new(snapshot)) {
            return Ok(batch);
        }
        let mut batch = Vec::new();
        let mut slot = self.next_unsettled;
        while slot <= self.script.slots.1 && self.delivery_start(slot).minus_ms(BID_BEFORE_MS) <= time {
            self.act_in(snapshot, (MARKET, slot), time, &mut batch)?;
            slot = after(slot);
        }
        Ok(batch)
    }

    fn act_in(
        &mut self,
        snapshot: &Snapshot,
        at: At,
        time: Timestamp,
        batch: &mut Vec<Vec<u8>>,
    ) -> Result<(), PlayError> {
        let state = Overlay::new(snapshot);
        let Some(desk) = Desk::open(&state, at) else { return Ok(()) };
        match desk.live().slot.state {
            SlotState::Open => batch.extend(self.bids(snapshot, at, time)),
            SlotState::Revealing => batch.extend(self.reveals(snapshot, &desk)),
            SlotState::Proposed => batch.extend(self.confirmations(snapshot, &desk)),
            SlotState::Confirmed => {
                for attestor in &mut self.cast.attestors {
                    batch.extend(attest(attestor, &desk, &self.second, &mut self.attested)?);
                }
            }
            SlotState::Metering => batch.extend(self.readings(snapshot, &desk)),
            SlotState::Voting => self.vote(snapshot, &desk, batch)?,
            SlotState::Disputed => {
                for attestor in &mut self.cast.attestors {
                    batch.extend(attestor.arbitrate(&desk)?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn bids(&mut self, snapshot: &Snapshot, at: At, time: Timestamp) -> Vec<Vec<u8>> {
        let gate_ms = u64::from(self.script.windows.gate_before_s) * 1_000;
        let gate = self.delivery_start(at.1).minus_ms(gate_ms);
        if time >= gate {
            return Vec::new();
        }
        let scripts = &self.script.households;
        in_parallel(snapshot, at, &mut self.cast.households, |desk, number, household| {
            let intent = scripts[number].intents.get(&at.1)?;
            let wants = !household.has_order(desk) && household.can_afford(desk, *intent);
            wants.then(|| household.bid(desk, *intent, gate))
        })
    }

    fn reveals(&mut self, snapshot: &Snapshot, desk: &Desk) -> Vec<Vec<u8>> {
        let (at, sealed) = (desk.live().at, desk.sealed());
        let scripts = &self.script.households;
        in_parallel(snapshot, at, &mut self.cast.households, |desk, number, household| {
            household.reveal(desk, *scripts[number].intents.get(&at.1)?, &sealed)
        })
    }

    fn confirmations(&mut self, snapshot: &Snapshot, desk: &Desk) -> Vec<Vec<u8>> {
        let matches = desk.matches();
        let mut own: BTreeMap<EntityId, Vec<&Match>> = BTreeMap::new();
        for found in &matches {
            own.entry(found.buy.order.entity).or_default().push(found);
            own.entry(found.sell.order.entity).or_default().push(found);
        }
        in_parallel(snapshot, desk.live().at, &mut self.cast.households, |desk, _, household| {
            household.confirm(desk, own.get(&household.entity)?)
        })
    }

    fn readings(&mut self, snapshot: &Snapshot, desk: &Desk) -> Vec<Vec<u8>> {
        let at = desk.live().at;
        let unread = desk.unread();
        let measured_at = desk.live().terms.delivery_end(at.1);
        let scripts = &self.script.households;
        in_parallel(snapshot, at, &mut self.cast.households, |_, number, household| {
            unread.binary_search(&household.meter).ok()?;
            Some(household.read(at, *scripts[number].registers.get(&at.1)?, measured_at))
        })
    }

    /// The platform posts its list first; then everybody entitled votes on it.
    fn vote(&mut self, snapshot: &Snapshot, desk: &Desk, batch: &mut Vec<Vec<u8>>) -> Result<(), PlayError> {
        if let Some(post) = self.cast.operator.post_list(desk) {
            batch.push(post);
            return Ok(());
        }
        batch.extend(self.cast.operator.vote(desk));
        batch.extend(self.cast.grid.vote(desk));
        let Some((ballot, waiting)) = desk.ballot(Stage::Certification) else { return Ok(()) };
        let operator = desk.operator();
        let Some(posted) = desk.lists().into_iter().rev().find(|list| list.poster == operator) else {
            return Ok(());
        };
        let case = Case::new(desk, full_list(snapshot, desk.live().at, &posted)?, &posted);
        let (scripts, vm, at) = (&self.script.households, self.chain.vm(), desk.live().at);
        let voted = in_parallel(snapshot, at, &mut self.cast.households, |desk, number, household| {
            let seats = seats(household.entity, &waiting);
            let own = scripts[number].registers.get(&at.1).copied();
            (!seats.is_empty()).then(|| household.vote(desk, (&ballot, &seats), &posted, &case, own, vm))
        });
        for (votes, opinion) in voted {
            batch.extend(votes);
            self.opinions.entry(at.1).or_default().extend(opinion);
        }
        Ok(())
    }
}

fn attest(
    attestor: &mut Attestor,
    desk: &Desk,
    second: &Vm,
    attested: &mut (u64, u64),
) -> Result<Option<Vec<u8>>, JournalError> {
    let Some((vote, verdict)) = attestor.attest(desk, second)? else { return Ok(None) };
    attested.0 += 1;
    attested.1 += u64::from(verdict.agrees());
    Ok(Some(vote))
}

/// A posted list in full, from the archive.
fn full_list(snapshot: &Snapshot, at: At, posted: &PostedList) -> Result<ExecutionList, StoreError> {
    let key = [&slot_key(at)[..], posted.hash.as_bytes()].concat();
    let bytes = snapshot.archive_get(tables::LIST, &key)?.unwrap_or_default();
    Ok(ExecutionList::decode(&mut &bytes[..]).unwrap_or_default())
}

/// Ask every household, on all cores; answers in the households' order.
fn in_parallel<R: Send>(
    snapshot: &Snapshot,
    at: At,
    households: &mut [Household],
    ask: impl Fn(&Desk, usize, &mut Household) -> Option<R> + Sync,
) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = households.len().div_ceil(cores).max(1);
    let ask = &ask;
    std::thread::scope(|scope| {
        let workers: Vec<_> = households
            .chunks_mut(share)
            .enumerate()
            .map(|(part, households)| {
                let work = move || {
                    let state = Overlay::new(snapshot);
                    let Some(desk) = Desk::open(&state, at) else { return Vec::new() };
                    let numbered = (part * share..).zip(households);
                    numbered.filter_map(|(number, household)| ask(&desk, number, household)).collect()
                };
                let builder = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
                builder.spawn_scoped(scope, work).expect("the system can start a thread")
            })
            .collect();
        let parts = workers.into_iter().map(|worker| worker.join().expect("agents do not panic"));
        parts.collect::<Vec<Vec<R>>>().into_iter().flatten().collect()
    })
}
