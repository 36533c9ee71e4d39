//! What `busbar order` is told: a slot, and an order for it.
//!
//! The rule: what a command leaves out is found on the node's state, and only where there is one answer.

use super::entity_of;
use crate::cli::market::not_running;
use crate::cli::meter::meters;
use crate::cli::remote::SignArgs;
use crate::client::{Party, Session};
use crate::quantity::{self, QuantityError};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use contract_interface::{OrderRequest, Side, Terms, flags};
use runtime_execution::modules::markets::{self, At, Live, SLOTS, SlotState, live};
use runtime_primitives::{AccountId, Energy, EntityId, MarketId, MeterId, Price, Slot};
use runtime_state::Overlay;

#[derive(Debug, Args)]
pub(super) struct SlotArgs {
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
pub(super) struct OrderSpec {
    /// Buy or sell.
    #[arg(long, value_enum)]
    side: OrderSide,
    /// How much, such as 10kWh.
    #[arg(long, value_parser = quantity::energy, allow_hyphen_values = true)]
    pub(super) energy: Energy,
    /// Limit price in yuan/kWh, such as 0.67, within the market's bounds.
    #[arg(long, value_parser = limit_price, allow_negative_numbers = true)]
    pub(super) price: LimitPrice,
    /// At which meter [default: the entity's only one in the market].
    #[arg(long, value_name = "N")]
    meter: Option<u32>,
    /// Least acceptable fill; all or nothing if it is the energy.
    #[arg(long, value_name = "ENERGY", value_parser = quantity::energy, allow_hyphen_values = true, default_value = "0 Wh")]
    pub(super) min_energy: Energy,
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
pub(super) enum LimitPrice {
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
    pub(super) fn price(&self, terms: &Terms) -> anyhow::Result<Price> {
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
    pub(super) fn find(&self, state: &Overlay) -> anyhow::Result<At> {
        let id = MarketId::from_number(self.market);
        let market = markets::market(state, id)?;
        let slot = match self.slot {
            Which::Number(slot) => slot,
            Which::Next if !market.is_agreed() => bail!(not_running(id, &market)),
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
    pub(super) const fn side(&self) -> Side {
        match self.side {
            OrderSide::Buy => Side::Buy,
            OrderSide::Sell => Side::Sell,
        }
    }

    /// The meter meant: the entity's only one in the market unless one is named.
    pub(super) fn meter(
        &self,
        state: &Overlay,
        market: MarketId,
        entity: EntityId,
    ) -> anyhow::Result<MeterId> {
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
    pub(super) fn preferences(&self, state: &Overlay) -> anyhow::Result<(u8, EntityId)> {
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
        let start = live.terms.delivery_start(slot);
        let gate = start.minus_ms(u64::from(live.terms.windows.gate_before_s) * 1_000);
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
            // A sealed order enters the book when it is revealed, which is after the gate.
            valid_until: if live.terms.is_sealed() { start } else { gate },
        })
    }
    /// The order as it is to be signed.
    pub(super) fn ask(
        &self,
        session: &Session,
        at: &SlotArgs,
        sign: &SignArgs,
    ) -> anyhow::Result<OrderRequest> {
        let signer = sign.signer()?.account();
        session.read(|state| {
            let at = at.find(state)?;
            self.request(state, &live(state, at)?, signer)
        })?
    }
}
