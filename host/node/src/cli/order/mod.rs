//! `busbar order …`: place, cancel, amend and list orders, answer their trades, and orders that stand.

mod answers;
mod arguments;
mod sealed;
mod standing;

use super::book;
use super::remote::{Answer, NodeArgs, SignArgs};
use crate::agent::Desk;
use crate::client::Party;
use crate::quantity::instant_text;
use anyhow::Context as _;
use arguments::{OrderSpec, SlotArgs};
use clap::{Args, Subcommand};
use contract_interface::flags;
use runtime_execution::modules::markets::{self, At, Event as Done, live};
use runtime_execution::{Call, Event};
use runtime_primitives::{AccountId, EntityId, Money, Seq};
use runtime_state::Overlay;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Place, cancel, amend and list orders, and answer their trades.
#[derive(Debug, Args)]
pub struct OrderArgs {
    #[command(subcommand)]
    command: OrderCommand,
}

#[derive(Debug, Subcommand)]
enum OrderCommand {
    /// Place an order under the slot's present terms. Signed by the entity's owner or a delegate that may bid.
    Place {
        #[command(flatten)]
        at: SlotArgs,
        #[command(flatten)]
        what: OrderSpec,
        /// Where a sealed order is kept until it is revealed [default: a file named after it].
        #[arg(long, value_name = "FILE")]
        keep: Option<PathBuf>,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Reveal a sealed order after the gate. Who does not loses the deposit.
    Reveal {
        /// The file that keeps it.
        file: PathBuf,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Replace an order; the new one queues anew.
    Amend {
        /// The order to replace.
        seq: u32,
        #[command(flatten)]
        at: SlotArgs,
        #[command(flatten)]
        what: OrderSpec,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Withdraw an order.
    Cancel {
        /// The order.
        seq: u32,
        #[command(flatten)]
        at: SlotArgs,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Agree to trades. Signed by the entity's owner or a delegate that may confirm. Silence refuses.
    Confirm {
        /// The trades; all own ones that wait if none is named.
        trades: Vec<u32>,
        #[command(flatten)]
        slot: answers::ClearedArgs,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Refuse a trade: costs the deviation rate per kWh, paid to the counterparty.
    Refuse {
        /// The trade.
        trade: u32,
        #[command(flatten)]
        slot: answers::ClearedArgs,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Orders that stand: placed in each of their slots by the chain.
    #[command(subcommand)]
    Standing(standing::StandingCommand),
    /// List the orders of a slot's book, and its trades that wait for an answer.
    List {
        #[command(flatten)]
        at: SlotArgs,
        /// Only this entity's.
        #[arg(long)]
        entity: Option<Party>,
        #[command(flatten)]
        node: NodeArgs,
    },
}

fn entity_of(state: &Overlay, key: AccountId) -> anyhow::Result<EntityId> {
    Ok(Party::Key(key).find(state)?.0)
}

impl OrderArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// What stopped it, in words for people.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            OrderCommand::Place { at, what, keep, sign } => {
                let session = sign.session()?;
                let request = what.ask(&session, &at, &sign)?;
                let sealed =
                    session.read(|state| live(state, (request.market, request.slot)))??.terms.is_sealed();
                if sealed {
                    return sealed::commit(&session, request, keep, &sign);
                }
                let agreed = request.flags & flags::AUTO_CONFIRM != 0;
                sign.send(&session, &Call::Markets(markets::Call::Place { request }), |events| {
                    placed(events, agreed)
                })
            }
            OrderCommand::Reveal { file, sign } => sealed::reveal(&file, &sign),
            OrderCommand::Amend { seq, at, what, sign } => {
                let session = sign.session()?;
                let request = what.ask(&session, &at, &sign)?;
                let seq = Seq::from_number(seq);
                let agreed = request.flags & flags::AUTO_CONFIRM != 0;
                sign.send(&session, &Call::Markets(markets::Call::Amend { seq, request }), |events| {
                    placed(events, agreed)
                })
            }
            OrderCommand::Cancel { seq, at, sign } => {
                let session = sign.session()?;
                let (market, slot) = session.read(|state| at.find(state))??;
                let call = markets::Call::Cancel { market, slot, seq: Seq::from_number(seq) };
                sign.send(&session, &Call::Markets(call), |_| {
                    let text = format!("order {seq} of slot {slot} is withdrawn");
                    Some(Answer::new(text, json!({ "slot": slot.number(), "seq": seq })))
                })
            }
            OrderCommand::Confirm { trades, slot, sign } => answers::confirm(&trades, &slot, &sign),
            OrderCommand::Refuse { trade, slot, sign } => answers::refuse(trade, &slot, &sign),
            OrderCommand::Standing(command) => command.run(),
            OrderCommand::List { at, entity, node } => {
                node.print(&node.session()?.read(|state| list(state, &at, entity))??);
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// An order in the book, and what its owner has to do for its trades unless they are agreed to in advance.
fn placed(events: &[Event], agreed: bool) -> Option<Answer> {
    events.iter().find_map(|event| match event {
        Event::Markets(Done::OrderPlaced { market, slot, seq, entity, hold }) => {
            Some(in_book((*market, *slot), *seq, *entity, *hold, agreed))
        }
        _ => None,
    })
}

fn in_book(at: At, seq: Seq, entity: EntityId, hold: Money, agreed: bool) -> Answer {
    let (market, slot) = at;
    let next = if agreed {
        String::new()
    } else {
        format!(
            "; its trades wait for `busbar order confirm --market {market} --slot {slot}`, and silence refuses them and \
             pays the deviation rate (--auto-confirm agrees in advance)"
        )
    };
    Answer::new(
        format!(
            "order {seq} of entity {entity} in slot {slot} of market {market}; {hold} yuan are held for it{next}"
        ),
        json!({
            "auto_confirm": agreed,
            "market": market.number(),
            "slot": slot.number(),
            "seq": seq.number(),
            "entity": entity.number(),
            "hold": hold.to_string(),
        }),
    )
}

fn list(state: &Overlay, at: &SlotArgs, entity: Option<Party>) -> anyhow::Result<Answer> {
    let at = at.find(state)?;
    let (market, slot) = at;
    let entity = entity.map(|entity| entity.find(state)).transpose()?.map(|(id, _)| id);
    let start = instant_text(live(state, at)?.terms.delivery_start(slot));
    let desk = Desk::open(state, at).context("the slot has opened")?;
    let orders = book::orders(&desk, entity).with_context(|| {
        format!("slot {slot} is settled: its orders are in the archive; busbar export --data DIR writes it, with the node stopped or from a copy \
             of its folder")
    })?;
    let waiting = book::trades(&book::waiting(&desk, entity));
    let mut text = format!("slot {slot} of market {market}, delivered from {start}\n{}", orders.rows);
    if !waiting.all.is_empty() {
        text += &format!("\ntrades that wait for an answer: busbar order confirm | refuse\n{}", waiting.rows);
    }
    let json = json!({
        "market": market.number(),
        "slot": slot.number(),
        "delivery_start": start,
        "book": orders.all,
        "waiting_trades": waiting.all,
    });
    Ok(Answer::new(text, json))
}
