//! What a story demands of slots and trades. Each compares with what the chain has, and says what that is if it differs.

use super::Sentence;
use super::settings;
use super::stage::{Gaps, Stage, variant};
use super::words::Value;
use runtime_execution::Event as AnyEvent;
use runtime_execution::modules::attestation;
use runtime_execution::modules::markets::{self, Event, Failure, FailureReason, TRADES, TradeOutcome};

/// The sentences of this file.
pub const SENTENCES: &[Sentence] = &[
    Sentence {
        text: "refused: <word>",
        meaning: "the sentence before was refused by this rule; without this a refusal fails the story",
        run: refused,
    },
    Sentence { text: "slot is <word>", meaning: "where the slot stands, by MARKET's names", run: state },
    Sentence {
        text: "slot is Void because <word>",
        meaning: "`NoClearing`, `NotCertified`, `NoDeposit` or `TooLate`",
        run: void,
    },
    Sentence { text: "<number> trades are made", meaning: "by the slot's clearing", run: trades },
    Sentence {
        text: "trade <number> is <household> to <household> <energy> at <price>",
        meaning: "seller, buyer, and what they agreed to",
        run: trade,
    },
    Sentence { text: "trade <number> is Delivered", meaning: "all of it was settled", run: delivered },
    Sentence {
        text: "trade <number> is Partial <energy>",
        meaning: "so much of it was settled",
        run: partial,
    },
    Sentence {
        text: "trade <number> is undelivered",
        meaning: "nothing of it was settled",
        run: undelivered,
    },
    Sentence {
        text: "trade <number> falls short because <word> of <word>",
        meaning: "`NotConfirmed`, `NotDelivered` or `Curtailed`; of `seller`, `buyer` or `both`",
        run: falls_short,
    },
    Sentence {
        text: "trade <number> is void because <word>",
        meaning: "the slot's reason, as in `slot is Void because`",
        run: trade_is_void,
    },
    Sentence {
        text: "trade <number> is cancelled by <household>",
        meaning: "it failed to confirm, alone",
        run: cancelled_by,
    },
    Sentence { text: "trade <number> is cancelled by both", meaning: "neither confirmed", run: cancelled },
    Sentence {
        text: "cleared by <word>",
        meaning: "the rule that cleared the slot, by its name",
        run: cleared_by,
    },
    Sentence { text: "<party> dissents", meaning: "its other result is on record", run: dissents },
    Sentence {
        text: "the chain reports <word>",
        meaning: "an event of this name was emitted for the slot, or for none",
        run: reports,
    },
];

type Done = Result<(), String>;

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, expected: &T) -> Done {
    if got == expected { Ok(()) } else { Err(format!("{what} is {got:?}, expected {expected:?}")) }
}

fn refused(stage: &mut Stage, values: &[Value]) -> Done {
    let expected = Gaps(values).word(0);
    match stage.refused.take() {
        None => Err("the sentence before was not refused".into()),
        Some((name, _)) if name == expected => Ok(()),
        Some((_, whole)) => Err(format!("the refusal is {whole}")),
    }
}

fn state(stage: &mut Stage, values: &[Value]) -> Done {
    let state = format!("{:?}", stage.world.state(stage.slot));
    same("the slot", &state, &Gaps(values).word(0))
}

fn void(stage: &mut Stage, values: &[Value]) -> Done {
    let reason = stage.world.slot(stage.slot).void.map(|reason| format!("{reason:?}"));
    same("the reason", &reason, &Some(Gaps(values).word(0)))
}

fn trades(stage: &mut Stage, values: &[Value]) -> Done {
    same("the number of trades", &stage.world.slot(stage.slot).trades, &Gaps(values).number(0))
}

fn trade(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let number = gaps.number(0);
    let entry = TRADES.get(&stage.world.chain.view(), stage.at(), number);
    let entry = entry.ok_or_else(|| format!("no trade {number} is alive in the slot"))?;
    let (buy, sell) = markets::confirm::orders_of(&stage.world.chain.view(), stage.at(), &entry);
    let trade = entry.trade;
    let got = (sell.order.entity, buy.order.entity, trade.energy.wh(), trade.buy_price.ticks());
    let [seller, buyer] = [stage.entity(&gaps.name(1))?, stage.entity(&gaps.name(2))?];
    same("the trade (seller, buyer, Wh, ticks)", &got, &(seller, buyer, gaps.energy(3), gaps.price(4)))
}

fn outcome(stage: &Stage, number: u32) -> Result<TradeOutcome, String> {
    stage.world.outcome(stage.at(), number).ok_or_else(|| "what became of the trade is not decided".into())
}

fn delivered(stage: &mut Stage, values: &[Value]) -> Done {
    same("the trade", &outcome(stage, Gaps(values).number(0))?, &TradeOutcome::Delivered)
}

fn partial(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    match outcome(stage, gaps.number(0))? {
        TradeOutcome::Partial { settled, .. } => same("the settled Wh", &settled.wh(), &gaps.energy(1)),
        other => Err(format!("the trade is {other:?}")),
    }
}

fn undelivered(stage: &mut Stage, values: &[Value]) -> Done {
    match outcome(stage, Gaps(values).number(0))? {
        TradeOutcome::Cancelled(Failure {
            reason: FailureReason::NotDelivered | FailureReason::Curtailed,
            ..
        }) => Ok(()),
        other => Err(format!("the trade is {other:?}")),
    }
}

fn falls_short(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let failure = outcome(stage, gaps.number(0))?.failure().ok_or("the trade is delivered")?;
    same("the reason", &format!("{:?}", failure.reason), &gaps.word(1))?;
    let party = failure.party.map(|party| format!("{party:?}").to_lowercase());
    same("the party", &party, &Some(gaps.word(2)))
}

fn trade_is_void(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let failure = outcome(stage, gaps.number(0))?.failure().ok_or("the trade is delivered")?;
    let reason = match failure.reason {
        FailureReason::Void(reason) => format!("{reason:?}"),
        other => format!("{other:?}"),
    };
    same("the reason", &reason, &gaps.word(1))?;
    same("the party", &failure.party, &None)
}

fn failed_party(stage: &Stage, number: u32) -> Result<Option<runtime_primitives::EntityId>, String> {
    let found = stage.world.chain.market_events().find_map(|event| match event {
        Event::TradeCancelled { market, slot, trade, party, .. }
            if ((*market, *slot), *trade) == (stage.at(), number) =>
        {
            Some(*party)
        }
        _ => None,
    });
    found.ok_or_else(|| "the trade was not cancelled".into())
}

fn cancelled_by(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let expected = stage.entity(&gaps.name(1))?;
    same("who failed", &failed_party(stage, gaps.number(0))?, &Some(expected))
}

fn cancelled(stage: &mut Stage, values: &[Value]) -> Done {
    same("who failed", &failed_party(stage, Gaps(values).number(0))?, &None)
}

fn cleared_by(stage: &mut Stage, values: &[Value]) -> Done {
    let mut plan = stage.plan().clone();
    settings::set(&mut plan, "matching", &Gaps(values).word(0))?;
    let code = crate::artifacts::hash(&plan.rules[1]);
    same("the code", &stage.world.slot(stage.slot).cleared_by, &code)
}

fn dissents(stage: &mut Stage, values: &[Value]) -> Done {
    let expected = stage.entity(&Gaps(values).name(0))?;
    let events = stage.world.chain.past.iter().flat_map(|past| &past.events);
    let found = events.into_iter().any(|record| match &record.event {
        AnyEvent::Attestation(attestation::Event::Dissent { market, slot, voter, .. }) => {
            ((*market, *slot), *voter) == (stage.at(), expected)
        }
        _ => false,
    });
    if found { Ok(()) } else { Err("no dissent of it is on record".into()) }
}

fn reports(stage: &mut Stage, values: &[Value]) -> Done {
    let expected = Gaps(values).word(0);
    let events = stage.world.chain.past.iter().flat_map(|past| &past.events);
    let printed: Vec<String> = events.map(|record| format!("{:?}", record.event)).collect();
    let of_slot = format!("slot: {:?}", stage.slot);
    let about = |event: &&String| !event.contains("slot: ") || event.contains(&of_slot);
    if printed.iter().filter(about).any(|event| variant(event) == expected) {
        return Ok(());
    }
    Err(format!("no event {expected} was emitted"))
}
