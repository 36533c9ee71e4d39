//! `busbar market create | schedule | top-up | take-back`: what a market's operator asks of the chain.

use super::agree;
use super::scheduled::{listed, numbers};
use crate::cli::remote::{Answer, SignArgs};
use crate::client::Session;
use crate::market_spec::{self, MarketSpec, RuleSource};
use crate::quantity::{self, instant_text};
use anyhow::{Context as _, bail};
use clap::Args;
use contract_interface::Terms;
use host_consensus::{Clock, SystemClock};
use runtime_execution::modules::markets::{self, Event as Done, Market, registration};
use runtime_execution::modules::timestamp;
use runtime_execution::{Call, Event};
use runtime_primitives::{EntityId, MarketId, Money, Slot, Timestamp};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Create a market from its spec. Signed by a market operator; the rules are on chain before.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The spec.
    spec: PathBuf,
    #[command(flatten)]
    sign: SignArgs,
}

/// Schedule a spec's rules, limits and rates for a market's slots, 24 h ahead. Signed by the market's operator.
#[derive(Debug, Args)]
pub struct ScheduleArgs {
    /// The spec; of it count slots, windows, limits, rates, fees and rules.
    spec: PathBuf,
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    /// The first slot that they govern: its number, or "earliest".
    #[arg(long, value_name = "SLOT", default_value = "earliest", value_parser = from_slot)]
    from_slot: FromSlot,
    #[command(flatten)]
    sign: SignArgs,
}

/// Add to the deposit that pays for a market's steps. Signed by the market's operator.
#[derive(Debug, Args)]
pub struct TopUpArgs {
    /// How much, in yuan.
    #[arg(value_parser = quantity::money)]
    amount: Money,
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    #[command(flatten)]
    sign: SignArgs,
}

/// Withdraw scheduled terms that some party has not agreed to. Signed by the market's operator.
#[derive(Debug, Args)]
pub struct WithdrawArgs {
    /// The terms: their spec, or 0x and their hash as `busbar market status` shows it.
    #[arg(value_name = "SPEC|HASH", value_parser = agree::named)]
    terms: agree::Named,
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    #[command(flatten)]
    sign: SignArgs,
}

/// Take back the deposit of a market that its parties have not agreed to. Signed by the market's operator.
#[derive(Debug, Args)]
pub struct TakeBackArgs {
    /// The market.
    #[arg(long, value_name = "N", default_value_t = 0)]
    market: u32,
    #[command(flatten)]
    sign: SignArgs,
}

/// Time for a call to get into a block.
const CALL_MS: u64 = 60_000;

#[derive(Clone, Copy, Debug)]
enum FromSlot {
    Earliest,
    Number(Slot),
}

fn from_slot(text: &str) -> Result<FromSlot, String> {
    if text == "earliest" {
        return Ok(FromSlot::Earliest);
    }
    let number = text.parse().map_err(|_| "write a slot's number, or \"earliest\"".to_owned())?;
    Ok(FromSlot::Number(Slot::from_number(number)))
}

/// The spec at `path`, or everything that is wrong with it.
pub(super) fn load(path: &Path) -> anyhow::Result<MarketSpec> {
    market_spec::load(path)?.map_err(|problems| {
        let lines = problems.iter().map(|problem| format!("{}:{problem}", path.display()));
        anyhow::anyhow!("{}", lines.collect::<Vec<_>>().join("\n"))
    })
}

/// The chain refuses rules that it does not have; say how to bring them before it does.
fn ensure_rules(session: &Session, spec: &MarketSpec) -> anyhow::Result<()> {
    let rules = &spec.rules;
    for (key, rule) in [
        ("bid", &rules.bid),
        ("matching", &rules.matching),
        ("settlement", &rules.settlement),
        ("fallback", &rules.fallback),
    ] {
        let hash = rule.hash();
        if session.read(|state| runtime_execution::modules::contracts::code(state, &hash).is_none())? {
            let how = match rule {
                RuleSource::Hash(_) => "its author uploads it by busbar contract deploy".to_owned(),
                named => format!("upload it first: busbar contract deploy {named}"),
            };
            bail!("rules.{key} = {rule}: code {hash} is not on chain; {how}");
        }
    }
    Ok(())
}

/// The chain's time, or this machine's if the chain rests.
///
/// # Errors
/// If the node does not answer.
pub(super) fn now(session: &Session) -> anyhow::Result<Timestamp> {
    // A chain that rests has an old clock; what is signed now is ordered now.
    let chain = session.read(|state| timestamp::NOW.get(state).unwrap_or_default())?;
    Ok(chain.max(SystemClock.now()))
}

impl CreateArgs {
    /// Do it and print the market's number.
    ///
    /// # Errors
    /// All that is wrong with the spec, or why the chain refuses it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let spec = load(&self.spec)?;
        let session = self.sign.session()?;
        ensure_rules(&session, &spec)?;
        let soonest = now(&session)?.plus_ms(CALL_MS);
        let first = spec.first.slot(&spec.terms, soonest).context("no slot number reaches that far")?;
        let new = Box::new(spec.new_market(first));
        self.sign.send(&session, &Call::Markets(markets::Call::Create { new }), |events| {
            let market = events.iter().find_map(|event| match event {
                Event::Markets(Done::MarketCreated { market, .. }) => Some(*market),
                _ => None,
            })?;
            let (start, awaits) = (instant_text(spec.terms.delivery_start(first)), awaited(events));
            Some(Answer::new(
                format!(
                    "market {market}, {}: its first slot is {first}, delivered from {start}{}",
                    spec.name,
                    condition(&awaits)
                ),
                json!({
                    "market": market.number(),
                    "first_slot": first.number(),
                    "delivery_start": start,
                    "terms_hash": spec.terms.hash().to_string(),
                    "awaits": numbers(&awaits),
                }),
            ))
        })
    }
}

/// Parties that agree to the terms of these events before they govern anything.
fn awaited(events: &[Event]) -> Vec<EntityId> {
    let scheduled = events.iter().find_map(|event| match event {
        Event::Markets(Done::TermsScheduled { awaits, .. }) => Some(awaits.clone()),
        _ => None,
    });
    scheduled.unwrap_or_default()
}

/// What terms wait for, at the end of a sentence.
fn condition(awaits: &[EntityId]) -> String {
    if awaits.is_empty() {
        return String::new();
    }
    format!(", once entities {} have agreed: busbar market agree", listed(awaits))
}

/// What the terms of these events take the place of, for people and for scripts.
fn replaced(events: &[Event]) -> (String, Vec<Value>) {
    let (mut text, mut all) = (String::new(), Vec::new());
    for event in events {
        let Event::Markets(Done::TermsReplaced { slot, terms, agreed, .. }) = event else { continue };
        text += &format!("\nthey replace terms {terms} from slot {slot} on");
        if !agreed.is_empty() {
            text += &format!("; that entities {} had agreed to those is void", listed(agreed));
        }
        all.push(json!({
            "from_slot": slot.number(),
            "terms_hash": terms.to_string(),
            "void_answers": numbers(agreed),
        }));
    }
    (text, all)
}

impl ScheduleArgs {
    /// Do it and print from when the terms govern.
    ///
    /// # Errors
    /// All that is wrong with the spec, or why the chain refuses it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let spec = load(&self.spec)?;
        let session = self.sign.session()?;
        ensure_rules(&session, &spec)?;
        let id = MarketId::from_number(self.market);
        let market = session.read(|state| markets::market(state, id))??;
        let now = now(&session)?;
        let slot = match self.from_slot {
            FromSlot::Number(slot) => slot,
            FromSlot::Earliest => earliest(&market, &spec.terms, now.plus_ms(CALL_MS))
                .context("no slot number reaches that far")?,
        };
        let hash = spec.terms.hash();
        let terms = Box::new(spec.terms.clone());
        let call = Call::Markets(markets::Call::ScheduleTerms { market: id, slot, terms });
        self.sign.send(&session, &call, |events| {
            let (start, awaits) = (instant_text(spec.terms.delivery_start(slot)), awaited(events));
            let (replaced, old) = replaced(events);
            Some(Answer::new(
                format!(
                    "market {id}: terms {hash} govern from slot {slot} on, delivered from {start}{}{replaced}",
                    condition(&awaits)
                ),
                json!({
                    "market": id.number(),
                    "from_slot": slot.number(),
                    "delivery_start": start,
                    "terms_hash": hash.to_string(),
                    "awaits": numbers(&awaits),
                    "replaces": old,
                }),
            ))
        })
    }
}

/// The first slot that terms published at `now` may govern: before the market runs there is no notice to give.
fn earliest(market: &Market, terms: &Terms, now: Timestamp) -> Option<Slot> {
    if market.is_agreed() {
        registration::earliest_change(market, terms, now)
    } else {
        registration::next_gate(terms, now)
    }
}

impl TopUpArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// Why the chain refuses it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let (market, amount) = (MarketId::from_number(self.market), self.amount);
        let call = Call::Markets(markets::Call::TopUp { market, amount });
        self.sign.send(&self.sign.session()?, &call, |_| {
            let text = format!("the deposit of market {market} is {amount} yuan higher");
            Some(Answer::new(text, json!({ "market": market.number(), "amount": amount.to_string() })))
        })
    }
}

impl WithdrawArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// Why the chain refuses it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let (market, terms) = (MarketId::from_number(self.market), self.terms.hash()?);
        let call = Call::Markets(markets::Call::WithdrawTerms { market, terms });
        self.sign.send(&self.sign.session()?, &call, |_| {
            let text =
                format!("terms {terms} of market {market} are withdrawn; nobody can agree to them any more");
            Some(Answer::new(text, json!({ "market": market.number(), "terms_hash": terms.to_string() })))
        })
    }
}

impl TakeBackArgs {
    /// Do it and print the answer.
    ///
    /// # Errors
    /// Why the chain refuses it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let market = MarketId::from_number(self.market);
        let call = Call::Markets(markets::Call::TakeBackDeposit { market });
        self.sign.send(&self.sign.session()?, &call, |_| {
            let text = format!("the deposit of market {market} is free again");
            Some(Answer::new(text, json!({ "market": market.number() })))
        })
    }
}
