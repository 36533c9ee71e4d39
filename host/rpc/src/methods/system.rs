//! `system_*`: what the node and its chain are.

use super::Answer;
use crate::Health;
use crate::error::CallError;
use crate::params::Arguments;
use crate::view::NodeView;
use runtime_primitives::limits::{EXECUTED_LAG_MAX, SS58_PREFIX};
use serde_json::{Value, json};

/// Decimals of the token: its unit is 10⁻⁷ yuan.
const DECIMALS: u8 = 7;
/// Symbol of the token.
const SYMBOL: &str = "CNY";

pub fn name<V: NodeView>(_: &V, _: &Arguments) -> Answer {
    Ok("busbar".into())
}

pub fn version<V: NodeView>(view: &V, _: &Arguments) -> Answer {
    Ok(view.status().version.into())
}

pub fn chain<V: NodeView>(view: &V, _: &Arguments) -> Answer {
    Ok(view.chain().into())
}

/// Substrate knows development, local and live chains; this one does not tell them apart.
pub fn chain_type<V: NodeView>(_: &V, _: &Arguments) -> Answer {
    Ok("Live".into())
}

pub fn properties<V: NodeView>(_: &V, _: &Arguments) -> Answer {
    Ok(json!({ "ss58Format": SS58_PREFIX, "tokenDecimals": DECIMALS, "tokenSymbol": SYMBOL }))
}

pub fn health<V: NodeView>(view: &V, _: &Arguments) -> Answer {
    let status = view.status();
    let health = Health {
        peers: status.network.connected,
        is_syncing: status.network.behind > EXECUTED_LAG_MAX,
        should_have_peers: status.is_voter && status.committee > 1,
    };
    Ok(json!(health))
}

/// Peers are known to each other by their keys; who they are is told to nobody else.
pub fn peers<V: NodeView>(_: &V, _: &Arguments) -> Answer {
    Ok(Value::Array(Vec::new()))
}

pub fn node_roles<V: NodeView>(view: &V, _: &Arguments) -> Answer {
    Ok(json!([if view.status().is_voter { "Authority" } else { "Full" }]))
}

pub fn sync_state<V: NodeView>(view: &V, _: &Arguments) -> Answer {
    let status = view.status();
    let highest = status.height + status.network.behind;
    Ok(json!({
        "startingBlock": status.first_block.saturating_sub(1),
        "currentBlock": status.height,
        "highestBlock": highest,
    }))
}

pub fn next_nonce<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let address = arguments.text(0, "account")?;
    let wrong = |reason| CallError::Parameter { index: 0, name: "account", reason };
    Ok(view.next_nonce(address).map_err(wrong)?.into())
}
