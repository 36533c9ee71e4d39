//! `busbar order …`: place, cancel, amend and list orders, answer their trades, and orders that stand.

mod answers;
mod standing;

use super::book;
use super::meter::meters;
use super::remote::{Answer, NodeArgs, SignArgs};
use crate::agent::Desk;
use crate::client::{Party, SealedOrder, Session};
use crate::quantity::{self, QuantityError, instant_text};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use contract_interface::{OrderRequest, Side, Terms, flags};
use runtime_execution::modules::markets::sealed::Commitment;
use runtime_execution::modules::markets::{self, At, Event as Done, Live, SEALED, SLOTS, SlotState, live};
use runtime_execution::{Call, Event};
use runtime_primitives::{AccountId, Energy, EntityId, MarketId, MeterId, Price, Seq, Slot};
use runtime_state::Overlay;
use serde_json::json;
use std::path::{Path, PathBuf};
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

#[derive(Debug, Args)]
struct SlotArgs {
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    /// The slot: its number, or "next" for the first that takes orders.
    #[arg(long, value_name = "SLOT", default_value = "next", value_parser = slot)]
    slot: Which,
}

#[derive(Clone, Copy, Debug)]
enum Which {
    Next,
    Number(Slot),
}

fn slot(text: &str) -> Result<Which, String> {
    if text == "next" {
        return Ok(Which::Next);
    }
    let number = text.parse().map_err(|_| "write a slot's number, or \"next\"".to_owned())?;
    Ok(Which::Number(Slot::from_number(number)))
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OrderSide {
    /// Takes energy, pays money.
    Buy,
    /// Delivers energy, gets money.
    Sell,
}

#[derive(Debug, Args)]
struct OrderSpec {
    /// Buy or sell.
    #[arg(long, value_enum)]
    side: OrderSide,
    /// How much, such as 10kWh.
    #[arg(long, value_parser = quantity::energy)]
    energy: Energy,
    /// Limit price in yuan/kWh, such as 0.67, within the market's bounds.
    #[arg(long, value_parser = limit_price, allow_negative_numbers = true)]
    price: LimitPrice,
    /// At which meter [default: the entity's only one in the market].
    #[arg(long, value_name = "N")]
    meter: Option<u32>,
    /// Least acceptable fill; all or nothing if it is the energy.
    #[arg(long, value_name = "ENERGY", value_parser = quantity::energy, default_value = "0 Wh")]
    min_energy: Energy,
    /// Offer, or prefer, green energy.
    #[arg(long)]
    green: bool,
    /// Prefer this counterparty.
    #[arg(long, value_name = "ENTITY")]
    partner: Option<Party>,
    /// Agree in advance to every trade within these limits.
    #[arg(long)]
    auto_confirm: bool,
}

/// A price as asked for. What is below 0 is answered with the bounds of the market, which its terms have.
#[derive(Clone, Debug)]
enum LimitPrice {
    Price(Price),
    Negative(String),
}

fn limit_price(text: &str) -> Result<LimitPrice, QuantityError> {
    match text.trim().strip_prefix('-') {
        Some(above) => quantity::price(above).map(|_| LimitPrice::Negative(text.trim().to_owned())),
        None => quantity::price(text).map(LimitPrice::Price),
    }
}

impl LimitPrice {
    /// The price; whether it is within the bounds of `terms` is for the chain to say, if it is a price at all.
    fn price(&self, terms: &Terms) -> anyhow::Result<Price> {
        let (min, max) = (terms.limits.price_min, terms.limits.price_max);
        match self {
            Self::Price(price) => Ok(*price),
            Self::Negative(text) => {
                bail!("price {text} is outside [{min}, {max}]; write one in yuan/kWh within these bounds")
            }
        }
    }
}

impl SlotArgs {
    /// The slot on `state`.
    fn find(&self, state: &Overlay) -> anyhow::Result<At> {
        let id = MarketId::from_number(self.market);
        let market = markets::market(state, id)?;
        let slot = match self.slot {
            Which::Number(slot) => slot,
            Which::Next => {
                // Slots open in order and close in order: the first open one is just after the last closed one.
                let mut found = None;
                for number in (market.first_slot.number()..market.next_slot.number()).rev() {
                    let slot = Slot::from_number(number);
                    match SLOTS.get(state, &(id, slot)).map(|record| record.state) {
                        Some(SlotState::Open) => found = Some(slot),
                        _ => break,
                    }
                }
                let next = market.next_slot;
                found
                    .with_context(|| format!("no slot of market {id} takes orders; slot {next} opens next"))?
            }
        };
        Ok((id, slot))
    }
}

impl OrderSpec {
    const fn side(&self) -> Side {
        match self.side {
            OrderSide::Buy => Side::Buy,
            OrderSide::Sell => Side::Sell,
        }
    }

    /// The meter meant: the entity's only one in the market unless one is named.
    fn meter(&self, state: &Overlay, market: MarketId, entity: EntityId) -> anyhow::Result<MeterId> {
        if let Some(number) = self.meter {
            return Ok(MeterId::from_number(number));
        }
        match meters(state, Some(market), Some(entity))[..] {
            [(meter, _)] => Ok(meter),
            [] => bail!(
                "entity {entity} has no meter in market {market}; \
                 the registrar admits one: busbar meter add --entity {entity} --market {market}"
            ),
            ref found => {
                bail!("entity {entity} has {} meters in market {market}; name one with --meter", found.len())
            }
        }
    }

    /// Flags, and the preferred counterparty.
    fn preferences(&self, state: &Overlay) -> anyhow::Result<(u8, EntityId)> {
        let partner = self.partner.map(|partner| partner.find(state)).transpose()?;
        let bit = |set, bit| if set { bit } else { 0 };
        let flags = bit(self.green, flags::GREEN)
            | bit(partner.is_some(), flags::PARTNER)
            | bit(self.auto_confirm, flags::AUTO_CONFIRM);
        Ok((flags, partner.map_or(EntityId::ZERO, |(partner, _)| partner)))
    }

    fn request(&self, state: &Overlay, live: &Live, signer: AccountId) -> anyhow::Result<OrderRequest> {
        let (market, slot) = live.at;
        let meter = self.meter(state, market, entity_of(state, signer)?)?;
        let (flags, partner) = self.preferences(state)?;
        let gate_ms = u64::from(live.terms.windows.gate_before_s) * 1_000;
        Ok(OrderRequest {
            market,
            slot,
            terms: live.slot.terms,
            meter,
            side: self.side(),
            energy: self.energy,
            min_energy: self.min_energy,
            price: self.price.price(&live.terms)?,
            flags,
            partner,
            valid_until: live.terms.delivery_start(slot).minus_ms(gate_ms),
        })
    }
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
                    return commit(&session, request, keep, &sign);
                }
                let agreed = request.flags & flags::AUTO_CONFIRM != 0;
                sign.send(&session, &Call::Markets(markets::Call::Place { request }), |events| {
                    placed(events, agreed)
                })
            }
            OrderCommand::Reveal { file, sign } => reveal(&file, &sign),
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

impl OrderSpec {
    fn ask(&self, session: &Session, at: &SlotArgs, sign: &SignArgs) -> anyhow::Result<OrderRequest> {
        let signer = sign.signer()?.account();
        session.read(|state| {
            let at = at.find(state)?;
            self.request(state, &live(state, at)?, signer)
        })?
    }
}

/// Keep the order, then commit to it.
fn commit(
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
fn reveal(file: &Path, sign: &SignArgs) -> anyhow::Result<ExitCode> {
    let session = sign.session()?;
    let SealedOrder { request, salt, .. } = SealedOrder::load(file)?;
    let commitment = SealedOrder::load(file)?.commitment(session.genesis());
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
        placed(events, agreed)
    })
}

/// An order in the book, and what its owner has to do for its trades unless they are agreed to in advance.
fn placed(events: &[Event], agreed: bool) -> Option<Answer> {
    events.iter().find_map(|event| match event {
        Event::Markets(Done::OrderPlaced { market, slot, seq, entity, hold }) => Some(Answer::new(
            format!(
                "order {seq} of entity {entity} in slot {slot} of market {market}; {hold} yuan are held for it{}",
                if agreed {
                    String::new()
                } else {
                    format!(
                        "; its trades wait for `busbar order confirm --market {market} --slot {slot}`, and silence \
                         refuses them and pays the deviation rate (--auto-confirm agrees in advance)"
                    )
                }
            ),
            json!({
                "auto_confirm": agreed,
                "market": market.number(),
                "slot": slot.number(),
                "seq": seq.number(),
                "entity": entity.number(),
                "hold": hold.to_string(),
            }),
        )),
        _ => None,
    })
}

fn list(state: &Overlay, at: &SlotArgs, entity: Option<Party>) -> anyhow::Result<Answer> {
    let at = at.find(state)?;
    let (market, slot) = at;
    let entity = entity.map(|entity| entity.find(state)).transpose()?.map(|(id, _)| id);
    let start = instant_text(live(state, at)?.terms.delivery_start(slot));
    let desk = Desk::open(state, at).context("the slot has opened")?;
    let orders = book::orders(&desk, entity).with_context(|| {
        format!("slot {slot} is settled: its orders are in the archive; busbar export --data DIR writes it")
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
