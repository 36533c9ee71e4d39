//! The methods, one function each. All read one committed block; none holds it longer than the call.

use crate::Health;
use crate::error::CallError;
use crate::json;
use crate::limits::{
    BLOCKS_PER_PAGE_MAX, KEYS_PER_PAGE_MAX, RECENT_BLOCKS_MAX, ROW_BYTES_PER_PAGE_MAX, ROWS_PER_PAGE_MAX,
    UNPROVEN_BLOCKS_MAX,
};
use crate::params::Arguments;
use crate::view::NodeView;
use host_storage::Snapshot;
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use parity_scale_codec::Encode;
use runtime_execution::modules::registry::EPOCH_BLOCKS;
use runtime_primitives::limits::{EXECUTED_LAG_MAX, EXTRINSIC_BYTES_MAX};
use runtime_primitives::{Hash, Header, Height};
use runtime_state::{Backend, Overlay};
use serde_json::{Value, json};

type Answer = Result<Value, CallError>;
type Method<V> = fn(&V, &Arguments) -> Answer;

/// SS58 prefix of this chain's addresses.
const SS58_PREFIX: u16 = 42;
/// Decimals of the token: its unit is 10⁻⁷ yuan.
const DECIMALS: u8 = 7;
/// Symbol of the token.
const SYMBOL: &str = "CNY";

/// All methods over `view`.
///
/// # Panics
/// Never: every name is registered once.
pub fn module<V: NodeView>(view: V) -> RpcModule<V> {
    let mut module = RpcModule::new(view);
    let table: [(&'static str, Method<V>); 17] = [
        ("author_submitExtrinsic", submit),
        ("busbar_getArchive", archive),
        ("busbar_getCheckpoints", checkpoints),
        ("busbar_getFinality", finality),
        ("busbar_getOrderedBlocks", ordered_blocks),
        ("busbar_getReceipts", receipts),
        ("busbar_getStatus", |view, _| Ok(json!(view.status()))),
        ("chain_getBlock", block),
        ("chain_getBlockHash", block_hash),
        ("chain_getFinalizedHead", finalized_head),
        ("chain_getHeader", header),
        ("state_getKeysPaged", keys_paged),
        ("state_getStorage", storage),
        ("system_accountNextIndex", next_nonce),
        ("system_chain", |view, _| Ok(view.chain().into())),
        ("system_health", health),
        ("system_properties", |_, _| Ok(properties())),
    ];
    for (name, method) in table {
        let call = move |params: jsonrpsee::types::Params, view: std::sync::Arc<V>, _| {
            let answer = Arguments::read(&params).and_then(|arguments| method(&view, &arguments));
            answer.map_err(ErrorObjectOwned::from)
        };
        module.register_blocking_method(name, call).expect("every name is registered once");
    }
    let mut names: Vec<&'static str> = module.method_names().collect();
    names.push("rpc_methods");
    names.sort_unstable();
    let methods = json!({ "methods": names });
    module
        .register_method("rpc_methods", move |_, _, _| methods.clone())
        .expect("every name is registered once");
    module
}

fn properties() -> Value {
    json!({ "ss58Format": SS58_PREFIX, "tokenDecimals": DECIMALS, "tokenSymbol": SYMBOL })
}

fn health<V: NodeView>(view: &V, _: &Arguments) -> Answer {
    let status = view.status();
    let health = Health {
        peers: status.network.connected,
        is_syncing: status.network.behind > EXECUTED_LAG_MAX,
        should_have_peers: status.is_voter && status.committee > 1,
    };
    Ok(json!(health))
}

fn submit<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let extrinsic = arguments.bytes(0, "extrinsic")?;
    if extrinsic.len() > EXTRINSIC_BYTES_MAX {
        return Err(CallError::ExtrinsicBytes(extrinsic.len()));
    }
    let hash = view.submit(extrinsic).map_err(CallError::Refused)?;
    Ok(hash.to_string().into())
}

fn next_nonce<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let address = arguments.text(0, "account")?;
    let wrong = |reason| CallError::Parameter { index: 0, name: "account", reason };
    Ok(view.next_nonce(address).map_err(wrong)?.into())
}

fn block_hash<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let snapshot = view.snapshot();
    let hash = match arguments.optional_number(0, "number")? {
        None => Some(snapshot.hash()),
        Some(number) => snapshot.header(Height::from_number(number))?.map(|header| header.hash()),
    };
    Ok(hash.map_or(Value::Null, |hash| hash.to_string().into()))
}

fn finalized_head<V: NodeView>(view: &V, _: &Arguments) -> Answer {
    Ok(view.snapshot().hash().to_string().into())
}

fn header<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let found = header_at(&view.snapshot(), arguments.optional_hash(0, "hash")?)?;
    Ok(found.map_or(Value::Null, |header| json::header(&header)))
}

fn block<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let snapshot = view.snapshot();
    let Some(header) = header_at(&snapshot, arguments.optional_hash(0, "hash")?)? else {
        return Ok(Value::Null);
    };
    let body = snapshot.body(header.height())?.unwrap_or_default();
    Ok(json::block(&header, &body))
}

/// The receipts of a block: SCALE of a list of `Receipt`, with the errors that Substrate's events leave out.
fn receipts<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let snapshot = view.snapshot();
    let Some(header) = header_at(&snapshot, arguments.optional_hash(0, "hash")?)? else {
        return Ok(Value::Null);
    };
    let found = snapshot.receipts(header.height())?;
    Ok(found.map_or(Value::Null, |receipts| json::hex(&receipts).into()))
}

/// Certificates of checkpoints above a height, ascending: a page of them.
fn checkpoints<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let after = arguments.optional_number(0, "after")?.unwrap_or_default();
    let page = view.certificates(after).map_err(CallError::Unavailable)?;
    Ok(page.iter().map(|certificate| json::hex(certificate)).collect::<Vec<_>>().into())
}

/// Hashes of the ordered blocks after a height, without delimiters, and the proof that the last of them is final; null if
/// there is none yet. They are all of one epoch.
fn finality<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let after = Height::from_number(arguments.optional_number(0, "after")?.unwrap_or_default());
    let snapshot = view.snapshot();
    if after >= snapshot.height() {
        return Ok(Value::Null);
    }
    let epoch_blocks = EPOCH_BLOCKS.get(&Overlay::new(&snapshot)).unwrap_or(u64::MAX).max(1);
    let last = (after.next().number() / epoch_blocks).saturating_add(1).saturating_mul(epoch_blocks) - 1;
    let found =
        snapshot.stretch(after, Height::from_number(last), BLOCKS_PER_PAGE_MAX, UNPROVEN_BLOCKS_MAX)?;
    let Some(found) = found else {
        // Blocks are delivered one by one: the proof of these may be that of the next.
        let is_ordered = snapshot.finality(after.next())?.is_some();
        let few = snapshot.height().number() - after.number() <= BLOCKS_PER_PAGE_MAX as u64;
        let is_due = is_ordered && few && snapshot.height().number() < last;
        return if is_due { Ok(Value::Null) } else { Err(CallError::Unproven { after }) };
    };
    let payloads: Vec<u8> = found.payloads.iter().flat_map(|payload| payload.0).collect();
    Ok(json!({ "payloads": json::hex(&payloads), "proof": json::hex(&found.proof) }))
}

/// Ordered blocks after a height, SCALE, ascending: a page of them.
fn ordered_blocks<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let mut after = Height::from_number(arguments.optional_number(0, "after")?.unwrap_or_default());
    let (snapshot, mut blocks, mut bytes) = (view.snapshot(), Vec::new(), 0);
    while after < snapshot.height() && blocks.len() < BLOCKS_PER_PAGE_MAX {
        after = after.next();
        let Some(block) = snapshot.block(after)? else { break };
        let block = block.encode();
        bytes += block.len();
        if bytes > ROW_BYTES_PER_PAGE_MAX && !blocks.is_empty() {
            break;
        }
        blocks.push(Value::from(json::hex(&block)));
    }
    Ok(blocks.into())
}

/// Rows of an archive table in order of their keys, as pairs of key and value; fewer than asked for if they are large.
fn archive<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let table = arguments.optional_number(0, "table")?.unwrap_or_default();
    let table = u8::try_from(table).map_err(|_| CallError::Table(table))?;
    let prefix = arguments.key(1, "prefix")?;
    let count = arguments.optional_number(2, "count")?.unwrap_or_default();
    if !(1..=u64::from(ROWS_PER_PAGE_MAX)).contains(&count) {
        return Err(CallError::Rows(count));
    }
    let mut after = arguments.optional_key(3, "after")?;
    let (snapshot, mut rows, mut bytes) = (view.snapshot(), Vec::new(), 0);
    for _ in 0..count {
        let next = match &after {
            None => snapshot.archive_scan(table, &prefix, 1)?,
            Some(key) => snapshot.archive_scan_after(table, &prefix, key, 1)?,
        };
        let Some(row) = next.into_iter().next() else { break };
        bytes += row.value.len();
        if bytes > ROW_BYTES_PER_PAGE_MAX && !rows.is_empty() {
            break;
        }
        rows.push(json!([json::hex(&row.key), json::hex(&row.value)]));
        after = Some(row.key);
    }
    Ok(rows.into())
}

fn header_at(snapshot: &Snapshot, hash: Option<Hash>) -> Result<Option<Header>, CallError> {
    Ok(match hash {
        None => Some(snapshot.best_header().clone()),
        Some(hash) => snapshot.header_by_hash(&hash)?,
    })
}

fn storage<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let key = arguments.key(0, "key")?;
    let at = arguments.optional_hash(1, "at")?;
    with_state(&view.snapshot(), at, |state| {
        state.get(&key).map_or(Value::Null, |value| json::hex(&value).into())
    })
}

fn keys_paged<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let prefix = arguments.key(0, "prefix")?;
    let count = arguments.optional_number(1, "count")?.unwrap_or_default();
    let start = arguments.optional_key(2, "startKey")?;
    let at = arguments.optional_hash(3, "at")?;
    let count = u32::try_from(count).ok().filter(|count| (1..=KEYS_PER_PAGE_MAX).contains(count));
    let count = count.ok_or(CallError::Page(arguments.optional_number(1, "count")?.unwrap_or_default()))?;
    with_state(&view.snapshot(), at, |state| {
        let keys = page(state, &prefix, count, start);
        keys.iter().map(|key| Value::from(json::hex(key))).collect()
    })
}

/// The first `count` keys with `prefix` after `start`.
fn page(state: &dyn Backend, prefix: &[u8], count: u32, start: Option<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let mut next = match start.filter(|start| start.as_slice() >= prefix) {
        Some(start) => state.next_key(&start),
        // The prefix itself may be a key; there is no key before it to ask from.
        None if state.get(prefix).is_some() => Some(prefix.to_vec()),
        None => state.next_key(prefix),
    };
    for _ in 0..count {
        let Some(key) = next.filter(|key| key.starts_with(prefix)) else { break };
        next = state.next_key(&key);
        keys.push(key);
    }
    keys
}

/// Read the state after block `at`, or the best one.
fn with_state(snapshot: &Snapshot, at: Option<Hash>, read: impl FnOnce(&dyn Backend) -> Value) -> Answer {
    let Some(at) = at.filter(|at| *at != snapshot.hash()) else { return Ok(read(snapshot)) };
    let header = snapshot.header_by_hash(&at)?.ok_or(CallError::UnknownBlock(at))?;
    let (height, best) = (header.height(), snapshot.height());
    if best.number() - height.number() > RECENT_BLOCKS_MAX {
        return Err(CallError::OldState { height, best });
    }
    Ok(read(&snapshot.at(height)?))
}
