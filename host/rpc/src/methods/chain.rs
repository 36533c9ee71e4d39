//! `chain_*`: headers and blocks. All of them are final: what is not executed here is not shown.

use super::{Answer, header_at};
use crate::json;
use crate::params::Arguments;
use crate::view::NodeView;
use runtime_primitives::Height;
use serde_json::Value;

pub fn block_hash<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let snapshot = view.snapshot();
    let hash = match arguments.optional_number(0, "number")? {
        None => Some(snapshot.hash()),
        Some(number) => snapshot.header(Height::from_number(number))?.map(|header| header.hash()),
    };
    Ok(hash.map_or(Value::Null, |hash| hash.to_string().into()))
}

pub fn finalized_head<V: NodeView>(view: &V, _: &Arguments) -> Answer {
    Ok(view.snapshot().hash().to_string().into())
}

pub fn header<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let found = header_at(&view.snapshot(), arguments.optional_hash(0, "hash")?)?;
    Ok(found.map_or(Value::Null, |header| json::header(&header)))
}

pub fn block<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let snapshot = view.snapshot();
    let Some(header) = header_at(&snapshot, arguments.optional_hash(0, "hash")?)? else {
        return Ok(Value::Null);
    };
    let body = snapshot.body(header.height())?.unwrap_or_default();
    Ok(json::block(&header, &body))
}
