//! The oracle's books: `tests/vectors/auction.json` and `worked_example.json`.
//!
//! A user of the oracle is an entity; its `id` names orders in results, its `seq` orders them.

use super::books::order;
use contract_interface::{Clearing, Order, Side};
use serde_json::Value;
use std::collections::BTreeMap;

/// A trade as the oracle writes it, with seqs in place of ids: bid, ask, energy, price.
pub type Match = (u32, u32, u64, u32);

/// One book with the oracle's result of one rule.
pub struct Case {
    /// Where it comes from.
    pub name: String,
    /// The orders by seq.
    pub orders: Vec<Order>,
    /// The oracle's trades.
    pub matches: Vec<Match>,
}

/// The worked example and the 120 books, with the results of `rule`.
pub fn cases(rule: &str) -> Vec<Case> {
    let example: Value =
        serde_json::from_str(include_str!("../../tests/vectors/worked_example.json")).unwrap();
    let books: Value = serde_json::from_str(include_str!("../../tests/vectors/auction.json")).unwrap();
    let mut cases = vec![case("worked example".into(), &example["orders"], &example[rule])];
    for book in books["cases"].as_array().unwrap() {
        let name = format!("book {} ({})", book["case"], book["class"]);
        cases.push(case(name, &book["orders"], &book["reference"][rule]));
    }
    assert_eq!(cases.len(), 121);
    cases
}

fn case(name: String, orders: &Value, matches: &Value) -> Case {
    let mut entities = BTreeMap::new();
    let mut seqs = BTreeMap::new();
    let mut book: Vec<Order> = rows(orders)
        .map(|row| {
            let user = row["user"].as_str().unwrap();
            let count = u32::try_from(entities.len()).unwrap();
            let entity = *entities.entry(user.to_owned()).or_insert(count);
            let side = if row["side"] == "buy" { Side::Buy } else { Side::Sell };
            seqs.insert(number(&row["id"]), number(&row["seq"]));
            order(number(&row["seq"]), entity, side, row["qty"].as_u64().unwrap(), number(&row["price"]))
        })
        .collect();
    book.sort_by_key(|order| order.seq);
    let matches = rows(matches)
        .map(|row| {
            let seq = |id: &str| seqs[&number(&row[id])];
            (seq("buy_id"), seq("sell_id"), row["qty"].as_u64().unwrap(), number(&row["price"]))
        })
        .collect();
    Case { name, orders: book, matches }
}

/// A clearing in the oracle's words.
pub fn matches(clearing: &Clearing) -> Vec<Match> {
    let words = |trade: &contract_interface::Trade| {
        (trade.buy.number(), trade.sell.number(), trade.energy.wh(), trade.sell_price.ticks())
    };
    clearing.trades.iter().map(words).collect()
}

fn rows(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().unwrap().iter()
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}
