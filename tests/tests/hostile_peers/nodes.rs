//! Three honest nodes of a chain with four validators, as processes of this program.

use crate::attacker::{key, public};
use clap::Parser as _;
use host_node::chain_spec::{ChainSpec, Preset};
use host_node::cli::Cli;
use host_node::keys::{Signer, SigningPolicy};
use host_node::wallet::Wallet;
use host_rpc::{ClientError, Health, NodeStatus, RemoteNode};
use runtime_execution::modules::system;
use runtime_execution::{Call, GenesisConfig};
use runtime_primitives::Hash;
use runtime_vm::VM_THREAD_STACK_BYTES;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const HONEST: usize = 3;
const VALIDATORS: u16 = 4;
const INTERVAL_MS: u64 = 100;
const PATIENCE: Duration = Duration::from_secs(60);
/// What a process of this program is to do as a node: its command line, a word a line.
const LINE: &str = "BUSBAR_HOSTILE_NODE";
/// The test that is a node instead, if it finds that.
const NODE_TEST: &str = "who_has_no_business_here_is_refused_by_name";

pub struct Network {
    folder: TempDir,
    config: GenesisConfig,
    genesis: Hash,
    first_port: u16,
    nodes: Vec<Option<Node>>,
    alice: Wallet,
}

struct Node {
    child: Child,
    url: String,
    /// Whoever writes to what nobody reads ends with an error.
    _said: BufReader<ChildStdout>,
}

/// As many free ports in a row, this process's until it ends, below those that the system hands out. Whoever listens at the
/// port before the first has them all.
fn free_ports(count: u16) -> u16 {
    static GUARDS: Mutex<Vec<TcpListener>> = Mutex::new(Vec::new());
    let bind = |port: u16| TcpListener::bind(("127.0.0.1", port)).ok();
    let claim = |first: u16| {
        let guard = bind(first - 1)?;
        (first..first + count).all(|port| bind(port).is_some()).then_some((guard, first))
    };
    let start = u16::try_from(std::process::id() % 480).unwrap();
    let mut groups = (0..480).map(|group| 12_001 + (start + group) % 480 * 16);
    let (guard, first) = groups.find_map(claim).expect("some group of ports is free");
    GUARDS.lock().unwrap().push(guard);
    first
}

impl Network {
    /// A spec whose fourth validator is the attacker's key, and nobody running.
    pub fn prepare() -> Self {
        let (folder, first_port) = (TempDir::new().unwrap(), free_ports(VALIDATORS));
        let addresses: Vec<String> =
            (first_port..first_port + VALIDATORS).map(|port| format!("127.0.0.1:{port}")).collect();
        let mut config = Preset::Bare.network(&addresses);
        let bad = config.entities.iter_mut().filter_map(|entity| entity.engine.as_mut()).last().unwrap();
        bad.key = public(&key());
        fs::write(folder.path().join("spec.json"), ChainSpec::of_config(&config, INTERVAL_MS).to_json())
            .unwrap();
        let genesis = ChainSpec::genesis_hash(&config).unwrap();
        let alice = Signer::new("//Alice".parse().unwrap(), SigningPolicy::Production);
        let nodes = (0..HONEST).map(|_| None).collect();
        Self { folder, config, genesis, first_port, nodes, alice: Wallet::new(alice, genesis) }
    }

    pub fn run(&mut self, number: usize) {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let (data, spec) = (file(&format!("node-{number}")), file("spec.json"));
        let (listen, validator) = (self.engine(number).to_string(), (number + 1).to_string());
        let line =
            ["busbar", "node", "--data", &data, "--spec", &spec, "--listen", &listen, "--dev-validator"];
        let line = [&line[..], &[&validator, "--rpc", "127.0.0.1:0", "--log", "warn"]].concat().join("\n");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NODE_TEST, "--nocapture"])
            .env(LINE, line)
            .stdout(Stdio::piped())
            .stderr(File::create(file(&format!("log-{number}"))).unwrap())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let url = said
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split("listening on ").nth(1)?.split(' ').next()?.to_owned()));
        let Some(url) = url else {
            let _ = child.kill();
            panic!("node {number} does not start: {}", self.log(number));
        };
        self.nodes[number] = Some(Node { child, url, _said: said });
    }

    /// Ask a node over RPC: on a thread of its own, since the client may not wait on one of the attacker's.
    fn ask<T: Send>(
        &self,
        number: usize,
        ask: impl FnOnce(RemoteNode) -> Result<T, ClientError> + Send,
    ) -> T {
        let url = &self.nodes[number].as_ref().unwrap().url;
        let work = || RemoteNode::at(url).and_then(ask).unwrap();
        std::thread::scope(|scope| scope.spawn(work).join().unwrap())
    }

    fn best(&self, number: usize) -> Hash {
        self.ask(number, |node| node.best())
    }

    pub const fn genesis(&self) -> Hash {
        self.genesis
    }

    pub fn engine_keys(&self) -> Vec<[u8; 32]> {
        self.config.entities.iter().filter_map(|entity| Some(entity.engine.as_ref()?.key)).collect()
    }

    pub fn engine(&self, number: usize) -> SocketAddr {
        ([127, 0, 0, 1], self.first_port + u16::try_from(number).unwrap()).into()
    }

    pub fn status(&self, number: usize) -> NodeStatus {
        self.ask(number, |node| node.status())
    }

    /// Its peers, whether it is syncing, and whether it should have peers.
    pub fn health(&self, number: usize) -> (u64, bool, bool) {
        let Health { peers, is_syncing, should_have_peers } = self.ask(number, |node| node.health());
        (peers, is_syncing, should_have_peers)
    }

    pub fn log(&self, number: usize) -> String {
        fs::read_to_string(self.folder.path().join(format!("log-{number}"))).unwrap()
    }

    /// Memory of its process that is in use, in KiB.
    pub fn memory_kib(&self, number: usize) -> u64 {
        let pid = self.nodes[number].as_ref().unwrap().child.id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// A signed remark.
    pub fn remark(&mut self) -> Vec<u8> {
        self.alice.sign(&Call::System(system::Call::Remark { remark: b"hello".to_vec() }))
    }

    /// Have a remark ordered that one node takes in, and wait until all that run have its block.
    pub fn order(&mut self, number: usize) {
        let remark = self.remark();
        let before = self.best(number);
        self.ask(number, |node| node.submit(&remark));
        let began = Instant::now();
        loop {
            let running = (0..HONEST).filter(|number| self.nodes[*number].is_some());
            let best: Vec<Hash> = running.map(|number| self.best(number)).collect();
            if best[0] != before && best.iter().all(|hash| *hash == best[0]) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "no block: {best:?}\n{}", self.log(number));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// All stop as they are told to.
    pub fn stop(&mut self) {
        for Node { mut child, .. } in self.nodes.iter_mut().filter_map(Option::take) {
            let pid = child.id().to_string();
            assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
            assert!(child.wait().unwrap().success());
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for Node { child, .. } in self.nodes.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Be a node, if this process was started as one.
pub fn is_node() -> bool {
    let Ok(line) = std::env::var(LINE) else { return false };
    let cli = Cli::try_parse_from(line.lines()).unwrap();
    let thread = std::thread::Builder::new().stack_size(VM_THREAD_STACK_BYTES);
    thread.spawn(move || cli.run().unwrap()).unwrap().join().unwrap();
    true
}
