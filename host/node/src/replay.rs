//! Replay: a chain executed again from its own file, block by block, and compared with everything the file says.
//!
//! A replay trusts the ordered blocks and the genesis only. Headers, bodies, receipts, archive and the last state
//! must all follow from them; the first thing that does not is the verdict.

use crate::node::SignatureCache;
use host_storage::{Snapshot, StoreError};
use parity_scale_codec::Encode;
use runtime_execution::extrinsic::UncheckedExtrinsic;
use runtime_execution::{
    BlockError, ExecutedBlock, GenesisConfig, GenesisError, build_genesis, check, execute_block,
};
use runtime_primitives::{Hash, Header, Height, OrderedBlock};
use runtime_state::{ArchiveRow, Backend, MemoryState, Overlay};
use runtime_vm::{EngineKind, Vm, VmFault};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why a chain does not replay.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The contract machine could not be made.
    #[error(transparent)]
    Vm(#[from] VmFault),
    /// The spec describes no genesis.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The spec is of another chain.
    #[error("block 0: stored header {stored}, the spec gives {derived}: it is of another chain")]
    OtherChain {
        /// In the store.
        stored: Hash,
        /// From the spec.
        derived: Hash,
    },
    /// A block is missing.
    #[error("block {0} is missing from the store")]
    Missing(Height),
    /// A stored block cannot be executed on the state before it.
    #[error("block {height}: {source}")]
    Block {
        /// Which.
        height: Height,
        /// The rule it breaks.
        source: BlockError,
    },
    /// Execution gives another header.
    #[error("block {height}: stored header {stored}, execution gives {derived}")]
    Header {
        /// Which.
        height: Height,
        /// In the store.
        stored: Hash,
        /// From execution.
        derived: Hash,
    },
    /// Execution gives another body or other receipts.
    #[error("block {height}: the stored {what} are not those of its execution")]
    Derived {
        /// Which.
        height: Height,
        /// Extrinsics or receipts.
        what: &'static str,
    },
    /// Execution gives other archive rows.
    #[error("archive table {table}, row {row}: not what execution gives")]
    Archive {
        /// Which table.
        table: u8,
        /// Its key, in hexadecimal.
        row: String,
    },
    /// The stored state is not what the blocks lead to.
    #[error("the stored state differs from the replayed one at key {key}")]
    State {
        /// Which key.
        key: String,
    },
}

/// A chain that replays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Hash of the genesis header.
    pub genesis: Hash,
    /// Blocks executed.
    pub blocks: u64,
    /// Ordered extrinsics in them.
    pub extrinsics: u64,
    /// Archive rows compared.
    pub archive_rows: u64,
    /// Keys of the state compared.
    pub state_keys: u64,
    /// Hash of the last header.
    pub last: Hash,
}

/// Execute the chain of `snapshot` again from `config`; `on_block` hears of each block with its extrinsics.
/// Runs contracts: call it on a thread with `VM_THREAD_STACK_BYTES` of stack.
///
/// # Errors
/// [`ReplayError`]: the first difference.
pub fn replay(
    snapshot: &Snapshot,
    config: &GenesisConfig,
    mut on_block: impl FnMut(u64),
) -> Result<Replayed, ReplayError> {
    let mut replay = Replay::start(snapshot, config)?;
    for number in 1..=snapshot.height().number() {
        let extrinsics = replay.block(Height::from_number(number))?;
        on_block(extrinsics);
    }
    replay.finish()
}

struct Replay<'a> {
    snapshot: &'a Snapshot,
    vm: Vm,
    signatures: SignatureCache,
    genesis: Hash,
    state: MemoryState,
    parent: Header,
    /// Rows that differ from the archive; a later row of the same key may explain that.
    suspect: BTreeMap<(u8, Vec<u8>), Height>,
    done: Replayed,
}

impl<'a> Replay<'a> {
    fn start(snapshot: &'a Snapshot, config: &GenesisConfig) -> Result<Self, ReplayError> {
        let genesis = build_genesis(config)?;
        let derived = genesis.header.hash();
        let stored = snapshot.header(Height::ZERO)?.ok_or(ReplayError::Missing(Height::ZERO))?.hash();
        if stored != derived {
            return Err(ReplayError::OtherChain { stored, derived });
        }
        let mut state = MemoryState::new();
        state.apply(&genesis.changes, genesis.trie);
        let done = Replayed {
            genesis: derived,
            blocks: 0,
            extrinsics: 0,
            archive_rows: 0,
            state_keys: 0,
            last: derived,
        };
        Ok(Self {
            snapshot,
            vm: Vm::new(EngineKind::Wasmtime)?,
            signatures: SignatureCache::default(),
            genesis: derived,
            state,
            parent: genesis.header,
            suspect: BTreeMap::new(),
            done,
        })
    }

    /// Execute one block; gives the number of its ordered extrinsics.
    fn block(&mut self, height: Height) -> Result<u64, ReplayError> {
        let missing = || ReplayError::Missing(height);
        let block = self.snapshot.block(height)?.ok_or_else(missing)?;
        let stored = self.snapshot.header(height)?.ok_or_else(missing)?.hash();
        self.learn(&block);
        let executed =
            execute_block(&self.vm, &self.state, &self.parent, &self.genesis, &block, &self.signatures);
        let executed = executed.map_err(|source| ReplayError::Block { height, source })?;
        let derived = executed.header.hash();
        if stored != derived {
            return Err(ReplayError::Header { height, stored, derived });
        }
        self.compare(height, &executed)?;
        self.state.apply(&executed.changes, executed.trie);
        self.parent = executed.header;
        let extrinsics = block.extrinsics.len() as u64;
        self.done.blocks += 1;
        self.done.extrinsics += extrinsics;
        self.done.last = derived;
        Ok(extrinsics)
    }

    /// Verify the block's signatures ahead, in batches.
    fn learn(&self, block: &OrderedBlock) {
        let state = Overlay::new(&self.state);
        let mut statements = Vec::new();
        for bytes in &block.extrinsics {
            if let Ok(extrinsic) = UncheckedExtrinsic::from_bytes(bytes) {
                let height = block.height.number();
                check::statements(&state, &self.genesis, height, &extrinsic, &mut statements);
            }
        }
        self.signatures.learn(&statements);
    }

    fn compare(&mut self, height: Height, executed: &ExecutedBlock) -> Result<(), ReplayError> {
        if self.snapshot.body(height)?.as_ref() != Some(&executed.body) {
            return Err(ReplayError::Derived { height, what: "extrinsics" });
        }
        if self.snapshot.receipts(height)? != Some(executed.receipts.encode()) {
            return Err(ReplayError::Derived { height, what: "receipts" });
        }
        for ArchiveRow { table, key, value } in &executed.archive {
            let name = (*table, key.clone());
            if self.snapshot.archive_get(*table, key)?.as_ref() == Some(value) {
                self.suspect.remove(&name);
            } else {
                self.suspect.insert(name, height);
            }
            self.done.archive_rows += 1;
        }
        Ok(())
    }

    /// Compare what only the end can tell: the archive and the state.
    fn finish(mut self) -> Result<Replayed, ReplayError> {
        if let Some(((table, key), _)) = self.suspect.first_key_value() {
            return Err(ReplayError::Archive { table: *table, row: hex(key) });
        }
        let mut stored = next_key(self.snapshot, None);
        for (key, value) in self.state.iter() {
            self.done.state_keys += 1;
            let differs = stored.as_deref() != Some(key) || self.snapshot.get(key).as_deref() != Some(value);
            if differs {
                return Err(ReplayError::State { key: hex(key) });
            }
            stored = next_key(self.snapshot, Some(key));
        }
        match stored {
            Some(key) => Err(ReplayError::State { key: hex(&key) }),
            None => Ok(self.done),
        }
    }
}

/// The first key of all (keys are never empty), or the next one.
fn next_key(snapshot: &Snapshot, after: Option<&[u8]>) -> Option<Vec<u8>> {
    snapshot.next_key(after.unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
