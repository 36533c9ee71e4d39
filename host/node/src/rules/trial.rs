//! One book through one rule, with the referee's verdict: what a chain would do with it, and no more.
//!
//! A continuous book is cleared in batches as blocks would cut it; what rests is carried over.

use super::fault::Fault;
use super::live_book::{LiveBook, OpResult};
use super::rule::{NoAnswer, Rule, RuleKind, answer, clear_message};
use contract_interface::{Book, ClearParams, Clearing, Descriptor, INTERFACE, Op};
use runtime_execution::referee::{check_batch, check_clearing};
use runtime_primitives::{Gas, MarketId, Price, Slot};

/// Parameters of clearings on the desk: any price is admissible.
pub const PARAMS: ClearParams = ClearParams {
    interface: INTERFACE,
    market: MarketId::ZERO,
    slot: Slot::ZERO,
    batch: 0,
    slot_minutes: 15,
    tick_size: Price::from_ticks(1),
    price_min: Price::ZERO,
    price_max: Price::MAX,
};

/// A book that was cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// What the rule answered, all batches together.
    pub clearing: Clearing,
    /// What it cost.
    pub gas: Gas,
    /// The referee's verdict.
    pub verdict: Result<(), Fault>,
    /// Of a continuous book: what each operation did, and the book after the last.
    pub course: Option<(Vec<OpResult>, LiveBook)>,
}

/// A book that was not cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The batch in which the rule stopped.
    pub batch: u32,
    /// What it cost until then.
    pub gas: Gas,
    /// Why.
    pub why: NoAnswer,
}

/// Clear `book`, a continuous one in batches of at most `batch_size` operations.
///
/// # Errors
/// If the rule gives no answer.
pub fn try_book(
    rule: &Rule,
    descriptor: &Descriptor,
    book: &Book,
    batch_size: usize,
) -> Result<Trial, Stopped> {
    match book {
        Book::Auction(orders) => {
            let (clearing, gas) = clear(rule, &PARAMS, book)?;
            let verdict = check_clearing(descriptor, orders, &clearing).map_err(Fault::from);
            Ok(Trial { clearing, gas, verdict, course: None })
        }
        Book::Continuous { ops, .. } => {
            let sizes = std::iter::repeat(batch_size.max(1));
            try_batches(rule, ops, sizes)
        }
    }
}

/// Clear a continuous book cut into batches of `sizes` operations.
///
/// # Errors
/// If the rule gives no answer.
pub fn try_batches(
    rule: &Rule,
    ops: &[Op],
    sizes: impl IntoIterator<Item = usize>,
) -> Result<Trial, Stopped> {
    let (mut live, mut results) = (LiveBook::default(), Vec::new());
    let (mut whole, mut gas, mut verdict) = (Clearing::default(), Gas::ZERO, Ok(()));
    let (mut rest, mut number) = (ops, 0);
    let mut sizes = sizes.into_iter();
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(sizes.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
        rest = later;
        let resting = live.resting();
        // A chain refuses to cancel what is gone already, so the rule never hears of it.
        let heard: Vec<Op> = batch.iter().filter(|op| is_heard(op, batch, &live)).copied().collect();
        let book = Book::Continuous { resting: resting.clone(), ops: heard.clone() };
        let (clearing, cost) = clear(rule, &ClearParams { batch: number, ..PARAMS }, &book)
            .map_err(|stopped| Stopped { batch: number, gas: gas.saturating_add(stopped.gas), ..stopped })?;
        gas = gas.saturating_add(cost);
        verdict = verdict.and_then(|()| check_batch(&resting, &heard, &clearing).map_err(Fault::from));
        match live.play(batch, &clearing) {
            Ok(played) => results.extend(played),
            Err(fault) => {
                whole.trades.extend(clearing.trades);
                whole.cancelled.extend(clearing.cancelled);
                return Ok(Trial { clearing: whole, gas, verdict: verdict.and(Err(fault)), course: None });
            }
        }
        whole.trades.extend(clearing.trades);
        whole.cancelled.extend(clearing.cancelled);
        number += 1;
    }
    Ok(Trial { clearing: whole, gas, verdict, course: Some((results, live)) })
}

fn is_heard(op: &Op, batch: &[Op], live: &LiveBook) -> bool {
    let Op::Cancel { target, .. } = op else { return true };
    let is_new = |op: &Op| matches!(op, Op::New(order) if order.seq == *target);
    live.has(*target) || batch.iter().any(is_new)
}

fn clear(rule: &Rule, params: &ClearParams, book: &Book) -> Result<(Clearing, Gas), Stopped> {
    let limit = RuleKind::Matching.gas_max();
    let outcome = rule.call(&clear_message(params, book), limit);
    // As the chain charges it: where inside its block a trap stood is nobody's business.
    let gas = if outcome.result.is_err() { limit } else { outcome.gas_used };
    let clearing = answer(&outcome).map_err(|why| Stopped { batch: params.batch, gas, why })?;
    Ok((clearing, gas))
}
