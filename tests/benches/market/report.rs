//! What was measured as a table or as JSON, and the bounds on it.

use crate::verdicts::{self, Verdict};
use crate::{BOUNDS, GROWTH_MAX_PERCENT, KEYS_MAX, Measured};
use serde_json::{Value, json};
use std::time::Duration;

/// Milliseconds with one decimal.
fn ms(time: Duration) -> String {
    let tenths = time.as_micros() / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn bound_of(orders: u32) -> Option<Duration> {
    BOUNDS.iter().find(|(size, _)| *size == orders).map(|(_, bound)| *bound)
}

/// The bounds: on each clearing, on its keys, and on growth where one clearing takes the whole book.
pub fn judge(all: &[Measured]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for done in all {
        let what = |of: &str| format!("{}, {} orders: {of}", done.mechanism, done.orders);
        if let Some(bound) = bound_of(done.orders) {
            let (measured, holds) = (ms(done.most), done.most <= bound);
            verdicts.push(Verdict { what: what("ms a clearing"), measured, bound: ms(bound), holds });
        }
        let (measured, holds) = (done.keys_most.to_string(), done.keys_most <= KEYS_MAX);
        verdicts.push(Verdict { what: what("keys"), measured, bound: KEYS_MAX.to_string(), holds });
    }
    for pair in all.chunk_by(|a, b| a.mechanism == b.mechanism) {
        let [small, .., large] = pair else { continue };
        let sizes = [small.orders, large.orders];
        if small.whole || sizes != BOUNDS.map(|(size, _)| size) {
            continue;
        }
        let percent = large.most.as_micros() * 100 / small.most.as_micros().max(1);
        let decimal = |percent: u128| format!("{}.{:02}", percent / 100, percent % 100);
        let what = format!("{}: times from {} to {} orders", small.mechanism, sizes[0], sizes[1]);
        let (measured, bound) = (decimal(percent), decimal(GROWTH_MAX_PERCENT));
        verdicts.push(Verdict { what, measured, bound, holds: percent <= GROWTH_MAX_PERCENT });
    }
    verdicts
}

pub fn print(all: &[Measured], verdicts: &[Verdict]) {
    let columns = [
        "mechanism",
        "orders",
        "blocks",
        "trades",
        "rule by its gas ms",
        "execution ms",
        "commit ms",
        "all ms",
        "dearest ms",
        "keys at most",
        "archive rows",
    ];
    println!("| {} |\n|---|{}", columns.join(" | "), "--:|".repeat(columns.len() - 1));
    for done in all {
        let times = [done.rule, done.sum.execution, done.sum.commit, done.sum.all(), done.most].map(ms);
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            done.mechanism,
            done.orders,
            done.blocks,
            done.trades,
            times.join(" | "),
            done.keys_most,
            done.rows
        );
    }
    verdicts::print(verdicts);
}

pub fn json(all: &[Measured], verdicts: &[Verdict]) -> Value {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let clearings = all.iter().map(|done| {
        json!({
            "mechanism": done.mechanism,
            "orders": done.orders,
            "blocks": done.blocks,
            "trades": done.trades,
            "rule_us": micros(done.rule),
            "execution_us": micros(done.sum.execution),
            "commit_us": micros(done.sum.commit),
            "dearest_us": micros(done.most),
            "keys_most": done.keys_most,
            "archive_rows": done.rows,
        })
    });
    json!({ "clearings": clearings.collect::<Vec<_>>(), "bounds": verdicts::json(verdicts) })
}
