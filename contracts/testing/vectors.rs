//! The oracle's books: `tests/vectors/auction.json` and `worked_example.json`.
//!
//! A user of the oracle is an entity; its `id` names orders in results, its `seq` orders them.

use super::books::order;
use contract_interface::{Clearing, Order, Side};
use runtime_primitives::EntityId;
use serde_json::Value;
use std::collections::BTreeMap;

/// A trade as the oracle writes it, with seqs in place of ids: bid, ask, energy, price.
pub type Match = (u32, u32, u64, u32);

/// One book of the oracle with what it and others say of it.
pub struct Oracle {
    /// Where it comes from.
    pub name: String,
    /// Its number; none for the worked example.
    pub number: Option<u64>,
    /// The orders by seq.
    pub orders: Vec<Order>,
    /// Results, by rule.
    pub results: Value,
    seqs: BTreeMap<u32, u32>,
}

/// The worked example and the 120 books.
pub fn oracles() -> Vec<Oracle> {
    let example: Value =
        serde_json::from_str(include_str!("../../tests/vectors/worked_example.json")).unwrap();
    let books: Value = serde_json::from_str(include_str!("../../tests/vectors/auction.json")).unwrap();
    let mut oracles = vec![Oracle::new("worked example".into(), None, &example["orders"], example.clone())];
    for book in books["cases"].as_array().unwrap() {
        let name = format!("book {} ({})", book["case"], book["class"]);
        let mut results = book["reference"].clone();
        for other in ["lemlab_pda", "pymarket_huang", "pymarket_welfare_lp"] {
            results[other] = book[other].clone();
        }
        oracles.push(Oracle::new(name, book["case"].as_u64(), &book["orders"], results));
    }
    assert_eq!(oracles.len(), 121);
    oracles
}

impl Oracle {
    fn new(name: String, number: Option<u64>, orders: &Value, results: Value) -> Self {
        let mut entities = BTreeMap::new();
        let mut seqs = BTreeMap::new();
        let mut book: Vec<Order> = rows(orders)
            .map(|row| {
                let user = row["user"].as_str().unwrap();
                let count = u32::try_from(entities.len()).unwrap();
                let entity = *entities.entry(user.to_owned()).or_insert(count);
                let side = if row["side"] == "buy" { Side::Buy } else { Side::Sell };
                seqs.insert(integer(&row["id"]), integer(&row["seq"]));
                let (seq, price) = (integer(&row["seq"]), integer(&row["price"]));
                order(seq, entity, side, row["qty"].as_u64().unwrap(), price)
            })
            .collect();
        book.sort_by_key(|order| order.seq);
        Self { name, number, orders: book, results, seqs }
    }

    /// The trades of `rule`.
    pub fn matches(&self, rule: &str) -> Vec<Match> {
        let trade = |row: &Value| {
            let energy = row["qty"].as_u64().unwrap();
            (self.seq(&row["buy_id"]), self.seq(&row["sell_id"]), energy, integer(&row["price"]))
        };
        rows(&self.results[rule]).map(trade).collect()
    }

    /// The seq of the order that the oracle calls `id`.
    pub fn seq(&self, id: &Value) -> u32 {
        self.seqs[&integer(id)]
    }
}

/// The same orders, each of another entity: for oracles that know none.
pub fn strangers(orders: &[Order]) -> Vec<Order> {
    let alone = |order: &Order| Order { entity: EntityId::from_number(order.seq.number()), ..*order };
    orders.iter().map(alone).collect()
}

/// A clearing in the oracle's words.
pub fn matches(clearing: &Clearing) -> Vec<Match> {
    let words = |trade: &contract_interface::Trade| {
        (trade.buy.number(), trade.sell.number(), trade.energy.wh(), trade.sell_price.ticks())
    };
    clearing.trades.iter().map(words).collect()
}

/// The elements of a list of the oracle.
pub fn rows(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().unwrap().iter()
}

/// A number of the oracle that is a `u32`.
pub fn integer(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}
