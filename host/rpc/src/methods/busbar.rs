//! `busbar_*`: what Substrate's nodes do not have: ordered blocks and their proofs, certificates, receipts, the archive.

use super::{Answer, header_at};
use crate::error::CallError;
use crate::json;
use crate::limits::{BLOCKS_PER_PAGE_MAX, ROW_BYTES_PER_PAGE_MAX, ROWS_PER_PAGE_MAX, UNPROVEN_BLOCKS_MAX};
use crate::params::Arguments;
use crate::view::NodeView;
use parity_scale_codec::Encode;
use runtime_execution::modules::registry::EPOCH_BLOCKS;
use runtime_primitives::Height;
use runtime_state::Overlay;
use serde_json::{Value, json};

/// What the node says of itself.
pub fn status<V: NodeView>(view: &V, _: &Arguments) -> Answer {
    Ok(json!(view.status()))
}

/// The receipts of a block: SCALE of a list of `Receipt`, with the errors that Substrate's events leave out.
pub fn receipts<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let snapshot = view.snapshot();
    let Some(header) = header_at(&snapshot, arguments.optional_hash(0, "hash")?)? else {
        return Ok(Value::Null);
    };
    let found = snapshot.receipts(header.height())?;
    Ok(found.map_or(Value::Null, |receipts| json::hex(&receipts).into()))
}

/// Certificates of checkpoints above a height, ascending: a page of them.
pub fn checkpoints<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
    let after = arguments.optional_number(0, "after")?.unwrap_or_default();
    let page = view.certificates(after).map_err(CallError::Unavailable)?;
    Ok(page.iter().map(|certificate| json::hex(certificate)).collect::<Vec<_>>().into())
}

/// Hashes of the ordered blocks after a height, without delimiters, and the proof that the last of them is final; null if
/// there is none yet. They are all of one epoch.
pub fn finality<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
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
pub fn ordered_blocks<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
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
pub fn archive<V: NodeView>(view: &V, arguments: &Arguments) -> Answer {
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
