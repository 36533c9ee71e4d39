//! What a module sees while a block is executed: state, environment, events, archive, machine.
//!
//! Effects are undone together: [`Context::transactional`] is the only way to try something.

use crate::archive::ArchiveEntry;
use crate::event::{Event, EventRecord, Phase};
use crate::storage::Due;
use parity_scale_codec::Encode;
use runtime_primitives::crypto::Statement;
use runtime_primitives::{Gas, Hash, Height, Timestamp};
use runtime_state::Overlay;
use runtime_vm::Vm;

/// Decides whether a statement's signature is valid. The answer is a pure function of the statement: an
/// implementation may have verified it before (in a batch, in the pool), never differently.
pub trait Verifier {
    /// Whether the signature is valid.
    fn verify(&self, statement: &Statement) -> bool;
}

/// Verifies each statement when asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerifySingly;

impl Verifier for VerifySingly {
    fn verify(&self, statement: &Statement) -> bool {
        statement.verify()
    }
}

/// Where in time and on which chain a block is executed.
#[derive(Clone, Copy, Debug)]
pub struct BlockEnv {
    /// Height of the block.
    pub height: Height,
    /// Its time.
    pub now: Timestamp,
    /// Hash of the genesis header.
    pub genesis: Hash,
}

/// The state of an execution.
pub struct Context<'a> {
    /// Layered writes over the parent state.
    pub state: Overlay<'a>,
    /// The block.
    pub env: BlockEnv,
    /// The contract machine.
    pub vm: &'a Vm,
    /// Signature verification.
    pub verifier: &'a dyn Verifier,
    /// Hash of the extrinsic being applied; zero outside.
    pub extrinsic: Hash,
    /// Where events are placed.
    pub phase: Phase,
    /// Gas left for the market steps of this block.
    pub market_gas_left: Gas,
    /// Slots that may still open in this block.
    pub openings_left: u32,
    /// While the markets' agenda is worked off: no entry stands before this one but such that wait for a later pass.
    pub agenda_from: Option<Due>,
    events: Vec<EventRecord>,
    events_bytes: usize,
    /// Of these, what market steps emitted before the first extrinsic: they must not crowd out anybody's.
    events_of_steps: usize,
    archive: Vec<ArchiveEntry>,
    moves: u32,
}

impl<'a> Context<'a> {
    /// Start on `state`.
    pub fn new(state: Overlay<'a>, env: BlockEnv, vm: &'a Vm, verifier: &'a dyn Verifier) -> Self {
        Self {
            state,
            env,
            vm,
            verifier,
            extrinsic: Hash::ZERO,
            phase: Phase::Initialization,
            market_gas_left: Gas::from_units(runtime_primitives::limits::MARKET_STEPS_GAS_MAX),
            openings_left: runtime_primitives::limits::SLOTS_OPENED_PER_BLOCK_MAX,
            agenda_from: None,
            events: Vec::new(),
            events_bytes: 0,
            events_of_steps: 0,
            archive: Vec::new(),
            moves: 0,
        }
    }

    /// Emit an event.
    pub fn emit(&mut self, event: impl Into<Event>) {
        self.emit_with_topics(event, Vec::new());
    }

    /// Emit an event with index topics.
    pub fn emit_with_topics(&mut self, event: impl Into<Event>, topics: Vec<Hash>) {
        let record = EventRecord { phase: self.phase, event: event.into(), topics };
        self.events_bytes += record.encoded_size();
        self.events.push(record);
    }

    /// Note that extrinsics begin.
    pub const fn begin_extrinsics(&mut self) {
        self.events_of_steps = self.events_bytes;
    }

    /// Bytes of the extrinsics' events so far.
    pub const fn events_bytes(&self) -> usize {
        self.events_bytes - self.events_of_steps
    }

    /// Append to the archive.
    pub fn archive(&mut self, entry: ArchiveEntry) {
        self.archive.push(entry);
    }

    /// A number for the next ledger entry of this block.
    pub const fn next_move(&mut self) -> u32 {
        self.moves += 1;
        self.moves - 1
    }

    /// Run `body`; on an error undo its writes, events and archive entries.
    ///
    /// # Errors
    /// What `body` returns.
    pub fn transactional<T, E>(&mut self, body: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let (events, bytes, archive, moves) =
            (self.events.len(), self.events_bytes, self.archive.len(), self.moves);
        self.state.begin();
        let result = body(self);
        if result.is_ok() {
            self.state.commit();
        } else {
            self.state.rollback();
            self.events.truncate(events);
            self.archive.truncate(archive);
            (self.events_bytes, self.moves) = (bytes, moves);
        }
        result
    }

    /// What is left when the block is done.
    pub fn finish(self) -> (Overlay<'a>, Vec<EventRecord>, Vec<ArchiveEntry>) {
        (self.state, self.events, self.archive)
    }
}
