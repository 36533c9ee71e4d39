//! `busbar market curtail`: the grid operator limits what connections move in a slot, and hears whom that exempts.
//!
//! Who is exempt is computed by the chain's own rule, on the state that has the curtailment.

use super::chain::now;
use crate::agent::{Desk, Match};
use crate::cli::remote::{Answer, SignArgs, table};
use crate::client::{Party, Session};
use crate::quantity::{self, energy_text};
use anyhow::{Context as _, ensure};
use clap::{ArgGroup, Args};
use runtime_execution::modules::markets::curtailment::{Cap, Capped, capped};
use runtime_execution::modules::markets::meters::meters_of;
use runtime_execution::modules::markets::{self, Agreed, At, CURTAILED, Event as Done, SlotState};
use runtime_execution::modules::registry::METERS;
use runtime_execution::{Call, Event};
use runtime_primitives::limits::CURTAILED_PER_CALL_MAX;
use runtime_primitives::{Energy, EntityId, MarketId, MeterId, Seq, Slot, Timestamp};
use runtime_state::Overlay;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// Limit what meters move in a slot. Signed by the market's grid operator.
///
/// Before the gate the cap binds orders: what stands beyond it is withdrawn, newest first, at no cost. From the gate on a meter
/// whose trades exceed the cap owes no deviation charge.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("when").required(true), group = ArgGroup::new("whom").required(true).multiple(true))]
pub struct CurtailArgs {
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    /// The slot.
    #[arg(long, value_name = "N", group = "when")]
    slot: Option<u32>,
    /// The slot that delivers at this moment, such as 2026-01-31T12:00:00Z, or now.
    #[arg(long, value_name = "TIME", group = "when", value_parser = moment)]
    at: Option<Moment>,
    /// These meters, such as 3,7 or 10..19.
    #[arg(long, value_name = "N|A..B", group = "whom", value_delimiter = ',', value_parser = meters)]
    meter: Vec<(MeterId, MeterId)>,
    /// Meters on this feeder, by your number.
    #[arg(long, value_name = "N", group = "whom")]
    feeder: Option<u32>,
    /// Meters of this entity: its number, or an address of one of its keys.
    #[arg(long, group = "whom")]
    entity: Option<Party>,
    /// The most that each may move in the slot, import and export together, such as 3kWh; 0kWh interrupts.
    #[arg(long, value_name = "ENERGY", value_parser = quantity::energy, allow_hyphen_values = true)]
    cap: Energy,
    /// Your reason code.
    #[arg(long, value_name = "N", default_value_t = 0)]
    reason: u8,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Clone, Copy, Debug)]
enum Moment {
    Now,
    At(Timestamp),
}

fn moment(text: &str) -> Result<Moment, String> {
    if text == "now" {
        return Ok(Moment::Now);
    }
    quantity::instant(text).map(Moment::At).map_err(|error| format!("{error}, or now"))
}

fn meters(text: &str) -> Result<(MeterId, MeterId), String> {
    let number = |text: &str| text.trim().parse().map(MeterId::from_number).ok();
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        _ => Err("write a meter's number, or the first and the last such as 10..19".into()),
    }
}

/// What the capped meters of a slot trade, as far as that is known.
struct Traded {
    /// By the trades that nobody has refused.
    capped: BTreeMap<MeterId, Capped>,
    /// Whether trades are still to come.
    is_uncleared: bool,
    /// Meters with a trade that waits for an answer: without one it is cancelled.
    waiting: BTreeSet<MeterId>,
}

/// Why it is not known what a meter trades.
#[derive(Clone, Copy, Debug)]
enum Open {
    Uncleared,
    Unconfirmed,
}

impl Open {
    const fn words(self) -> &'static str {
        match self {
            Self::Uncleared => "open until the book is cleared",
            Self::Unconfirmed => "open until its trades are confirmed",
        }
    }
}

impl Traded {
    fn read(desk: &Desk) -> Self {
        let mut all = desk.matches();
        all.retain(|found| ![found.buyer, found.seller].contains(&Agreed::Refused));
        let meters = |found: &Match| [found.buy.order.meter, found.sell.order.meter];
        let waits = |found: &&Match| [found.buyer, found.seller].contains(&Agreed::Pending);
        let waiting = all.iter().filter(waits).flat_map(meters).collect();
        let is_uncleared = match desk.live().slot.state {
            // A continuous book trades, and what is open of it fits the cap.
            SlotState::Open => desk.live().slot.trades == 0,
            state => matches!(state, SlotState::Revealing | SlotState::Clearing),
        };
        let trades = all.iter().map(|found| (meters(found), found.trade.energy));
        Self { capped: capped(desk.state(), desk.live().at, trades), is_uncleared, waiting }
    }

    fn known(&self, meter: MeterId) -> Result<&Capped, Open> {
        if self.is_uncleared {
            return Err(Open::Uncleared);
        }
        if self.waiting.contains(&meter) {
            return Err(Open::Unconfirmed);
        }
        self.capped.get(&meter).ok_or(Open::Uncleared)
    }
}

/// A capped meter and its owner.
type Owned = (MeterId, EntityId);

impl CurtailArgs {
    /// Do it and print what was withdrawn and whom it exempts.
    ///
    /// # Errors
    /// If no meter of the slot is meant, or why the chain refuses it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let session = self.sign.session()?;
        let time = match self.at {
            Some(Moment::At(time)) => Some(time),
            Some(Moment::Now) => Some(now(&session)?),
            None => None,
        };
        let (at, chosen) = session.read(|state| {
            let at = self.slot_meant(state, time)?;
            anyhow::Ok((at, self.chosen(state, at)?))
        })??;
        let items: Vec<Cap> = chosen.iter().map(|(meter, _)| (*meter, self.cap)).collect();
        let call = markets::Call::Curtail { market: at.0, slot: at.1, items, reason: self.reason };
        self.sign.send(&session, &Call::Markets(call), |events| self.told(&session, at, &chosen, events))
    }

    fn slot_meant(&self, state: &Overlay, time: Option<Timestamp>) -> anyhow::Result<At> {
        let id = MarketId::from_number(self.market);
        let market = markets::market(state, id)?;
        let Some(time) = time else { return Ok((id, Slot::from_number(self.slot.unwrap_or_default()))) };
        let terms = markets::terms(state, &market.schedule[0].terms);
        let passed = time.ms().checked_sub(terms.slot_zero.ms()).map(|ms| ms / terms.slot_ms());
        let slot = passed
            .and_then(|slot| u32::try_from(slot).ok())
            .with_context(|| format!("market {id} has no slot at {}", quantity::instant_text(time)))?;
        Ok((id, Slot::from_number(slot)))
    }

    /// The slot's meters that all of the arguments mean.
    fn chosen(&self, state: &Overlay, at: At) -> anyhow::Result<Vec<Owned>> {
        let live = markets::live(state, at)?;
        let entity = self.entity.map(|entity| entity.find(state).map(|(id, _)| id)).transpose()?;
        let known = meters_of(state, &live);
        let named = |meter: MeterId| {
            self.meter.is_empty() || self.meter.iter().any(|(first, last)| (*first..=*last).contains(&meter))
        };
        let single = self.meter.iter().filter(|(first, last)| first == last).map(|(meter, _)| *meter);
        for meter in single {
            ensure!(
                known.binary_search(&meter).is_ok(),
                "meter {meter} does not settle in slot {} of market {}; busbar meter list --market {} shows its meters",
                at.1,
                at.0,
                at.0
            );
        }
        let mut chosen = Vec::new();
        for meter in known.into_iter().filter(|meter| named(*meter)) {
            let Some(found) = METERS.get(state, &meter) else { continue };
            let fits = self.feeder.is_none_or(|feeder| found.feeder.number() == feeder)
                && entity.is_none_or(|entity| entity == found.entity);
            if fits {
                chosen.push((meter, found.entity));
            }
        }
        ensure!(
            !chosen.is_empty(),
            "no meter of slot {} of market {} fits; busbar meter list --market {} --json shows owners and feeders",
            at.1,
            at.0,
            at.0
        );
        ensure!(
            chosen.len() <= CURTAILED_PER_CALL_MAX,
            "{} meters are meant, a call curtails {CURTAILED_PER_CALL_MAX} at most; name a part of them by --meter A..B, \
             then the rest",
            chosen.len()
        );
        Ok(chosen)
    }

    /// What the curtailment did, once a block has it.
    fn told(&self, session: &Session, at: At, chosen: &[Owned], events: &[Event]) -> Option<Answer> {
        let mut withdrawn = Vec::new();
        for event in events {
            if let Event::Markets(Done::OrderCurtailed { seq, .. }) = event {
                withdrawn.push(*seq);
            }
        }
        let read = session.read(|state| {
            let desk = Desk::open(state, at)?;
            let real_time = CURTAILED.get_or_default(state, &at);
            let before_gate =
                real_time.binary_search_by_key(&chosen.first()?.0, |(meter, _)| *meter).is_err();
            Some((before_gate, Traded::read(&desk)))
        });
        let (before_gate, traded) = read.ok()??;
        Some(self.answer(at, chosen, &withdrawn, before_gate, &traded))
    }

    fn answer(
        &self,
        at: At,
        chosen: &[Owned],
        withdrawn: &[Seq],
        before_gate: bool,
        traded: &Traded,
    ) -> Answer {
        let mut rows = table(["Meter", "Entity", "Trades", "Deviation charge"]);
        let (mut meters, mut exempt, mut open): (Vec<Value>, usize, usize) = (Vec::new(), 0, 0);
        for (meter, entity) in chosen {
            let own = traded.known(*meter);
            let (energy, charge) = match own {
                Ok(own) if own.is_exempt() => (energy_text(own.traded), "none: it trades more than its cap"),
                Ok(own) => (energy_text(own.traded), "as usual: its trades fit its cap"),
                Err(open) => (String::new(), open.words()),
            };
            let own = own.ok();
            exempt += usize::from(own.is_some_and(Capped::is_exempt));
            open += usize::from(own.is_none());
            rows.add_row([meter.to_string(), entity.to_string(), energy, charge.to_owned()]);
            meters.push(json!({
                "meter": meter.number(),
                "entity": entity.number(),
                "cap_wh": traded.capped.get(meter).map_or(self.cap, |own| own.cap).wh(),
                "traded_wh": own.map(|own| own.traded.wh()),
                "exempt": own.map(Capped::is_exempt),
            }));
        }
        let rule = if before_gate {
            let withdrawn: Vec<String> = withdrawn.iter().map(ToString::to_string).collect();
            format!("before the gate: orders beyond it are refused; withdrawn: {}", words(&withdrawn))
        } else {
            "after the gate: who trades more owes no deviation charge".to_owned()
        };
        let (cap, count, reason) = (energy_text(self.cap), chosen.len(), self.reason);
        let open = if open > 0 { format!(", of {open} not known yet") } else { String::new() };
        let text = format!(
            "slot {} of market {} is capped at {cap} a meter, reason {reason}\n{rule}\nexempt: {exempt} of {count}{open}\n{rows}",
            at.1, at.0
        );
        let json = json!({
            "market": at.0.number(),
            "slot": at.1.number(),
            "cap_wh": self.cap.wh(),
            "reason": reason,
            "before_gate": before_gate,
            "withdrawn": withdrawn.iter().map(|seq| seq.number()).collect::<Vec<_>>(),
            "meters": meters,
        });
        Answer::new(text, json)
    }
}

fn words(numbers: &[String]) -> String {
    if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") }
}
