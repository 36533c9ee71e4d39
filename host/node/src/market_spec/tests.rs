//! Specs there and back, and everything that can be wrong with one, by line, column, key and rule.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use std::path::Path;

/// The default with a line replaced; the line is found by its key and value.
fn with(line: &str, other: &str) -> String {
    assert_eq!(DEFAULT.matches(line).count(), 1, "{line}");
    DEFAULT.replace(line, other)
}

fn problems(text: &str) -> Vec<String> {
    read(text, Path::new("")).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn the_default_is_sound_and_comes_back_to_the_letter() {
    let spec = read(DEFAULT, Path::new("")).unwrap();
    assert_eq!(write(&spec), DEFAULT);
    assert_eq!(spec.terms.rates.retail.ticks(), 10_000);
    assert_eq!(spec.terms.windows.open_before_s, 86_400);
    assert_eq!(spec.deposit.units(), 10_000_000_000);
}

#[test]
fn every_value_survives_the_way_there_and_back() {
    let mut text = DEFAULT.to_owned();
    for (line, other) in [
        ("name = \"Sunny Street\"", "name = \"A \\\"quoted\\\" \\\\ name\""),
        ("length = \"15 min\"", "length = \"1 min\""),
        ("zero = \"2026-01-01T00:00:00Z\"", "zero = \"2026-01-01T00:00:30.5Z\""),
        ("first = \"next\"", "first = 500"),
        ("open_before = \"24 h\"", "open_before = \"3601 s\""),
        ("readings = \"5 min\"", "readings = \"1 s\""),
        ("tick = \"0.0001\"", "tick = 0.0005"),
        ("price_max = \"0.98\"", "price_max = \"0.9\""),
        ("buyer = \"0.02\"", "buyer = 0"),
        ("tolerance = \"20 Wh\"", "tolerance = \"1.5 kWh\""),
        ("tolerance_share = \"5 %\"", "tolerance_share = \"0.25 %\""),
        ("matching = \"high-low\"", &format!("matching = \"0x{}\"", "ab".repeat(32))),
    ] {
        assert_eq!(text.matches(line).count(), 1, "{line}");
        text = text.replace(line, other);
    }
    let spec = read(&text, Path::new("")).unwrap();
    assert_eq!(read(&write(&spec), Path::new("")).unwrap(), spec);
    assert_eq!(spec.first, First::Slot(Slot::from_number(500)));
    assert_eq!(spec.terms.limits.tick_size.ticks(), 5);
    assert_eq!(spec.terms.slot_zero.ms() % 60_000, 30_500);
}

#[test]
fn what_terms_change_is_told_by_the_keys_of_a_spec() {
    let before = read(DEFAULT, Path::new("")).unwrap().terms;
    assert_eq!(changes(&before, &before), []);
    for (line, other, told) in [
        ("retail = \"1.00\"", "retail = \"1.05\"", ("rates.retail", "1.00", "1.05")),
        ("matching = \"high-low\"", "matching = \"huang\"", ("rules.matching", "high-low", "huang")),
        ("objection = \"1 h\"", "objection = \"2 h\"", ("windows.objection", "1 h", "2 h")),
        ("feeders = \"\"", "feeders = \"1>2 0.02/0\"", ("fees.feeders", "", "1>2 0.02/0.00")),
        ("deposit = 5", "deposit = 6", ("slots.deposit", "5", "6")),
    ] {
        let after = read(&with(line, other), Path::new("")).unwrap().terms;
        let found = changes(&before, &after);
        let found: Vec<_> = found.iter().map(|one| (one.key, &*one.before, &*one.after)).collect();
        assert_eq!(found, [told]);
    }
}

#[test]
fn problems_without_end_are_a_short_list() {
    for text in ["=\n".repeat(20_000), "=".repeat(20_000), "a = 1\n".repeat(20_000)] {
        let found = problems(&text);
        assert!((1..=101).contains(&found.len()), "{}", found.len());
        let distinct: std::collections::BTreeSet<&String> = found.iter().collect();
        assert_eq!(distinct.len(), found.len());
    }
    let many = problems(&(0..500).map(|key| format!("key{key} = 1\n")).collect::<String>());
    assert_eq!(many.len(), 101);
    assert!(many[100].contains("there are more problems"), "{}", many[100]);
}

#[test]
fn a_problem_says_where_what_and_what_to_do() {
    let rows = [
        (
            "retail = \"1.00\"",
            "retail = \"1.00001\"",
            "64:10: rates.retail = \"1.00001\"",
            "finer than 0.0001",
        ),
        ("retail = \"1.00\"", "retail = [1]", "64:10: rates.retail: ", "a text or a number is expected"),
        (
            "price_min = \"0.40\"",
            "price_min = \"0.30\"",
            "limits.price_min = \"0.30\"",
            "rates.feed_in is 0.40",
        ),
        (
            "price_max = \"0.98\"",
            "price_max = \"0.99\"",
            "limits.price_max = \"0.99\"",
            "highest buyer's fee 0.98",
        ),
        ("deviation = \"0.10\"", "deviation = \"1.01\"", "rates.deviation = \"1.01\"", "write at most 1.00"),
        ("feeders = \"\"", "feeders = \"1-2 0.03/0\"", "fees.feeders = ", "write it like"),
        ("feeders = \"\"", "feeders = \"1>2 0.03/0, 1>2 0.02/0\"", "fees.feeders = ", "name each pair once"),
        ("tick = \"0.0001\"", "tick = 0", "limits.tick = \"0\"", "tick_size is at least 1"),
        ("length = \"15 min\"", "length = \"90 s\"", "slots.length = \"90 s\"", "whole minutes"),
        ("length = \"15 min\"", "length = \"25 h\"", "slots.length = \"25 h\"", "slot_minutes is 1 to 1440"),
        ("deposit = 5", "deposit = 1441", "slots.deposit = \"1441\"", "deposit_slots is at most 1440"),
        ("first = \"next\"", "first = \"2026-01-01T00:07:00Z\"", "slots.first = ", "off the grid"),
        ("first = \"next\"", "first = \"soon\"", "slots.first = \"soon\"", "write \"next\""),
        ("gate_before = \"5 min\"", "gate_before = \"25 h\"", "windows.open_before", "write more than 25 h"),
        ("confirm = \"150 s\"", "confirm = \"291 s\"", "windows.confirm = \"291 s\"", "write at most 290 s"),
        ("objection = \"1 h\"", "objection = \"2 d\"", "windows.dispute = \"24 h\"", "write more than 2 d"),
        (
            "readings = \"5 min\"",
            "readings = \"16 min\"",
            "windows.readings = \"16 min\"",
            "write at most 15 min",
        ),
        ("orders_per_slot = 1000", "orders_per_slot = 100001", "limits.orders_per_slot", "1 to 100000"),
        ("orders_per_entity = 4", "orders_per_entity = 129", "limits.orders_per_entity", "1 to 128"),
        (
            "orders_per_entity = 4",
            "orders_per_entity = -4",
            "limits.orders_per_entity = \"-4\"",
            "no whole number",
        ),
        (
            "matching = \"high-low\"",
            "matching = \"low-high\"",
            "rules.matching = \"low-high\"",
            "high-low, min-spread",
        ),
        (
            "matching = \"high-low\"",
            "matching = \"settlement\"",
            "rules.matching = \"settlement\"",
            "a settlement rule, where a market needs a matching rule",
        ),
        ("bid = \"bid\"", "bid = \"high-low\"", "rules.bid = \"high-low\"", "a matching rule, where"),
        ("matching = \"high-low\"", "matching = \"mine.wasm\"", "rules.matching", "No such file"),
        (
            "matching = \"high-low\"",
            "matching = \"0x12\"",
            "rules.matching = \"0x12\"",
            "64 hexadecimal digits",
        ),
        ("name = \"Sunny Street\"", "name = \"\"", "name = \"\"", "0 bytes"),
        ("retailer = 1", "retailer = \"Bob\"", "parties.retailer = \"Bob\"", "digits alone"),
        ("retailer = 1", "retialer = 1", "parties.retialer: ", "no key of a market spec"),
        ("retailer = 1", "", "parties.retailer: ", "the key is missing"),
        ("[rules]", "[rules", "78:7: ", "unclosed table"),
    ];
    for (line, other, place, said) in rows {
        let found = problems(&with(line, other));
        let hit = |problem: &&String| problem.contains(place) && problem.contains(said);
        assert!(found.iter().any(|problem| hit(&problem)), "{other}: {found:#?}");
    }
}

#[test]
fn all_problems_show_in_the_order_of_the_file() {
    let text = with("retailer = 1", "retailer = \"x\"\nextra = 1")
        .replace("tick = \"0.0001\"", "tick = \"0.00001\"")
        .replace("matching = \"high-low\"", "matching = \"nothing\"");
    let found = problems(&text);
    let keys: Vec<_> = found.iter().map(|problem| problem.split(' ').nth(1).unwrap()).collect();
    assert_eq!(keys, ["parties.retailer", "parties.extra:", "limits.tick", "rules.matching"], "{found:#?}");
}

#[test]
fn the_next_slot_has_its_gate_ahead() {
    let terms = read(DEFAULT, Path::new("")).unwrap().terms;
    for (ms_after_zero, slot) in [(0, 1), (599_999, 1), (600_000, 2), (900_000, 2)] {
        let now = terms.slot_zero.plus_ms(ms_after_zero);
        assert_eq!(next_gate(&terms, now), Some(Slot::from_number(slot)), "{ms_after_zero}");
        let gate = terms.delivery_start(Slot::from_number(slot)).minus_ms(300_000);
        assert!(gate > now);
    }
    assert_eq!(next_gate(&terms, terms.slot_zero.minus_ms(300_001)), Some(Slot::ZERO));
    assert_eq!(next_gate(&terms, Timestamp::MAX), None);
}
