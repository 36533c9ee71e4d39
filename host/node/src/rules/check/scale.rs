//! Gas: how it grows with the input, and that the dearest full input fits.
//!
//! Growth is taken between n and 10 n. Ten times the orders cost about ten times the gas where a rule sorts, a hundred
//! times where it compares all pairs; more than that is refused, because no market could ever grow into it.

use super::{Finding, Verdict};
use crate::report::grouped;
use crate::rules::generate::{WorstBook, full_slot, plain_message, worst_books};
use crate::rules::rule::{NoAnswer, Rule, RuleKind, answer};
use crate::rules::trial::try_book;
use crate::rules::written;
use contract_interface::{Descriptor, SETTLE, SettlementReport};
use parity_scale_codec::Encode;
use runtime_execution::referee::check_settlement;
use serde_json::json;

/// Tenfold input may cost so much more, in thousandths: quadratic, and half as much again.
const GROWTH_MAX_MILLE: u64 = 150_000;
/// n of the smaller input, unless the rule accepts fewer.
const SMALL: u32 = 1_000;
/// Trades of the full slot: two transfers each and one a meter must fit an answer.
const SLOT_TRADES: u32 = 60_000;
/// Orders that an example still lists.
const SHOWN_MAX: u32 = 40;

const GROWTH: &str = "gas grows with the input";
const WORST: &str = "a full input fits the gas";

fn finding(property: &'static str, cases: u32, verdict: Verdict, note: String) -> Finding {
    Finding { property, cases, verdict, note }
}

fn not_reached() -> Vec<Finding> {
    [GROWTH, WORST].map(|property| finding(property, 0, Verdict::NotReached, String::new())).to_vec()
}

fn growth(small: u64, large: u64, sizes: (u32, u32)) -> Finding {
    let mille = u128::from(large) * 1_000 / u128::from(small.max(1));
    let mille = u64::try_from(mille).unwrap_or(u64::MAX);
    let note = format!("× {}.{} from {} to {}", mille / 1_000, mille % 1_000 / 100, sizes.0, sizes.1);
    let verdict = if mille <= GROWTH_MAX_MILLE {
        Verdict::Holds
    } else {
        let reason = format!("ten times the input costs {note}, at most {}", GROWTH_MAX_MILLE / 1_000);
        Verdict::Fails { reason, example: json!({ "gas": [small, large], "orders": [sizes.0, sizes.1] }) }
    };
    finding(GROWTH, 2, verdict, note)
}

/// The growth of the book that grows fastest.
fn dearest_growth(
    rule: &Rule,
    descriptor: &Descriptor,
    books: &[WorstBook],
    step: &mut impl FnMut(&str),
) -> Finding {
    let cost = |book: &WorstBook, count: u32| {
        try_book(rule, descriptor, &book.of(count), usize::MAX).ok().map(|trial| trial.gas.units())
    };
    let small = (descriptor.max_orders / 10).clamp(1, SMALL);
    let large = small.saturating_mul(10).min(descriptor.max_orders);
    step("gas of growing books");
    let pairs = books.iter().filter_map(|book| {
        let none = cost(book, 0)?;
        Some((cost(book, small)?.saturating_sub(none), cost(book, large)?.saturating_sub(none)))
    });
    let ratio = |(small, large): &(u64, u64)| u128::from(*large) * 1_000 / u128::from((*small).max(1));
    match pairs.max_by_key(ratio) {
        Some(pair) => growth(pair.0, pair.1, (small, large)),
        None => finding(GROWTH, 0, Verdict::NotReached, "no large book was answered".to_owned()),
    }
}

pub(super) fn of_matching(
    rule: &Rule,
    descriptor: &Descriptor,
    answers: bool,
    step: &mut impl FnMut(&str),
) -> Vec<Finding> {
    let books = worst_books(descriptor);
    if !answers || descriptor.max_orders == 0 {
        return not_reached();
    }
    let grown = dearest_growth(rule, descriptor, &books, step);
    let (mut most, mut cause) = (0, None);
    let mut verdict = Verdict::Holds;
    let mut tried = 0;
    for book in &books {
        step(book.name);
        tried += 1;
        let clear = |count: u32| match try_book(rule, descriptor, &book.of(count), usize::MAX) {
            Ok(trial) => trial
                .verdict
                .map(|()| trial.gas.units())
                .map_err(|fault| format!("the referee refuses: {fault}")),
            Err(stopped) => Err(stopped.why.to_string()),
        };
        match clear(descriptor.max_orders) {
            Ok(gas) => most = most.max(gas),
            Err(why) => {
                let (mut fails, mut passes) = (descriptor.max_orders, 0);
                while fails - passes > 1 && fails / (fails - passes) < 8 {
                    let middle = passes.midpoint(fails);
                    if clear(middle).is_ok() { passes = middle } else { fails = middle }
                }
                let reason = format!("{}: {} orders: {why}; {passes} pass", book.name, fails);
                let example = if fails <= SHOWN_MAX {
                    written(&book.of(fails))
                } else {
                    json!({ "shape": book.name, "orders": fails })
                };
                verdict = Verdict::Fails { reason, example };
                cause = Some(why);
                break;
            }
        }
    }
    let count = grouped(u64::from(descriptor.max_orders));
    let note = cause.unwrap_or_else(|| format!("at most {} gas for {count} orders", grouped(most)));
    vec![grown, finding(WORST, tried, verdict, note)]
}

pub(super) fn of_settlement(rule: &Rule, answers: bool, step: &mut impl FnMut(&str)) -> Vec<Finding> {
    if !answers {
        return not_reached();
    }
    let kind = RuleKind::Settlement;
    let settle = |trades: u32| -> Result<u64, String> {
        let input = full_slot(trades);
        let outcome = rule.call(&(SETTLE, &input).encode(), kind.gas_max());
        let report: SettlementReport = answer(&outcome).map_err(|why: NoAnswer| why.to_string())?;
        check_settlement(&input, &report).map_err(|fault| fault.to_string())?;
        Ok(outcome.gas_used.units())
    };
    step("gas of growing slots");
    let none = rule.call(&plain_message(kind), kind.gas_max()).gas_used.units();
    let grown = match (settle(SMALL), settle(10 * SMALL)) {
        (Ok(small), Ok(large)) => {
            growth(small.saturating_sub(none), large.saturating_sub(none), (SMALL, 10 * SMALL))
        }
        _ => finding(GROWTH, 0, Verdict::NotReached, "a large slot was not answered".to_owned()),
    };
    step("a full slot");
    let (verdict, note) = match settle(SLOT_TRADES) {
        Ok(gas) => {
            (Verdict::Holds, format!("{} gas for {} trades", grouped(gas), grouped(u64::from(SLOT_TRADES))))
        }
        Err(reason) => {
            let example = json!({ "trades": SLOT_TRADES, "meters": SLOT_TRADES / 10 });
            (Verdict::Fails { reason, example }, String::new())
        }
    };
    vec![grown, finding(WORST, 1, verdict, note)]
}
