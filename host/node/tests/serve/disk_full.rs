//! A validator whose disk is full: it stops and says so, the others go on, and it catches up when there is room.

use crate::network::Alice;
use crate::node_process::{Node, busbar};
use crate::permission::skip;
use crate::validators::{PATIENCE, Validators};
use host_rpc::RemoteNode;
use runtime_primitives::Height;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The validator whose disk is full.
const FULL: usize = 3;
/// What is left for it when it runs out, in KiB.
const LEFT_KIB: u64 = 512;
/// A remark that fills a disk.
const REMARK_BYTES: usize = 200 << 10;
/// Several looks of a node at its disk.
const LOOK: Duration = Duration::from_millis(500);

/// How a disk is made small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Small {
    /// A file system of its own, which a file of nothing fills. Needs the permission to mount.
    FileSystem,
    /// No file may grow beyond a limit.
    FileSize,
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// A file system of 64 MiB, as long as it is needed.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    fn at(folder: &'a Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let path = folder.display().to_string();
        succeeds("mount", &["-t", "tmpfs", "-o", "size=64m", "tmpfs", &path]).then_some(Self(folder))
    }

    /// Leave little room.
    fn fill(&self) {
        let path = self.0.display().to_string();
        let output = Command::new("df").args(["-k", "--output=avail", &path]).output().unwrap();
        let words = String::from_utf8(output.stdout).unwrap();
        let free: u64 = words.lines().last().unwrap().trim().parse().unwrap();
        fs::write(self.ballast(), vec![0; usize::try_from((free - LEFT_KIB) << 10).unwrap()]).unwrap();
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        succeeds("umount", &["--lazy", &self.0.display().to_string()]);
    }
}

/// The validator's command, under a limit on the size of its files.
fn limited(network: &Validators, log: &Path, kib: Option<u64>) -> Command {
    let (data, arguments) = (network.data(FULL).display().to_string(), network.arguments(FULL));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let node = busbar(&[&Node::line(&data)[..], &arguments].concat());
    let mut command = Command::new("bash");
    let limit = kib.map_or_else(String::new, |kib| format!("trap '' XFSZ; ulimit -f {kib}; "));
    command
        .args(["-c", &format!("{limit}exec \"$@\""), "bash"])
        .arg(node.get_program())
        .args(node.get_args());
    command.stderr(File::create(log).unwrap());
    command
}

fn check(small: Small) {
    let mut network = Validators::prepare(&["--interval-ms", "100"], &["--min-free-disk-mib", "1"]);
    let (data, log) = (network.data(FULL), network.spec().with_file_name("log"));
    let mounted = (small == Small::FileSystem).then(|| Mounted::at(&data));
    if let Some(None) = mounted {
        return skip("a file system of its own for a validator");
    }
    (0..FULL).for_each(|number| network.run(number));
    network.put(FULL, Node::spawn(limited(&network, &log, None)));
    let mut alice = Alice::on(network.best(0));
    alice.order(&network, 0);
    match mounted.flatten().as_ref() {
        Some(mounted) => {
            mounted.fill();
            // It sees that by itself, before a block needs the room.
            sleep(LOOK);
            runs_out(&mut network, &mut alice, &log);
            fs::remove_file(mounted.ballast()).unwrap();
            comes_back(&mut network, &mut alice);
        }
        None => {
            assert!(network.take(FULL).stop("-INT"));
            let kib = fs::metadata(data.join("chain.redb")).unwrap().len() / 1_024 + LEFT_KIB;
            network.put(FULL, Node::spawn(limited(&network, &log, Some(kib))));
            runs_out(&mut network, &mut alice, &log);
            comes_back(&mut network, &mut alice);
        }
    }
}

/// Blocks come until the validator stops, says why, and what to do. The others go on.
fn runs_out(network: &mut Validators, alice: &mut Alice, log: &Path) {
    let mut full = network.take(FULL);
    let began = Instant::now();
    let ended = loop {
        assert!(began.elapsed() < PATIENCE, "it goes on without room");
        alice.order_much(network, 0, REMARK_BYTES);
        if let Some(ended) = full.ended() {
            break ended;
        }
    };
    let said = fs::read_to_string(log).unwrap();
    assert_eq!(ended.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("busbar: ") && last.contains("make room"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    alice.order(network, 1);
}

/// It starts in the same folder and has what the others have.
fn comes_back(network: &mut Validators, alice: &mut Alice) {
    network.run(FULL);
    network.agree_on(|_| true);
    alice.order(network, FULL);
    let nodes: Vec<RemoteNode> = network.running().map(|number| network.remote(number)).collect();
    let best = nodes[0].height(nodes[0].best().unwrap()).unwrap().unwrap();
    for height in (0..=best.number()).map(Height::from_number) {
        let headers: Vec<_> = nodes.iter().map(|node| node.block_hash(height).unwrap()).collect();
        assert!(
            headers.iter().all(|header| header.is_some() && *header == headers[0]),
            "{height}: {headers:?}"
        );
    }
}

#[test]
fn a_validator_without_room_stops_and_says_so() {
    [Small::FileSize, Small::FileSystem].into_iter().for_each(check);
}
