//! `state_*` and `childstate_*`: the state after a block, and the runtime's answers on it.

use super::{Answer, height_of};
use crate::error::CallError;
use crate::json;
use crate::limits::{KEYS_PER_PAGE_MAX, KEYS_PER_QUERY_MAX, RECENT_BLOCKS_MAX};
use crate::params::Arguments;
use crate::view::NodeView;
use host_storage::Snapshot;
use parity_scale_codec::Encode;
use runtime_execution::metadata;
use runtime_execution::modules::contracts;
use runtime_primitives::{Hash, Height, blake2_256};
use runtime_state::Backend;
use serde_json::{Value, json};

/// Where Substrate's chains keep the code of their runtime.
const CODE: &[u8] = b":code";
/// In front of the keys of child tries.
const CHILD: &[u8] = b":child_storage:default:";

/// A stored value. The runtime is part of this program; clients that look under `:code` to learn whether it changed find
/// its version there.
fn read(state: &dyn Backend, key: &[u8]) -> Option<Vec<u8>> {
    if key == CODE { Some(metadata::version().encode()) } else { state.get(key) }
}

fn shown(value: Option<Vec<u8>>) -> Value {
    value.map_or(Value::Null, |value| json::hex(&value).into())
}

/// Read the state after block `at`, or after the best one.
pub fn with_state<T>(
    snapshot: &Snapshot,
    at: Option<Hash>,
    read: impl FnOnce(&dyn Backend, Hash) -> T,
) -> Result<T, CallError> {
    let Some(at) = at.filter(|at| *at != snapshot.hash()) else { return Ok(read(snapshot, snapshot.hash())) };
    let height = snapshot.header_by_hash(&at)?.ok_or(CallError::UnknownBlock(at))?.height();
    state_at(snapshot, height, |state| read(state, at))
}

fn state_at<T>(
    snapshot: &Snapshot,
    height: Height,
    read: impl FnOnce(&dyn Backend) -> T,
) -> Result<T, CallError> {
    let best = snapshot.height();
    if best.number() - height.number() > RECENT_BLOCKS_MAX {
        return Err(CallError::OldState { height, best });
    }
    Ok(read(&snapshot.at(height)?))
}

fn of_value<V: NodeView>(
    view: &V,
    arguments: &Arguments,
    tell: impl FnOnce(Option<Vec<u8>>) -> Value,
) -> Answer {
    let key = arguments.key(0, "key")?;
    let at = arguments.optional_hash(1, "at")?;
    with_state(&view.snapshot(), at, |state, _| tell(read(state, &key)))
}

pub fn storage<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    of_value(view, arguments, shown)
}

pub fn storage_hash<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    of_value(view, arguments, |value| {
        value.map_or(Value::Null, |value| blake2_256(&value).to_string().into())
    })
}

pub fn storage_size<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    of_value(view, arguments, |value| value.map_or(Value::Null, |value| value.len().into()))
}

pub fn keys_paged<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let prefix = arguments.key(0, "prefix")?;
    let count = arguments.count(1, KEYS_PER_PAGE_MAX)?;
    let start = arguments.optional_key(2, "startKey")?;
    let at = arguments.optional_hash(3, "at")?;
    with_state(&view.snapshot(), at, |state, _| {
        page(state, &prefix, count, start).iter().map(|key| Value::from(json::hex(key))).collect()
    })
}

/// All keys with a prefix, as many as a page may have; more are an error, never a part.
pub fn keys<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let prefix = arguments.key(0, "prefix")?;
    let at = arguments.optional_hash(1, "at")?;
    let found =
        with_state(&view.snapshot(), at, |state, _| page(state, &prefix, KEYS_PER_PAGE_MAX + 1, None))?;
    if found.len() > KEYS_PER_PAGE_MAX as usize {
        return Err(CallError::TooManyKeys);
    }
    Ok(found.iter().map(|key| Value::from(json::hex(key))).collect())
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

fn changes(state: &dyn Backend, keys: &[Vec<u8>]) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    keys.iter().map(|key| (key.clone(), read(state, key))).collect()
}

/// Values as clients read them beside the block in which they changed.
pub fn change_set(block: Hash, changes: &[(Vec<u8>, Option<Vec<u8>>)]) -> Value {
    let changes: Vec<Value> =
        changes.iter().map(|(key, value)| json!([json::hex(key), shown(value.clone())])).collect();
    json!({ "block": block.to_string(), "changes": changes })
}

/// Values of many keys after one block.
pub fn values_at<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let keys = arguments.keys(0, KEYS_PER_QUERY_MAX)?;
    let at = arguments.optional_hash(1, "at")?;
    with_state(&view.snapshot(), at, |state, block| json!([change_set(block, &changes(state, &keys))]))
}

/// Values of many keys after a block, and how they changed up to another.
pub fn values_between<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let (keys, snapshot) = (arguments.keys(0, KEYS_PER_QUERY_MAX)?, view.snapshot());
    let first = height_of(&snapshot, arguments.optional_hash(1, "fromBlock")?)?;
    let last = height_of(&snapshot, arguments.optional_hash(2, "toBlock")?)?;
    let (mut sets, mut before) = (Vec::new(), Vec::new());
    for number in first.number()..=last.number() {
        let height = Height::from_number(number);
        let hash = snapshot.header(height)?.map_or(Hash::ZERO, |header| header.hash());
        let now = state_at(&snapshot, height, |state| changes(state, &keys))?;
        let changed: Vec<_> = now.iter().filter(|one| !before.contains(*one)).cloned().collect();
        if !changed.is_empty() {
            sets.push(change_set(hash, &changed));
        }
        before = now;
    }
    Ok(sets.into())
}

/// Values for a subscriber, who hears of those that differ from `before`.
pub fn changed<V: NodeView>(
    view: &V,
    keys: &[Vec<u8>],
    before: &mut Vec<(Vec<u8>, Option<Vec<u8>>)>,
) -> Option<Value> {
    let snapshot = view.snapshot();
    let now = changes(&snapshot, keys);
    let changed: Vec<_> = now.iter().filter(|one| !before.contains(*one)).cloned().collect();
    *before = now;
    (!changed.is_empty()).then(|| change_set(snapshot.hash(), &changed))
}

pub fn metadata<V: NodeView>(_: &V, _: &Arguments) -> Answer {
    Ok(metadata::encoded(14).map_or(Value::Null, |bytes| json::hex(bytes).into()))
}

pub fn runtime_version<V: NodeView>(_: &V, _: &Arguments) -> Answer {
    Ok(version())
}

/// The runtime's version as clients read it.
pub fn version() -> Value {
    let version = metadata::version();
    let apis: Vec<Value> = version.apis.iter().map(|(id, version)| json!([json::hex(id), version])).collect();
    json!({
        "specName": version.spec_name,
        "implName": version.impl_name,
        "authoringVersion": version.authoring_version,
        "specVersion": version.spec_version,
        "implVersion": version.impl_version,
        "apis": apis,
        "transactionVersion": version.transaction_version,
        "systemVersion": version.system_version,
        "stateVersion": version.system_version,
    })
}

/// Ask the runtime at a block.
pub fn call<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let name = arguments.text(0, "method")?;
    let input = arguments.bytes(1, "data")?;
    let at = arguments.optional_hash(2, "at")?;
    let answer = with_state(&view.snapshot(), at, |state, block| view.call(state, block, name, &input))?;
    Ok(json::hex(&answer.map_err(CallError::Runtime)?).into())
}

/// What fills a contract's child trie: its own keys, hashed.
fn trie_id(arguments: &Arguments) -> Result<Hash, CallError> {
    let key = arguments.key(0, "childStorageKey")?;
    let id = key.strip_prefix(CHILD).and_then(|id| id.try_into().ok());
    id.map(Hash).ok_or(CallError::Parameter {
        index: 0,
        name: "childStorageKey",
        reason: "write `:child_storage:default:` and a contract's trie id of 32 bytes".to_owned(),
    })
}

fn of_child<V: NodeView>(
    view: &V,
    arguments: &Arguments,
    tell: impl FnOnce(Option<Vec<u8>>) -> Value,
) -> Answer {
    let (trie, key) = (trie_id(arguments)?, arguments.key(1, "key")?);
    let at = arguments.optional_hash(2, "at")?;
    with_state(&view.snapshot(), at, |state, _| {
        let prefix = contracts::child_prefix(trie);
        tell(
            state
                .get(&[prefix, contracts::child_part(&key)].concat())
                .map(|value| contracts::child_value(&value)),
        )
    })
}

pub fn child_storage<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    of_child(view, arguments, shown)
}

pub fn child_hash<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    of_child(view, arguments, |value| {
        value.map_or(Value::Null, |value| blake2_256(&value).to_string().into())
    })
}

pub fn child_size<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    of_child(view, arguments, |value| value.map_or(Value::Null, |value| value.len().into()))
}

pub fn child_keys_paged<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let (trie, begins) = (trie_id(arguments)?, arguments.key(1, "prefix")?);
    let count = arguments.count(2, KEYS_PER_PAGE_MAX)?;
    let start = arguments.optional_key(3, "startKey")?;
    let at = arguments.optional_hash(4, "at")?;
    with_state(&view.snapshot(), at, |state, _| {
        let prefix = contracts::child_prefix(trie);
        let mut from = start.map(|start| [prefix.clone(), contracts::child_part(&start)].concat());
        let mut keys: Vec<Value> = Vec::new();
        // They are stored by their hashes: those that begin so stand anywhere.
        while keys.len() < count as usize {
            let found = page(state, &prefix, KEYS_PER_PAGE_MAX, from);
            let read = found.iter().filter_map(|key| contracts::child_key(&key[prefix.len()..]));
            let fitting = read.filter(|key| key.0.starts_with(&begins));
            keys.extend(fitting.map(|key| Value::from(json::hex(&key.0))));
            if found.len() < KEYS_PER_PAGE_MAX as usize {
                break;
            }
            from = found.into_iter().last();
        }
        keys.truncate(count as usize);
        keys.into()
    })
}
