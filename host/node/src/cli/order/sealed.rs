//! Orders of sealed slots: committed to before the gate, revealed after it from the file that keeps them.

use super::{entity_of, in_book};
use crate::cli::remote::{Answer, SignArgs};
use crate::client::{SealedOrder, Session};
use anyhow::Context as _;
use contract_interface::{OrderRequest, flags};
use runtime_execution::modules::markets::sealed::Commitment;
use runtime_execution::modules::markets::{self, Event as Done, SEALED, live};
use runtime_execution::{Call, Event};
use runtime_primitives::{EntityId, Seq};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Keep the order, then commit to it.
pub(super) fn commit(
    session: &Session,
    request: OrderRequest,
    keep: Option<PathBuf>,
    sign: &SignArgs,
) -> anyhow::Result<ExitCode> {
    let key = sign.signer()?.account();
    let entity = session.read(|state| entity_of(state, key))??;
    let order = SealedOrder::new(entity, request);
    let path = keep.unwrap_or_else(|| order.file_name(session.genesis()));
    order.keep(&path)?;
    let OrderRequest { market, slot, terms, meter, valid_until, .. } = order.request;
    let commitment = order.commitment(session.genesis());
    let commit = Commitment { market, slot, terms, meter, commitment, valid_until };
    sign.send(session, &Call::Markets(markets::Call::Commit { commit }), |events| {
        events.iter().find_map(|event| match event {
            Event::Markets(Done::OrderSealed { seq, deposit, .. }) => Some(Answer::new(
                format!(
                    "sealed order {seq} in slot {slot}; {deposit} yuan are held until it is revealed after the gate: \
                     busbar order reveal {}",
                    path.display()
                ),
                json!({ "slot": slot.number(), "seq": seq.number(), "deposit": deposit.to_string(), "file": path }),
            )),
            _ => None,
        })
    })
}

/// Reveal the order that a file keeps, at the place of its commitment.
pub(super) fn reveal(file: &Path, sign: &SignArgs) -> anyhow::Result<ExitCode> {
    let session = sign.session()?;
    let order = SealedOrder::load(file)?;
    let commitment = order.commitment(session.genesis());
    let SealedOrder { entity, request, salt } = order;
    let at = (request.market, request.slot);
    let place = session.read(|state| {
        let places = SEALED.find(state, at, live(state, at)?.slot.next_seq.number());
        let places =
            places.with_context(|| format!("slot {} is settled: nothing is revealed any more", at.1))?;
        anyhow::Ok(places.iter().position(|entry| entry.commitment == commitment))
    })??;
    let place = place.and_then(|place| u32::try_from(place).ok());
    let seq = place
        .with_context(|| format!("slot {} has no commitment to the order in {}", at.1, file.display()))?;
    let seq = Seq::from_number(seq);
    let agreed = request.flags & flags::AUTO_CONFIRM != 0;
    sign.send(&session, &Call::Markets(markets::Call::Reveal { seq, request, salt }), |events| {
        revealed(events, entity, agreed)
    })
}

/// An order that is in the book now, or one that its owner could not cover.
fn revealed(events: &[Event], owner: EntityId, agreed: bool) -> Option<Answer> {
    events.iter().find_map(|event| match event {
        Event::Markets(Done::OrderRevealed { market, slot, seq, hold }) => {
            Some(in_book((*market, *slot), *seq, owner, *hold, agreed))
        }
        Event::Markets(Done::SealForfeited { market, slot, seq, deposit, .. }) => Some(Answer::new(
            format!(
                "order {seq} of slot {slot} of market {market} is LOST, and its deposit of {deposit} yuan with it: entity \
                 {owner} has too little free money for what would be held"
            ),
            json!({
                "market": market.number(),
                "slot": slot.number(),
                "seq": seq.number(),
                "entity": owner.number(),
                "forfeited": deposit.to_string(),
            }),
        )),
        _ => None,
    })
}
