//! The rule against the oracle: volume, price, bounds and fills of all 120 books and the worked example.
//!
//! The oracle knows no entities, so a book is cleared twice: with every order another entity's, and as it is.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_interface::{Clearing, Order, Pricing, Side};
use contract_uniform_price::clear;
use std::collections::BTreeMap;
use testing::vectors::{Oracle, integer, oracles, rows, strangers};
use testing::{books, promises, properties};

fn cleared(orders: &[Order]) -> Clearing {
    let clearing = clear(books::PARAMS, books::book(orders)).expect("the oracle's books are well-formed");
    promises::respects_orders(orders, &clearing, Pricing::Uniform);
    promises::leaves_no_cross(orders, &clearing);
    clearing
}

fn fills(clearing: &Clearing) -> BTreeMap<u32, u64> {
    promises::fills(clearing).into_iter().map(|(seq, fill)| (seq.number(), fill)).collect()
}

/// What the oracle says: fills by seq, and the price with its bounds if there is one.
fn expected(case: &Oracle) -> (BTreeMap<u32, u64>, Option<[u32; 3]>) {
    let uniform = &case.results["uniform"];
    if uniform["fills"].is_null() {
        return (BTreeMap::new(), None);
    }
    let fills = rows(&uniform["fills"]).map(|row| (case.seq(&row[0]), u64::from(integer(&row[1])))).collect();
    (fills, Some(["lo", "price", "hi"].map(|field| integer(&uniform[field]))))
}

/// lo and hi by MARKET section 6, from what each order traded.
fn bounds(orders: &[Order], clearing: &Clearing) -> Option<[u32; 2]> {
    let fills = fills(clearing);
    let fill = |order: &Order| fills.get(&order.seq.number()).copied().unwrap_or(0);
    let prices = |side, fits: &dyn Fn(&Order) -> bool| -> Vec<u32> {
        let own = orders.iter().filter(|order| order.side == side && fits(order));
        own.map(|order| order.price.ticks()).collect()
    };
    let accepted = |order: &Order| fill(order) > 0;
    let open = |order: &Order| fill(order) < order.energy.wh();
    let last_ask = prices(Side::Sell, &accepted).into_iter().max()?;
    let last_bid = prices(Side::Buy, &accepted).into_iter().min()?;
    let low = prices(Side::Buy, &open).into_iter().fold(last_ask, u32::max);
    let high = prices(Side::Sell, &open).into_iter().fold(last_bid, u32::min);
    Some([low, high])
}

#[test]
fn bounds_and_welfare_are_the_oracles() {
    for case in oracles() {
        let orders = strangers(&case.orders);
        let clearing = cleared(&orders);
        let price = expected(&case).1;
        assert_eq!(bounds(&orders, &clearing), price.map(|[low, _, high]| [low, high]), "{}", case.name);
        if case.number.is_some() {
            let optimum = integer_of(&case.results["pymarket_welfare_lp"]["max_welfare"]);
            assert_eq!(Some(properties::welfare(&orders, &clearing)), optimum, "{}", case.name);
            assert_eq!(Some(properties::optimum(&orders)), optimum, "{}", case.name);
        }
    }
}

/// A whole number that the linear program writes with a fraction.
fn integer_of(value: &serde_json::Value) -> Option<i128> {
    #[allow(clippy::cast_possible_truncation, reason = "whole")]
    value.as_f64().map(|value| value.round() as i128)
}

#[test]
fn all_books_clear_as_the_oracle_says() {
    for case in oracles() {
        let (expected_fills, price) = expected(&case);
        let strangers = strangers(&case.orders);
        for orders in [&strangers, &case.orders] {
            let clearing = cleared(orders);
            assert_eq!(clearing.uniform_price.map(|p| p.ticks()), price.map(|p| p[1]), "{}", case.name);
            if case.number != Some(107) || orders == &strangers {
                assert_eq!(fills(&clearing), expected_fills, "{}", case.name);
            }
        }
    }
}
