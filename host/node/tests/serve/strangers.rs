//! Strangers at an engine's port: nothing that they send ends a validator, fills its memory or delays its blocks.

use crate::network::Alice;
use crate::node_process::{Node, busbar};
use crate::validators::Validators;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

/// Connections that are opened at once.
const CONNECTIONS: usize = 200;
/// What they may cost, in KiB.
const MEMORY_KIB_MAX: u64 = 64 << 10;
const BYTES: usize = 64 << 10;

/// What a stranger says first.
fn sayings() -> [(&'static str, Vec<u8>); 6] {
    let noise = (0..BYTES).map(|at| u8::try_from(at * 7_919 % 251).unwrap()).collect();
    let frame = |length: &[u8]| [length, &vec![0xab; BYTES][..]].concat();
    [
        ("nothing", Vec::new()),
        ("noise", noise),
        ("zeros", vec![0; BYTES]),
        ("the longest frame of a 32-bit length", frame(&u32::MAX.to_be_bytes())),
        ("the longest frame of a varint", frame(&[0xff, 0xff, 0xff, 0xff, 0x0f])),
        ("a request for a page", b"GET / HTTP/1.1\r\nhost: busbar\r\n\r\n".to_vec()),
    ]
}

/// Memory of a process that is in use, in KiB.
fn memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn strangers_neither_end_nor_delay_a_validator() {
    let mut network = Validators::start(&["--interval-ms", "100"], &[]);
    let mut alice = Alice::on(network.best(0));
    alice.order(&network, 0);
    let before = memory_kib(network.node(0).pid());
    for (what, saying) in sayings() {
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut stream = TcpStream::connect(network.engine(0)).unwrap();
            stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
            // It may have been hung up on already.
            let _ = stream.write_all(&saying);
            open.push(stream);
        }
        alice.order(&network, 0);
        let now = memory_kib(network.node(0).pid());
        assert!(now.saturating_sub(before) < MEMORY_KIB_MAX, "{what}: {before} KiB, then {now} KiB");
    }

    // The same keys on another chain: its validators call these, and are not heard.
    let spec = network.spec().with_file_name("other.json").display().to_string();
    let engines = network.engine(0).to_string();
    let made =
        ["chain-spec", "--scenario", "bare", "--validators", "4", "--engines", &engines, "--out", &spec];
    assert!(busbar(&made).status().unwrap().success());
    network.kill(3);
    let own = ["--spec", &spec, "--dev-validator", "4", "--listen", &network.engine(3).to_string()];
    let other = Node::start(&network.data(9), &own);
    for _ in 0..3 {
        alice.order(&network, 0);
        std::thread::sleep(Duration::from_secs(1));
    }
    assert!(other.stop("-INT"), "a foreign chain's validator does not stop either");
    network.run(3);
    alice.order(&network, 3);
    network.stop();
}
