//! Chain specs: known chains survive the file, and what is wrong is named with its place.
#![allow(clippy::unwrap_used, reason = "tests")]

use clap::ValueEnum;
use host_node::chain_spec::{ChainSpec, Code, INTERVAL_MS, Preset, Rule, SpecError, engine_addresses};
use host_node::scenario::{Cast, paper, rules};
use runtime_execution::modules::payment::WeightRates;
use runtime_primitives::{Gas, blake2_256};
use std::path::Path;
use tempfile::TempDir;

#[test]
fn a_spec_names_the_chain_completely() {
    let folder = TempDir::new().unwrap();
    for preset in Preset::value_variants() {
        let config = preset.config();
        let path = folder.path().join(preset.name());
        std::fs::write(&path, ChainSpec::of_config(&config, INTERVAL_MS).to_json()).unwrap();
        let (spec, read) = ChainSpec::load(&path).unwrap();
        assert_eq!(read, config, "{preset:?}");
        assert_eq!(spec.block_interval_ms, INTERVAL_MS);
        assert_eq!(Preset::of_chain(&spec.name), Some(*preset));
        if let Some(script) = preset.script() {
            let expected = ChainSpec::genesis_hash(&Cast::genesis_config(&script)).unwrap();
            assert_eq!(ChainSpec::genesis_hash(&read).unwrap(), expected);
        }
    }
    assert_eq!(Preset::of_chain("busbar elsewhere"), None);
}

#[test]
fn the_known_session_keys_are_those_of_genesis() {
    for (preset, validators) in [(Preset::Paper, 3), (Preset::Dev, 1)] {
        let sessions: Vec<_> =
            preset.config().entities.iter().filter_map(|entity| entity.session_key).collect();
        let known: Vec<_> = (1..=validators).map(|number| preset.session_key(number).account()).collect();
        assert_eq!(sessions, known);
    }
}

#[test]
fn engines_have_an_address_each_or_ports_in_a_row() {
    // (validators, given, expected or what is said), addresses after commas.
    let rows = [
        (1, "10.0.0.1:7", Ok("10.0.0.1:7")),
        (3, "10.0.0.1:7", Ok("10.0.0.1:7,10.0.0.1:8,10.0.0.1:9")),
        (2, "[::1]:65534", Ok("[::1]:65534,[::1]:65535")),
        (2, "one.example:7,two.example:7", Ok("one.example:7,two.example:7")),
        (3, "10.0.0.1:7,10.0.0.2:7", Err("2 engine addresses for 3 validators")),
        (1, "10.0.0.1:7,10.0.0.2:7", Err("2 engine addresses for 1 validators")),
        (2, "10.0.0.1:7,10.0.0.1:7", Err("engine 10.0.0.1:7: two validators")),
        (2, "[::1]:65535", Err("engine [::1]:65535: there are no 2 ports")),
        (1, "10.0.0.1", Err("engine \"10.0.0.1\": write host:port")),
        (1, "10.0.0.1:0", Err("engine \"10.0.0.1:0\": write host:port")),
        (2, "10.0.0.1:7,", Err("engine \"\": write host:port")),
    ];
    for (validators, given, expected) in rows {
        let given: Vec<String> = given.split(',').map(str::to_owned).collect();
        match (engine_addresses(validators, &given), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.join(","), expected),
            (Err(said), Err(words)) => assert!(said.to_string().contains(words), "{given:?}: {said}"),
            (found, _) => panic!("{given:?}: {found:?}"),
        }
    }
    let config = Preset::Dev.network(&["one.example:7".to_owned(), "two.example:8".to_owned()]);
    let found = config.entities.into_iter().filter_map(|entity| entity.engine).map(|engine| engine.address);
    assert_eq!(found.collect::<Vec<_>>(), ["one.example:7", "two.example:8"]);
}

#[test]
fn rates_that_a_spec_leaves_out_are_the_known_ones() {
    let mut config = Preset::Dev.config();
    config.weight = WeightRates { quota: Gas::from_units(7), ..WeightRates::default() };
    let spec = ChainSpec::of_config(&config, INTERVAL_MS);
    assert_eq!(spec.config(Path::new("")).unwrap(), config);
    let mut json = serde_json::to_value(spec).unwrap();
    for (field, quota) in [("gas_per_unit", 7), ("gas_per_hour", 10_000_000_000_000)] {
        json["weight_fee"].as_object_mut().unwrap().remove(field).unwrap();
        let spec: ChainSpec = serde_json::from_value(json.clone()).unwrap();
        let weight = spec.config(Path::new("")).unwrap().weight;
        assert_eq!((weight.quota.units(), weight.gas_per_unit.get()), (quota, 1_000_000));
    }
    json.as_object_mut().unwrap().remove("weight_fee").unwrap();
    let spec: ChainSpec = serde_json::from_value(json).unwrap();
    assert_eq!(spec.config(Path::new("")).unwrap().weight, WeightRates::default());
}

#[test]
fn codes_are_rules_files_or_bytes() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("own.wasm"), b"\0asm").unwrap();
    let mut spec = ChainSpec::of_config(&Preset::Dev.config(), INTERVAL_MS);
    assert_eq!(spec.codes[1], Code::Rule(Rule::HighLow));
    spec.codes = vec![Code::File("own.wasm".into()), Code::Hex("0x00ff".into()), Code::Rule(Rule::Bid)];
    let config = spec.config(folder.path()).unwrap();
    assert_eq!(config.codes, [b"\0asm".to_vec(), vec![0, 255], rules::BID.to_vec()]);
    assert_eq!(config.default_settlement, Some(blake2_256(rules::SETTLEMENT)));
    assert_eq!(ChainSpec::of_config(&config, 250).codes[1], Code::Hex("0x00ff".into()));
}

/// Change one field of a good spec, as JSON; gives what loading says.
fn refusal(pointer: &str, value: serde_json::Value) -> String {
    let spec = ChainSpec::of_config(&Cast::genesis_config(&paper().unwrap()), INTERVAL_MS);
    let mut json = serde_json::to_value(spec).unwrap();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = if parent.is_empty() { &mut json } else { json.pointer_mut(parent).unwrap() };
    parent[field] = value;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("spec.json");
    std::fs::write(&path, json.to_string()).unwrap();
    ChainSpec::load(&path).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let rows = [
        ("/name", "".into(), "name: 0 bytes"),
        ("/nmae", "x".into(), "unknown field `nmae`"),
        ("/genesis_time", "yesterday".into(), "genesis_time: \"yesterday\""),
        ("/genesis_time", "1960-01-01T00:00:00Z".into(), "genesis_time"),
        ("/block_interval_ms", 0.into(), "block_interval_ms: 0"),
        ("/sudo", "5Grwva".into(), "sudo: "),
        ("/sudo", "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5".into(), "sudo: an address of network 0"),
        (
            "/entities/5/session_key",
            serde_json::Value::Null,
            "entity 5: the validator role and a session key",
        ),
        ("/entities/6/owner", "".into(), "entities[6].owner: "),
        ("/entities/6/balance", "1.5".into(), "entities[6].balance: \"1.5\""),
        ("/entities/6/balance", u128::MAX.to_string().into(), "entities[6].balance: the balances up to here"),
        ("/entities/6/roles", serde_json::json!(["king"]), "unknown variant `king`"),
        ("/entities/3/voting_key", "x".into(), "entities[3].voting_key: "),
        ("/entities/1/owner", serde_json::Value::Null, "invalid type: null"),
        ("/codes", serde_json::json!([{ "hex": "12" }]), "codes[0]: write 0x"),
        ("/codes", serde_json::json!([{ "file": "none.wasm" }]), "none.wasm"),
        (
            "/codes",
            serde_json::json!([{ "hex": format!("0x{}", "00".repeat(131_073)) }]),
            "codes[0]: 131073 bytes",
        ),
        ("/default_settlement", serde_json::json!({ "hash": "0x12" }), "default_settlement: write 0x"),
        ("/weight_fee/gas_per_unit", 0.into(), "expected a nonzero u64"),
        ("/weight_fee", serde_json::json!({ "quota": 1 }), "unknown field `quota`"),
        ("/entities", serde_json::json!([]), "at least one validator"),
    ];
    for (pointer, value, expected) in rows.into_iter() {
        let found = refusal(pointer, value);
        assert!(found.contains(expected), "{pointer}: {found}");
    }
    let missing = ChainSpec::load(Path::new("no/such/spec.json")).unwrap_err();
    assert!(matches!(missing, SpecError::Io { .. }));
}
