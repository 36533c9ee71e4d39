//! The properties of a matching rule.
//!
//! A case is asked once and all properties look at the answer; those about two answers ask for the other themselves.

use super::names::{rearranged, renamed};
use super::promises::{self, Scene};
use super::trading::{TRADES, Tally, crosses};
use super::{ANSWERS, Finding, Plan, Property, Subjected, Tested};
use crate::rules::generate::{Random, book};
use crate::rules::rule::{Rule, RuleKind, clear_message};
use crate::rules::trial::{PARAMS, Stopped, Trial, try_batches, try_book};
use crate::rules::{Fault, shrink, written};
use contract_interface::{Book, Descriptor, Order, Trade};
use runtime_primitives::{Energy, Gas, Seq};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

type Cleared = Rc<Result<Trial, Stopped>>;

pub(super) struct Subject<'a> {
    rule: &'a Rule,
    descriptor: &'a Descriptor,
    plan: Plan,
    last: RefCell<Option<(Book, Cleared)>>,
    spent: Cell<u64>,
    most: Cell<u64>,
    tally: Tally,
}

/// A book, and the seed of whatever a property does with it.
#[derive(Clone)]
pub(super) struct Case {
    book: Book,
    seed: u64,
}

impl<'a> Subject<'a> {
    pub(super) fn new(rule: &'a Rule, descriptor: &'a Descriptor, plan: Plan) -> Self {
        let (spent, most) = (Cell::new(0), Cell::new(0));
        Self { rule, descriptor, plan, last: RefCell::new(None), spent, most, tally: Tally::default() }
    }

    fn clear(&self, book: &Book) -> Cleared {
        if let Some((last, cleared)) = &*self.last.borrow()
            && last == book
        {
            return cleared.clone();
        }
        let cleared = Rc::new(try_book(self.rule, self.descriptor, book, usize::MAX));
        let gas = cleared.as_ref().as_ref().map_or_else(|stopped| stopped.gas, |trial| trial.gas);
        self.spent.set(self.spent.get().saturating_add(gas.units()));
        self.most.set(self.most.get().max(gas.units()));
        *self.last.borrow_mut() = Some((book.clone(), cleared.clone()));
        cleared
    }

    /// A property of the trades.
    fn on_trades(&self, case: &Case, promise: fn(&Scene) -> Result<(), String>) -> Tested {
        match &*self.clear(&case.book) {
            Ok(trial) => promise(&Scene::new(self.descriptor, &case.book, &trial.clearing)).into(),
            Err(_) => Tested::DoesNotApply,
        }
    }
}

impl Subjected for Subject<'_> {
    type Input = Case;

    fn generate(&self, random: &mut Random, number: u32) -> Case {
        Case { book: book(random, number, self.descriptor), seed: random.bits() }
    }

    fn simpler(&self, case: &Case) -> Vec<Case> {
        let books = shrink::simpler_books(&case.book).into_iter();
        books.map(|book| Case { book, seed: case.seed }).collect()
    }

    fn shown(&self, case: &Case) -> Value {
        written(&case.book)
    }

    fn spent(&self) -> u64 {
        self.spent.get()
    }

    fn conclude(&self, finding: &mut Finding) {
        match finding.property {
            ANSWERS => finding.note = format!("at most {} gas", crate::report::grouped(self.most.get())),
            TRADES => self.tally.conclude(finding),
            _ => {}
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = |_: &Self| true;
        let property = |name, is_claimed, test| Property { name, is_claimed, test };
        vec![
            property(ANSWERS, always, answers),
            property("trades are of the book", always, |one, case| {
                one.on_trades(case, promises::trades_are_of_the_book)
            }),
            property("no order is overfilled", always, |one, case| {
                one.on_trades(case, promises::no_overfill)
            }),
            property("limits of both sides", always, |one, case| one.on_trades(case, promises::limits)),
            property("no trade with oneself", always, |one, case| {
                one.on_trades(case, promises::no_self_trade)
            }),
            property("declared pricing", always, |one, case| one.on_trades(case, promises::pricing)),
            property(TRADES, always, trades),
            property("declared residual cross", |one| one.descriptor.no_residual_cross, residual),
            property(
                "minimum quantities",
                |one| one.descriptor.min_energy && !one.descriptor.continuous,
                |one, case| one.on_trades(case, promises::minimums),
            ),
            property("passes the referee", always, referee),
            property("same answer on both engines", always, determinism),
            property("names change nothing", |one| one.plan.claims_names, names),
            property(
                "arrival changes nothing",
                |one| one.plan.claims_arrival && !one.descriptor.continuous,
                arrival,
            ),
            property("batches change nothing", |one| one.descriptor.continuous, batches),
        ]
    }
}

fn answers(one: &Subject<'_>, case: &Case) -> Tested {
    match &*one.clear(&case.book) {
        Ok(_) => Tested::Holds,
        Err(stopped) => Tested::Fails(stopped.why.to_string()),
    }
}

fn trades(one: &Subject<'_>, case: &Case) -> Tested {
    match &*one.clear(&case.book) {
        Ok(trial) if crosses(&case.book) => {
            one.tally.count(!trial.clearing.trades.is_empty());
            Tested::Holds
        }
        _ => Tested::DoesNotApply,
    }
}

fn residual(one: &Subject<'_>, case: &Case) -> Tested {
    match &*one.clear(&case.book) {
        Ok(Trial { course: Some((_, live)), .. }) => {
            let open = live.resting();
            promises::crossing(&open.iter().collect::<Vec<_>>()).into()
        }
        Ok(_) if one.descriptor.continuous => Tested::DoesNotApply,
        _ => one.on_trades(case, promises::no_residual_cross),
    }
}

fn referee(one: &Subject<'_>, case: &Case) -> Tested {
    match &*one.clear(&case.book) {
        Ok(trial) => trial.verdict.clone().into(),
        Err(_) => Tested::DoesNotApply,
    }
}

/// Gas beyond which the interpreter is not asked to run out of it too.
const INTERPRETED_GAS_MAX: u64 = 20_000_000_000;

fn determinism(one: &Subject<'_>, case: &Case) -> Tested {
    let message = clear_message(&PARAMS, &case.book);
    both_engines(one.rule, RuleKind::Matching, &message)
}

/// Two runs on compiled code and one on the interpreter: result and gas.
pub(super) fn both_engines(rule: &Rule, kind: RuleKind, message: &[u8]) -> Tested {
    let first = rule.call(message, kind.gas_max());
    let again = rule.call(message, kind.gas_max());
    if first != again {
        return Tested::Fails(format!("two runs differ: {first:?} and {again:?}"));
    }
    if first.gas_used > Gas::from_units(INTERPRETED_GAS_MAX) {
        return Tested::DoesNotApply;
    }
    let other = rule.call_interpreted(message, kind.gas_max());
    if (first.result.is_ok(), first.result.as_ref().ok())
        != (other.result.is_ok(), other.result.as_ref().ok())
    {
        return Tested::Fails("compiled code and interpreter answer differently".to_owned());
    }
    if first.gas_used != other.gas_used {
        let gas = (first.gas_used, other.gas_used);
        return Tested::Fails(format!("compiled code costs {} gas, interpreted {}", gas.0, gas.1));
    }
    Tested::Holds
}

/// Trades with orders named by their places in the book.
fn by_place(book: &Book, trades: &[Trade]) -> Vec<(usize, usize, Trade)> {
    let seqs: Vec<Seq> = match book {
        Book::Auction(orders) => orders.iter().map(|order| order.seq).collect(),
        Book::Continuous { ops, .. } => ops
            .iter()
            .map(|op| match op {
                contract_interface::Op::New(order) => order.seq,
                contract_interface::Op::Cancel { seq, .. } => *seq,
            })
            .collect(),
    };
    let place = |seq: Seq| seqs.iter().position(|at| *at == seq).unwrap_or(usize::MAX);
    let (buy, sell) = (Seq::ZERO, Seq::ZERO);
    trades.iter().map(|trade| (place(trade.buy), place(trade.sell), Trade { buy, sell, ..*trade })).collect()
}

fn names(one: &Subject<'_>, case: &Case) -> Tested {
    let Ok(trial) = &*one.clear(&case.book) else { return Tested::DoesNotApply };
    let other = renamed(&case.book, case.seed);
    match try_book(one.rule, one.descriptor, &other, usize::MAX) {
        Ok(again) => {
            let pairs = [(&case.book, trial), (&other, &again)];
            let [first, second] = pairs.map(|(book, trial)| by_place(book, &trial.clearing.trades));
            let same = first == second && trial.clearing.uniform_price == again.clearing.uniform_price;
            if same {
                return Tested::Holds;
            }
            Tested::Fails("the same book under other entities, meters and seqs trades differently".to_owned())
        }
        Err(stopped) => Tested::Fails(format!("under other names {}", stopped.why)),
    }
}

fn arrival(one: &Subject<'_>, case: &Case) -> Tested {
    let Some((orders, shuffled)) = rearranged(&case.book, case.seed) else { return Tested::DoesNotApply };
    let fills = |orders: &[Order]| -> Option<Vec<Energy>> {
        let mut sorted = orders.to_vec();
        sorted.sort_by_key(|order| order.seq);
        let trial = try_book(one.rule, one.descriptor, &Book::Auction(sorted), usize::MAX).ok()?;
        let mut filled: BTreeMap<Seq, Energy> = BTreeMap::new();
        for trade in &trial.clearing.trades {
            for seq in [trade.buy, trade.sell] {
                let fill = filled.entry(seq).or_default();
                *fill = fill.saturating_add(trade.energy);
            }
        }
        Some(orders.iter().map(|order| filled.get(&order.seq).copied().unwrap_or_default()).collect())
    };
    match (fills(&orders), fills(&shuffled)) {
        (Some(first), Some(second)) if first == second => Tested::Holds,
        (Some(_), Some(_)) => {
            Tested::Fails("orders of different prices fill differently when they arrive otherwise".to_owned())
        }
        _ => Tested::DoesNotApply,
    }
}

fn batches(one: &Subject<'_>, case: &Case) -> Tested {
    let Book::Continuous { ops, .. } = &case.book else { return Tested::DoesNotApply };
    let whole = one.clear(&case.book);
    let Ok(Trial { course: Some(whole), .. }) = &*whole else { return Tested::DoesNotApply };
    let mut random = Random(case.seed);
    let most = random.below(5);
    let sizes: Vec<usize> = ops.iter().map(|_| 1 + random.below(1 + most) as usize).collect();
    match try_batches(one.rule, ops, sizes.iter().copied()) {
        Ok(Trial { verdict: Err(fault), .. }) => Tested::Fails(format!("cut into batches, {fault}")),
        Ok(Trial { course: Some(cut), .. }) if cut == *whole => Tested::Holds,
        Ok(_) => {
            let fault =
                Fault::new("Batches", format!("cut into batches of {sizes:?}, it clears differently"));
            Tested::Fails(fault.reason)
        }
        Err(stopped) => Tested::Fails(format!("cut into batches, {}", stopped.why)),
    }
}
