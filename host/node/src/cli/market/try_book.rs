//! `busbar market try`: one book through one rule, shown with the ids of the file.
//!
//! What it prints follows from the trades alone: fills, welfare and the book after a batch are never asked of the rule.

use super::ending::{EXIT_CODES, Ending};
use crate::cli::contract::{CodeFile, escaped, table};
use crate::community::optimum;
use crate::files::{self, BOOK_BYTES_MAX};
use crate::report::{Amount, grouped};
use crate::rules::{Fault, NamedBook, NoAnswer, OpResult, Rule, RuleKind, Stopped, Trial, try_book};
use anyhow::{Context as _, bail};
use clap::Args;
use contract_interface::{Book, Descriptor, Op, Order, Side, Trade};
use runtime_primitives::{Energy, Gas, Price, Seq};
use runtime_vm::Kind;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) fn help() -> String {
    format!(
        "A book: {{\"orders\": [{{\"id\", \"user\", \"side\": \"buy\" | \"sell\", \"qty\", \"price\", \"seq\"}}, …]}}
  qty and min_qty in Wh, price in 10⁻⁴ yuan per kWh. seq is the order of arrival, of all orders or of none
  (then it is the file's); orders without user are each of their own entity. Also min_qty, green, auto_confirm (true |
  false), partner (a user). Any other key of an order is refused.
A continuous book: {{\"ops\": [{{\"op\": \"new\", \"id\", \"user\", \"side\", \"qty\", \"price\"}}, {{\"op\": \"cancel\", \"id\"}}, …]}}
  a cancellation may repeat other keys of its order; they are not read.
A file of many: {{\"cases\": [book, …]}}, of which --case chooses.
welfare is Σ (bid − ask) · qty over the trades, optimum the most that any matching of these orders reaches
where nobody trades with itself, in units of 10⁻⁷ yuan.

{}",
        EXIT_CODES
    )
}

/// Clear a book with a matching rule.
#[derive(Debug, Args)]
pub struct TryArgs {
    /// The rule: WebAssembly or WAT.
    #[arg(long, value_name = "FILE")]
    rule: PathBuf,
    /// The book as JSON; - is standard input.
    #[arg(long, value_name = "FILE")]
    book: PathBuf,
    /// Which book of a file of many: its number, or its place from 0.
    #[arg(long, value_name = "N")]
    case: Option<u64>,
    /// Operations of a continuous book in one batch, as blocks would cut it [default: all in one].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: Option<u32>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl TryArgs {
    /// Clear and print.
    ///
    /// # Errors
    /// If a file cannot be read, is no book, or is a book of another kind than the rule's.
    pub(super) fn run(self) -> anyhow::Result<Ending> {
        let text = read(&self.book)?;
        let named = NamedBook::read(&text, self.case)
            .with_context(|| format!("{} is no book", self.book.display()))?;
        let file = match CodeFile::read(&self.rule)?.and_then(|file| file.judge(Kind::Pure).map(|()| file)) {
            Ok(file) => file,
            Err(verdict) => {
                let fault = Fault::new("Code", verdict.words());
                return Ok(self.stop(Ending::Forbidden, &fault, None));
            }
        };
        let rule = Rule::load(&file.code)?;
        let descriptor = match rule.describe() {
            Ok(descriptor) => descriptor,
            Err(fault) => return Ok(self.stop(Ending::Stopped, &fault, None)),
        };
        if let Some(kind) = rule.kinds().first().filter(|kind| **kind != RuleKind::Matching) {
            let name = kind.name();
            bail!(
                "a {name} rule, which clears no book; busbar market check --rule holds it to what it must keep"
            );
        }
        self.fits(&descriptor, &named.book)?;
        let batch_size = self.batch_size.map_or(usize::MAX, |size| size as usize);
        match try_book(&rule, &descriptor, &named.book, batch_size) {
            Ok(trial) => {
                let shown = Shown { rule: &rule, descriptor: &descriptor, named: &named, trial: &trial };
                if self.json {
                    println!("{}", shown.json())
                } else {
                    shown.print()
                }
                Ok(if trial.verdict.is_ok() { Ending::Passed } else { Ending::Broken })
            }
            Err(Stopped { batch, gas, why }) => {
                let (ending, name) = match why {
                    NoAnswer::Refused(_) => (Ending::Refused, "Refused"),
                    NoAnswer::Trapped(_) => (Ending::Stopped, "Trapped"),
                    NoAnswer::Garbage { .. } | NoAnswer::Unread => (Ending::Stopped, "Garbage"),
                };
                let place = if batch > 0 { format!("in batch {batch} ") } else { String::new() };
                Ok(self.stop(ending, &Fault::new(name, format!("{place}{why}")), Some(gas)))
            }
        }
    }

    fn fits(&self, descriptor: &Descriptor, book: &Book) -> anyhow::Result<()> {
        match book {
            Book::Auction(_) if descriptor.continuous => {
                bail!("the rule clears continuous books; give it {{\"ops\": […]}}")
            }
            Book::Continuous { .. } if !descriptor.continuous => {
                bail!("the rule clears auctions; give it {{\"orders\": […]}}")
            }
            Book::Auction(_) if self.batch_size.is_some() => {
                bail!("an auction is one batch; leave --batch-size away")
            }
            _ => Ok(()),
        }
    }

    fn stop(&self, ending: Ending, fault: &Fault, gas: Option<Gas>) -> Ending {
        if self.json {
            let gas = gas.map(Gas::units);
            println!("{}", json!({ "error": { "rule": fault.rule, "reason": fault.reason }, "gas": gas }));
        } else {
            println!("{}: no clearing: {}", self.rule.display(), escaped(&fault.reason));
        }
        ending
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        let bytes = files::drain(std::io::stdin(), BOOK_BYTES_MAX).and_then(files::text);
        return bytes.context("cannot read standard input");
    }
    files::text_at_most(path, BOOK_BYTES_MAX).with_context(|| format!("cannot read {}", path.display()))
}

/// A trial in the words of its file.
struct Shown<'a> {
    rule: &'a Rule,
    descriptor: &'a Descriptor,
    named: &'a NamedBook,
    trial: &'a Trial,
}

impl Shown<'_> {
    fn orders(&self) -> BTreeMap<Seq, Order> {
        let orders: Vec<Order> = match &self.named.book {
            Book::Auction(orders) => orders.clone(),
            Book::Continuous { ops, .. } => {
                let new = ops.iter().filter_map(|op| match op {
                    Op::New(order) => Some(*order),
                    Op::Cancel { .. } => None,
                });
                new.collect()
            }
        };
        orders.into_iter().map(|order| (order.seq, order)).collect()
    }

    /// Filled energy by order; by number where all ids are numbers, else by arrival.
    fn fills(&self) -> Vec<(Value, u128)> {
        let mut fills: BTreeMap<Seq, u128> = BTreeMap::new();
        for trade in &self.trial.clearing.trades {
            for seq in [trade.buy, trade.sell] {
                *fills.entry(seq).or_default() += u128::from(trade.energy.wh());
            }
        }
        let mut fills: Vec<(Value, u128)> =
            fills.into_iter().map(|(seq, wh)| (self.named.id(seq), wh)).collect();
        if fills.iter().all(|(id, _)| id.is_i64() || id.is_u64()) {
            fills.sort_by_key(|(id, _)| id.as_i64().map_or(i128::from(id.as_u64().unwrap_or(0)), i128::from));
        }
        fills
    }

    /// What the trades gain over what their parties asked and bid; negative if they lose.
    fn welfare(&self) -> i128 {
        let orders = self.orders();
        let gain = |trade: &Trade| {
            let price = |seq| orders.get(&seq).map_or(0, |order| i128::from(order.price.ticks()));
            (price(trade.buy) - price(trade.sell)) * i128::from(trade.energy.wh())
        };
        self.trial.clearing.trades.iter().map(gain).fold(0, i128::saturating_add)
    }

    /// The most that any matching gains. A book whose orders come and go has no such number.
    fn optimum(&self) -> Option<i128> {
        let Book::Auction(orders) = &self.named.book else { return None };
        i128::try_from(optimum(orders).units()).ok()
    }

    fn json(&self) -> Value {
        let Trial { clearing, gas, verdict, course } = self.trial;
        let trades: Vec<Value> = clearing.trades.iter().map(|trade| self.trade(trade)).collect();
        let fills: Vec<Value> = self.fills().into_iter().map(|(id, wh)| json!([id, number(wh)])).collect();
        let mut all = json!({
            "rule": name(self.descriptor),
            "code_hash": self.rule.hash().to_string(),
            "trades": trades,
            "fills": fills,
            "referee": verdict.as_ref().map_or_else(
                |fault| json!({ "rule": fault.rule, "reason": fault.reason }),
                |()| json!("pass"),
            ),
            "welfare": signed(self.welfare()),
            "gas": gas.units(),
        });
        if let Some(price) = clearing.uniform_price {
            all["uniform_price"] = price.ticks().into();
        }
        if let Some(optimum) = self.optimum() {
            all["optimum"] = signed(optimum);
        }
        if !clearing.cancelled.is_empty() {
            all["cancelled"] = clearing.cancelled.iter().map(|seq| self.named.id(*seq)).collect();
        }
        if let Some((results, live)) = course {
            all["results"] = results.iter().map(|result| self.result(result)).collect();
            let side = |side| live.levels(side).into_iter().map(level).collect::<Vec<_>>();
            all["final_book"] = json!({ "bids": side(Side::Buy), "asks": side(Side::Sell) });
        }
        all
    }

    fn trade(&self, trade: &Trade) -> Value {
        json!({
            "buy_id": self.named.id(trade.buy),
            "sell_id": self.named.id(trade.sell),
            "qty": trade.energy.wh(),
            "buy_price": trade.buy_price.ticks(),
            "sell_price": trade.sell_price.ticks(),
        })
    }

    fn result(&self, result: &OpResult) -> Value {
        match result {
            OpResult::Cancelled(energy) => json!({ "cancelled": energy.wh() }),
            OpResult::New { fills, leaves, withdrawn } => {
                let fills: Vec<Value> = fills
                    .iter()
                    .map(|fill| {
                        json!({
                            "maker": self.named.id(fill.maker),
                            "taker": self.named.id(fill.taker),
                            "qty": fill.energy.wh(),
                            "price": fill.price.ticks(),
                        })
                    })
                    .collect();
                let mut row = json!({ "fills": fills, "leaves": leaves.wh() });
                if let Some(energy) = withdrawn {
                    row["cancelled"] = energy.wh().into();
                }
                row
            }
        }
    }

    fn print(&self) {
        let Trial { clearing, gas, verdict, course } = self.trial;
        let mut trades = table();
        trades.set_header(["Buyer's order", "Seller's order", "Wh", "Buyer pays", "Seller gets"]);
        for trade in &clearing.trades {
            trades.add_row([
                id_text(&self.named.id(trade.buy)),
                id_text(&self.named.id(trade.sell)),
                grouped(trade.energy.wh()),
                trade.buy_price.to_string(),
                trade.sell_price.to_string(),
            ]);
        }
        println!("{trades}");
        if let Some((results, live)) = course {
            self.print_course(results);
            for (side, word) in [(Side::Buy, "bids"), (Side::Sell, "asks")] {
                let levels = live.levels(side).into_iter().map(|(price, wh)| format!("{wh} Wh at {price}"));
                let levels: Vec<String> = levels.collect();
                println!(
                    "Open {word}: {}",
                    if levels.is_empty() { "none".to_owned() } else { levels.join(", ") }
                );
            }
        }
        let mut facts = table();
        facts.set_header(["", ""]);
        facts.add_row(["Rule".to_owned(), name(self.descriptor)]);
        if let Some(price) = clearing.uniform_price {
            facts.add_row(["Price, yuan per kWh".to_owned(), price.to_string()]);
        }
        let welfare = self.welfare();
        facts.add_row(["Welfare, yuan".to_owned(), Amount::from_units(welfare).to_string()]);
        if let Some(optimum) = self.optimum() {
            let share = (optimum > 0).then(|| welfare.saturating_mul(1_000) / optimum);
            let share =
                share.map_or(String::new(), |mille| format!(" ({}.{} % reached)", mille / 10, mille % 10));
            facts.add_row(["Optimum, yuan".to_owned(), format!("{}{share}", Amount::from_units(optimum))]);
        }
        facts.add_row(["Gas".to_owned(), grouped(gas.units())]);
        let verdict =
            verdict.as_ref().map_or_else(|fault| format!("refuses, {fault}"), |()| "passes".to_owned());
        facts.add_row(["Referee".to_owned(), verdict]);
        println!("{facts}");
    }

    fn print_course(&self, results: &[OpResult]) {
        let Book::Continuous { ops, .. } = &self.named.book else { return };
        let mut course = table();
        course.set_header(["Operation", "Order", "Filled Wh", "Left Wh"]);
        for (op, result) in ops.iter().zip(results) {
            let (word, seq) = match op {
                Op::New(order) => ("new", order.seq),
                Op::Cancel { target, .. } => ("cancel", *target),
            };
            let (filled, left) = match result {
                OpResult::New { fills, leaves, .. } => {
                    let filled =
                        fills.iter().map(|fill| fill.energy).fold(Energy::ZERO, Energy::saturating_add);
                    (grouped(filled.wh()), grouped(leaves.wh()))
                }
                OpResult::Cancelled(energy) => {
                    (String::new(), format!("{} taken back", grouped(energy.wh())))
                }
            };
            course.add_row([word.to_owned(), id_text(&self.named.id(seq)), filled, left]);
        }
        println!("{course}");
    }
}

/// Ids come from somebody's file: nothing of them reaches a terminal unescaped.
fn id_text(id: &Value) -> String {
    escaped(&id.as_str().map_or_else(|| id.to_string(), str::to_owned))
}

fn level((price, energy): (Price, u128)) -> Value {
    json!([price.ticks(), number(energy)])
}

/// A number; as text where JSON has none so large.
fn number(value: u128) -> Value {
    u64::try_from(value).map_or_else(|_| value.to_string().into(), Value::from)
}

fn signed(value: i128) -> Value {
    i64::try_from(value).map_or_else(|_| value.to_string().into(), Value::from)
}

fn name(descriptor: &Descriptor) -> String {
    let name = String::from_utf8_lossy(&descriptor.name);
    escaped(name.trim_end_matches('\0'))
}
