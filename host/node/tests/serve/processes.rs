//! The binary itself: `busbar node` and `busbar agent` as processes, with signals, files and exit codes.

use crate::node_process::{Node, busbar, json};
use crate::theatre::{SLOT, Theatre, on_a_vm_thread, plan_text_of_a};
use host_node::keys::{Signer, SigningPolicy};
use host_node::scenario::{MARKET, first_household};
use host_node::wallet::Wallet;
use host_rpc::RemoteNode;
use runtime_execution::Call;
use runtime_execution::modules::markets::SlotState;
use runtime_execution::modules::system;
use runtime_primitives::{Hash, blake2_256};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

fn until(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "nothing happened");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_node_process_keeps_its_chain_through_signals() {
    let folder = TempDir::new().unwrap();
    let node =
        Node::start(folder.path(), &["--scenario", "dev", "--dev-validator", "1", "--interval-ms", "50"]);
    let remote = RemoteNode::at(&node.url).unwrap();
    let genesis = remote.best().unwrap();
    assert_eq!(node.genesis, genesis.to_string());
    let alice = Signer::new("//Alice".parse().unwrap(), SigningPolicy::Production);
    let mut alice = Wallet::new(alice, genesis);
    let mut remark = || alice.sign(&Call::System(system::Call::Remark { remark: b"hello".to_vec() }));
    remote.submit(&remark()).unwrap();
    until(|| remote.best().unwrap() != genesis);
    let best = remote.best().unwrap();
    let expected = node.genesis.clone();
    assert!(node.stop("-TERM"));

    // The folder says which chain it is; the interval that was asked for is in its spec.
    let node = Node::start(folder.path(), &[]);
    let remote = RemoteNode::at(&node.url).unwrap();
    assert_eq!((node.genesis.as_str(), remote.best().unwrap()), (expected.as_str(), best));
    remote.submit(&remark()).unwrap();
    until(|| remote.best().unwrap() != best);
    let last: Hash = remote.best().unwrap();
    assert!(node.stop("-INT"));

    let data = folder.path().display().to_string();
    let spec = folder.path().join("spec.json").display().to_string();
    let checked = busbar(&["chain-spec", "--check", &spec, "--json"]).output().unwrap();
    assert_eq!(json(&checked)["genesis_hash"], expected);
    let replayed = busbar(&["replay", &data, "--json"]).output().unwrap();
    assert_eq!(json(&replayed)["final_header_hash"], last.to_string());
    assert!(replayed.status.success());
    let other = busbar(&["replay", &data, "--scenario", "paper", "--json"]).output().unwrap();
    assert_eq!((json(&other)["verified"].clone(), other.status.success()), (false.into(), false));
    let foreign = busbar(&["node", "--data", &data, "--scenario", "paper", "--no-rpc"]).output().unwrap();
    let said = String::from_utf8_lossy(&foreign.stderr).into_owned();
    assert!(!foreign.status.success() && said.contains("holds chain"), "{said}");
}

/// A seeded key of the paper's scenario, as a secret URI.
pub fn secret(who: &str, what: &str) -> String {
    blake2_256(format!("busbar/scenario/paper/{who}/{what}").as_bytes()).to_string()
}

/// A's.
pub fn secret_of_a(what: &str) -> String {
    secret("A", what)
}

fn agent(url: &str, plan: &Path, delegate: &str) -> Command {
    let (entity, plan) = (first_household().to_string(), plan.display().to_string());
    let meter_key = secret_of_a("meter");
    busbar(&[
        "agent",
        "--url",
        url,
        "--entity",
        &entity,
        "--meter",
        "0",
        "--delegate",
        delegate,
        "--meter-key",
        &meter_key,
        "--plan",
        &plan,
        "--poll-ms",
        "10",
        "--json",
    ])
}

#[test]
fn an_agent_process_plays_the_papers_trade() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let plan = folder.path().join("plan.toml");
        std::fs::write(&plan, plan_text_of_a()).unwrap();
        let mut theatre = Theatre::open(&folder.path().join("chain"));
        theatre.set_up();
        let url = format!("http://{}", theatre.service.address().unwrap());
        let stranger = agent(&url, &plan, "//Stranger").arg("--once").output().unwrap();
        let said = String::from_utf8_lossy(&stranger.stderr).into_owned();
        assert!(!stranger.status.success() && said.contains("may not bid and confirm"), "{said}");

        let child = agent(&url, &plan, &secret_of_a("delegate")).stdout(Stdio::piped()).spawn().unwrap();
        while theatre.state_of_slot() != Some(SlotState::Settled) {
            if theatre.waits_for_a() {
                until(|| theatre.service.chain().waiting() > 0);
            }
            theatre.act();
        }
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let lines = String::from_utf8(output.stdout).unwrap();
        let deeds: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let names: Vec<&str> = deeds.iter().map(|deed| deed["deed"].as_str().unwrap()).collect();
        assert_eq!(names, ["bid", "confirm", "reading", "vote"]);
        assert!(
            deeds.iter().all(|deed| deed["slot"] == SLOT.number() && deed["extrinsic"].is_string()),
            "{lines}"
        );
        assert_eq!((&deeds[0]["side"], &deeds[3]["agrees"]), (&"sell".into(), &true.into()));
        drop(theatre);

        let data = folder.path().join("chain").display().to_string();
        let id = format!("{MARKET}/{SLOT}/0");
        let shown = busbar(&["trade", "show", &id, "--data", &data, "--json"]).output().unwrap();
        let life = json(&shown);
        let amount = |index: usize| life["payments"][index]["amount"].as_u64();
        assert_eq!((amount(0), amount(1)), (Some(67_000_000), Some(2_000_000)));
        assert!(shown.status.success() && life["holds"] == true, "{life}");
        let listed = busbar(&["trade", "list", "--data", &data]).output().unwrap();
        assert!(String::from_utf8_lossy(&listed.stdout).contains("0/500/0"));
        let listed = json(&busbar(&["trade", "list", "--data", &data, "--json"]).output().unwrap());
        assert_eq!((&listed[0]["energy_wh"], &listed[0]["settled_wh"]), (&10_000.into(), &10_000.into()));
        let missing = busbar(&["trade", "show", "500/9", "--data", &data]).output().unwrap();
        assert!(!missing.status.success());
    });
}
