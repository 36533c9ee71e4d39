//! Validators as processes, each with its own folder, ordering one chain: on loopback, or each in a place of its own.

use crate::node_process::{Node, busbar};
use host_rpc::RemoteNode;
use runtime_primitives::Hash;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const VALIDATORS: usize = 4;
/// A validator that comes back waits for its peers to call again, and fetches what it missed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where a validator runs.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where its engine listens.
    pub engine: SocketAddr,
    /// Where it serves RPC, at a free port.
    pub rpc: IpAddr,
    /// The network namespace of its process, if it has one.
    pub namespace: Option<String>,
}

pub struct Validators {
    folder: TempDir,
    places: Vec<Place>,
    /// What each is started with besides.
    more: Vec<String>,
    nodes: Vec<Option<Node>>,
    /// Those that run and are cut off.
    apart: BTreeSet<usize>,
}

impl Validators {
    /// Start them on a chain whose spec is made with `spec`, each with `more`.
    pub fn start(spec: &[&str], more: &[&str]) -> Self {
        let mut validators = Self::prepare(spec, more);
        (0..VALIDATORS).for_each(|number| validators.run(number));
        validators
    }

    /// Their chain's spec, and nobody running.
    pub fn prepare(spec: &[&str], more: &[&str]) -> Self {
        let count = u16::try_from(VALIDATORS).unwrap();
        let first_port = free_ports(count);
        let place = |port| {
            let rpc = IpAddr::from([127, 0, 0, 1]);
            Place { engine: SocketAddr::new(rpc, port), rpc, namespace: None }
        };
        Self::prepare_in((first_port..first_port + count).map(place).collect(), spec, more)
    }

    /// The same, a validator in each of these places.
    pub fn prepare_in(places: Vec<Place>, spec: &[&str], more: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("spec.json").display().to_string();
        let engines: Vec<String> = places.iter().map(|place| place.engine.to_string()).collect();
        let (validators, engines) = (VALIDATORS.to_string(), engines.join(","));
        let made =
            busbar(&["chain-spec", "--validators", &validators, "--engines", &engines, "--out", &path])
                .args(spec)
                .status();
        assert!(made.unwrap().success());
        let more = more.iter().map(ToString::to_string).collect();
        let nodes = (0..VALIDATORS).map(|_| None).collect();
        Self { folder, places, more, nodes, apart: BTreeSet::new() }
    }

    pub fn spec(&self) -> PathBuf {
        self.folder.path().join("spec.json")
    }

    pub fn data(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("validator-{number}"))
    }

    /// Where a validator's engine listens.
    pub fn engine(&self, number: usize) -> SocketAddr {
        self.places[number].engine
    }

    /// What a validator is started with besides its folder.
    pub fn arguments(&self, number: usize) -> Vec<String> {
        let (spec, validator) = (self.spec().display().to_string(), (number + 1).to_string());
        let own =
            ["--spec", &spec, "--dev-validator", &validator, "--listen", &self.engine(number).to_string()];
        own.into_iter().map(str::to_owned).chain(self.more.iter().cloned()).collect()
    }

    /// Run a validator, in the folder that it had before.
    pub fn run(&mut self, number: usize) {
        let arguments = self.arguments(number);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (data, place) = (self.data(number).display().to_string(), &self.places[number]);
        let rpc = SocketAddr::new(place.rpc, 0).to_string();
        let node = busbar(&[&Node::line_at(&data, &rpc)[..], &arguments].concat());
        let node = match &place.namespace {
            None => node,
            Some(namespace) => {
                let mut inside = Command::new("ip");
                inside.args(["netns", "exec", namespace]).arg(node.get_program()).args(node.get_args());
                inside
            }
        };
        self.nodes[number] = Some(Node::spawn(node));
    }

    /// Count a validator among those that run together no more.
    pub fn part(&mut self, number: usize) {
        self.apart.insert(number);
    }

    /// Count it among them again.
    pub fn join(&mut self, number: usize) {
        self.apart.remove(&number);
    }

    /// Have a validator that was started otherwise.
    pub fn put(&mut self, number: usize, node: Node) {
        self.nodes[number] = Some(node);
    }

    /// Leave a validator to somebody else.
    pub fn take(&mut self, number: usize) -> Node {
        self.nodes[number].take().unwrap()
    }

    /// Kill it as a power cut would: nothing is said or written any more.
    pub fn kill(&mut self, number: usize) {
        self.nodes[number] = None;
    }

    /// All stop as they are told to.
    pub fn stop(&mut self) {
        for node in self.nodes.iter_mut().filter_map(Option::take) {
            assert!(node.stop("-INT"));
        }
    }

    /// Those that run and are not cut off.
    pub fn running(&self) -> impl Iterator<Item = usize> {
        (0..VALIDATORS).filter(|number| self.nodes[*number].is_some() && !self.apart.contains(number))
    }

    pub fn node(&self, number: usize) -> &Node {
        self.nodes[number].as_ref().unwrap()
    }

    pub fn remote(&self, number: usize) -> RemoteNode {
        RemoteNode::at(&self.node(number).url).unwrap()
    }

    pub fn best(&self, number: usize) -> Hash {
        self.remote(number).best().unwrap()
    }

    /// Wait until all that run have one best block, which `is_it`.
    pub fn agree_on(&self, is_it: impl Fn(Hash) -> bool) -> Hash {
        let began = Instant::now();
        loop {
            let best: Vec<Hash> = self.running().map(|number| self.best(number)).collect();
            if is_it(best[0]) && best.iter().all(|hash| *hash == best[0]) {
                return best[0];
            }
            assert!(began.elapsed() < PATIENCE, "the validators do not agree: {best:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Wait until the node at `url` has this block; an empty one may have followed that made it final elsewhere.
pub fn reaches(url: &str, best: Hash) {
    let (node, began) = (RemoteNode::at(url).unwrap(), Instant::now());
    while node.height(best).unwrap().is_none() {
        assert!(began.elapsed() < PATIENCE, "{url} is at {:?}", node.status());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Ports that a test takes at a time.
const PORTS: u16 = 16;

/// The first of `count` ports in a row that are this process's until it ends, at most 15; below those that the system hands
/// out, which other tests take at any time.
///
/// Whoever listens at the port before the first has them all: nobody can take those of a node that is down for a while.
pub fn free_ports(count: u16) -> u16 {
    static GUARDS: Mutex<Vec<TcpListener>> = Mutex::new(Vec::new());
    assert!(count < PORTS);
    let bind = |port: u16| TcpListener::bind(("127.0.0.1", port)).ok();
    let claim = |first: u16| {
        let guard = bind(first - 1)?;
        (first..first + count).all(|port| bind(port).is_some()).then_some((guard, first))
    };
    let start = u16::try_from(std::process::id() % 700).unwrap();
    let groups = (0..700).map(|group| 20_001 + (start + group) % 700 * PORTS);
    let (guard, first) = groups.into_iter().find_map(claim).expect("some group of ports is free");
    GUARDS.lock().unwrap().push(guard);
    first
}

#[test]
fn nobody_else_gets_the_ports_of_a_test() {
    let (one, other) = (free_ports(6), free_ports(6));
    assert!(one.abs_diff(other) >= PORTS, "{one}, {other}");
    // Also while none of its nodes runs, and whatever process asks.
    let taken = TcpListener::bind(("127.0.0.1", one - 1)).unwrap_err();
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
}
