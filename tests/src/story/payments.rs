//! What a story demands of money. Sums between two, by kind: whoever wants single lines reads a bill.

use super::Sentence;
use super::stage::{Gaps, Payment, Stage};
use super::words::{Value, Yuan};
use contract_interface::kinds;
use runtime_execution::modules::markets::deposits::Backing;
use runtime_execution::modules::markets::{At, RECEIVABLES};
use runtime_primitives::AccountId;
use std::collections::BTreeMap;

/// The sentences of this file.
pub const SENTENCES: &[Sentence] = &[
    Sentence {
        text: "<party> pays <party> <money> for <word>",
        meaning: "sum of the slot's payments of this kind between the two; a debt collected later and a refund belong to no slot",
        run: pays,
    },
    Sentence {
        text: "nothing else is paid",
        meaning: "no payment of the slot is left that the story has not named",
        run: nothing_else,
    },
    Sentence { text: "<party> pays <money> in all", meaning: "its bill of the slot", run: bill_to_pay },
    Sentence {
        text: "<party> receives <money> in all",
        meaning: "its bill of the slot, in its favour",
        run: bill_to_receive,
    },
    Sentence {
        text: "<party> has <money> held",
        meaning: "for orders of all slots, and for connections",
        run: held,
    },
    Sentence { text: "<party> has <money> free", meaning: "what it can spend", run: free },
    Sentence {
        text: "<party> has <money> deposited",
        meaning: "what is held for its connections in the market, or by the retailer for all",
        run: deposited,
    },
    Sentence { text: "nothing is held", meaning: "of any household's money", run: nothing_held },
    Sentence {
        text: "<party> gains <money>",
        meaning: "free and held together, since `remember`",
        run: gains,
    },
    Sentence {
        text: "<party> loses <money>",
        meaning: "free and held together, since `remember`",
        run: loses,
    },
    Sentence { text: "<party> owes <money>", meaning: "what it could not pay and still owes", run: owes },
    Sentence { text: "<party> owes nothing", meaning: "it may trade", run: owes_nothing },
];

/// Kinds of payments by name.
pub const KINDS: [(&str, u8); 11] = [
    ("energy", kinds::ENERGY),
    ("fee", kinds::FEE),
    ("surplus", kinds::SURPLUS),
    ("feed-in", kinds::FEED_IN),
    ("retail", kinds::RETAIL),
    ("deviation", kinds::DEVIATION),
    ("refusal", kinds::REFUSAL),
    ("forfeit", kinds::FORFEIT),
    ("refund", kinds::POOL_REFUND),
    ("debt", kinds::RECEIVABLE),
    ("adjustment", kinds::ADJUSTMENT),
];

type Done = Result<(), String>;

/// Payments between two, by kind: those of a slot, or those of none.
fn payments(stage: &Stage, slot: Option<At>) -> BTreeMap<Payment, u128> {
    let mut sums = BTreeMap::new();
    for record in stage.world.chain.movements() {
        let counts = KINDS.iter().any(|(_, kind)| *kind == record.kind);
        if record.slot == slot && counts {
            *sums.entry((record.payer, record.payee, record.kind)).or_default() += record.amount.units();
        }
    }
    sums
}

fn kind_name(kind: u8) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map_or("?", |(name, _)| name)
}

fn told(stage: &Stage, payments: &BTreeMap<Payment, u128>) -> String {
    let lines = payments.iter().map(|((payer, payee, kind), units)| {
        let (payer, payee) = (stage.called(*payer), stage.called(*payee));
        format!("{payer} pays {payee} {} for {}", Yuan(*units), kind_name(*kind))
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { "nothing is paid".into() } else { lines.join("; ") }
}

fn pays(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let word = gaps.word(3);
    let kind = KINDS.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind);
    let kind = kind.ok_or_else(|| {
        let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        format!("unknown kind of payment `{word}`; expected one of: {}", names.join(", "))
    })?;
    let at = (kind != kinds::RECEIVABLE).then(|| stage.at());
    let key = (stage.account(&gaps.name(0)), stage.account(&gaps.name(1)), kind);
    let all = payments(stage, at);
    if all.get(&key) != Some(&gaps.money(2)) {
        return Err(format!("the chain has: {}", told(stage, &all)));
    }
    stage.named.entry(at).or_default().insert(key);
    Ok(())
}

fn nothing_else(stage: &mut Stage, _: &[Value]) -> Done {
    let at = Some(stage.at());
    let mut rest = payments(stage, at);
    rest.retain(|key, _| !stage.named.get(&at).is_some_and(|named| named.contains(key)));
    if rest.is_empty() { Ok(()) } else { Err(format!("also {}", told(stage, &rest))) }
}

/// What an account paid and received in the slot.
fn bill(stage: &Stage, account: AccountId) -> (u128, u128) {
    payments(stage, Some(stage.at())).iter().fold((0, 0), |(paid, got), ((payer, payee, _), units)| {
        let own = |party: &AccountId| if *party == account { *units } else { 0 };
        (paid + own(payer), got + own(payee))
    })
}

fn bill_is(stage: &Stage, name: &str, pays: u128, receives: u128) -> Done {
    let (paid, got) = bill(stage, stage.account(name));
    if paid + receives == got + pays {
        return Ok(());
    }
    Err(format!("{name} pays {} and receives {}", Yuan(paid), Yuan(got)))
}

fn bill_to_pay(stage: &mut Stage, values: &[Value]) -> Done {
    bill_is(stage, &Gaps(values).name(0), Gaps(values).money(1), 0)
}

fn bill_to_receive(stage: &mut Stage, values: &[Value]) -> Done {
    bill_is(stage, &Gaps(values).name(0), 0, Gaps(values).money(1))
}

fn money_is(what: &str, got: u128, expected: u128) -> Done {
    if got == expected {
        Ok(())
    } else {
        Err(format!("{what} is {}, expected {}", Yuan(got), Yuan(expected)))
    }
}

fn held(stage: &mut Stage, values: &[Value]) -> Done {
    let (_, held) = stage.world.chain.money(&stage.account(&Gaps(values).name(0)));
    money_is("what it has held", held.units(), Gaps(values).money(1))
}

fn free(stage: &mut Stage, values: &[Value]) -> Done {
    let (free, _) = stage.world.chain.money(&stage.account(&Gaps(values).name(0)));
    money_is("what it has free", free.units(), Gaps(values).money(1))
}

fn deposited(stage: &mut Stage, values: &[Value]) -> Done {
    let name = Gaps(values).name(0);
    let market = stage.world.market;
    let backing = if name == "retailer" {
        Backing::Retailer(market)
    } else {
        Backing::Supply(market, stage.entity(&name)?)
    };
    let held = backing.get(&stage.world.chain.view()).held;
    money_is("what is held for connections", held.units(), Gaps(values).money(1))
}

fn nothing_held(stage: &mut Stage, _: &[Value]) -> Done {
    for (name, home) in stage.names.iter().zip(&stage.world.homes) {
        let (_, held) = stage.world.chain.money(&home.account());
        money_is(&format!("what {name} has held"), held.units(), 0)?;
    }
    Ok(())
}

/// What an account has more and less than at `remember`.
fn change(stage: &Stage, name: &str) -> Result<(u128, u128), String> {
    let account = stage.account(name);
    if stage.remembered.is_empty() {
        return Err("since when? say `remember everybody's money` before".into());
    }
    let before = stage.remembered.get(&account).copied().unwrap_or_default();
    let (free, held) = stage.world.chain.money(&account);
    let after = free.units() + held.units();
    Ok((after.saturating_sub(before), before.saturating_sub(after)))
}

fn gains(stage: &mut Stage, values: &[Value]) -> Done {
    let (more, less) = change(stage, &Gaps(values).name(0))?;
    money_is("its loss", less, 0)?;
    money_is("its gain", more, Gaps(values).money(1))
}

fn loses(stage: &mut Stage, values: &[Value]) -> Done {
    let (more, less) = change(stage, &Gaps(values).name(0))?;
    money_is("its gain", more, 0)?;
    money_is("its loss", less, Gaps(values).money(1))
}

fn debt(stage: &Stage, name: &str) -> Result<u128, String> {
    Ok(RECEIVABLES.get_or_default(&stage.world.chain.view(), &stage.entity(name)?).total.units())
}

fn owes(stage: &mut Stage, values: &[Value]) -> Done {
    money_is("what it owes", debt(stage, &Gaps(values).name(0))?, Gaps(values).money(1))
}

fn owes_nothing(stage: &mut Stage, values: &[Value]) -> Done {
    money_is("what it owes", debt(stage, &Gaps(values).name(0))?, 0)
}
