//! `busbar node --validator`: who insists on being a validator is told why the node cannot be one, and what to do.

use crate::node_process::{Node, busbar};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a node says that does not start. One that does is killed.
fn refused(data: &str, more: &[&str]) -> String {
    let mut command = busbar(&[&Node::line(data)[..], more].concat());
    let mut node = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while node.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = node.kill();
    let output = node.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{more:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_node_that_must_be_a_validator_says_why_it_is_none() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let spec = path("spec.json");
    let network =
        ["chain-spec", "--scenario", "dev", "--validators", "4", "--engines", "127.0.0.1:9", "--out", &spec];
    let made = busbar(&network).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let rows: [(&str, &[&str], &[&str]); 3] = [
        ("none", &["--scenario", "dev"], &["busbar keys generate", "--session-key-name"]),
        (
            "stranger",
            &["--scenario", "bare", "--dev-validator", "9"],
            &["epochs 0 to 2", "busbar validator announce"],
        ),
        (
            "follower",
            &["--spec", &spec, "--dev-validator", "1", "--follow", "http://127.0.0.1:9"],
            &["start with --listen instead of --follow"],
        ),
    ];
    for (data, line, parts) in rows {
        let said = refused(&path(data), &[line, &["--validator"]].concat());
        for part in parts {
            assert!(said.contains(part), "{data}: {part:?} is not in {said}");
        }
    }
    // Whoever is one starts; and without the flag a stranger does, too.
    for line in [&["--dev-validator", "1", "--validator"][..], &["--dev-validator", "9"]] {
        let node = Node::start(
            &folder.path().join(line.len().to_string()),
            &[&["--scenario", "bare"], line].concat(),
        );
        assert!(node.stop("-INT"));
    }
}
