//! The rule against the oracle: the worked example and all 120 books, trade by trade.
//!
//! Its pairs are also those of lemlab's pay-as-bid auction. Also the promises that hold for any book, on the oracle's.

#[path = "../../../testing/mod.rs"]
mod testing;

use contract_high_low::clear;
use contract_interface::{Order, Pricing};
use std::collections::BTreeMap;
use testing::{books, promises, vectors};

#[test]
fn all_books_clear_as_the_oracle_says() {
    for case in vectors::oracles() {
        let clearing =
            clear(books::PARAMS, books::book(&case.orders)).expect("the oracle's books are well-formed");
        assert_eq!(vectors::matches(&clearing), case.matches("high_low"), "{}", case.name);
        promises::respects_orders(&case.orders, &clearing, Pricing::Single);
        promises::leaves_no_cross(&case.orders, &clearing);
    }
}

/// Books in which lemlab lets a user trade with itself.
const SELF_TRADES_OF_LEMLAB: [u64; 3] = [77, 87, 107];

/// Energy by the prices of bid and ask: orders of one side at one price are a tie class, in which lemlab goes by no seq.
fn by_class(orders: &[Order], pairs: impl Iterator<Item = (u32, u32, u64)>) -> BTreeMap<[u32; 2], u64> {
    let price = |seq| {
        let order = orders.iter().find(|order| order.seq.number() == seq).expect("of the book");
        order.price.ticks()
    };
    let mut energies = BTreeMap::new();
    for (bid, ask, energy) in pairs {
        *energies.entry([price(bid), price(ask)]).or_default() += energy;
    }
    energies
}

#[test]
fn pairs_are_lemlabs_outside_tie_classes() {
    let mut others = vec![];
    for case in vectors::oracles() {
        let Some(number) = case.number else { continue };
        let clearing = clear(books::PARAMS, books::book(&case.orders)).expect("well-formed");
        let mut ours: Vec<_> = vectors::matches(&clearing).into_iter().map(|m| (m.0, m.1, m.2)).collect();
        let theirs = &case.results["lemlab_pda"]["matches"];
        let of = |row: &serde_json::Value| {
            (case.seq(&row["buy_id"]), case.seq(&row["sell_id"]), u64::from(vectors::integer(&row["qty"])))
        };
        let mut theirs: Vec<_> = theirs.as_array().into_iter().flatten().map(of).collect();
        let [a, b] = [&ours, &theirs].map(|pairs| by_class(&case.orders, pairs.iter().copied()));
        if a != b {
            let entity = |seq| case.orders.iter().find(|o| o.seq.number() == seq).map(|o| o.entity);
            let alone = |pair: &(u32, u32, u64)| entity(pair.0) == entity(pair.1);
            assert!(theirs.iter().any(alone), "{}", case.name);
            others.push(number);
            continue;
        }
        let tied = |one: &Order| {
            case.orders.iter().any(|o| o.seq != one.seq && (o.side, o.price) == (one.side, one.price))
        };
        if !case.orders.iter().any(tied) {
            ours.sort_unstable();
            theirs.sort_unstable();
            assert_eq!(ours, theirs, "{}", case.name);
        }
    }
    assert_eq!(others, SELF_TRADES_OF_LEMLAB);
}
