//! The set changes while the chain runs: a fifth validator joins, one leaves, one takes other keys; blocks go on, whoever
//! is in the set is needed, and whoever is not follows.

use crate::node_process::{Node, busbar, json};
use crate::validators::{PATIENCE, free_ports};
use host_node::keys::{Signer, SigningPolicy};
use host_node::wallet::Wallet;
use host_rpc::RemoteNode;
use runtime_execution::Call;
use runtime_execution::modules::system;
use runtime_primitives::Hash;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const FOUNDERS: u16 = 4;
const EPOCH_BLOCKS: u64 = 8;
/// Ports that nodes listen at: the founders', the newcomer's, and one that somebody moves to.
const PORTS: u16 = FOUNDERS + 2;
/// So long without a block, on a chain with a block every tenth of a second, means that it stands still.
const STANDSTILL: Duration = Duration::from_secs(3);

struct Network {
    folder: TempDir,
    first_port: u16,
    /// By the number of the folder that they run in.
    nodes: BTreeMap<u16, Node>,
    bob: Wallet,
}

impl Network {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let first_port = free_ports(PORTS);
        let spec = folder.path().join("spec.json");
        let (validators, engines) = (FOUNDERS.to_string(), format!("127.0.0.1:{first_port}"));
        let made = busbar(&["chain-spec", "--validators", &validators, "--engines", &engines])
            .args(["--interval-ms", "100", "--epoch-blocks", &EPOCH_BLOCKS.to_string(), "--out"])
            .arg(&spec)
            .status();
        assert!(made.unwrap().success());
        let bob = || Signer::new("//Bob".parse().unwrap(), SigningPolicy::Production);
        let mut network =
            Self { folder, first_port, nodes: BTreeMap::new(), bob: Wallet::new(bob(), Hash::ZERO) };
        (0..FOUNDERS).for_each(|number| network.run(number, number, &[number + 1]));
        network.bob = Wallet::new(bob(), network.best(0));
        network
    }

    fn address(&self, port: u16) -> String {
        format!("127.0.0.1:{}", self.first_port + port)
    }

    /// Run a node in a folder, at a port, with the well-known keys of validators; it orders with the first of them.
    fn run(&mut self, folder: u16, port: u16, validators: &[u16]) {
        let data = self.folder.path().join(format!("node-{folder}"));
        let spec = self.folder.path().join("spec.json").display().to_string();
        let listen = self.address(port);
        let numbers: Vec<String> = validators.iter().map(ToString::to_string).collect();
        let mut line = vec!["--spec", &spec, "--listen", &listen];
        numbers.iter().for_each(|number| line.extend(["--dev-validator", number]));
        self.nodes.insert(folder, Node::start(&data, &line));
    }

    fn kill(&mut self, folder: u16) {
        self.nodes.remove(&folder).unwrap();
    }

    fn remote(&self, folder: u16) -> RemoteNode {
        RemoteNode::at(&self.nodes[&folder].url).unwrap()
    }

    fn best(&self, folder: u16) -> Hash {
        self.remote(folder).best().unwrap()
    }

    /// What a command says that asks the first node.
    fn ask(&self, line: &[&str]) -> Value {
        let output = busbar(line).args(["--rpc", &self.nodes[&0].url, "--json"]).output().unwrap();
        assert!(output.status.success(), "{line:?}: {output:?}");
        json(&output)
    }

    fn listed(&self) -> Value {
        self.ask(&["validator", "list"])
    }

    /// What an owner announces for its entity.
    fn announcement(&self, owner: &str, session: u16, port: u16) -> String {
        let (address, session) = (self.address(port), format!("//Validator{session}//session"));
        let line = ["validator", "announce", owner, "--address", &address, "--session-key", &session];
        self.ask(&line)["announcement"].as_str().unwrap().to_owned()
    }

    /// Have a remark ordered; whether it was, in good time.
    fn orders(&mut self, patience: Duration) -> bool {
        let before = self.best(0);
        let remark = self.bob.sign(&Call::System(system::Call::Remark { remark: b"hello".to_vec() }));
        self.remote(0).submit(&remark).unwrap();
        let began = Instant::now();
        while began.elapsed() < patience {
            if self.best(0) != before {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    fn order(&mut self) {
        assert!(self.orders(PATIENCE), "no block comes: {:#}", self.listed());
    }

    /// Nothing is ordered any more, once what was on its way has come.
    fn stands_still(&mut self) {
        let stands = (0..3).any(|_| !self.orders(STANDSTILL));
        assert!(stands, "blocks come without a validator that is needed: {:#}", self.listed());
    }

    /// Go on until an epoch's blocks are built.
    fn pass_to(&mut self, epoch: u64) {
        while self.listed()["epoch"].as_u64().unwrap() < epoch {
            self.order();
        }
        // A block of it: the engine before has handed over.
        self.order();
    }

    /// Wait until all nodes that run have one best block.
    fn agree(&self) {
        let began = Instant::now();
        loop {
            let best: Vec<Hash> = self.nodes.keys().map(|folder| self.best(*folder)).collect();
            if best.iter().all(|hash| *hash == best[0]) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "the nodes do not agree: {best:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn committee(&self) -> Value {
        self.ask(&["status"])["committee"].clone()
    }
}

#[test]
fn validators_join_leave_and_rotate_while_blocks_go_on() {
    let mut network = Network::start();
    let effective = |change: &Value| change["effective_epoch"].as_u64().unwrap();
    network.order();

    // A fifth one: admitted as an entity, then to the set. It runs before it is in it, and catches up meanwhile.
    let owner = "//Validator5";
    network.ask(&["entity", "register", "--owner", owner, "--roles", "validator", "--key", "//Alice"]);
    let announcement = network.announcement(owner, 5, 4);
    let joined = network.ask(&["validator", "join", &announcement, "--key", "//Alice"]);
    let again = busbar(&["validator", "join", &announcement, "--key", "//Alice", "--json"])
        .args(["--rpc", &network.nodes[&0].url])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.code() == Some(3) && said.contains("Registry.ChangePending"), "{said}");
    let listed = network.listed();
    assert_eq!(
        listed["changes"],
        serde_json::json!([
            { "epoch": joined["effective_epoch"], "entity": joined["entity"], "change": "joins" }
        ])
    );
    network.run(4, 4, &[5]);
    network.pass_to(effective(&joined));
    assert_eq!(network.committee(), 5);
    network.agree();

    // Four of five decide: without one founder the fifth is needed, without both the chain stands still.
    network.kill(3);
    network.order();
    network.kill(4);
    network.stands_still();
    network.run(4, 4, &[5]);
    network.run(3, 3, &[4]);
    network.order();
    network.agree();

    // One leaves, one takes other keys at another address.
    let left = network.ask(&["validator", "leave", "//Validator4", "--key", "//Validator4"]);
    let announcement = network.announcement("//Validator2", 6, 5);
    let rotated = network.ask(&["validator", "rotate", &announcement, "--key", "//Validator2"]);
    network.pass_to(effective(&left).max(effective(&rotated)));
    assert_eq!(network.committee(), 4);
    // It votes with both session keys, where an electorate still has the old one, and orders with the new one.
    assert!(network.nodes.remove(&1).unwrap().stop("-INT"));
    network.run(1, 5, &[6, 2]);
    network.order();
    network.agree();

    // Three of four decide: without one, the new keys are needed, and the one who left only follows.
    network.kill(2);
    network.order();
    network.order();
    network.agree();
    network.kill(1);
    network.stands_still();
    network.run(1, 5, &[6, 2]);
    network.run(2, 2, &[3]);
    network.order();
    network.agree();

    // Whoever has the spec alone follows from set to set.
    let spec = network.folder.path().join("spec.json").display().to_string();
    let verified = network.ask(&["verify", "--spec", &spec]);
    assert!(verified["epoch"].as_u64().unwrap() > effective(&joined), "{verified:#}");
}
