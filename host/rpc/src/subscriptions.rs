//! Subscriptions. Each remembers how far its client is and reads on from there, so nothing is buffered and nothing left out;
//! a client that takes too long over one message is dropped.

use crate::door::Door;
use crate::error::CallError;
use crate::json;
use crate::limits::{KEYS_PER_SUBSCRIPTION_MAX, SUBSCRIBER_PATIENCE};
use crate::methods::{extrinsic, state};
use crate::params::Arguments;
use crate::view::NodeView;
use crate::watched::Fate;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use jsonrpsee::{PendingSubscriptionSink, RpcModule, SubscriptionSink};
use runtime_primitives::{Hash, blake2_256};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use std::sync::Arc;

/// Names of the subscriptions to blocks: to subscribe, of a message, to unsubscribe. All blocks are final and in one line, so
/// all three tell the same.
const HEADS: [[&str; 3]; 3] = [
    ["chain_subscribeAllHeads", "chain_allHead", "chain_unsubscribeAllHeads"],
    ["chain_subscribeFinalizedHeads", "chain_finalizedHead", "chain_unsubscribeFinalizedHeads"],
    ["chain_subscribeNewHeads", "chain_newHead", "chain_unsubscribeNewHeads"],
];

/// Register all of them.
pub fn register<V: NodeView>(module: &mut RpcModule<Door<V>>) -> Result<(), RegisterMethodError> {
    for [subscribe, message, unsubscribe] in HEADS {
        module.register_subscription(subscribe, message, unsubscribe, |_, pending, door, _| {
            heads(pending, door)
        })?;
    }
    module.register_subscription(
        "state_subscribeRuntimeVersion",
        "state_runtimeVersion",
        "state_unsubscribeRuntimeVersion",
        |_, pending, _, _| runtime_version(pending),
    )?;
    module.register_subscription(
        "state_subscribeStorage",
        "state_storage",
        "state_unsubscribeStorage",
        storage,
    )?;
    module.register_subscription(
        "author_submitAndWatchExtrinsic",
        "author_extrinsicUpdate",
        "author_unwatchExtrinsic",
        |params, pending, door, _| watch(params, pending, door),
    )?;
    Ok(())
}

/// Send a message; `false` if the client is gone or too slow.
async fn send(sink: &SubscriptionSink, message: &Value) -> bool {
    let Ok(message) = to_raw_value(message) else { return false };
    sink.send_timeout(message, SUBSCRIBER_PATIENCE).await.is_ok()
}

/// Read where it may wait for the disk; `None` if that fails.
async fn blocking<T: Send + 'static>(read: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(read).await.ok().flatten()
}

/// Every header from the best one on.
async fn heads<V: NodeView>(pending: PendingSubscriptionSink, door: Arc<Door<V>>) {
    let Ok(sink) = pending.accept().await else { return };
    let mut listening = door.view.heads().listen();
    let mut next = *listening.borrow_and_update();
    loop {
        let last = *listening.borrow_and_update();
        while next <= last {
            let (door, height) = (door.clone(), next);
            let header = move || door.view.snapshot().header(height).ok().flatten();
            let Some(header) = blocking(header).await else { return };
            if !send(&sink, &json::header(&header)).await {
                return;
            }
            next = next.next();
        }
        tokio::select! {
            () = sink.closed() => return,
            changed = listening.changed() => if changed.is_err() { return },
        }
    }
}

/// The version, once: it cannot change while the node runs.
async fn runtime_version(pending: PendingSubscriptionSink) {
    let Ok(sink) = pending.accept().await else { return };
    if send(&sink, &state::version()).await {
        sink.closed().await;
    }
}

/// The values of some keys, and again those that changed.
async fn storage<V: NodeView>(
    params: Params<'static>,
    pending: PendingSubscriptionSink,
    door: Arc<Door<V>>,
    _: jsonrpsee::Extensions,
) {
    let keys = Arguments::read(&params).and_then(|all| all.keys(0, KEYS_PER_SUBSCRIPTION_MAX));
    let keys = match keys {
        Ok(keys) => Arc::new(keys),
        Err(reason) => return pending.reject(ErrorObjectOwned::from(reason)).await,
    };
    let Ok(sink) = pending.accept().await else { return };
    let mut listening = door.view.heads().listen();
    let mut before = Vec::new();
    loop {
        listening.mark_unchanged();
        let (asked, keys) = (door.clone(), keys.clone());
        let read = move || {
            let changed = state::changed(&asked.view, &keys, &mut before);
            Some((before, changed))
        };
        let Some((read, changed)) = blocking(read).await else { return };
        before = read;
        if let Some(changed) = changed
            && !send(&sink, &changed).await
        {
            return;
        }
        tokio::select! {
            () = sink.closed() => return,
            changed = listening.changed() => if changed.is_err() { return },
        }
    }
}

/// Submit an extrinsic and tell what becomes of it.
async fn watch<V: NodeView>(params: Params<'static>, pending: PendingSubscriptionSink, door: Arc<Door<V>>) {
    let bytes = match Arguments::read(&params).and_then(|arguments| extrinsic(&arguments)) {
        Ok(bytes) => bytes,
        Err(reason) => return pending.reject(ErrorObjectOwned::from(reason)).await,
    };
    let hash = blake2_256(&bytes);
    // Before it is submitted: it may be in a block at once.
    let told = door.watched.watch(hash);
    let asked = door.clone();
    let submitted = tokio::task::spawn_blocking(move || asked.view.submit(bytes)).await;
    let refused = match submitted {
        Ok(answer) => answer.err().map(CallError::Refused),
        Err(failed) => Some(CallError::Unavailable(failed.to_string())),
    };
    if let Some(refused) = refused {
        drop(told);
        door.watched.forget(&hash);
        return pending.reject(ErrorObjectOwned::from(refused)).await;
    }
    door.watched.taken(&hash);
    let Ok(sink) = pending.accept().await else { return };
    if !send(&sink, &"ready".into()).await {
        return;
    }
    let fate = tokio::select! {
        () = sink.closed() => return,
        fate = told => fate,
    };
    let messages = match fate {
        Ok(Fate::Included(block)) => included(block).to_vec(),
        Ok(Fate::Skipped) => vec!["invalid".into()],
        Ok(Fate::Dropped) | Err(_) => vec!["dropped".into()],
    };
    for message in messages {
        if !send(&sink, &message).await {
            return;
        }
    }
}

fn included(block: Hash) -> [Value; 2] {
    [json!({ "inBlock": block.to_string() }), json!({ "finalized": block.to_string() })]
}
