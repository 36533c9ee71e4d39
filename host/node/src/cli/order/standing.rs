//! `busbar order standing …`: templates that become an order in each of their slots, set, listed and removed.
//!
//! A template is signed under terms: those that govern its first slot as far as is known when it is set.

use super::arguments::OrderSpec;
use super::entity_of;
use crate::cli::book::side_text;
use crate::cli::market::not_running;
use crate::cli::remote::{Answer, NodeArgs, SignArgs, table};
use crate::client::Party;
use crate::quantity::{self, energy_text};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use contract_interface::Terms;
use runtime_execution::modules::markets::standing::{Mask, STANDING, Standing, Template, Within};
use runtime_execution::modules::markets::{self, Event as Done};
use runtime_execution::{Call, Event};
use runtime_primitives::limits::STANDING_PERIOD_MAX;
use runtime_primitives::{AccountId, Energy, MarketId, Price, Slot};
use runtime_state::Overlay;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Set, list and remove standing orders.
#[derive(Debug, Subcommand)]
pub(super) enum StandingCommand {
    /// Place the same order in each slot that opens. Signed by the entity's owner or a delegate that may bid.
    Set {
        /// The market.
        #[arg(long, value_name = "N", default_value_t = 0)]
        market: u32,
        /// The slots, such as 40..59, both included; those that are open already do not count.
        #[arg(long, value_parser = quantity::slots)]
        slots: (Slot, Slot),
        #[command(flatten)]
        mask: MaskArgs,
        #[command(flatten)]
        what: Box<OrderSpec>,
        #[command(flatten)]
        accept: AcceptArgs,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// List a market's standing orders.
    List {
        /// The market.
        #[arg(long, value_name = "N", default_value_t = 0)]
        market: u32,
        /// Only this entity's.
        #[arg(long)]
        entity: Option<Party>,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Remove a standing order; orders that came of it stand.
    Remove {
        /// Its number.
        id: u32,
        /// The market.
        #[arg(long, value_name = "N", default_value_t = 0)]
        market: u32,
        #[command(flatten)]
        sign: SignArgs,
    },
}

/// Which of the slots.
#[derive(Debug, Args)]
pub(super) struct MaskArgs {
    /// Only some slots of each period of so many: a day has 96 quarter-hours.
    #[arg(long, value_name = "SLOTS", requires = "only")]
    period: Option<u16>,
    /// Which: slot numbers modulo the period, such as 40..59,80.
    #[arg(long, value_name = "LIST", requires = "period")]
    only: Option<String>,
}

/// What a change of terms may come to. Without any of these the template expires with it.
#[derive(Debug, Args)]
pub(super) struct AcceptArgs {
    /// Stand under other terms with at most this network fee, in yuan/kWh.
    #[arg(long, value_name = "PRICE", value_parser = quantity::price)]
    accept_fee: Option<Price>,
    /// Stand under other terms with at most this deviation rate, in yuan/kWh.
    #[arg(long, value_name = "PRICE", value_parser = quantity::price)]
    accept_deviation: Option<Price>,
    /// Stand under other terms with at least this tolerance.
    #[arg(long, value_name = "ENERGY", value_parser = quantity::energy, allow_hyphen_values = true)]
    accept_tolerance: Option<Energy>,
    /// Stand under other terms with at least this share as tolerance, such as "5 %".
    #[arg(long, value_name = "SHARE", value_parser = quantity::basis_points)]
    accept_share: Option<u16>,
    /// Stand under other rules.
    #[arg(long)]
    accept_rules: bool,
}

impl MaskArgs {
    fn mask(&self) -> anyhow::Result<Option<Mask>> {
        let (Some(period), Some(only)) = (self.period, &self.only) else { return Ok(None) };
        if !(1..=STANDING_PERIOD_MAX).contains(&period) {
            bail!("--period {period}: write 1 to {STANDING_PERIOD_MAX}");
        }
        let mut bits = vec![0_u8; usize::from(period.div_ceil(8))];
        for part in only.split(',') {
            let (first, last) = quantity::slots(part.trim()).map_err(|error| anyhow::anyhow!("{error}"))?;
            if last.number() >= u32::from(period) {
                bail!("--only {part}: a period of {period} has slots 0 to {}", period - 1);
            }
            for slot in first.number()..=last.number() {
                bits[(slot / 8) as usize] |= 1 << (slot % 8);
            }
        }
        Ok(Some(Mask { period, bits }))
    }
}

impl AcceptArgs {
    /// What is not said stays as it is in `terms`.
    fn within(&self, terms: &Terms) -> Option<Within> {
        let (rates, mut fee) = (terms.rates, terms.highest_fee());
        let is_open = self.accept_fee.is_some()
            || self.accept_deviation.is_some()
            || self.accept_tolerance.is_some()
            || self.accept_share.is_some()
            || self.accept_rules;
        if let Some(highest) = self.accept_fee {
            (fee.buyer, fee.seller) = (highest, highest);
        }
        is_open.then_some(Within {
            fee,
            deviation: self.accept_deviation.unwrap_or(rates.deviation),
            tol_wh: self.accept_tolerance.unwrap_or(rates.tol_wh),
            tol_bp: self.accept_share.unwrap_or(rates.tol_bp),
            other_rules: self.accept_rules,
        })
    }
}

impl StandingCommand {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// What stopped it, in words for people.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Set { market, slots, mask, what, accept, sign } => {
                let (session, signer) = (sign.session()?, sign.signer()?.account());
                let (market, mask) = (MarketId::from_number(market), mask.mask()?);
                let template =
                    session.read(|state| template(state, market, slots, mask, &what, &accept, signer))??;
                let call = markets::Call::SetStanding { template: Box::new(template) };
                sign.send(&session, &Call::Markets(call), set)
            }
            Self::List { market, entity, node } => {
                let market = MarketId::from_number(market);
                node.print(&node.session()?.read(|state| list(state, market, entity))??);
                Ok(ExitCode::SUCCESS)
            }
            Self::Remove { id, market, sign } => {
                let market = MarketId::from_number(market);
                let call = Call::Markets(markets::Call::RemoveStanding { market, id });
                sign.send(&sign.session()?, &call, |_| {
                    let text = format!("standing order {id} of market {market} is removed");
                    Some(Answer::new(text, json!({ "market": market.number(), "id": id })))
                })
            }
        }
    }
}

fn template(
    state: &Overlay,
    market: MarketId,
    (first, last): (Slot, Slot),
    mask: Option<Mask>,
    what: &OrderSpec,
    accept: &AcceptArgs,
    signer: AccountId,
) -> anyhow::Result<Template> {
    let found = markets::market(state, market)?;
    let governing = found.governing(first.max(found.first_slot));
    let terms = governing.with_context(|| not_running(market, &found))?.terms;
    let agreed = markets::terms(state, &terms);
    let meter = what.meter(state, market, entity_of(state, signer)?)?;
    let (flags, partner) = what.preferences(state)?;
    Ok(Template {
        market,
        terms,
        accept_within: accept.within(&agreed),
        first,
        last,
        mask,
        meter,
        side: what.side(),
        energy: what.energy,
        min_energy: what.min_energy,
        price: what.price.price(&agreed)?,
        flags,
        partner,
    })
}

fn set(events: &[Event]) -> Option<Answer> {
    events.iter().find_map(|event| match event {
        Event::Markets(Done::StandingSet { market, id, entity }) => Some(Answer::new(
            format!("standing order {id} of entity {entity} in market {market}"),
            json!({ "market": market.number(), "id": id, "entity": entity.number() }),
        )),
        _ => None,
    })
}

fn list(state: &Overlay, market: MarketId, entity: Option<Party>) -> anyhow::Result<Answer> {
    markets::market(state, market)?;
    let entity = entity.map(|entity| entity.find(state)).transpose()?.map(|(id, _)| id);
    let of_market = STANDING.entries(state).into_iter().filter(|((of, _), _)| *of == market);
    let mut own: Vec<Standing> = of_market.map(|(_, standing)| standing).collect();
    own.retain(|standing| entity.is_none_or(|entity| entity == standing.entity));
    own.sort_by_key(|standing| standing.id);
    let mut rows = table(["Number", "Entity", "Meter", "Slots", "Side", "Energy", "At least", "Price"]);
    for Standing { id, entity, template, .. } in &own {
        let of_period = |mask: &Mask| format!(" (some of {})", mask.period);
        let some = template.mask.as_ref().map(of_period).unwrap_or_default();
        rows.add_row([
            id.to_string(),
            entity.to_string(),
            template.meter.to_string(),
            format!("{}..{}{some}", template.first, template.last),
            side_text(template.side),
            energy_text(template.energy),
            energy_text(template.min_energy),
            template.price.to_string(),
        ]);
    }
    let all: Vec<Value> = own.iter().map(as_json).collect();
    let text = format!("{} standing orders in market {market}\n{rows}", own.len());
    Ok(Answer::new(text, json!({ "market": market.number(), "standing": all })))
}

fn as_json(standing: &Standing) -> Value {
    let template = &standing.template;
    let accept = template.accept_within.map(|within| {
        json!({
            "buyer_fee": within.fee.buyer.to_string(),
            "seller_fee": within.fee.seller.to_string(),
            "deviation": within.deviation.to_string(),
            "tolerance_wh": within.tol_wh.wh(),
            "tolerance_bp": within.tol_bp,
            "other_rules": within.other_rules,
        })
    });
    let mask = template.mask.as_ref().map(|mask| {
        let of_period = (0..u32::from(mask.period)).filter(|slot| mask.has(Slot::from_number(*slot)));
        json!({ "period": mask.period, "slots": of_period.collect::<Vec<_>>() })
    });
    json!({
        "id": standing.id,
        "entity": standing.entity.number(),
        "meter": template.meter.number(),
        "first_slot": template.first.number(),
        "last_slot": template.last.number(),
        "mask": mask,
        "side": side_text(template.side),
        "energy_wh": template.energy.wh(),
        "min_energy_wh": template.min_energy.wh(),
        "price": template.price.to_string(),
        "flags": template.flags,
        "terms_hash": template.terms.to_string(),
        "accept_within": accept,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_mask_is_written_as_slots_of_a_period() {
        let mask = |period, only: &str| MaskArgs { period: Some(period), only: Some(only.into()) }.mask();
        let written = mask(10, "1..2, 9").unwrap().unwrap();
        let has = (0..30).filter(|slot| written.has(Slot::from_number(*slot)));
        assert_eq!(has.collect::<Vec<_>>(), [1, 2, 9, 11, 12, 19, 21, 22, 29]);
        for (period, only, said) in [
            (10, "10", "slots 0 to 9"),
            (0, "0", "1 to 1440"),
            (1_441, "0", "1 to 1440"),
            (10, "noon", "slot"),
        ] {
            assert!(mask(period, only).unwrap_err().to_string().contains(said), "{period} {only}");
        }
        assert_eq!(MaskArgs { period: None, only: None }.mask().unwrap(), None);
    }
}
