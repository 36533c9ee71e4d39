//! Orders, and the parties' consent to trades.

use super::Sentence;
use super::stage::{Gaps, Stage};
use super::words::{Value, decimal};
use contract_interface::{OrderRequest, Side, flags};
use runtime_execution::modules::markets;
use runtime_primitives::{Energy, Seq, Slot};
use std::sync::Arc;

/// The sentences of this file.
pub const SENTENCES: &[Sentence] = &[
    Sentence {
        text: "<household> buys <energy> at <price>",
        meaning: "a bid, signed by the household's delegate key",
        run: |stage, values| place(stage, values, Side::Buy),
    },
    Sentence {
        text: "<household> sells <energy> at <price>",
        meaning: "an ask",
        run: |stage, values| place(stage, values, Side::Sell),
    },
    Sentence {
        text: "<household> buys <energy> at <price> with <text>",
        meaning: "a bid with options: `auto-confirm`, `green`, `partner B`, `all or nothing`, `at least 5 kWh`, `the terms of slot 500`; commas part them",
        run: |stage, values| place(stage, values, Side::Buy),
    },
    Sentence {
        text: "<household> sells <energy> at <price> with <text>",
        meaning: "an ask with options",
        run: |stage, values| place(stage, values, Side::Sell),
    },
    Sentence {
        text: "<household> cancels order <number>",
        meaning: "orders of a slot are numbered from 0 as they come",
        run: cancel,
    },
    Sentence {
        text: "<household> amends order <number> to buy <energy> at <price>",
        meaning: "the new order queues anew",
        run: |stage, values| amend(stage, values, Side::Buy),
    },
    Sentence {
        text: "<household> amends order <number> to sell <energy> at <price>",
        meaning: "the new order queues anew",
        run: |stage, values| amend(stage, values, Side::Sell),
    },
    Sentence {
        text: "<household> confirms trade <number>",
        meaning: "its delegate signs the trade order",
        run: confirm,
    },
    Sentence {
        text: "<household> refuses trade <number>",
        meaning: "it pays the other party the deviation rate",
        run: refuse,
    },
    Sentence {
        text: "everybody confirms",
        meaning: "every party that has not answered does",
        run: confirm_all,
    },
];

type Done = Result<(), String>;

/// The household of a sentence and what it would sign: energy and price begin at gap `first`.
pub(super) fn request(
    stage: &Stage,
    gaps: &Gaps,
    first: usize,
    side: Side,
) -> Result<(usize, OrderRequest), String> {
    let home = stage.home(&gaps.name(0));
    let plain = stage.world.request(home, stage.slot, side, gaps.energy(first), gaps.price(first + 1));
    let request = OrderRequest { terms: stage.terms_of(stage.slot).hash(), ..plain };
    Ok((home, request))
}

fn place(stage: &mut Stage, values: &[Value], side: Side) -> Done {
    let gaps = Gaps(values);
    let (home, mut request) = request(stage, &gaps, 1, side)?;
    if values.len() > 3 {
        for option in gaps.text(3).split(", ") {
            set_option(stage, &mut request, option)?;
        }
    }
    let delegate = Arc::clone(&stage.world.homes[home].delegate);
    stage.submit(&delegate, markets::Call::Place { request });
    Ok(())
}

fn set_option(stage: &Stage, request: &mut OrderRequest, option: &str) -> Done {
    let words: Vec<&str> = option.split(' ').collect();
    match words[..] {
        ["auto-confirm"] => request.flags |= flags::AUTO_CONFIRM,
        ["green"] => request.flags |= flags::GREEN,
        ["partner", name] => {
            request.flags |= flags::PARTNER;
            request.partner = stage.entity(name)?;
        }
        ["all", "or", "nothing"] => request.min_energy = request.energy,
        ["at", "least", number, "kWh"] => {
            let wh = decimal(number, 3).and_then(|wh| u64::try_from(wh).ok());
            request.min_energy = Energy::from_wh(wh.ok_or("expected kWh, like `at least 5 kWh`")?);
        }
        ["the", "terms", "of", "slot", number] => {
            let slot = number.parse().map_err(|_| "expected a slot's number")?;
            request.terms = stage.terms_of(Slot::from_number(slot)).hash();
        }
        _ => return Err(format!("unknown option `{option}` of an order")),
    }
    Ok(())
}

fn cancel(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let (market, slot) = stage.at();
    let delegate = Arc::clone(&stage.world.homes[stage.home(&gaps.name(0))].delegate);
    stage.submit(&delegate, markets::Call::Cancel { market, slot, seq: Seq::from_number(gaps.number(1)) });
    Ok(())
}

fn amend(stage: &mut Stage, values: &[Value], side: Side) -> Done {
    let gaps = Gaps(values);
    let (home, request) = request(stage, &gaps, 2, side)?;
    let delegate = Arc::clone(&stage.world.homes[home].delegate);
    stage.submit(&delegate, markets::Call::Amend { seq: Seq::from_number(gaps.number(1)), request });
    Ok(())
}

fn confirm(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let home = stage.home(&gaps.name(0));
    let (market, slot) = stage.at();
    let items = vec![stage.world.confirm_item(home, slot, gaps.number(1))];
    let delegate = Arc::clone(&stage.world.homes[home].delegate);
    stage.submit(&delegate, markets::Call::Confirm { market, slot, items });
    Ok(())
}

fn refuse(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let (market, slot) = stage.at();
    let delegate = Arc::clone(&stage.world.homes[stage.home(&gaps.name(0))].delegate);
    stage.submit(&delegate, markets::Call::Refuse { market, slot, trade: gaps.number(1) });
    Ok(())
}

fn confirm_all(stage: &mut Stage, _: &[Value]) -> Done {
    stage.world.confirm_all(stage.slot);
    Ok(())
}
