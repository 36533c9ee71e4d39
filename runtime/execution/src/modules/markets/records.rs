//! Stage records: the header that formula 1 attaches to each stage, chained within a slot.

use super::{At, Event, MARKETS, RECORDS};
use crate::context::Context;
use crate::leaves::Leaves;
use contract_interface::{Stage, StageRecord};
use runtime_primitives::Hash;

/// Version of the record's layout.
pub const RECORD_VERSION: u16 = 1;

/// Record a stage whose leaves are all there, and archive them.
pub fn record_all(ctx: &mut Context, leaves: Leaves) {
    record(ctx, leaves.at(), leaves.stage(), leaves.root(), leaves.len());
    leaves.into_rows().into_iter().for_each(|row| ctx.archive(row));
}

/// Record a stage: `leaves` bodies under `merkle_root`. A stage that is repeated (a vote after a correction)
/// replaces its record; later stages do not exist yet then.
pub fn record(ctx: &mut Context, at: At, stage: Stage, merkle_root: Hash, leaves: u32) {
    let prev_hash = previous(ctx, at, stage);
    let record = StageRecord {
        version: RECORD_VERSION,
        stage,
        prev_hash,
        timestamp: ctx.env.now,
        nonce: u64::from(leaves),
        bits: 0,
        merkle_root,
    };
    let hash = record.hash();
    RECORDS.put(&mut ctx.state, &(at.0, at.1, stage), &record);
    if stage == Stage::Declaration {
        let mut market = MARKETS.get(&ctx.state, &at.0).expect("a slot has a market");
        market.last_declaration = hash;
        MARKETS.put(&mut ctx.state, &at.0, &market);
    }
    ctx.emit(Event::StageRecorded { market: at.0, slot: at.1, stage, record: hash });
}

/// The record of the nearest earlier stage; for stage 1, of the slot recorded before.
fn previous(ctx: &Context, at: At, stage: Stage) -> Hash {
    if stage == Stage::Declaration {
        return MARKETS.get(&ctx.state, &at.0).map_or(Hash::ZERO, |market| market.last_declaration);
    }
    let earlier = Stage::ALL.into_iter().rev().filter(|other| *other < stage);
    let found = earlier.filter_map(|other| RECORDS.get(&ctx.state, &(at.0, at.1, other))).next();
    found.map_or(Hash::ZERO, |record| record.hash())
}
