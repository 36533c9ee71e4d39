//! `busbar order confirm | refuse`: a party's answers to the trades of a slot that has cleared.
//!
//! What is signed is computed here from the node's state: a key never signs a hash that somebody else names.

use super::entity_of;
use crate::agent::{Desk, Match};
use crate::cli::book;
use crate::cli::remote::{Answer, SignArgs};
use anyhow::{Context as _, bail, ensure};
use clap::Args;
use contract_interface::confirm_message;
use runtime_execution::modules::markets::{self, At, ConfirmItem, Event as Done, SlotState};
use runtime_execution::{Call, Event};
use runtime_primitives::{MarketId, Slot};
use runtime_state::Overlay;
use serde_json::json;
use std::process::ExitCode;

/// A slot that has cleared.
#[derive(Debug, Args)]
pub(super) struct ClearedArgs {
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    /// The slot.
    #[arg(long, value_name = "N")]
    slot: u32,
}

impl ClearedArgs {
    const fn at(&self) -> At {
        (MarketId::from_number(self.market), Slot::from_number(self.slot))
    }
}

/// Confirm these trades, or all own ones that wait.
pub(super) fn confirm(trades: &[u32], slot: &ClearedArgs, sign: &SignArgs) -> anyhow::Result<ExitCode> {
    let (session, signer, at) = (sign.session()?, sign.signer()?, slot.at());
    let own = session.read(|state| {
        let entity = entity_of(state, signer.account())?;
        ensure_open(state, at)?;
        let desk = Desk::open(state, at).context("the slot has opened")?;
        anyhow::Ok(book::waiting(&desk, Some(entity)))
    })??;
    let chosen: Vec<&Match> = if trades.is_empty() {
        own.iter().collect()
    } else {
        let one = |index: &u32| {
            let found = own.iter().find(|found| found.index == *index);
            found.with_context(|| format!("trade {index} does not wait for this key's entity; {}", list(at)))
        };
        trades.iter().map(one).collect::<anyhow::Result<_>>()?
    };
    ensure!(!chosen.is_empty(), "no trade of slot {} waits for this key's entity; {}", at.1, list(at));
    let item = |found: &&Match| ConfirmItem {
        trade: found.index,
        order_hash: found.hash,
        signature: signer.sign(&confirm_message(session.genesis(), &found.hash)),
    };
    let items = chosen.iter().map(item).collect();
    let call = markets::Call::Confirm { market: at.0, slot: at.1, items };
    sign.send(&session, &Call::Markets(call), |events| answered(events, "confirmed"))
}

/// Refuse a trade.
pub(super) fn refuse(trade: u32, slot: &ClearedArgs, sign: &SignArgs) -> anyhow::Result<ExitCode> {
    let (session, at) = (sign.session()?, slot.at());
    session.read(|state| ensure_open(state, at))??;
    let call = markets::Call::Refuse { market: at.0, slot: at.1, trade };
    sign.send(&session, &Call::Markets(call), |events| answered(events, "refused"))
}

fn list((market, slot): At) -> String {
    format!("busbar order list --market {market} --slot {slot} shows what waits")
}

fn ensure_open(state: &Overlay, at: At) -> anyhow::Result<()> {
    let (market, slot) = at;
    let now = markets::live(state, at)?.slot.state;
    match now {
        SlotState::Proposed => Ok(()),
        SlotState::Open | SlotState::Revealing | SlotState::Clearing => bail!(
            "slot {slot} is {now:?}: trades are answered between its clearing and the end of the confirmation window; \
             busbar market wait --market {market} --slot {slot} --state proposed waits for it"
        ),
        SlotState::Settled => bail!(
            "slot {slot} is Settled: its trades took effect or were cancelled, and who did not answer has paid for it; \
             busbar bill shows what you paid and were paid"
        ),
        SlotState::Void => bail!(
            "slot {slot} is Void: it has no trades, and what was held for them is free; \
             busbar market status --market {market} --slot {slot} says why"
        ),
        _ => bail!(
            "slot {slot} is {now:?}: the time to answer is over. Trades that both sides confirmed stand, the others are \
             cancelled at the cost of the side that was silent or refused; \
             busbar market status --market {market} --slot {slot} shows each"
        ),
    }
}

fn answered(events: &[Event], word: &str) -> Option<Answer> {
    let trades: Vec<u32> = events
        .iter()
        .filter_map(|event| match event {
            Event::Markets(Done::TradeAnswered { trade, .. }) => Some(*trade),
            _ => None,
        })
        .collect();
    let names: Vec<String> = trades.iter().map(u32::to_string).collect();
    Some(Answer::new(
        format!("{word} trade {}", names.join(", ")),
        json!({ "trades": trades, "answer": word }),
    ))
}
