//! Time, money, terms, and what institutions do.

use super::stage::{Gaps, Stage};
use super::words::Value;
use super::{Sentence, settings};
use crate::world::entities;
use parity_scale_codec::Compact;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::markets::adjustments::{Adjustment, Grounds};
use runtime_execution::modules::{balances, markets, registry, system};
use runtime_primitives::{MeterId, Money, Slot, blake2_256};
use std::sync::Arc;

/// The sentences of this file.
pub const SENTENCES: &[Sentence] = &[
    Sentence { text: "at <moment>", meaning: "time passes until then, in nine blocks", run: at },
    Sentence {
        text: "slot <number>",
        meaning: "what follows is about this slot; a story begins with slot 500",
        run: slot,
    },
    Sentence {
        text: "in market <number>",
        meaning: "what follows is about the first (1) or the second market (2)",
        run: market,
    },
    Sentence { text: "<number> blocks pass", meaning: "so many blocks of a second", run: blocks },
    Sentence {
        text: "the chain stops until <moment>",
        meaning: "an outage: no block until then, and one at that time",
        run: outage,
    },
    Sentence {
        text: "bank pays <party> <money>",
        meaning: "the bank credits an account; what is owed is paid from it first",
        run: fund,
    },
    Sentence { text: "<party> gives <party> <money>", meaning: "a plain transfer", run: give },
    Sentence {
        text: "<party> refunds <party> <money> for trade <number>",
        meaning: "an adjustment of the slot after its settlement, with evidence",
        run: adjust_trade,
    },
    Sentence {
        text: "<party> refunds <party> <money> for the meter of <household>",
        meaning: "the same, about what a meter read",
        run: adjust_meter,
    },
    Sentence {
        text: "<household> sends <number> notes",
        meaning: "remarks by its delegate key, of no consequence but their gas",
        run: send_notes,
    },
    Sentence {
        text: "<party> spends all its money",
        meaning: "everything free goes to the bank",
        run: spend_all,
    },
    Sentence {
        text: "platform adds <money> to the deposit",
        meaning: "the operator's deposit for market steps",
        run: top_up,
    },
    Sentence {
        text: "<party> releases its deposit",
        meaning: "what is held for connections beyond what is needed becomes free",
        run: release_deposit,
    },
    Sentence {
        text: "platform publishes terms from slot <number> with <text>",
        meaning: "new terms: `key: value; key: value`, keys as in the head of a story",
        run: publish,
    },
    Sentence {
        text: "platform creates another market",
        meaning: "on the terms of this one; its parties have not agreed to them",
        run: create,
    },
    Sentence {
        text: "<party> agrees to the terms",
        meaning: "to those that were published, or offered with another market, last",
        run: agree,
    },
    Sentence { text: "registrar suspends <household>", meaning: "it may not trade", run: suspend },
    Sentence { text: "registrar restores <household>", meaning: "it may trade again", run: restore },
    Sentence {
        text: "remember everybody's money",
        meaning: "what `gains` and `loses` compare with",
        run: remember,
    },
];

type Done = Result<(), String>;

fn at(stage: &mut Stage, values: &[Value]) -> Done {
    let time = stage.moment(Gaps(values).moment(0));
    if time < stage.world.chain.now {
        let late = (stage.world.chain.now.ms() - time.ms()) / 1_000;
        return Err(format!("that moment is over since {late} s"));
    }
    if time > stage.world.chain.now {
        stage.world.chain.pass_to(time);
    }
    Ok(())
}

fn slot(stage: &mut Stage, values: &[Value]) -> Done {
    stage.slot = Slot::from_number(Gaps(values).number(0));
    Ok(())
}

fn market(stage: &mut Stage, values: &[Value]) -> Done {
    let number = Gaps(values).number(0) as usize;
    stage.focus(number.checked_sub(1).ok_or("markets are numbered from 1")?)
}

fn blocks(stage: &mut Stage, values: &[Value]) -> Done {
    for _ in 0..Gaps(values).number(0) {
        stage.world.chain.block();
    }
    Ok(())
}

fn outage(stage: &mut Stage, values: &[Value]) -> Done {
    let time = stage.moment(Gaps(values).moment(0));
    stage.world.chain.block_at(time);
    Ok(())
}

fn fund(stage: &mut Stage, values: &[Value]) -> Done {
    let entity = stage.entity(&Gaps(values).name(0))?;
    let amount = Money::from_units(Gaps(values).money(1));
    let bank = Arc::clone(stage.world.bank());
    stage.submit(&bank, markets::Call::Fund { entity, amount });
    Ok(())
}

fn transfer(stage: &mut Stage, from: &str, to: &str, units: u128) -> Done {
    let (dest, value) = (MultiAddress::Id(stage.account(to)), Compact(units));
    let payer = stage.owner(from)?;
    stage.submit(&payer, balances::Call::TransferAllowDeath { dest, value });
    Ok(())
}

fn give(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    transfer(stage, &gaps.name(0), &gaps.name(1), gaps.money(2))
}

fn adjust(stage: &mut Stage, gaps: Gaps, trade: Option<u32>, meter: Option<MeterId>) -> Done {
    let (payee, amount) = (stage.entity(&gaps.name(1))?, Money::from_units(gaps.money(2)));
    let (payer, (market, slot)) = (stage.owner(&gaps.name(0))?, stage.at());
    let items = vec![Adjustment { payee, amount, trade, meter }];
    let grounds = Grounds { evidence: blake2_256(b"a protocol of the meter's test"), reason: 1 };
    stage.submit(&payer, markets::Call::Adjust { market, slot, items, grounds });
    Ok(())
}

fn adjust_trade(stage: &mut Stage, values: &[Value]) -> Done {
    let trade = Some(Gaps(values).number(3));
    adjust(stage, Gaps(values), trade, None)
}

fn adjust_meter(stage: &mut Stage, values: &[Value]) -> Done {
    let meter = stage.world.homes[stage.home(&Gaps(values).name(3))].meter;
    adjust(stage, Gaps(values), None, Some(meter))
}

fn send_notes(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let delegate = stage.world.homes[stage.home(&gaps.name(0))].delegate.clone();
    for _ in 0..gaps.number(1) {
        stage.submit(&delegate, system::Call::Remark { remark: b"note".to_vec() });
    }
    Ok(())
}

fn spend_all(stage: &mut Stage, values: &[Value]) -> Done {
    let name = Gaps(values).name(0);
    let (free, _) = stage.world.chain.money(&stage.account(&name));
    transfer(stage, &name, "bank", free.units())
}

fn top_up(stage: &mut Stage, values: &[Value]) -> Done {
    let (market, amount) = (stage.world.market, Money::from_units(Gaps(values).money(0)));
    let platform = Arc::clone(stage.world.platform());
    stage.submit(&platform, markets::Call::TopUp { market, amount });
    Ok(())
}

fn release_deposit(stage: &mut Stage, values: &[Value]) -> Done {
    let owner = stage.owner(&Gaps(values).name(0))?;
    let market = stage.world.market;
    stage.submit(&owner, markets::Call::ReleaseDeposit { market });
    Ok(())
}

fn publish(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let mut plan = stage.plan().clone();
    let known = plan.rules.clone();
    for change in gaps.text(1).split("; ") {
        let (key, value) = change.split_once(": ").ok_or("expected `key: value; key: value`")?;
        settings::set(&mut plan, key, value)?;
    }
    let fresh: Vec<Vec<u8>> = plan.rules.iter().filter(|code| !known.contains(code)).cloned().collect();
    stage.world.upload(&fresh);
    let (market, slot, terms) = (stage.world.market, Slot::from_number(gaps.number(0)), plan.terms());
    let platform = Arc::clone(stage.world.platform());
    stage.submit(&platform, markets::Call::ScheduleTerms { market, slot, terms: Box::new(terms) });
    if stage.refused.is_none() {
        stage.offered = Some((market, plan.terms().hash()));
        *stage.plan() = plan;
    }
    Ok(())
}

fn create(stage: &mut Stage, _: &[Value]) -> Done {
    let plan = stage.plan().clone();
    let market = markets::NEXT_MARKET.get(&stage.world.chain.view()).unwrap_or_default();
    let (platform, call) = (Arc::clone(stage.world.platform()), stage.world.new_market(&plan));
    stage.submit(&platform, call);
    stage.offered = Some((market, plan.terms().hash()));
    stage.add(plan);
    Ok(())
}

fn agree(stage: &mut Stage, values: &[Value]) -> Done {
    let (market, terms) = stage.offered.ok_or("no terms were published or offered")?;
    let key = stage.owner(&Gaps(values).name(0))?;
    stage.submit(&key, markets::Call::Agree { market, terms });
    Ok(())
}

fn set_suspended(stage: &mut Stage, name: &str, suspended: bool) -> Done {
    let entity = stage.entity(name)?;
    let registrar = Arc::clone(&stage.world.owners[entities::REGISTRAR as usize]);
    stage.submit(&registrar, registry::Call::SetSuspended { entity, suspended });
    Ok(())
}

fn suspend(stage: &mut Stage, values: &[Value]) -> Done {
    set_suspended(stage, &Gaps(values).name(0), true)
}

fn restore(stage: &mut Stage, values: &[Value]) -> Done {
    set_suspended(stage, &Gaps(values).name(0), false)
}

fn remember(stage: &mut Stage, _: &[Value]) -> Done {
    let accounts = &stage.world.chain.last().accounts;
    stage.remembered = accounts.iter().map(|(who, (free, held))| (*who, free + held)).collect();
    Ok(())
}
