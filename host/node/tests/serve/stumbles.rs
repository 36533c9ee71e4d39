//! What a new user stumbles over first: each refusal says what is wrong and what to do, to people and to scripts.

use crate::node_process::{Node, busbar, json};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What a command says, and its exit code.
fn refused(url: &str, arguments: &[&str]) -> (String, Option<i32>) {
    let output = busbar(&[arguments, &["--rpc", url]].concat()).output().unwrap();
    assert!(!output.status.success(), "{arguments:?}: {output:?}");
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

/// The error of a command that is asked for JSON.
fn refused_json(url: &str, arguments: &[&str]) -> (Value, Option<i32>) {
    let (said, code) = refused(url, &[arguments, &["--json"]].concat());
    let error: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{arguments:?}: {said}"));
    (error["error"].clone(), code)
}

#[test]
fn a_node_that_is_not_there_is_named_with_the_way_to_start_one() {
    let url = "http://127.0.0.1:1";
    let (said, code) = refused(url, &["entity", "list"]);
    assert!(said.contains("no node answers at http://127.0.0.1:1"), "{said}");
    assert!(said.contains("start one with busbar node") && code == Some(1), "{said}");
    let (error, _) = refused_json(url, &["entity", "list"]);
    assert_eq!(error["rule"], "Node.Transport", "{error}");
    assert_eq!(error["next"], "start one with busbar node, or name another with --rpc or BUSBAR_RPC");
}

#[test]
fn first_steps_on_a_bare_chain() {
    let folder = TempDir::new().unwrap();
    let node = Node::start(folder.path(), &["--scenario", "bare", "--dev-validator", "1"]);
    let url = node.url.as_str();
    let register = ["entity", "register", "--owner", "//Bob", "--roles", "bank", "--key", "//Alice"];
    let registered = busbar(&[&register[..], &["--rpc", url, "--json"]].concat()).output().unwrap();
    let bob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
    let event = json!({ "event": "Registry.EntityRegistered", "entity": 2, "owner": bob, "roles": ["bank"] });
    assert!(json(&registered)["events"].as_array().unwrap().contains(&event), "{registered:?}");

    let place = ["order", "place", "--side", "buy", "--energy", "1kWh", "--price", "0.5", "--key"];
    let placed = |key| [&place[..], &[key]].concat();
    let rows: [(Vec<&str>, &str, i32); 8] = [
        (vec!["market", "status"], "busbar market create makes one from a spec", 1),
        (vec!["market", "wait"], "unknown market 0", 1),
        (vec!["entity", "show", "//Bo"], "busbar entity register --owner 5", 1),
        (vec!["entity", "show", "Bob"], "a development key is written //Bob", 64),
        (vec!["entity", "register", "--owner", "Eve", "--key", "//Alice"], "is written //Eve", 64),
        (placed("Ferdie"), "written with two slashes, such as //Ferdie", 1),
        (
            vec!["entity", "suspend", "0", "--key", "//Bob"],
            "the call needs registrar, the entity has bank",
            3,
        ),
        (vec!["market", "operate", "--once", "--key", "//Eve"], "is bound to no entity", 1),
    ];
    for (arguments, told, expected) in rows {
        let (said, code) = refused(url, &arguments);
        assert!(said.contains(told), "{arguments:?}: {said}");
        assert_eq!(code, Some(expected), "{arguments:?}: {said}");
        let (error, code) = refused_json(url, &arguments);
        assert!(error["message"].as_str().unwrap().contains(told), "{arguments:?}: {error}");
        assert_eq!(code, Some(expected), "{arguments:?}: {error}");
    }
    let (unknown, _) = refused_json(url, &["market", "status"]);
    assert_eq!(unknown["rule"], "Markets.UnknownMarket");
    assert!(unknown["next"].as_str().unwrap().starts_with("busbar market list"), "{unknown}");
    let (wrong, code) = refused_json(url, &["market", "status", "--nonsense"]);
    assert_eq!((&wrong["rule"], code), (&"Arguments".into(), Some(64)));
    assert!(wrong["next"].as_str().unwrap().contains("--help"), "{wrong}");
    let energy =
        |text| ["order", "place", "--side", "buy", "--energy", text, "--price", "0.5", "--key", "//Eve"];
    for (arguments, next) in [
        (&energy("-1kWh")[..], "write 0 or more, such as 10kWh"),
        (&energy("1")[..], "write 10kWh"),
        (&["bill", "1", "--from", "2026-11-23"][..], "write 2026-01-31T00:00:00Z"),
    ] {
        let (wrong, code) = refused_json(url, arguments);
        assert_eq!((&wrong["next"], code), (&next.into(), Some(64)), "{wrong}");
    }
    assert!(node.stop("-TERM"));
}
