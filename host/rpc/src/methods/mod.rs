//! The methods, one function each. All read one committed block; none holds it longer than the call.

mod author;
mod busbar;
mod chain;
pub mod state;
mod system;

pub use author::extrinsic;

use crate::door::Door;
use crate::error::CallError;
use crate::params::Arguments;
use crate::subscriptions;
use crate::view::NodeView;
use host_storage::Snapshot;
use jsonrpsee::RpcModule;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use runtime_primitives::{Hash, Header, Height};
use serde_json::{Value, json};
use std::sync::Arc;

pub type Answer = Result<Value, CallError>;
type Method<V> = fn(&V, &Arguments) -> Answer;

/// Methods that read the store.
fn table<V: NodeView>() -> Vec<(&'static str, Method<V>)> {
    vec![
        ("author_pendingExtrinsics", author::pending),
        ("author_submitExtrinsic", author::submit),
        ("busbar_getArchive", busbar::archive),
        ("busbar_getCheckpoints", busbar::checkpoints),
        ("busbar_getFinality", busbar::finality),
        ("busbar_getOrderedBlocks", busbar::ordered_blocks),
        ("busbar_getReceipts", busbar::receipts),
        ("busbar_getStatus", busbar::status),
        ("chain_getBlock", chain::block),
        ("chain_getBlockHash", chain::block_hash),
        ("chain_getFinalizedHead", chain::finalized_head),
        ("chain_getHeader", chain::header),
        ("childstate_getKeysPaged", state::child_keys_paged),
        ("childstate_getStorage", state::child_storage),
        ("childstate_getStorageHash", state::child_hash),
        ("childstate_getStorageSize", state::child_size),
        ("payment_queryFeeDetails", author::query_fee_details),
        ("payment_queryInfo", author::query_info),
        ("state_getKeys", state::keys),
        ("state_getKeysPaged", state::keys_paged),
        ("state_getMetadata", state::metadata),
        ("state_getRuntimeVersion", state::runtime_version),
        ("state_getStorage", state::storage),
        ("state_getStorageHash", state::storage_hash),
        ("state_getStorageSize", state::storage_size),
        ("state_queryStorage", state::values_between),
        ("state_queryStorageAt", state::values_at),
        ("system_accountNextIndex", system::next_nonce),
        ("system_chain", system::chain),
        ("system_chainType", system::chain_type),
        ("system_health", system::health),
        ("system_name", system::name),
        ("system_nodeRoles", system::node_roles),
        ("system_peers", system::peers),
        ("system_properties", system::properties),
        ("system_syncState", system::sync_state),
        ("system_version", system::version),
    ]
}

/// Other names of methods, as Substrate's nodes have them.
const ALIASES: [(&str, &str); 12] = [
    ("account_nextIndex", "system_accountNextIndex"),
    ("chain_getFinalisedHead", "chain_getFinalizedHead"),
    ("chain_getHead", "chain_getBlockHash"),
    ("chain_getRuntimeVersion", "state_getRuntimeVersion"),
    ("chain_subscribeFinalisedHeads", "chain_subscribeFinalizedHeads"),
    ("chain_subscribeNewHead", "chain_subscribeNewHeads"),
    ("chain_subscribeRuntimeVersion", "state_subscribeRuntimeVersion"),
    ("state_callAt", "state_call"),
    ("state_getKeysPagedAt", "state_getKeysPaged"),
    ("state_getStorageAt", "state_getStorage"),
    ("state_getStorageHashAt", "state_getStorageHash"),
    ("state_getStorageSizeAt", "state_getStorageSize"),
];

/// Run a method where it may wait for the disk.
fn run<V: NodeView>(method: Method<V>, params: &Params, door: &Door<V>) -> Result<Value, ErrorObjectOwned> {
    let answer = Arguments::read(params).and_then(|arguments| method(&door.view, &arguments));
    answer.map_err(ErrorObjectOwned::from)
}

/// All methods behind `door`.
///
/// # Panics
/// Never: every name is registered once.
pub fn module<V: NodeView>(door: Arc<Door<V>>) -> RpcModule<Door<V>> {
    const ONCE: &str = "every name is registered once";
    let mut module = RpcModule::from_arc(door);
    for (name, method) in table() {
        let call = move |params: Params, door: Arc<Door<V>>, _| run(method, &params, &door);
        module.register_blocking_method(name, call).expect(ONCE);
    }
    // Contracts may run: who asks waits without a thread until it is its turn.
    let call = |params: Params<'static>, door: Arc<Door<V>>, _| async move {
        let _turn = door.turns.acquire().await;
        let asked = door.clone();
        let answer = tokio::task::spawn_blocking(move || run(state::call, &params, &asked)).await;
        answer.unwrap_or_else(|failed| Err(CallError::Unavailable(failed.to_string()).into()))
    };
    module.register_async_method("state_call", call).expect(ONCE);
    subscriptions::register(&mut module).expect(ONCE);
    for (alias, method) in ALIASES {
        module.register_alias(alias, method).expect(ONCE);
    }
    let mut names: Vec<&'static str> = module.method_names().collect();
    names.push("rpc_methods");
    names.sort_unstable();
    let methods = json!({ "methods": names });
    module.register_method("rpc_methods", move |_, _, _| methods.clone()).expect(ONCE);
    module
}

/// The header with this hash, or the best one.
fn header_at(snapshot: &Snapshot, hash: Option<Hash>) -> Result<Option<Header>, CallError> {
    Ok(match hash {
        None => Some(snapshot.best_header().clone()),
        Some(hash) => snapshot.header_by_hash(&hash)?,
    })
}

/// The height of the block with this hash, or of the best one.
fn height_of(snapshot: &Snapshot, hash: Option<Hash>) -> Result<Height, CallError> {
    let found = header_at(snapshot, hash)?;
    found.map(|header| header.height()).ok_or_else(|| CallError::UnknownBlock(hash.unwrap_or_default()))
}
