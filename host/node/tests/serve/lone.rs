//! A node that orders alone: the engine of the network with a committee of one, and nothing that anybody could call.

use crate::network::Alice;
use crate::node_process::{Node, busbar};
use crate::theatre::{on_a_vm_thread, signer};
use crate::validators::{PATIENCE, VALIDATORS, Validators};
use host_node::scenario::{Casting, Play, paper};
use host_node::wallet::Wallet;
use host_rpc::RemoteNode;
use runtime_execution::Call;
use runtime_execution::modules::system;
use runtime_primitives::{Hash, Height};
use runtime_state::Overlay;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The engine's actors stop in any order if nobody says when; one in five times it shows in the log.
const STOPS: usize = 20;

/// A chain spec with so many validators that have an engine.
fn spec(folder: &Path, validators: &str) -> String {
    let path = folder.join("spec.json").display().to_string();
    let line = ["chain-spec", "--validators", validators, "--interval-ms", "50", "--out", &path];
    assert!(busbar(&line).status().unwrap().success());
    path
}

/// Have an extrinsic ordered.
fn order(node: &Node, extrinsic: &[u8]) -> Hash {
    let remote = RemoteNode::at(&node.url).unwrap();
    let (before, began) = (remote.best().unwrap(), Instant::now());
    remote.submit(extrinsic).unwrap();
    while remote.best().unwrap() == before {
        assert!(began.elapsed() < PATIENCE, "no block comes");
        std::thread::sleep(Duration::from_millis(5));
    }
    remote.best().unwrap()
}

/// Sockets at which a process listens.
fn listening(pid: u32) -> usize {
    let own: Vec<PathBuf> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .collect();
    let tables = ["tcp", "tcp6"].map(|name| fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap());
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    let is_own = |row: &str| {
        let fields: Vec<&str> = row.split_whitespace().collect();
        fields[3] == "0A" && own.contains(&PathBuf::from(format!("socket:[{}]", fields[9])))
    };
    rows.filter(|row| is_own(row)).count()
}

#[test]
fn one_validator_orders_alone_under_any_key_and_listens_for_rpc_only() {
    let folder = TempDir::new().unwrap();
    let (spec, data) = (spec(folder.path(), "1"), folder.path().join("data"));
    let lone = ["--spec", &spec, "--dev-validator", "1"];
    let node = Node::start(&data, &lone);
    let mut alice = Alice::on(RemoteNode::at(&node.url).unwrap().best().unwrap());
    order(&node, &alice.remark(b"one"));
    let best = order(&node, &alice.remark(b"two"));
    assert_eq!(listening(node.pid()), 1, "it is reached by more than RPC");
    drop(node);

    // Nothing that it showed is lost, and it goes on.
    let node = Node::start(&data, &lone);
    assert_eq!(RemoteNode::at(&node.url).unwrap().best().unwrap(), best);
    order(&node, &alice.remark(b"three"));
    assert!(node.stop("-TERM"));

    // Where no validator has an engine, whoever has the folder orders.
    let data = folder.path().join("bare");
    let mut heights = Vec::new();
    let mut alice = None;
    for keys in [&["--dev-validator", "1"][..], &[], &["--dev-validator", "2"], &["--dev-validator", "1"]] {
        let node = Node::start(&data, &[&["--scenario", "bare", "--interval-ms", "50"][..], keys].concat());
        let remote = RemoteNode::at(&node.url).unwrap();
        let genesis = remote.block_hash(Height::ZERO).unwrap().unwrap();
        order(&node, &alice.get_or_insert_with(|| Alice::on(genesis)).remark(b"on"));
        heights.push(remote.status().unwrap().height);
        assert!(node.stop("-TERM"));
    }
    assert_eq!(heights, [1, 2, 3, 4]);
}

#[test]
fn a_node_that_others_must_reach_says_how() {
    let folder = TempDir::new().unwrap();
    let spec = spec(folder.path(), "4");
    let data = folder.path().join("data").display().to_string();
    let line = ["node", "--no-rpc", "--data", &data, "--spec", &spec];
    for (keys, words) in [
        (&["--dev-validator", "2"][..], "start this node with --listen 127.0.0.1:30334"),
        (&[], "start this node with --listen HOST:PORT"),
        (&["--dev-validator", "1", "--dev-validator", "2", "--dev-validator", "3"], "4 validators order"),
    ] {
        let refused = busbar(&[&line[..], keys].concat()).output().unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success() && said.contains(words), "{keys:?}: {said}");
    }
}

#[test]
fn a_node_among_others_does_not_vote_where_it_forgot_its_votes() {
    let folder = TempDir::new().unwrap();
    let (spec, data) = (spec(folder.path(), "1"), folder.path().join("data"));
    let lone = ["--spec", &spec, "--dev-validator", "1"];
    let node = Node::start(&data, &lone);
    order(&node, &Alice::on(RemoteNode::at(&node.url).unwrap().best().unwrap()).remark(b"one"));
    assert!(node.stop("-TERM"));
    let engine = data.join("engine");
    fs::rename(&engine, folder.path().join("engine")).unwrap();
    let path = data.display().to_string();
    let line = ["node", "--no-rpc", "--listen", "127.0.0.1:0", "--data", &path];
    let refused = busbar(&[&line[..], &lone].concat()).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        !refused.status.success() && said.contains("begin in another data folder with busbar snapshot"),
        "{said}"
    );
    assert!(said.contains("at block 1:") && !engine.exists(), "{said}");
    fs::rename(folder.path().join("engine"), &engine).unwrap();
    let node = Node::start(&data, &[&lone[..], &["--listen", "127.0.0.1:0"]].concat());
    assert!(node.stop("-TERM"));
}

#[test]
fn a_chain_that_was_made_without_an_engine_goes_on_under_it() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut play = Play::open(paper().unwrap(), Casting::default(), folder.path()).unwrap();
        play.run(|_| {}).unwrap();
        drop(play);
        let node = Node::start(folder.path(), &["--interval-ms", "50"]);
        let remote = RemoteNode::at(&node.url).unwrap();
        let (best, genesis) = (remote.best().unwrap(), remote.block_hash(Height::ZERO).unwrap().unwrap());
        let height = remote.status().unwrap().height;
        assert!(height > 10, "{height}");
        let mut a = Wallet::new(signer("A", "owner"), genesis);
        a.refresh(&Overlay::new(&remote.state(best)));
        let mut remark = || a.sign(&Call::System(system::Call::Remark { remark: b"on".to_vec() }));
        // Its slots are long over by this clock: there is more to do than the remark.
        let next = order(&node, &remark());
        assert_eq!(remote.block_hash(Height::from_number(height)).unwrap(), Some(best));
        let after = remote.height(next).unwrap().unwrap();
        assert!(node.stop("-TERM"));
        let node = Node::start(folder.path(), &[]);
        assert_eq!(RemoteNode::at(&node.url).unwrap().block_hash(after).unwrap(), Some(next));
        order(&node, &remark());
        assert!(node.stop("-INT"));
    });
}

/// Lines of a log that something is wrong with.
fn complaints(log: &Path) -> Vec<String> {
    let text = fs::read_to_string(log).unwrap();
    let is_bad = |line: &&str| ["ERROR", "WARN", "panicked"].iter().any(|word| line.contains(word));
    text.lines().filter(is_bad).map(str::to_owned).collect()
}

/// A node whose log lies in a file.
fn logged(data: &Path, log: &Path, more: &[&str]) -> Node {
    let data = data.display().to_string();
    let mut command = busbar(&[&Node::line(&data)[..5], more].concat());
    command.stderr(File::create(log).unwrap());
    Node::spawn(command)
}

#[test]
fn who_is_told_to_stop_does_so_without_a_complaint() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    for round in 0..STOPS {
        let node = logged(folder.path(), &log, &["--scenario", "dev", "--dev-validator", "1"]);
        let began = Instant::now();
        while !fs::read_to_string(&log).unwrap().contains("epoch entered") {
            assert!(began.elapsed() < PATIENCE, "the engine does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(node.stop(if round % 2 == 0 { "-INT" } else { "-TERM" }));
        assert_eq!(complaints(&log), Vec::<String>::new());
    }

    let mut network = Validators::prepare(&["--interval-ms", "100"], &[]);
    let logs: Vec<PathBuf> =
        (0..VALIDATORS).map(|number| folder.path().join(format!("log-{number}"))).collect();
    for (number, log) in logs.iter().enumerate() {
        let arguments = network.arguments(number);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        network.put(number, logged(&network.data(number), log, &arguments));
    }
    let mut alice = Alice::on(network.best(0));
    (0..VALIDATORS).for_each(|number| alice.order(&network, number));
    network.stop();
    for log in &logs {
        assert_eq!(complaints(log), Vec::<String>::new(), "{}", log.display());
    }
}
