//! What a case did, by name: what was cleared by which rule and settled how, events, states, refusals and payments.
//!
//! A feature that no case reached is no feature of the campaign: [`MUST_HAPPEN`] names them all.

use busbar_tests::ledger::Ledger;
use busbar_tests::world::{MARKET, World};
use busbar_tests::{artifacts, story};
use contract_interface::{Stage, Terms, Vote};
use host_node::report::kind_name;
use parity_scale_codec::Decode;
use runtime_execution::archive::{SettleRecord, tables};
use runtime_execution::leaves;
use runtime_execution::modules::markets::{self, SLOTS};
use runtime_execution::{Event, Outcome};
use runtime_primitives::{Hash, Slot};
use std::collections::BTreeMap;

/// What the campaign must have seen at least once, whatever the seed.
pub const MUST_HAPPEN: &[&str] = &[
    "trades settled by high-low",
    "trades settled by uniform-price",
    "trades settled by min-spread",
    "trades settled by huang",
    "trades settled by continuous",
    "trades settled of sealed slots",
    "trades settled of standing orders",
    "trades settled under changed terms",
    "trades settled with a fee of both sides",
    "trades settled with a fee of their feeders",
    "votes by a proxy",
    "standing orders removed: TermsChanged",
    "standing orders removed: Ended",
    "standing orders removed: Withdrawn",
    "payments: energy",
    "payments: surplus",
    "payments: network fee",
    "payments: pool refund",
    "payments: deviation",
    "payments: refusal",
    "payments: receivable",
    "payments: withdrawal",
    "payments: adjustment",
    "payments: weight fee",
    "payments: forfeited deposit",
    "event Cleared",
    "event TradeAnswered",
    "event TradeCancelled",
    "event OrderCancelled",
    "event CancellationQueued",
    "event SelfTradePrevented",
    "event Curtailed",
    "event OrderCurtailed",
    "event StandingSkipped",
    "event ListPosted",
    "event Dissent",
    "event OrderRevealed",
    "event SealForfeited",
    "event ReadingRefused",
    "event Owed",
    "event ReserveDrawn",
    "event PrefundingShort",
    "refused SupplyDeposit",
    "event ClearingFailed",
    "event SlotVoid",
    "refused InsufficientFunds",
    "refused AboveHeldCap",
    "refused AboveEnergyCap",
    "refused GateClosed",
    "refused StaleRevision",
    "refused ImplausibleReading",
    "state Disputed",
    "second vote",
];

/// Bytes of the key of a stage's leaves, the last of which is the stage.
const STAGE_KEY: usize = 9;

/// Counts by name.
pub type Tally = BTreeMap<String, u32>;

/// The tally of a case, whose terms are `schedule` and whose payments are in `book`.
pub fn of(world: &World, schedule: &BTreeMap<Slot, Terms>, book: &Ledger) -> Tally {
    let mut tally = Tally::new();
    let mut add = |what: String| *tally.entry(what).or_default() += 1;
    receipts(world, &mut add);
    trades(world, schedule, book, &mut add);
    for line in &book.lines {
        add(format!("payments: {}", kind_name(line.kind)));
    }
    let rows = world.chain.archived(tables::STAGE);
    let votes = rows.filter(|row| row.key[..STAGE_KEY].last() == Some(&(Stage::Certification as u8)));
    let votes = leaves::read(votes).expect("rows of a stage");
    for vote in votes.iter().map(|leaf| Vote::decode(&mut &leaf[..]).expect("a vote")) {
        add(format!("votes by {}", if vote.proxy.is_some() { "a proxy" } else { "oneself" }));
    }
    for _ in SLOTS.entries(&world.chain.view()).values().filter(|slot| slot.round > 0) {
        add("second vote".into());
    }
    tally
}

/// Events, states and refusals.
fn receipts(world: &World, add: &mut impl FnMut(String)) {
    for past in &world.chain.past {
        for receipt in &past.receipts {
            let printed = match &receipt.outcome {
                Outcome::Applied { .. } => continue,
                Outcome::Failed { error, .. } => format!("{error:?}"),
                Outcome::Skipped { reason } => format!("{reason:?}"),
            };
            add(format!("refused {}", story::variant(&printed)));
        }
        for record in &past.events {
            let printed = format!("{:?}", record.event);
            if matches!(record.event, Event::Markets(_) | Event::Attestation(_)) {
                add(format!("event {}", story::variant(&printed)));
            }
            match &record.event {
                Event::Markets(markets::Event::StandingRemoved { reason, .. }) => {
                    add(format!("standing orders removed: {reason:?}"));
                }
                Event::Markets(markets::Event::SlotVoid { reason, .. }) => {
                    add(format!("slots void: {reason:?}"));
                }
                _ => {}
            }
            if let Some((_, state)) = printed.split_once("state: ") {
                add(format!("state {}", story::variant(state)));
            }
        }
    }
}

/// Trades of which something was delivered and paid: by which rule, and what they show besides.
fn trades(world: &World, schedule: &BTreeMap<Slot, Terms>, book: &Ledger, add: &mut impl FnMut(String)) {
    let mut cleared_by: BTreeMap<Slot, Hash> = BTreeMap::new();
    let mut standing = Vec::new();
    for event in world.chain.market_events() {
        match event {
            markets::Event::Cleared { slot, code, .. } => _ = cleared_by.insert(*slot, *code),
            markets::Event::StandingPlaced { slot, seq, .. } => standing.push((*slot, *seq)),
            _ => {}
        }
    }
    for row in world.chain.archived(tables::SETTLE) {
        let record = SettleRecord::decode(&mut &row.value[..]).expect("a settlement");
        let slot = record.input.slot;
        let (from, terms) = schedule.range(..=slot).next_back().expect("terms of every slot");
        let settled = record.input.trades.iter().zip(&record.report.settled);
        for (trade, _) in settled.filter(|(_, energy)| !energy.is_zero()) {
            let rule = cleared_by.get(&slot).map_or("nobody", |code| rule_name(code));
            let parties = book.slots[&(MARKET, slot)].trades[trade.id as usize].trade;
            let stands = [parties.buy, parties.sell].iter().any(|seq| standing.contains(&(slot, *seq)));
            let shows = [
                (true, format!("by {rule}")),
                (stands, "of standing orders".into()),
                (terms.is_sealed(), "of sealed slots".into()),
                (schedule.keys().next() != Some(from), "under changed terms".into()),
                (
                    !trade.fee.buyer.is_zero() && !trade.fee.seller.is_zero(),
                    "with a fee of both sides".into(),
                ),
                (trade.fee != terms.rates.fee, "with a fee of their feeders".into()),
            ];
            for (_, what) in shows.into_iter().filter(|(shown, _)| *shown) {
                add(format!("trades settled {what}"));
            }
        }
    }
}

/// The name of a rule that ships.
fn rule_name(code: &Hash) -> &'static str {
    let named = [
        ("high-low", artifacts::HIGH_LOW),
        ("uniform-price", artifacts::UNIFORM_PRICE),
        ("min-spread", artifacts::MIN_SPREAD),
        ("huang", artifacts::HUANG),
        ("continuous", artifacts::CONTINUOUS),
    ];
    named
        .into_iter()
        .find(|(_, bytes)| artifacts::hash(bytes) == *code)
        .map_or("a test's rule", |rule| rule.0)
}
