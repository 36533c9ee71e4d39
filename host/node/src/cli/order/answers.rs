//! `busbar order confirm | refuse`: a party's answers to the trades of a slot that has cleared.
//!
//! What is signed is computed here from the node's state: a key never signs a hash that somebody else names.

use super::entity_of;
use crate::agent::{Desk, Match};
use crate::cli::remote::{Answer, SignArgs, table};
use crate::quantity::energy_text;
use anyhow::{Context as _, ensure};
use clap::Args;
use comfy_table::Table;
use contract_interface::confirm_message;
use runtime_execution::modules::markets::{self, Agreed, At, ConfirmItem, Event as Done, SlotState};
use runtime_execution::{Call, Event};
use runtime_primitives::{EntityId, MarketId, Slot};
use runtime_state::Overlay;
use serde_json::{Value, json};
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

/// The trades of a slot on which `entity` has not answered, or all that wait if none is named; none once answers
/// are not taken.
pub(super) fn waiting(state: &Overlay, at: At, entity: Option<EntityId>) -> Vec<Match> {
    let desk = Desk::open(state, at).filter(|desk| desk.live().slot.state == SlotState::Proposed);
    let mut trades = desk.map(|desk| desk.matches()).unwrap_or_default();
    trades.retain(|found| {
        [(found.buyer, &found.buy), (found.seller, &found.sell)].iter().any(|(agreed, side)| {
            *agreed == Agreed::Pending && entity.is_none_or(|entity| entity == side.order.entity)
        })
    });
    trades
}

/// These trades, for people and for scripts.
pub(super) fn shown(trades: &[Match]) -> (Table, Vec<Value>) {
    let mut rows =
        table(["Trade", "Buyer", "Seller", "Energy", "Buyer pays", "Seller gets", "Answers missing"]);
    let mut all = Vec::new();
    for found in trades {
        let (buy, sell) = (&found.buy.order, &found.sell.order);
        let sides = [(found.buyer, "buyer"), (found.seller, "seller")];
        let missing = sides.into_iter().filter(|(agreed, _)| *agreed == Agreed::Pending);
        let missing: Vec<&str> = missing.map(|(_, side)| side).collect();
        let trade = &found.trade;
        rows.add_row([
            found.index.to_string(),
            buy.entity.to_string(),
            sell.entity.to_string(),
            energy_text(trade.energy),
            trade.buy_price.to_string(),
            trade.sell_price.to_string(),
            missing.join(", "),
        ]);
        all.push(json!({
            "trade": found.index,
            "buyer": buy.entity.number(),
            "seller": sell.entity.number(),
            "energy_wh": trade.energy.wh(),
            "buy_price": trade.buy_price.to_string(),
            "sell_price": trade.sell_price.to_string(),
            "missing": missing,
            "trade_order_hash": found.hash.to_string(),
        }));
    }
    (rows, all)
}

/// Confirm these trades, or all own ones that wait.
pub(super) fn confirm(trades: &[u32], slot: &ClearedArgs, sign: &SignArgs) -> anyhow::Result<ExitCode> {
    let (session, signer, at) = (sign.session()?, sign.signer()?, slot.at());
    let own = session.read(|state| {
        let entity = entity_of(state, signer.account())?;
        ensure_open(state, at)?;
        anyhow::Ok(waiting(state, at, Some(entity)))
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
    let now = markets::live(state, at)?.slot.state;
    ensure!(
        now == SlotState::Proposed,
        "slot {} is {now:?}: trades are answered between its clearing and the end of the confirmation window; \
         busbar market wait --market {} --slot {} --state proposed waits for it",
        at.1,
        at.0,
        at.1
    );
    Ok(())
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
