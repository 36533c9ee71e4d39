//! What a chain spec alone says, and whoever checks a chain begins with.

use super::{SetChain, SetMember};
use runtime_execution::modules::registry::validators;
use runtime_execution::{GenesisConfig, GenesisError, build_genesis};
use runtime_primitives::Hash;
use runtime_state::{MemoryState, Overlay};

/// What is known of a chain before anything is heard of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// Hash of its genesis header.
    pub genesis: Hash,
    /// Blocks of an epoch.
    pub epoch_blocks: u64,
    /// Who signs checkpoints in its first two epochs.
    pub first: Vec<SetMember>,
}

impl Trusted {
    /// What the chain's spec says.
    ///
    /// # Errors
    /// If it describes no genesis.
    pub fn new(config: &GenesisConfig) -> Result<Self, GenesisError> {
        let genesis = build_genesis(config)?;
        let mut state = MemoryState::new();
        state.apply(&genesis.changes, genesis.trie);
        let first = validators::current(&Overlay::new(&state));
        Ok(Self {
            genesis: genesis.header.hash(),
            epoch_blocks: config.epoch_blocks,
            first: SetMember::signers(first),
        })
    }

    /// The validators, from the first on.
    pub fn sets(&self) -> SetChain {
        SetChain::new(self.genesis, self.epoch_blocks, self.first.clone())
    }
}
