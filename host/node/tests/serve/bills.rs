//! Bills of the paper's trade: from the data folder, and from a node that serves it.

use crate::node_process::{Node, busbar, json};
use crate::theatre::on_a_vm_thread;
use host_node::scenario::{Casting, Play, first_household, paper};
use runtime_primitives::{Energy, Money};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

fn bill(entity: u32, more: &[&str]) -> Output {
    let entity = entity.to_string();
    busbar(&[&["bill", &entity], more].concat()).output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{output:?}");
    let bill = json(output);
    assert_eq!((&bill["notes"], &bill["adds_up"]), (&json!([]), &json!(true)));
    bill["lines"].as_array().unwrap().clone()
}

/// Kind and units of each line.
fn amounts(lines: &[Value]) -> Vec<(&str, i64)> {
    let units = |line: &Value| line["amount"].as_str().unwrap().replace('.', "").parse().unwrap();
    lines.iter().map(|line| (line["kind"].as_str().unwrap(), units(line))).collect()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_bill_names_its_evidence_and_adds_up() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut play = Play::open(paper().unwrap(), Casting::default(), folder.path()).unwrap();
        play.run(|_| {}).unwrap();
        drop(play);
        let data = folder.path().display().to_string();
        let (a, b) = (first_household(), first_household() + 1);

        let all = lines(&bill(b, &["--data", &data, "--json"]));
        let slot = lines(&bill(b, &["--data", &data, "--slots", "500", "--json"]));
        assert_eq!(amounts(&slot), [("energy", -67_000_000), ("network fee", -2_000_000)]);
        assert_eq!(slot[..], all[all.len() - 2..]);
        for line in &slot {
            assert_eq!((&line["trade"], &line["energy"]), (&0.into(), &10_000.into()));
            assert_eq!([&line["outcome"], &line["reason"]], [&Value::from("delivered"), &Value::Null]);
            assert_eq!(line["reading_status"], "measured");
            for hash in ["reading", "record"] {
                assert_eq!(line[hash].as_str().unwrap().len(), 66, "{hash}");
            }
        }
        let seller = lines(&bill(a, &["--data", &data, "--slots", "500..501", "--json"]));
        assert_eq!(amounts(&seller), [("energy", 67_000_000)]);
        assert_eq!(seller[0]["record"], slot[0]["record"], "one record, two bills");
        assert_ne!(seller[0]["reading"], slot[0]["reading"], "each by its own meter");
        assert!(lines(&bill(b, &["--data", &data, "--slots", "501..502", "--json"])).is_empty());
        for (slots, words) in
            [("7", "slot 7 has never opened: market 0 has opened slots 500.."), ("8..9", "8..9 have")]
        {
            let refused = bill(b, &["--data", &data, "--slots", slots]);
            let said = String::from_utf8(refused.stderr).unwrap();
            assert!(!refused.status.success() && said.contains(words), "{said}");
        }

        let settled = slot[0]["time"].as_str().unwrap().to_owned();
        exported(folder.path(), &data, b, &all);
        let before = lines(&bill(b, &["--data", &data, "--until", &settled, "--json"]));
        let after = lines(&bill(b, &["--data", &data, "--from", &settled, "--json"]));
        assert_eq!([before, after.clone()].concat(), all);
        assert_eq!(after, slot);

        let shown = text(&bill(b, &["--data", &data, "--from", &settled]));
        let funds = amounts(&all)[0].1;
        let yuan = |units: i64| format!("{}.{:07} yuan", units / 10_000_000, units % 10_000_000);
        for figure in ["-6.9000000 yuan", &yuan(funds), &yuan(funds - 69_000_000), "add up"] {
            assert!(shown.contains(figure), "{figure} is not in\n{shown}");
        }
        assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
        for (name, digits) in [("reading", 10), ("record", 10)] {
            let hash = &slot[0][name].as_str().unwrap()[..digits];
            assert!(shown.contains(hash), "{name} {hash} is not in\n{shown}");
        }
        assert!(shown.contains("0/500/0"), "{shown}");
        foreign_spec(folder.path(), &data);
        served(folder.path(), b, &all);
    });
}

/// B has just its deposit and its hold: the deposit pays the kWh that it takes beyond its trade. What is held is no line.
#[test]
fn a_bill_adds_up_over_a_deposit_that_was_drawn_on() {
    on_a_vm_thread(|| {
        let mut script = paper().unwrap();
        script.deposit_slots = 1;
        let b = &mut script.households[1];
        b.intents.values_mut().for_each(|intent| intent.energy = Energy::from_wh(9_000));
        b.funds = Money::from_units(80_000_000 + 9_000 * 6_900);
        script.households[0].funds = Money::from_units(100_000_000);
        let folder = TempDir::new().unwrap();
        let mut play = Play::open(script, Casting::default(), folder.path()).unwrap();
        play.run(|_| {}).unwrap();
        drop(play);
        let data = folder.path().display().to_string();
        let b = first_household() + 1;
        let slot = lines(&bill(b, &["--data", &data, "--slots", "500", "--json"]));
        assert_eq!(
            amounts(&slot),
            [("energy", -60_300_000), ("network fee", -1_800_000), ("retail", -8_000_000)]
        );
        assert!(text(&bill(b, &["--data", &data])).contains("add up to what the account has"));
        let node = Node::start(folder.path(), &[]);
        let show = |arguments: &[&str]| {
            let shown = busbar(&[arguments, &["--rpc", &node.url, "--json"]].concat()).output().unwrap();
            assert!(shown.status.success(), "{shown:?}");
            json(&shown)
        };
        let shown = show(&["entity", "show", &b.to_string()]);
        let (held, needed) = ("7.2000000", "8.0000000");
        let deposit = json!([{ "market": 0, "kind": "supply deposit", "held": held, "needed": needed }]);
        assert_eq!(
            (&shown["deposits"], &shown["free"], &shown["held"]),
            (&deposit, &"0.0000000".into(), &held.into())
        );
        let prefunding = json!({ "held": "7.8000000", "needed": "7.8000000" });
        assert_eq!(show(&["market", "status"])["prefunding"], prefunding);
        assert!(node.stop("-TERM"));
    });
}

/// A bill is what an export says of the entity, name by name.
fn exported(folder: &Path, data: &str, entity: u32, bill: &[Value]) {
    let out = folder.join("tables").display().to_string();
    let entity = entity.to_string();
    let done = busbar(&["export", "--data", data, "--out", &out, "--format", "json", "--entity", &entity]);
    let done = { done }.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let read = |name: &str| -> Vec<Value> {
        serde_json::from_slice(&std::fs::read(folder.join("tables").join(name)).unwrap()).unwrap()
    };
    assert_eq!(read("bills.json"), bill);
    let measured: Vec<_> = read("readings.json").into_iter().map(|row| row["reading"].clone()).collect();
    assert!(bill.iter().all(|line| line["reading"].is_null() || measured.contains(&line["reading"])));
}

/// With another chain's spec the account of somebody who had money at genesis does not add up.
fn foreign_spec(folder: &Path, data: &str) {
    let spec = std::fs::read_to_string(folder.join("spec.json")).unwrap();
    let mut spec: Value = serde_json::from_str(&spec).unwrap();
    let entities = spec["entities"].as_array_mut().unwrap();
    let rich = entities.iter().position(|entity| entity["balance"].as_str().is_some_and(|yuan| yuan != "0"));
    let rich = rich.expect("somebody has money at genesis");
    entities[rich]["balance"] = "1".into();
    let other = folder.join("other.json");
    std::fs::write(&other, spec.to_string()).unwrap();
    let rich = u32::try_from(rich).unwrap();
    assert!(bill(rich, &["--data", data]).status.success());
    let refused = bill(rich, &["--data", data, "--spec", other.to_str().unwrap()]);
    assert!(!refused.status.success() && text(&refused).contains("total"), "{refused:?}");
    let refused = bill(rich, &["--data", data, "--spec", other.to_str().unwrap(), "--json"]);
    assert_eq!(json(&refused)["adds_up"], false);
    let error: Value = serde_json::from_slice(&refused.stderr).unwrap();
    assert!(error["error"]["next"].as_str().unwrap().contains("--spec"), "{error}");
}

/// The same lines over RPC, names too.
fn served(folder: &Path, entity: u32, expected: &[Value]) {
    let node = Node::start(folder, &[]);
    let found = lines(&bill(entity, &["--rpc", &node.url, "--json"]));
    assert_eq!(found, expected);
    assert!(found.iter().any(|line| line["counterparty_name"] == "A"), "{found:?}");
    let some = ["--rpc", &node.url, "--slots", "499..500"];
    let noted = json(&bill(entity, &[&some[..], &["--json"]].concat()));
    let note = "market 0 has opened slots 500..";
    let notes = noted["notes"].as_array().unwrap();
    assert!(notes.len() == 1 && notes[0].as_str().unwrap().starts_with(note), "{noted}");
    let table = bill(entity, &some);
    assert!(String::from_utf8_lossy(&table.stderr).contains(note), "{table:?}");
    assert!(node.stop("-TERM"));
    let nobody = bill(9_999, &["--rpc", "http://127.0.0.1:1"]);
    assert!(!nobody.status.success());
}
