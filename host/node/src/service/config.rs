//! What a node is started with.

use super::error::ServiceError;
use super::room::Room;
use crate::chain_spec::ChainSpec;
use crate::keys::Signer;
use crate::node::Chain;
use runtime_execution::GenesisConfig;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What a node is started with.
#[derive(Debug)]
pub struct ServiceConfig {
    /// Folder of the chain and the vote journals.
    pub data: PathBuf,
    /// What the chain starts with.
    pub genesis: GenesisConfig,
    /// Least time between two blocks, in ms.
    pub interval_ms: u64,
    /// Where to serve RPC, if at all.
    pub rpc: Option<SocketAddr>,
    /// Where to listen for other validators; `None` where this node orders alone.
    pub listen: Option<SocketAddr>,
    /// Session keys to attest with. The engine's key follows from the first.
    pub sessions: Vec<Signer>,
    /// What must stay free where the data folder is, in MiB; the node stops before it is used up.
    pub min_free_disk_mib: u64,
    /// Execute every block on the second engine as well.
    pub paranoid: bool,
}

impl ServiceConfig {
    /// Open the chain in the data folder, or start it there, if there is room.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub(super) fn open(&self) -> Result<(Arc<Chain>, Room), ServiceError> {
        let Self { data, genesis, interval_ms, min_free_disk_mib, paranoid, .. } = self;
        std::fs::create_dir_all(data)
            .map_err(|source| ServiceError::Folder { path: data.clone(), source })?;
        let room = Room::new(data, *min_free_disk_mib);
        room.look()?;
        let file = data.join("chain.redb");
        let is_new = !file.exists();
        let chain = Chain::open(&file, genesis)?;
        let chain = if *paranoid { chain.paranoid()? } else { chain };
        if is_new {
            ChainSpec::keep(genesis, *interval_ms, &file)?;
        }
        Ok((Arc::new(chain), room))
    }
}

/// What must stay free unless told otherwise, in MiB: more than an engine and a store write between two looks at the disk.
pub const MIN_FREE_DISK_MIB: u64 = 128;
