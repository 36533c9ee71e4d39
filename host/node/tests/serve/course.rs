//! Slots of the summer day, what a chain made of them, read over RPC block by block, and the hand of its clock.

use contract_interface::Stage;
use host_node::chain_spec::Preset;
use host_node::scenario::{MARKET, Script, SlotResults};
use host_rpc::RemoteNode;
use runtime_execution::Receipt;
use runtime_execution::archive::{stage_key, tables};
use runtime_execution::modules::markets::slots::{after, next_due};
use runtime_execution::modules::markets::{SLOTS, SlotState};
use runtime_execution::modules::system::{ACCOUNT, AccountInfo};
use runtime_execution::modules::timestamp;
use runtime_primitives::{AccountId, Hash, Height, Slot, Timestamp};
use runtime_state::Overlay;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Time between two blocks, on the clock in the file.
pub const INTERVAL_MS: u64 = 1_000;

/// These slots of the summer day, by meters that start at zero.
pub fn script(from: u32, to: u32) -> Script {
    let mut script = Preset::Summer.script().unwrap();
    let (first, last) = (Slot::from_number(from), Slot::from_number(to - 1));
    script.slots = (first, last);
    for household in &mut script.households {
        let before =
            household.registers.range(..first).next_back().map_or_else(Default::default, |(_, found)| *found);
        household.registers.retain(|slot, _| (first..=last).contains(slot));
        household.intents.retain(|slot, _| (first..=last).contains(slot));
        for (import, export) in household.registers.values_mut() {
            *import = import.checked_sub(before.0).unwrap();
            *export = export.checked_sub(before.1).unwrap();
        }
    }
    script
}

/// The hand of a clock in a file.
pub struct Hand {
    pub path: PathBuf,
    time: Timestamp,
}

impl Hand {
    pub fn at(path: PathBuf, time: Timestamp) -> Self {
        let mut hand = Self { path, time: Timestamp::ZERO };
        hand.reach(time);
        hand
    }

    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Time passes.
    pub fn pass(&mut self, time: Duration) {
        self.reach(self.time.plus_ms(u64::try_from(time.as_millis()).unwrap()));
    }

    /// Show `time`, unless a later one is shown.
    pub fn reach(&mut self, time: Timestamp) {
        if time > self.time {
            let new = self.path.with_extension("new");
            std::fs::write(&new, time.ms().to_string()).unwrap();
            std::fs::rename(&new, &self.path).unwrap();
            self.time = time;
        }
    }
}

/// A block.
pub struct Block {
    pub hash: Hash,
    pub time: Timestamp,
    /// What it applied, without the inherent.
    pub extrinsics: Vec<Vec<u8>>,
    pub receipts: Vec<Receipt>,
}

/// What a slot came to, and who had what when it was settled.
#[derive(Debug, PartialEq, Eq)]
pub struct Settled {
    pub results: SlotResults,
    pub accounts: BTreeMap<AccountId, AccountInfo>,
}

/// The blocks of a chain from 1 on, and its settled slots.
pub struct Course {
    pub blocks: Vec<Block>,
    pub settled: Vec<Settled>,
    pub next_slot: Slot,
    best: Hash,
}

impl Course {
    pub const fn from(genesis: Hash, first: Slot) -> Self {
        Self { blocks: Vec::new(), settled: Vec::new(), next_slot: first, best: genesis }
    }

    pub const fn best(&self) -> Hash {
        self.best
    }

    /// Read what `node` has beyond; each block must follow the one before.
    pub fn follow(&mut self, node: &RemoteNode) {
        while let Some(hash) = node.block_hash(Height::from_number(self.blocks.len() as u64 + 1)).unwrap() {
            let time = node.time(hash).unwrap().unwrap();
            let extrinsics = node.body(hash).unwrap().unwrap().split_off(1);
            let receipts = node.receipts(hash).unwrap();
            self.blocks.push(Block { hash, time, extrinsics, receipts });
            self.best = hash;
            self.settle(node);
        }
    }

    fn settle(&mut self, node: &RemoteNode) {
        let backend = node.state(self.best);
        let state = Overlay::new(&backend);
        while SLOTS
            .get(&state, &(MARKET, self.next_slot))
            .is_some_and(|slot| slot.state == SlotState::Settled)
        {
            let at = (MARKET, self.next_slot);
            let rows = node.archive(tables::STAGE, &stage_key(at, Stage::Settlement)).unwrap();
            let results = SlotResults::of(&state, &rows, at);
            self.settled.push(Settled { results, accounts: ACCOUNT.entries(&state) });
            self.next_slot = after(self.next_slot);
        }
    }

    /// Time of the last block.
    pub fn now(&self, node: &RemoteNode) -> Timestamp {
        let backend = node.state(self.best);
        timestamp::NOW.get(&Overlay::new(&backend)).unwrap_or_default()
    }

    /// When the market needs a block next.
    pub fn due(&self, node: &RemoteNode) -> Option<Timestamp> {
        let backend = node.state(self.best);
        next_due(&Overlay::new(&backend))
    }
}
