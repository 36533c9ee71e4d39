//! Four validators as processes on loopback: they order together, one may be killed at any time, and whoever comes back
//! catches up to the same headers.

use crate::processes::{Node, busbar};
use host_node::keys::{Signer, SigningPolicy};
use host_node::wallet::Wallet;
use host_rpc::RemoteNode;
use runtime_execution::Call;
use runtime_execution::modules::system;
use runtime_primitives::Hash;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const VALIDATORS: usize = 4;
/// A validator that comes back waits for its peers to call again, and fetches what it missed.
const PATIENCE: Duration = Duration::from_secs(60);

struct Network {
    folder: TempDir,
    first_port: u16,
    nodes: Vec<Option<Node>>,
    alice: Wallet,
}

impl Network {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let first_port = free_ports();
        let spec = folder.path().join("spec.json").display().to_string();
        let (validators, engines) = (VALIDATORS.to_string(), format!("127.0.0.1:{first_port}"));
        let made =
            busbar(&["chain-spec", "--validators", &validators, "--engines", &engines, "--out", &spec])
                .args(["--interval-ms", "100"])
                .status();
        assert!(made.unwrap().success());
        let alice = Signer::new("//Alice".parse().unwrap(), SigningPolicy::Production);
        let mut network = Self {
            folder,
            first_port,
            nodes: (0..VALIDATORS).map(|_| None).collect(),
            alice: Wallet::new(alice, Hash::ZERO),
        };
        (0..VALIDATORS).for_each(|number| network.run(number));
        let alice = Signer::new("//Alice".parse().unwrap(), SigningPolicy::Production);
        network.alice = Wallet::new(alice, network.best(0));
        network
    }

    /// Run a validator, in the folder that it had before.
    fn run(&mut self, number: usize) {
        let data = self.folder.path().join(format!("validator-{number}"));
        let spec = self.folder.path().join("spec.json").display().to_string();
        let port = self.first_port + u16::try_from(number).unwrap();
        let (validator, listen) = ((number + 1).to_string(), format!("127.0.0.1:{port}"));
        let more = ["--spec", &spec, "--dev-validator", &validator, "--listen", &listen];
        self.nodes[number] = Some(Node::start(&data, &more));
    }

    /// Kill it as a power cut would: nothing is said or written any more.
    fn kill(&mut self, number: usize) {
        self.nodes[number] = None;
    }

    fn remote(&self, number: usize) -> RemoteNode {
        RemoteNode::at(&self.nodes[number].as_ref().unwrap().url).unwrap()
    }

    fn best(&self, number: usize) -> Hash {
        self.remote(number).best().unwrap()
    }

    /// Take a remark in at one validator, and wait until all that run have the same new best block.
    fn order(&mut self, at: usize) {
        let before = self.best(at);
        let remark = self.alice.sign(&Call::System(system::Call::Remark { remark: b"hello".to_vec() }));
        self.remote(at).submit(&remark).unwrap();
        self.agree_on(|best| best != before);
    }

    /// Wait until all that run have one best block, which `is_it`.
    fn agree_on(&self, is_it: impl Fn(Hash) -> bool) -> Hash {
        let began = Instant::now();
        loop {
            let running = (0..VALIDATORS).filter(|number| self.nodes[*number].is_some());
            let best: Vec<Hash> = running.map(|number| self.best(number)).collect();
            if is_it(best[0]) && best.iter().all(|hash| *hash == best[0]) {
                return best[0];
            }
            assert!(began.elapsed() < PATIENCE, "the validators do not agree: {best:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The first of as many ports in a row as there are validators, that nobody has; below those that the system hands out,
/// which other tests take at any time.
fn free_ports() -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let validators = u16::try_from(VALIDATORS).unwrap();
    let from = 20_000 + u16::try_from(std::process::id() % 8_000).unwrap();
    (from..32_000).find(|first| (*first..first + validators).all(is_free)).unwrap()
}

#[test]
fn validators_order_together_whoever_is_killed() {
    let mut network = Network::start();
    network.order(0);
    network.order(3);
    network.kill(1);
    network.order(2);
    network.order(0);
    network.run(1);
    network.order(1);
    network.kill(0);
    network.order(1);
    network.run(0);
    let best = network.agree_on(|_| true);

    // All stop and start again: nothing that was final is lost.
    for node in network.nodes.iter_mut().map(Option::take) {
        assert!(node.unwrap().stop("-INT"));
    }
    (0..VALIDATORS).for_each(|number| network.run(number));
    assert_eq!(network.agree_on(|_| true), best);
    network.order(2);

    let heights: Vec<_> = (0..VALIDATORS)
        .map(|number| network.remote(number))
        .map(|node| node.height(node.best().unwrap()))
        .collect();
    assert!(
        heights.iter().all(|height| height.as_ref().unwrap() == heights[0].as_ref().unwrap()),
        "{heights:?}"
    );
}
