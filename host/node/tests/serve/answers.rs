//! A trader by hand: orders, lists what waits for its answer, and confirms or refuses it.

use crate::node_process::{busbar, json};
use crate::processes::secret_of_a;
use crate::theatre::{SLOT, Theatre, on_a_vm_thread};
use host_node::scenario::{MARKET, first_household};
use runtime_execution::modules::markets::{Agreed, SlotState, TRADES};
use runtime_primitives::MarketId;
use runtime_state::Overlay;
use std::process::Output;
use tempfile::TempDir;

/// `busbar order …` by A's delegate; the test makes the blocks, so nothing is waited for.
fn order(url: &str, arguments: &[&str], signed: bool) -> Output {
    let (slot, key) = (SLOT.to_string(), secret_of_a("delegate"));
    let mut line = [&["order"], arguments, &["--slot", &slot, "--rpc", url]].concat();
    if signed {
        line.extend(["--key", &key, "--no-wait"]);
    }
    busbar(&line).output().unwrap()
}

fn play(answer: &[&str], expected: Agreed) {
    let folder = TempDir::new().unwrap();
    let mut theatre = Theatre::open(folder.path());
    theatre.set_up();
    let url = format!("http://{}", theatre.service.address().unwrap());
    let early = order(&url, answer, true);
    let said = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(!early.status.success() && said.contains("between its clearing and the end"), "{said}");
    let sell = ["place", "--side", "sell", "--energy", "10kWh", "--price", "0.67"];
    assert!(order(&url, &sell, true).status.success());
    while theatre.state_of_slot() != Some(SlotState::Proposed) {
        theatre.act();
    }

    let own = first_household().to_string();
    let waiting = |entity: &str| json(&order(&url, &["list", "--entity", entity, "--json"], false));
    let trade = waiting(&own)["waiting_trades"][0].clone();
    assert_eq!((&trade["trade"], &trade["seller"]), (&0.into(), &first_household().into()), "{trade}");
    assert_eq!([&trade["buyer_answer"], &trade["seller_answer"]], ["none yet"; 2], "{trade}");
    let (slot, book) = (SLOT.to_string(), waiting(&own)["book"].clone());
    let status = busbar(&["market", "status", "--slot", &slot, "--rpc", &url, "--json"]).output().unwrap();
    assert_eq!(json(&status)["trade_list"][0], trade, "a trade has one shape");
    assert!(json(&status)["book"].as_array().unwrap().contains(&book[0]), "and so has an order: {book}");
    let foreign = order(&url, &["confirm", "7"], true);
    assert!(String::from_utf8_lossy(&foreign.stderr).contains("trade 7 does not wait"), "{foreign:?}");
    let sent = order(&url, answer, true);
    assert!(sent.status.success(), "{sent:?}");
    theatre.pass();
    let snapshot = theatre.service.chain().snapshot();
    let entry = TRADES.get(&Overlay::new(&snapshot), (MARKET, SLOT), 0).unwrap();
    assert_eq!((entry.seller, entry.buyer), (expected, Agreed::Pending));
    assert_eq!(waiting(&own)["waiting_trades"].as_array().unwrap().len(), 0);
    assert_eq!(MARKET, MarketId::ZERO, "which the commands take unless told otherwise");
}

#[test]
fn a_party_answers_its_trade_by_commands() {
    on_a_vm_thread(|| {
        for (answer, expected) in [
            (&["confirm"][..], Agreed::Signed),
            (&["confirm", "0"], Agreed::Signed),
            (&["refuse", "0"], Agreed::Refused),
        ] {
            play(answer, expected);
        }
    });
}
